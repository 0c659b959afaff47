//! What all processes of a history share: the clock, the trace, and effects that land late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use crate::clock::ManualClock;

/// 2021-05-01: the histories' files are of April.
const START: i64 = 1_619_827_200_000_000;

/// A folder in memory that outlives every process, with what a listing needs to lie.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub objects: InMemory,
    /// When each object was put; the store itself would take the time from the wall clock.
    times: Mutex<BTreeMap<Path, i64>>,
    changes: Mutex<Changes>,
    /// Everything that was ever put, also what is deleted now; entries of logs with how often they were put.
    archive: Mutex<BTreeMap<String, (Bytes, u64)>>,
}

/// The last changes, for listings that lag behind.
#[derive(Debug, Default, Clone)]
pub(super) struct Changes {
    pub put: Vec<Path>,
    pub deleted: Vec<Path>,
}

/// So many changes back a listing may lag.
const LAG_MAX: usize = 6;

impl Folder {
    /// Puts an object; answers its tag.
    pub async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
        now: i64,
    ) -> object_store::Result<object_store::PutResult> {
        use object_store::ObjectStore as _;
        let is_new = !self.has(path).await;
        let bytes = joined(&payload);
        let put = self.objects.put_opts(path, payload, options).await?;
        lock(&self.times).insert(path.clone(), now);
        let mut archive = lock(&self.archive);
        let puts = archive.get(path.as_ref()).map_or(0, |(_, puts)| *puts);
        archive.insert(path.to_string(), (bytes, puts + 1));
        drop(archive);
        if is_new {
            let mut changes = lock(&self.changes);
            changes.put.push(path.clone());
            let excess = changes.put.len().saturating_sub(LAG_MAX);
            changes.put.drain(..excess);
        }
        Ok(put)
    }

    pub async fn delete(&self, path: &Path) -> object_store::Result<()> {
        self.objects.head(path).await?;
        self.objects.delete(path).await?;
        let mut changes = lock(&self.changes);
        changes.deleted.push(path.clone());
        let excess = changes.deleted.len().saturating_sub(LAG_MAX);
        changes.deleted.drain(..excess);
        Ok(())
    }

    pub async fn has(&self, path: &Path) -> bool {
        self.objects.head(path).await.is_ok()
    }

    /// What was put there last, and how often something was.
    pub fn archived(&self, path: &str) -> Option<(Bytes, u64)> {
        lock(&self.archive).get(path).cloned()
    }

    /// Every path at which there ever was something.
    pub fn archived_paths(&self) -> Vec<String> {
        lock(&self.archive).keys().cloned().collect()
    }

    pub fn time(&self, path: &Path) -> i64 {
        lock(&self.times).get(path).copied().unwrap_or(START)
    }

    pub fn changes(&self) -> Changes {
        lock(&self.changes).clone()
    }
}

/// The bytes of a payload in one piece.
pub(super) fn joined(payload: &PutPayload) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.content_length());
    for piece in payload {
        bytes.extend_from_slice(piece);
    }
    bytes.freeze()
}

/// A change of a folder that its maker believes to have failed, or does not know of, and that comes later.
#[derive(Debug)]
pub(super) struct Late {
    pub folder: Arc<Folder>,
    pub path: Path,
    /// `None`: a deletion.
    pub put: Option<(PutPayload, PutMode)>,
    /// After so many operations of anybody.
    pub after: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    pub clock: ManualClock,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    hasher: blake3::Hasher,
    lines: Option<Vec<String>>,
    counts: BTreeMap<String, u64>,
    faults: u64,
    late: Vec<Late>,
    /// What a rebuild drew for the id of its ledger.
    claimants: BTreeSet<String>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub fn new(keep_trace: bool) -> Self {
        let inner = Inner { lines: keep_trace.then(Vec::new), ..Inner::default() };
        Self { clock: ManualClock::at(START), inner: Mutex::new(inner) }
    }

    /// The time, which is another one each time it is asked for: so a time tells attempts apart.
    pub fn now(&self) -> i64 {
        self.clock.advance(1)
    }

    /// Adds a line to the trace.
    pub fn trace(&self, line: &str) {
        let mut inner = lock(&self.inner);
        inner.hasher.update(line.as_bytes());
        inner.hasher.update(b"\n");
        if let Some(lines) = &mut inner.lines {
            lines.push(line.to_owned());
        }
    }

    /// A fault that was made.
    pub fn fault(&self, kind: &str) {
        let mut inner = lock(&self.inner);
        inner.faults += 1;
        *inner.counts.entry(format!("fault: {kind}")).or_default() += 1;
    }

    pub fn count(&self, what: String) {
        *lock(&self.inner).counts.entry(what).or_default() += 1;
    }

    /// A ledger that is being rebuilt may have this id.
    pub fn add_claimant(&self, id: &str) {
        lock(&self.inner).claimants.insert(id.to_owned());
    }

    /// Whether somebody has asked for a ledger with this id to take the lake over.
    pub fn is_claimant(&self, id: &str) -> bool {
        lock(&self.inner).claimants.contains(id)
    }

    pub fn add_late(&self, late: Late) {
        lock(&self.inner).late.push(late);
    }

    /// One more operation: what is due lands before it.
    pub async fn tick(&self) {
        let mut due = Vec::new();
        {
            let mut inner = lock(&self.inner);
            for late in &mut inner.late {
                late.after = late.after.saturating_sub(1);
            }
            let mut index = 0;
            while index < inner.late.len() {
                if inner.late[index].after == 0 { due.push(inner.late.remove(index)) } else { index += 1 }
            }
        }
        for late in due {
            self.land(late).await;
        }
    }

    /// Everything that is still under way lands, or is lost for good.
    pub async fn settle(&self, lands: bool) {
        let late = std::mem::take(&mut lock(&self.inner).late);
        for late in late {
            if lands {
                self.land(late).await;
            } else {
                self.trace(&format!("late {}: lost", late.path));
            }
        }
    }

    async fn land(&self, late: Late) {
        let now = self.clock.now();
        let outcome = match late.put {
            Some((payload, mode)) => late.folder.put(&late.path, payload, mode.into(), now).await.map(drop),
            None => late.folder.delete(&late.path).await,
        };
        let outcome = if outcome.is_ok() { "lands" } else { "comes too late" };
        self.count(format!("late: {outcome}"));
        self.trace(&format!("late {}: {outcome}", late.path));
    }

    /// Hash, lines (if they were kept), counts and number of faults.
    pub fn finish(&self) -> (String, Vec<String>, BTreeMap<String, u64>, u64) {
        let inner = lock(&self.inner);
        let hash = inner.hasher.finalize().to_hex()[..16].to_owned();
        (hash, inner.lines.clone().unwrap_or_default(), inner.counts.clone(), inner.faults)
    }
}
