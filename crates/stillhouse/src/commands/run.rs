//! `stillhouse run`: the main job. Load what is new, then run the reports.

use serde_json::json;
use stillhouse_ingest::{IngestRequest, Status, Summary};
use stillhouse_report::RunView;
use stillhouse_spec::{Completeness, Period};
use tokio_util::sync::CancellationToken;

use super::ingest::{closing, exit, load, reloads};
use super::report::{list_text, print};
use crate::app::App;
use crate::cli::{Cli, RunArgs};
use crate::failure::{Exit, Failure};
use crate::memory;
use crate::outcome_text;
use crate::printer::complain;
use crate::publishing::{self, Request};
use crate::report_runs::Reporter;

/// Discovers, loads and reports.
pub async fn run(cli: &Cli, args: &RunArgs, stop: CancellationToken) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let period = args.period.resolve(app.today());
    let request = IngestRequest { sources: Vec::new(), period, reload: reloads(&app, &args.reload), held: false };
    let summary = load(&app, &request, args.dry_run, stop).await?;
    if args.dry_run {
        return dry_run(&app, &summary, period);
    }
    memory::give_back();
    let mut published = publishing::tables(&app, Request::default()).await;
    if !app.printer.json() {
        app.printer.tell(outcome_text::summary(&summary))?;
        app.printer.tell(published.text(false))?;
    }
    published.complain();
    let reporter = Reporter::open(&app).await?;
    let mut views = Vec::new();
    for report in &app.project().reports {
        views.extend(reporter.run(report, period).await?);
    }
    let nothing = nothing_usable(&summary, &views);
    if nothing.is_some() {
        views.clear();
    }
    let results = publishing::results(&app, Request::default(), &views).await;
    let text = results.text(false);
    results.complain();
    published.extend(results);
    if !app.printer.json() && !views.is_empty() {
        app.printer.out("\n")?;
    }
    print(&app, &views, &[("objects", list_text(&summary.objects)?), ("published", list_text(&published.json())?)])?;
    if !app.printer.json() {
        app.printer.tell(text)?;
    }
    if let Some(nothing) = nothing {
        return nothing.map(|otherwise| published.exit(otherwise));
    }
    say_what_was_done(&app, &summary, &views);
    Ok(published.exit(exit(&summary)))
}

fn dry_run(app: &App, summary: &Summary, period: Period) -> Result<Exit, Failure> {
    let reports: Vec<&str> = app.project().reports.iter().map(|report| report.name.as_str()).collect();
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "dry_run": true, "objects": summary.objects, "notes": summary.notes, "reports": reports}))?;
    } else {
        app.printer.tell(outcome_text::summary(summary))?;
        app.printer.tell(format!("would then run for {period}: {}\n", reports.join(", ")))?;
        app.printer.say(closing(summary, true));
    }
    Ok(Exit::Done)
}

fn say_what_was_done(app: &App, summary: &Summary, views: &[RunView]) {
    let nothing = summary.count(Status::Loaded) == 0 && summary.batches_published == 0;
    let waiting = summary.objects.iter().any(|object| object.status != Status::Unchanged);
    if nothing && !waiting && !views.is_empty() && views.iter().all(|view| view.reused) {
        app.printer.say("nothing to do: every file is loaded, and nothing changed since these reports were run");
    } else if nothing {
        app.printer.say(closing(summary, false));
    }
    if let Some(view) = views.first() {
        let command = app.folder.command(&format!("report show {} {}", view.report, view.period));
        app.printer.say(format!("\nsee again: {command}"));
    }
}

/// A report over nothing, because there is no file or because none could be loaded, must not look like an answer.
fn nothing_usable(summary: &Summary, views: &[RunView]) -> Option<Result<Exit, Failure>> {
    let empty = views.iter().all(|view| view.completeness == Completeness::Empty);
    if !empty || views.is_empty() {
        return None;
    }
    if summary.objects.is_empty() && !summary.notes.is_empty() {
        return Some(Err(Failure::failed("there is nothing to report on: no file was found")
            .hint("put a file where a source expects it, or correct `path` in the source file")));
    }
    let stopped = summary.count(Status::Held) + summary.count(Status::Failed);
    (stopped > 0 && stopped == summary.objects.len()).then(|| {
        complain("\nthere is nothing to report on: no file could be loaded");
        Ok(exit(summary))
    })
}
