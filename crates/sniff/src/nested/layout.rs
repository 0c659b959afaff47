//! From the shape of the records to tables and columns.

use super::tree::{Class, NodeId, ROOT, Tree, Why};

/// More tables, and more columns in one, are hardly meant.
const TABLES_MAX: usize = 60;
const COLUMNS_MAX: usize = 1500;
/// A way with more names is not written.
const NAMES_MAX: usize = 40;

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    List,
    Json(Option<Why>),
}

/// A column to be.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The names on the way to it from the row of its table.
    pub(super) way: Vec<String>,
    pub(super) kind: Kind,
    pub(super) node: NodeId,
}

/// Where rows of a table stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The table that they are inside of, by its number.
    pub(super) inside: usize,
    pub(super) way: Vec<String>,
}

/// A table to be.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// None for the records themselves.
    pub(super) places: Vec<Place>,
    pub(super) leaves: Vec<Leaf>,
}

/// All tables, the records first, each behind the one that it is inside of.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) tables: Vec<Table>,
    /// Fields of the records that are no column.
    pub(super) left_out: bool,
}

/// Lays the tables out.
pub(super) fn layout(tree: &Tree) -> Layout {
    let mut making = Making { tree, rows: vec![ROOT], tables: vec![Table { places: Vec::new(), leaves: Vec::new() }] };
    let mut table = 0;
    while let Some(node) = making.rows.get(table).copied() {
        making.fields(table, node, &[]);
        table += 1;
    }
    let left_out = tree.node(ROOT).lost || making.tables[0].leaves.len() >= COLUMNS_MAX;
    Layout { tables: making.tables, left_out }
}

struct Making<'t> {
    tree: &'t Tree,
    /// The node of each table's rows.
    rows: Vec<NodeId>,
    tables: Vec<Table>,
}

impl Making<'_> {
    fn fields(&mut self, table: usize, node: NodeId, way: &[String]) {
        for field in self.tree.node(node).fields.iter().copied() {
            if self.tables[table].leaves.len() >= COLUMNS_MAX {
                return;
            }
            let way: Vec<String> = way.iter().cloned().chain([self.tree.node(field).name.clone()]).collect();
            let class = self.tree.class(field);
            let kind = match class {
                Class::Scalar => Kind::Scalar,
                Class::List => Kind::List,
                Class::Json(why) => Kind::Json(Some(why)),
                Class::Object if way.len() < NAMES_MAX => {
                    self.fields(table, field, &way);
                    continue;
                }
                Class::Rows if self.rows(table, field, &way) => continue,
                Class::Object | Class::Rows => Kind::Json(Some(Why::Lost)),
            };
            self.tables[table].leaves.push(Leaf { way, kind, node: field });
        }
    }

    /// A table for the rows at the end of a way, or one more place of a table; false where there are too many.
    fn rows(&mut self, table: usize, array: NodeId, way: &[String]) -> bool {
        let place = Place { inside: table, way: way.to_vec() };
        let node = self.tree.node(array);
        if let Some(fold) = node.fold {
            let Some(known) = self.rows.iter().position(|row| *row == fold) else { return false };
            self.tables[known].places.push(place);
            return true;
        }
        let Some(item) = node.item.filter(|_| self.tables.len() < TABLES_MAX) else { return false };
        self.rows.push(item);
        self.tables.push(Table { places: vec![place], leaves: Vec::new() });
        true
    }
}
