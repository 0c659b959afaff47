//! The reading of nested files: all records for their shape, then all of them again for the values of the columns.

use stillhouse_decode::look::{JsonSeen, walk_json};
use stillhouse_spec::JsonLayout;

use super::fold::fold;
use super::layout::{Layout, layout};
use super::leaf::Leaf;
use super::routes::Routes;
use super::tree::{NodeId, ROOT, Tree};
use super::{json, parquet};
use crate::api::{Input, Notes, Options, Place};
use crate::column::At;
use crate::error::Error;
use crate::moments::Days;
use crate::survey::{open, record_bytes_max};
use crate::trial::Extent;

/// What was seen.
pub(super) struct Survey {
    pub(super) tree: Tree,
    pub(super) layout: Layout,
    /// The columns of all tables, one table behind the other.
    pub(super) leaves: Vec<Leaf>,
    /// Rows of each table.
    pub(super) rows: Vec<u64>,
    pub(super) files: Vec<Extent>,
}

/// Reads files of JSON.
pub(super) fn of_json(
    inputs: &[Input<'_>],
    options: &Options,
    periods: &[Option<Days>],
    notes: &mut Notes,
) -> Result<Survey, Error> {
    let mut tree = Tree::new();
    let mut files = Vec::new();
    for input in inputs {
        let before = together(&tree);
        let objects = tree.node(ROOT).objects;
        files.push(shape(input, options, &mut tree, inputs.len() > 1, notes)?);
        belongs(input, &tree, objects, &before)?;
    }
    if tree.node(ROOT).fields.is_empty() {
        let shown = inputs.first().map_or("", |input| &input.shown);
        let hint = "records are objects: one a line, in an array, or one behind the other";
        return Err(Error::data(shown, "expected objects of JSON, found none that has a field", hint));
    }
    fold(&mut tree);
    let layout = layout(&tree);
    let mut routes = Routes::new(&layout);
    for (file, input) in inputs.iter().enumerate() {
        let period = periods.get(file).copied().flatten();
        routes.leaves.iter_mut().for_each(|leaf| leaf.column.begin_file(file, period));
        each(input, options, &mut |line, text| _ = json::values(text, &mut routes, At { file, line }))?;
    }
    Ok(Survey { tree, layout, leaves: routes.leaves, rows: routes.rows, files })
}

/// Shows the records of a file that are objects; gives what a walk gives, and how many others there were.
fn each(
    input: &Input<'_>,
    options: &Options,
    visit: &mut dyn FnMut(u64, &str),
) -> Result<(stillhouse_decode::look::JsonHead, Extent), Error> {
    let mut source = open(input)?;
    let length = source.len();
    let mut records = 0;
    let mut seen = |seen: JsonSeen<'_>| {
        records += 1;
        if let JsonSeen::Record { line, text } = seen
            && json::is_object(text)
        {
            visit(line, text);
        }
    };
    let (head, walked) = walk_json(&mut *source, record_bytes_max(), options.bytes_max, &mut seen)
        .map_err(|error| Error::decode(&input.shown, &error))?;
    let closing: &[u8] = if head.layout == JsonLayout::Array && !walked.whole { b"]" } else { b"" };
    Ok((head, Extent { length, walked, records, closing }))
}

fn shape(
    input: &Input<'_>,
    options: &Options,
    tree: &mut Tree,
    several: bool,
    notes: &mut Notes,
) -> Result<Extent, Error> {
    let (head, extent) = each(input, options, &mut |_, text| _ = json::shape(text, tree))?;
    let about = |what: &str| if several { format!("{what} of {}", input.shown) } else { what.to_owned() };
    let layout = match head.layout {
        JsonLayout::Lines => "each line is a record",
        JsonLayout::Array => "the file is one array of records",
        JsonLayout::Values => "records stand one behind the other, over several lines or many on a line",
    };
    notes.found(Place::Csv, about("layout"), format!("{layout}; detected for each file"));
    let mark = if head.byte_order_mark { " with a byte order mark" } else { "" };
    notes.found(Place::Csv, about("encoding"), format!("utf-8{mark}"));
    Ok(extent)
}

/// How often each field of the records was seen.
fn together(tree: &Tree) -> Vec<(NodeId, u64)> {
    let seen = |field: &NodeId| {
        let node = tree.node(*field);
        (*field, node.nulls + node.scalars + node.objects + node.arrays)
    };
    tree.node(ROOT).fields.iter().map(seen).collect()
}

/// A file whose records have nothing in common with those before it is of another source.
fn belongs(input: &Input<'_>, tree: &Tree, objects: u64, before: &[(NodeId, u64)]) -> Result<(), Error> {
    let now = together(tree);
    let has_more = tree.node(ROOT).objects > objects && now.len() > before.len();
    if before.is_empty() || !has_more || before.iter().any(|seen| !now.contains(seen)) {
        return Ok(());
    }
    Err(Error::settings(
        format!("the files do not belong together: `{}` has no field of the ones before", input.shown),
        "look at them one by one: each kind of file is a source of its own",
    ))
}

/// Reads Parquet files.
pub(super) fn of_parquet(
    inputs: &[Input<'_>],
    periods: &[Option<Days>],
    notes: &mut Notes,
) -> Result<(Survey, parquet::Declared), Error> {
    let mut tree = Tree::new();
    let mut declared = parquet::Declared::default();
    let mut files = Vec::new();
    for input in inputs {
        let (before, objects) = (together(&tree), tree.node(ROOT).objects);
        files.push(parquet::schema(input, &mut tree, &mut declared, inputs.len() > 1, notes)?);
        belongs(input, &tree, objects, &before)?;
    }
    let layout = layout(&tree);
    let mut routes = Routes::new(&layout);
    for (file, input) in inputs.iter().enumerate() {
        let period = periods.get(file).copied().flatten();
        routes.leaves.iter_mut().for_each(|leaf| leaf.column.begin_file(file, period));
        parquet::values(input, &mut routes, file)?;
    }
    Ok((Survey { tree, layout, leaves: routes.leaves, rows: routes.rows, files }, declared))
}
