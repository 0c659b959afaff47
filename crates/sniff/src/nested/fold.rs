//! The same structure inside of itself, such as comments on comments: one table with two places.

use stillhouse_decode::look::comparable;

use super::tree::{Class, NodeId, ROOT, Tree};

/// Makes one of what is alike.
pub(super) fn fold(tree: &mut Tree) {
    let mut open: Vec<(NodeId, Vec<String>)> = vec![(ROOT, Vec::new())];
    let mut row = 0;
    // What is merged brings arrays of its own, so a row is looked at again until nothing is found.
    while let Some((at, way)) = open.get(row).cloned() {
        let arrays = arrays(tree, at, &[]);
        let is_alike = |(array, inner): &&(NodeId, Vec<String>)| is_alike(tree, at, *array, inner, *inner == way);
        let found = arrays.iter().find(|found| at != ROOT && is_alike(found));
        if let Some((array, _)) = found {
            let item = tree.node_mut(*array).item.take();
            tree.node_mut(*array).fold = Some(at);
            if let Some(item) = item {
                tree.merge(item, at);
            }
            continue;
        }
        open.extend(arrays.into_iter().filter_map(|(array, way)| Some((tree.node(array).item?, way))));
        row += 1;
    }
}

/// The arrays of rows inside of a row, with the ways to them.
fn arrays(tree: &Tree, row: NodeId, way: &[String]) -> Vec<(NodeId, Vec<String>)> {
    let mut found = Vec::new();
    for field in tree.node(row).fields.iter().copied() {
        let node = tree.node(field);
        let way: Vec<String> = way.iter().cloned().chain([comparable(&node.name)]).collect();
        match tree.class(field) {
            Class::Rows if node.fold.is_none() => found.push((field, way)),
            Class::Object => found.extend(arrays(tree, field, &way)),
            _ => {}
        }
    }
    found
}

/// Whether the items of an array inside of a row are like the row itself; `again`: the way to them is the same.
fn is_alike(tree: &Tree, row: NodeId, array: NodeId, way: &[String], again: bool) -> bool {
    let Some(item) = tree.node(array).item else { return false };
    let names = |node: NodeId| -> Vec<String> {
        let names = tree.node(node).fields.iter().map(|field| comparable(&tree.node(*field).name));
        names.filter(|name| Some(name) != way.first()).collect()
    };
    let (outer, inner) = (names(row), names(item));
    let shared = inner.iter().filter(|name| outer.contains(name)).count();
    let all = outer.len() + inner.len() - shared;
    let goes_on = tree.node(item).fields.iter().any(|field| Some(&comparable(&tree.node(*field).name)) == way.first());
    // The same way once more says a lot by itself.
    let needed = if again || goes_on { 5 } else { 8 };
    shared >= 2 && shared * 10 >= all * needed
}
