//! The shape of the records: which names there are, where, and values of which kinds stand there.

use std::collections::HashMap;

use stillhouse_decode::look::comparable;

/// An object with more names is not followed: its names are values themselves.
const FIELDS_MAX: usize = 1000;
/// So many places are told apart.
const NODES_MAX: usize = 20_000;
/// What is inside of more arrays and objects is not followed.
pub(super) const DEPTH_MAX: usize = 48;

pub(super) type NodeId = usize;

/// The node of the records themselves.
pub(super) const ROOT: NodeId = 0;

/// A place in the records, and what was seen there.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// As the file writes it; empty for records and items.
    pub(super) name: String,
    pub(super) nulls: u64,
    pub(super) scalars: u64,
    pub(super) objects: u64,
    pub(super) arrays: u64,
    /// Fields of its objects, all together.
    pub(super) entries: u64,
    pub(super) fields: Vec<NodeId>,
    by_likeness: HashMap<String, NodeId>,
    /// The items of its arrays.
    pub(super) item: Option<NodeId>,
    /// Something inside of it was not followed.
    pub(super) lost: bool,
    /// Some object has it twice.
    pub(super) twice: bool,
    /// The object in which it came last.
    last: u64,
    /// The items of its arrays are more rows of this node, which they are inside of.
    pub(super) fold: Option<NodeId>,
    /// The file itself says that its names are values.
    pub(super) is_map: bool,
    /// Its names stand in a schema, so they are fields.
    pub(super) is_schema: bool,
}

/// All places.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The number of the object that was entered last.
    serial: u64,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], serial: 0 }
    }

    pub(super) fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node]
    }

    pub(super) fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node]
    }

    /// An object begins; its number is for [`field`](Self::field).
    pub(super) fn object(&mut self, node: NodeId) -> u64 {
        self.nodes[node].objects += 1;
        self.serial += 1;
        self.serial
    }

    /// The field of that name, in the object of that number; `None` if it is not followed.
    pub(super) fn field(&mut self, node: NodeId, name: &str, object: u64) -> Option<NodeId> {
        self.nodes[node].entries += 1;
        let likeness = comparable(name);
        let field = match self.nodes[node].by_likeness.get(&likeness) {
            Some(field) => *field,
            None if self.nodes[node].fields.len() < FIELDS_MAX && self.nodes.len() < NODES_MAX => {
                let field = self.nodes.len();
                self.nodes.push(Node { name: name.to_owned(), ..Node::default() });
                self.nodes[node].fields.push(field);
                self.nodes[node].by_likeness.insert(likeness, field);
                field
            }
            None => {
                self.nodes[node].lost = true;
                return None;
            }
        };
        let found = &mut self.nodes[field];
        found.twice |= found.last == object;
        found.last = object;
        Some(field)
    }

    /// The items of an array; `None` if they are not followed.
    pub(super) fn item(&mut self, node: NodeId) -> Option<NodeId> {
        if self.nodes[node].item.is_none() {
            if self.nodes.len() == NODES_MAX {
                self.nodes[node].lost = true;
                return None;
            }
            self.nodes[node].item = Some(self.nodes.len());
            self.nodes.push(Node::default());
        }
        self.nodes[node].item
    }

    /// Counts what was seen at one place as seen at another.
    pub(super) fn merge(&mut self, from: NodeId, into: NodeId) {
        if from == into {
            return;
        }
        let gone = std::mem::take(&mut self.nodes[from]);
        let node = &mut self.nodes[into];
        node.nulls += gone.nulls;
        node.scalars += gone.scalars;
        node.objects += gone.objects;
        node.arrays += gone.arrays;
        node.entries += gone.entries;
        node.twice |= gone.twice;
        for field in gone.fields {
            let likeness = comparable(&self.nodes[field].name);
            match self.nodes[into].by_likeness.get(&likeness) {
                Some(known) => self.merge(field, *known),
                None => {
                    self.nodes[into].fields.push(field);
                    self.nodes[into].by_likeness.insert(likeness, field);
                }
            }
        }
        match (gone.item, self.nodes[into].fold, self.nodes[into].item) {
            (Some(item), Some(table), _) | (Some(item), None, Some(table)) => self.merge(item, table),
            (Some(item), None, None) => self.nodes[into].item = Some(item),
            (None, ..) => {}
        }
    }
}

/// What becomes of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A column.
    Scalar,
    /// A column of lists.
    List,
    /// Its fields are columns.
    Object,
    /// A table.
    Rows,
    /// A column of JSON, and why.
    Json(Why),
}

/// Why a value is kept as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Mixed,
    Map,
    Lost,
    NoFields,
    NoItems,
    Twice,
    Arrays,
    ItemsMixed,
}

impl Why {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Mixed => "kept as JSON: values of different kinds stand here",
            Self::Map => "kept as JSON: its names differ from record to record, as if they were values",
            Self::Lost => "kept as JSON: too many names or levels are inside of it",
            Self::NoFields => "kept as JSON: its objects are empty so far",
            Self::NoItems => "kept as JSON: its arrays are empty so far. If texts come, write type = \"list<string>\"",
            Self::Twice => "kept as JSON: a record has this name twice",
            Self::Arrays => "kept as JSON: arrays inside of arrays",
            Self::ItemsMixed => "kept as JSON: the items are of different kinds",
        }
    }
}

impl Tree {
    pub(super) fn class(&self, node: NodeId) -> Class {
        let node = &self.nodes[node];
        let kinds = [node.scalars, node.objects, node.arrays].iter().filter(|count| **count > 0).count();
        match kinds {
            0 => Class::Scalar,
            1 if node.scalars > 0 => Class::Scalar,
            1 if node.twice => Class::Json(Why::Twice),
            1 if node.fold.is_some() => Class::Rows,
            1 if node.objects > 0 => self.object_class(node),
            1 => self.array_class(node),
            _ => Class::Json(Why::Mixed),
        }
    }

    fn object_class(&self, node: &Node) -> Class {
        if node.is_map || self.looks_like_a_map(node) {
            Class::Json(Why::Map)
        } else if node.lost {
            Class::Json(Why::Lost)
        } else if node.fields.is_empty() {
            Class::Json(Why::NoFields)
        } else {
            Class::Object
        }
    }

    fn array_class(&self, node: &Node) -> Class {
        let Some(item) = node.item else {
            return Class::Json(if node.lost { Why::Lost } else { Why::NoItems });
        };
        match self.class(item) {
            _ if node.lost => Class::Json(Why::Lost),
            Class::Scalar => Class::List,
            Class::Object => Class::Rows,
            Class::List | Class::Rows | Class::Json(Why::Arrays | Why::NoItems) => Class::Json(Why::Arrays),
            Class::Json(Why::Mixed) => Class::Json(Why::ItemsMixed),
            Class::Json(why) => Class::Json(why),
        }
    }

    /// Names that are in nearly every object are fields; names that look like values, or of which each object has few
    /// others, are values.
    fn looks_like_a_map(&self, node: &Node) -> bool {
        const OBJECTS_MIN: u64 = 5;
        const NAMES_MIN: usize = 8;
        if node.is_schema {
            return false;
        }
        let names = node.fields.len();
        let is_fixed = |field: &&NodeId| {
            let field = &self.nodes[**field];
            (field.nulls + field.scalars + field.objects + field.arrays) * 10 >= node.objects * 9
        };
        let fixed = node.fields.iter().filter(is_fixed).count();
        let many = node.objects >= OBJECTS_MIN;
        if names < 2 || (many && fixed * 2 >= names) {
            return false;
        }
        let odd = node.fields.iter().filter(|field| is_odd(&self.nodes[**field].name)).count();
        // Less than about a third of the names in an object.
        let sparse = node.entries * 20 < node.objects * names as u64 * 7;
        odd * 2 > names || (many && names >= NAMES_MIN && fixed == 0 && sparse)
    }
}

/// Nobody calls a field so.
fn is_odd(name: &str) -> bool {
    const CHARS_MAX: usize = 60;
    let hex = name.len() >= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || name.contains(['.', '/', '\\', ':', '@'])
        || name.chars().count() > CHARS_MAX
        || (hex && name.bytes().any(|byte| byte.is_ascii_digit()))
}
