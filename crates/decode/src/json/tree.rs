//! Which value of a record belongs to which column, and which array holds the rows of which table.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use stillhouse_spec::{Contract, FieldPath, NewField, TableName, UnknownColumns};

use super::UNKNOWN_MAX;
use super::parser::{Lead, Parser};
use crate::csv::header::comparable;

/// All ways from the roots of the tables.
pub(super) struct Tree {
    nodes: Vec<Node>,
    places: Vec<Place>,
    /// The nested tables by name; table `t` is the one before `t`, the parent being 0.
    nested: Vec<TableName>,
    /// Fields that nobody knows.
    unknown: BTreeSet<NewField>,
    /// The contract wants to hear of these.
    asks: bool,
}

/// The number of a node; the root of table `t` has the number `t`.
pub(super) type NodeId = usize;

/// What a value is looked at for.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Look {
    /// It belongs to this column, and nothing is looked for inside.
    Leaf(usize),
    /// It belongs to columns, and to more than one or to what is looked for inside as well.
    Several,
    /// For what is inside.
    #[default]
    Inside,
}

/// A value at the end of some way.
pub(super) struct Node {
    /// Columns that hold the value, by their numbers among all columns that are read.
    pub(super) columns: Vec<usize>,
    /// Places of which the value, an array, holds the rows.
    pub(super) places: Vec<usize>,
    fields: Vec<Field>,
    by_name: HashMap<Box<str>, usize>,
    /// By name without case, blanks, `_` and `-`.
    by_likeness: HashMap<String, NodeId>,
    look: Look,
    /// The field that came first last time, …
    first: usize,
    /// … and what stood in front of its value.
    first_lead: Lead,
    /// How messages call it.
    path: String,
    /// The table in whose rows it is, …
    table: usize,
    /// … and the way from there.
    way: FieldPath,
}

/// A field of an object.
struct Field {
    name: Box<str>,
    /// Nobody wants a field without a value.
    value: Option<Value>,
    /// The field that came next last time.
    next: usize,
    /// What stood in front of its value last time, behind another field.
    lead: Lead,
}

/// A value that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub(super) node: NodeId,
    pub(super) look: Look,
}

/// Where rows of a nested table stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The table, the parent being 0.
    pub(super) table: usize,
    /// Which of its places it is.
    pub(super) number: usize,
}

/// The place of the next field of an object, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor(Option<usize>);

impl Cursor {
    pub(super) const START: Self = Self(None);
}

impl Default for Node {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            places: Vec::new(),
            fields: Vec::new(),
            by_name: HashMap::default(),
            by_likeness: HashMap::default(),
            look: Look::default(),
            first: 0,
            first_lead: Lead::NONE,
            path: String::new(),
            table: 0,
            way: FieldPath::default(),
        }
    }
}

impl Node {
    /// Something is looked for inside the value.
    pub(super) fn has_fields(&self) -> bool {
        !self.by_likeness.is_empty()
    }

    /// How messages call the value.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl Tree {
    pub(super) fn new(contract: &Contract) -> Self {
        let roots = contract.read_tables();
        let root = |(table, (name, _))| Node { path: format!("a row of `{name}`"), table, ..Node::default() };
        let nodes = roots.enumerate().map(root).collect();
        let nested = contract.nested.iter().map(|nested| nested.name.clone()).collect();
        let asks = contract.unknown_columns != UnknownColumns::Json;
        let mut tree = Self { nodes, places: Vec::new(), nested, unknown: BTreeSet::new(), asks };
        let columns = contract.read_tables().enumerate();
        let columns = columns.flat_map(|(table, (_, columns))| columns.iter().map(move |column| (table, column)));
        for (number, (table, column)) in columns.enumerate() {
            for path in column.paths() {
                let node = tree.node(table, &path);
                tree.nodes[node].columns.push(number);
            }
        }
        for (nested, table) in contract.nested.iter().enumerate() {
            for (number, place) in table.places.iter().enumerate() {
                let node = tree.node(place.inside.table(), &place.path);
                tree.nodes[node].places.push(tree.places.len());
                tree.places.push(Place { table: nested + 1, number });
            }
        }
        tree.decide();
        tree
    }

    /// Decides what values are looked at for, once all ways are known.
    fn decide(&mut self) {
        for node in &mut self.nodes {
            node.look = match node.columns[..] {
                [] => Look::Inside,
                [column] if !node.has_fields() && node.places.is_empty() => Look::Leaf(column),
                _ => Look::Several,
            };
        }
        let looks: Vec<Look> = self.nodes.iter().map(|node| node.look).collect();
        let fields = self.nodes.iter_mut().flat_map(|node| &mut node.fields);
        fields.filter_map(|field| field.value.as_mut()).for_each(|value| value.look = looks[value.node]);
    }

    /// The node at the end of a way.
    fn node(&mut self, table: usize, path: &FieldPath) -> NodeId {
        let mut at = table;
        for name in path.names() {
            let known = self.nodes[at].by_name.get(name.as_str()).and_then(|field| self.nodes[at].fields[*field].value);
            at = known.map(|value| value.node).unwrap_or_else(|| {
                let node = self.nodes.len();
                let path = if at == table { name.clone() } else { format!("{}.{name}", self.nodes[at].path) };
                let way = self.nodes[at].way.to(name);
                self.nodes.push(Node { path, table, way, ..Node::default() });
                self.nodes[at].by_likeness.entry(comparable(name)).or_insert(node);
                self.add_field(at, name, Some(node));
                node
            });
        }
        at
    }

    fn add_field(&mut self, at: NodeId, name: &str, node: Option<NodeId>) -> usize {
        let value = node.map(|node| Value { node, look: self.nodes[node].look });
        let owner = &mut self.nodes[at];
        let field = owner.fields.len();
        owner.fields.push(Field { name: name.into(), value, next: field + 1, lead: Lead::NONE });
        owner.by_name.insert(name.into(), field);
        field
    }

    pub(super) fn at(&self, node: NodeId) -> &Node {
        &self.nodes[node]
    }

    /// The value that a row of a table is.
    #[inline]
    pub(super) fn root(&self, table: usize) -> Value {
        Value { node: table, look: self.nodes[table].look }
    }

    pub(super) fn place(&self, place: usize) -> Place {
        self.places[place]
    }

    /// Passes over what stands in front of the next value, if that is what stood there last time: blanks, and the name of the
    /// field that is the next one then.
    #[inline]
    pub(super) fn follow(
        &self,
        at: NodeId,
        cursor: &mut Cursor,
        parser: &mut Parser<'_>,
        wanted_only: bool,
    ) -> Option<Option<Value>> {
        let node = &self.nodes[at];
        let guess = cursor.0.map_or(node.first, |field| node.fields[field].next);
        let field = node.fields.get(guess)?;
        let lead = if cursor.0.is_some() { &field.lead } else { &node.first_lead };
        if (wanted_only && field.value.is_none()) || !parser.takes(lead) {
            return None;
        }
        cursor.0 = Some(guess);
        Some(field.value)
    }

    /// Keeps in mind what stands in front of the value of the field that was found last, behind the one at `before`.
    pub(super) fn learn(&mut self, at: NodeId, before: Cursor, found: Cursor, lead: &[u8]) {
        let node = &mut self.nodes[at];
        match (before.0, found.0) {
            (Some(_), Some(field)) => node.fields[field].lead.learn(lead),
            _ => node.first_lead.learn(lead),
        }
    }

    /// The field of that name, which is `None` if nobody keeps it in mind, and its value, if anybody wants that. Objects of a
    /// file mostly have their fields in the same order, so the field that followed last time is looked at first.
    #[inline]
    pub(super) fn field(&mut self, at: NodeId, cursor: &mut Cursor, name: &str) -> Option<Option<Value>> {
        let node = &self.nodes[at];
        let guess = cursor.0.map_or(node.first, |field| node.fields[field].next);
        let field = match node.fields.get(guess) {
            Some(field) if *field.name == *name => guess,
            _ => self.search(at, *cursor, name)?,
        };
        cursor.0 = Some(field);
        Some(self.nodes[at].fields[field].value)
    }

    fn search(&mut self, at: NodeId, cursor: Cursor, name: &str) -> Option<usize> {
        let field = match self.nodes[at].by_name.get(name) {
            Some(field) => *field,
            None => self.new_field(at, name)?,
        };
        match cursor.0 {
            // What stood in front of another one is no sign of this one.
            None => (self.nodes[at].first, self.nodes[at].first_lead) = (field, Lead::NONE),
            Some(before) => self.nodes[at].fields[before].next = field,
        }
        Some(field)
    }

    /// A name that was never seen: it may be written in another way than the contract does.
    fn new_field(&mut self, at: NodeId, name: &str) -> Option<usize> {
        let node = self.nodes[at].by_likeness.get(&comparable(name)).copied();
        if node.is_none() && self.asks && self.unknown.len() < UNKNOWN_MAX {
            let Node { table, way, .. } = &self.nodes[at];
            let path = way.to(name).to_string();
            let table = table.checked_sub(1).map(|nested| self.nested[nested].clone());
            self.unknown.insert(NewField { table, path });
        }
        // Objects with names that are values themselves must not fill the memory.
        let has_room = node.is_some() || self.nodes[at].fields.len() < 2 * UNKNOWN_MAX;
        has_room.then(|| self.add_field(at, name, node))
    }

    /// Fields that nobody knows.
    pub(super) fn into_unknown(self) -> BTreeSet<NewField> {
        self.unknown
    }
}
