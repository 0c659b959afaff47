//! The lake's folder, and what is in it.

use std::path::Path;

use stillhouse_ingest::LakeNumbers;
use stillhouse_lake::Lake;
use stillhouse_spec::Durability;

use super::{Finding, disk};
use crate::failure::Failure;
use crate::project_folder::ProjectFolder;
use crate::surroundings;
use crate::text::{bytes, plural};

const AREA: &str = "lake";

/// Looks at the lake. What it says about its ledger, when there are receipts and they can be read.
pub async fn look(folder: &ProjectFolder, findings: &mut Vec<Finding>) -> Option<LakeNumbers> {
    let settings = &folder.project.lake;
    let path = folder.resolve(settings.path.expose());
    if path.exists() && !path.is_dir() {
        let found = format!("`{}` is no folder", settings.path);
        findings.push(Finding::problem(AREA, found, "set `path` in [lake] of stillhouse.toml to a folder"));
        return None;
    }
    network(&path, findings);
    if let Some(scratch) = disk::look(AREA, &path, findings) {
        findings.push(conditional_writes(scratch.path(), &path, settings.durability).await);
    }
    if !path.is_dir() {
        findings.push(Finding::ok(AREA, format!("`{}` is not there yet; the first load makes it", settings.path)));
        return None;
    }
    match contents(&path).await {
        Ok((found, numbers)) => {
            findings.push(Finding::ok(AREA, found));
            numbers
        }
        Err(failure) => {
            findings.push(Finding::of_failure(AREA, failure));
            None
        }
    }
}

fn network(path: &Path, findings: &mut Vec<Finding>) {
    if let Some(name) = stillhouse_ledger::network_file_system(disk::nearest(path)).ok().flatten() {
        findings.push(Finding::note(
            AREA,
            format!("it is on the network file system {name}: whether a file is made only if it is absent, and kept after a power cut, is up to the server"),
            "put the lake on a local disk; `stillhouse lake copy DIR` copies it",
        ));
    }
}

/// The same question that every start asks, with the same store, in a folder of its own.
async fn conditional_writes(scratch: &Path, path: &Path, durability: Durability) -> Finding {
    let opened = async {
        let store = stillhouse_lake::durable_local(scratch, durability)?;
        Lake::open(store, surroundings::new_uuid()).await
    };
    if let Err(error) = opened.await {
        return Finding::of_failure(AREA, error.into());
    }
    let synchronised = match durability {
        Durability::Fsync => "files and folders are synchronised (fsync)",
        Durability::Os => "files are not synchronised (durability = \"os\")",
    };
    let free = disk::room_bytes(path).map(|free| format!("; {} free", bytes(free))).unwrap_or_default();
    Finding::ok(AREA, format!("files are made only if absent; {synchronised}{free}"))
}

/// What the newest receipt names can be read.
async fn contents(path: &Path) -> Result<(String, Option<LakeNumbers>), Failure> {
    let lake = Lake::open_to_read(stillhouse_lake::durable_local(path, Durability::Os)?);
    let Some((_, owner)) = lake.receipts_epoch().await? else {
        return Ok(("it is empty".to_owned(), None));
    };
    let largest_seq = lake.largest_seq().await?;
    let snapshot = lake.snapshot().await?;
    let tables = snapshot.tables.keys().filter(|name| !name.starts_with('_')).count();
    let found = format!("batch {} is the newest; {} can be read", snapshot.seq, plural(tables as u64, "table"));
    Ok((found, Some(LakeNumbers { owner, largest_seq, finished_seq: lake.finished_seq().await? })))
}
