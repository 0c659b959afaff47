//! Filling a lake by the product's own commits.

use super::site::{Counted, Plan, Site};

/// Commits of one call of `ingest()`: what a call costs besides its commits is shared by so many.
const COMMITS_PER_CALL: u64 = 32;

/// Loads files until the lake has so many receipts, from wherever an earlier call stopped; `told` hears after each call of
/// `ingest()` how many there are. Answers what the lake has then, counted anew.
pub async fn make(plan: &Plan, receipts: u64, told: &mut dyn FnMut(u64)) -> Counted {
    let site = Site::open(plan).await;
    let Counted { receipts: mut have, mut next, .. } = site.count().await;
    let per_call = u64::from(plan.per_commit) * COMMITS_PER_CALL;
    if have > 0 {
        next += per_call; // the ledger may know files of a call that was stopped
    }
    while have < receipts {
        let count = per_call.min(receipts - have);
        site.load(next, count).await;
        have += count;
        next += count;
        told(have);
    }
    let counted = site.count().await;
    site.close().await;
    counted
}
