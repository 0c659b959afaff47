//! `stillhouse receipts`: the account of each loaded file.

use serde_json::json;
use stillhouse_ingest::VerifyRequest;
use stillhouse_spec::{AmendmentKind, Receipt, standing};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, ReceiptsCommand};
use crate::failure::{Exit, Failure};
use crate::table::Table;
use crate::text::{count, minute};

/// Runs the subcommand.
pub async fn receipts(cli: &Cli, command: &ReceiptsCommand, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        ReceiptsCommand::List { key, all } => list(&app, crate::receipts::read(&app).await?, key.as_deref(), *all),
        ReceiptsCommand::Show { key } => show(&app, &crate::receipts::read(&app).await?, key),
        ReceiptsCommand::Verify { key, source, counts_only } => {
            let key = key.as_ref().map(|key| app.folder.key(key));
            let request = VerifyRequest { key, source: source.clone(), counts_only: *counts_only };
            super::verify::verify(&app, &request, stop).await
        }
    }
}

fn list(app: &App, receipts: Vec<Receipt>, key: Option<&str>, all: bool) -> Result<Exit, Failure> {
    let mut rows = if all { receipts } else { standing(receipts) };
    rows.sort_by_key(|receipt| receipt.seq);
    rows.retain(|receipt| key.is_none_or(|key| receipt.object.key.contains(key)));
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "receipts": rows}))?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        app.printer.say(format!("no receipts yet: nothing was loaded\nnext: {}", app.folder.command("run all")));
        return Ok(Exit::Done);
    }
    let remarks = rows.iter().any(|receipt| !remark(receipt).is_empty());
    let mut columns = vec!["file", "gen", "read", "loaded", "refused", "blank", "loaded at"];
    columns.extend(remarks.then_some("remark"));
    let mut table = Table::new(&columns);
    table.right(&[1, 2, 3, 4, 5]);
    table.long(&[0, 7]);
    for receipt in &rows {
        let counts = receipt.counts;
        let mut row = vec![
            receipt.object.key.clone(),
            receipt.generation.to_string(),
            count(counts.read),
            count(counts.loaded),
            count(counts.quarantined),
            count(counts.blank + counts.filtered),
            minute(receipt.decoded_at),
        ];
        row.extend(remarks.then(|| remark(receipt)));
        table.row(row);
    }
    app.printer.out(table.render())?;
    app.printer.say(format!("\nall of one: {}", app.folder.command("receipts show FILE")));
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

/// What the counts do not tell.
fn remark(receipt: &Receipt) -> String {
    match &receipt.twin {
        _ if receipt.removed => "removed".to_owned(),
        Some(twin) if twin.key_number == receipt.key_number => "not changed".to_owned(),
        Some(twin) => format!("= {}", twin.key),
        None => amended(receipt),
    }
}

fn amended(receipt: &Receipt) -> String {
    let sum = |what| receipt.amendments.iter().filter(|amendment| amendment.what == what).map(|a| a.count).sum::<u64>();
    let (replayed, dropped) = (sum(AmendmentKind::Replay), sum(AmendmentKind::Drop));
    let parts = [(replayed, "replayed"), (dropped, "dropped")];
    let parts =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{} {what}", count(*number)));
    parts.collect::<Vec<_>>().join(", ")
}
