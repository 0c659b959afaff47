//! `stillhouse profile`: what is in the columns of a table or file.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use clap::Args;
use futures::StreamExt as _;
use serde_json::json;
use stillhouse_query::{ParquetRows, Profile, Profiler, RowStream, nearest};
use tokio_util::sync::CancellationToken;

use super::profile_csv::{self, CsvProfile};
use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::foreign_now::Foreign;
use crate::personal::{personal_columns, personal_fields};
use crate::printer::Printer;
use crate::profile_text::{self, Style};
use crate::surroundings;
use crate::tables_now::{Ceilings, Columns, TablesNow, no_column};

/// `profile`
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// The table or view, or a CSV or Parquet file.
    #[arg(value_name = "TABLE|FILE")]
    pub name: String,
    /// Only these columns, in this order.
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
    profile: Profile,
    personal: Vec<String>,
    notes: Vec<String>,
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
    Ok(Found { kind: "table", profile: looking.finish()?, personal, notes: Vec::new() })
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
    let mut personal = app.map(|app| personal_of_file(app, file)).unwrap_or_default();
    if !ParquetRows::are_in(file) {
        let CsvProfile { profile, personal: seeming, notes } = profile_csv::profile(file, args, stop)?;
        personal.extend(seeming);
        return Ok(Found { kind: "file", profile, personal, notes });
    }
    let rows = ParquetRows::open(file)?;
    let mut looking = Looking::new(rows.schema(), &args.columns, args, stop)?;
    for batch in rows {
        looking.look(&batch?)?;
    }
    Ok(Found { kind: "file", profile: looking.finish()?, personal, notes: Vec::new() })
}

/// What the contract of its source says about a file. If it belongs to none, what any contract says about columns of those
/// names: it may be an export.
fn personal_of_file(app: &App, file: &Path) -> Vec<String> {
    let key = file.canonicalize().map(|path| app.folder.key(&path.to_string_lossy())).unwrap_or_default();
    let sources = &app.project().sources;
    let own: Vec<_> = sources.iter().filter(|source| source.path.values(&key).is_some()).collect();
    let sources = if own.is_empty() { sources.iter().collect() } else { own };
    sources.into_iter().flat_map(personal_fields).collect()
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
    let Found { kind, profile, personal, notes } = found;
    let hidden = |name: &str| !args.show_personal && personal.iter().any(|column| column.eq_ignore_ascii_case(name));
    if printer.json() {
        let columns = profile_text::value(&profile, &hidden);
        printer.value(&json!({
            "format": 1, kind: args.name, "rows": profile.rows, "columns": columns, "notes": notes,
        }))?;
        return Ok(Exit::Done);
    }
    let style = Style { width: usize::from(surroundings::terminal_columns()), unicode: surroundings::unicode_wanted() };
    let title = profile_text::title(&args.name, &profile);
    printer.tell(format!("{title}{}", profile_text::text(&profile, &hidden, style)))?;
    for note in notes {
        printer.say(format!("note: {note}"));
    }
    Ok(Exit::Done)
}
