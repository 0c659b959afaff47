//! The reading of nested files: all records for their shape, then all of them again for the values of the columns.

use stillhouse_decode::look::{JsonHead, JsonSeen, walk_json};
use stillhouse_decode::reason;
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
use crate::survey::{open, record_bytes_max, utf8};
use crate::trial::Extent;

/// So many bytes of a file tell the names of its records.
const NAMED_BYTES: u64 = 256 << 10;

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
    let mut refused = None;
    for input in inputs {
        let (before, objects) = (together(&tree), tree.node(ROOT).objects);
        let shaped = shape(input, options, &mut tree, inputs.len() > 1, notes)?;
        belongs(input, &tree, objects, &before)?;
        refused = refused.or(shaped.refused);
        files.push(shaped.extent);
    }
    if tree.node(ROOT).fields.is_empty() {
        return Err(no_object(inputs, refused));
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

/// There is nothing of which columns could be made.
fn no_object(inputs: &[Input<'_>], refused: Option<&'static str>) -> Error {
    let shown = inputs.first().map_or("", |input| &input.shown);
    if refused == Some(reason::TOO_LONG) {
        let what = format!("expected records of at most {} bytes, found longer ones", record_bytes_max());
        return Error::data(shown, what, "write each object of the large array on a line of its own");
    }
    let hint = "records are objects: one a line, in an array, or one behind the other";
    Error::data(shown, "expected objects of JSON, found none that has a field", hint)
}

/// What a walk over a file gave.
struct Walk {
    head: JsonHead,
    extent: Extent,
    /// Why a record is refused that was not even looked at.
    refused: Option<&'static str>,
}

/// Shows the records of a file that are objects.
fn each(input: &Input<'_>, options: &Options, visit: &mut dyn FnMut(u64, &str)) -> Result<Walk, Error> {
    let mut source = open(input)?;
    let length = source.len();
    let (mut records, mut refused, mut not_utf8) = (0, None, None);
    let mut seen = |seen: JsonSeen<'_>| {
        records += 1;
        match seen {
            JsonSeen::Record { line, text } if json::is_object(text) => visit(line, text),
            JsonSeen::Record { .. } => {}
            JsonSeen::Refused { reason: why, line } => {
                refused = Some(why);
                if why == reason::INVALID_UTF8 {
                    not_utf8.get_or_insert((line, 0)).1 += 1;
                }
            }
        }
    };
    let (head, walked) = walk_json(&mut *source, record_bytes_max(), options.bytes_max, &mut seen)
        .map_err(|error| Error::decode(&input.shown, &error))?;
    if let Some((line, count)) = not_utf8 {
        utf8(input, line, count, records)?;
    }
    let closing: &[u8] = if head.layout == JsonLayout::Array && !walked.whole { b"]" } else { b"" };
    Ok(Walk { head, extent: Extent { length, walked, records, closing }, refused })
}

fn shape(
    input: &Input<'_>,
    options: &Options,
    tree: &mut Tree,
    several: bool,
    notes: &mut Notes,
) -> Result<Walk, Error> {
    let walk = each(input, options, &mut |_, text| _ = json::shape(text, tree))?;
    let head = walk.head;
    let about = |what: &str| if several { format!("{what} of {}", input.shown) } else { what.to_owned() };
    let layout = match head.layout {
        JsonLayout::Lines => "each line is a record",
        JsonLayout::Array => "the file is one array of records",
        JsonLayout::Values => "records stand one behind the other, over several lines or many on a line",
    };
    notes.found(Place::Csv, about("layout"), format!("{layout}; detected for each file"));
    Ok(walk)
}

/// The names in the first records.
pub(crate) fn names_of_json(input: &Input<'_>) -> Result<Vec<String>, Error> {
    let mut tree = Tree::new();
    let options = Options { bytes_max: NAMED_BYTES, ..Options::default() };
    each(input, &options, &mut |_, text| _ = json::shape(text, &mut tree))?;
    Ok(tree.node(ROOT).fields.iter().map(|field| tree.node(*field).name.clone()).collect())
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
