//! A copy of the ledger in a file of its own, and the way back.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::AnyConnection;

use crate::copy::{CopiedMeta, copy, write_meta};
use crate::database::Database;
use crate::error::{Error, Kind};
use crate::ledger::{Ledger, Meta, Tx};
use crate::migrate::migrate;

impl Ledger {
    /// Writes every row, as it is at one moment, into a new SQLite file. Others work on meanwhile. The file appears when it
    /// is whole. It is not open for work: the way back is a rebuild from the lake,
    /// and then [`Ledger::take_history`].
    pub async fn backup(&self, path: &Path, now: i64) -> Result<(), Error> {
        self.read("backup", move |Tx { connection, meta, .. }| {
            Box::pin(async move {
                let done = write_backup(connection, &meta, path, now).await;
                done.map_err(|error| error.at(&format!("backup `{}`", path.display())))
            })
        })
        .await
    }

    /// Opens a file that [`Ledger::backup`] has written.
    pub async fn open_backup(path: &Path, now: i64) -> Result<Self, Error> {
        let place = |error: Error| error.at(&format!("backup `{}`", path.display()));
        if !path.is_file() {
            let missing = Error::new(Kind::FixSettings, "expected a file, found none");
            return Err(place(missing.with_hint("name a file that `stillhouse ledger backup` has written")));
        }
        let database = Database::open_backup(path).await?;
        // Opening makes the tables where there are none, which must not happen to somebody else's database.
        let no_backup = || Error::new(Kind::FixSettings, "expected a backup of a ledger, found another file");
        if !database.has_ledger().await.map_err(place)? {
            database.close().await;
            return Err(place(no_backup().with_hint("name a file that `stillhouse ledger backup` has written")));
        }
        Self::open(database, "no new ledger", now).await
    }
}

/// Writes the rows into a file beside `path`, and gives it its name at the end: half a backup is never taken for one.
async fn write_backup(source: &mut AnyConnection, meta: &Meta, path: &Path, now: i64) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let part = beside(path, ".part");
    for leftover in [part.clone(), beside(path, ".part-journal")] {
        remove(&leftover)?;
    }
    let database = Database::open_backup(&part).await?;
    let written = async {
        migrate(&database, &meta.ledger_id, now).await?;
        let mut target = database.begin_write().await?;
        copy(source, &mut target).await?;
        let copied = CopiedMeta { ledger_id: &meta.ledger_id, moved_to: None };
        write_meta(&mut target, meta, &copied, now).await?;
        target.commit().await?;
        Ok::<_, Error>(())
    };
    let written = written.await;
    database.close().await;
    written?;
    // A link fails where a file is, unlike a new name.
    fs::hard_link(&part, path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => disk(error),
    })?;
    remove(&part)?;
    sync_folder(path)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(error)),
        _ => Ok(()),
    }
}

/// The name of a file survives a power cut once its folder is written.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(disk)
}

fn exists() -> Error {
    Error::new(Kind::FixSettings, "expected no file there yet, found one").with_hint("name a new file")
}

fn disk(error: std::io::Error) -> Error {
    Error::new(Kind::FixSettings, format!("the disk answers with an error: {error}")).with_source(error)
}
