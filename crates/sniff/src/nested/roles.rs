//! What columns of nested records are for.

use stillhouse_spec::DataType;

use super::leaf::Leaf;
use super::tree::{NodeId, Tree};
use crate::decide::Decided;
use crate::names::{has_word, identifier, is_id, is_money, singular};
use crate::roles::{PERSONAL_WORDS, personal as by_column};

/// What happens to a record after it came to be.
pub(super) const LATE: &[&str] =
    &["received", "read", "ingested", "processed", "loaded", "sent", "exported", "fetched", "updated", "modified"];

/// Why a column seems to hold personal data, if it does.
pub(super) fn personal(leaf: &Leaf, way: &[String], name: &str, others_are: bool) -> Option<String> {
    let own = way.last().and_then(|name| identifier(name)).unwrap_or_default();
    let longer = &way[way.len().saturating_sub(2)..];
    let longer = identifier(&longer.join("_")).unwrap_or_default();
    let mut names = [name, own.as_str(), longer.as_str()].into_iter();
    names.find_map(|name| by_column(&leaf.column, name, others_are))
}

/// Whether a name inside of a value that is kept as JSON is one of personal data.
pub(super) fn holds_personal(tree: &Tree, node: NodeId) -> bool {
    let inside = tree.node(node);
    let is_personal = |field: &NodeId| {
        let name = identifier(&tree.node(*field).name).unwrap_or_default();
        has_word(&name, PERSONAL_WORDS) || holds_personal(tree, *field)
    };
    inside.fields.iter().any(is_personal) || inside.item.is_some_and(|item| holds_personal(tree, item))
}

/// Whether a record without a value is refused. Only where nothing speaks against it, and not in tables of objects inside of
/// records: a whole record is too much for one value that lacks.
pub(super) fn required(leaf: &Leaf, decided: &Decided, name: &str, is_time: bool, is_key: bool) -> bool {
    let missing = leaf.column.empty + leaf.column.null_count() + leaf.not_finite.len() as u64;
    let amount = matches!(decided.data_type, DataType::Decimal { .. }) && is_money(name);
    missing == 0 && leaf.scalars() > 0 && (is_time || is_key || amount)
}

/// The column that tells the rows of a table apart: of those that are always there, and that no two rows of an array share,
/// one that never repeats, with a plain name, high up.
pub(super) fn key<'l>(
    table: &str,
    of_records: bool,
    columns: impl Iterator<Item = (usize, &'l str, &'l Leaf, usize)>,
) -> Option<usize> {
    let own = format!("{}_id", singular(table));
    let is_candidate = |leaf: &Leaf| {
        let missing = leaf.column.empty + leaf.column.null_count();
        leaf.siblings.is_some() && missing == 0 && leaf.scalars() > 0 && leaf.wholes == 0
    };
    let rank = |(number, name, leaf, depth): (usize, &str, &Leaf, usize)| {
        let repeats = leaf.column.repeats.as_ref().is_none_or(|repeats| repeats.given_up || repeats.first.is_some());
        let plain = ["id", "uuid", "guid", "key"].contains(&name) || name == own;
        (repeats, !plain, depth, number)
    };
    let columns = columns.filter(|(_, name, leaf, _)| is_id(name) && is_candidate(leaf));
    let columns = columns.filter(|(_, _, leaf, _)| {
        // The records themselves stand in no array, so there nothing is said.
        of_records || leaf.siblings.as_ref().is_some_and(|siblings| siblings.first.is_none())
    });
    columns.map(rank).min().map(|(.., number)| number)
}
