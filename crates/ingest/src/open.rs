//! Reading one object version: by blocks, each of them only if the object is still the one that was listed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use stillhouse_decode::{ByteSource, SharedSource, SourceError};
use stillhouse_spec::ObjectVersion;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::blocks::{BLOCK_BYTES, Blocks, value};

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
}

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
    on_bytes: Box<dyn Fn(u64) + Send + Sync>,
}

impl OpenObject {
    /// Opens `version` of `store`. `on_bytes` hears of every byte that is read for the first time.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        version: &ObjectVersion,
        runtime: Handle,
        stop: CancellationToken,
        on_bytes: Box<dyn Fn(u64) + Send + Sync>,
    ) -> Result<Self, OpenError> {
        let location = Path::parse(&version.key).map_err(|e| OpenError::Store(e.into()))?;
        let (etag, size) = (version.etag.clone(), version.size);
        Ok(Self { store, location, etag, size, runtime, stop, blocks: Mutex::new(Blocks::new(size)), on_bytes })
    }

    /// Reads what nobody has read, checks that the object is still the listed version, and gives the digest of all its
    /// bytes (BLAKE3, hex).
    pub fn finish(self) -> Result<String, OpenError> {
        loop {
            let missing = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).missing();
            match missing {
                Some(block) => self.load(block)?,
                None => break,
            };
        }
        self.verify()?;
        let blocks = self.blocks.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(blocks.digest().expect("no block is missing").to_hex().to_string())
    }

    /// The object must be the listed one after the last byte, too: a writer that appends would otherwise go unseen.
    fn verify(&self) -> Result<(), OpenError> {
        let meta = self.runtime.block_on(self.store.head(&self.location)).map_err(open_error)?;
        let same = meta.size == self.size && meta.e_tag.as_deref().unwrap_or_default() == self.etag;
        if same { Ok(()) } else { Err(OpenError::Changed) }
    }

    fn load(&self, block: usize) -> Result<Bytes, OpenError> {
        if self.stop.is_cancelled() {
            return Err(OpenError::Cancelled);
        }
        let begin = block as u64 * BLOCK_BYTES;
        let bytes = self.get(begin..self.size.min(begin + BLOCK_BYTES))?;
        let is_known = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).has(block);
        if !is_known {
            let value = value(&bytes, block, self.size);
            let is_new = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).keep(block, &value);
            if is_new {
                (self.on_bytes)(bytes.len() as u64);
            }
        }
        Ok(bytes)
    }

    fn get(&self, range: Range<u64>) -> Result<Bytes, OpenError> {
        let wanted = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: (!self.etag.is_empty()).then(|| self.etag.clone()),
            ..GetOptions::default()
        };
        let bytes = self.runtime.block_on(async { self.store.get_opts(&self.location, options).await?.bytes().await });
        // Stores word a file that shrank in many ways; whether it is still the listed one decides.
        let bytes = bytes.map_err(|error| match self.verify() {
            Err(changed @ (OpenError::Changed | OpenError::Removed)) => changed,
            _ => open_error(error),
        })?;
        // A file that shrank between the check of its tag and the read gives fewer bytes.
        if bytes.len() as u64 == wanted { Ok(bytes) } else { Err(OpenError::Changed) }
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
        Box::new(Reader { object: self, block: Bytes::new(), begin: 0 })
    }
}

/// One thread's view of an object: the block that it read last.
struct Reader<'o> {
    object: &'o OpenObject,
    block: Bytes,
    begin: u64,
}

impl ByteSource for Reader<'_> {
    fn len(&self) -> u64 {
        self.object.size
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        if offset >= self.object.size || buf.is_empty() {
            return Ok(0);
        }
        let end = self.begin + self.block.len() as u64;
        if offset < self.begin || offset >= end {
            let number = offset / BLOCK_BYTES;
            self.block = self.object.load(usize::try_from(number)?)?;
            self.begin = number * BLOCK_BYTES;
        }
        let from = usize::try_from(offset - self.begin)?;
        let count = buf.len().min(self.block.len() - from);
        buf[..count].copy_from_slice(&self.block[from..from + count]);
        Ok(count)
    }
}
