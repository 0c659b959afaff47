//! Objects that were loaded and are there no more, for sources that want their rows removed.

use std::collections::BTreeSet;
use std::time::Duration;

use stillhouse_ledger::{State, VersionRow};
use stillhouse_spec::{ObjectVersion, OnMissing, Period, Source};

use crate::context::Ingest;
use crate::discover::{Found, concerns, discover};
use crate::error::Error;
use crate::progress::Event;
use crate::text::files;

/// What is missing, and what a person should know about it.
#[derive(Default)]
pub(crate) struct Missing {
    pub(crate) keys: Vec<(String, String, String)>,
    pub(crate) note: Option<String>,
}

/// Compares what the ledger knows of the source with a listing. Nothing counts as missing when nothing is there at all: a
/// folder that is not mounted looks the same.
pub(crate) async fn missing(
    ingest: &Ingest,
    source: &Source,
    period: Period,
    listed: &[Found],
) -> Result<Missing, Error> {
    if source.on_missing == OnMissing::Keep {
        return Ok(Missing::default());
    }
    let known = ingest.ledger.newest(source.name.as_str()).await?;
    let known = known.into_iter().filter(|row| may_go(source, period, row)).map(|row| identity(row.object));
    let mut gone = without(known.collect(), listed);
    if gone.is_empty() {
        return Ok(Missing::default());
    }
    if listed.is_empty() {
        let note = format!(
            "source `{}`: loaded before and gone now: {}; nothing was removed, because the source has no file at all (is its \
             folder mounted?)",
            source.name,
            files(gone.len())
        );
        return Ok(Missing { keys: Vec::new(), note: Some(note) });
    }
    // A file that is being put in place of another may be gone for a moment.
    wait(ingest, source).await?;
    gone = without(gone, &discover(&ingest.store, source, period).await?.objects);
    let keys = gone.into_iter().map(|(key, member)| (source.name.to_string(), key, member));
    Ok(Missing { keys: keys.collect(), note: None })
}

/// Its key belongs to the source and the period of the run, and something of it may be in the tables.
fn may_go(source: &Source, period: Period, row: &VersionRow) -> bool {
    let key = &row.object.key;
    let is_over = row.removed && !matches!(row.state, State::Held | State::Failed);
    !is_over && row.state != State::Forgotten && source.path.values(key).is_some() && concerns(source, key, period)
}

/// Key and member.
fn identity(object: ObjectVersion) -> (String, String) {
    (object.key, object.member)
}

fn without(mut keys: BTreeSet<(String, String)>, listed: &[Found]) -> BTreeSet<(String, String)> {
    for found in listed {
        keys.remove(&identity(found.version.clone()));
    }
    keys
}

async fn wait(ingest: &Ingest, source: &Source) -> Result<(), Error> {
    if source.settle_ms == 0 {
        return Ok(());
    }
    ingest.progress.event(&Event::Waiting { reason: "files that are gone, in case they are only being replaced" });
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(source.settle_ms)) => Ok(()),
        () = ingest.stop.cancelled() => ingest.check_stop(),
    }
}
