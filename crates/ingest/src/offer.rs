//! What was discovered becomes jobs: new and changed objects, those to try again, and those that are there no more.

use std::collections::BTreeMap;

use stillhouse_ledger::{Change, Offer, Offered, State};
use stillhouse_spec::{ObjectVersion, OnChange, Source};

use crate::context::Ingest;
use crate::discovered::{Discovered, IngestRequest, identity};
use crate::error::Error;
use crate::progress::Event;
use crate::reason::Reason;

/// Offers what was found; objects to reload get a new generation, failed ones (and held ones, when asked) another try.
pub(crate) async fn offer(ingest: &Ingest, request: &IngestRequest, discovered: &mut Discovered) -> Result<(), Error> {
    let offers: Vec<Offer> = discovered.found.iter().map(|found| offer_of(ingest, &found.version)).collect();
    let mut all = ingest.ledger.offer(&offers, ingest.now()).await?;
    for (Offer { object, .. }, offered) in offers.iter().zip(&mut all) {
        *offered = match discovered.together.get(&identity(object)).copied() {
            Some(version) => Offered::New(version),
            None => again(ingest, request, discovered, object, offered.clone()).await?,
        };
    }
    discovered.offered = all;
    discovered.removed = ingest.ledger.offer_removed(&discovered.missing, ingest.now()).await?;
    tell(ingest, discovered);
    Ok(())
}

fn offer_of(ingest: &Ingest, object: &ObjectVersion) -> Offer {
    let policy = ingest.source_named(&object.source).map(|source| source.on_change).unwrap_or_default();
    let change = match policy {
        OnChange::Replace => Change::Replace,
        OnChange::Append => Change::Append,
        OnChange::Hold => Change::Hold { reason: changed(object).to_json() },
    };
    Offer { object: object.clone(), change }
}

/// Why a changed object waits for a person.
fn changed(object: &ObjectVersion) -> Reason {
    Reason {
        message: "the file was changed after it was loaded; its source says `on_change = \"hold\"`".to_owned(),
        hint: Some(format!(
            "`stillhouse ingest {} --held` loads the new version; its rows take the place of the old ones",
            object.source
        )),
        changed: true,
        ..Reason::default()
    }
}

fn tell(ingest: &Ingest, discovered: &Discovered) {
    let mut listed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (object, offered) in discovered.found.iter().zip(&discovered.offered) {
        let (found, fresh) = listed.entry(&object.version.source).or_default();
        *found += 1;
        *fresh += usize::from(matches!(offered, Offered::New(_)));
    }
    for (source, (found, fresh)) in listed {
        ingest.progress.event(&Event::Listed { source, found, fresh });
    }
}

/// Objects that failed are tried again by every run, held ones when asked and when their source file was changed: nothing
/// else could help them.
async fn again(
    ingest: &Ingest,
    request: &IngestRequest,
    discovered: &Discovered,
    object: &ObjectVersion,
    offered: Offered,
) -> Result<Offered, Error> {
    let Offered::Known { version, state, reason } = &offered else { return Ok(offered) };
    if discovered.reload.contains(&identity(object)) {
        let renewed = ingest.ledger.reoffer(&object.source, &object.key, &object.member, ingest.now()).await?;
        return Ok(renewed.map_or(offered, Offered::New));
    }
    if *state == State::Failed
        || (*state == State::Held && (request.held || may_load_now(ingest, object, reason.as_deref())))
    {
        ingest.ledger.retry_held(&object.source, Some(&object.key), ingest.now()).await?;
        return Ok(Offered::New(*version));
    }
    Ok(offered)
}

/// Whether what held the object may be over: its source file has changed since, or does not ask any more for changed
/// files to be held.
pub(crate) fn may_load_now(ingest: &Ingest, object: &ObjectVersion, reason: Option<&str>) -> bool {
    let Some(now) = ingest.source_named(&object.source) else { return false };
    let then = Reason::parse(reason);
    let mended = |now: &Source| then.source.as_ref().is_some_and(|then| *then != now.fingerprint);
    if then.changed { now.on_change == OnChange::Replace } else { mended(now) }
}
