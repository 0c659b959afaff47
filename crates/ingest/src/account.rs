//! What became of every object of a run: ledger for the state, lake for the receipt.

use std::collections::{BTreeMap, BTreeSet};

use stillhouse_lake::ReceiptQuery;
use stillhouse_ledger::{Offered, State, VersionId};
use stillhouse_spec::{ObjectVersion, Receipt};

use crate::context::Ingest;
use crate::discovered::Discovered;
use crate::error::{Error, Kind};
use crate::reason::reason;
use crate::summary::{ObjectOutcome, Status, Summary};

pub(crate) async fn account(
    ingest: &Ingest,
    discovered: &Discovered,
    batches: &BTreeSet<String>,
) -> Result<Summary, Error> {
    let mut summary = Summary { notes: discovered.notes.clone(), ..Summary::default() };
    summary.batches_published = batches.len() as u64;
    let receipts = receipts_by_version(ingest).await?;
    for (found, offered) in discovered.found.iter().zip(&discovered.offered) {
        let row = match offered {
            Offered::Known { version, state: State::Complete, .. } => Row::complete(*version, &found.version),
            other => Row::read(ingest, other.version()).await?,
        };
        summary.objects.push(outcome(&row, &receipts, batches)?);
    }
    for found in &discovered.settling {
        summary.objects.push(ObjectOutcome::new(&found.version, Status::Settling).because(
            "changed a moment ago; it may still be being written",
            Some("run the same command again when it is finished".to_owned()),
        ));
    }
    summary.objects.sort_by(|a, b| (&a.source, &a.key).cmp(&(&b.source, &b.key)));
    Ok(summary)
}

async fn receipts_by_version(ingest: &Ingest) -> Result<BTreeMap<(i64, i64), Receipt>, Error> {
    let rows = ingest.lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await?;
    let receipts = rows.into_iter().filter_map(|row| row.receipt);
    Ok(receipts.map(|receipt| ((receipt.key_number, receipt.generation), receipt)).collect())
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

    async fn read(ingest: &Ingest, version: VersionId) -> Result<Self, Error> {
        let row = ingest.ledger.version(version).await?;
        let row = row.ok_or_else(|| Error::new(Kind::Bug, format!("the ledger lost {version}")))?;
        Ok(Self { version, object: row.object, state: row.state, reason: row.reason })
    }
}

fn outcome(
    row: &Row,
    receipts: &BTreeMap<(i64, i64), Receipt>,
    batches: &BTreeSet<String>,
) -> Result<ObjectOutcome, Error> {
    let status = match row.state {
        State::Complete => {
            let receipt = receipts.get(&(row.version.key_number, row.version.generation));
            let receipt = receipt.ok_or_else(|| without_receipt(&row.object))?;
            let status = if batches.contains(&receipt.batch) { Status::Loaded } else { Status::Unchanged };
            return Ok(ObjectOutcome::from_receipt(receipt, status));
        }
        State::Held => Status::Held,
        State::Failed => Status::Failed,
        State::Superseded | State::Forgotten => Status::Superseded,
        State::Offered | State::Claimed | State::Staged => Status::Pending,
    };
    let (reason, hint) = reason(row.reason.as_deref());
    let mut outcome = ObjectOutcome::new(&row.object, status).because(reason, hint);
    outcome.generation = Some(row.version.generation);
    Ok(outcome)
}

/// The ledger says complete, the lake knows nothing of it: the lake is older than the ledger.
fn without_receipt(object: &ObjectVersion) -> Error {
    Error::new(Kind::Fenced, format!("`{}` was loaded, but the lake has no receipt of it", object.key))
        .with_hint("was the lake restored from a backup? `stillhouse ledger rebuild` makes the ledger fit it again")
}
