//! Folders: who may write there, how much room there is, and whether it is a local disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Finding, State};
use crate::surroundings;
use crate::text::bytes;

/// Less room than this, and the next load may fail.
const ROOM_BYTES_MIN: u64 = 200_000_000;
/// Less room than this is worth a word.
const ROOM_BYTES_GOOD: u64 = 2_000_000_000;
/// A disk whose clock differs by more: whether a file is still being written is told by its time.
const CLOCK_MICROS_MAX: i64 = 2_000_000;

/// A folder to try things in; removed with everything in it when dropped.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// In `folder`, which must be there.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".stillhouse-doctor-{}", surroundings::new_id()));
        std::fs::create_dir(&path)?;
        Ok(Self { path })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// By how many microseconds the disk's clock is ahead of ours.
    fn clock_ahead(&self) -> io::Result<i64> {
        let file = self.path.join("clock");
        std::fs::write(&file, "")?;
        let written = file.metadata()?.modified()?;
        let micros =
            written.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0));
        Ok(micros - surroundings::now_micros())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a folder of the doctor stays behind");
        }
    }
}

/// The folder itself, or the nearest one above it that is there.
pub fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"))
}

/// Looks at a folder that has to be written: rights, room, clock. `None` (and a finding) when nothing can be written there.
pub fn look(area: &'static str, folder: &Path, findings: &mut Vec<Finding>) -> Option<Scratch> {
    let there = nearest(folder);
    let scratch = match Scratch::new(there) {
        Ok(scratch) => scratch,
        Err(error) => {
            let found = format!("nothing can be written into `{}`: {error}", there.display());
            findings.push(Finding::problem(area, found, "give the user of this program the right to write there"));
            return None;
        }
    };
    match scratch.clock_ahead() {
        Ok(ahead) if ahead.abs() > CLOCK_MICROS_MAX => findings.push(Finding::note(
            area,
            format!("the clock of the disk differs from this machine's by {} s", ahead.abs() / 1_000_000),
            "set both by the network time; till then `settle` of sources may wait too long or not at all",
        )),
        _ => {}
    }
    if let Some(finding) = room(area, there) {
        findings.push(finding);
    }
    Some(scratch)
}

/// The room that is left for this user, in bytes.
pub fn room_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(nearest(folder)).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn room(area: &'static str, folder: &Path) -> Option<Finding> {
    let left = room_bytes(folder)?;
    let state = match left {
        ..ROOM_BYTES_MIN => State::Problem,
        ROOM_BYTES_MIN..ROOM_BYTES_GOOD => State::Note,
        _ => return None,
    };
    let next =
        "make room, or put it on a larger disk; a load that runs out of room fails, and nothing half-loaded is seen";
    Some(Finding {
        area,
        state,
        found: format!("only {} are free in `{}`", bytes(left), folder.display()),
        next: Some(next.to_owned()),
    })
}
