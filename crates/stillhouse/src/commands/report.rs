//! `stillhouse report`: run, list and show reports.

use serde::Serialize;
use serde_json::json;
use stillhouse_report::render::{self, TerminalStyle};
use stillhouse_report::{RunRecord, RunView};
use stillhouse_spec::{Period, PeriodChoice, Report};

use super::sql::style;
use crate::app::App;
use crate::cli::{Cli, OutputArgs, ReportCommand};
use crate::failure::{Exit, Failure};
use crate::publishing::{self, Request};
use crate::report_runs::{Reporter, load, recorded};
use crate::result_files::save;
use crate::table::Table;
use crate::text::minute;

/// Rows of a result that a terminal shows; `--out` and `--json` have all of them.
const ROWS_SHOWN: usize = 40;

/// Runs the subcommand.
pub async fn report(cli: &Cli, command: &ReportCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        ReportCommand::Run { name, period, output } => run(&app, name, *period, output).await,
        ReportCommand::List => list(&app).await,
        ReportCommand::Show { name, period, output } => show(&app, name, *period, output).await,
    }
}

/// The report of that name.
pub fn find<'a>(app: &'a App, name: &str) -> Result<&'a Report, Failure> {
    let reports = &app.project().reports;
    reports.iter().find(|report| report.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
        Failure::usage(format!("there is no report `{name}`")).hint(format!("reports are: {}", known.join(", ")))
    })
}

async fn run(app: &App, name: &str, period: Option<PeriodChoice>, output: &OutputArgs) -> Result<Exit, Failure> {
    let report = find(app, name)?;
    let asked = period.unwrap_or(report.period.default).resolve(app.today());
    let views = Reporter::open(app).await?.run(report, asked).await?;
    if views.is_empty() {
        return Err(Failure::usage(format!("report `{name}` has no whole period in `{asked}`, or no data yet"))
            .hint("name a period as long as the report's own, or load data first: `stillhouse ingest`"));
    }
    let published = publishing::results(app, Request::default(), &views).await;
    print(app, &views, &[("objects", "[]".to_owned()), ("published", list_text(&published.json())?)])?;
    save(app.printer, &views, output)?;
    if !app.printer.json() {
        app.printer.out(published.text(false))?;
    }
    published.complain();
    Ok(published.exit(Exit::Done))
}

async fn list(app: &App) -> Result<Exit, Failure> {
    let runs = recorded(app).await?;
    if app.printer.json() {
        let reports = app.project().reports.iter().map(|report| {
            json!({"report": report.name.as_str(), "title": report.title, "runs": runs.iter().filter(|run| run.report == report.name.as_str()).collect::<Vec<_>>()})
        });
        app.printer.value(&json!({"format": 1, "reports": reports.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["report", "period", "completeness", "run", "at"]);
    table.long(&[0]);
    for report in &app.project().reports {
        let own: Vec<&RunRecord> = runs.iter().filter(|run| run.report == report.name.as_str()).collect();
        if own.is_empty() {
            table.row(vec![report.name.to_string(), "not run yet".into(), String::new(), String::new(), String::new()]);
        }
        for run in own {
            let id = run.run_id.chars().take(8).collect();
            table.row(vec![
                run.report.clone(),
                run.period.clone(),
                run.completeness.to_string(),
                id,
                minute(run.started_at),
            ]);
        }
    }
    app.printer.out(table.render())?;
    let (what, next) = if runs.is_empty() { ("next", "run all") } else { ("show one", "report show REPORT PERIOD") };
    app.printer.say(format!("\n{what}: {}", app.folder.command(next)));
    Ok(Exit::Done)
}

async fn show(app: &App, name: &str, period: Option<PeriodChoice>, output: &OutputArgs) -> Result<Exit, Failure> {
    let period = period.map(|period| period.resolve(app.today()));
    let runs = recorded(app).await?;
    let record = newest(&runs, name, period).ok_or_else(|| not_run(app, name, period))?;
    let views = [load(app, record).await?];
    print(app, &views, &[("objects", "[]".to_owned())])?;
    save(app.printer, &views, output)?;
    Ok(Exit::Done)
}

/// That there is nothing to show: because it was not run yet, or because there is no such report.
fn not_run(app: &App, name: &str, period: Option<Period>) -> Failure {
    let (of, behind) = period.map(|period| (format!(" for {period}"), format!(" {period}"))).unwrap_or_default();
    let failure = Failure::usage(format!("`{name}` is no report that was run{of}, and no run"));
    match find(app, name) {
        Ok(_) => failure.hint(format!("run it: `{}`", app.folder.command(&format!("report run {name}{behind}")))),
        Err(unknown) => failure.hint(unknown.hint.unwrap_or_default()),
    }
}

/// The newest run of the report of that name, or the run whose id begins so.
fn newest<'a>(runs: &'a [RunRecord], name: &str, period: Option<Period>) -> Option<&'a RunRecord> {
    let wanted = |run: &&RunRecord| period.is_none_or(|period| run.period == period.to_string());
    let of_report = runs.iter().rev().filter(wanted).find(|run| run.report == name);
    of_report.or_else(|| runs.iter().rev().filter(wanted).find(|run| name.len() >= 4 && run.run_id.starts_with(name)))
}

/// A list as JSON, to be printed beside runs. Of ten thousand files, the text takes a fraction of what values would.
pub fn list_text<T: Serialize>(list: &[T]) -> Result<String, Failure> {
    serde_json::to_string(list).map_err(|error| Failure::failed("the result cannot be written").because(&error))
}

/// Runs as text, or as the versioned JSON object.
pub fn print(app: &App, views: &[RunView], lists: &[(&str, String)]) -> Result<(), Failure> {
    if app.printer.json() {
        let mut bytes = Vec::new();
        render::json(views, lists, &mut bytes)
            .map_err(|error| Failure::failed("the result cannot be written").because(&error))?;
        return app.printer.out(String::from_utf8_lossy(&bytes));
    }
    let rest = "`report show` with `--out DIR` writes all of them";
    let style = TerminalStyle { rows_max: ROWS_SHOWN, rest, ..style() };
    for (number, view) in views.iter().enumerate() {
        let gap = if number > 0 { "\n" } else { "" };
        app.printer.out(format!("{gap}{}", render::terminal(view, style)))?;
    }
    Ok(())
}
