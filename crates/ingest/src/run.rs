//! The whole of ingest: recover, discover, offer, load, publish, account.

use std::collections::BTreeSet;
use std::sync::Arc;

use stillhouse_ledger::ClaimLimits;
use tokio::task::JoinSet;

use crate::account::account;
use crate::claim::Claim;
use crate::compact::compact_where_due;
use crate::context::Ingest;
use crate::discovered::{IngestRequest, discover_all};
use crate::error::{Error, Kind};
use crate::load::load;
use crate::offer::offer;
use crate::progress::Event;
use crate::publish::{Turn, drain, open, pause, publish_all};
use crate::retype::offer_together;
use crate::summary::Summary;

/// Loads what is new or changed, and says what became of every object. Batches that an earlier run had staged are
/// brought into the lake first: the same files, not decoded again.
pub async fn ingest(ingest: &Arc<Ingest>, request: &IngestRequest) -> Result<Summary, Error> {
    let mut batches = BTreeSet::new();
    open(ingest).await?;
    let before = ingest.ledger.status().await?.finished_seq;
    drain(ingest, &mut batches).await?;
    copy_sources(ingest).await?;
    let mut discovered = discover_all(ingest, request).await?;
    if offer_together(ingest, request, &mut discovered).await? {
        work(ingest, &mut batches).await?;
    }
    offer(ingest, request, &mut discovered).await?;
    work(ingest, &mut batches).await?;
    // What was skipped because another object had the same content, and that one has changed or gone since.
    while !ingest.ledger.reoffer_orphans(ingest.now()).await?.is_empty() {
        work(ingest, &mut batches).await?;
    }
    // Best effort: what is not merged now is merged another time, and the files are loaded.
    if let Err(error) = compact_where_due(ingest).await {
        tracing::warn!(%error, "small files were not merged this time");
    }
    account(ingest, &discovered, &batches, before).await
}

/// A content-addressed copy of each source file, so that a receipt can be understood for ever.
pub(crate) async fn copy_sources(ingest: &Ingest) -> Result<(), Error> {
    for (fingerprint, text) in &ingest.source_texts {
        ingest.lake.keep_text(fingerprint, text).await?;
    }
    Ok(())
}

/// Claims, decodes, stages and publishes until nothing is left to do, here or in another process.
async fn work(ingest: &Arc<Ingest>, batches: &mut BTreeSet<String>) -> Result<(), Error> {
    let mut workers = JoinSet::new();
    let mut failure = None;
    let mut alone: usize = 0;
    let workers_max = ingest.settings.workers.max(1);
    let mut staged = false;
    loop {
        // Several workers go on decoding while this task publishes; a single one is one thing at a time.
        let may_claim = |working: usize| working < workers_max && (workers_max > 1 || !staged);
        while failure.is_none() && !ingest.stop.is_cancelled() && may_claim(workers.len()) {
            match claim(ingest, alone > 0).await {
                Ok(Some(claim)) => {
                    alone = alone.saturating_sub(1);
                    let ingest = Arc::clone(ingest);
                    workers.spawn(async move { load(&ingest, claim).await });
                }
                Ok(None) => break,
                Err(error) => failure = Some(error),
            }
        }
        if std::mem::take(&mut staged) && failure.is_none() {
            match publish_all(ingest).await {
                Ok(Turn::Drained(published)) => batches.extend(published),
                Ok(Turn::Busy) => {}
                Err(error) => failure = Some(error),
            }
            continue;
        }
        let Some(done) = workers.join_next().await else { break };
        let done = done.unwrap_or_else(|error| Err(Error::new(Kind::Bug, "a worker stopped").with_source(error)));
        match done {
            Ok(refused) => alone += refused,
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
        // After a failure the others end what they have begun, and give back their claims.
        staged = failure.is_none();
    }
    if let Some(error) = failure {
        return Err(error);
    }
    ingest.check_stop()?;
    drain(ingest, batches).await?;
    wait_for_others(ingest, batches).await
}

/// One large object or a group of small ones; `alone`: one object, however small.
async fn claim(ingest: &Ingest, alone: bool) -> Result<Option<Claim>, Error> {
    let limits = ClaimLimits {
        small_bytes: ingest.settings.small_bytes,
        group_count_max: if alone { 1 } else { ingest.settings.group_objects },
        group_bytes_max: ingest.settings.group_bytes,
    };
    let (token, attempt) = (ingest.new_id(), ingest.new_id());
    let jobs = ingest.ledger.claim(limits, &token, &attempt, ingest.now(), ingest.lease_micros()).await?;
    if jobs.is_empty() {
        return Ok(None);
    }
    ingest.observer.at("claimed")?;
    Ok(Some(Claim { token, attempt, jobs }))
}

/// Objects that another process has claimed are part of what this run promises: wait until they are loaded, or take
/// them over when that process died.
async fn wait_for_others(ingest: &Arc<Ingest>, batches: &mut BTreeSet<String>) -> Result<(), Error> {
    let mut said = false;
    loop {
        if ingest.ledger.unfinished().await? == 0 {
            return Ok(());
        }
        if !said {
            let reason = "files that another process has taken, or left behind when it stopped";
            ingest.progress.event(&Event::Waiting { reason });
            said = true;
        }
        pause(ingest).await?;
        work_once(ingest, batches).await?;
    }
}

/// Takes what has become free in the meantime.
async fn work_once(ingest: &Arc<Ingest>, batches: &mut BTreeSet<String>) -> Result<(), Error> {
    let mut alone: usize = 0;
    while let Some(claim) = claim(ingest, alone > 0).await? {
        alone = alone.saturating_sub(1) + load(ingest, claim).await?;
    }
    if let Turn::Drained(published) = publish_all(ingest).await? {
        batches.extend(published);
    }
    Ok(())
}
