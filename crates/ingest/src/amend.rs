//! Refused records after their object was loaded: read again (`replay`) or given up (`drop`). Either way the object's
//! receipt is amended in the same batch in which they leave the quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use serde::Serialize;
use stillhouse_lake::{
    DataFile, MANIFEST_FORMAT, Manifest, ManifestKind, QUARANTINE, QuarantineQuery, Quarantined, RecordsOut,
    TableChange, delta_schema,
};
use stillhouse_ledger::{AmendRequest, StagedAmend, VersionId};
use stillhouse_spec::{Amendment, AmendmentKind, Receipt, RejectPlace, Source, object_id};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::load::member;
use crate::object::{as_loaded, write_error};
use crate::publish::{drain, open};
use crate::replay::replay_object;
use crate::run::copy_sources;
use crate::stage::BatchFiles;
use crate::standing::{Standing, standing_receipts};
use crate::targets::TargetTables;

/// The refused records of one object are worked on in memory, up to so many bytes.
const OBJECT_BYTES_MAX: usize = 256 << 20;
/// A batch amends at most so many objects, and takes no more once it holds so many bytes of rows.
const BATCH_OBJECTS_MAX: usize = 250;
const BATCH_BYTES_MAX: usize = 32 << 20;
/// How often records are looked for again when something else was staged for their objects in between.
const ROUNDS_MAX: usize = 10;

/// Which refused records; all when nothing is stated.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of objects whose key ends with this.
    pub key: Option<String>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only where this column was to blame.
    pub column: Option<String>,
}

/// What became of the refused records of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AmendedObject {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The version of the key.
    pub generation: i64,
    /// Records that were selected.
    pub selected: u64,
    /// Of these, loaded now.
    pub loaded: u64,
    /// Of these, given up now.
    pub dropped: u64,
    /// Of these, still refused.
    pub refused: u64,
    /// The first of those that are still refused, and why.
    pub rejects: Vec<RejectPlace>,
    /// Why some or all could not be read again.
    pub problem: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// What to do with the selected records.
pub(crate) enum Work {
    Replay,
    Drop { why: String },
}

/// What a batch does to one object.
pub(crate) struct Change {
    /// As it will be; `amendments` ends with this change.
    pub(crate) receipt: Receipt,
    /// Records that leave the quarantine, in order.
    pub(crate) out: Vec<u64>,
    /// Rows that come, by table.
    pub(crate) rows: Vec<(usize, RecordBatch)>,
}

/// Reads refused records again, under the contracts of now. Those that pass are loaded, the others stay, with the reason
/// of now.
pub async fn replay(ingest: &Arc<Ingest>, selection: &Selection) -> Result<Vec<AmendedObject>, Error> {
    amend(ingest, selection, Work::Replay).await
}

/// Gives refused records up, for good: they count as filtered, and the receipt says why.
pub async fn drop_refused(ingest: &Arc<Ingest>, selection: &Selection, why: &str) -> Result<Vec<AmendedObject>, Error> {
    amend(ingest, selection, Work::Drop { why: why.to_owned() }).await
}

async fn amend(ingest: &Arc<Ingest>, selection: &Selection, work: Work) -> Result<Vec<AmendedObject>, Error> {
    open(ingest).await?;
    drain(ingest, &mut BTreeSet::new()).await?;
    copy_sources(ingest).await?;
    let mut amender = Amender { ingest, selection, work, done: BTreeMap::new(), batch: Batch::default() };
    for _ in 0..ROUNDS_MAX {
        let whole = amender.round().await?;
        drain(ingest, &mut BTreeSet::new()).await?;
        if whole {
            return Ok(amender.done.into_values().collect());
        }
    }
    Err(Error::new(Kind::Retry, "the files of these records change faster than the records can be dealt with")
        .with_hint("nothing was lost; run the same command again later"))
}

struct Amender<'a> {
    ingest: &'a Arc<Ingest>,
    selection: &'a Selection,
    work: Work,
    /// By key number and generation.
    done: BTreeMap<(i64, i64), AmendedObject>,
    batch: Batch,
}

/// Changes that are committed together; all objects are of one source, and each key is in it once.
#[derive(Default)]
struct Batch {
    source: Option<Arc<Source>>,
    changes: Vec<(Change, i64)>,
    bytes: usize,
    keys: BTreeSet<i64>,
}

impl Batch {
    fn takes(&self, source: &Source, key_number: i64) -> bool {
        // Objects for which columns were added have tables of their own width.
        let is_alike = |own: &Arc<Source>| {
            own.name == source.name && own.contract.added_fields() == source.contract.added_fields()
        };
        let same = self.source.as_ref().is_none_or(is_alike);
        let room = self.changes.len() < BATCH_OBJECTS_MAX && self.bytes < BATCH_BYTES_MAX;
        same && room && !self.keys.contains(&key_number)
    }
}

impl Amender<'_> {
    /// Goes over all selected records once. `false`: something was staged for their objects in between; look again.
    async fn round(&mut self) -> Result<bool, Error> {
        let Standing { receipts, mut revisions } =
            standing_receipts(self.ingest, self.selection.source.as_deref()).await?;
        let mut whole = true;
        for receipt in receipts {
            if !self.concerns(&receipt) {
                continue;
            }
            self.ingest.check_stop()?;
            let id = (receipt.key_number, receipt.generation);
            let Some(source) = self.ingest.source_named(&receipt.object.source) else {
                self.tell(&receipt, no_source(&receipt));
                continue;
            };
            let source = Arc::new(as_loaded(source, &receipt));
            if !self.batch.takes(&source, receipt.key_number) {
                whole &= self.flush(&mut revisions).await?;
            }
            let revision = revisions.get(&id.0).copied().unwrap_or(receipt.revision);
            let (outcome, change) = self.object(&source, &receipt, revision).await?;
            self.tell(&receipt, outcome);
            if let Some(change) = change {
                self.batch.bytes += change.rows.iter().map(|(_, rows)| rows.get_array_memory_size()).sum::<usize>();
                self.batch.keys.insert(id.0);
                self.batch.source = Some(source);
                self.batch.changes.push((change, revision));
            }
        }
        whole &= self.flush(&mut revisions).await?;
        Ok(whole)
    }

    fn concerns(&self, receipt: &Receipt) -> bool {
        let Selection { source, key, .. } = self.selection;
        let own = source.as_ref().is_none_or(|source| *source == receipt.object.source);
        own && key.as_ref().is_none_or(|end| receipt.object.key.ends_with(end)) && receipt.counts.quarantined > 0
    }

    /// Adds to what an earlier round did with the same object.
    fn tell(&mut self, receipt: &Receipt, outcome: AmendedObject) {
        let id = (receipt.key_number, receipt.generation);
        let known = self.done.entry(id).or_insert_with(|| AmendedObject {
            source: receipt.object.source.clone(),
            key: receipt.object.name(),
            generation: receipt.generation,
            selected: outcome.selected,
            ..AmendedObject::default()
        });
        known.loaded += outcome.loaded;
        known.dropped += outcome.dropped;
        (known.refused, known.rejects) = (outcome.refused, outcome.rejects);
        (known.problem, known.hint) = (outcome.problem, outcome.hint);
    }

    async fn object(
        &self,
        source: &Arc<Source>,
        receipt: &Receipt,
        revision: i64,
    ) -> Result<(AmendedObject, Option<Change>), Error> {
        let Some(rows) = self.rows(receipt).await? else {
            return Ok((too_much(receipt), None));
        };
        if rows.is_empty() {
            return Ok((AmendedObject::default(), None));
        }
        match &self.work {
            Work::Drop { why } => Ok(dropped(receipt, &rows, why, revision, self.ingest.now())),
            Work::Replay => {
                let (ingest, source, receipt) = (Arc::clone(self.ingest), Arc::clone(source), receipt.clone());
                let runtime = Handle::current();
                let replayed = tokio::task::spawn_blocking(move || {
                    replay_object(&ingest, &source, &receipt, &rows, revision, &runtime)
                });
                replayed.await.map_err(|error| Error::new(Kind::Bug, "replay stopped").with_source(error))?
            }
        }
    }

    /// The selected records of one object in their order; `None` when they are too many.
    async fn rows(&self, receipt: &Receipt) -> Result<Option<Vec<Quarantined>>, Error> {
        let query = QuarantineQuery {
            objects: Some([object_id(receipt.key_number, receipt.generation)].into()),
            reason: self.selection.reason.clone(),
            column: self.selection.column.clone(),
            ..QuarantineQuery::default()
        };
        let mut found: Vec<Quarantined> = Vec::new();
        let mut bytes = 0;
        let mut pieces = self.ingest.lake.quarantine(&query).await?;
        while let Some(piece) = pieces.next().await {
            for refused in piece? {
                bytes += refused.row.raw.as_ref().map_or(0, Vec::len) + size_of::<Quarantined>();
                found.push(refused);
            }
            if bytes > OBJECT_BYTES_MAX {
                return Ok(None);
            }
        }
        found.sort_by_key(|refused| refused.row.place.record);
        Ok(Some(found))
    }

    /// Stages and publishes the batch. `false`: refused, because something else was staged for one of its objects.
    async fn flush(&mut self, revisions: &mut BTreeMap<i64, i64>) -> Result<bool, Error> {
        let Batch { source, changes, .. } = std::mem::take(&mut self.batch);
        let Some(source) = source else { return Ok(true) };
        let batch_id = self.ingest.new_id();
        self.ingest.ledger.announce(&batch_id, self.ingest.now()).await?;
        let version = |receipt: &Receipt| VersionId::new(receipt.key_number, receipt.generation);
        let members = changes.iter().map(|(change, planned)| (version(&change.receipt), *planned)).collect();
        let manifest = write(self.ingest, &source, &batch_id, changes.into_iter().map(|(change, _)| change)).await?;
        self.ingest.observer.at("replay-planned")?;
        self.ingest.lake.check(&manifest).await??;
        let request = AmendRequest { batch_id, members, manifest: manifest.to_json()? };
        match self.ingest.ledger.stage_amend(&request, self.ingest.now()).await? {
            StagedAmend::Done { members, .. } => {
                revisions.extend(members.iter().map(|member| (member.version.key_number, member.revision)));
                self.ingest.observer.at("staged")?;
                drain(self.ingest, &mut BTreeSet::new()).await?;
                Ok(true)
            }
            StagedAmend::Refused { overtaken } => {
                tracing::info!(?overtaken, "an amendment was refused: its objects were loaded or amended in between");
                self.ingest.ledger.take_back(&request.batch_id).await?;
                for version in request.members.iter().map(|(version, _)| version) {
                    self.done.remove(&(version.key_number, version.generation));
                }
                Ok(false)
            }
        }
    }
}

/// The files of the rows that come, and the manifest of it all.
async fn write(
    ingest: &Arc<Ingest>,
    source: &Source,
    batch_id: &str,
    changes: impl Iterator<Item = Change>,
) -> Result<Manifest, Error> {
    let targets = Arc::new(TargetTables::new(&source.contract));
    let (mut receipts, mut rows, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let object = object_id(change.receipt.key_number, change.receipt.generation);
        out.push(RecordsOut { object, records: ranges(&change.out) });
        rows.extend(change.rows);
        receipts.push(change.receipt);
    }
    let files = write_files(ingest, &targets, batch_id, rows).await?;
    let mut tables = BTreeMap::new();
    for ((name, schema), files) in targets.tables.iter().zip(files) {
        let out = if name.as_str() == QUARANTINE { std::mem::take(&mut out) } else { Vec::new() };
        if files.is_empty() && out.is_empty() {
            continue;
        }
        for receipt in &mut receipts {
            let count = receipt.tables.get_mut(name.as_str());
            count.into_iter().for_each(|count| count.files.extend(files.iter().map(|file| file.path.clone())));
        }
        tables.insert(
            name.to_string(),
            TableChange { schema: delta_schema(schema)?, files, out, ..TableChange::default() },
        );
    }
    Ok(Manifest {
        format: MANIFEST_FORMAT,
        kind: ManifestKind::Amend,
        batch_id: batch_id.to_owned(),
        ledger_id: ingest.ledger.ledger_id().to_owned(),
        tables,
        members: receipts.into_iter().map(member).collect(),
    })
}

async fn write_files(
    ingest: &Arc<Ingest>,
    targets: &Arc<TargetTables>,
    batch_id: &str,
    rows: Vec<(usize, RecordBatch)>,
) -> Result<Vec<Vec<DataFile>>, Error> {
    let lake = Arc::clone(&ingest.lake);
    let mut files = BatchFiles::new(lake, Handle::current(), Arc::clone(targets), batch_id.to_owned(), 0);
    let now = ingest.now();
    let written = tokio::task::spawn_blocking(move || {
        for (table, batch) in &rows {
            files.write(*table, batch)?;
        }
        files.finish(now)
    });
    let written = written.await.map_err(|error| Error::new(Kind::Bug, "writing stopped").with_source(error))?;
    written.map_err(write_error)
}

/// `[1, 2, 3, 7]` as `[(1, 3), (7, 7)]`.
pub(crate) fn ranges(records: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for record in records {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *record => *last = *record,
            _ => ranges.push((*record, *record)),
        }
    }
    ranges
}

fn dropped(
    receipt: &Receipt,
    rows: &[Quarantined],
    why: &str,
    revision: i64,
    now: i64,
) -> (AmendedObject, Option<Change>) {
    let out: Vec<u64> = rows.iter().map(|refused| refused.row.place.record).collect();
    let count = out.len() as u64;
    let mut receipt = receipt.clone();
    receipt.counts.quarantined = receipt.counts.quarantined.saturating_sub(count);
    receipt.counts.filtered += count;
    if let Some(table) = receipt.tables.get_mut(QUARANTINE) {
        table.rows = table.rows.saturating_sub(count);
    }
    for refused in rows {
        forget_reason(&mut receipt, &refused.row.place);
    }
    receipt.amendments.push(Amendment {
        revision: revision + 1,
        at: now,
        what: AmendmentKind::Drop,
        records: ranges(&out),
        count,
        because: why.to_owned(),
        decided: BTreeMap::new(),
    });
    let outcome = AmendedObject { selected: count, dropped: count, ..AmendedObject::default() };
    (outcome, Some(Change { receipt, out, rows: Vec::new() }))
}

/// Takes a record that was refused out of what the receipt says of refused records.
pub(crate) fn forget_reason(receipt: &mut Receipt, place: &RejectPlace) {
    if let Some(count) = receipt.reasons.get_mut(&place.reason) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            receipt.reasons.remove(&place.reason);
        }
    }
    receipt.rejects.retain(|known| known.record != place.record);
}

fn no_source(receipt: &Receipt) -> AmendedObject {
    let source = &receipt.object.source;
    AmendedObject {
        selected: receipt.counts.quarantined,
        refused: receipt.counts.quarantined,
        problem: Some(format!("the project has no source `{source}` any more")),
        hint: Some(format!("put `sources/{source}.toml` back, then run the same command again")),
        ..AmendedObject::default()
    }
}

fn too_much(receipt: &Receipt) -> AmendedObject {
    let key = &receipt.object.key;
    AmendedObject {
        selected: receipt.counts.quarantined,
        refused: receipt.counts.quarantined,
        problem: Some(format!("its refused records hold more than {} MB", OBJECT_BYTES_MAX >> 20)),
        hint: Some(format!("load the file again instead: stillhouse ingest --reload {key}")),
        ..AmendedObject::default()
    }
}
