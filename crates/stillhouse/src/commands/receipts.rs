//! `stillhouse receipts`: the account of each loaded file.

use serde_json::json;
use stillhouse_spec::Receipt;

use crate::app::App;
use crate::cli::{Cli, ReceiptsCommand};
use crate::failure::{Exit, Failure};
use crate::receipts::newest;
use crate::table::Table;
use crate::text::{count, time};

/// Runs the subcommand.
pub async fn receipts(cli: &Cli, command: &ReceiptsCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let receipts = crate::receipts::read(&app).await?;
    match command {
        ReceiptsCommand::List { key, all } => list(&app, receipts, key.as_deref(), *all),
        ReceiptsCommand::Show { key } => show(&app, &receipts, key),
    }
}

fn list(app: &App, receipts: Vec<Receipt>, key: Option<&str>, all: bool) -> Result<Exit, Failure> {
    let mut rows = if all { receipts } else { newest(receipts) };
    rows.sort_by_key(|receipt| receipt.seq);
    rows.retain(|receipt| key.is_none_or(|key| receipt.object.key.contains(key)));
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "receipts": rows}))?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        app.printer.say("no receipts yet: nothing was loaded\nnext: stillhouse run all");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["file", "gen", "read", "loaded", "refused", "blank", "loaded at"]);
    table.right(&[1, 2, 3, 4, 5]);
    for receipt in &rows {
        let counts = receipt.counts;
        table.row(vec![
            receipt.object.key.clone(),
            receipt.generation.to_string(),
            count(counts.read),
            count(counts.loaded),
            count(counts.quarantined),
            count(counts.blank + counts.filtered),
            time(receipt.decoded_at),
        ]);
    }
    app.printer.out(table.render())?;
    Ok(Exit::Done)
}

fn show(app: &App, receipts: &[Receipt], key: &str) -> Result<Exit, Failure> {
    let matching: Vec<&Receipt> = receipts.iter().filter(|receipt| receipt.object.key.ends_with(key)).collect();
    if matching.is_empty() {
        return Err(Failure::usage(format!("there is no receipt of a file that ends with `{key}`"))
            .hint(format!("see `stillhouse receipts list`, or why: `stillhouse explain {key}`")));
    }
    // A receipt is a document; JSON is its form for people, too.
    app.printer.value(&json!({"format": 1, "receipts": matching}))?;
    Ok(Exit::Done)
}
