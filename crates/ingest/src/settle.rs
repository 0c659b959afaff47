//! The settle rule: a file that changed a moment ago may still be being written.

use std::time::Duration;

use stillhouse_spec::{Period, Source};

use crate::context::Ingest;
use crate::discover::{Found, discover};
use crate::error::Error;
use crate::progress::Event;

/// Objects that can be read now, and those that are left for the next run.
pub struct Settled {
    /// Unchanged for long enough.
    pub ready: Vec<Found>,
    /// Still changing.
    pub settling: Vec<Found>,
}

/// Waits once, as long as the youngest file needs to settle, and lists again; what has changed in between is still
/// being written. A time in the future (a clock that is off) counts as settled: waiting could take for ever.
pub async fn settle(ingest: &Ingest, source: &Source, period: Period, objects: Vec<Found>) -> Result<Settled, Error> {
    let wait = objects.iter().filter_map(|object| unsettled(ingest, source, object)).max();
    let Some(wait) = wait else { return Ok(Settled { ready: objects, settling: Vec::new() }) };
    ingest
        .progress
        .event(&Event::Waiting { reason: "files that changed a moment ago, in case they are still being written" });
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = ingest.stop.cancelled() => ingest.check_stop()?,
    }
    let again = discover(&ingest.store, source, period).await?;
    let (settling, ready) = again.objects.into_iter().partition(|object| unsettled(ingest, source, object).is_some());
    Ok(Settled { ready, settling })
}

/// Why an object is left for the next run, and what to do.
pub(crate) fn why_settling(object: &Found) -> (String, String) {
    match &object.writing {
        None => (
            "changed a moment ago; it may still be being written".to_owned(),
            "run the same command again when it is finished".to_owned(),
        ),
        Some(entry) => (
            format!("`{entry}` is in the folder: it is still being written"),
            format!(
                "run the same command again when it is finished; if that was broken off, write it again, or remove `{entry}`"
            ),
        ),
    }
}

/// How long until the object counts as settled; `None` when it does. A folder in which something is temporary does not, however
/// long that has been there.
fn unsettled(ingest: &Ingest, source: &Source, object: &Found) -> Option<Duration> {
    if object.writing.is_some() {
        return Some(Duration::from_millis(source.settle_ms));
    }
    let age = u64::try_from(ingest.now() - object.version.modified_at).ok()?;
    let settle = source.settle_ms.checked_mul(1_000)?;
    (age < settle).then(|| Duration::from_micros(settle - age))
}
