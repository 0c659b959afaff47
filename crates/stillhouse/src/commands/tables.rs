//! `stillhouse tables`: what can be asked.

use serde_json::{Value, json};
use stillhouse_lake::SchemaChange;
use stillhouse_query::Params;
use stillhouse_report::render::type_name;
use stillhouse_spec::CurrentView;

use crate::app::App;
use crate::cli::{Cli, TablesArgs};
use crate::failure::{Exit, Failure};
use crate::foreign_now::ForeignNow;
use crate::table::Table;
use crate::tables_now::TablesNow;
use crate::text::{bytes, count};

/// Lists the tables, or shows the columns of one.
pub async fn tables(cli: &Cli, args: &TablesArgs) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let tables = TablesNow::open(&app).await?;
    match &args.name {
        None => list(&app, &tables),
        Some(name) => columns(&app, &tables, name).await,
    }
}

/// The tables with their sizes, and the views.
pub fn list(app: &App, tables: &TablesNow) -> Result<Exit, Failure> {
    let views: Vec<_> = tables.views.iter().map(|(name, (table, rule))| view(name, table, rule)).collect();
    let version = |name: &String| tables.versions.get(name).map(|table| table.version);
    if app.printer.json() {
        let tables_now = tables.sizes.iter().map(|(name, size)| {
            json!({"table": name, "version": version(name), "rows": size.rows, "files": size.files, "bytes": size.bytes})
        });
        let tables_now: Vec<_> = tables_now.collect();
        let foreign: Vec<_> = tables.foreign.iter().map(foreign_value).collect();
        app.printer.value(&json!({"format": 1, "tables": tables_now, "views": views, "foreign": foreign}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["table", "rows", "files", "size", "version"]);
    table.right(&[1, 2, 3, 4]);
    table.long(&[0]);
    for (name, size) in &tables.sizes {
        let version = version(name).map_or("not made yet".to_owned(), |version| version.to_string());
        table.row(vec![name.clone(), count(size.rows), count(size.files), bytes(size.bytes), version]);
    }
    app.printer.out(table.render())?;
    if !tables.views.is_empty() {
        let mut table = Table::new(&["view", "table", "shows"]);
        table.long(&[2]);
        for (name, (of, rule)) in &tables.views {
            table.row(vec![name.clone(), of.clone(), rule.to_string()]);
        }
        app.printer.out(format!("\n{}", table.render()))?;
    }
    foreign(app, &tables.foreign)?;
    Ok(Exit::Done)
}

/// The tables of others; why one cannot be read is said apart from the list.
fn foreign(app: &App, tables: &[ForeignNow]) -> Result<(), Failure> {
    if tables.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["foreign table", "rows", "files", "size", "version", "folder"]);
    table.right(&[1, 2, 3, 4]);
    table.long(&[0, 5]);
    for ForeignNow { settings, found } in tables {
        let (name, folder) = (settings.name.to_string(), settings.folder.to_string());
        let unknown = || "-".to_owned();
        table.row(match found {
            Ok(found) => {
                let size = bytes(found.files.iter().map(|file| file.size).sum());
                let rows = found.rows().map_or_else(unknown, count);
                let pinned = if settings.version.is_some() { " (pinned)" } else { "" };
                let version = format!("{}{pinned}", found.version);
                vec![name, rows, count(found.files.len() as u64), size, version, folder]
            }
            Err(_) => vec![name, unknown(), unknown(), unknown(), "not readable".to_owned(), folder],
        });
    }
    app.printer.out(format!("\n{}", table.render()))?;
    for unreadable in tables.iter().filter_map(|table| table.found.as_ref().err()) {
        app.printer.say(format!("{}\n  {}", unreadable.message, unreadable.hint));
    }
    Ok(())
}

/// A foreign table for programs.
fn foreign_value(ForeignNow { settings, found }: &ForeignNow) -> Value {
    let mut value = json!({
        "table": settings.name, "folder": settings.folder.to_string(), "pinned": settings.version.is_some(),
    });
    match found {
        Ok(found) => {
            value["version"] = json!(found.version);
            value["id"] = json!(found.id);
            value["rows"] = json!(found.rows());
            value["files"] = json!(found.files.len());
            value["bytes"] = json!(found.files.iter().map(|file| file.size).sum::<u64>());
        }
        Err(unreadable) => value["problem"] = json!(unreadable.message),
    }
    value
}

/// A view for programs.
fn view(name: &str, table: &str, rule: &CurrentView) -> Value {
    json!({
        "view": name, "table": table, "shows": rule.to_string(), "key": rule.key, "latest_by": rule.latest_by,
        "deleted": rule.deleted.as_ref().map(ToString::to_string),
    })
}

/// `2026-11-29T12:00:00Z`
fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

/// `plan, seats, amount: string → decimal(18,2)`
fn what_changed(change: &SchemaChange) -> String {
    let retyped = change.retyped.iter().map(|retyped| format!("{}: {} → {}", retyped.column, retyped.from, retyped.to));
    change.added.iter().cloned().chain(retyped).collect::<Vec<_>>().join(", ")
}

/// The columns of one table or view.
pub async fn columns(app: &App, tables: &TablesNow, name: &str) -> Result<Exit, Failure> {
    tables.session.expect_table(name)?;
    let view_of = tables.views.get(name);
    let planned = tables.session.plan(&format!("select * from \"{name}\""), &Params::new()).await?;
    let history = tables.histories.get(name).map_or(&[][..], Vec::as_slice);
    let columns = planned.schema.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type())));
    if app.printer.json() {
        let columns: Vec<_> = columns.map(|(name, data_type)| json!({"name": name, "type": data_type})).collect();
        let mut answer = json!({"format": 1, "table": name, "columns": columns, "schema_changes": history});
        if let Some(foreign) = tables.foreign_versions.get(name) {
            answer["foreign"] = json!(foreign);
        }
        if let Some((table, rule)) = view_of {
            answer["view"] = view(name, table, rule);
        }
        app.printer.value(&answer)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["column", "type"]);
    table.long(&[0, 1]);
    columns.for_each(|(name, data_type)| table.row(vec![name, data_type]));
    app.printer.out(table.render())?;
    if !history.is_empty() {
        let mut table = Table::new(&["version", "when", "columns that came or changed"]);
        table.long(&[2]);
        for change in history {
            table.row(vec![change.version.to_string(), moment(change.at_ms), what_changed(change)]);
        }
        app.printer.out(format!("\n{}", table.render()))?;
    }
    if let Some((table, rule)) = view_of {
        app.printer.say(format!("a view of `{table}`: {rule}"));
    }
    if let Some(foreign) = tables.foreign_versions.get(name) {
        app.printer.say(format!("a foreign table: version {} of `{}`", foreign.version, foreign.folder));
    }
    Ok(Exit::Done)
}
