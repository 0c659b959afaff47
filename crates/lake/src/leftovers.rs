//! Half-written files in a local lake: what a crash leaves of an upload. Listings leave them out, so they are looked for
//! on the disk.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::{Error, Kind};

/// Half-written files that were last written before `before` (microseconds since 1970): path in the lake and bytes.
/// Deletes them unless `dry_run`. Should one be in use all the same, its upload fails and is done again.
pub(crate) async fn leftovers(folder: PathBuf, before: i64, dry_run: bool) -> Result<Vec<(String, u64)>, Error> {
    let place = folder.display().to_string();
    let found = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        look(&folder, &folder, before, dry_run, &mut found)?;
        found.sort_unstable();
        Ok::<_, io::Error>(found)
    });
    let found = found.await.map_err(|e| Error::bug("looking for half-written files").caused_by(e))?;
    found.map_err(|e| Error::new(Kind::Retry, format!("lake folder `{place}`: {e}")).caused_by(e))
}

fn look(root: &Path, folder: &Path, before: i64, dry_run: bool, found: &mut Vec<(String, u64)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            look(root, &path, before, dry_run, found)?;
            continue;
        }
        if !kind.is_file() || !is_half_written(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // Another process may finish or delete it at any moment.
        let Some(metadata) = if_there(entry.metadata())? else { continue };
        if modified_at(&metadata)? >= before || (!dry_run && if_there(fs::remove_file(&path))?.is_none()) {
            continue;
        }
        let inside = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        found.push((inside, metadata.len()));
    }
    Ok(())
}

/// `<name>#<digits>`, as the store names what it has not yet published.
fn is_half_written(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(stem, number)| {
        !stem.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn modified_at(metadata: &Metadata) -> io::Result<i64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}
