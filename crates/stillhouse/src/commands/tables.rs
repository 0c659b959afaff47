//! `stillhouse tables`: what can be asked.

use serde_json::json;
use stillhouse_query::Params;
use stillhouse_report::render::type_name;

use crate::app::App;
use crate::cli::{Cli, TablesArgs};
use crate::failure::{Exit, Failure};
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

fn list(app: &App, tables: &TablesNow) -> Result<Exit, Failure> {
    let version = |name: &String| tables.versions.get(name).map(|table| table.version);
    if app.printer.json() {
        let tables = tables.sizes.iter().map(|(name, size)| {
            json!({"table": name, "version": version(name), "rows": size.rows, "files": size.files, "bytes": size.bytes})
        });
        app.printer.value(&json!({"format": 1, "tables": tables.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["table", "rows", "files", "size", "version"]);
    table.right(&[1, 2, 3, 4]);
    for (name, size) in &tables.sizes {
        let version = version(name).map_or("not made yet".to_owned(), |version| version.to_string());
        table.row(vec![name.clone(), count(size.rows), count(size.files), bytes(size.bytes), version]);
    }
    app.printer.out(table.render())?;
    Ok(Exit::Done)
}

async fn columns(app: &App, tables: &TablesNow, name: &str) -> Result<Exit, Failure> {
    if !tables.sizes.contains_key(name) {
        let known: Vec<&str> = tables.sizes.keys().map(String::as_str).collect();
        return Err(
            Failure::usage(format!("there is no table `{name}`")).hint(format!("tables are: {}", known.join(", ")))
        );
    }
    let planned = tables.session.plan(&format!("select * from \"{name}\""), &Params::new()).await?;
    let columns = planned.schema.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type())));
    if app.printer.json() {
        let columns: Vec<_> = columns.map(|(name, data_type)| json!({"name": name, "type": data_type})).collect();
        app.printer.value(&json!({"format": 1, "table": name, "columns": columns}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["column", "type"]);
    columns.for_each(|(name, data_type)| table.row(vec![name, data_type]));
    app.printer.out(table.render())?;
    Ok(Exit::Done)
}
