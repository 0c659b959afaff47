//! Reading one object version: by ranges, each of them only if the object is still the one that was listed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use stillhouse_decode::{ByteSource, SourceError};
use stillhouse_spec::ObjectVersion;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// How much one request to the store reads: large enough that the request costs little, small beside the memory limit.
const READ_BYTES: u64 = 4 << 20;

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

/// A [`ByteSource`] over one object version, with the digest of all bytes as a by-product.
///
/// The decoder may go back; each byte is hashed the first time it is seen, in order. Calls block on the store, so use
/// it on a thread that may block.
pub struct ObjectBytes {
    store: Arc<dyn ObjectStore>,
    location: Path,
    etag: String,
    size: u64,
    runtime: Handle,
    stop: CancellationToken,
    hasher: blake3::Hasher,
    hashed: u64,
    chunk: Bytes,
    chunk_start: u64,
    on_bytes: Box<dyn FnMut(u64) + Send>,
}

impl ObjectBytes {
    /// Opens `version` of `store`. `on_bytes` hears of every byte that is read for the first time.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        version: &ObjectVersion,
        runtime: Handle,
        stop: CancellationToken,
        on_bytes: Box<dyn FnMut(u64) + Send>,
    ) -> Result<Self, OpenError> {
        let location = Path::parse(&version.key).map_err(|e| OpenError::Store(e.into()))?;
        Ok(Self {
            store,
            location,
            etag: version.etag.clone(),
            size: version.size,
            runtime,
            stop,
            hasher: blake3::Hasher::new(),
            hashed: 0,
            chunk: Bytes::new(),
            chunk_start: 0,
            on_bytes,
        })
    }

    /// Reads what the decoder left unread, checks that the object is still the listed version, and gives the digest of
    /// all its bytes (BLAKE3, hex).
    pub fn finish(mut self) -> Result<String, OpenError> {
        while self.hashed < self.size {
            self.load(self.hashed)?;
        }
        self.verify()?;
        Ok(self.hasher.finalize().to_hex().to_string())
    }

    /// The object must be the listed one after the last byte, too: a writer that appends would otherwise go unseen.
    fn verify(&self) -> Result<(), OpenError> {
        let meta = self.runtime.block_on(self.store.head(&self.location)).map_err(open_error)?;
        let same = meta.size == self.size && meta.e_tag.as_deref().unwrap_or_default() == self.etag;
        if same { Ok(()) } else { Err(OpenError::Changed) }
    }

    fn load(&mut self, offset: u64) -> Result<(), OpenError> {
        if self.stop.is_cancelled() {
            return Err(OpenError::Cancelled);
        }
        let range = offset..self.size.min(offset + READ_BYTES);
        self.chunk = self.get(range)?;
        self.chunk_start = offset;
        self.hash();
        Ok(())
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

    fn hash(&mut self) {
        let end = self.chunk_start + self.chunk.len() as u64;
        if self.chunk_start > self.hashed || end <= self.hashed {
            return;
        }
        let fresh = usize::try_from(self.hashed - self.chunk_start).unwrap_or(usize::MAX);
        let fresh = self.chunk.slice(fresh..);
        self.hasher.update(&fresh);
        self.hashed = end;
        (self.on_bytes)(fresh.len() as u64);
    }
}

fn open_error(error: object_store::Error) -> OpenError {
    match error {
        object_store::Error::Precondition { .. } => OpenError::Changed,
        object_store::Error::NotFound { .. } => OpenError::Removed,
        other => OpenError::Store(other),
    }
}

impl ByteSource for ObjectBytes {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        if offset >= self.size || buf.is_empty() {
            return Ok(0);
        }
        let end = self.chunk_start + self.chunk.len() as u64;
        if offset < self.chunk_start || offset >= end {
            self.load(offset)?;
        }
        let from = usize::try_from(offset - self.chunk_start)?;
        let count = buf.len().min(self.chunk.len() - from);
        buf[..count].copy_from_slice(&self.chunk[from..from + count]);
        Ok(count)
    }
}
