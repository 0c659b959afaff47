//! `stillhouse export`: a table, an answer or a report as a file for other programs.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use futures::StreamExt as _;
use serde_json::json;
use stillhouse_query::{RowStream, nearest};
use stillhouse_report::QueryView;
use stillhouse_report::render::{Formulas, RowsForm, RowsWriter};
use stillhouse_spec::PeriodChoice;
use tokio_util::sync::CancellationToken;

use super::report::find;
use super::sql::{params, text_or_stdin};
use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::foreign_now::Foreign;
use crate::new_file::{Existing, NewFile, cannot_write};
use crate::printer::Printer;
use crate::prompt::with_place;
use crate::report_runs::Reporter;
use crate::tables_now::{Ceilings, Columns, TablesNow, no_column};
use crate::text::{bytes, plural};

/// `export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The table or view; with `--report`, the period.
    #[arg(value_name = "TABLE")]
    pub name: Option<String>,
    /// The answer to a query instead of a table; `-` reads it from standard input.
    #[arg(long, value_name = "SQL", conflicts_with_all = ["name", "report"])]
    pub query: Option<String>,
    /// A parameter of the query, bound as `$NAME`. May be repeated.
    #[arg(short, long = "param", value_name = "NAME=VALUE", requires = "query")]
    pub params: Vec<String>,
    /// A query of a report instead of a table. The query can be left out if there is one only.
    #[arg(long, value_name = "REPORT/QUERY")]
    pub report: Option<String>,
    /// The file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The form; without it, as the file's name ends.
    #[arg(long, value_enum)]
    pub form: Option<ExportForm>,
    /// Only these columns, in this order.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// With the columns `_object`, `_record` and `_ingested_at` of a table.
    #[arg(long)]
    pub lineage: bool,
    /// CSV for programs: texts that a spreadsheet takes for formulas stay as they are.
    #[arg(long)]
    pub raw: bool,
    /// Replace the file if it is there already.
    #[arg(long)]
    pub force: bool,
}

/// The form of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// Comma-separated text, safe to open in a spreadsheet.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Parquet with exact types.
    Parquet,
}

/// Exports what the command line names.
pub async fn export(cli: &Cli, args: &ExportArgs, stop: &CancellationToken) -> Result<Exit, Failure> {
    let target = Target::find(cli, args)?;
    let app = App::open(cli).await?;
    let written = match (&args.name, &args.query, &args.report) {
        (name, None, Some(report)) => {
            let view = report_query(&app, report, name.as_deref()).await?;
            let rows = Rows { schema: view.schema.clone(), source: Source::Whole(Box::new(view)) };
            target.write(rows, args, stop).await?
        }
        (None, Some(query), None) => {
            let tables = TablesNow::open_with(&app, Ceilings::AnyRows, Foreign::All).await?;
            let text = text_or_stdin(query)?;
            let stream = tables.session.stream(&text, &params(&args.params)?).await;
            let stream = stream.map_err(|error| with_place(&text, error.into()))?;
            target.write(Rows { schema: stream.schema(), source: Source::Stream(stream) }, args, stop).await?
        }
        (Some(table), None, None) => {
            let tables = TablesNow::open_with(&app, Ceilings::WholeTables, Foreign::All).await?;
            let columns = match (args.columns.as_slice(), args.lineage) {
                ([], false) => Columns::Own,
                ([], true) => Columns::All,
                (named, _) => Columns::Named(named),
            };
            let stream = tables.rows(table, columns).await?;
            target.write(Rows { schema: stream.schema(), source: Source::Stream(stream) }, args, stop).await?
        }
        _ => {
            return Err(Failure::usage("nothing to export is named")
                .hint("name a table, or use `--query SQL` or `--report NAME/QUERY`; see `stillhouse tables`"));
        }
    };
    target.tell(app.printer, &written)
}

/// The latest state of one query of a report.
async fn report_query(app: &App, name: &str, period: Option<&str>) -> Result<QueryView, Failure> {
    let (name, query) = name.split_once('/').map_or((name, None), |(name, query)| (name, Some(query)));
    let report = find(app, name)?;
    let known: Vec<String> = report.queries.iter().map(|query| query.name.to_string()).collect();
    let query = match (query, known.as_slice()) {
        (None, [only]) => only.as_str(),
        (None, _) => {
            return Err(Failure::usage(format!("report `{name}` has {} queries", known.len())).hint(format!(
                "name one, such as `--report {name}/{}`; all of them at once: `stillhouse report run {name} --out DIR`",
                known.first().map_or("QUERY", String::as_str)
            )));
        }
        (Some(query), _) if known.iter().any(|name| name == query) => query,
        (Some(query), _) => {
            return Err(Failure::usage(format!("report `{name}` has no query `{query}`"))
                .hint(nearest("queries", query, &known)));
        }
    };
    let asked = match period {
        Some(text) => text.parse::<PeriodChoice>().map_err(|error| Failure::usage(error.to_string()))?,
        None => report.period.default,
    };
    let asked = asked.resolve(app.today());
    let mut views = Reporter::open(app).await?.run(report, asked).await?;
    let (Some(view), true) = (views.pop(), views.is_empty()) else {
        return Err(Failure::usage(format!("report `{name}` does not have exactly one period in `{asked}`"))
            .hint("name a period as long as the report's own, for which data is loaded"));
    };
    for reason in &view.reasons {
        app.printer.say(format!("{} {} {}: {reason}", view.report, view.period, view.completeness));
    }
    let found = view.queries.into_iter().find(|view| view.name == query);
    found.ok_or_else(|| Failure::failed(format!("the run of `{name}` has no result for `{query}`")))
}

/// What is exported.
struct Rows {
    schema: arrow::datatypes::SchemaRef,
    source: Source,
}

enum Source {
    Stream(RowStream),
    Whole(Box<QueryView>),
}

/// Where it goes, and in which form.
struct Target {
    to: PathBuf,
    form: RowsForm,
    existing: Existing,
}

/// What was written.
struct Written {
    rows: u64,
    /// Not known when the reader of a pipe left.
    bytes: Option<u64>,
}

impl Target {
    /// Looks at everything that can be known before any work is done.
    fn find(cli: &Cli, args: &ExportArgs) -> Result<Self, Failure> {
        let is_pipe = args.to == Path::new("-");
        if is_pipe && cli.json {
            return Err(Failure::usage("`--json` and `--to -` both want standard output")
                .hint("leave out `--json`, or name a file"));
        }
        let form = match (args.form, is_pipe) {
            (Some(form), _) => form,
            (None, true) => ExportForm::Csv,
            (None, false) => form_of(&args.to)?,
        };
        let form = match form {
            ExportForm::Csv => RowsForm::Csv(if args.raw { Formulas::Keep } else { Formulas::Guard }),
            ExportForm::Jsonl => RowsForm::JsonLines,
            ExportForm::Parquet => RowsForm::Parquet,
        };
        let existing = if args.force { Existing::Replace } else { Existing::Refuse };
        if !is_pipe {
            NewFile::check(&args.to, existing)?;
        }
        Ok(Self { to: args.to.clone(), form, existing })
    }

    async fn write(&self, rows: Rows, args: &ExportArgs, stop: &CancellationToken) -> Result<Written, Failure> {
        if self.to != Path::new("-") {
            let file = NewFile::create(&self.to, self.existing)?;
            let failed = |error: io::Error| cannot_write(&self.to, &error);
            let (rows, file) = copy(rows, args, self.form, file, stop, failed).await?;
            return Ok(Written { rows, bytes: Some(file.publish()?) });
        }
        let mut pipe = Pipe { out: io::stdout(), bytes: 0, is_closed: false };
        let failed = |error: io::Error| Failure::failed("standard output cannot be written").because(&error);
        let out = BufWriter::with_capacity(PIPE_BYTES, &mut pipe);
        let copied = copy(rows, args, self.form, out, stop, failed).await.map(|(rows, _)| rows);
        match copied {
            Ok(rows) => Ok(Written { rows, bytes: Some(pipe.bytes) }),
            // Whoever reads has enough: that is no failure.
            Err(_) if pipe.is_closed => Ok(Written { rows: 0, bytes: None }),
            Err(failure) => Err(failure),
        }
    }

    fn tell(&self, printer: Printer, written: &Written) -> Result<Exit, Failure> {
        let &Written { rows, bytes: Some(size) } = written else { return Ok(Exit::Done) };
        let file = self.to.display();
        if printer.json() {
            printer.value(&json!({"format": 1, "file": self.to, "rows": rows, "bytes": size}))?;
        } else if self.to == Path::new("-") {
            printer.say(format!("{}, {}", plural(rows, "row"), bytes(size)));
        } else {
            printer.tell(format!("{file}: {}, {}\n", plural(rows, "row"), bytes(size)))?;
        }
        Ok(Exit::Done)
    }
}

/// Standard output by itself flushes every line.
const PIPE_BYTES: usize = 64 << 10;

/// `out.csv` is CSV.
fn form_of(path: &Path) -> Result<ExportForm, Failure> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "csv" => Ok(ExportForm::Csv),
        "jsonl" | "ndjson" => Ok(ExportForm::Jsonl),
        "parquet" => Ok(ExportForm::Parquet),
        _ => Err(Failure::usage(format!("the name `{}` does not tell the form", path.display()))
            .hint("end it in .csv, .jsonl or .parquet, or say `--form`")),
    }
}

/// Writes the rows as they come: how many there were, and where they went.
async fn copy<W: Write + Send>(
    rows: Rows,
    args: &ExportArgs,
    form: RowsForm,
    out: W,
    stop: &CancellationToken,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<(u64, W), Failure> {
    let Rows { schema, source } = rows;
    let columns = chosen(&args.columns, &schema)?;
    let project = |batch: &arrow::array::RecordBatch| {
        batch.project(&columns).map_err(|error| Failure::failed("columns cannot be chosen").because(&error))
    };
    let schema = schema.project(&columns).map(std::sync::Arc::new);
    let schema = schema.map_err(|error| Failure::failed("columns cannot be chosen").because(&error))?;
    let mut writer = RowsWriter::new(form, &schema, out).map_err(&failed)?;
    match source {
        Source::Whole(view) => {
            for batch in &view.batches {
                writer.write(&project(batch)?).map_err(&failed)?;
            }
        }
        Source::Stream(mut stream) => loop {
            let batch = tokio::select! {
                batch = stream.next() => batch,
                () = stop.cancelled() => return Err(Failure::failed("stopped; nothing was written")),
            };
            let Some(batch) = batch else { break };
            writer.write(&project(&batch?)?).map_err(&failed)?;
        },
    }
    let rows = writer.rows();
    Ok((rows, writer.finish().map_err(&failed)?))
}

/// The places of the named columns; of all, if none is named.
fn chosen(names: &[String], schema: &arrow::datatypes::Schema) -> Result<Vec<usize>, Failure> {
    if names.is_empty() {
        return Ok((0..schema.fields().len()).collect());
    }
    let place = |name: &String| {
        schema.index_of(name).map_err(|_| no_column(name, schema.fields().iter().map(|field| field.name())))
    };
    names.iter().map(place).collect()
}

/// Standard output that remembers whether its reader left.
struct Pipe {
    out: io::Stdout,
    bytes: u64,
    is_closed: bool,
}

impl Pipe {
    fn look<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.is_closed |= matches!(&result, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl Write for &mut Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        let written = self.look(written)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.look(flushed)
    }
}
