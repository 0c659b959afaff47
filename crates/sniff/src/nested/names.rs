//! Names of tables and columns, made of the ways to them.

use std::collections::BTreeMap;

use stillhouse_decode::look::comparable;
use stillhouse_spec::FieldPath;

use super::layout::Layout;
use crate::names::{Named, identifier, is_sql_word, singular};

/// What arrays are called that say nothing about what is in them.
const GENERIC: &[&str] = &[
    "data", "items", "item", "edges", "nodes", "node", "results", "result", "list", "values", "value", "entries",
    "records", "rows", "elements", "content", "contents", "array", "objects", "element",
];

/// Names of tables, parent first.
pub(super) fn tables(parent: &str, layout: &Layout) -> Vec<String> {
    let mut names = vec![parent.to_owned()];
    for table in &layout.tables[1..] {
        let place = &table.places[0];
        let words: Vec<String> = place.way.iter().filter_map(|name| identifier(name)).collect();
        let telling = words.iter().rev().find(|word| !GENERIC.contains(&word.as_str()));
        let inside = one_of(&names[place.inside]);
        let long = |word: &str| format!("{inside}_{word}");
        let wished = match (telling, words.last()) {
            (Some(word), _) => vec![word.clone(), long(word)],
            (None, Some(last)) => vec![long(last)],
            (None, None) => vec![long("items")],
        };
        let first = wished.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|number| format!("{first}_{number}"));
        let is_free = |name: &String| !names.contains(name) && !is_sql_word(name);
        let name = wished.into_iter().chain(numbered).find(is_free);
        names.push(name.expect("numbers do not end"));
    }
    names
}

/// A way as settings write it.
pub(super) fn path(way: &[String]) -> String {
    let names = way.iter().enumerate().map(|(number, name)| {
        // Written plainly it would be a part of the path of the file, or the year of a column.
        if number == 0 && (name.starts_with('{') || name.starts_with("year of ")) {
            return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        }
        FieldPath::field(name).to_string()
    });
    names.collect::<Vec<_>>().join(".")
}

/// Names of the columns of a table.
pub(super) fn columns(layout: &Layout, table: usize) -> Vec<Named> {
    let ways: Vec<&[String]> = layout.tables[table].leaves.iter().map(|leaf| leaf.way.as_slice()).collect();
    named(&ways, &entrances(layout, table))
}

/// Names of fields in which something is looked for: no column may be called so, or it would be given the whole of them.
fn entrances(layout: &Layout, table: usize) -> Vec<String> {
    let ways = layout.tables[table].leaves.iter().map(|leaf| &leaf.way).filter(|way| way.len() > 1);
    let places = layout.tables.iter().flat_map(|other| &other.places).filter(|place| place.inside == table);
    let ways = ways.chain(places.map(|place| &place.way));
    ways.filter_map(|way| way.first()).map(|name| comparable(name)).collect()
}

/// A name for the only column of a table that stays empty.
pub(super) fn no_column(layout: &Layout, table: usize) -> String {
    let taken = entrances(layout, table);
    let leaves = &layout.tables[table].leaves;
    let is_free = |name: &String| {
        let name = comparable(name);
        !taken.contains(&name) && leaves.iter().all(|leaf| leaf.way.first().is_none_or(|way| comparable(way) != name))
    };
    let numbered = (2..).map(|number| format!("nothing_{number}"));
    std::iter::once("nothing".to_owned()).chain(numbered).find(is_free).expect("numbers do not end")
}

/// Names of the columns at the ends of these ways. `entrances`: what no column is called.
fn named(ways: &[&[String]], entrances: &[String]) -> Vec<Named> {
    let wished = wished(ways);
    let paths: Vec<String> = ways.iter().map(|way| path(way)).collect();
    let compared: Vec<String> = paths.iter().map(|path| comparable(path)).collect();
    let mut named: Vec<Named> = Vec::new();
    for (at, wished) in wished.into_iter().enumerate() {
        let is_free = |name: &String| {
            let name = comparable(name);
            let of_another = compared.iter().enumerate().any(|(other, path)| other != at && *path == name);
            let is_entrance = ways[at].len() == 1 && entrances.contains(&name);
            !of_another && !is_entrance && named.iter().all(|named| comparable(&named.name) != name)
        };
        let numbered = (2..).map(|number| format!("{wished}_{number}"));
        let name = std::iter::once(wished.clone()).chain(numbered).find(is_free).expect("numbers do not end");
        let alias = (comparable(&name) != compared[at]).then(|| paths[at].clone());
        named.push(Named { name, alias });
    }
    named
}

/// The last name of each way, and as much before it as tells it from the others.
fn wished(ways: &[&[String]]) -> Vec<String> {
    let mut lengths: Vec<usize> = ways.iter().map(|way| usize::from(says_little(way)) + 1).collect();
    let name = |at: usize, length: usize| {
        let way = ways[at];
        let text = way[way.len().saturating_sub(length)..].join("_");
        identifier(&text).unwrap_or_else(|| format!("column_{}", at + 1))
    };
    loop {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, length) in lengths.iter().enumerate() {
            by_name.entry(comparable(&name(at, *length))).or_default().push(at);
        }
        let same = by_name.into_values().filter(|same| same.len() > 1).flatten();
        let longer: Vec<usize> = same.filter(|at| lengths[*at] < ways[*at].len()).collect();
        if longer.is_empty() {
            break;
        }
        longer.into_iter().for_each(|at| lengths[at] += 1);
    }
    lengths.iter().enumerate().map(|(at, length)| name(at, *length)).collect()
}

/// `id` inside of `user` is no id of the record, nor `name` its name, and one letter says nothing.
fn says_little(way: &[String]) -> bool {
    let last = way.last().and_then(|name| identifier(name)).unwrap_or_default();
    way.len() > 1 && (last.len() <= 2 || last == "name" || GENERIC.contains(&last.as_str()))
}

/// One of the rows of a table.
fn one_of(table: &str) -> String {
    match table.strip_suffix("children") {
        Some(before) => format!("{before}child"),
        None => singular(table),
    }
}

/// What a column of the table around a row is called in the table of the row.
pub(super) fn copy(table: &str, column: &str) -> String {
    let of = one_of(table);
    if column.starts_with(&of) { column.to_owned() } else { format!("{of}_{column}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ways: &[&[&str]]) -> Vec<String> {
        let owned: Vec<Vec<String>> =
            ways.iter().map(|way| way.iter().map(|name| (*name).to_owned()).collect()).collect();
        let ways: Vec<&[String]> = owned.iter().map(Vec::as_slice).collect();
        let show = |named: Named| match named.alias {
            Some(alias) => format!("{} from {alias}", named.name),
            None => named.name,
        };
        super::named(&ways, &["x_y".to_owned()]).into_iter().map(show).collect()
    }

    #[test]
    fn names_take_as_much_of_the_way_as_they_need() {
        assert_eq!(of(&[&["userId"], &["meta", "source"]]), ["user_id", "source from meta.source"]);
        assert_eq!(
            of(&[&["h_id"], &["parent", "h_id"], &["a", "size"], &["b", "size"]]),
            ["h_id", "parent_h_id from parent.h_id", "a_size from a.size", "b_size from b.size"]
        );
        assert_eq!(of(&[&["user", "id"], &["time", "t"]]), ["user_id from user.id", "time_t from time.t"]);
        assert_eq!(of(&[&["a.b"], &["{x}"], &["€"]]), ["a_b from \"a.b\"", "x from \"{x}\"", "column_3 from €"]);
        assert_eq!(of(&[&["a", "bc"], &["a_bc"]]), ["a_bc_2 from a.bc", "a_bc"]);
    }
}
