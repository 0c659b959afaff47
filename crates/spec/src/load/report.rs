//! `reports/NAME/report.toml` and the SQL beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, Section};
use super::publish::REPORT_PUBLISH_KEYS;
use super::reader::{Node, Reader, Text, all, cut, list};
use super::{Context, Read, chart};
use crate::name::{QueryName, ReportName};
use crate::period::{Grain, Period, PeriodChoice};
use crate::report::{ColumnFormat, Parameter, PeriodKind, PeriodParameter, Query, Report};

const TOP_KEYS: &[&str] = &["format", "title", "description", "period", "parameters", "queries", "publish"];
const PERIOD_KEYS: &[&str] = &["type", "default"];
const QUERY_KEYS: &[&str] = &["title", "file", "columns", "chart"];
const COLUMN_KEYS: &[&str] = &["decimals"];
pub(super) const SECTIONS: &[Section] = &[
    Section { name: "", keys: TOP_KEYS },
    Section { name: "period", keys: PERIOD_KEYS },
    Section { name: "[queries.NAME]", keys: QUERY_KEYS },
    Section { name: "[queries.NAME.columns.COLUMN]", keys: COLUMN_KEYS },
    Section { name: "[queries.NAME.chart]", keys: chart::KEYS },
    Section { name: "[queries.NAME.chart.format]", keys: chart::FORMAT_KEYS },
    Section { name: "publish", keys: REPORT_PUBLISH_KEYS },
];

/// Parameters that every query has; see [`PeriodParameter`].
const OWN_PARAMETERS: &[&str] = &["period_start", "period_end", "previous_start", "year_start"];

/// Every folder under `reports/`, by name.
pub(super) fn load_all(context: &Context<'_>) -> Read<Vec<Report>> {
    let folder = |path: &'_ String| Some(path.strip_prefix("reports/")?.split_once('/')?.0.to_owned());
    let folders: BTreeSet<String> = context.files.files.keys().filter_map(folder).collect();
    all(folders.iter().map(|folder| load(context, folder)))
}

/// The file of a report.
pub(super) fn path(folder: &str) -> String {
    format!("reports/{folder}/report.toml")
}

fn load(context: &Context<'_>, folder: &str) -> Read<Report> {
    let path = path(folder);
    let file = File::new(context, &path, SECTIONS)?;
    let name = folder.parse::<ReportName>().map_err(|error| file.problem(0, error.to_string()));
    file.read(|top| report(top, name, folder))
}

fn report(top: &Reader<'_, '_>, name: Read<ReportName>, folder: &str) -> Read<Report> {
    let title = top.required("title", "`title = \"…\"`", |node| Ok(node.text()?.value));
    let description = top.optional("description", |node| Ok(node.text()?.value));
    let period = top.required("period", "`period = { type = \"any\" }`", period);
    let parameters = top.optional("parameters", |node| all(node.entries()?.iter().map(parameter)));
    let queries = top.required("queries", "`[queries.NAME]` with `title = \"…\"`", |node| queries(node, folder));
    let (name, queries) = (name?, queries?);
    let text = whole_text(top.file.text, &queries);
    Ok(Report {
        name,
        title: title?,
        description: description?.unwrap_or_default(),
        period: period?,
        parameters: parameters?.unwrap_or_default().into_iter().collect(),
        queries,
        fingerprint: blake3::hash(text.as_bytes()).to_hex().to_string(),
        text,
    })
}

/// The report file and its queries as written, each with its name and length in front, so that no two reports share it.
fn whole_text(report: &str, queries: &[Query]) -> String {
    let queries = queries.iter().map(|query| (query.file.as_str(), query.sql.as_str()));
    let mut whole = String::new();
    for (name, text) in std::iter::once(("report.toml", report)).chain(queries) {
        whole.push_str(&format!("=== {name} ({} bytes)\n{text}\n", text.len()));
    }
    whole
}

fn period(node: &Node<'_, '_>) -> Read<PeriodParameter> {
    let reader = node.table(PERIOD_KEYS)?;
    let kinds = [
        ("any", PeriodKind::Any),
        ("day", PeriodKind::Each(Grain::Day)),
        ("month", PeriodKind::Each(Grain::Month)),
        ("year", PeriodKind::Each(Grain::Year)),
        ("all", PeriodKind::All),
    ];
    let kind = reader.required("type", "`type = \"any\"`", |node| node.word(&kinds));
    let default = reader.optional("default", |node| {
        let default = node.parsed::<PeriodChoice>("a period")?;
        match kind {
            Ok(kind) if !kind.takes(default.value) => {
                let message = format!("a report of type `{kind}` cannot be about {}", default.shown());
                Err(node.problem_with(message, format!("leave it out for `{}`", default_period(kind))))
            }
            _ => Ok(default.value),
        }
    });
    let (kind, default) = (kind?, default?);
    Ok(PeriodParameter { kind, default: default.unwrap_or(default_period(kind)) })
}

/// The last whole period of the report's kind.
fn default_period(kind: PeriodKind) -> PeriodChoice {
    match kind {
        PeriodKind::Any => PeriodChoice::Last(Grain::Month),
        PeriodKind::Each(grain) => PeriodChoice::Last(grain),
        PeriodKind::All => PeriodChoice::Fixed(Period::All),
    }
}

fn parameter(node: &Node<'_, '_>) -> Read<(String, Parameter)> {
    let name = node.key_as::<QueryName>().map(|name| name.as_str().to_owned());
    let own = OWN_PARAMETERS.contains(&node.key);
    let own = own.then(|| node.problem("every query has this parameter already; use another name"));
    let value = if node.is_integer() {
        node.whole(i64::MIN..=i64::MAX).map(Parameter::Int)
    } else {
        node.text_or("text or a whole number").map(|text| Parameter::Text(text.value))
    };
    own.map_or(Ok(()), Err)?;
    Ok((name?, value?))
}

fn queries(node: &Node<'_, '_>, folder: &str) -> Read<Vec<Query>> {
    let entries = node.entries()?;
    if entries.is_empty() {
        return Err(
            node.problem_with("a report needs a query", "write `[queries.summary]`, and summary.sql beside the file")
        );
    }
    all(entries.iter().map(|entry| query(entry, folder)))
}

fn query(node: &Node<'_, '_>, folder: &str) -> Read<Query> {
    let name = node.key_as::<QueryName>();
    let reader = node.table(QUERY_KEYS)?;
    let title = reader.optional("title", |node| Ok(node.text()?.value));
    let sql = match reader.get("file") {
        Some(file) => sql_file(&file).and_then(|text| sql(&file, folder, &text.value, &text.written)),
        None => {
            let file = format!("{}.sql", node.key);
            sql(node, folder, &file, &file)
        }
    };
    let columns = reader.optional("columns", |node| all(node.entries()?.iter().map(column_format)));
    let chart = reader.optional("chart", chart::read);
    let (name, (file, sql)) = (name?, sql?);
    let title = title?.unwrap_or_else(|| title_of(name.as_str()));
    let columns: BTreeMap<_, _> = columns?.unwrap_or_default().into_iter().collect();
    Ok(Query { name, title, file, sql, columns, chart: chart? })
}

/// `events_per_day` is "Events per day".
fn title_of(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn sql_file(node: &Node<'_, '_>) -> Read<Text> {
    let text = node.text()?;
    if text.value.ends_with(".sql") && !text.value.contains(['/', '\\']) {
        return Ok(text);
    }
    let message = format!("expected a .sql file in the report's folder, found `{}`", cut(&text.written));
    Err(node.problem(message))
}

/// The path and the text of a query's file; `shown` is the file as messages may name it.
fn sql(node: &Node<'_, '_>, folder: &str, file: &str, shown: &str) -> Read<(String, String)> {
    let path = format!("reports/{folder}/{file}");
    let shown = format!("`reports/{folder}/{}`", cut(shown));
    let files = node.project_files();
    let is_comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("--");
    match files.get(&path) {
        Some(sql) if sql.lines().all(is_comment) => Err(node.problem(format!("{shown} holds no query"))),
        Some(sql) => Ok((path, sql.clone())),
        None => {
            let folder = format!("reports/{folder}/");
            let in_folder = files.keys().filter_map(|path| path.strip_prefix(&folder));
            let others: Vec<&str> = in_folder.filter(|name| name.ends_with(".sql")).collect();
            let message = format!("its SQL file {shown} is missing");
            Err(match others.as_slice() {
                [] => node.problem_with(message, "write the query into that file"),
                some => node.problem_with(message, format!("write it, or name one of {} as `file`", list(some))),
            })
        }
    }
}

fn column_format(node: &Node<'_, '_>) -> Read<(String, ColumnFormat)> {
    let reader = node.table(COLUMN_KEYS)?;
    let decimals = reader.optional("decimals", |node| node.whole(0..=38))?;
    Ok((node.key.to_owned(), ColumnFormat { decimals: decimals.and_then(|digits| u8::try_from(digits).ok()) }))
}
