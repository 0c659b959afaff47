//! Reading one object version: by blocks, each of them only if the object is still the one that was listed.

use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, ObjectStoreExt};
use stillhouse_decode::{ByteSource, SharedSource, SourceError};
use stillhouse_spec::ObjectVersion;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::blocks::{BLOCK_BYTES, Blocks, value};

/// Why an object could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not the listed version any more; nothing of it was taken.
    #[error("the file was changed while it was read")]
    Changed,
    /// It is gone; nothing of it was taken.
    #[error("the file was removed while it was read")]
    Removed,
    /// The user asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The store refused for another reason.
    #[error("the file cannot be read: {0}")]
    Store(#[source] object_store::Error),
    /// What it is packed in, or its encoding, has to be mended by somebody.
    #[error("{message}")]
    Held {
        /// What is wrong.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// Unpacked bytes could not be put aside.
    #[error("the file cannot be unpacked: {0}")]
    Disk(#[source] std::io::Error),
}

impl OpenError {
    /// What `unpack` says; an error of ours that went through it comes out again.
    pub(super) fn unpack(error: stillhouse_unpack::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        let (held, message) = (error.is_held(), error.to_string());
        if held {
            return Self::Held { message, hint };
        }
        match error.into_source() {
            Some(source) => Self::of(source),
            None => Self::Disk(std::io::Error::other(message)),
        }
    }

    /// The error of a reader of ours, however it was wrapped.
    pub(crate) fn of(error: SourceError) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => *ours,
            Err(error) => match error.downcast::<std::io::Error>() {
                Ok(io) => match io.downcast::<Self>() {
                    Ok(ours) => ours,
                    Err(io) => Self::Disk(io),
                },
                Err(error) => Self::Disk(std::io::Error::other(error)),
            },
        }
    }

    pub(super) fn disk(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Hears of every byte that is read for the first time.
pub type OnBytes = Arc<dyn Fn(u64) + Send + Sync>;

/// One object version, read by one thread or several, with the digest of all bytes as a by-product.
///
/// Readers may go back; each block is hashed the first time it is seen. Calls block on the store, so use them on a thread
/// that may block.
pub struct OpenObject {
    store: Arc<dyn ObjectStore>,
    location: Path,
    etag: String,
    size: u64,
    runtime: Handle,
    stop: CancellationToken,
    blocks: Mutex<Blocks>,
    /// What the last reader that is gone had at hand, for the next one: the head is looked at before anything is decoded.
    left: Mutex<Held>,
    on_bytes: OnBytes,
}

impl OpenObject {
    /// Opens `version` of `store`. `on_bytes` hears of every byte that is read for the first time.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        version: &ObjectVersion,
        runtime: Handle,
        stop: CancellationToken,
        on_bytes: OnBytes,
    ) -> Result<Self, OpenError> {
        let location = Path::parse(&version.key).map_err(|e| OpenError::Store(e.into()))?;
        let etag = version.etag.clone();
        let size = match version.member.as_str() {
            "" => version.size,
            // The size of a member is not that of its archive.
            _ => {
                let meta = runtime.block_on(store.head(&location)).map_err(open_error)?;
                let same = etag.is_empty() || meta.e_tag.as_deref() == Some(&etag);
                if same { meta.size } else { return Err(OpenError::Changed) }
            }
        };
        let (blocks, left) = (Mutex::new(Blocks::new(size)), Mutex::default());
        Ok(Self { store, location, etag, size, runtime, stop, blocks, left, on_bytes })
    }

    /// Reads what nobody has read, checks that the object is still the listed version, and gives the digest of all its
    /// bytes (BLAKE3, hex).
    pub fn finish(&self) -> Result<String, OpenError> {
        let digest = self.digest()?;
        self.verify()?;
        Ok(digest.to_hex().to_string())
    }

    /// Reads what nobody has read, and gives the digest of all bytes. Whether the object is still the listed version is for
    /// the caller to see.
    pub(super) fn digest(&self) -> Result<blake3::Hash, OpenError> {
        let mut buffer = Vec::new();
        loop {
            let missing = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).missing();
            match missing {
                Some(block) => {
                    let range = self.range(block);
                    buffer.resize(usize::try_from(range.end - range.start).unwrap_or(usize::MAX), 0);
                    self.load(block, &mut buffer)?;
                }
                None => break,
            }
        }
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(blocks.digest().expect("no block is missing"))
    }

    /// Gives the memory back that is kept for the next reader.
    pub(super) fn rest(&self) {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Checks that the object is still the listed version.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        self.verify()
    }

    /// The object must be the listed one after the last byte, too: a writer that appends would otherwise go unseen.
    fn verify(&self) -> Result<(), OpenError> {
        let meta = self.runtime.block_on(self.store.head(&self.location)).map_err(open_error)?;
        let same = meta.size == self.size && meta.e_tag.as_deref().unwrap_or_default() == self.etag;
        if same { Ok(()) } else { Err(OpenError::Changed) }
    }

    /// Where a block lies.
    fn range(&self, block: usize) -> Range<u64> {
        let begin = block as u64 * BLOCK_BYTES;
        begin..self.size.min(begin + BLOCK_BYTES)
    }

    fn has(&self, block: usize) -> bool {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).has(block)
    }

    /// Reads a block into `into`, which is as long, and hashes it.
    fn load(&self, block: usize, into: &mut [u8]) -> Result<(), OpenError> {
        self.read(self.range(block), into)?;
        if !self.has(block) {
            let value = value(into, block, self.size);
            let is_new = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).keep(block, &value);
            if is_new {
                (self.on_bytes)(into.len() as u64);
            }
        }
        Ok(())
    }

    /// Reads a range into `into`, which is as long, if the object is still the listed one.
    fn read(&self, range: Range<u64>, into: &mut [u8]) -> Result<(), OpenError> {
        if self.stop.is_cancelled() {
            return Err(OpenError::Cancelled);
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: (!self.etag.is_empty()).then(|| self.etag.clone()),
            ..GetOptions::default()
        };
        let read = self.runtime.block_on(self.store.get_opts(&self.location, options));
        // Stores word a file that shrank in many ways; whether it is still the listed one decides.
        read.and_then(|result| self.fill(result, into)).map_err(|error| match self.verify() {
            Err(changed @ (OpenError::Changed | OpenError::Removed)) => changed,
            _ => open_error(error),
        })
    }

    /// A file is read straight into the place where its bytes are wanted, by this thread.
    fn fill(&self, result: GetResult, into: &mut [u8]) -> Result<(), object_store::Error> {
        let range = result.range.clone();
        // A file that shrank between the check of its tag and the read gives fewer bytes.
        let shrank = || std::io::Error::from(ErrorKind::UnexpectedEof);
        let read = match result.payload {
            _ if range.end - range.start != into.len() as u64 => Err(shrank()),
            GetResultPayload::File(file, _) => file.read_exact_at(into, range.start),
            GetResultPayload::Stream(_) => {
                let bytes = self.runtime.block_on(result.bytes())?;
                if bytes.len() == into.len() {
                    into.copy_from_slice(&bytes);
                    Ok(())
                } else {
                    Err(shrank())
                }
            }
        };
        read.map_err(|error| object_store::Error::Generic { store: "object", source: error.into() })
    }
}

fn open_error(error: object_store::Error) -> OpenError {
    match error {
        object_store::Error::Precondition { .. } => OpenError::Changed,
        object_store::Error::NotFound { .. } => OpenError::Removed,
        other => OpenError::Store(other),
    }
}

impl SharedSource for OpenObject {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        let held = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        Box::new(Reader { object: self, held })
    }
}

/// The block of which a part was wanted last.
#[derive(Default)]
struct Held {
    block: Vec<u8>,
    /// Where it begins.
    begin: u64,
}

impl Held {
    /// What is held from `offset` on.
    fn from(&self, offset: u64) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.begin)?).ok()?;
        self.block.get(from..).filter(|bytes| !bytes.is_empty())
    }
}

/// One thread's view of an object.
struct Reader<'o> {
    object: &'o OpenObject,
    held: Held,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let held = std::mem::take(&mut self.held);
        *self.object.left.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

impl ByteSource for Reader<'_> {
    fn len(&self) -> u64 {
        self.object.size
    }

    /// A whole block goes straight to where it is wanted. Of a block that was hashed before, only what is wanted is read
    /// again; of another one all is, because whoever reads a part of it goes on with the next.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        if offset >= self.object.size || buf.is_empty() {
            return Ok(0);
        }
        let number = usize::try_from(offset / BLOCK_BYTES)?;
        let range = self.object.range(number);
        let rest = usize::try_from(range.end - offset)?.min(buf.len());
        let buf = &mut buf[..rest];
        if self.held.from(offset).is_none() {
            if offset == range.start && offset + rest as u64 == range.end {
                self.object.load(number, buf)?;
                return Ok(rest);
            }
            if self.object.has(number) {
                self.object.read(offset..offset + rest as u64, buf)?;
                return Ok(rest);
            }
            let Held { block, begin } = &mut self.held;
            block.resize(usize::try_from(range.end - range.start)?, 0);
            *begin = range.start;
            if let Err(error) = self.object.load(number, block) {
                block.clear();
                return Err(error.into());
            }
        }
        let held = self.held.from(offset).unwrap_or_default();
        let count = held.len().min(rest);
        buf[..count].copy_from_slice(&held[..count]);
        Ok(count)
    }
}
