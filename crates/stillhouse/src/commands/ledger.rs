//! `stillhouse ledger`: care for the diary.

use serde_json::json;
use stillhouse_ingest::rebuild;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, LedgerCommand};
use crate::failure::{Exit, Failure};
use crate::text::plural;

/// Runs the subcommand.
pub async fn ledger(cli: &Cli, command: &LedgerCommand) -> Result<Exit, Failure> {
    match command {
        LedgerCommand::Rebuild => rebuild_ledger(cli).await,
        LedgerCommand::Backup { .. } | LedgerCommand::Restore { .. } | LedgerCommand::Move { .. } => {
            Err(Failure::failed("not yet"))
        }
    }
}

async fn rebuild_ledger(cli: &Cli) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let ingest = app.ingest(CancellationToken::new()).await?;
    let rebuilt = rebuild(&ingest).await?;
    if app.printer.json() {
        app.printer.value(&json!({
            "format": 1, "epoch": rebuilt.epoch, "receipts": rebuilt.receipts, "restored_batches": rebuilt.restored_batches,
        }))?;
        return Ok(Exit::Done);
    }
    app.printer.out(format!(
        "the ledger is new: {} read from the lake, {} to finish; older ledgers are shut out (epoch {})",
        plural(rebuilt.receipts, "receipt"),
        plural(rebuilt.restored_batches, "half-published batch"),
        rebuilt.epoch
    ))?;
    app.printer.say("next: stillhouse run all");
    Ok(Exit::Done)
}
