//! The publish queue: head only, by whoever holds the lease (protocol steps 4 to 6).

use std::collections::BTreeSet;
use std::convert::Infallible;

use stillhouse_lake::Manifest;
use stillhouse_ledger::{Phase, QueueEntry};
use stillhouse_safeguard::Safeguard;

use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::progress::Event;
use crate::withdraw::withdraw;

/// What one turn of the publisher did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The queue is empty; these batches (by id) were brought into the lake.
    Drained(Vec<String>),
    /// Somebody else holds the publish lease.
    Busy,
}

/// Publishes everything that is staged, in order.
pub async fn publish_all(ingest: &Ingest) -> Result<Turn, Error> {
    if ingest.ledger.queue_head().await?.is_none() {
        return Ok(Turn::Drained(Vec::new()));
    }
    let token = ingest.new_id();
    if !ingest.ledger.take_publish_lease(&token, ingest.now(), ingest.lease_micros()).await? {
        return Ok(Turn::Busy);
    }
    let published = publish_queue(ingest, &token).await;
    // Best effort: a lease that stays is free when its time is over.
    let released = ingest.ledger.release_publish_lease(&token).await;
    let published = published?;
    released?;
    Ok(Turn::Drained(published))
}

async fn publish_queue(ingest: &Ingest, token: &str) -> Result<Vec<String>, Error> {
    let mut epoch = take_over(ingest, token).await?;
    let mut published = Vec::new();
    while let Some(head) = ingest.ledger.queue_head().await? {
        if !ingest.ledger.renew_publish_lease(token, ingest.now(), ingest.lease_micros()).await? {
            break; // another publisher goes on; it looks at the tables before it does anything
        }
        let done = tokio::select! {
            done = publish_head(ingest, token, epoch, &head) => done,
            never = keep_lease(ingest, token) => match never {},
        };
        let newer = match done {
            // Only a person can mend the data; until then the batch must not block all others.
            Err(error) if error.kind() == Kind::FixData => withdraw(ingest, token, &head, error).await.map(Some),
            done => done.map(|()| published.push(head.batch_id)).map(|()| None),
        };
        match newer {
            Ok(newer) => epoch = newer.unwrap_or(epoch),
            Err(error) if error.kind() == Kind::Fenced => match follow(ingest, token, epoch, error).await? {
                Some(newer) => epoch = newer,
                None => break,
            },
            Err(error) => return Err(error),
        }
    }
    Ok(published)
}

/// Renews the publish lease while a head is published, however long that takes.
async fn keep_lease(ingest: &Ingest, token: &str) -> Infallible {
    loop {
        tokio::time::sleep(ingest.settings.lease / 4).await;
        // A lost lease is noticed at finish, where it matters.
        let _ = ingest.ledger.renew_publish_lease(token, ingest.now(), ingest.lease_micros()).await;
    }
}

/// A new ledger over a lake that nobody speaks for yet gets the first epoch. Over any other lake it must be rebuilt,
/// which is never done silently.
pub async fn open(ingest: &Ingest) -> Result<(), Error> {
    match ingest.ledger.status().await?.phase {
        Phase::Open => return ours(ingest).await.map(drop),
        Phase::Rebuilding => {
            return Err(Error::new(Kind::Fenced, "the ledger is being made anew, or that was begun and not finished")
                .with_hint("run `stillhouse ledger rebuild` again; it begins from the start and loses nothing"));
        }
        Phase::New => {}
    }
    let ledger = ingest.ledger.ledger_id();
    // Two processes may do this at once: the put-if-absent on `_receipts` decides who is first, and an epoch that is
    // higher than the other's does no harm, because both are of this ledger and nothing is staged yet.
    let epoch = match ingest.lake.receipts_epoch().await? {
        None => ingest.lake.first_epoch(ledger, ingest.now(), ingest.observer.as_ref()).await?,
        Some((epoch, owner)) if owner == ledger => epoch,
        Some(_) => return Err(not_ours()),
    };
    let opened = ingest.ledger.open_for_work(epoch, FIRST_SEQ, ingest.now()).await;
    match ingest.ledger.status().await?.phase {
        Phase::Open => Ok(()), // by us, or by another process at the same moment
        _ => opened.map_err(Error::from),
    }
}

/// The seq of a lake's first batch.
const FIRST_SEQ: i64 = 1;

/// Step 4: the ledger takes over the epoch that the lake has for it (a crash may lie between the two), or stops.
async fn take_over(ingest: &Ingest, token: &str) -> Result<i64, Error> {
    let (epoch, known) = ours(ingest).await?;
    if !Safeguard::Adopt.holds() {
        return Ok(known);
    }
    if known != epoch {
        ingest.ledger.adopt_epoch(epoch, token).await?;
    }
    ingest.observer.at("taken")?;
    Ok(epoch)
}

/// The newest epoch of the lake, if it belongs to this ledger, and the ledger knows of every batch that is in the lake: an
/// older copy of itself has the same id. Beside it the epoch that the ledger knows of.
async fn ours(ingest: &Ingest) -> Result<(i64, i64), Error> {
    let owner = ingest.lake.receipts_epoch().await?;
    let Some((epoch, owner)) = owner else { return Err(not_ours()) };
    // In this order: other processes stage and publish in between.
    let largest_seq = ingest.lake.largest_seq().await?;
    let status = ingest.ledger.status().await?;
    let finished_seq = ingest.lake.finished_seq().await?;
    belong_together(&LakeNumbers { owner, largest_seq, finished_seq }, ingest.ledger.ledger_id(), &status)?;
    Ok((epoch, status.epoch))
}

/// What a lake says about the ledger that speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeNumbers {
    /// The id of the ledger that has its newest epoch.
    pub owner: String,
    /// The largest seq in any of its logs.
    pub largest_seq: i64,
    /// The seq of the last batch that has its receipt.
    pub finished_seq: i64,
}

/// Whether a ledger speaks for a lake, by the numbers of both.
///
/// # Errors
/// When it is another lake's, an older copy of the right one, or newer than the lake.
pub fn belong_together(lake: &LakeNumbers, ledger_id: &str, ledger: &stillhouse_ledger::Status) -> Result<(), Error> {
    let is_other = lake.owner != ledger_id && Safeguard::OtherLedger.holds();
    let is_behind = lake.largest_seq >= ledger.next_seq;
    if is_other || is_behind {
        return Err(not_ours());
    }
    if lake.finished_seq < ledger.finished_seq { Err(older_lake()) } else { Ok(()) }
}

/// Shut out, but perhaps by another process of this same ledger. One that holds the lease now goes on with the queue:
/// `None`. One that opened the new lake in the same moment, or withdrew a head, has raised the epoch: it is ours as well,
/// and the tables are looked at again.
async fn follow(ingest: &Ingest, token: &str, fenced: i64, error: Error) -> Result<Option<i64>, Error> {
    if !ingest.ledger.renew_publish_lease(token, ingest.now(), ingest.lease_micros()).await? {
        return Ok(None);
    }
    let epoch = take_over(ingest, token).await?;
    if epoch > fenced { Ok(Some(epoch)) } else { Err(error) }
}

fn not_ours() -> Error {
    Error::new(
        Kind::Fenced,
        "lake and ledger do not belong together: one of them is new, a copy, or restored from a backup",
    )
    .with_hint(
        "if no other machine or folder works on this lake, run `stillhouse ledger rebuild`: \
             it reads the receipts in the lake and shuts the other ledger out",
    )
}

/// The ledger has finished batches that the lake knows nothing of.
fn older_lake() -> Error {
    Error::new(Kind::Fenced, "the lake is older than the ledger: files that were loaded have no receipt in it")
        .with_hint("was the lake restored from a backup? `stillhouse ledger rebuild` makes the ledger fit it again")
}

async fn publish_head(ingest: &Ingest, token: &str, epoch: i64, head: &QueueEntry) -> Result<(), Error> {
    let manifest = Manifest::from_json(&head.manifest)?;
    let objects = manifest.members.len();
    let revisions = head.members.iter().map(|member| (member.version.key_number, member.revision)).collect();
    let staged = stillhouse_lake::Staged { seq: head.seq, manifest, revisions };
    let ledger = ingest.ledger.ledger_id();
    ingest.lake.publish(&staged, epoch, ledger, ingest.now(), ingest.observer.as_ref()).await?;
    ingest.ledger.finish(&head.batch_id, head.seq, token, ingest.now()).await?;
    ingest.observer.at("finished")?;
    ingest.progress.event(&Event::Published { seq: head.seq, objects });
    Ok(())
}

/// Publishes until the queue is empty, whoever holds the lease.
pub(crate) async fn drain(ingest: &Ingest, batches: &mut BTreeSet<String>) -> Result<(), Error> {
    let mut said = false;
    loop {
        match publish_all(ingest).await? {
            Turn::Drained(published) => {
                batches.extend(published);
                return Ok(());
            }
            Turn::Busy => {
                if !said {
                    ingest.progress.event(&Event::Waiting { reason: "another process is publishing" });
                    said = true;
                }
                pause(ingest).await?;
            }
        }
    }
}

pub(crate) async fn pause(ingest: &Ingest) -> Result<(), Error> {
    tokio::select! {
        () = tokio::time::sleep(ingest.settings.poll) => Ok(()),
        () = ingest.stop.cancelled() => ingest.check_stop(),
    }
}
