//! `stillhouse check`: is the project right, without running it?

use serde_json::json;
use stillhouse_ingest::{TargetTables, reload_hint};
use stillhouse_spec::{Period, Published, Report, Source};

use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::row_rules;
use crate::tables_now::TablesNow;
use crate::text::plural;

/// Parses the project (which finds what is wrong in its files) and plans every query against the contracts.
pub async fn check(cli: &Cli) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let tables = TablesNow::open(&app).await?;
    let mut problems: Vec<String> = unreadable(&tables).collect();
    for source in &app.project().sources {
        problems.extend(check_tables(&app, source).await?);
        problems.extend(check_sql(source));
    }
    for report in &app.project().reports {
        problems.extend(check_report(&app, &tables, report).await?);
    }
    let project = app.project();
    let queries: usize = project.reports.iter().map(|report| report.queries.len()).sum();
    if app.printer.json() {
        app.printer.value(&json!({
            "format": 1, "project": project.name, "ok": problems.is_empty(), "problems": problems,
            "sources": project.sources.len(), "reports": project.reports.len(), "queries": queries,
            "publications": project.publications.len(),
        }))?;
    } else if problems.is_empty() {
        app.printer.tell(format!(
            "{}: {}, {}, {}: all good\n",
            project.name,
            plural(project.sources.len() as u64, "source"),
            plural(project.reports.len() as u64, "report"),
            plural(queries as u64, "query"),
        ))?;
    }
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    let what = plural(problems.len() as u64, "problem");
    Err(Failure::usage(format!("{what}:\n{}", problems.join("\n"))).hint("mend them, then check again"))
}

/// Foreign tables that cannot be read.
fn unreadable(tables: &TablesNow) -> impl Iterator<Item = String> {
    let found = tables.foreign.iter().filter_map(|table| table.found.as_ref().err());
    found.map(|unreadable| problem(&format!("stillhouse.toml: {}", unreadable.message), Some(&unreadable.hint)))
}

async fn check_report(app: &App, tables: &TablesNow, report: &Report) -> Result<Vec<String>, Failure> {
    let params = stillhouse_report::parameters(report, Period::All, &app.time_zone());
    let mut problems = Vec::new();
    for query in &report.queries {
        match stillhouse_report::plan_query(&tables.session, query, &params).await {
            Err(error) => problems.push(problem(&error.to_string(), error.hint())),
            Ok(planned) if publishes(app, report) => {
                if let Err(error) = stillhouse_publish::result_columns(&planned.schema) {
                    problems.push(problem(&format!("{}: {error}", query.file), error.hint()));
                }
            }
            Ok(_) => {}
        }
    }
    Ok(problems)
}

/// Whether results of the report go into a database.
fn publishes(app: &App, report: &Report) -> bool {
    let mut publications = app.project().publications.iter();
    publications.any(|one| matches!(&one.what, Published::Results { report: of, .. } if *of == report.name))
}

/// Columns whose type or name clashes with what the lake holds: the next file would be held.
async fn check_tables(app: &App, source: &Source) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for (table, schema) in TargetTables::new(&source.contract).tables {
        if let Err(error) = app.lake.check_schema(table.as_str(), &schema).await? {
            let retyped = !app.lake.type_changes(table.as_str(), &schema).await?.is_empty();
            let hint = if retyped { Some(reload_hint(&source.name)) } else { error.hint.clone() };
            problems.push(problem(&format!("sources/{}.toml: {error}", source.name), hint.as_deref()));
        }
    }
    Ok(problems)
}

/// `where` and `derive` of a contract.
fn check_sql(source: &Source) -> Option<String> {
    let wrong = source.contract.has_sql().then(|| row_rules::compile(&source.contract).err()).flatten()?;
    let hint = "write an expression in SQL over the columns of the table";
    Some(problem(&format!("sources/{}.toml: {wrong}", source.name), Some(hint)))
}

fn problem(message: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
    format!("  {message}{hint}")
}
