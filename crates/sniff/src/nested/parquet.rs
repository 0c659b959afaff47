//! Parquet: the shape of the records is the schema; the first rows show what texts are, what is missing, and whether ids
//! repeat.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType as ArrowType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use stillhouse_decode::look::{Walked, walk_parquet};

use super::routes::{RouteId, Routes};
use super::tree::{NodeId, ROOT, Tree};
use crate::api::{Input, Notes, Place};
use crate::column::At;
use crate::error::Error;
use crate::survey::open;
use crate::text::counted;
use crate::trial::Extent;

/// So many rows of a file are looked at; the trial reads all of them.
const ROWS_MAX: u64 = 200_000;

/// What the schemas say.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// The types of each place, one for each way in which the files write it.
    pub(super) types: HashMap<NodeId, Vec<ArrowType>>,
    /// Some file has more rows than are looked at.
    pub(super) is_sample: bool,
    /// Places in the first level that some file lacks.
    pub(super) lacking: bool,
}

/// Adds the schema of a file to the shape.
pub(super) fn schema(
    input: &Input<'_>,
    tree: &mut Tree,
    declared: &mut Declared,
    several: bool,
    notes: &mut Notes,
) -> Result<Extent, Error> {
    let mut source = open(input)?;
    let length = source.len();
    let head = walk_parquet(&mut *source, 0, &mut |_, _| {}).map_err(|error| Error::decode(&input.shown, &error))?;
    tree.node_mut(ROOT).is_schema = true;
    let before = tree.node(ROOT).fields.len();
    let object = tree.object(ROOT);
    for field in head.schema.fields() {
        if let Some(found) = tree.field(ROOT, field.name(), object) {
            node(tree, found, field.data_type(), declared);
        }
    }
    let columns = head.schema.fields().len();
    declared.lacking |= before > 0 && (before != columns || tree.node(ROOT).fields.len() != columns);
    declared.is_sample |= head.rows > ROWS_MAX;
    let about = if several { format!("schema of {}", input.shown) } else { "schema".to_owned() };
    let by = head.writer.map(|writer| format!(", written by {writer}")).unwrap_or_default();
    notes.found(
        Place::Csv,
        about,
        format!("{} in {}{by}", counted(head.rows, "row"), counted(columns as u64, "column")),
    );
    Ok(Extent { length, walked: Walked { bytes: length, whole: true }, records: head.rows, closing: b"" })
}

fn node(tree: &mut Tree, at: NodeId, data_type: &ArrowType, declared: &mut Declared) {
    match data_type {
        ArrowType::Struct(fields) => {
            let object = tree.object(at);
            tree.node_mut(at).is_schema = true;
            for field in fields {
                if let Some(found) = tree.field(at, field.name(), object) {
                    node(tree, found, field.data_type(), declared);
                }
            }
        }
        ArrowType::List(item) | ArrowType::LargeList(item) | ArrowType::FixedSizeList(item, _) => {
            tree.node_mut(at).arrays += 1;
            if let Some(found) = tree.item(at) {
                node(tree, found, item.data_type(), declared);
            }
        }
        ArrowType::Map(..) => {
            let node = tree.node_mut(at);
            node.objects += 1;
            node.is_map = true;
        }
        ArrowType::Null => tree.node_mut(at).nulls += 1,
        other => {
            tree.node_mut(at).scalars += 1;
            let types = declared.types.entry(at).or_default();
            if !types.contains(other) {
                types.push(other.clone());
            }
        }
    }
}

/// A row of the table that is looked at.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Its place among the values.
    index: usize,
    /// The number of the array in which it stands.
    array: u64,
    /// The row of the file, from 1.
    line: u64,
}

/// Shows the values of the first rows to their columns.
pub(super) fn values(input: &Input<'_>, routes: &mut Routes, file: usize) -> Result<(), Error> {
    let mut source = open(input)?;
    let mut failed = None;
    let mut line = 0;
    let mut visit = |_: &_, batch: &RecordBatch| {
        let rows: Vec<Row> =
            (0..batch.num_rows()).map(|index| Row { index, array: 0, line: line + 1 + index as u64 }).collect();
        line += batch.num_rows() as u64;
        routes.rows[0] += rows.len() as u64;
        for (field, values) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let route = routes.field(0, field.name());
            let shown = show(values, &rows, routes, route, file);
            failed = failed.take().or(shown.err());
        }
    };
    walk_parquet(&mut *source, ROWS_MAX, &mut visit).map_err(|error| Error::decode(&input.shown, &error))?;
    match failed {
        Some(error) => Err(Error::data(&input.shown, error.to_string(), "write the file again")),
        None => Ok(()),
    }
}

fn show(
    values: &ArrayRef,
    rows: &[Row],
    routes: &mut Routes,
    route: Option<RouteId>,
    file: usize,
) -> Result<(), ArrowError> {
    let Some(route) = route else { return Ok(()) };
    let rows: Vec<Row> = rows.iter().filter(|row| values.is_valid(row.index)).copied().collect();
    if let Some(leaf) = routes.leaf(route) {
        return column(values, &rows, routes, leaf, file);
    }
    if let (Some(table), Some((items, ranges))) = (routes.place(route), lists(values)?) {
        let mut inner = Vec::new();
        for row in &rows {
            let array = routes.begin_array();
            inner.extend(ranges[row.index].clone().map(|index| Row { index, array, ..*row }));
        }
        routes.rows[table] += inner.len() as u64;
        return fields(&items, &inner, routes, table, file);
    }
    fields(values, &rows, routes, route, file)
}

fn fields(values: &ArrayRef, rows: &[Row], routes: &mut Routes, route: RouteId, file: usize) -> Result<(), ArrowError> {
    let Some(values) = values.as_struct_opt() else { return Ok(()) };
    let rows: Vec<Row> = rows.iter().filter(|row| values.is_valid(row.index)).copied().collect();
    for (field, values) in values.fields().iter().zip(values.columns()) {
        let route = routes.field(route, field.name());
        show(values, &rows, routes, route, file)?;
    }
    Ok(())
}

/// The items of lists, and which of them are in each.
type Lists = (ArrayRef, Vec<Range<usize>>);

/// `None` for values that are no lists.
fn lists(values: &ArrayRef) -> Result<Option<Lists>, ArrowError> {
    let lists = match values.data_type() {
        ArrowType::List(_) => ArrayRef::clone(values),
        ArrowType::LargeList(item) | ArrowType::FixedSizeList(item, _) => cast(values, &ArrowType::List(item.clone()))?,
        _ => return Ok(None),
    };
    let lists = lists.as_list::<i32>();
    let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
    let ranges = lists.value_offsets().windows(2).map(|ends| place(ends[0])..place(ends[1])).collect();
    Ok(Some((lists.values().clone(), ranges)))
}

fn column(values: &ArrayRef, rows: &[Row], routes: &mut Routes, leaf: usize, file: usize) -> Result<(), ArrowError> {
    if routes.is_json(leaf) {
        routes.leaves[leaf].wholes += rows.len() as u64;
        return Ok(());
    }
    let Some((items, ranges)) = lists(values)? else { return scalars(values, rows, routes, leaf, file) };
    routes.leaves[leaf].wholes += rows.len() as u64;
    let items_of = |row: &Row| {
        let row = *row;
        ranges[row.index].clone().map(move |index| Row { index, ..row })
    };
    let inner: Vec<Row> = rows.iter().flat_map(items_of).collect();
    let valid: Vec<Row> = inner.iter().filter(|row| items.is_valid(row.index)).copied().collect();
    routes.leaves[leaf].null_items += (inner.len() - valid.len()) as u64;
    scalars(&items, &valid, routes, leaf, file)
}

fn scalars(values: &ArrayRef, rows: &[Row], routes: &mut Routes, leaf: usize, file: usize) -> Result<(), ArrowError> {
    use ArrowType::{Binary, BinaryView, Boolean, FixedSizeBinary, LargeBinary, LargeUtf8, Utf8, Utf8View};
    let leaf = &mut routes.leaves[leaf];
    let at = |row: &Row| At { file, line: row.line };
    match values.data_type() {
        Boolean => {
            let values = values.as_boolean();
            rows.iter().for_each(|row| leaf.bool(values.value(row.index), at(row), row.array));
        }
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => {
            let values = cast(values, &Binary)?;
            let values = values.as_binary::<i32>();
            for row in rows {
                match std::str::from_utf8(values.value(row.index)) {
                    Ok(text) => leaf.text(text, at(row), row.array),
                    Err(_) => leaf.not_utf8 += 1,
                }
            }
        }
        Utf8 | LargeUtf8 | Utf8View => {
            let values = cast(values, &Utf8)?;
            let values = values.as_string::<i32>();
            rows.iter().for_each(|row| leaf.text(values.value(row.index), at(row), row.array));
        }
        other if other.is_numeric() => {
            let options = FormatOptions::default();
            let shown = ArrayFormatter::try_new(values.as_ref(), &options)?;
            rows.iter().for_each(|row| leaf.numeric(&shown.value(row.index).to_string(), at(row), row.array));
        }
        _ => leaf.present(rows.len() as u64),
    }
    Ok(())
}
