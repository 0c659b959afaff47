//! `stillhouse maintain`: housekeeping.

use std::time::Duration;

use serde_json::json;
use stillhouse_ingest::{MaintainRequest, Maintained};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, MaintainArgs};
use crate::failure::{Exit, Failure};
use crate::text::{bytes, plural};

/// Attempts that ended longer ago are forgotten.
const KEEP_ATTEMPTS: Duration = Duration::from_secs(90 * 24 * 3600);

/// Does it, and says what was done.
pub async fn maintain(cli: &Cli, args: &MaintainArgs, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let ingest = app.ingest(stop).await?;
    let request = MaintainRequest {
        file_bytes: args.file_size * 1_000_000,
        keep: args.keep,
        keep_attempts: KEEP_ATTEMPTS,
        folder: Some(app.folder.resolve(app.project().lake.path.expose())),
        dry_run: args.dry_run,
    };
    let done = stillhouse_ingest::maintain(&ingest, &request).await?;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "dry_run": args.dry_run, "maintained": done}))?;
        return Ok(Exit::Done);
    }
    app.printer.tell(render(&done))?;
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
    for (table, entries) in &done.log_entries {
        text.push_str(&format!("{table}: {} of its log deleted, a checkpoint holds them\n", plural(*entries, "entry")));
    }
    if done.deleted_files > 0 {
        let files = plural(done.deleted_files, "file");
        text.push_str(&format!("{files} ({}) that nothing needs deleted\n", bytes(done.deleted_bytes)));
    }
    if done.attempts > 0 {
        text.push_str(&format!("{} to load files forgotten\n", plural(done.attempts, "old attempt")));
    }
    if text.is_empty() {
        text.push_str("nothing to do: files are large, logs are short, nothing lies about\n");
    }
    for path in &done.unknown_files {
        text.push_str(&format!("note: `{path}` is no file of ours and stays\n"));
    }
    for problem in &done.problems {
        text.push_str(&format!("note: {problem}\n"));
    }
    text
}
