//! `stillhouse ingest`: load what is new, without reports.

use serde_json::json;
use stillhouse_ingest::{IngestRequest, Status, Summary};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, IngestArgs};
use crate::failure::{Exit, Failure};
use crate::outcome_text;
use crate::publishing::{self, Outcomes, Request};

/// Loads, and says what became of every file.
pub async fn ingest(cli: &Cli, args: &IngestArgs, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let request = IngestRequest {
        sources: args.sources.clone(),
        period: args.period.resolve(app.today()),
        reload: reloads(&app, &args.reload),
        held: args.held,
    };
    let summary = load(&app, &request, args.dry_run, stop).await?;
    let published = if args.dry_run { Outcomes::default() } else { publishing::tables(&app, Request::default()).await };
    if app.printer.json() {
        app.printer.value(&json!({
            "format": 1, "dry_run": args.dry_run, "objects": summary.objects, "notes": summary.notes,
            "published": published.json(),
        }))?;
    } else {
        app.printer.tell(outcome_text::summary(&summary))?;
        app.printer.tell(published.text(false))?;
        app.printer.say(closing(&summary, args.dry_run));
    }
    published.complain();
    Ok(published.exit(exit(&summary)))
}

/// What to load again: sources by their names, and paths as the user named them, as keys.
pub fn reloads(app: &App, named: &[String]) -> Vec<String> {
    let is_source = |named: &&String| app.project().sources.iter().any(|source| source.name.as_str() == named.as_str());
    let key = |named: &String| if is_source(&named) { named.clone() } else { app.folder.key(named) };
    named.iter().map(key).collect()
}

/// Loads, or says what loading would do.
pub async fn load(
    app: &App,
    request: &IngestRequest,
    dry_run: bool,
    stop: CancellationToken,
) -> Result<Summary, Failure> {
    let ingest = app.ingest(stop).await?;
    if dry_run {
        return Ok(stillhouse_ingest::plan(&ingest, request).await?);
    }
    Ok(stillhouse_ingest::ingest(&ingest, request).await?)
}

/// The last line: whether anything was done.
pub fn closing(summary: &Summary, dry_run: bool) -> String {
    if dry_run {
        return "dry run: nothing was written".to_owned();
    }
    if summary.count(Status::Loaded) == 0 && summary.batches_published == 0 {
        return "nothing to load: every file has its receipt, is held, or is still to come".to_owned();
    }
    String::new()
}

/// Held and failed objects show in the exit code.
pub fn exit(summary: &Summary) -> Exit {
    if summary.count(Status::Held) + summary.count(Status::Failed) > 0 { Exit::Held } else { Exit::Done }
}
