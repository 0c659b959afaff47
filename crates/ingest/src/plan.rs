//! What a run would do, and why; nothing is written.

use stillhouse_ledger::{State, VersionRow};

use crate::context::Ingest;
use crate::discover::Found;
use crate::discovered::{IngestRequest, discover_all};
use crate::error::Error;
use crate::reason::reason;
use crate::run::held_under_another;
use crate::summary::{ObjectOutcome, Status, Summary};

/// Says for every object whether [`crate::ingest()`] would load it, and why.
pub async fn plan(ingest: &Ingest, request: &IngestRequest) -> Result<Summary, Error> {
    let discovered = discover_all(ingest, request).await?;
    let mut summary = Summary { notes: discovered.notes, ..Summary::default() };
    let waiting = ingest.ledger.list(State::Staged, u32::MAX).await?.len();
    if waiting > 0 {
        summary
            .notes
            .push(format!("{waiting} objects were staged by a run that did not finish; they would be committed first"));
    }
    for found in &discovered.found {
        let newest = newest(ingest, found).await?;
        summary.objects.push(outcome(ingest, found, newest.as_ref(), request));
    }
    for found in &discovered.settling {
        summary.objects.push(ObjectOutcome::new(&found.version, Status::Settling).because("still changing", None));
    }
    Ok(summary)
}

async fn newest(ingest: &Ingest, found: &Found) -> Result<Option<VersionRow>, Error> {
    let histories = ingest.ledger.history(&found.version.source, &found.version.key).await?;
    Ok(histories.into_iter().find(|history| history.member.is_empty()).and_then(|mut history| history.versions.pop()))
}

fn outcome(ingest: &Ingest, found: &Found, newest: Option<&VersionRow>, request: &IngestRequest) -> ObjectOutcome {
    let would = |why: String| ObjectOutcome::new(&found.version, Status::Pending).because(why, None);
    let Some(row) = newest else { return would("new".to_owned()) };
    if row.object.etag != found.version.etag || row.object.size != found.version.size {
        return would(format!("changed since generation {}; replaces its rows", row.version.generation));
    }
    if request.reload.contains(&found.version.key) {
        return would("asked to load again; replaces its rows".to_owned());
    }
    let source_changed = held_under_another(ingest, &row.object, row.reason.as_deref());
    match row.state {
        State::Held if !request.held && !source_changed => {
            let (message, hint) = reason(row.reason.as_deref());
            ObjectOutcome::new(&found.version, Status::Held).because(message, hint)
        }
        State::Held if source_changed => would("held; its source file has changed since".to_owned()),
        State::Held => would("held; asked to try again".to_owned()),
        State::Failed => would("could not be read the last time".to_owned()),
        State::Complete | State::Superseded | State::Forgotten => ObjectOutcome::new(&found.version, Status::Unchanged),
        State::Offered | State::Claimed | State::Staged => would("begun by a run that did not finish".to_owned()),
    }
}
