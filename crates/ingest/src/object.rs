//! One object of a claim: decoded to its end, with the receipt that it gets, or why it is not loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stillhouse_decode::{
    Outcome, Reject, Request, RowRules, RowSink as _, SinkError, Threads, YearHint, decode_parts, decode_parts_shared,
};
use stillhouse_ledger::{Job, VersionId};
use stillhouse_spec::{
    Choice, Contract, Counts, DataType, InputFormat, NewField, ObjectVersion, Original, RECEIPT_FORMAT, Receipt,
    RejectPlace, Source, TableCount, Twin, UnknownColumns, object_id,
};
use tokio::runtime::Handle;

use crate::content::content;
use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::open::{Content, OnBytes, OpenError, Partial};
use crate::progress::Event;
use crate::same::Twins;
use crate::sink::{Decoded, FilesSink, ObjectSink};
use crate::stage::BatchFiles;
use crate::targets::{Lineage, TargetTables};

/// Rows and bytes that the decoder hands over at once: large enough for the Parquet encoder, small beside the ceiling.
const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 8 << 20;

/// An object may bring so many fields that its contract does not know; one whose names are values has no end of them.
pub(crate) const ADDED_MAX: usize = 1_000;

/// What became of one job of a claim.
pub(crate) enum Loaded {
    /// Its rows are in the files of the batch.
    Accepted(Box<Receipt>),
    /// It will not load until somebody acts.
    Held { message: String, hint: Option<String> },
    /// It could not be read; the next run tries again.
    Failed { message: String },
    /// It has fields for which its source wants columns added: all of the claim is read again with them.
    MoreColumns(Vec<NewField>),
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
    /// Objects whose fields do not become columns.
    pub(crate) given_up: &'a BTreeSet<VersionId>,
}

impl ObjectLoad<'_> {
    /// Its batch is about to be staged; or it is held, or failed.
    pub(crate) fn tell(&self, outcome: &Loaded) {
        let counts = match outcome {
            Loaded::Accepted(receipt) => Some(receipt.counts),
            Loaded::Held { .. } | Loaded::Failed { .. } | Loaded::MoreColumns(_) => None,
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
            let mut outcome = decode_parts_shared(bytes, request, &sink, Threads::new(threads.count()))?;
            let told = refuse_ends(bytes, &mut outcome, |reject| sink.refuse(reject));
            Ok((outcome, told.map(|()| sink.finish())))
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
            let mut outcome = decode_parts(bytes, request, &mut sink)?;
            let told = refuse_ends(bytes, &mut outcome, |reject| sink.reject(reject));
            Ok((outcome, told.and_then(|()| sink.into_decoded())))
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
    fn run(&self, decode: impl FnOnce(&Content<'_>, &Request<'_>, &Lineage) -> Decoding) -> Result<Run, Error> {
        let started_at = self.ingest.now();
        let job = self.job;
        if self.given_up.contains(&job.version) {
            return Ok(Err(Loaded::Held {
                message: format!("it brings more than {ADDED_MAX} fields that the contract does not know"),
                hint: Some("set `unknown_columns` to \"json\" or \"ignore\" in the source file".to_owned()),
            }));
        }
        self.ingest.progress.event(&Event::Started { object: &job.object });
        let bytes = match self.open() {
            Ok(bytes) => bytes,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let rules = match rules(self.ingest, self.source) {
            Ok(rules) => rules,
            Err(held) => return Ok(Err(held)),
        };
        let path_values = self.source.path.values(&job.object.key).unwrap_or_default();
        let Self { ingest, source, .. } = self;
        let (format, contract) = (&source.format, &source.contract);
        let request = request(ingest, source, &job.object, format, contract, &path_values, rules.as_deref());
        let object = object_id(job.version.key_number, job.version.generation);
        let lineage = Lineage { object, ingested_at: started_at, version: job.object.clone() };
        let (mut outcome, decoded) = match decode(&bytes, &request, &lineage) {
            Ok(decoded) => decoded,
            Err(error) => return self.refused(error, bytes).map(Err),
        };
        let found = bytes.found();
        let digest = match bytes.finish() {
            Ok(digest) => digest,
            Err(error) => return Self::unreadable(&error).map(Err),
        };
        let decoded = decoded.map_err(write_error)?;
        outcome.decided.extend(found.decided);
        outcome.warnings.extend(found.warnings);
        let added = self.source.contract.added_fields();
        if !added.is_empty() {
            let added = serde_json::json!(added).to_string();
            outcome.decided.insert(ADDED_COLUMNS.to_owned(), Choice::detected(added));
        }
        let receipt = self.receipt(started_at, digest, outcome, &decoded);
        Ok(Ok((Box::new(receipt), decoded)))
    }

    fn open(&self) -> Result<Content<'_>, OpenError> {
        let (ingest, object) = (Arc::clone(self.ingest), self.job.object.clone());
        let on_bytes: OnBytes = Arc::new(move |bytes| ingest.progress.event(&Event::Read { object: &object, bytes }));
        Content::open(self.ingest, self.source, &self.job.object, self.runtime, &on_bytes)
    }

    /// The decoder stopped: because of the data (held), because of the store (failed), or because of us (an error).
    fn refused(&self, error: stillhouse_decode::Error, bytes: Content<'_>) -> Result<Loaded, Error> {
        if error.is_held() {
            // A file that was cut while it was read looks broken; then its state decides, not what was seen of it.
            if let Err(changed) = bytes.finish() {
                return Self::unreadable(&changed);
            }
            return Ok(Loaded::Held { message: error.to_string(), hint: error.hint().map(str::to_owned) });
        }
        match error.kind() {
            stillhouse_decode::Kind::MoreColumns => Ok(Loaded::MoreColumns(error.columns().to_vec())),
            stillhouse_decode::Kind::Source => match error.into_source() {
                Some(source) => Self::unreadable(&OpenError::of(source)),
                None => Err(Error::new(Kind::Bug, format!("`{}` cannot be read", self.job.object.key))),
            },
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
            OpenError::Store(_) | OpenError::Disk(_) => Ok(Loaded::Failed { message: error.to_string() }),
            OpenError::Held { message, hint } => Ok(Loaded::Held { message: message.clone(), hint: hint.clone() }),
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

/// What a receipt calls the fields for which columns were added, a JSON array.
const ADDED_COLUMNS: &str = "added columns";

/// The source with columns for these fields. JSON values may be of any kind, all others are texts.
pub(crate) fn with_columns(source: &Source, fields: &[NewField]) -> Source {
    let mut source = source.clone();
    let data_type = if matches!(source.format, InputFormat::Json(_)) { DataType::Json } else { DataType::String };
    source.contract.add_columns(fields, &data_type);
    source
}

/// The source with the columns that were added for an object when it was loaded.
pub(crate) fn as_loaded(source: &Source, receipt: &Receipt) -> Source {
    let added =
        receipt.decided.get(ADDED_COLUMNS).and_then(|added| serde_json::from_str::<Vec<NewField>>(&added.value).ok());
    let mut source = with_columns(source, &added.unwrap_or_default());
    if source.contract.unknown_columns == UnknownColumns::Add {
        // Which these are has been decided.
        source.contract.unknown_columns = UnknownColumns::Ignore;
    }
    source
}

/// Nobody wants to hear of bytes.
pub(crate) fn unheard() -> OnBytes {
    Arc::new(|_| ())
}

/// What the contract of a source says in SQL, if it does; or why its objects are held.
pub(crate) fn rules(ingest: &Ingest, source: &Source) -> Result<Option<Box<dyn RowRules + Send>>, Loaded> {
    if !source.contract.has_sql() {
        return Ok(None);
    }
    (ingest.rules)(&source.contract).map(Some).map_err(|message| Loaded::Held {
        message,
        hint: Some("correct `where` or `derive` in the source file".to_owned()),
    })
}

/// A stream that breaks off has one record more, of which nobody knows the end. Those of a folder's parts come behind the
/// records of all of them.
pub(crate) fn refuse_ends(
    content: &Content<'_>,
    outcome: &mut Outcome,
    mut refuse: impl FnMut(Reject) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    content.found().partials.iter().try_for_each(|partial| refuse(refused_end(partial, outcome)))
}

fn refused_end(partial: &Partial, outcome: &mut Outcome) -> Reject {
    let place = RejectPlace {
        record: outcome.counts.read,
        part: partial.part.clone(),
        line: partial.line,
        offset: partial.offset,
        bytes: partial.bytes.len() as u64,
        column: None,
        reason: BROKEN_STREAM.to_owned(),
        expected: "the rest of the file".to_owned(),
        found: partial.why.clone(),
    };
    outcome.counts.read += 1;
    outcome.counts.quarantined += 1;
    *outcome.reasons.entry(BROKEN_STREAM.to_owned()).or_default() += 1;
    Reject { place, raw: Some(partial.bytes.clone()), pii: true }
}

/// A packed file breaks off in the middle of this record, or its checksum is wrong from here on.
const BROKEN_STREAM: &str = "broken_stream";

/// How an object of `source` is decoded; `rules`: what [`rules`] made of its contract.
pub(crate) fn request<'a>(
    ingest: &Ingest,
    source: &Source,
    object: &ObjectVersion,
    format: &'a InputFormat,
    contract: &'a Contract,
    path_values: &'a BTreeMap<String, String>,
    rules: Option<&'a (dyn RowRules + Send)>,
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
        rules: rules.map(|rules| rules as _),
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
