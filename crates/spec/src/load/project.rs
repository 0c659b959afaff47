//! `stillhouse.toml`, and the project as a whole.

use super::file::{File, Section};
use super::reader::{Node, Reader, all};
use super::{Context, Read, cross, foreign, publish, report, source};
use crate::period::zone;
use crate::project::{Durability, LakeSettings, LedgerSettings, Limits, Project};
use crate::secret::Secret;

const PATH: &str = "stillhouse.toml";
const PROJECT_KEYS: &[&str] = &["name", "time_zone"];
const LAKE_KEYS: &[&str] = &["path", "durability"];
const LEDGER_KEYS: &[&str] = &["path"];
const LIMITS_KEYS: &[&str] = &["query_memory", "query_seconds", "result_rows", "spill", "workers"];
const SECTIONS: &[Section] = &[
    Section { name: "", keys: &["format", "project", "lake", "ledger", "limits", "tables"] },
    Section { name: "[project]", keys: PROJECT_KEYS },
    Section { name: "[lake]", keys: LAKE_KEYS },
    Section { name: "[ledger]", keys: LEDGER_KEYS },
    Section { name: "[limits]", keys: LIMITS_KEYS },
    Section { name: "[tables.NAME]", keys: foreign::FOREIGN_KEYS },
];

const SECONDS_MAX: i64 = 366 * 24 * 60 * 60;
const WORKERS_MAX: i64 = 1024;

/// Reads every file of the project.
pub(super) fn load(context: &Context<'_>) -> Read<Project> {
    let file = File::new(context, PATH, SECTIONS);
    let settings = file.as_ref().map_err(|reported| *reported).and_then(|file| file.read(settings));
    let files = source::files(context);
    let sources: Vec<_> = files.iter().map(|file| file.as_ref().map_err(|reported| *reported)).collect();
    let sources: Vec<_> = sources.into_iter().map(|file| file.and_then(source::load)).collect();
    let foreign = settings.as_ref().map_or(&[][..], |(_, foreign)| foreign);
    let unique = cross::unique_tables(sources.iter().flatten(), file.as_ref().ok(), foreign);
    let loaded = sources.iter().flatten();
    let published = all(loaded.map(|loaded| publish::of_source(loaded.file, &loaded.source.contract)));
    let reports = report::load_all(context);
    let (mut project, foreign) = settings?;
    unique?;
    project.foreign = foreign.into_iter().map(|named| named.table).collect();
    let (mut published, reports) = (published?, reports?);
    let paths: Vec<String> = reports.iter().map(|report| report::path(report.name.as_str())).collect();
    let report_files = publish::report_files(context, &paths)?;
    let of_reports = report_files.iter().zip(&reports).map(|(file, report)| publish::of_report(file, report));
    published.extend(all(of_reports)?);
    project.publications = publish::checked(published.into_iter().flatten().collect(), &project)?;
    project.sources = sources.into_iter().map(|source| source.map(|loaded| loaded.source)).collect::<Read<_>>()?;
    project.reports = reports;
    Ok(project)
}

fn settings(top: &Reader<'_, '_>) -> Read<(Project, Vec<foreign::Named>)> {
    let project = match top.section("project", PROJECT_KEYS) {
        Ok(Some(reader)) => identity(&reader),
        Ok(None) => Err(top.missing("[project]", "`[project]` with `name = \"my-project\"`")),
        Err(reported) => Err(reported),
    };
    let lake = top.section("lake", LAKE_KEYS).and_then(|reader| lake(reader.as_ref()));
    let ledger = top.section("ledger", LEDGER_KEYS).and_then(|reader| ledger(reader.as_ref()));
    let limits = top.section("limits", LIMITS_KEYS).and_then(|reader| limits(reader.as_ref()));
    let foreign = foreign::load(top);
    let (name, time_zone) = project?;
    Ok((Project::new(name, time_zone, lake?, ledger?, limits?), foreign?))
}

fn identity(reader: &Reader<'_, '_>) -> Read<(String, String)> {
    let name = reader.required("name", "`name = \"my-project\"`", |node| {
        let text = node.text()?;
        if text.value.trim().is_empty() {
            Err(node.problem("expected a name, found no letters"))
        } else {
            Ok(text.value)
        }
    });
    let time_zone = reader.optional("time_zone", zone_name);
    Ok((name?, time_zone?.unwrap_or_else(|| "UTC".to_owned())))
}

/// A time zone of the IANA database.
pub(super) fn zone_name(node: &Node<'_, '_>) -> Read<String> {
    let text = node.text()?;
    match zone(&text.value) {
        Ok(_) => Ok(text.value),
        Err(_) => Err(node.problem_with(
            format!("`{}` is not a time zone", super::reader::cut(&text.written)),
            "write UTC or a name of the IANA database, such as Europe/Berlin",
        )),
    }
}

fn lake(reader: Option<&Reader<'_, '_>>) -> Read<LakeSettings> {
    let path = setting(reader, "lake");
    let durability = reader.map(|reader| {
        reader.optional("durability", |node| node.word(&[("fsync", Durability::Fsync), ("os", Durability::Os)]))
    });
    let durability = durability.transpose()?.flatten().unwrap_or(Durability::Fsync);
    Ok(LakeSettings { path: path?, durability })
}

fn ledger(reader: Option<&Reader<'_, '_>>) -> Read<LedgerSettings> {
    Ok(LedgerSettings { path: setting(reader, ".stillhouse/ledger.db")? })
}

/// The `path` of a section. It may become a URL with a password one day, so it is a secret from the first.
fn setting(reader: Option<&Reader<'_, '_>>, default: &str) -> Read<Secret> {
    let Some(node) = reader.and_then(|reader| reader.get("path")) else { return Ok(Secret::plain(default)) };
    let text = node.text()?;
    if text.value.trim().is_empty() {
        return Err(node.problem("expected a path, found nothing"));
    }
    Ok(Secret::new(text.written, text.value))
}

fn limits(reader: Option<&Reader<'_, '_>>) -> Read<Limits> {
    let mut limits = Limits::default();
    let Some(reader) = reader else { return Ok(limits) };
    let whole = |node: &Node<'_, '_>, max| node.whole(1..=max).map(i64::unsigned_abs);
    let memory = reader.optional("query_memory", Node::bytes);
    let seconds = reader.optional("query_seconds", |node| whole(node, SECONDS_MAX));
    let rows = reader.optional("result_rows", |node| whole(node, i64::MAX));
    let spill = reader.optional("spill", Node::bytes);
    let workers = reader.optional("workers", |node| node.whole(1..=WORKERS_MAX));
    limits.query_memory_bytes = memory?.unwrap_or(limits.query_memory_bytes);
    limits.query_seconds = seconds?.unwrap_or(limits.query_seconds);
    limits.result_rows = rows?.unwrap_or(limits.result_rows);
    limits.spill_bytes = spill?.unwrap_or(limits.spill_bytes);
    limits.workers = workers?.and_then(|workers| usize::try_from(workers).ok());
    Ok(limits)
}
