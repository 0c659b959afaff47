//! A lake copied to another store: one consistent state, byte for byte, checked as it is written.
//!
//! Files go first, then the logs of data tables, then `_runs`, and `_receipts` last: a copy that was interrupted shows no
//! half batches, and the same command goes on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, WriteMultipart};
use serde_json::json;

use crate::checkpoint::{hint_path, read_checkpoint, read_hint};
use crate::copy_target::{COPYING, check_target};
use crate::error::{Error, Kind};
use crate::lake::{Lake, probe};
use crate::state::TableState;
use crate::{RECEIPTS, RUNS, is_data_table};

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// The last batch in the copy.
    pub seq: i64,
    /// Objects that were written.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were there already, and are the same.
    pub unchanged: u64,
}

/// Objects under way at the same time.
const OBJECTS_MAX: usize = 4;
/// A larger object is uploaded in parts of this size.
const PART_BYTES: u64 = 5 << 20;

impl Lake {
    /// Copies what the lake shows now: data tables with their logs as of the newest receipt, `_receipts`, `_runs`, results
    /// and kept texts. Beside the files of that state, those of `pinned` versions (table to versions), so that reports
    /// can be verified there. The target has to be empty, or an older copy of this lake; a copy that was interrupted is
    /// one. Every object is read back. `progress` hears of each object and its bytes.
    pub async fn copy_to(
        &self,
        target: &Arc<dyn ObjectStore>,
        pinned: &BTreeMap<String, BTreeSet<i64>>,
        progress: &(dyn Fn(&str, u64) + Send + Sync),
    ) -> Result<Copied, Error> {
        // Runs first: what they name is in the receipts that are read after them.
        let runs = self.head(RUNS).await?;
        let Some(receipts) = self.head(RECEIPTS).await? else {
            return Err(Error::new(Kind::FixSettings, "there is no lake to copy: it has no table `_receipts`"));
        };
        let newest = self.newest(&receipts).await?;
        probe(target, self.handle).await?;
        check_target(self, &receipts, target).await?;
        let mut copy = Copy { from: &self.store, to: target, progress, copied: Copied::default() };
        copy.copied.seq = newest.as_ref().map_or(0, |newest| newest.seq);
        for folder in self.other_folders().await? {
            copy.folder(&folder).await?;
        }
        for (table, version) in newest.iter().flat_map(|newest| &newest.vector) {
            let state = self.at(table, *version).await?;
            copy.files(&state).await?;
            for version in pinned.get(table).into_iter().flatten() {
                if let Some(state) = TableState::load(&self.store, table, Some(*version)).await? {
                    copy.files(&state).await?;
                }
            }
            copy.log(self, &state).await?;
        }
        for state in runs.iter().chain([&receipts]) {
            copy.files(state).await?;
            copy.log(self, state).await?;
        }
        let copied = copy.copied;
        self.compare(target, &receipts, runs.as_deref(), copied.seq).await?;
        let path = Path::from(COPYING);
        target.delete(&path).await.map_err(|e| Error::store(&path, e))?;
        Ok(copied)
    }

    /// Folders of the lake that are no tables.
    async fn other_folders(&self) -> Result<Vec<Path>, Error> {
        let listed = self.store.list_with_delimiter(None).await.map_err(|e| Error::store("lake folder", e))?;
        let is_other = |path: &Path| {
            path.filename().is_some_and(|name| !is_data_table(name) && ![RECEIPTS, RUNS, "_probe"].contains(&name))
        };
        Ok(listed.common_prefixes.into_iter().filter(is_other).collect())
    }

    /// The copy, opened by somebody who knows nothing, is what was to be copied.
    async fn compare(
        &self,
        target: &Arc<dyn ObjectStore>,
        receipts: &TableState,
        runs: Option<&TableState>,
        seq: i64,
    ) -> Result<(), Error> {
        let copy = Lake::open_to_read(Arc::clone(target)).snapshot().await?;
        let tables = self.newest(receipts).await?.map_or(0, |newest| newest.vector.len());
        let mut same = copy.seq == seq && copy.tables.len() == tables + 1 + usize::from(runs.is_some());
        for (table, found) in &copy.tables {
            let expected = match table.as_str() {
                RECEIPTS => Some(receipts.files.values().cloned().collect()),
                RUNS => runs.map(|runs| runs.files.values().cloned().collect()),
                _ => Some(self.files(table, found.version).await?),
            };
            same &= expected.is_some_and(|expected: Vec<_>| expected == found.files);
        }
        if same {
            return Ok(());
        }
        Err(Error::bug("the copy does not show what the lake shows"))
    }
}

struct Copy<'a> {
    from: &'a Arc<dyn ObjectStore>,
    to: &'a Arc<dyn ObjectStore>,
    progress: &'a (dyn Fn(&str, u64) + Send + Sync),
    copied: Copied,
}

impl Copy<'_> {
    async fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        let listed: Vec<_> = self.from.list(Some(folder)).try_collect().await.map_err(|e| Error::store(folder, e))?;
        self.objects(listed.into_iter().map(|object| (object.location, object.size)).collect()).await
    }

    async fn files(&mut self, state: &TableState) -> Result<(), Error> {
        let files = state.files.values();
        self.objects(files.map(|file| (Path::from(format!("{}/{}", state.table, file.path)), file.size)).collect())
            .await
    }

    /// The log up to this version: checkpoints first, so that an entry is never all that there is.
    async fn log(&mut self, lake: &Lake, state: &TableState) -> Result<(), Error> {
        let table = state.table.as_str();
        let mut parts = lake.list_log(table).await?;
        parts.retain(|part| part.version <= state.version);
        let checkpoint = parts.iter().filter(|part| part.is_whole_checkpoint).map(|part| part.version).max();
        let (entries, checkpoints): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.is_entry);
        for parts in [checkpoints, entries] {
            self.objects(parts.into_iter().map(|part| (part.object.location, part.object.size)).collect()).await?;
        }
        let known = read_hint(self.to, table).await?.map(|hint| hint.version);
        let Some(version) = checkpoint.filter(|version| known.is_none_or(|known| known < *version)) else {
            return Ok(());
        };
        let read = read_checkpoint(self.to, table, version).await?;
        let path = hint_path(table);
        let hint = json!({ "version": version, "size": read.actions(), "numOfAddFiles": read.files.len() });
        self.to.put(&path, hint.to_string().into()).await.map_err(|e| Error::store(&path, e))?;
        Ok(())
    }

    async fn objects(&mut self, objects: Vec<(Path, u64)>) -> Result<(), Error> {
        let (from, to, progress) = (self.from, self.to, self.progress);
        let mut done = futures::stream::iter(objects)
            .map(|(path, size)| async move {
                let is_new = copy_object(from, to, &path, size).await?;
                progress(path.as_ref(), size);
                Ok::<_, Error>((is_new, size))
            })
            .buffer_unordered(OBJECTS_MAX);
        while let Some((is_new, size)) = done.try_next().await? {
            if is_new {
                self.copied.objects += 1;
                self.copied.bytes += size;
            } else {
                self.copied.unchanged += 1;
            }
        }
        Ok(())
    }
}

/// Whether the object had to be written. It is the same in both stores afterwards.
async fn copy_object(
    from: &Arc<dyn ObjectStore>,
    to: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
) -> Result<bool, Error> {
    match to.head(path).await {
        Ok(found) => {
            if found.size == size && digest(from, path).await? == digest(to, path).await? {
                return Ok(false);
            }
            Err(Error::new(Kind::FixSettings, format!("`{path}`: the target has another object of this name"))
                .hint("copy to an empty place, or to an older copy that nobody has worked on"))
        }
        Err(object_store::Error::NotFound { .. }) => {
            let (written, digest_written) = transfer(from, to, path, size).await?;
            if written != size {
                return Err(Error::fix_data(format!("`{path}`: expected {size} bytes, found {written}"))
                    .hint("a file of the lake is damaged or was changed; `stillhouse audit` says more"));
            }
            if digest(to, path).await? != digest_written {
                return Err(Error::new(Kind::Retry, format!("`{path}`: it does not read back as it was written")));
            }
            Ok(true)
        }
        Err(e) => Err(Error::store(path, e)),
    }
}

/// Streams an object over; its bytes and their digest.
async fn transfer(
    from: &Arc<dyn ObjectStore>,
    to: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
) -> Result<(u64, blake3::Hash), Error> {
    let error = |e| Error::store(path, e);
    let source = from.get(path).await.map_err(|e| gone(path, e))?;
    let mut hasher = blake3::Hasher::new();
    if size <= PART_BYTES {
        let bytes = source.bytes().await.map_err(error)?;
        hasher.update(&bytes);
        let written = bytes.len() as u64;
        to.put_opts(path, bytes.into(), PutMode::Create.into()).await.map_err(error)?;
        return Ok((written, hasher.finalize()));
    }
    let mut written = 0;
    let upload = to.put_multipart(path).await.map_err(error)?;
    let mut upload = WriteMultipart::new(upload);
    let mut pieces = source.into_stream();
    while let Some(piece) = pieces.try_next().await.map_err(error)? {
        hasher.update(&piece);
        written += piece.len() as u64;
        upload.put(piece);
        upload.wait_for_capacity(1).await.map_err(error)?;
    }
    upload.finish().await.map_err(error)?;
    Ok((written, hasher.finalize()))
}

async fn digest(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<blake3::Hash, Error> {
    let mut hasher = blake3::Hasher::new();
    let mut pieces = store.get(path).await.map_err(|e| gone(path, e))?.into_stream();
    while let Some(piece) = pieces.try_next().await.map_err(|e| Error::store(path, e))? {
        hasher.update(&piece);
    }
    Ok(hasher.finalize())
}

/// A file that went while the lake was copied: a vacuum or the clean-up of a log was at work.
fn gone(path: &Path, error: object_store::Error) -> Error {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return Error::new(Kind::Retry, format!("`{path}`: it went while the lake was copied"))
            .hint("run the same command again; if it is missing still, `stillhouse audit` says more")
            .caused_by(error);
    }
    Error::store(path, error)
}
