//! `stillhouse quarantine`: refused records.

use stillhouse_query::{Params, Value};
use stillhouse_report::render::terminal_records;

use super::sql::{print, style, view};
use crate::app::App;
use crate::cli::{Cli, QuarantineCommand};
use crate::failure::{Exit, Failure};
use crate::tables_now::TablesNow;
use crate::text::plural;

const LIST: &str = "select key as file, \"column\", reason, count(*) as records, min(line) as first_line \
                    from _quarantine group by 1, 2, 3 order by 1, 4 desc, 2, 3";

/// A record may be any bytes: text where it is UTF-8, else hex. Personal data is shown only to those who ask the
/// table by name.
const SHOW: &str = "select key as file, line, \"column\", reason, expected, found, \
                    case when pii then '(personal data)' when raw is null then '(too long to keep)' \
                    else substr(coalesce(try_cast(raw as varchar), 'hex:' || encode(raw, 'hex')), 1, 200) end as record \
                    from _quarantine where right(key, character_length($key)) = $key order by key, line limit ";

/// Runs the subcommand.
pub async fn quarantine(cli: &Cli, command: &QuarantineCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let tables = TablesNow::open(&app).await?;
    let (sql, params) = match command {
        QuarantineCommand::List => (LIST.to_owned(), Params::new()),
        QuarantineCommand::Show { key, limit } => {
            let key = Value::Text(key.clone().unwrap_or_default());
            (format!("{SHOW}{limit}"), Params::from([("key".to_owned(), key)]))
        }
    };
    let result = tables.session.query(&sql, &params).await?;
    if let QuarantineCommand::Show { key: Some(key), .. } = command
        && result.rows == 0
    {
        return Err(Failure::usage(format!("no refused record of a file whose path ends with `{key}`"))
            .hint("see `stillhouse quarantine list`"));
    }
    if result.rows == 0 && !app.printer.json() {
        app.printer.say("nothing is in quarantine");
        return Ok(Exit::Done);
    }
    let rows = result.rows;
    let view = view("quarantine", result);
    match command {
        QuarantineCommand::Show { .. } if !app.printer.json() => app.printer.out(terminal_records(&view, style()))?,
        _ => print(app.printer, &view, false)?,
    }
    if let QuarantineCommand::Show { limit, .. } = command
        && rows == *limit
    {
        app.printer.say(format!("\nthe first {}; `--limit` shows more", plural(*limit, "record")));
    }
    Ok(Exit::Done)
}
