//! `key`, `keep`, `deleted` and `current` of `[table]`: the view of the current state.

use std::str::FromStr;

use super::Read;
use super::columns::Draft;
use super::contract::{column, own_name};
use super::reader::{Node, Parsed, Reader, all, list};
use crate::contract::Column;
use crate::current::{CurrentView, DeleteMarker, DeleteValues, INGESTED_AT};
use crate::name::{ColumnName, NAME_BYTES_MAX, TableName};
use crate::types::DataType;

const DELETED_KEYS: &[&str] = &["column", "values"];
/// Keys that say more about the view, and nothing without `key`.
const DEPENDENT_KEYS: [&str; 3] = ["keep", "deleted", "current"];

/// A view, and its name with the place to show for it.
pub(super) struct LoadedView {
    pub(super) value: CurrentView,
    pub(super) name: Parsed<TableName>,
}

/// Reads the view, if `[table]` asks for one.
pub(super) fn load(
    reader: &Reader<'_, '_>,
    table: &Read<Parsed<TableName>>,
    columns: &[Draft],
) -> Read<Option<LoadedView>> {
    let Some(key_node) = reader.get("key") else { return without_key(reader).map(|()| None) };
    let key = key(&key_node, columns);
    let latest_by = reader.required("keep", "`keep = \"latest by updated_at\"`", |node| latest_by(node, columns));
    let deleted = reader.optional("deleted", |node| deleted(node, columns));
    let name = match reader.get("current") {
        Some(node) => own_name::<TableName>(&node, "a name"),
        None => table.as_ref().map_err(|reported| *reported).and_then(|table| default_name(&key_node, table)),
    };
    let name = name?;
    let value = CurrentView { name: name.value.clone(), key: key?, latest_by: latest_by?, deleted: deleted? };
    Ok(Some(LoadedView { value, name }))
}

fn without_key(reader: &Reader<'_, '_>) -> Read<()> {
    let mut result = Ok(());
    for node in DEPENDENT_KEYS.into_iter().filter_map(|name| reader.get(name)) {
        result = Err(node.problem_with("means nothing without `key`", "write `key = \"id\"`, or leave it out"));
    }
    result
}

/// `NAME_current`.
fn default_name(key: &Node<'_, '_>, table: &Parsed<TableName>) -> Read<Parsed<TableName>> {
    let name = format!("{}_current", table.value);
    match name.parse() {
        Ok(value) => {
            let written = format!("{}_current", table.written);
            Ok(Parsed { value, written, filled: table.filled, at: key.key_at })
        }
        Err(_) => Err(key.problem_with(
            format!("the name of the view, that of the table and `_current`, is longer than {NAME_BYTES_MAX} bytes"),
            "give the view a shorter one with `current = \"NAME\"`",
        )),
    }
}

fn key(node: &Node<'_, '_>, columns: &[Draft]) -> Read<Vec<ColumnName>> {
    let mut seen = Vec::new();
    let key = node.one_or_many(|item| {
        let name = key_column(item, &column(item, columns)?.column)?;
        once(item, &name, &mut seen)?;
        Ok(name)
    })?;
    if key.is_empty() { Err(node.problem("expected a column, found none")) } else { Ok(key) }
}

fn key_column(item: &Node<'_, '_>, column: &Column) -> Read<ColumnName> {
    let Column { name, data_type, required, .. } = column;
    if matches!(data_type, DataType::List(_) | DataType::Float64) {
        let message = format!("`{name}` is {data_type}, whose values do not tell one thing from another");
        return Err(item.problem_with(message, "use a column of another type"));
    }
    if !required {
        let message = format!("`{name}` is not `required`, and a row without it would belong to nothing");
        return Err(item.problem_with(message, format!("add `required = true` to the column `{name}`")));
    }
    Ok(name.clone())
}

fn once(item: &Node<'_, '_>, name: &ColumnName, seen: &mut Vec<ColumnName>) -> Read<()> {
    if seen.contains(name) {
        return Err(item.problem(format!("`{name}` stands here twice")));
    }
    seen.push(name.clone());
    Ok(())
}

/// `latest by a, b`.
struct LatestBy(Vec<ColumnName>);

impl FromStr for LatestBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let columns = text.trim().strip_prefix("latest by ").ok_or_else(|| {
            format!("`{text}` does not say which row to keep; write `latest by COLUMN` or `latest by COLUMN, COLUMN`")
        })?;
        let columns = columns.split(',').map(|name| name.trim().parse().map_err(|error| format!("{error}")));
        columns.collect::<Result<_, _>>().map(Self)
    }
}

fn latest_by(node: &Node<'_, '_>, columns: &[Draft]) -> Read<Vec<ColumnName>> {
    let rule = node.parsed::<LatestBy>("a rule such as `latest by updated_at`")?;
    let mut seen = Vec::new();
    all(rule.value.0.iter().cloned().map(|name| {
        // What came from the environment is not ours to show, unless the contract says it too.
        let shown = if rule.filled { rule.shown() } else { format!("`{name}`") };
        order_column(node, &name, &shown, columns)?;
        once(node, &name, &mut seen)?;
        Ok(name)
    }))
}

fn order_column(node: &Node<'_, '_>, name: &ColumnName, shown: &str, columns: &[Draft]) -> Read<()> {
    if name.as_str() == INGESTED_AT {
        return Ok(());
    }
    let columns = columns.iter().map(|draft| &draft.column);
    match columns.clone().find(|column| column.name == *name).map(|column| &column.data_type) {
        Some(data_type @ DataType::List(_)) => {
            Err(node.problem(format!("{shown} is {data_type}, whose values are not earlier or later")))
        }
        Some(_) => Ok(()),
        None => {
            let names: Vec<&str> = columns.map(|column| column.name.as_str()).chain([INGESTED_AT]).collect();
            let hint = format!("its columns are {}", list(&names));
            Err(node.problem_with(format!("the table has no column {shown}"), hint))
        }
    }
}

/// `{ column = "op", values = ["D", "delete"] }`
fn deleted(node: &Node<'_, '_>, columns: &[Draft]) -> Read<DeleteMarker> {
    if !node.is_table() {
        let hint = "write `deleted = { column = \"op\", values = [\"D\", \"delete\"] }`";
        return Err(node.problem_with("expected a column and what it says in a delete", hint));
    }
    let reader = node.table(DELETED_KEYS)?;
    reader.required("column", "`column = \"op\"`", |node| {
        let marker = &column(node, columns)?.column;
        Ok(DeleteMarker { column: marker.name.clone(), values: delete_values(&reader, node, marker)? })
    })
}

fn delete_values(reader: &Reader<'_, '_>, node: &Node<'_, '_>, column: &Column) -> Read<DeleteValues> {
    let Column { name, data_type, .. } = column;
    let alone = |values: DeleteValues, says: &str| match reader.get("values") {
        Some(node) => Err(node.problem_with(
            format!("only for string and int64 columns, `{name}` is {data_type}"),
            format!("leave it out: {says} in `{name}` means a delete"),
        )),
        None => Ok(values),
    };
    match data_type {
        DataType::String => reader.required("values", "`values = [\"D\", \"delete\"]`", texts),
        DataType::Int64 => reader.required("values", "`values = [3]`", numbers),
        DataType::Bool => alone(DeleteValues::True, "true"),
        DataType::Date | DataType::Timestamp => alone(DeleteValues::Any, "any value"),
        other => {
            Err(node.problem(format!("expected a string, int64, bool, date or timestamp column, `{name}` is {other}")))
        }
    }
}

fn texts(node: &Node<'_, '_>) -> Read<DeleteValues> {
    let texts = node.one_or_many(|item| Ok(item.text()?.value))?;
    at_least_one(node, texts).map(DeleteValues::Texts)
}

fn numbers(node: &Node<'_, '_>) -> Read<DeleteValues> {
    let items = if node.is_array() { node.items()? } else { vec![node.clone()] };
    let numbers = all(items.iter().map(|item| item.whole(i64::MIN..=i64::MAX)))?;
    at_least_one(node, numbers).map(DeleteValues::Numbers)
}

fn at_least_one<T>(node: &Node<'_, '_>, values: Vec<T>) -> Read<Vec<T>> {
    if values.is_empty() { Err(node.problem("expected a value, found none")) } else { Ok(values) }
}
