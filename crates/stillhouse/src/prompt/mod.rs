//! `stillhouse sql` without a query: a prompt.
//!
//! A statement ends with `;`. It sees the newest snapshot of the lake, so a prompt that stays open all day shows what was
//! loaded meanwhile. Whatever goes wrong is said, and the prompt goes on.

mod editor;
mod pointed;
mod statements;
mod words;

use std::path::Path;

use stillhouse_query::Params;
use stillhouse_report::QueryView;
use stillhouse_report::render::{self, TerminalStyle};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::commands::{sql, tables};
use crate::failure::{Exit, Failure, lines};
use crate::printer::complain;
use crate::surroundings;
use crate::tables_now::TablesNow;
use crate::text::plural;
use editor::{LineEditor, Typed, is_leave};
use words::{COMMANDS, Words};

pub use statements::statements;

/// Rows of a result that the prompt shows; `.csv` writes all of them.
const ROWS_SHOWN: usize = 100;
/// The history of the prompt, in the project folder.
const HISTORY: &str = ".stillhouse/sql_history";

/// Asks until somebody leaves.
pub async fn prompt(app: &App, params: &Params) -> Result<Exit, Failure> {
    let known = words(&TablesNow::open(app).await?);
    app.printer.say(format!(
        "{}: {}. A query ends with `;`.\nTab completes, .help lists the commands, Ctrl-D leaves.",
        app.project().name,
        plural(known.tables.iter().filter(|(name, _)| !name.starts_with('_')).count() as u64, "table"),
    ));
    // From the first query on, Ctrl-C must not end the program; it does not once somebody has asked to hear of it.
    let _hears = signal(SignalKind::interrupt())
        .map_err(|error| Failure::failed("Ctrl-C cannot be waited for").because(&error))?;
    let mut editor = LineEditor::new(known, &app.folder.resolve(HISTORY))?;
    let mut last = None;
    loop {
        match tokio::task::block_in_place(|| editor.read())? {
            Typed::GivenUp => {}
            Typed::End => break,
            Typed::Text(text) if is_leave(&text) => break,
            Typed::Text(text) => {
                if let Some(known) = answer(app, params, &text, &mut last).await? {
                    editor.set_words(known);
                }
            }
        }
    }
    Ok(Exit::Done)
}

/// Does what was typed; what completion knows from now on, where that may have changed. Only a terminal that is gone is
/// an error.
async fn answer(
    app: &App,
    params: &Params,
    text: &str,
    last: &mut Option<QueryView>,
) -> Result<Option<Words>, Failure> {
    let command = text.trim();
    if command.starts_with(['.', '\\']) {
        if let Err(failure) = run_command(app, command, last).await {
            complain(lines(&failure));
        }
        return Ok(None);
    }
    let mut known = None;
    for statement in statements(text) {
        // A result is not kept longer than needed: it may be as large as the memory of queries.
        *last = None;
        match ask(app, params, statement.text).await {
            Ok((view, tables)) => {
                known = Some(words(&tables));
                *last = Some(view);
            }
            Err(failure) => {
                complain(lines(&with_place(statement.text, failure)) + "\n");
                break;
            }
        }
    }
    Ok(known)
}

/// Runs one statement and shows its result.
async fn ask(app: &App, params: &Params, text: &str) -> Result<(QueryView, TablesNow), Failure> {
    let started = surroundings::now_micros();
    let answered = sql::until_stopped(async {
        let tables = TablesNow::open(app).await?;
        let result = tables.session.query(text, params).await?;
        Ok::<_, Failure>((tables, result))
    });
    let (tables, result) = answered.await?;
    let seconds = seconds(surroundings::now_micros() - started);
    let rows = result.rows;
    let view = sql::view("query", result);
    let style = TerminalStyle { rows_max: ROWS_SHOWN, rest: "", ..sql::style() };
    app.printer.out(render::terminal_query(&view, style))?;
    let rest = if rows > ROWS_SHOWN as u64 { "; `.csv FILE` writes all of them" } else { "" };
    app.printer.say(format!("{} in {seconds}{rest}\n", plural(rows, "row")));
    Ok((view, tables))
}

/// `0.034 s`, `12.3 s`.
fn seconds(micros: i64) -> String {
    let millis = micros.max(0) / 1_000;
    if millis < 10_000 {
        format!("{}.{:03} s", millis / 1_000, millis % 1_000)
    } else {
        format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
    }
}

async fn run_command(app: &App, text: &str, last: &Option<QueryView>) -> Result<(), Failure> {
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match (name, argument.trim().trim_end_matches(';')) {
        (".help", _) => app.printer.out(help()),
        (".tables", _) => tables::list(app, &TablesNow::open(app).await?).map(drop),
        (".columns", "") => Err(Failure::usage("`.columns` needs a table").hint("write `.columns TABLE`")),
        (".columns", table) => {
            tables::columns(app, &TablesNow::open(app).await?, table.trim_matches('"')).await.map(drop)
        }
        (".csv", "") => Err(Failure::usage("`.csv` needs a file").hint("write `.csv FILE`")),
        (".csv", file) => write_csv(app, Path::new(file), last.as_ref()),
        _ => Err(Failure::usage(format!("there is no command `{name}`")).hint("`.help` lists the commands")),
    }
}

fn help() -> String {
    let commands = COMMANDS.iter().map(|(name, what)| format!("{name} {what}\n")).collect::<String>();
    format!(
        "{commands}\nAnything else is SQL: read only, as many lines as you like, up to a `;`. Tab\n\
         completes names, the arrow keys go through what was typed before, Ctrl-C stops a\n\
         query or gives up what is typed.\n"
    )
}

fn write_csv(app: &App, file: &Path, last: Option<&QueryView>) -> Result<(), Failure> {
    let Some(view) = last else {
        return Err(Failure::usage("there is no result yet").hint("run a query first"));
    };
    let failed = |error: std::io::Error| {
        let failure = Failure::failed(format!("`{}` cannot be written", file.display())).because(&error);
        let is_there = error.kind() == std::io::ErrorKind::AlreadyExists;
        if is_there { failure.hint("name a new file: what is there stays") } else { failure }
    };
    let mut out = std::io::BufWriter::new(std::fs::File::create_new(file).map_err(failed)?);
    render::csv(view, &mut out).map_err(failed)?;
    let rows: usize = view.batches.iter().map(|batch| batch.num_rows()).sum();
    app.printer.say(format!("{} written to {}\n", plural(rows as u64, "row"), file.display()));
    Ok(())
}

/// The failure with the place in the statement, if it names one.
pub fn with_place(sql: &str, failure: Failure) -> Failure {
    let width = usize::from(surroundings::terminal_columns());
    Failure { place: pointed::pointed(sql, &failure.message, width), ..failure }
}

fn words(tables: &TablesNow) -> Words {
    let columns = |name: &String| {
        let table = tables.views.get(name).map_or(name, |(table, _)| table);
        tables.schema(table, true).fields().iter().map(|field| field.name().clone()).collect()
    };
    let names = tables.session.tables().iter();
    Words {
        tables: names.map(|name| (name.clone(), columns(name))).collect(),
        functions: tables.session.functions().to_vec(),
    }
}
