//! `[[child]]` with columns: tables of the objects of arrays inside the records.

use std::collections::BTreeMap;

use super::Read;
use super::columns::{self, Draft};
use super::contract::{Parent, own_name};
use super::current;
use super::reader::{Node, Parsed, Reader, all, cut, list};
use super::source::Kind;
use crate::contract::{Column, ColumnFrom, Inside, NestedPlace, NestedTable};
use crate::name::{ColumnName, TableName};
use crate::path::FieldPath;
use crate::template::PathTemplate;

/// The tables so far.
pub(super) struct Nested<'p> {
    parent: Option<&'p Parent>,
    path: Option<&'p Parsed<PathTemplate>>,
    kind: Kind,
    tables: Vec<NestedTable>,
    names: Vec<Parsed<TableName>>,
    views: Vec<Parsed<TableName>>,
}

/// What was read.
pub(super) struct Finished {
    pub(super) tables: Vec<NestedTable>,
    pub(super) names: Vec<Parsed<TableName>>,
    pub(super) views: Vec<Parsed<TableName>>,
}

/// The way into a record, and from which table it leads.
struct From {
    inside: Inside,
    path: FieldPath,
}

impl<'p> Nested<'p> {
    pub(super) fn new(parent: Option<&'p Parent>, path: Option<&'p Parsed<PathTemplate>>, kind: Kind) -> Self {
        Self { parent, path, kind, tables: Vec::new(), names: Vec::new(), views: Vec::new() }
    }

    pub(super) fn finish(self) -> Finished {
        Finished { tables: self.tables, names: self.names, views: self.views }
    }

    /// Reads one `[[child]]`: a table, or one more place where rows of a table stand.
    pub(super) fn load(&mut self, node: &Node<'_, '_>, reader: &Reader<'_, '_>) -> Read<()> {
        let name =
            reader.required("name", "`name = \"event_tags\"`", |node| own_name::<TableName>(node, "a table name"));
        let Ok(name) = name else {
            let examples = [("from", "`from = \"events.tags[]\"`"), ("item", "`item = \"tag\"`")];
            let missing =
                |(key, _): &(&'static str, &str)| reader.get(key).is_none() && reader.get("columns").is_none();
            let missing = examples.into_iter().filter(missing).map(|(key, example)| Err(reader.missing(key, example)));
            return all::<()>(missing).and_then(|_| name.map(|_| ()));
        };
        let known = self.tables.iter().position(|table| table.name == name.value);
        if known.is_none() && reader.get("columns").is_none() {
            return Err(node.problem_with(
                format!("what are the rows of {}?", name.shown()),
                "for the items of a list column write `item = \"tag\"`, for objects give the table `[child.columns]`",
            ));
        }
        if self.kind == Kind::Csv {
            return Err(node.problem_with(
                "a CSV record has no objects inside",
                "for the items of a list column write `item = \"tag\"`, and leave `columns` out",
            ));
        }
        match known {
            Some(table) => self.one_more_place(reader, table),
            None => self.table(reader, name),
        }
    }

    fn table(&mut self, reader: &Reader<'_, '_>, name: Parsed<TableName>) -> Read<()> {
        let from = reader.required("from", "`from = \"posts.comments.data[]\"`", |node| self.from(node, None));
        let drafts = reader.required("columns", "`[child.columns]` with `id = \"string\"`", |node| {
            let drafts = columns::load(node, self.path)?;
            check_paths(node, &drafts, self.kind)?;
            all(drafts.iter().map(|draft| read_from_records(node, &draft.column)))?;
            Ok(drafts)
        });
        let (from, own) = (from?, drafts?);
        let copied = reader.optional("copy", |node| self.copied(node, from.inside, &own))?.unwrap_or_default();
        let drafts: Vec<Draft> = copied.iter().map(|(column, _)| Draft::nameless(column.clone())).chain(own).collect();
        let view = current::load(reader, &Ok(name.clone()), &drafts)?;
        let (view, current) = view.map(|view| (view.name, view.value)).unzip();
        let own = drafts.into_iter().skip(copied.len()).map(|draft| draft.column).collect();
        let (copied, of): (Vec<Column>, Vec<ColumnName>) = copied.into_iter().unzip();
        let places = vec![NestedPlace { inside: from.inside, path: from.path, copied: of }];
        self.tables.push(NestedTable { name: name.value.clone(), copied, columns: own, places, current });
        self.names.push(name);
        self.views.extend(view);
        Ok(())
    }

    /// The table has its columns already; only place and copies are said again.
    fn one_more_place(&mut self, reader: &Reader<'_, '_>, table: usize) -> Read<()> {
        for key in ["columns", "key", "keep", "deleted", "current", "publish"] {
            if let Some(other) = reader.get(key) {
                let name = &self.tables[table].name;
                return Err(other.problem(format!("stands with the first `[[child]]` of the name `{name}`")));
            }
        }
        let from = reader.required("from", "`from = \"comments.replies[]\"`", |node| self.from(node, Some(table)))?;
        let copies = reader.optional("copy", |node| self.copies(node, from.inside))?.unwrap_or_default();
        let mut copies: BTreeMap<ColumnName, Column> = copies.into_iter().collect();
        let mut of = Vec::new();
        for column in &self.tables[table].copied {
            match copies.remove(&column.name) {
                Some(found) if found.data_type == column.data_type => of.push(found.name),
                Some(found) => {
                    return Err(reader.missing(
                        "copy",
                        &format!(
                            "for `{}` a column of type {}, not {}",
                            column.name, column.data_type, found.data_type
                        ),
                    ));
                }
                None => {
                    let example = format!("`copy = {{ {} = … }}` as with the first place of this table", column.name);
                    return Err(reader.missing("copy", &example));
                }
            }
        }
        if let (Some(name), Some(node)) = (copies.keys().next(), reader.get("copy")) {
            return Err(node.problem(format!("the first place of this table has no copy `{name}`")));
        }
        self.tables[table].places.push(NestedPlace { inside: from.inside, path: from.path, copied: of });
        Ok(())
    }

    /// `TABLE.PATH[]`; `itself`: the table that the place is one more of.
    fn from(&self, node: &Node<'_, '_>, itself: Option<usize>) -> Read<From> {
        let text = node.text()?;
        let shown = cut(&text.written);
        let parts = text.value.strip_suffix("[]").and_then(|path| path.split_once('.'));
        let Some((table, path)) = parts else {
            return Err(node.problem(format!("expected a path such as `posts.comments.data[]`, found `{shown}`")));
        };
        let path = path.parse::<FieldPath>().map_err(|error| node.problem(error))?;
        let limit = itself.map_or(self.tables.len(), |table| table + 1);
        let nested = self.tables[..limit].iter().position(|nested| nested.name.as_str() == table);
        let inside = match (nested, self.parent) {
            (Some(nested), _) => Inside::Nested(nested),
            (None, Some(parent)) if parent.name.value.as_str() == table => Inside::Parent,
            // The parent could not be read; that is said elsewhere.
            (None, None) => Inside::Parent,
            (None, Some(parent)) => {
                let known: Vec<&str> = std::iter::once(parent.name.value.as_str())
                    .chain(self.tables[..limit].iter().map(|table| table.name.as_str()))
                    .collect();
                let message = format!("`{shown}` does not begin with a table that stands before it");
                return Err(node.problem_with(message, format!("these are {}", list(&known))));
            }
        };
        Ok(From { inside, path })
    }

    /// The columns of the table that a row is inside.
    fn columns_of(&self, inside: Inside) -> Vec<&Column> {
        match (inside, self.parent) {
            (Inside::Nested(table), _) => self.tables[table].all_columns().collect(),
            (Inside::Parent, Some(parent)) => parent.contract.parent.columns.iter().collect(),
            (Inside::Parent, None) => Vec::new(),
        }
    }

    /// `NAME = "COLUMN"` of `copy`: the name here, and the column there.
    fn copies(&self, node: &Node<'_, '_>, inside: Inside) -> Read<Vec<(ColumnName, Column)>> {
        let columns = self.columns_of(inside);
        all(node.entries()?.iter().map(|entry| {
            let here = columns::column_name(entry)?;
            let there = entry.parsed::<ColumnName>("a column name")?;
            let found = columns.iter().find(|column| column.name == there.value);
            let Some(found) = found else {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let message = format!("the table that the rows are inside has no column {}", there.shown());
                return Err(entry.problem_with(message, format!("its columns are {}", list(&names))));
            };
            if let ColumnFrom::Derived(_) = found.from {
                return Err(entry.problem(format!("{} is derived, and cannot be copied", there.shown())));
            }
            Ok((here, (*found).clone()))
        }))
    }

    /// The copied columns, as columns of the table, each with the name of the column that it repeats.
    fn copied(&self, node: &Node<'_, '_>, inside: Inside, own: &[Draft]) -> Read<Vec<(Column, ColumnName)>> {
        let copies = self.copies(node, inside)?;
        let mut seen: Vec<String> = own.iter().map(|draft| draft.column.name.as_str().to_ascii_lowercase()).collect();
        for (here, _) in &copies {
            let lower = here.as_str().to_ascii_lowercase();
            if seen.contains(&lower) {
                return Err(node.problem(format!("two columns named `{here}` (case does not count)")));
            }
            seen.push(lower);
        }
        let copy = |(here, found): (ColumnName, Column)| {
            let of = found.name.clone();
            (Column { name: here, ..found }, of)
        };
        Ok(copies.into_iter().map(copy).collect())
    }
}

/// Columns of nested tables come out of the record.
fn read_from_records(node: &Node<'_, '_>, column: &Column) -> Read<()> {
    let name = &column.name;
    match column.from {
        ColumnFrom::Field { .. } => Ok(()),
        _ => Err(node.problem_with(
            format!("`{name}`: a column of a child table is a field of its objects"),
            "give the column to the parent, and repeat it with `copy`",
        )),
    }
}

/// In formats whose records are nested, `from` names paths: they have to be well formed.
pub(super) fn check_paths(node: &Node<'_, '_>, drafts: &[Draft], kind: Kind) -> Read<()> {
    if kind == Kind::Csv {
        return Ok(());
    }
    for column in drafts.iter().map(|draft| &draft.column) {
        let ColumnFrom::Field { aliases } = &column.from else { continue };
        for alias in aliases {
            if let Err(error) = alias.parse::<FieldPath>() {
                let hint = "a name that holds a dot stands in quotes: `from = '\"a.b\"'`";
                return Err(node.problem_with(format!("`{}`: {error}", column.name), hint));
            }
        }
    }
    Ok(())
}
