//! One claim: its objects are decoded into files, and staged as one batch.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use stillhouse_lake::{DataFile, Member};
use stillhouse_ledger::{Level, StageMember, StageRequest, Staged, VersionId};
use stillhouse_spec::{Counts, NewField, ObjectVersion, Receipt, Source};
use tokio::runtime::Handle;

use crate::claim::Claim;
use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::logs::{log, log_outcomes};
use crate::object::{ADDED_MAX, Loaded, ObjectLoad, with_columns, write_error};
use crate::reason::Reason;
use crate::retype;
use crate::same::{Twins, skips_same};
use crate::stage::{BatchFiles, manifest};
use crate::targets::TargetTables;

/// Decodes the claim and stages its batch. Objects that are held or fail are settled in the ledger and do not stop the
/// others. Answers how many were refused together because their contents meet in one batch: each of these is to be claimed
/// alone. An error here is one of our own surroundings (disk, ledger, lake): the claim goes back to the queue.
pub async fn load(ingest: &Arc<Ingest>, claim: Claim) -> Result<usize, Error> {
    let claim = Arc::new(claim);
    let result = tokio::select! {
        result = load_claimed(ingest, &claim) => result,
        never = keep_lease(ingest, &claim.token) => match never {},
    };
    if let Err(error) = &result {
        // Best effort: where this fails too, the lease runs out and another attempt takes the jobs.
        let _ = log(ingest, &claim.attempt, Level::Error, error.to_string()).await;
        let _ = ingest.ledger.release(&claim.token, ingest.now()).await;
    }
    result
}

/// Renews the lease while the claim is worked on.
async fn keep_lease(ingest: &Ingest, token: &str) -> Infallible {
    loop {
        tokio::time::sleep(ingest.settings.lease / 4).await;
        // A lost lease is noticed at stage, where it matters.
        let _ = ingest.ledger.heartbeat(token, ingest.now(), ingest.lease_micros()).await;
    }
}

async fn load_claimed(ingest: &Arc<Ingest>, claim: &Arc<Claim>) -> Result<usize, Error> {
    let Some(source) = ingest.source(&claim.jobs) else {
        hold_orphans(ingest, claim).await?;
        return Ok(0);
    };
    let worker = { (Arc::clone(ingest), Arc::clone(claim), Arc::clone(&source), Handle::current()) };
    let batch = tokio::task::spawn_blocking(move || {
        let (ingest, claim, source, runtime) = worker;
        decode_claim(&ingest, &claim, &source, &runtime)
    });
    let batch = batch.await.map_err(|error| Error::new(Kind::Bug, "decoding stopped").with_source(error))??;
    log_outcomes(ingest, claim, &batch.outcomes).await?;
    settle(ingest, claim, &batch.outcomes).await?;
    ingest.observer.at("files-written").map_err(Error::from)?;
    stage(ingest, claim, &source, batch).await
}

/// Files that were offered for a source that the project has lost in the meantime.
async fn hold_orphans(ingest: &Ingest, claim: &Claim) -> Result<(), Error> {
    for job in &claim.jobs {
        let source = &job.object.source;
        let message = format!("the project has no source `{source}` any more");
        let hint = format!("put `sources/{source}.toml` back, then run `stillhouse ingest {source} --held`");
        hold(ingest, claim, job.version, &message, Some(&hint)).await?;
    }
    Ok(())
}

/// Those that have left the claim are not held under its token any more.
async fn hold_all(ingest: &Ingest, claim: &Claim, message: &str, hint: Option<&str>) -> Result<(), Error> {
    for job in &claim.jobs {
        hold(ingest, claim, job.version, message, hint).await?;
    }
    Ok(())
}

/// The first object of a claim that does not load.
fn refused<'c>(claim: &'c Claim, outcomes: &[Loaded]) -> Option<&'c ObjectVersion> {
    let mut pairs = claim.jobs.iter().zip(outcomes);
    pairs.find(|(_, outcome)| !matches!(outcome, Loaded::Accepted(_))).map(|(job, _)| &job.object)
}

async fn hold(
    ingest: &Ingest,
    claim: &Claim,
    version: VersionId,
    message: &str,
    hint: Option<&str>,
) -> Result<(), Error> {
    // Under another source file it may load: whoever looks at it next can tell.
    let source = ingest.source(&claim.jobs).map(|source| source.fingerprint.clone());
    let reason = Reason { message: message.to_owned(), hint: hint.map(str::to_owned), source, ..Reason::default() };
    ingest.ledger.hold(&claim.token, version, &reason.to_json(), ingest.now()).await?;
    Ok(())
}

struct DecodedBatch {
    outcomes: Vec<Loaded>,
    targets: Arc<TargetTables>,
    files: Vec<Vec<DataFile>>,
}

/// What decoding a claim again knows from the time before.
#[derive(Default)]
struct Rounds {
    /// Objects whose fields do not become columns.
    given_up: BTreeSet<VersionId>,
    /// Names of files that have been used.
    names: usize,
}

/// Objects with columns that the source wants added are found out on the way: then all of the claim begins anew. Each time a
/// field more is known, or an object is given up.
fn decode_claim(ingest: &Arc<Ingest>, claim: &Claim, source: &Source, runtime: &Handle) -> Result<DecodedBatch, Error> {
    let mut with_added = source.clone();
    let mut rounds = Rounds::default();
    loop {
        let batch = decode_round(ingest, claim, &with_added, runtime, &mut rounds)?;
        let known: BTreeSet<NewField> = with_added.contract.added_fields().into_iter().collect();
        let asks = claim.jobs.iter().zip(&batch.outcomes).filter_map(|(job, outcome)| match outcome {
            Loaded::MoreColumns(fields) => Some((job.version, fields)),
            _ => None,
        });
        let (mut more, given_up) = (BTreeSet::new(), rounds.given_up.len());
        let mut asked = false;
        for (version, fields) in asks {
            asked = true;
            let new: Vec<&NewField> = fields.iter().filter(|field| !known.contains(field)).collect();
            if new.is_empty() || known.len() + new.len() > ADDED_MAX {
                rounds.given_up.insert(version);
            } else {
                more.extend(new.into_iter().cloned());
            }
        }
        if !asked {
            return Ok(batch);
        }
        // What was added for an object that is given up must not stay.
        let base = if rounds.given_up.len() > given_up { source } else { &with_added };
        with_added = with_columns(base, &more.into_iter().collect::<Vec<_>>());
    }
}

fn decode_round(
    ingest: &Arc<Ingest>,
    claim: &Claim,
    source: &Source,
    runtime: &Handle,
    rounds: &mut Rounds,
) -> Result<DecodedBatch, Error> {
    let targets = Arc::new(TargetTables::new(&source.contract));
    let lake = Arc::clone(&ingest.lake);
    let (attempt, names) = (claim.attempt.clone(), rounds.names);
    let mut files = BatchFiles::new(lake, runtime.clone(), Arc::clone(&targets), attempt, names);
    let mut twins = Twins::new(ingest, source, &claim.jobs, runtime);
    let given_up = &rounds.given_up;
    let objects: Vec<ObjectLoad<'_>> =
        claim.jobs.iter().map(|job| ObjectLoad { ingest, source, job, targets: &targets, runtime, given_up }).collect();
    let mut batch = DecodedBatch {
        outcomes: Vec::new(),
        files: vec![Vec::new(); targets.tables.len()],
        targets: Arc::clone(&targets),
    };
    let mut rest = objects.as_slice();
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(part_length(ingest, claim, rest));
        let (outcomes, written) = decode_part(ingest, part, &mut files, &mut twins)?;
        batch.outcomes.extend(outcomes);
        batch.files.iter_mut().zip(written).for_each(|(files, written)| files.extend(written));
        rest = behind;
    }
    rounds.names = files.names();
    Ok(batch)
}

/// How many of a claim's objects share files. In a cohort large objects stand beside small ones: each has files of its own.
fn part_length(ingest: &Ingest, claim: &Claim, objects: &[ObjectLoad<'_>]) -> usize {
    if claim.cohort().is_none() {
        return objects.len();
    }
    let settings = &ingest.settings;
    let mut bytes = 0;
    let fits = |object: &&ObjectLoad<'_>| {
        let size = object.job.object.size;
        bytes += size;
        size <= settings.small_bytes && bytes <= settings.group_bytes
    };
    let count_max = usize::try_from(settings.group_objects).unwrap_or(usize::MAX);
    objects.iter().take(count_max).take_while(fits).count().max(1)
}

/// Decodes objects that share files; their receipts name these.
fn decode_part(
    ingest: &Ingest,
    objects: &[ObjectLoad<'_>],
    files: &mut BatchFiles,
    twins: &mut Twins<'_>,
) -> Result<(Vec<Loaded>, Vec<Vec<DataFile>>), Error> {
    let outcomes = match objects {
        [object] => object.to_files(files, twins).map(|outcome| {
            object.tell(&outcome);
            vec![outcome]
        }),
        group => load_group(group, files, twins),
    };
    let mut outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // The first error is the one to tell; files that stay behind are invisible.
            files.restart();
            return Err(error);
        }
    };
    if outcomes.iter().any(|outcome| matches!(outcome, Loaded::MoreColumns(_))) {
        files.restart();
    }
    let written = files.finish(ingest.now()).map_err(write_error)?;
    if let Some(object) = objects.first() {
        name_files(object.targets, &written, &mut outcomes);
    }
    Ok((outcomes, written))
}

/// The receipts say in which files the rows are.
fn name_files(targets: &TargetTables, written: &[Vec<DataFile>], outcomes: &mut [Loaded]) {
    let names = targets.tables.iter().map(|(name, _)| name.to_string());
    let paths = written.iter().map(|files| files.iter().map(|file| file.path.clone()).collect());
    let files: BTreeMap<String, Vec<String>> = names.zip(paths).collect();
    for outcome in outcomes {
        let Loaded::Accepted(receipt) = outcome else { continue };
        for (table, count) in receipt.tables.iter_mut().filter(|(_, count)| count.rows > 0) {
            count.files = files.get(table).cloned().unwrap_or_default();
        }
    }
}

/// The ledger is asked once for so many objects of a group, …
const PIECE_OBJECTS: usize = 25;
/// … and for fewer, if they have more bytes: their rows wait in memory meanwhile.
const PIECE_BYTES: u64 = 1 << 20;

fn load_group(group: &[ObjectLoad<'_>], files: &mut BatchFiles, twins: &mut Twins<'_>) -> Result<Vec<Loaded>, Error> {
    let mut outcomes = Vec::with_capacity(group.len());
    let mut rest = group;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |object: &&ObjectLoad<'_>| {
            bytes += object.job.object.size;
            bytes <= PIECE_BYTES
        };
        let count = rest.iter().take(PIECE_OBJECTS).take_while(fits).count().max(1);
        let (piece, behind) = rest.split_at(count);
        let runs = piece.iter().map(ObjectLoad::to_memory).collect::<Result<Vec<_>, _>>()?;
        let accepted = piece.iter().zip(&runs).filter_map(|(object, run)| Some((object.job, &*run.as_ref().ok()?.0)));
        twins.ask(accepted)?;
        for (object, run) in piece.iter().zip(runs) {
            let outcome = object.write(run, files, twins)?;
            object.tell(&outcome);
            outcomes.push(outcome);
        }
        rest = behind;
    }
    Ok(outcomes)
}

/// Held and failed objects leave the claim.
async fn settle(ingest: &Ingest, claim: &Claim, outcomes: &[Loaded]) -> Result<(), Error> {
    for (job, outcome) in claim.jobs.iter().zip(outcomes) {
        let (version, now) = (job.version, ingest.now());
        match outcome {
            Loaded::Accepted(_) | Loaded::MoreColumns(_) => {}
            Loaded::Held { message, hint } => hold(ingest, claim, version, message, hint.as_deref()).await?,
            Loaded::Failed { message } => {
                let reason = Reason { message: message.clone(), ..Reason::default() };
                ingest.ledger.fail(&claim.token, version, &reason.to_json(), None, now).await?;
            }
        }
    }
    Ok(())
}

async fn stage(ingest: &Ingest, claim: &Claim, source: &Source, batch: DecodedBatch) -> Result<usize, Error> {
    let DecodedBatch { outcomes, targets, files } = batch;
    if let Some(refused) = claim.cohort().and_then(|_| refused(claim, &outcomes)) {
        let (message, hint) = retype::not_alone(source, refused);
        hold_all(ingest, claim, &message, Some(&hint)).await?;
        return Ok(0);
    }
    let receipts = accepted(claim, outcomes);
    if receipts.is_empty() {
        return Ok(0);
    }
    check_balance(&targets, &receipts)?;
    stage_receipts(ingest, claim, source, &targets, files, receipts).await
}

async fn stage_receipts(
    ingest: &Ingest,
    claim: &Claim,
    source: &Source,
    targets: &TargetTables,
    files: Vec<Vec<DataFile>>,
    receipts: Vec<Receipt>,
) -> Result<usize, Error> {
    let members: Vec<StageMember> = receipts.iter().map(|receipt| stage_member(source, receipt)).collect();
    let with_rows = receipts.iter().filter(|receipt| !receipt.removed && receipt.twin.is_none());
    let with_rows: BTreeSet<VersionId> =
        with_rows.map(|receipt| VersionId::new(receipt.key_number, receipt.generation)).collect();
    let settled = receipts.into_iter().map(member).collect();
    let manifest = manifest(&claim.attempt, ingest.ledger.ledger_id(), targets, files, settled)?;
    if let Err(error) = ingest.lake.check(&manifest).await? {
        return hold_meant(ingest, claim, source, (members, &with_rows), &error).await;
    }
    let (batch_id, token, manifest) = (claim.attempt.clone(), claim.token.clone(), manifest.to_json()?);
    match ingest.ledger.stage(&StageRequest { batch_id, token, members, manifest }, ingest.now()).await? {
        Staged::Done { seq, .. } => {
            ingest.observer.at("staged")?;
            log(ingest, &claim.attempt, Level::Info, format!("staged as batch {seq} of the publish queue")).await?;
            Ok(0)
        }
        // Lost or superseded: another attempt, or a newer version, has these objects now. The same content was staged by
        // another worker in between, or is gone again: the next attempt finds it so. Our files stay invisible.
        Staged::Refused { superseded, lost, same, orphaned } => {
            tracing::info!(
                ?superseded,
                ?lost,
                ?same,
                ?orphaned,
                "a batch was refused; another attempt takes its objects"
            );
            let why = "refused: the objects belong to another attempt, or their content is in the tables by now";
            log(ingest, &claim.attempt, Level::Warn, why.to_owned()).await?;
            // What one object of the batch has, another one takes out, or has too.
            let meet = !(same.is_empty() && orphaned.is_empty());
            if claim.cohort().is_some() && meet {
                let (message, hint) = retype::meet(source);
                hold_all(ingest, claim, &message, Some(&hint)).await?;
            }
            ingest.ledger.release(&claim.token, ingest.now()).await?;
            // In a batch of its own each finds its place.
            Ok(if meet { claim.jobs.len() } else { 0 })
        }
    }
}

/// The tables cannot take the batch as it is: nobody but a person can change that. What brings no rows of its own has no
/// part in it, and is claimed alone; answers how many that are.
async fn hold_meant(
    ingest: &Ingest,
    claim: &Claim,
    source: &Source,
    (members, with_rows): (Vec<StageMember>, &BTreeSet<VersionId>),
    error: &stillhouse_lake::Error,
) -> Result<usize, Error> {
    let is_meant = |member: &StageMember| with_rows.is_empty() || with_rows.contains(&member.version);
    let (meant, others): (Vec<_>, Vec<_>) = members.into_iter().partition(is_meant);
    let hint = retype::hint(ingest, source).await?.or(error.hint.clone());
    for member in &meant {
        hold(ingest, claim, member.version, &error.to_string(), hint.as_deref()).await?;
    }
    ingest.ledger.release(&claim.token, ingest.now()).await?;
    Ok(others.len())
}

fn stage_member(source: &Source, receipt: &Receipt) -> StageMember {
    StageMember {
        version: VersionId::new(receipt.key_number, receipt.generation),
        content: receipt.content.clone(),
        twin: receipt.twin.as_ref().map(|twin| VersionId::new(twin.key_number, twin.generation)),
        skip_same: skips_same(source, receipt),
    }
}

/// A receipt as a member of a batch.
pub(crate) fn member(receipt: Receipt) -> Member {
    let Receipt { key_number, generation, replaces_from, .. } = receipt;
    Member { key_number, generation, replaces_from, receipt }
}

/// The receipts of the accepted objects.
fn accepted(claim: &Claim, outcomes: Vec<Loaded>) -> Vec<Receipt> {
    let receipts = outcomes.into_iter().filter_map(|outcome| match outcome {
        Loaded::Accepted(receipt) => Some(Receipt { batch: claim.attempt.clone(), ..*receipt }),
        _ => None,
    });
    receipts.collect()
}

/// Promise 2, checked before anything is committed: what the decoder counted, and what the files got.
fn check_balance(targets: &TargetTables, receipts: &[Receipt]) -> Result<(), Error> {
    let written = |receipt: &Receipt, table: usize| {
        receipt.tables.get(targets.tables[table].0.as_str()).map_or(0, |count| count.rows)
    };
    let whole = |receipt: &&Receipt| {
        receipt.counts.balanced()
            && written(receipt, 0) == receipt.counts.loaded
            && written(receipt, targets.quarantine()) == receipt.counts.quarantined
    };
    match receipts.iter().find(|receipt| !whole(receipt)) {
        None => Ok(()),
        Some(receipt) => {
            let Counts { read, loaded, quarantined, filtered, blank } = receipt.counts;
            Err(Error::new(
                Kind::Bug,
                format!(
                    "`{}`: {read} records read, but {loaded} loaded + {quarantined} quarantined + {filtered} filtered + {blank} blank; nothing was committed",
                    receipt.object.key
                ),
            ))
        }
    }
}
