//! `[tables.NAME]`: tables that something else writes.

use super::Read;
use super::reader::{Node, Reader, all, cut};
use crate::foreign::ForeignTable;
use crate::name::TableName;
use crate::secret::Secret;

pub(super) const FOREIGN_KEYS: &[&str] = &["delta", "version", "pii"];

/// A foreign table, and where its name stands.
pub(super) struct Named {
    pub(super) table: ForeignTable,
    pub(super) at: usize,
}

/// All of them, in the order of the file.
pub(super) fn load(top: &Reader<'_, '_>) -> Read<Vec<Named>> {
    let Some(node) = top.get("tables") else { return Ok(Vec::new()) };
    all(node.entries()?.iter().map(one))
}

fn one(node: &Node<'_, '_>) -> Read<Named> {
    let name = own_name(node);
    let reader = node.table(FOREIGN_KEYS)?;
    let folder = reader.required("delta", "`delta = \"../warehouse/plans\"`, the folder of a Delta table", folder);
    let version = reader.optional("version", |node| node.whole(0..=i64::MAX).map(i64::unsigned_abs));
    let pii = reader.optional("pii", |node| node.one_or_many(|node| node.text().map(|text| text.value)));
    let table = ForeignTable { name: name?, folder: folder?, version: version?, pii: pii?.unwrap_or_default() };
    Ok(Named { table, at: node.key_at })
}

fn own_name(node: &Node<'_, '_>) -> Read<TableName> {
    if node.key.starts_with('_') {
        let shown = cut(node.key);
        return Err(node
            .key_problem(format!("table `{shown}`: names that begin with `_` are kept for Stillhouse's own tables")));
    }
    node.key_as()
}

fn folder(node: &Node<'_, '_>) -> Read<Secret> {
    let text = node.text()?;
    if text.value.trim().is_empty() {
        return Err(node.problem("expected a folder, found nothing"));
    }
    if text.value.contains("://") {
        let shown = cut(&text.written);
        return Err(node.problem_with(
            format!("expected a folder, found the address `{shown}`"),
            "only tables in folders of this machine are read; copy or mount it, and name the folder",
        ));
    }
    Ok(Secret::new(text.written, text.value))
}
