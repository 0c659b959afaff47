//! `stillhouse maintain`: housekeeping.

use serde_json::json;
use stillhouse_ingest::{MaintainRequest, Maintained};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, MaintainArgs};
use crate::failure::{Exit, Failure};
use crate::text::{bytes, plural};

/// Does it, and says what was done.
pub async fn maintain(cli: &Cli, args: &MaintainArgs, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let ingest = app.ingest(stop).await?;
    let request = MaintainRequest { file_bytes: args.file_size * 1_000_000, keep: args.keep, dry_run: args.dry_run };
    let done = stillhouse_ingest::maintain(&ingest, &request).await?;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "dry_run": args.dry_run, "maintained": done}))?;
        return Ok(Exit::Done);
    }
    app.printer.out(render(&done))?;
    if args.dry_run {
        app.printer.say("dry run: nothing was changed");
    }
    Ok(Exit::Done)
}

fn render(done: &Maintained) -> String {
    let mut text = String::new();
    for (table, merged) in &done.merged {
        let (files, into) = (plural(merged.files, "file"), plural(merged.into, "file"));
        text.push_str(&format!("{table}: {files} ({}) merged into {into}\n", bytes(merged.bytes)));
    }
    if text.is_empty() {
        text.push_str("no small files to merge\n");
    }
    text
}
