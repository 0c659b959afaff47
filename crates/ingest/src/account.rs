//! What became of every object of a run: ledger for the state, lake for the receipt.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use stillhouse_lake::ReceiptQuery;
use stillhouse_ledger::{Offered, State, VersionId, VersionRow};
use stillhouse_spec::{ObjectVersion, Receipt};

use crate::context::Ingest;
use crate::discovered::Discovered;
use crate::error::{Error, Kind};
use crate::reason::reason;
use crate::settle::why_settling;
use crate::summary::{ObjectOutcome, Status, Summary};

/// `before` is the place in the queue of the last batch that was finished when the run began.
pub(crate) async fn account(
    ingest: &Ingest,
    discovered: &Discovered,
    batches: &BTreeSet<String>,
    before: i64,
) -> Result<Summary, Error> {
    let mut summary = Summary { notes: discovered.notes.clone(), ..Summary::default() };
    summary.batches_published = batches.len() as u64;
    let mut fresh = read_fresh(ingest, batches, before).await?;
    let mut moved = Vec::new();
    for (found, offered) in discovered.found.iter().zip(&discovered.offered) {
        match offered {
            Offered::Known { version, state: State::Complete, .. } => {
                summary.objects.push(outcome(&Row::complete(*version, &found.version), &mut fresh));
            }
            other => moved.push(other.version()),
        }
    }
    moved.extend(&discovered.removed);
    for row in Row::read(ingest, &moved).await? {
        summary.objects.push(outcome(&row, &mut fresh));
    }
    for found in &discovered.settling {
        let (why, hint) = why_settling(found);
        summary.objects.push(ObjectOutcome::new(&found.version, Status::Settling).because(why, Some(hint)));
    }
    summary.objects.sort_by(|a, b| (&a.source, &a.key).cmp(&(&b.source, &b.key)));
    Ok(summary)
}

/// What receipts say, by key number and generation, with the place of their batch in the queue.
type Fresh = BTreeMap<(i64, i64), (i64, ObjectOutcome)>;

/// What the batches did that this run brought into the lake. Of ten thousand receipts, only this is kept. Ids are random, so
/// every file may hold any of them; by their place in the queue older files are left out, and the cost does not grow with
/// what was loaded before.
async fn read_fresh(ingest: &Ingest, batches: &BTreeSet<String>, before: i64) -> Result<Fresh, Error> {
    let mut fresh = Fresh::new();
    if batches.is_empty() {
        return Ok(fresh);
    }
    let (after_seq, batches) = (Some(before), Some(batches.clone()));
    let query = ReceiptQuery { after_seq, batches, whole: true, ..ReceiptQuery::default() };
    let mut pieces = ingest.lake.receipts_in_pieces(&query).await?;
    while let Some(rows) = pieces.try_next().await? {
        for receipt in rows.into_iter().filter_map(|row| row.receipt) {
            let version = (receipt.key_number, receipt.generation);
            if fresh.get(&version).is_none_or(|(seq, _)| *seq < receipt.seq) {
                fresh.insert(version, (receipt.seq, loaded(&receipt)));
            }
        }
    }
    Ok(fresh)
}

/// An object version and where it stands.
struct Row {
    version: VersionId,
    object: ObjectVersion,
    state: State,
    reason: Option<String>,
}

impl Row {
    fn complete(version: VersionId, object: &ObjectVersion) -> Self {
        Self { version, object: object.clone(), state: State::Complete, reason: None }
    }

    /// All in one transaction: after the first run they are all that there is.
    async fn read(ingest: &Ingest, versions: &[VersionId]) -> Result<Vec<Self>, Error> {
        let rows = ingest.ledger.versions(versions).await?;
        let lost = |version: &VersionId| Error::new(Kind::Bug, format!("the ledger lost {version}"));
        let row = |(version, row): (&VersionId, Option<VersionRow>)| -> Result<Self, Error> {
            let row = row.ok_or_else(|| lost(version))?;
            Ok(Self { version: *version, object: row.object, state: row.state, reason: row.reason })
        };
        versions.iter().zip(rows).map(row).collect()
    }
}

fn outcome(row: &Row, fresh: &mut Fresh) -> ObjectOutcome {
    let status = match row.state {
        State::Complete => match fresh.remove(&(row.version.key_number, row.version.generation)) {
            Some((_, outcome)) => return outcome,
            None => Status::Unchanged,
        },
        State::Held => Status::Held,
        State::Failed => Status::Failed,
        State::Superseded | State::Forgotten => Status::Superseded,
        State::Offered | State::Claimed | State::Staged => Status::Pending,
    };
    let mut outcome = ObjectOutcome::new(&row.object, status);
    outcome.generation = Some(row.version.generation);
    if status != Status::Unchanged {
        let (reason, hint) = reason(row.reason.as_deref());
        outcome = outcome.because(reason, hint);
    }
    outcome
}

fn loaded(receipt: &Receipt) -> ObjectOutcome {
    if receipt.removed {
        let why = "the file is there no more; its rows were removed";
        return ObjectOutcome::from_receipt(receipt, Status::Removed).because(why, None);
    }
    let Some(twin) = &receipt.twin else { return ObjectOutcome::from_receipt(receipt, Status::Loaded) };
    let outcome = ObjectOutcome::from_receipt(receipt, Status::Same);
    if twin.key_number == receipt.key_number {
        return outcome.because("the content is the same as before; nothing was changed", None);
    }
    let why = format!("the same content as `{}`, whose rows are in the tables", twin.key);
    let hint = "to load such files all the same, set `on_same_content = \"load\"` in the source file";
    outcome.because(why, Some(hint.to_owned()))
}
