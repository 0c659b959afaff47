//! One object of a claim: decoded to its end, with the receipt that it gets, or why it is not loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use stillhouse_decode::{Outcome, Request, SharedSource as _, SinkError, Threads, YearHint, decode, decode_shared};
use stillhouse_ledger::{Job, VersionId};
use stillhouse_spec::{
    Contract, Counts, InputFormat, ObjectVersion, Original, RECEIPT_FORMAT, Receipt, Source, TableCount, Twin,
    object_id,
};
use tokio::runtime::Handle;

use crate::content::content;
use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::open::{OpenError, OpenObject};
use crate::progress::Event;
use crate::same::Twins;
use crate::sink::{Decoded, FilesSink, ObjectSink};
use crate::stage::BatchFiles;
use crate::targets::{Lineage, TargetTables};

/// Rows and bytes that the decoder hands over at once: large enough for the Parquet encoder, small beside the ceiling.
const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 8 << 20;

/// What became of one job of a claim.
pub(crate) enum Loaded {
    /// Its rows are in the files of the batch.
    Accepted(Box<Receipt>),
    /// It will not load until somebody acts.
    Held { message: String, hint: Option<String> },
    /// It could not be read; the next run tries again.
    Failed { message: String },
}

/// What the decoder gave, and what became of it in the sink.
type Decoding = Result<(Outcome, Result<Decoded, SinkError>), stillhouse_decode::Error>;

/// The receipt and what was kept in memory; or why the object is not loaded.
pub(crate) type Run = Result<(Box<Receipt>, Decoded), Loaded>;

/// One object of a claim.
pub(crate) struct ObjectLoad<'a> {
    pub(crate) ingest: &'a Arc<Ingest>,
    pub(crate) source: &'a Source,
    pub(crate) job: &'a Job,
    pub(crate) targets: &'a TargetTables,
    pub(crate) runtime: &'a Handle,
}

impl ObjectLoad<'_> {
    /// Its batch is about to be staged; or it is held, or failed.
    pub(crate) fn tell(&self, outcome: &Loaded) {
        let counts = match outcome {
            Loaded::Accepted(receipt) => Some(receipt.counts),
            Loaded::Held { .. } | Loaded::Failed { .. } => None,
        };
        self.ingest.progress.event(&Event::Decoded { object: &self.job.object, counts });
    }

    /// Alone in its claim: written as it is decoded, and taken back if it is not to be loaded.
    pub(crate) fn to_files(&self, files: &mut BatchFiles, twins: &mut Twins<'_>) -> Result<Loaded, Error> {
        if self.job.removed {
            return Ok(Loaded::Accepted(Box::new(removal_receipt(self.ingest, self.source, self.job))));
        }
        let threads = self.ingest.decoders.take(self.ingest.settings.workers);
        let decoded = self.run(|bytes, request, lineage| {
            let sink = FilesSink::new(self.targets, lineage, files);
            let outcome = decode_shared(bytes, request, &sink, Threads::new(threads.count()))?;
            Ok((outcome, Ok(sink.finish())))
        });
        let outcome = match decoded? {
            Ok((receipt, _)) => match twins.find(self.job, &receipt)? {
                None => return Ok(Loaded::Accepted(receipt)),
                Some(twin) => Loaded::Accepted(twin_receipt(self.job, receipt, twin)),
            },
            Err(refused) => refused,
        };
        files.restart();
        Ok(outcome)
    }

    /// In a group: kept until it is accepted, because its rows share files with others.
    pub(crate) fn to_memory(&self) -> Result<Run, Error> {
        if self.job.removed {
            return Ok(Ok((Box::new(removal_receipt(self.ingest, self.source, self.job)), Decoded::default())));
        }
        self.run(|bytes, request, lineage| {
            let mut sink = ObjectSink::new(self.targets, lineage);
            let outcome = decode(&mut *bytes.reader(), request, &mut sink)?;
            Ok((outcome, sink.into_decoded()))
        })
    }

    /// What was kept goes into the files that the group shares.
    pub(crate) fn write(&self, run: Run, files: &mut BatchFiles, twins: &mut Twins<'_>) -> Result<Loaded, Error> {
        let (receipt, decoded) = match run {
            Ok(accepted) => accepted,
            Err(refused) => return Ok(refused),
        };
        if let Some(twin) = twins.find(self.job, &receipt)? {
            return Ok(Loaded::Accepted(twin_receipt(self.job, receipt, twin)));
        }
        for (table, batch) in &decoded.kept {
            files.write(*table, batch).map_err(write_error)?;
        }
        Ok(Loaded::Accepted(receipt))
    }

    /// Decodes to the end: the receipt and what was kept, or why the object is not loaded.
    fn run(&self, decode: impl FnOnce(&OpenObject, &Request<'_>, &Lineage) -> Decoding) -> Result<Run, Error> {
        let started_at = self.ingest.now();
        let job = self.job;
        self.ingest.progress.event(&Event::Started { object: &job.object });
        let bytes = match self.open() {
            Ok(bytes) => bytes,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let path_values = self.source.path.values(&job.object.key).unwrap_or_default();
        let request = self.request(&path_values);
        let object = object_id(job.version.key_number, job.version.generation);
        let lineage = Lineage { object, ingested_at: started_at, version: job.object.clone() };
        let (outcome, decoded) = match decode(&bytes, &request, &lineage) {
            Ok(decoded) => decoded,
            Err(error) => return self.refused(error, bytes).map(Err),
        };
        let digest = match bytes.finish() {
            Ok(digest) => digest,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let decoded = decoded.map_err(write_error)?;
        let receipt = self.receipt(started_at, digest, outcome, &decoded);
        Ok(Ok((Box::new(receipt), decoded)))
    }

    fn open(&self) -> Result<OpenObject, OpenError> {
        let (ingest, object) = (Arc::clone(self.ingest), self.job.object.clone());
        let on_bytes = Box::new(move |bytes| ingest.progress.event(&Event::Read { object: &object, bytes }));
        let (store, stop) = (Arc::clone(&self.ingest.store), self.ingest.stop.clone());
        OpenObject::new(store, &self.job.object, self.runtime.clone(), stop, on_bytes)
    }

    fn request<'a>(&'a self, path_values: &'a BTreeMap<String, String>) -> Request<'a> {
        request(self.ingest, self.source, &self.job.object, &self.source.format, &self.source.contract, path_values)
    }

    /// The decoder stopped: because of the data (held), because of the store (failed), or because of us (an error).
    fn refused(&self, error: stillhouse_decode::Error, bytes: OpenObject) -> Result<Loaded, Error> {
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

    fn receipt(&self, started_at: i64, digest: String, outcome: Outcome, decoded: &Decoded) -> Receipt {
        let tables = self.targets.tables.iter().zip(&decoded.rows);
        Receipt {
            bytes: self.job.object.size,
            counts: outcome.counts,
            started_at,
            decided: outcome.decided,
            tables: tables
                .map(|((name, _), rows)| (name.to_string(), TableCount { rows: *rows, files: Vec::new() }))
                .collect(),
            days: outcome.days,
            reasons: outcome.reasons,
            rejects: decoded.rejects.clone(),
            warnings: outcome.warnings,
            reading: Some(outcome.reading),
            content: content(self.ingest, self.source, &self.job.object, &digest),
            digest,
            ..blank_receipt(self.ingest, self.source, self.job)
        }
    }
}

/// How an object of `source` is decoded.
pub(crate) fn request<'a>(
    ingest: &Ingest,
    source: &Source,
    object: &ObjectVersion,
    format: &'a InputFormat,
    contract: &'a Contract,
    path_values: &'a BTreeMap<String, String>,
) -> Request<'a> {
    let path = path_values.get("yyyy").and_then(|year| year.parse().ok());
    Request {
        format,
        contract,
        max_record_bytes: source.max_record_bytes,
        path_values,
        year: YearHint { path, setting: format.year(), modified: ingest.year_of(object) },
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        rules: None,
    }
}

/// What every receipt of a job says. Revision, batch and seq are given when it is staged and published.
fn blank_receipt(ingest: &Ingest, source: &Source, job: &Job) -> Receipt {
    let now = ingest.now();
    Receipt {
        format: RECEIPT_FORMAT,
        object: job.object.clone(),
        key_number: job.version.key_number,
        generation: job.version.generation,
        replaces_from: job.replaces_from,
        offered_at: job.offered_at,
        started_at: now,
        decoded_at: now,
        source_fingerprint: source.fingerprint.clone(),
        decoder: concat!("stillhouse ", env!("CARGO_PKG_VERSION")).to_owned(),
        original: Original::Source,
        ..Receipt::default()
    }
}

/// The receipt of a file that is there no more: no rows, and those of its older versions go.
fn removal_receipt(ingest: &Ingest, source: &Source, job: &Job) -> Receipt {
    Receipt { removed: true, ..blank_receipt(ingest, source, job) }
}

/// The receipt of an object whose rows are in the tables already: it names them, and has none. A file that was changed
/// into what another one holds takes its own old rows out all the same.
fn twin_receipt(job: &Job, receipt: Box<Receipt>, twin: Twin) -> Box<Receipt> {
    let receipt = *receipt;
    let replaces_from = job.replaces_from_as_twin(VersionId::new(twin.key_number, twin.generation));
    Box::new(Receipt {
        counts: Counts::default(),
        tables: BTreeMap::new(),
        days: BTreeMap::new(),
        reasons: BTreeMap::new(),
        rejects: Vec::new(),
        replaces_from,
        twin: Some(twin),
        ..receipt
    })
}

pub(crate) fn write_error(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<stillhouse_lake::Error>() {
        Ok(lake) => (*lake).into(),
        Err(other) => Error::new(Kind::Bug, "rows cannot be written").with_source(other),
    }
}
