//! `publish` of tables and reports: what is copied into which database.
//!
//! Read apart from the rest of a source: who reads an old source file again has no use for it, and may lack the
//! variables of the environment that its addresses name.

use std::collections::BTreeMap;

use super::contract::{CHILD_KEYS, TABLE_KEYS, own_name};
use super::file::File;
use super::reader::{Node, Reader, all};
use super::{Context, Read, report};
use crate::contract::Contract;
use crate::current::CurrentView;
use crate::name::TableName;
use crate::project::Project;
use crate::publish::{DatabaseAddress, Lineage, Publication, Published, PublishedRows, SQLITE};
use crate::report::Report;
use crate::secret::Secret;

pub(super) const TABLE_PUBLISH_KEYS: &[&str] = &["to", "table", "rows", "lineage"];
pub(super) const CHILD_PUBLISH_KEYS: &[&str] = &["to", "table", "lineage"];
pub(super) const REPORT_PUBLISH_KEYS: &[&str] = &["to", "prefix"];

const TO_EXAMPLE: &str = "`to = \"sqlite://out/warehouse.db\"`";

/// A publication, with its place.
pub(super) struct Loaded<'f> {
    publication: Publication,
    file: &'f File<'f>,
    at: usize,
}

/// What a source file publishes. Everything else in it was read before, and its mistakes were noted.
pub(super) fn of_source<'f>(file: &'f File<'f>, contract: &Contract) -> Read<Vec<Loaded<'f>>> {
    let found = file.read(|top| {
        let Some(table) = top.section("table", TABLE_KEYS)? else { return Ok(Vec::new()) };
        let of_table = each(&table, TABLE_PUBLISH_KEYS, |reader| {
            with_view(reader, &contract.parent.name, contract.parent.current.as_ref())
        });
        let children = top.optional("child", |node| all(node.items()?.iter().map(|item| item.table(CHILD_KEYS))))?;
        let children = children.unwrap_or_default();
        let of_children = all(children.iter().map(|child| {
            let name = child.required("name", "`name = \"event_tags\"`", |node| node.parsed("a table name"))?;
            match contract.nested.iter().find(|nested| nested.name == name.value) {
                Some(nested) => {
                    each(child, TABLE_PUBLISH_KEYS, |reader| with_view(reader, &nested.name, nested.current.as_ref()))
                }
                None => each(child, CHILD_PUBLISH_KEYS, |reader| child_table(reader, &name.value)),
            }
        }));
        let mut found = of_table?;
        found.extend(of_children?.into_iter().flatten());
        Ok(found)
    })?;
    Ok(with_file(file, found))
}

/// The report files that publish something.
pub(super) fn report_files<'c>(context: &'c Context<'c>, paths: &'c [String]) -> Read<Vec<File<'c>>> {
    all(paths.iter().map(|path| File::new(context, path, report::SECTIONS)))
}

/// What a report file publishes: one table for each query.
pub(super) fn of_report<'f>(file: &'f File<'f>, report: &Report) -> Read<Vec<Loaded<'f>>> {
    let found = file.read(|top| {
        let per_target = each(top, REPORT_PUBLISH_KEYS, |reader| results(reader, report))?;
        Ok(per_target.into_iter().flat_map(|(many, at)| many.into_iter().map(move |one| (one, at))).collect())
    })?;
    Ok(with_file(file, found))
}

fn with_file<'f>(file: &'f File<'f>, found: Vec<(Publication, usize)>) -> Vec<Loaded<'f>> {
    found.into_iter().map(|(publication, at)| Loaded { publication, file, at }).collect()
}

/// What `publish` says: one target, or an array of them. Each with the place of its address.
fn each<T>(
    reader: &Reader<'_, '_>,
    keys: &'static [&'static str],
    mut read: impl FnMut(&Reader<'_, '_>) -> Read<T>,
) -> Read<Vec<(T, usize)>> {
    let found = reader.optional("publish", |node| {
        let nodes = if node.is_array() { node.items()? } else { vec![node.clone()] };
        all(nodes.iter().map(|node| {
            let reader = node.table(keys)?;
            let at = reader.get("to").map_or(node.key_at, |to| to.at());
            Ok((read(&reader)?, at))
        }))
    })?;
    Ok(found.unwrap_or_default())
}

/// A table that may have a view of its current state.
fn with_view(reader: &Reader<'_, '_>, table: &TableName, view: Option<&CurrentView>) -> Read<Publication> {
    let to = reader.required("to", TO_EXAMPLE, address);
    let rows = reader.optional("rows", |node| {
        match node.word(&[("all", PublishedRows::All), ("current", PublishedRows::Current)])? {
            PublishedRows::Current if view.is_none() => Err(node.problem_with(
                "the table has no view of its current state",
                "give the table a `key` and say what to `keep`, or leave `rows` out",
            )),
            rows => Ok(rows),
        }
    });
    let name = reader.optional("table", |node| own_name::<TableName>(node, "a table name"));
    let lineage = lineage(reader);
    let (to, rows, name, lineage) = (to?, rows?.unwrap_or_default(), name?, lineage?);
    let own = match (view, rows) {
        (Some(view), PublishedRows::Current) => &view.name,
        _ => table,
    };
    let name = name.map_or_else(|| own.to_string(), |name| name.value.to_string());
    Ok(Publication { what: Published::Table { table: table.clone(), rows, lineage }, to, name })
}

fn child_table(reader: &Reader<'_, '_>, table: &TableName) -> Read<Publication> {
    let to = reader.required("to", TO_EXAMPLE, address);
    let name = reader.optional("table", |node| own_name::<TableName>(node, "a table name"));
    let lineage = lineage(reader);
    let (to, name, lineage) = (to?, name?, lineage?);
    let name = name.map_or_else(|| table.to_string(), |name| name.value.to_string());
    let what = Published::Table { table: table.clone(), rows: PublishedRows::All, lineage };
    Ok(Publication { what, to, name })
}

fn lineage(reader: &Reader<'_, '_>) -> Read<Lineage> {
    let kept = reader.optional("lineage", |node| node.flag())?.unwrap_or(true);
    Ok(if kept { Lineage::Kept } else { Lineage::LeftOut })
}

fn results(reader: &Reader<'_, '_>, report: &Report) -> Read<Vec<Publication>> {
    let to = reader.required("to", TO_EXAMPLE, address);
    let prefix = reader.optional("prefix", |node| own_name::<TableName>(node, "the beginning of a table name"));
    let (to, prefix) = (to?, prefix?);
    // Dashes are no part of a name that SQL takes without quotes.
    let prefix = prefix.map_or_else(|| report.name.as_str().replace('-', "_"), |prefix| prefix.value.to_string());
    let publication = |query: &crate::report::Query| Publication {
        what: Published::Results { report: report.name.clone(), query: query.name.clone() },
        to: to.clone(),
        name: format!("{prefix}_{}", query.name),
    };
    Ok(report.queries.iter().map(publication).collect())
}

/// `sqlite://PATH`. Messages quote what the user wrote, never what the environment put in.
fn address(node: &Node<'_, '_>) -> Read<DatabaseAddress> {
    let text = node.text()?;
    let shown = super::reader::cut(&text.written);
    let Some(path) = text.value.strip_prefix(SQLITE) else {
        let message = format!("expected the address of a database, `sqlite://PATH`, found `{shown}`");
        let hint = if text.value.starts_with("postgres") {
            "PostgreSQL is not offered here yet; write `sqlite://` and a path"
        } else {
            "write `sqlite://` and a path that is relative to the project folder, or absolute: `sqlite:///var/lib/x.db`"
        };
        return Err(node.problem_with(message, hint));
    };
    let file = path.rsplit('/').next().unwrap_or_default();
    if matches!(file, "" | "." | "..") || path == ":memory:" {
        return Err(node.problem_with(
            format!("expected the path of a file after `{SQLITE}`, found `{shown}`"),
            format!("write {TO_EXAMPLE}"),
        ));
    }
    if path.contains(['?', '\0']) {
        return Err(node.problem(format!("expected a path without `?` and settings behind it, found `{shown}`")));
    }
    Ok(DatabaseAddress::Sqlite(Secret::new(text.written, text.value)))
}

/// Two publications must not write one table, and none the ledger.
pub(super) fn checked(loaded: Vec<Loaded<'_>>, project: &Project) -> Read<Vec<Publication>> {
    let mut places: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    let mut result = Ok(());
    let ledger = plain_path(project.ledger.path.expose());
    for Loaded { publication, file, at } in &loaded {
        let path = plain_path(publication.to.expose_path());
        if path == ledger {
            result = Err(file.problem_with(*at, "`to` is the ledger of this project", "name a file of its own"));
        }
        let place = (path.to_owned(), publication.name.to_ascii_lowercase());
        let here = (publication.what.to_string(), file.path.to_owned());
        if let Some((other, other_file)) = places.insert(place, here) {
            result = Err(file.problem_with(
                *at,
                format!(
                    "{} goes into the same table `{}` as {other} of {other_file}",
                    publication.what, publication.name
                ),
                "give one of them another name with `table` (`prefix` in a report), or another database",
            ));
        }
    }
    result.map(|()| loaded.into_iter().map(|loaded| loaded.publication).collect())
}

fn plain_path(path: &str) -> &str {
    let path = path.strip_prefix(SQLITE).unwrap_or(path);
    path.strip_prefix("./").unwrap_or(path)
}
