//! A file on its way into a profile: `sniff` proposes tables and types, and decode reads every record under them.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use stillhouse_decode::{Reject, Request, RowSink, Sink, SinkError, YearHint, decode, schemas};
use stillhouse_query::Profile;
use stillhouse_sniff::{FileFacts, Input, Note, Options, Proposal, propose};
use stillhouse_spec::{Contract, Inside, MaxRejected, Source};
use tokio_util::sync::CancellationToken;

use super::profile::{Looking, ProfileArgs};
use crate::failure::Failure;
use crate::looked_at::{Desk, NamedFile};
use crate::personal::personal_of_source;
use crate::tables_now::no_column;
use crate::text::plural;

/// Rows and bytes of a batch.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;
/// What `sniff` doubts of a file that counts for a profile as well.
const DOUBTS: [&str; 2] = ["other members", "encoding"];

/// What a file holds.
pub struct FileProfile {
    /// The records, then the objects of each array in them.
    pub tables: Vec<TableProfile>,
    pub notes: Vec<String>,
}

/// What is in one table.
pub struct TableProfile {
    /// How it would be called; empty for the records.
    pub name: String,
    /// The array whose objects these are: `posts.data[]`, inside of the records or of another table.
    pub from: String,
    /// Nothing where only columns of other tables are wanted.
    pub profile: Option<Profile>,
    /// Columns that seem to hold personal data.
    pub personal: Vec<String>,
}

/// Profiles what the user's path means: a file, or the members of an archive.
pub fn profile(
    shown: &str,
    files: &[NamedFile],
    folder: &Path,
    args: &ProfileArgs,
    stop: &CancellationToken,
) -> Result<FileProfile, Failure> {
    let desk = Desk::new(folder, None);
    let inputs: Vec<Input<'_>> = files.iter().map(|file| desk.input(file)).collect();
    let proposal = propose(&inputs, &Options::default())?;
    let source = everything(&proposal)?;
    let is_meant = |file: &&NamedFile| proposal.files.iter().any(|facts| facts.path == file.shown);
    let files: Vec<&NamedFile> = files.iter().filter(is_meant).collect();
    let mut rows = Rows::new(&source.contract, args, stop)?;
    for file in &files {
        // What a restart takes back is all that is known of one file, and only of one.
        if files.len() > 1 {
            let mut counting = Restarts(0);
            read(&desk, file, &source, &mut counting)?;
            rows.ahead = counting.0;
        }
        let done = read(&desk, file, &source, &mut rows);
        if let Some(failure) = rows.failure.take() {
            return Err(failure);
        }
        done?;
    }
    let notes = notes(shown, &proposal, rows.refused);
    Ok(FileProfile { tables: rows.finish(&source)?, notes })
}

/// Decodes a file under the proposal.
fn read<'a>(desk: &Desk<'a>, file: &'a NamedFile, source: &Source, sink: &mut dyn Sink) -> Result<(), Failure> {
    let failed = |message: String| Failure::failed(format!("`{}`: {message}", file.shown));
    let mut bytes = desk.open(file, source.encoding).map_err(|why| failed(why.message))?.bytes;
    let path_values: BTreeMap<String, String> = source.path.values(file.path()).unwrap_or_default();
    let request = Request {
        format: &source.format,
        contract: &source.contract,
        max_record_bytes: source.max_record_bytes,
        path_values: &path_values,
        year: YearHint {
            path: path_values.get("yyyy").and_then(|year| year.parse().ok()),
            setting: source.format.year(),
            modified: file.modified_year,
        },
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        rules: None,
    };
    decode(&mut *bytes, &request, sink).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// The proposal without what a table demands of its records: a profile leaves out as little as it can.
fn everything(proposal: &Proposal) -> Result<Source, Failure> {
    let source = Source::parse(&proposal.name, &proposal.source, &|_| None);
    let mut source = source.map_err(|problems| Failure::failed(format!("the proposal is no source: {problems}")))?;
    let contract = &mut source.contract;
    contract.max_rejected = MaxRejected::Share(10_000);
    // Items of lists are looked at in the column that has the lists.
    contract.children.clear();
    for column in &mut contract.parent.columns {
        column.required = false;
    }
    Ok(source)
}

fn notes(shown: &str, proposal: &Proposal, refused: u64) -> Vec<String> {
    let mut notes: Vec<String> = proposal.files.iter().filter_map(taken_off).collect();
    let doubts = proposal.doubts().filter(|note| DOUBTS.contains(&note.about.as_str()));
    notes.extend(doubts.map(|Note { text, .. }| text.clone()));
    notes.push(format!("types are proposals: `stillhouse sniff {shown} --explain` says where they come from"));
    if refused > 0 {
        notes.push(format!("left out, because these types do not fit: {}", plural(refused, "record")));
    }
    notes
}

/// What a file was packed in, and its encoding, where there is something to tell.
fn taken_off(file: &FileFacts) -> Option<String> {
    let encoding = file.encoding.filter(|encoding| *encoding != "utf-8");
    // That of members the name of their archive says.
    let packing = file.packing.as_deref().filter(|packing| *packing != "zip");
    let words: Vec<&str> = packing.into_iter().chain(encoding).collect();
    (!words.is_empty()).then(|| format!("{}: {}", file.path, words.join(", ")))
}

/// Counts how often decode begins anew.
struct Restarts(u64);

impl RowSink for Restarts {
    fn batch(&mut self, _: usize, _: RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }

    fn reject(&mut self, _: Reject) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Sink for Restarts {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.0 += 1;
        Ok(())
    }
}

/// A table whose rows are looked at.
struct Table {
    name: String,
    schema: SchemaRef,
    /// Places of the columns that are wanted.
    places: Vec<usize>,
}

/// Takes rows into profiles.
struct Rows<'a> {
    tables: Vec<Table>,
    /// One for each table; nothing where no column of it is wanted.
    looking: Vec<Option<Looking<'a>>>,
    args: &'a ProfileArgs,
    stop: &'a CancellationToken,
    /// So many restarts are still to come: what comes before them is void.
    ahead: u64,
    refused: u64,
    failure: Option<Failure>,
}

impl<'a> Rows<'a> {
    fn new(contract: &Contract, args: &'a ProfileArgs, stop: &'a CancellationToken) -> Result<Self, Failure> {
        let tables = wanted(contract, &args.columns)?;
        let mut rows = Self { tables, looking: Vec::new(), args, stop, ahead: 0, refused: 0, failure: None };
        rows.begin()?;
        Ok(rows)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.refused = 0;
        let looking = |table: &Table| {
            let is_wanted = !table.places.is_empty();
            is_wanted.then(|| Looking::at(&table.schema, table.places.clone(), self.args, self.stop)).transpose()
        };
        self.looking = self.tables.iter().map(looking).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Decode carries errors of its sink as texts; the failure itself waits here.
    fn keep(&mut self, result: Result<(), Failure>) -> Result<(), SinkError> {
        result.map_err(|failure| {
            let text = failure.message.clone();
            self.failure = Some(failure);
            text.into()
        })
    }

    fn finish(self, source: &Source) -> Result<Vec<TableProfile>, Failure> {
        let mut profiles = Vec::new();
        for (number, (table, looking)) in self.tables.into_iter().zip(self.looking).enumerate() {
            let personal = personal_of_source(source, &table.name);
            let profile = looking.map(Looking::finish).transpose()?;
            let (name, from) = match number.checked_sub(1) {
                None => (String::new(), String::new()),
                Some(nested) => (table.name, place_of(&source.contract, nested)),
            };
            profiles.push(TableProfile { name, from, profile, personal });
        }
        Ok(profiles)
    }
}

/// Where the rows of a nested table stand first.
fn place_of(contract: &Contract, nested: usize) -> String {
    let place = &contract.nested[nested].places[0];
    match place.inside {
        Inside::Parent => format!("{}[]", place.path),
        Inside::Nested(outer) => format!("{}.{}[]", contract.nested[outer].name, place.path),
    }
}

/// The tables with the columns that are wanted of them: all of their own, or those that are named `COLUMN` or `TABLE.COLUMN`.
fn wanted(contract: &Contract, columns: &[String]) -> Result<Vec<Table>, Failure> {
    let mut tables: Vec<Table> = Vec::new();
    for (name, schema) in schemas(contract) {
        let own = |place: &usize| !schema.field(*place).name().starts_with('_');
        let places = (0..schema.fields().len()).filter(|place| columns.is_empty() && own(place)).collect();
        tables.push(Table { name: name.to_string(), schema, places });
    }
    for named in columns {
        let place = |table: usize, column: &str| {
            let place = tables.get(table)?.schema.index_of(column).ok()?;
            Some((table, place))
        };
        let inner = || {
            let (table, column) = named.split_once('.')?;
            let number = tables.iter().skip(1).position(|known| known.name == table)?;
            place(number + 1, column)
        };
        let Some((table, place)) = place(0, named).or_else(inner) else {
            return Err(no_column(named, all_columns(&tables).iter()));
        };
        tables[table].places.push(place);
    }
    Ok(tables)
}

/// As `--columns` names them.
fn all_columns(tables: &[Table]) -> Vec<String> {
    let of = |(number, table): (usize, &Table)| {
        let table_name = if number == 0 { String::new() } else { format!("{}.", table.name) };
        let names = table.schema.fields().iter().map(|field| field.name().clone());
        names.filter(|name| !name.starts_with('_')).map(|name| format!("{table_name}{name}")).collect::<Vec<_>>()
    };
    tables.iter().enumerate().flat_map(of).collect()
}

impl RowSink for Rows<'_> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        if self.ahead > 0 {
            return Ok(());
        }
        let looked = match &mut self.looking[table] {
            Some(looking) => looking.look(&batch),
            None => Ok(()),
        };
        self.keep(looked)
    }

    fn reject(&mut self, _: Reject) -> Result<(), SinkError> {
        self.refused += u64::from(self.ahead == 0);
        Ok(())
    }
}

impl Sink for Rows<'_> {
    fn restart(&mut self) -> Result<(), SinkError> {
        if self.ahead > 0 {
            self.ahead -= 1;
            return Ok(());
        }
        let begun = self.begin();
        self.keep(begun)
    }
}
