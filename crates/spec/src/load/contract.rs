//! `[table]` and `[[child]]` of a source: the contract.

use std::fmt::Display;
use std::str::FromStr;

use super::Read;
use super::columns::{self, Draft};
use super::current::{self, LoadedView};
use super::nested::{self, Nested};
use super::reader::{Node, Parsed, Reader, all, cut, list};
use super::source::Kind;
use crate::contract::{ChildTable, ColumnsBy, Contract, MaxRejected, MissingColumns, Table, UnknownColumns};
use crate::name::{ColumnName, TableName};
use crate::template::PathTemplate;
use crate::types::DataType;

pub(super) const TABLE_KEYS: &[&str] = &[
    "name",
    "time",
    "columns",
    "unknown_columns",
    "missing_columns",
    "columns_by",
    "max_rejected",
    "where",
    "key",
    "keep",
    "deleted",
    "current",
    "publish",
];
pub(super) const CHILD_KEYS: &[&str] =
    &["name", "from", "item", "copy", "columns", "key", "keep", "deleted", "current", "publish"];

/// A contract, the names of its tables, parent first, and those of its views.
pub(super) struct LoadedContract {
    pub(super) value: Contract,
    pub(super) tables: Vec<Parsed<TableName>>,
    pub(super) views: Vec<Parsed<TableName>>,
}

/// Reads the contract. `path` is the source's path, if that could be read.
pub(super) fn load(top: &Reader<'_, '_>, path: Option<&Parsed<PathTemplate>>, kind: Kind) -> Read<LoadedContract> {
    let parent = match top.section("table", TABLE_KEYS) {
        Ok(Some(reader)) => parent(&reader, path, kind),
        Ok(None) => Err(top.missing("[table]", "`[table]` with `name = \"events\"`, and its `[table.columns]`")),
        Err(reported) => Err(reported),
    };
    let parent = &parent;
    let mut nested = Nested::new(parent.as_ref().ok(), path, kind);
    let children = top.optional("child", |node| {
        if node.is_table() {
            return Err(node.problem_with("each child table is one item of an array", "write `[[child]]`"));
        }
        let children = all(node.items()?.iter().map(|item| {
            let reader = item.table(CHILD_KEYS)?;
            if reader.get("item").is_some() {
                return child(item, &reader, parent.as_ref().ok()).map(Some);
            }
            nested.load(item, &reader).map(|()| None)
        }))?;
        Ok(children.into_iter().flatten().collect::<Vec<_>>())
    });
    let (parent, children) = (parent.as_ref().map_err(|reported| *reported)?, children?.unwrap_or_default());
    let (names, children): (Vec<_>, Vec<_>) = children.into_iter().unzip();
    let nested = nested.finish();
    let tables = std::iter::once(parent.name.clone()).chain(names).chain(nested.names);
    let views = parent.view.clone().into_iter().chain(nested.views);
    let value = Contract { children, nested: nested.tables, ..parent.contract.clone() };
    Ok(LoadedContract { value, tables: tables.collect(), views: views.collect() })
}

/// The parent table with its view, and the contract that has no children yet.
pub(super) struct Parent {
    pub(super) name: Parsed<TableName>,
    view: Option<Parsed<TableName>>,
    pub(super) contract: Contract,
}

fn parent(reader: &Reader<'_, '_>, path: Option<&Parsed<PathTemplate>>, kind: Kind) -> Read<Parent> {
    let name = reader.required("name", "`name = \"events\"`", |node| own_name::<TableName>(node, "a table name"));
    let columns = reader.required("columns", "`[table.columns]` with `id = \"string\"`", |node| {
        let drafts = columns::load(node, path)?;
        nested::check_paths(node, &drafts, kind).map(|()| drafts)
    });
    let time = reader.optional("time", |node| time_column(node, columns.as_deref().ok()));
    let unknown_columns = reader.optional("unknown_columns", |node| {
        node.word(&[
            ("hold", UnknownColumns::Hold),
            ("ignore", UnknownColumns::Ignore),
            ("add", UnknownColumns::Add),
            ("json", UnknownColumns::Json),
        ])
    });
    let filter = reader.optional("where", filter);
    let missing_columns = reader.optional("missing_columns", |node| {
        node.word(&[("hold", MissingColumns::Hold), ("null", MissingColumns::Null)])
    });
    let columns_by = reader.optional("columns_by", |node| {
        node.word(&[("name", ColumnsBy::Name), ("position", ColumnsBy::Position), ("fit", ColumnsBy::Fit)])
    });
    let max_rejected = reader.optional("max_rejected", max_rejected);
    let current = match &columns {
        Ok(columns) => current::load(reader, &name, columns),
        // Nothing can be said about it without them.
        Err(reported) => Err(*reported),
    };
    let (name, columns) = (name?, columns?);
    let (view, current) = current?.map(|LoadedView { name, value }| (name, value)).unzip();
    // Objects leave out what they have nothing to say about, and say more than anybody needs.
    let (unknown, missing) = match kind {
        Kind::Csv | Kind::Parquet => (UnknownColumns::Hold, MissingColumns::Hold),
        Kind::Json => (UnknownColumns::Ignore, MissingColumns::Null),
    };
    let unknown_columns = unknown_columns?.unwrap_or(unknown);
    let rest = (unknown_columns == UnknownColumns::Json).then(columns::rest);
    let columns = columns.into_iter().map(|draft| draft.column).chain(rest);
    let parent = Table { name: name.value.clone(), time: time?, columns: columns.collect(), current };
    let contract = Contract {
        parent,
        children: Vec::new(),
        nested: Vec::new(),
        filter: filter?,
        unknown_columns,
        missing_columns: missing_columns?.unwrap_or(missing),
        columns_by: columns_by?.unwrap_or(ColumnsBy::Name),
        max_rejected: max_rejected?.unwrap_or(MaxRejected::DEFAULT),
    };
    Ok(Parent { name, view, contract })
}

/// `where = "country <> 'test'"`
fn filter(node: &Node<'_, '_>) -> Read<String> {
    let text = node.text()?.value;
    if text.trim().is_empty() { Err(node.problem("expected a condition in SQL, found nothing")) } else { Ok(text) }
}

fn max_rejected(node: &Node<'_, '_>) -> Read<MaxRejected> {
    if node.is_integer() {
        return node.whole(0..=i64::MAX).map(|count| MaxRejected::Count(count.unsigned_abs()));
    }
    node.parsed("a share or a number of records").map(|parsed| parsed.value)
}

/// A name of the user's: those that begin with `_` are Stillhouse's own.
pub(super) fn own_name<T: FromStr<Err: Display>>(node: &Node<'_, '_>, what: &str) -> Read<Parsed<T>> {
    if node.text()?.value.starts_with('_') {
        return Err(node.problem("names that begin with `_` are kept for Stillhouse's own tables and columns"));
    }
    node.parsed(what)
}

/// The draft of the column that a text names, or a problem that lists those there are.
pub(super) fn column<'d>(node: &Node<'_, '_>, columns: &'d [Draft]) -> Read<&'d Draft> {
    let text = node.text()?;
    columns.iter().find(|draft| draft.column.name.as_str() == text.value).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|draft| draft.column.name.as_str()).collect();
        node.problem_with(
            format!("the table has no column `{}`", cut(&text.written)),
            format!("its columns are {}", list(&names)),
        )
    })
}

fn time_column(node: &Node<'_, '_>, columns: Option<&[Draft]>) -> Read<ColumnName> {
    let Some(columns) = columns else { return node.parsed("a column name").map(|parsed| parsed.value) };
    let column = &column(node, columns)?.column;
    match &column.data_type {
        DataType::Date | DataType::Timestamp => Ok(column.name.clone()),
        other => {
            let shown = cut(&node.text()?.written);
            Err(node.problem(format!("expected a date or timestamp column, `{shown}` is {other}")))
        }
    }
}

/// `[[child]]`: one row for each item of a list column.
fn child(
    node: &Node<'_, '_>,
    reader: &Reader<'_, '_>,
    parent: Option<&Parent>,
) -> Read<(Parsed<TableName>, ChildTable)> {
    for key in ["columns", "key", "keep", "deleted", "current"] {
        if let Some(other) = reader.get(key) {
            return Err(other.problem_with(
                "a table of the items of a list has one column of its own, its `item`",
                "for objects leave `item` out and give the table `[child.columns]`",
            ));
        }
    }
    let name = reader.required("name", "`name = \"event_tags\"`", |node| own_name::<TableName>(node, "a table name"));
    let list = reader.required("from", "`from = \"events.tags[]\"`", |node| child_list(node, parent));
    let item = reader.required("item", "`item = \"tag\"`", |node| own_name::<ColumnName>(node, "a column name"));
    let copied = reader.optional("copy", |node| all(node.entries()?.iter().map(|entry| copied(entry, parent))));
    let (name, item) = (name?, item?);
    let copied = copied?.unwrap_or_default();
    let mut seen = vec![item.value.as_str().to_ascii_lowercase()];
    for (here, _) in &copied {
        let lower = here.as_str().to_ascii_lowercase();
        if seen.contains(&lower) {
            return Err(node.problem(format!("two columns named `{here}` (case does not count)")));
        }
        seen.push(lower);
    }
    let child = ChildTable { name: name.value.clone(), list: list?, item: item.value, copied };
    Ok((name, child))
}

/// The list column of `events.tags[]`.
fn child_list(node: &Node<'_, '_>, parent: Option<&Parent>) -> Read<ColumnName> {
    let text = node.text()?;
    let parts = text.value.strip_suffix("[]").and_then(|path| path.split_once('.'));
    let Some((table, column)) = parts else {
        let message = format!("expected a path such as `events.tags[]`, found `{}`", cut(&text.written));
        return Err(node.problem(message));
    };
    let Some(Parent { name, contract, .. }) = parent else {
        // The parent could not be read; that is said elsewhere.
        return column.parse().map_err(|_| node.problem(format!("`{}` names no column", cut(&text.written))));
    };
    if table != name.value.as_str() {
        return Err(node.problem(format!("`{}` does not begin with the table {}", cut(&text.written), name.shown())));
    }
    match contract.parent.column(column) {
        Some(found) if matches!(found.data_type, DataType::List(_)) => Ok(found.name.clone()),
        Some(found) => {
            let message =
                format!("expected a list column, `{}` names one of type {}", cut(&text.written), found.data_type);
            Err(node.problem(message))
        }
        None => Err(node.problem_with(
            format!("`{}`: the table has no such column", cut(&text.written)),
            format!("its columns are {}", column_names(contract)),
        )),
    }
}

/// `NAME = "COLUMN"` of `copy`: the name here, and the name in the parent.
fn copied(node: &Node<'_, '_>, parent: Option<&Parent>) -> Read<(ColumnName, ColumnName)> {
    let here = super::columns::column_name(node);
    let there = node.parsed::<ColumnName>("a column name").and_then(|there| match parent {
        Some(Parent { contract, .. }) if contract.parent.column(there.value.as_str()).is_none() => Err(node
            .problem_with(
                format!("the table has no column {}", there.shown()),
                format!("its columns are {}", column_names(contract)),
            )),
        _ => Ok(there.value),
    });
    Ok((here?, there?))
}

fn column_names(contract: &Contract) -> String {
    let names: Vec<&str> = contract.parent.columns.iter().map(|column| column.name.as_str()).collect();
    list(&names)
}
