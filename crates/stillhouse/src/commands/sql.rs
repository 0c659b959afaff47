//! `stillhouse sql`: a question to the tables.

use std::collections::BTreeMap;
use std::io::Read;

use stillhouse_query::{Params, QueryResult, Value};
use stillhouse_report::QueryView;
use stillhouse_report::render::{self, TerminalStyle, WideLines};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, SqlArgs};
use crate::failure::{Exit, Failure};
use crate::printer::Printer;
use crate::prompt::{statements, with_place};
use crate::surroundings;
use crate::tables_now::TablesNow;
use crate::text::plural;

/// Rows that a terminal shows; a file gets all of them.
pub const ROWS_SHOWN: usize = 1_000;

/// Runs the query and prints its result; without one, asks for it or reads statements.
pub async fn sql(cli: &Cli, args: &SqlArgs) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let params = params(&args.params)?;
    match args.query.as_deref() {
        Some("-") => read(&app, &params, args.csv).await,
        Some(query) => {
            let tables = TablesNow::open(&app).await?;
            one(&app, &tables, query, &params, args.csv).await?;
            Ok(Exit::Done)
        }
        None if surroundings::prompt_terminal() && !app.printer.json() && !args.csv => {
            crate::prompt::prompt(&app, &params).await
        }
        None => read(&app, &params, args.csv).await,
    }
}

/// Runs the statements of standard input, up to the first that fails.
async fn read(app: &App, params: &Params, csv: bool) -> Result<Exit, Failure> {
    let text = text_or_stdin("-")?;
    let statements = statements(&text);
    if statements.is_empty() {
        return Err(Failure::usage("there is no query")
            .hint("write it behind `sql`, or send statements to standard input; on a terminal, `sql` alone asks"));
    }
    let tables = TablesNow::open(app).await?;
    for (index, statement) in statements.iter().enumerate() {
        let done = one(app, &tables, statement.text, params, csv).await;
        done.map_err(|failure| match statements.len() {
            1 => failure,
            _ => {
                let place = format!("statement {}, which begins in line {}", index + 1, statement.line);
                Failure { message: format!("{place}: {}", failure.message), ..failure }
            }
        })?;
    }
    Ok(Exit::Done)
}

async fn one(app: &App, tables: &TablesNow, query: &str, params: &Params, csv: bool) -> Result<(), Failure> {
    let result = until_stopped(tables.session.query(query, params)).await;
    let result = result.map_err(|failure| with_place(query, with_parameter(params, failure)))?;
    let rows = result.rows;
    print(app.printer, &view("query", result), csv)?;
    if !csv && !app.printer.json() {
        app.printer.say(plural(rows, "row"));
    }
    Ok(())
}

/// The failure; how to give a parameter, if it is that none was given.
fn with_parameter(params: &Params, failure: Failure) -> Failure {
    let is_missing = params.is_empty() && failure.message.ends_with("has no value");
    if is_missing { failure.hint("give it one: `--param NAME=VALUE`") } else { failure }
}

/// The result of a query, unless Ctrl-C comes first: dropping the query stops it, as soon as it hands over control.
/// A second Ctrl-C ends the program at once.
pub async fn until_stopped<T, E>(query: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
where
    Failure: From<E>,
{
    // From here on, Ctrl-C does not end the program by itself.
    let mut interrupts = signal(SignalKind::interrupt())
        .map_err(|error| Failure::failed("Ctrl-C cannot be waited for").because(&error))?;
    let stopped = CancellationToken::new();
    let stop = stopped.clone();
    let waits = tokio::spawn(async move {
        while interrupts.recv().await.is_some() {
            if stop.is_cancelled() {
                std::process::exit(130);
            }
            stop.cancel();
        }
    });
    let result = tokio::select! {
        result = Box::pin(query) => result.map_err(Failure::from),
        () = stopped.cancelled() => Err(Failure::failed("the query was stopped")),
    };
    waits.abort();
    result
}

/// A result to be printed, as it is.
pub fn view(name: &str, result: QueryResult) -> QueryView {
    let QueryResult { schema, batches, .. } = result;
    QueryView { name: name.to_owned(), title: String::new(), formats: BTreeMap::new(), schema, batches, chart: None }
}

/// A query, or what standard input says where it is `-`.
pub fn text_or_stdin(query: &str) -> Result<String, Failure> {
    if query != "-" {
        return Ok(query.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage("standard input cannot be read").because(&error))?;
    Ok(text)
}

/// `NAME=VALUE`: a whole number, `true`, `false`, a date, or else a text.
pub fn params(texts: &[String]) -> Result<Params, Failure> {
    let mut params = Params::new();
    for text in texts {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{text}` is no parameter")).hint("write --param NAME=VALUE, and $NAME in the query")
        })?;
        params.insert(name.trim_start_matches('$').to_owned(), parse_value(value));
    }
    Ok(params)
}

fn parse_value(text: &str) -> Value {
    if let Ok(number) = text.parse() {
        return Value::Int(number);
    }
    if let Ok(truth) = text.parse() {
        return Value::Bool(truth);
    }
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = text.parse::<jiff::civil::Date>().ok().and_then(|day| day.since(epoch).ok());
    days.map_or_else(|| Value::Text(text.to_owned()), |days| Value::Date(days.get_days()))
}

/// A result in the form that the command line asks for.
pub fn print(printer: Printer, view: &QueryView, csv: bool) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let written = match (csv, printer.json()) {
        (true, _) => render::csv(view, &mut bytes),
        (_, true) => render::json_query(view, &mut bytes),
        _ => return printer.out(render::terminal_query(view, style())),
    };
    written.map_err(|error| Failure::failed("the result cannot be written").because(&error))?;
    let text = String::from_utf8_lossy(&bytes);
    match text.strip_prefix('{') {
        Some(rest) if printer.json() && !csv => printer.out(format!("{{\"format\":1,{rest}")),
        _ => printer.out(text),
    }
}

/// How tables look on this terminal.
pub fn style() -> TerminalStyle {
    TerminalStyle {
        width: surroundings::terminal_columns(),
        lines: if surroundings::line_width().is_some() { WideLines::Broken } else { WideLines::Whole },
        colour: surroundings::colour_terminal(),
        rows_max: ROWS_SHOWN,
        rest: "`--csv` prints all of them",
    }
}
