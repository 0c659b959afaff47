//! `stillhouse quarantine`: refused records.

use stillhouse_query::{Params, Value};
use stillhouse_report::render::{TerminalStyle, terminal_records, terminal_table};
use tokio_util::sync::CancellationToken;

use super::sql::{print, style, view};
use crate::app::App;
use crate::cli::{Cli, QuarantineCommand};
use crate::failure::{Exit, Failure};
use crate::foreign_now::Foreign;
use crate::selection::nothing_of;
use crate::tables_now::{Ceilings, TablesNow};
use crate::text::plural;

const LIST: &str = "select file, \"column\", reason, count(*) as records, min(line) as first_line \
                    from refused group by 1, 2, 3 order by 1, 4 desc, 2, 3";

/// A record may be any bytes: text where it is UTF-8, else hex. Personal data is shown only to those who ask the
/// table by name.
const SHOW: &str = "select file, line, \"column\", reason, expected, found, \
                    case when pii then '(personal data)' when raw is null then '(too long to keep)' \
                    else substr(coalesce(try_cast(raw as varchar), 'hex:' || encode(raw, 'hex')), 1, 200) end as record \
                    from refused where right(key, character_length($key)) = $key or right(file, character_length($key)) = $key \
                    order by file, line limit ";

/// The question, with refused records by the files that they stand in: a part of a folder, where the object is one. Lakes that
/// were made before there were such objects have no column for that.
fn by_file(tables: &TablesNow, question: &str) -> String {
    let knows_parts = tables.schema("_quarantine", true).index_of("part").is_ok();
    let file = if knows_parts { "case when part is null then key else key || '/' || part end" } else { "key" };
    format!("with refused as (select *, {file} as file from _quarantine) {question}")
}

/// Runs the subcommand.
pub async fn quarantine(cli: &Cli, command: &QuarantineCommand, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        QuarantineCommand::List => list(&app).await,
        QuarantineCommand::Show { key, limit } => show(&app, key.as_deref(), *limit).await,
        QuarantineCommand::Export { selection, to } => super::quarantine_export::export(&app, selection, to).await,
        QuarantineCommand::Replay { selection } => super::amend::replay(&app, selection, stop).await,
        QuarantineCommand::Drop { selection, why } => super::amend::drop_refused(&app, selection, why, stop).await,
    }
}

async fn list(app: &App) -> Result<Exit, Failure> {
    let tables = TablesNow::open_with(app, Ceilings::AsSet, Foreign::None).await?;
    let result = tables.session.query(&by_file(&tables, LIST), &Params::new()).await?;
    let rows = result.rows;
    let view = view("quarantine", result);
    if app.printer.json() {
        print(app.printer, &view, false)?;
    } else if rows == 0 {
        app.printer.say(NOTHING);
    } else {
        app.printer.out(terminal_table(&view, TerminalStyle { rest: "`--json` has all of them", ..style() }))?;
        app.printer.say(format!("\nthe records: {}", app.folder.command("quarantine show FILE")));
    }
    Ok(Exit::Done)
}

async fn show(app: &App, named: Option<&str>, limit: u64) -> Result<Exit, Failure> {
    let key = named.map(|named| app.folder.key(named));
    let tables = TablesNow::open_with(app, Ceilings::AsSet, Foreign::None).await?;
    let params = Params::from([("key".to_owned(), Value::Text(key.clone().unwrap_or_default()))]);
    let result = tables.session.query(&by_file(&tables, &format!("{SHOW}{limit}")), &params).await?;
    let rows = result.rows;
    if let (Some(key), 0) = (&key, rows) {
        return Err(nothing_of(key));
    }
    let view = view("quarantine", result);
    if app.printer.json() {
        print(app.printer, &view, false)?;
    } else if rows == 0 {
        app.printer.say(NOTHING);
    } else {
        app.printer.out(terminal_records(&view, style()))?;
        if rows == limit {
            app.printer.say(format!("\nthe first {}; `--limit` shows more", plural(limit, "record")));
        }
        say_what_next(app);
    }
    Ok(Exit::Done)
}

fn say_what_next(app: &App) {
    let replay = app.folder.command("quarantine replay");
    let drop = app.folder.command("quarantine drop --why TEXT");
    app.printer.say(format!(
        "\nnext: correct the file, and run again; or mend its source file, and then:\n  {replay}\nor give them up:\n  {drop}"
    ));
}

const NOTHING: &str = "nothing is in quarantine";
