//! What a run would do, and why; nothing is written.

use std::collections::BTreeSet;

use stillhouse_ledger::{State, VersionRow};
use stillhouse_spec::{ObjectVersion, OnChange};

use crate::context::Ingest;
use crate::discover::Found;
use crate::discovered::{Identity, IngestRequest, discover_all, identity};
use crate::error::Error;
use crate::offer::may_load_now;
use crate::reason::reason;
use crate::retype::together;
use crate::settle::why_settling;
use crate::summary::{ObjectOutcome, Status, Summary};

/// Says for every object whether [`crate::ingest()`] would load it, and why.
pub async fn plan(ingest: &Ingest, request: &IngestRequest) -> Result<Summary, Error> {
    let discovered = discover_all(ingest, request).await?;
    let together = together(ingest, request, &discovered).await?;
    let mut summary = Summary { notes: discovered.notes, ..Summary::default() };
    summary.notes.extend(together.into_iter().map(|together| together.note));
    let waiting = ingest.ledger.list(State::Staged, u32::MAX).await?.len();
    if waiting > 0 {
        summary
            .notes
            .push(format!("{waiting} objects were staged by a run that did not finish; they would be committed first"));
    }
    let objects = discovered.found.iter().map(|found| &found.version);
    let keys: Vec<_> = objects.map(|object| (object.source.as_str(), object.key.as_str(), "")).collect();
    for (found, newest) in discovered.found.iter().zip(ingest.ledger.newest_of(&keys).await?) {
        summary.objects.push(outcome(ingest, found, newest.as_ref(), request, &discovered.reload));
    }
    for (source, key, member) in &discovered.missing {
        let object =
            ObjectVersion { source: source.clone(), key: key.clone(), member: member.clone(), ..Default::default() };
        let why = "the file is there no more; its rows would be removed";
        summary.objects.push(ObjectOutcome::new(&object, Status::Pending).because(why, None));
    }
    for found in &discovered.settling {
        let why = if found.writing.is_some() { why_settling(found).0 } else { "still changing".to_owned() };
        summary.objects.push(ObjectOutcome::new(&found.version, Status::Settling).because(why, None));
    }
    Ok(summary)
}

fn outcome(
    ingest: &Ingest,
    found: &Found,
    newest: Option<&VersionRow>,
    request: &IngestRequest,
    reload: &BTreeSet<Identity>,
) -> ObjectOutcome {
    let would = |why: String| ObjectOutcome::new(&found.version, Status::Pending).because(why, None);
    let Some(row) = newest else { return would("new".to_owned()) };
    if row.object.etag != found.version.etag || row.object.size != found.version.size {
        return changed(ingest, found, row);
    }
    if reload.contains(&identity(&found.version)) {
        return would("asked to load again; replaces its rows".to_owned());
    }
    let mended = may_load_now(ingest, &row.object, row.reason.as_deref());
    match row.state {
        State::Held if !request.held && !mended => {
            let (message, hint) = reason(row.reason.as_deref());
            ObjectOutcome::new(&found.version, Status::Held).because(message, hint)
        }
        State::Held if mended => would("held; its source file has changed since".to_owned()),
        State::Held => would("held; asked to try again".to_owned()),
        State::Failed => would("could not be read the last time".to_owned()),
        State::Complete | State::Superseded | State::Forgotten => ObjectOutcome::new(&found.version, Status::Unchanged),
        State::Offered | State::Claimed | State::Staged => would("begun by a run that did not finish".to_owned()),
    }
}

/// What the source says about files that were changed.
fn changed(ingest: &Ingest, found: &Found, row: &VersionRow) -> ObjectOutcome {
    let policy = ingest.source_named(&found.version.source).map(|source| source.on_change).unwrap_or_default();
    let since = format!("changed since generation {}", row.version.generation);
    let outcome =
        |status, what: &str| ObjectOutcome::new(&found.version, status).because(format!("{since}; {what}"), None);
    match policy {
        OnChange::Replace => outcome(Status::Pending, "replaces its rows, unless the content is the same"),
        OnChange::Append => outcome(Status::Pending, "its rows come to the old ones, unless the content is the same"),
        OnChange::Hold => outcome(Status::Held, "would be held until `stillhouse ingest --held`"),
    }
}
