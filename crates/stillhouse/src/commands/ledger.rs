//! `stillhouse ledger`: care for the diary.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use stillhouse_ingest::{Ingest, Rebuilt, rebuild};
use stillhouse_ledger::Ledger;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, LedgerCommand};
use crate::failure::{Exit, Failure};
use crate::surroundings::{new_id, now_micros};
use crate::text::plural;

/// Runs the subcommand.
pub async fn ledger(cli: &Cli, command: &LedgerCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        LedgerCommand::Rebuild => rebuild_ledger(&app).await,
        LedgerCommand::Backup { to } => backup(&app, to).await,
        LedgerCommand::Restore { from } => restore(&app, from).await,
        LedgerCommand::Move { to } => move_to(&app, to).await,
    }
}

async fn rebuild_ledger(app: &App) -> Result<Exit, Failure> {
    let ingest = app.ingest(CancellationToken::new()).await?;
    let rebuilt = rebuild(&ingest).await?;
    tell(app, &rebuilt, None)
}

fn tell(app: &App, rebuilt: &Rebuilt, attempts: Option<u64>) -> Result<Exit, Failure> {
    let Rebuilt { epoch, receipts, restored_batches, undone_batches } = rebuilt;
    if app.printer.json() {
        app.printer.value(&json!({
            "format": 1, "epoch": epoch, "receipts": receipts, "restored_batches": restored_batches,
            "undone_batches": undone_batches, "attempts": attempts,
        }))?;
        return Ok(Exit::Done);
    }
    let history =
        attempts.map(|attempts| format!("; {} from the copy", plural(attempts, "attempt"))).unwrap_or_default();
    app.printer.tell(format!(
        "the ledger is new: {} read from the lake, {} to finish{history}; older ledgers are shut out (epoch {epoch})\n",
        plural(*receipts, "receipt"),
        plural(*restored_batches, "half-published batch"),
    ))?;
    if *undone_batches > 0 {
        app.printer.say(format!(
            "two copies of a ledger have worked on this lake: {} of them, half published, {} taken out of the tables; the \
             next run loads those files again",
            plural(*undone_batches, "batch"),
            if *undone_batches == 1 { "was" } else { "were" },
        ));
    }
    app.printer.say(format!("next: {}", app.folder.command("run all")));
    Ok(Exit::Done)
}

async fn backup(app: &App, to: &Path) -> Result<Exit, Failure> {
    app.ledger().await?.backup(to, now_micros()).await?;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "backup": to}))?;
    } else {
        app.printer.tell(format!("the ledger is copied to {}\n", to.display()))?;
        let back = app.folder.command(&format!("ledger restore {}", to.display()));
        app.printer.say(format!("way back: {back}"));
    }
    Ok(Exit::Done)
}

/// What was loaded is in the lake; what only the copy knows is the history of attempts.
async fn restore(app: &App, from: &Path) -> Result<Exit, Failure> {
    let copy = Ledger::open_backup(from, now_micros()).await?;
    let ingest = app.ingest(CancellationToken::new()).await?;
    let rebuilt = rebuild(&ingest).await?;
    let attempts = app.ledger().await?.take_history(&copy).await?;
    copy.close().await;
    tell(app, &rebuilt, Some(attempts))
}

async fn move_to(app: &App, to: &str) -> Result<Exit, Failure> {
    let ingest: Arc<Ingest> = app.ingest(CancellationToken::new()).await?;
    let target = Ledger::open_url(to, &new_id(), now_micros()).await?;
    let moved = ingest.ledger.move_to(&target, now_micros()).await?;
    let place = moved.place().to_owned();
    moved.close().await;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "moved_to": place}))?;
        return Ok(Exit::Done);
    }
    app.printer.tell(format!("moved to {place}; the old one takes no work any more\n"))?;
    app.printer.say(
        "next: set `path` in [ledger] of stillhouse.toml to that address (with a password, as `${LEDGER_URL}` from the \
         environment)",
    );
    Ok(Exit::Done)
}
