//! Records of JSON: once for their shape, and once more for the values of the columns.

use jiter::{Jiter, JiterError, Peek};

use super::routes::{RouteId, Routes};
use super::tree::{DEPTH_MAX, NodeId, ROOT, Tree};
use crate::column::At;

/// Whether the text is one object of JSON, and nothing else.
pub(super) fn is_object(text: &str) -> bool {
    let mut values = Jiter::new(text.as_bytes());
    let is_object = matches!(values.peek(), Ok(Peek::Object));
    is_object && values.next_skip().and_then(|()| values.finish()).is_ok()
}

/// Adds a record to the shape.
pub(super) fn shape(text: &str, tree: &mut Tree) -> Result<(), JiterError> {
    let mut values = Jiter::new(text.as_bytes());
    let peek = values.peek()?;
    node(&mut values, peek, tree, ROOT, 0)
}

fn node(values: &mut Jiter<'_>, peek: Peek, tree: &mut Tree, at: NodeId, depth: usize) -> Result<(), JiterError> {
    match peek {
        Peek::Null => {
            tree.node_mut(at).nulls += 1;
            values.known_null()
        }
        Peek::Object if depth < DEPTH_MAX && (at == ROOT || !tree.node(at).lost) => {
            let object = tree.object(at);
            let mut name = values.known_object()?;
            while let Some(found) = name {
                let field = tree.field(at, found, object);
                let peek = values.peek()?;
                match field {
                    Some(field) => node(values, peek, tree, field, depth + 1)?,
                    None => values.known_skip(peek)?,
                }
                name = values.next_key()?;
            }
            Ok(())
        }
        Peek::Array if depth < DEPTH_MAX => {
            tree.node_mut(at).arrays += 1;
            let mut next = values.known_array()?;
            while let Some(peek) = next {
                match tree.item(at) {
                    Some(item) => node(values, peek, tree, item, depth + 1)?,
                    None => values.known_skip(peek)?,
                }
                next = values.array_step()?;
            }
            Ok(())
        }
        Peek::Object | Peek::Array => {
            let node = tree.node_mut(at);
            node.lost = true;
            *(if peek == Peek::Object { &mut node.objects } else { &mut node.arrays }) += 1;
            values.known_skip(peek)
        }
        _ => {
            tree.node_mut(at).scalars += 1;
            values.known_skip(peek)
        }
    }
}

/// Shows the values of a record to their columns.
pub(super) fn values(text: &str, routes: &mut Routes, at: At) -> Result<(), JiterError> {
    let mut values = Jiter::new(text.as_bytes());
    let peek = values.peek()?;
    routes.rows[0] += 1;
    value(&mut values, peek, routes, 0, 0, at)
}

/// `array`: the number of the array in which the row stands.
fn value(
    values: &mut Jiter<'_>,
    peek: Peek,
    routes: &mut Routes,
    route: RouteId,
    array: u64,
    at: At,
) -> Result<(), JiterError> {
    if let Some(leaf) = routes.leaf(route) {
        return column(values, peek, routes, leaf, array, at);
    }
    match (peek, routes.place(route)) {
        (Peek::Null, _) => values.known_null(),
        (Peek::Array, Some(table)) => {
            let array = routes.begin_array();
            let mut next = values.known_array()?;
            while let Some(peek) = next {
                routes.rows[table] += 1;
                value(values, peek, routes, table, array, at)?;
                next = values.array_step()?;
            }
            Ok(())
        }
        (Peek::Object, None) => {
            let mut name = values.known_object()?;
            while let Some(found) = name {
                let field = routes.field(route, found);
                let peek = values.peek()?;
                match field {
                    Some(field) => value(values, peek, routes, field, array, at)?,
                    None => values.known_skip(peek)?,
                }
                name = values.next_key()?;
            }
            Ok(())
        }
        _ => values.known_skip(peek),
    }
}

fn column(
    values: &mut Jiter<'_>,
    peek: Peek,
    routes: &mut Routes,
    leaf: usize,
    array: u64,
    at: At,
) -> Result<(), JiterError> {
    let is_whole = routes.is_json(leaf);
    match peek {
        Peek::Null => values.known_null(),
        _ if is_whole => {
            routes.leaves[leaf].wholes += 1;
            values.known_skip(peek)
        }
        Peek::Array => {
            routes.leaves[leaf].wholes += 1;
            let mut next = values.known_array()?;
            while let Some(peek) = next {
                if peek == Peek::Null {
                    routes.leaves[leaf].null_items += 1;
                }
                scalar(values, peek, routes, leaf, array, at)?;
                next = values.array_step()?;
            }
            Ok(())
        }
        _ => scalar(values, peek, routes, leaf, array, at),
    }
}

fn scalar(
    values: &mut Jiter<'_>,
    peek: Peek,
    routes: &mut Routes,
    leaf: usize,
    array: u64,
    at: At,
) -> Result<(), JiterError> {
    let leaf = &mut routes.leaves[leaf];
    match peek {
        Peek::Null => values.known_null(),
        Peek::String => {
            leaf.text(values.known_str()?, at, array);
            Ok(())
        }
        Peek::True | Peek::False => {
            leaf.bool(values.known_bool(peek)?, at, array);
            Ok(())
        }
        Peek::Array | Peek::Object => values.known_skip(peek),
        _ => {
            let digits = values.next_number_bytes()?;
            leaf.number(std::str::from_utf8(digits).unwrap_or_default(), at, array);
            Ok(())
        }
    }
}
