//! `stillhouse profile`: what is in the columns of a table or file.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use clap::Args;
use futures::StreamExt as _;
use serde_json::{Value, json};
use stillhouse_query::{ParquetRows, Profile, Profiler, RowStream, nearest};
use tokio_util::sync::CancellationToken;

use super::profile_file::{self, FileProfile, TableProfile};
use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::foreign_now::Foreign;
use crate::looked_at::{NamedFile, spill_folder};
use crate::personal::{personal_columns, personal_fields_of_all};
use crate::printer::Printer;
use crate::profile_text::{self, Style};
use crate::surroundings;
use crate::tables_now::{Ceilings, Columns, TablesNow, no_column};

/// `profile`
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// The table or view, or a file that `sniff` can look at.
    #[arg(value_name = "TABLE|FILE")]
    pub name: String,
    /// Only these columns, in this order; of tables inside of a file's records `TABLE.COLUMN`.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// How many frequent values of a column to show.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub top: u8,
    /// Values of columns with personal data (`pii = true`), too.
    #[arg(long)]
    pub show_personal: bool,
}

/// Profiles what the command line names: a table, if there is one of that name, else a file.
pub async fn profile(cli: &Cli, args: &ProfileArgs, stop: &CancellationToken) -> Result<Exit, Failure> {
    let printer = Printer::new(cli);
    let is_project = cli.directory.join("stillhouse.toml").is_file();
    let file = Path::new(&args.name);
    if !is_project && file.is_file() {
        return show(printer, args, of_file(file, None, args, stop)?);
    }
    let app = App::open(cli).await?;
    let tables = TablesNow::open_with(&app, Ceilings::WholeTables, Foreign::All).await?;
    let is_table = tables.session.tables().contains(&args.name);
    let found = match (is_table, file_of(&app, &args.name)) {
        (true, _) => of_table(&app, &tables, args, stop).await?,
        (false, Some(file)) => of_file(&file, Some(&app), args, stop)?,
        (false, None) => {
            let hint = nearest("tables", &args.name, tables.session.tables());
            return Err(Failure::usage(format!("there is no table and no file `{}`", args.name)).hint(hint));
        }
    };
    show(printer, args, found)
}

/// A profile, and what belongs to it.
struct Found {
    /// `table` or `file`.
    kind: &'static str,
    /// The rows that were asked for, then those of tables inside of them.
    tables: Vec<TableProfile>,
    notes: Vec<String>,
}

impl Found {
    fn one(kind: &'static str, profile: Profile, personal: Vec<String>) -> Self {
        let (name, from) = (String::new(), String::new());
        Self { kind, tables: vec![TableProfile { name, from, profile: Some(profile), personal }], notes: Vec::new() }
    }
}

/// A file as it is named, or below the project folder.
fn file_of(app: &App, name: &str) -> Option<PathBuf> {
    [PathBuf::from(name), app.folder.resolve(name)].into_iter().find(|path| path.is_file())
}

async fn of_table(
    app: &App,
    tables: &TablesNow,
    args: &ProfileArgs,
    stop: &CancellationToken,
) -> Result<Found, Failure> {
    let columns = if args.columns.is_empty() { Columns::Own } else { Columns::Named(&args.columns) };
    let stream = tables.rows(&args.name, columns).await?;
    let mut looking = Looking::new(&stream.schema(), &[], args, stop)?;
    let mut batches = ahead(stream);
    while let Some(batch) = batches.recv().await {
        tokio::task::block_in_place(|| looking.look(&batch?))?;
    }
    let personal = personal_columns(app.project(), &args.name);
    Ok(Found::one("table", looking.finish()?, personal))
}

/// Batches that may wait while others are looked at.
const AHEAD: usize = 4;

/// Reads while others look.
fn ahead(mut stream: RowStream) -> tokio::sync::mpsc::Receiver<Result<RecordBatch, stillhouse_query::Error>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(batch) = stream.next().await {
            if sender.send(batch).await.is_err() {
                break; // nobody looks any more
            }
        }
    });
    receiver
}

fn of_file(file: &Path, app: Option<&App>, args: &ProfileArgs, stop: &CancellationToken) -> Result<Found, Failure> {
    let personal = app.map(|app| personal_of_file(app, file)).unwrap_or_default();
    if ParquetRows::are_in(file) {
        let rows = ParquetRows::open(file)?;
        // Rows of objects are taken apart like those of any other file.
        if !rows.schema().fields().iter().any(|field| holds_objects(field.data_type())) {
            let mut looking = Looking::new(rows.schema(), &args.columns, args, stop)?;
            for batch in rows {
                looking.look(&batch?)?;
            }
            return Ok(Found::one("file", looking.finish()?, personal));
        }
    }
    let root = app.map(|app| app.folder.root.as_path());
    let files = NamedFile::all(Path::new(&args.name), root.unwrap_or(Path::new(".")), root)?;
    let FileProfile { mut tables, notes } = profile_file::profile(&args.name, &files, &spill_folder(root), args, stop)?;
    tables.iter_mut().for_each(|table| table.personal.extend(personal.iter().cloned()));
    Ok(Found { kind: "file", tables, notes })
}

/// Whether a column holds objects, or arrays of them.
fn holds_objects(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) | DataType::Map(..) => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            holds_objects(item.data_type())
        }
        _ => false,
    }
}

/// What the contract of its source says about a file. If it belongs to none, what any contract says about columns of those
/// names: it may be an export.
fn personal_of_file(app: &App, file: &Path) -> Vec<String> {
    let key = file.canonicalize().map(|path| app.folder.key(&path.to_string_lossy())).unwrap_or_default();
    let sources = &app.project().sources;
    let own: Vec<_> = sources.iter().filter(|source| source.path.object_of(&key).is_some()).collect();
    let sources = if own.is_empty() { sources.iter().collect() } else { own };
    sources.into_iter().flat_map(personal_fields_of_all).collect()
}

/// A profiler that looks at chosen columns until somebody wants it to stop.
pub struct Looking<'a> {
    profiler: Profiler,
    places: Vec<usize>,
    stop: &'a CancellationToken,
}

impl<'a> Looking<'a> {
    /// For rows of these columns.
    pub fn new(
        schema: &Schema,
        columns: &[String],
        args: &ProfileArgs,
        stop: &'a CancellationToken,
    ) -> Result<Self, Failure> {
        let names = || schema.fields().iter().map(|field| field.name());
        let place = |name: &String| schema.index_of(name).map_err(|_| no_column(name, names()));
        let places: Vec<usize> = match columns {
            [] => (0..schema.fields().len()).collect(),
            columns => columns.iter().map(place).collect::<Result<_, _>>()?,
        };
        Self::at(schema, places, args, stop)
    }

    /// For rows of the columns at these places.
    pub fn at(
        schema: &Schema,
        places: Vec<usize>,
        args: &ProfileArgs,
        stop: &'a CancellationToken,
    ) -> Result<Self, Failure> {
        let chosen = schema.project(&places);
        let chosen = chosen.map_err(|error| Failure::failed("columns cannot be chosen").because(&error))?;
        let profiler = Profiler::new(&chosen, usize::from(args.top), surroundings::processors())?;
        Ok(Self { profiler, places, stop })
    }

    /// Looks at some rows.
    pub fn look(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        if self.stop.is_cancelled() {
            return Err(Failure::failed("stopped"));
        }
        let chosen = batch.project(&self.places);
        let chosen = chosen.map_err(|error| Failure::failed("columns cannot be chosen").because(&error))?;
        Ok(self.profiler.update(&chosen)?)
    }

    /// What there was to see.
    pub fn finish(self) -> Result<Profile, Failure> {
        Ok(self.profiler.finish()?)
    }
}

fn show(printer: Printer, args: &ProfileArgs, found: Found) -> Result<Exit, Failure> {
    let Found { kind, tables, notes } = found;
    if printer.json() {
        printer.value(&json_of(kind, args, &tables, &notes))?;
        return Ok(Exit::Done);
    }
    let style = Style { width: usize::from(surroundings::terminal_columns()), unicode: surroundings::unicode_wanted() };
    let mut text = String::new();
    for TableProfile { name, from, profile, personal } in &tables {
        let Some(profile) = profile else { continue };
        let title = match name.as_str() {
            "" => profile_text::title(&args.name, profile),
            name => profile_text::inner_title(name, from, profile),
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&title);
        text.push_str(&profile_text::text(profile, &hidden(args, personal), style));
    }
    printer.tell(text)?;
    for note in notes {
        printer.say(format!("note: {note}"));
    }
    Ok(Exit::Done)
}

/// Which columns show no value.
fn hidden(args: &ProfileArgs, personal: &[String]) -> impl Fn(&str) -> bool {
    move |name| !args.show_personal && personal.iter().any(|column| column.eq_ignore_ascii_case(name))
}

/// The profile for programs; docs/reference/profile.md says what stands in it.
fn json_of(kind: &str, args: &ProfileArgs, tables: &[TableProfile], notes: &[String]) -> Value {
    let rows = |table: &TableProfile| table.profile.as_ref().map(|profile| profile.rows);
    let columns = |table: &TableProfile| {
        let value = |profile| profile_text::value(profile, &hidden(args, &table.personal));
        table.profile.as_ref().map(value).unwrap_or_default()
    };
    let mut value = json!({ "format": 1, kind: args.name, "notes": notes });
    let (first, inner) = tables.split_first().unzip();
    value["rows"] = json!(first.and_then(rows));
    value["columns"] = json!(first.map(columns).unwrap_or_default());
    if kind == "file" {
        let inner = inner.unwrap_or_default().iter().filter(|table| table.profile.is_some());
        let inner = inner.map(|table| {
            json!({
                "name": table.name, "from": table.from, "rows": rows(table), "columns": columns(table),
            })
        });
        value["tables"] = inner.collect();
    }
    value
}
