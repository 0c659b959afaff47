//! A CSV file on its way into a profile: `sniff` proposes the types, and decode reads every record under them.

use std::path::Path;

use arrow::array::RecordBatch;
use stillhouse_decode::{Reject, Request, RowSink, Sink, SinkError, YearHint, decode, schemas};
use stillhouse_query::Profile;
use stillhouse_sniff::{Input, Options, inside, propose};
use stillhouse_spec::{MaxRejected, Source};
use tokio_util::sync::CancellationToken;

use super::profile::{Looking, ProfileArgs};
use super::sniff::OpenFile;
use crate::failure::Failure;
use crate::personal::personal_fields;
use crate::text::plural;

/// The name of the table that the file would become; nobody sees it.
const TABLE: &str = "file";
/// Rows and bytes of a batch.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;

/// What a file holds.
pub struct CsvProfile {
    pub profile: Profile,
    /// Columns that seem to hold personal data.
    pub personal: Vec<String>,
    pub notes: Vec<String>,
}

/// Profiles the file at `place`, which messages call `shown`.
pub fn profile(place: &Path, args: &ProfileArgs, stop: &CancellationToken) -> Result<CsvProfile, Failure> {
    let shown = place.display().to_string();
    let failed = |error: std::io::Error| Failure::usage(format!("`{shown}` cannot be read")).because(&error);
    let modified = place.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
    let modified = jiff::Timestamp::try_from(modified).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).year();
    let path = inside(&shown);
    let at = place.to_owned();
    let input = Input {
        path: path.clone(),
        shown: shown.clone(),
        outside: false,
        modified_year: modified,
        open: Box::new(move || Ok(Box::new(OpenFile::open(&at)?))),
    };
    let proposal = propose(&[input], &Options { name: Some(TABLE.to_owned()), ..Options::default() })?;
    let source = everything(&proposal.source)?;
    let request = Request {
        format: &source.format,
        contract: &source.contract,
        max_record_bytes: source.max_record_bytes,
        path_values: &source.path.values(&path).unwrap_or_default(),
        year: YearHint { path: None, setting: None, modified },
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        rules: None,
    };
    let mut rows = Rows::new(&source, args, stop)?;
    let mut file = OpenFile::open(place).map_err(|error| Failure::failed(format!("`{shown}`: {error}")))?;
    let decoded = decode(&mut file, &request, &mut rows);
    if let Some(failure) = rows.failure {
        return Err(failure);
    }
    decoded.map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
    let mut notes =
        vec![format!("types are proposals: `stillhouse sniff {shown} --explain` says where they come from")];
    if rows.refused > 0 {
        notes.push(format!("left out, because these types do not fit: {}", plural(rows.refused, "record")));
    }
    Ok(CsvProfile { profile: rows.looking.finish()?, personal: personal_fields(&source), notes })
}

/// The proposal without what a table demands of its records: a profile leaves out as little as it can.
fn everything(text: &str) -> Result<Source, Failure> {
    let source = Source::parse(TABLE, text, &|_| None);
    let mut source = source.map_err(|problems| Failure::failed(format!("the proposal is no source: {problems}")))?;
    let contract = &mut source.contract;
    contract.max_rejected = MaxRejected::Share(10_000);
    contract.children.clear();
    for column in &mut contract.parent.columns {
        column.required = false;
    }
    Ok(source)
}

/// Takes rows into a profile; a restart begins it anew.
struct Rows<'a> {
    looking: Looking<'a>,
    begin: Box<dyn Fn() -> Result<Looking<'a>, Failure> + 'a>,
    refused: u64,
    failure: Option<Failure>,
}

impl<'a> Rows<'a> {
    fn new(source: &Source, args: &'a ProfileArgs, stop: &'a CancellationToken) -> Result<Self, Failure> {
        let tables = schemas(&source.contract);
        let (_, schema) = tables.into_iter().next().ok_or_else(|| Failure::failed("the proposal has no table"))?;
        let own = |name: &String| !name.starts_with('_');
        let names = schema.fields().iter().map(|field| field.name().clone()).filter(own).collect();
        let columns: Vec<String> = if args.columns.is_empty() { names } else { args.columns.clone() };
        let begin = move || Looking::new(&schema, &columns, args, stop);
        Ok(Self { looking: begin()?, begin: Box::new(begin), refused: 0, failure: None })
    }

    /// Decode carries errors of its sink as texts; the failure itself waits here.
    fn keep(&mut self, result: Result<(), Failure>) -> Result<(), SinkError> {
        result.map_err(|failure| {
            let text = failure.message.clone();
            self.failure = Some(failure);
            text.into()
        })
    }
}

impl RowSink for Rows<'_> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        let looked = if table == 0 { self.looking.look(&batch) } else { Ok(()) };
        self.keep(looked)
    }

    fn reject(&mut self, _: Reject) -> Result<(), SinkError> {
        self.refused += 1;
        Ok(())
    }
}

impl Sink for Rows<'_> {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.refused = 0;
        let begun = (self.begin)().map(|looking| self.looking = looking);
        self.keep(begun)
    }
}
