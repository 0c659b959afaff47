//! One claim: its objects are decoded into files, and staged as one batch.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use stillhouse_decode::{Request, YearHint, decode};
use stillhouse_lake::{DataFile, Member};
use stillhouse_ledger::{Job, StageRequest, Staged, VersionId};
use stillhouse_spec::{Counts, InputFormat, Original, RECEIPT_FORMAT, Receipt, Source, TableCount, object_id};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::open::{ObjectBytes, OpenError};
use crate::progress::Event;
use crate::reason::Reason;
use crate::sink::{Decoded, ObjectSink, Output};
use crate::stage::{BatchFiles, manifest};
use crate::targets::{Lineage, TargetTables};

/// Rows and bytes that the decoder hands over at once: large enough for the Parquet encoder, small beside the ceiling.
const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 8 << 20;

/// A claimed group of jobs of one source. Everything that is written for it carries the token and the attempt.
pub struct Claim {
    /// Valid until the lease ends.
    pub token: String,
    /// Unique; names the files.
    pub attempt: String,
    /// One large object, or small ones.
    pub jobs: Vec<Job>,
}

/// What became of one job of a claim.
enum Loaded {
    /// Its rows are in the files of the batch.
    Accepted(Box<Receipt>),
    /// It will not load until somebody acts.
    Held { message: String, hint: Option<String> },
    /// It could not be read; the next run tries again.
    Failed { message: String },
}

/// Decodes the claim and stages its batch. Objects that are held or fail are settled in the ledger and do not stop the
/// others. An error here is one of our own surroundings (disk, ledger, lake): the claim goes back to the queue.
pub async fn load(ingest: &Arc<Ingest>, claim: Claim) -> Result<(), Error> {
    let claim = Arc::new(claim);
    let result = tokio::select! {
        result = load_claimed(ingest, &claim) => result,
        never = keep_lease(ingest, &claim.token) => match never {},
    };
    if result.is_err() {
        // Best effort: where this fails too, the lease runs out and another attempt takes the jobs.
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

async fn load_claimed(ingest: &Arc<Ingest>, claim: &Arc<Claim>) -> Result<(), Error> {
    let Some(source) = ingest.source(&claim.jobs) else { return hold_orphans(ingest, claim).await };
    let worker = { (Arc::clone(ingest), Arc::clone(claim), Arc::clone(&source), Handle::current()) };
    let batch = tokio::task::spawn_blocking(move || {
        let (ingest, claim, source, runtime) = worker;
        decode_claim(&ingest, &claim, &source, &runtime)
    });
    let batch = batch.await.map_err(|error| Error::new(Kind::Bug, "decoding stopped").with_source(error))??;
    settle(ingest, claim, &batch.outcomes).await?;
    ingest.observer.at("files-written").map_err(Error::from)?;
    stage(ingest, claim, batch).await
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

async fn hold(
    ingest: &Ingest,
    claim: &Claim,
    version: VersionId,
    message: &str,
    hint: Option<&str>,
) -> Result<(), Error> {
    // Under another source file it may load: whoever looks at it next can tell.
    let source = ingest.source(&claim.jobs).map(|source| source.fingerprint.clone());
    let reason = Reason { message: message.to_owned(), hint: hint.map(str::to_owned), source };
    ingest.ledger.hold(&claim.token, version, &reason.to_json(), ingest.now()).await?;
    Ok(())
}

struct DecodedBatch {
    outcomes: Vec<Loaded>,
    targets: Arc<TargetTables>,
    files: Vec<Vec<DataFile>>,
}

fn decode_claim(ingest: &Arc<Ingest>, claim: &Claim, source: &Source, runtime: &Handle) -> Result<DecodedBatch, Error> {
    let targets = Arc::new(TargetTables::new(&source.contract));
    let lake = Arc::clone(&ingest.lake);
    let mut files = BatchFiles::new(lake, runtime.clone(), Arc::clone(&targets), claim.attempt.clone());
    let mut outcomes = Vec::new();
    // An object alone in its claim is written as it is decoded; in a group each is kept until it is accepted.
    let alone = claim.jobs.len() == 1;
    for job in &claim.jobs {
        let object = ObjectLoad { ingest, source, job, targets: &targets, runtime };
        let outcome = match if alone { object.to_files(&mut files) } else { object.to_memory(&mut files) } {
            Ok(outcome) => outcome,
            Err(error) => {
                // The first error is the one to tell; files that stay behind are invisible.
                files.restart();
                return Err(error);
            }
        };
        let counts = match &outcome {
            Loaded::Accepted(receipt) => Some(receipt.counts),
            Loaded::Held { .. } | Loaded::Failed { .. } => None,
        };
        ingest.progress.event(&Event::Decoded { object: &job.object, counts });
        outcomes.push(outcome);
    }
    let files = files.finish(ingest.now()).map_err(write_error)?;
    Ok(DecodedBatch { outcomes, targets, files })
}

/// One object of a claim.
struct ObjectLoad<'a> {
    ingest: &'a Arc<Ingest>,
    source: &'a Source,
    job: &'a Job,
    targets: &'a TargetTables,
    runtime: &'a Handle,
}

impl ObjectLoad<'_> {
    fn to_files(&self, files: &mut BatchFiles) -> Result<Loaded, Error> {
        let outcome = self.run(Output::Files(files))?;
        match outcome {
            Ok((receipt, _)) => Ok(Loaded::Accepted(receipt)),
            Err(refused) => {
                files.restart();
                Ok(refused)
            }
        }
    }

    fn to_memory(&self, files: &mut BatchFiles) -> Result<Loaded, Error> {
        match self.run(Output::Memory(Vec::new()))? {
            Ok((receipt, decoded)) => {
                for (table, batch) in &decoded.kept {
                    files.write(*table, batch).map_err(write_error)?;
                }
                Ok(Loaded::Accepted(receipt))
            }
            Err(refused) => Ok(refused),
        }
    }

    /// Decodes to the end: the receipt and what was kept, or why the object is not loaded.
    fn run(&self, output: Output<'_>) -> Result<Result<(Box<Receipt>, Decoded), Loaded>, Error> {
        let started_at = self.ingest.now();
        let job = self.job;
        self.ingest.progress.event(&Event::Started { object: &job.object });
        let mut bytes = match self.open() {
            Ok(bytes) => bytes,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let path_values = self.source.path.values(&job.object.key).unwrap_or_default();
        let request = self.request(&path_values);
        let object = object_id(job.version.key_number, job.version.generation);
        let lineage = Lineage { object, ingested_at: started_at, version: job.object.clone() };
        let mut sink = ObjectSink::new(self.targets, lineage, output);
        let outcome = match decode(&mut bytes, &request, &mut sink) {
            Ok(outcome) => outcome,
            Err(error) => return self.refused(error, bytes).map(Err),
        };
        let digest = match bytes.finish() {
            Ok(digest) => digest,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let decoded = sink.finish().map_err(write_error)?;
        let receipt = self.receipt(started_at, digest, outcome, &decoded);
        Ok(Ok((Box::new(receipt), decoded)))
    }

    fn open(&self) -> Result<ObjectBytes, OpenError> {
        let (ingest, object) = (Arc::clone(self.ingest), self.job.object.clone());
        let on_bytes = Box::new(move |bytes| ingest.progress.event(&Event::Read { object: &object, bytes }));
        let (store, stop) = (Arc::clone(&self.ingest.store), self.ingest.stop.clone());
        ObjectBytes::new(store, &self.job.object, self.runtime.clone(), stop, on_bytes)
    }

    fn request<'a>(&'a self, path_values: &'a BTreeMap<String, String>) -> Request<'a> {
        let InputFormat::Csv(csv) = &self.source.format;
        let modified = jiff::Timestamp::from_microsecond(self.job.object.modified_at).unwrap_or_default();
        let modified = modified.to_zoned(self.ingest.time_zone.clone()).year();
        let path = path_values.get("yyyy").and_then(|year| year.parse().ok());
        Request {
            csv,
            contract: &self.source.contract,
            max_record_bytes: self.source.max_record_bytes,
            path_values,
            year: YearHint { path, setting: csv.year, modified },
            batch_rows: BATCH_ROWS,
            batch_bytes: BATCH_BYTES,
        }
    }

    /// The decoder stopped: because of the data (held), because of the store (failed), or because of us (an error).
    fn refused(&self, error: stillhouse_decode::Error, bytes: ObjectBytes) -> Result<Loaded, Error> {
        if error.is_held() {
            // A file that was cut while it was read looks broken; then its state decides, not what was seen of it.
            if let Err(changed) = bytes.finish() {
                return Self::unreadable(&changed);
            }
            return Ok(Loaded::Held { message: error.to_string(), hint: error.hint().map(str::to_owned) });
        }
        match error.kind() {
            stillhouse_decode::Kind::Source => {
                let source = error.into_source().and_then(|source| source.downcast::<OpenError>().ok());
                match source {
                    Some(open) => Self::unreadable(&open),
                    None => Err(Error::new(Kind::Bug, format!("`{}` cannot be read", self.job.object.key))),
                }
            }
            _ => Err(match error.into_source() {
                Some(source) => write_error(source),
                None => Error::new(Kind::Bug, format!("`{}` cannot be loaded", self.job.object.key)),
            }),
        }
    }

    fn unreadable(error: &OpenError) -> Result<Loaded, Error> {
        match error {
            OpenError::Cancelled => Err(Error::cancelled()),
            OpenError::Changed | OpenError::Removed => Ok(Loaded::Failed {
                message: format!("{error}; nothing of it was loaded, the next run takes it as it is then"),
            }),
            OpenError::Store(_) => Ok(Loaded::Failed { message: error.to_string() }),
        }
    }

    fn receipt(
        &self,
        started_at: i64,
        digest: String,
        outcome: stillhouse_decode::Outcome,
        decoded: &Decoded,
    ) -> Receipt {
        let job = self.job;
        let tables = self.targets.tables.iter().zip(&decoded.rows);
        Receipt {
            format: RECEIPT_FORMAT,
            object: job.object.clone(),
            key_number: job.version.key_number,
            generation: job.version.generation,
            revision: 0, // given by the ledger when the batch is staged
            batch: String::new(),
            seq: 0,
            digest,
            bytes: job.object.size,
            counts: outcome.counts,
            offered_at: job.offered_at,
            started_at,
            decoded_at: self.ingest.now(),
            decided: outcome.decided,
            source_fingerprint: self.source.fingerprint.clone(),
            decoder: concat!("stillhouse ", env!("CARGO_PKG_VERSION")).to_owned(),
            tables: tables
                .map(|((name, _), rows)| (name.to_string(), TableCount { rows: *rows, files: Vec::new() }))
                .collect(),
            days: outcome.days,
            reasons: outcome.reasons,
            rejects: decoded.rejects.clone(),
            original: Original::Source,
            warnings: outcome.warnings,
            ..Receipt::default()
        }
    }
}

fn write_error(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<stillhouse_lake::Error>() {
        Ok(lake) => (*lake).into(),
        Err(other) => Error::new(Kind::Bug, "rows cannot be written").with_source(other),
    }
}

/// Held and failed objects leave the claim.
async fn settle(ingest: &Ingest, claim: &Claim, outcomes: &[Loaded]) -> Result<(), Error> {
    for (job, outcome) in claim.jobs.iter().zip(outcomes) {
        let (version, now) = (job.version, ingest.now());
        match outcome {
            Loaded::Accepted(_) => {}
            Loaded::Held { message, hint } => hold(ingest, claim, version, message, hint.as_deref()).await?,
            Loaded::Failed { message } => {
                let reason = Reason { message: message.clone(), ..Reason::default() };
                ingest.ledger.fail(&claim.token, version, &reason.to_json(), None, now).await?;
            }
        }
    }
    Ok(())
}

async fn stage(ingest: &Ingest, claim: &Claim, batch: DecodedBatch) -> Result<(), Error> {
    let (targets, files, receipts) = accepted(claim, batch);
    if receipts.is_empty() {
        return Ok(());
    }
    check_balance(&targets, &receipts)?;
    let members: Vec<VersionId> = receipts.iter().map(|r| VersionId::new(r.key_number, r.generation)).collect();
    let settled = receipts.into_iter().map(|receipt| Member {
        key_number: receipt.key_number,
        generation: receipt.generation,
        receipt,
    });
    let manifest = manifest(&claim.attempt, ingest.ledger.ledger_id(), &targets, files, settled.collect())?;
    if let Err(error) = ingest.lake.check(&manifest).await? {
        // The tables cannot take the batch as it is: nobody but a person can change that.
        for version in members {
            hold(ingest, claim, version, &error.to_string(), error.hint.as_deref()).await?;
        }
        return Ok(());
    }
    let (batch_id, token, manifest) = (claim.attempt.clone(), claim.token.clone(), manifest.to_json()?);
    match ingest.ledger.stage(&StageRequest { batch_id, token, members, manifest }, ingest.now()).await? {
        Staged::Done { .. } => ingest.observer.at("staged").map_err(Error::from),
        // Lost or superseded: another attempt, or a newer version, has these objects now. Our files stay invisible.
        Staged::Refused { superseded, lost } => {
            tracing::info!(?superseded, ?lost, "a batch was refused; its objects belong to another attempt");
            ingest.ledger.release(&claim.token, ingest.now()).await?;
            Ok(())
        }
    }
}

/// The receipts of the accepted objects, with the files that hold their rows.
fn accepted(claim: &Claim, batch: DecodedBatch) -> (Arc<TargetTables>, Vec<Vec<DataFile>>, Vec<Receipt>) {
    let names = batch.targets.tables.iter().map(|(name, _)| name.to_string());
    let paths = batch.files.iter().map(|files| files.iter().map(|file| file.path.clone()).collect());
    let files: BTreeMap<String, Vec<String>> = names.zip(paths).collect();
    let mut receipts = Vec::new();
    for outcome in batch.outcomes {
        let Loaded::Accepted(mut receipt) = outcome else { continue };
        receipt.batch.clone_from(&claim.attempt);
        for (table, count) in &mut receipt.tables {
            if count.rows > 0 {
                count.files = files.get(table).cloned().unwrap_or_default();
            }
        }
        receipts.push(*receipt);
    }
    (batch.targets, batch.files, receipts)
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
