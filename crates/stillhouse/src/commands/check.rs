//! `stillhouse check`: is the project right, without running it?

use serde_json::json;
use stillhouse_spec::{Period, Report};

use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::tables_now::TablesNow;
use crate::text::plural;

/// Parses the project (which finds what is wrong in its files) and plans every query against the contracts.
pub async fn check(cli: &Cli) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let tables = TablesNow::open(&app).await?;
    let mut problems = Vec::new();
    for report in &app.project().reports {
        problems.extend(check_report(&app, &tables, report).await?);
    }
    let project = app.project();
    let queries: usize = project.reports.iter().map(|report| report.queries.len()).sum();
    if app.printer.json() {
        app.printer.value(&json!({
            "format": 1, "project": project.name, "ok": problems.is_empty(), "problems": problems,
            "sources": project.sources.len(), "reports": project.reports.len(), "queries": queries,
        }))?;
    } else if problems.is_empty() {
        app.printer.out(format!(
            "{}: {}, {}, {}: all good\n",
            project.name,
            plural(project.sources.len() as u64, "source"),
            plural(project.reports.len() as u64, "report"),
            plural(queries as u64, "query").replace("querys", "queries"),
        ))?;
    }
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    let what = plural(problems.len() as u64, "problem");
    Err(Failure::usage(format!("{what} in the reports:\n{}", problems.join("\n"))).hint("mend them, then check again"))
}

async fn check_report(app: &App, tables: &TablesNow, report: &Report) -> Result<Vec<String>, Failure> {
    let params = stillhouse_report::parameters(report, Period::All, &app.time_zone());
    let mut problems = Vec::new();
    for query in &report.queries {
        if let Err(error) = tables.session.plan(&query.sql, &params).await {
            let hint = error.hint().map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
            problems.push(format!("  {}: {error}{hint}", query.file));
        }
    }
    Ok(problems)
}
