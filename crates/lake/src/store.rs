//! The store on a local disk: put-if-absent, and what was put is there after a power cut.
//!
//! object_store's own local store never synchronises. Here a file is written under a temporary name
//! (`<name>#<digits>`, which listings leave out and which nobody can ask for), synchronised, linked (put-if-absent) or
//! renamed (overwrite) to its name, and then its folder is synchronised. A crash leaves at most a temporary file.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, UploadPart,
};
use stillhouse_spec::Durability;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::{Error, Kind};

/// A store in a local folder, which is made if need be. With [`Durability::Fsync`], what was put is there after a
/// power cut. The folder must be on a file system with hard links, and not on a network.
pub fn durable_local(root: &Path, durability: Durability) -> Result<Arc<dyn ObjectStore>, Error> {
    let made = make_folders(root, durability);
    made.map_err(|e| Error::new(Kind::FixSettings, format!("lake folder `{}`: {e}", root.display())).caused_by(e))?;
    let inner = LocalFileSystem::new_with_prefix(root).map_err(|e| Error::store(root.display(), e))?;
    Ok(Arc::new(DurableLocal { inner, durability }))
}

#[derive(Debug)]
struct DurableLocal {
    inner: LocalFileSystem,
    durability: Durability,
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "durable {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(
        &self,
        location: &StorePath,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        let publish: fn(&Path, &Path) -> io::Result<()> = match opts.mode {
            PutMode::Create => |temp, path| fs::hard_link(temp, path),
            PutMode::Overwrite => |temp, path| fs::rename(temp, path),
            PutMode::Update(_) => return Err(not_implemented("put_opts with PutMode::Update")),
        };
        let path = self.inner.path_to_filesystem(location)?;
        let durability = self.durability;
        blocking(move || {
            let mut temp = TempFile::create(&path, durability)?;
            for bytes in &payload {
                temp.file.write_all(bytes)?;
            }
            temp.publish(durability, publish)
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &StorePath,
        _opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let path = self.inner.path_to_filesystem(location)?;
        let durability = self.durability;
        let temp = blocking(move || TempFile::create(&path, durability)).await?;
        Ok(Box::new(DurableUpload::new(temp, durability)))
    }

    async fn get_opts(&self, location: &StorePath, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &StorePath, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<StorePath>>,
    ) -> BoxStream<'static, object_store::Result<StorePath>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&StorePath>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        in_order(self.inner.list(prefix))
    }

    // Without asking for the sizes of what lies before.
    fn list_with_offset(
        &self,
        prefix: Option<&StorePath>,
        offset: &StorePath,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        in_order(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&StorePath>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    // Nothing in the lake copies or renames; a durable version would be code that nobody runs.
    async fn copy_opts(&self, _: &StorePath, _: &StorePath, _: CopyOptions) -> object_store::Result<()> {
        Err(not_implemented("copy"))
    }

    async fn rename_opts(&self, _: &StorePath, _: &StorePath, _: RenameOptions) -> object_store::Result<()> {
        Err(not_implemented("rename"))
    }
}

/// In order, as buckets list: delta-rs counts on it and does not sort itself.
fn in_order(
    listed: BoxStream<'static, object_store::Result<ObjectMeta>>,
) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
    let sorted = async move {
        let mut all: Vec<ObjectMeta> = listed.try_collect().await?;
        all.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(futures::stream::iter(all).map(Ok))
    };
    sorted.try_flatten_stream().boxed()
}

fn not_implemented(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "durable local store".to_owned(),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PlacedError> + Send + 'static,
) -> object_store::Result<T> {
    joined(spawn_blocking(work)).await
}

async fn joined<T>(work: JoinHandle<Result<T, PlacedError>>) -> object_store::Result<T> {
    match work.await {
        Ok(done) => done.map_err(object_store::Error::from),
        Err(source) => Err(object_store::Error::JoinError { source }),
    }
}

/// An I/O error, with the file where that is known.
#[derive(Debug)]
struct PlacedError {
    path: Option<PathBuf>,
    source: io::Error,
}

impl From<io::Error> for PlacedError {
    fn from(source: io::Error) -> Self {
        Self { path: None, source }
    }
}

impl From<PlacedError> for object_store::Error {
    fn from(error: PlacedError) -> Self {
        let path = error.path.map(|path| path.display().to_string()).unwrap_or_default();
        let source = error.source;
        match source.kind() {
            ErrorKind::AlreadyExists => Self::AlreadyExists { path, source: source.into() },
            ErrorKind::NotFound => Self::NotFound { path, source: source.into() },
            _ => Self::Generic { store: "local disk", source: source.into() },
        }
    }
}

/// A file under a temporary name; gone when it is dropped before it was published.
#[derive(Debug)]
struct TempFile {
    file: File,
    temp: PathBuf,
    path: PathBuf,
}

static TEMP_FILES: AtomicU64 = AtomicU64::new(0);

impl TempFile {
    fn create(path: &Path, durability: Durability) -> Result<Self, PlacedError> {
        let mut found_folder = false;
        loop {
            // Process and counter tell apart those who write now; a name left by a crash is skipped.
            let number = TEMP_FILES.fetch_add(1, Ordering::Relaxed);
            let mut temp = path.as_os_str().to_owned();
            temp.push(format!("#{}{number:08}", std::process::id()));
            let temp = PathBuf::from(temp);
            match File::options().read(true).write(true).create_new(true).open(&temp) {
                Ok(file) => return Ok(Self { file, temp, path: path.to_owned() }),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) if e.kind() == ErrorKind::NotFound => match path.parent() {
                    Some(folder) if !folder.is_dir() => make_folders(folder, durability)?,
                    // Made by another just now.
                    Some(_) if !found_folder => found_folder = true,
                    _ => return Err(PlacedError { path: Some(temp), source: e }),
                },
                Err(e) => return Err(PlacedError { path: Some(temp), source: e }),
            }
        }
    }

    fn publish(
        self,
        durability: Durability,
        publish: fn(&Path, &Path) -> io::Result<()>,
    ) -> Result<PutResult, PlacedError> {
        if durability == Durability::Fsync {
            self.file.sync_all()?;
        }
        let published = publish(&self.temp, &self.path);
        let path = self.path.clone();
        drop(self);
        // Also when the name is taken: whoever hears that builds on what is there, so it must not go away any more.
        if let (Durability::Fsync, Some(folder)) = (durability, path.parent()) {
            sync_folder(folder)?;
        }
        published.map_err(|source| PlacedError { path: Some(path), source })?;
        Ok(PutResult { e_tag: None, version: None })
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // After a rename it is not there; after a link it is in the way; after a failure it is waste. If removing
        // fails too, the file stays as after a crash: unseen and harmless.
        let _ = fs::remove_file(&self.temp);
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it, each durable in the one above.
fn make_folders(folder: &Path, durability: Durability) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    make_folders(above, durability)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists || !folder.is_dir() => return Err(e),
        _ => {}
    }
    if durability == Durability::Fsync {
        sync_folder(if above.as_os_str().is_empty() { Path::new(".") } else { above })?;
    }
    Ok(())
}

#[derive(Debug)]
struct DurableUpload {
    temp: Option<Arc<Mutex<TempFile>>>,
    offset: u64,
    durability: Durability,
    /// Up to where it was asked to be on disk, and by whom. Only the end makes sure of it.
    synced: u64,
    syncing: Vec<JoinHandle<Result<(), PlacedError>>>,
}

/// So many bytes are synchronised while more are written, so that the end need not wait for all of them.
const SYNCED_AT_ONCE: u64 = 32 << 20;

impl DurableUpload {
    fn new(temp: TempFile, durability: Durability) -> Self {
        let temp = Some(Arc::new(Mutex::new(temp)));
        Self { temp, offset: 0, durability, synced: 0, syncing: Vec::new() }
    }

    /// Begins to synchronise what was written, if that is enough.
    fn sync_early(&mut self) {
        let Some(temp) = self.temp.clone() else { return };
        let is_busy = self.syncing.last().is_some_and(|last| !last.is_finished());
        if self.durability != Durability::Fsync || is_busy || self.offset - self.synced < SYNCED_AT_ONCE {
            return;
        }
        self.synced = self.offset;
        self.syncing.push(spawn_blocking(move || {
            let file = temp.lock().unwrap_or_else(PoisonError::into_inner).file.try_clone()?;
            drop(temp);
            Ok(file.sync_data()?)
        }));
    }
}

fn aborted() -> PlacedError {
    io::Error::other("the upload was completed or aborted before").into()
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.sync_early();
        let offset = self.offset;
        self.offset += data.content_length() as u64;
        let temp = self.temp.clone();
        Box::pin(blocking(move || {
            let temp = temp.ok_or_else(aborted)?;
            let mut temp = temp.lock().unwrap_or_else(PoisonError::into_inner);
            temp.file.seek(SeekFrom::Start(offset))?;
            for bytes in &data {
                temp.file.write_all(bytes)?;
            }
            Ok(())
        }))
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let temp = self.temp.take();
        // The system tells once that something could not be written, so whoever hears of it must say so.
        for syncing in self.syncing.drain(..) {
            joined(syncing).await?;
        }
        let durability = self.durability;
        blocking(move || {
            let temp = temp.and_then(Arc::into_inner).ok_or_else(aborted)?;
            let temp = temp.into_inner().unwrap_or_else(PoisonError::into_inner);
            temp.publish(durability, |temp, path| fs::rename(temp, path))
        })
        .await
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.temp = None;
        Ok(())
    }
}
