//! Which value of a record belongs to which column.

use std::collections::HashMap;

use stillhouse_decode::look::comparable;

use super::layout::{Kind, Layout};
use super::leaf::Leaf;

/// The number of a route; the rows of table `t` begin at route `t`.
pub(super) type RouteId = usize;

/// So many other spellings of names are kept.
const SPELLINGS_MAX: usize = 2000;

#[derive(Debug, Default)]
struct Route {
    leaf: Option<usize>,
    /// The table whose rows stand here.
    place: Option<usize>,
    by_name: HashMap<String, Option<RouteId>>,
    by_likeness: HashMap<String, RouteId>,
}

/// All ways to columns, and what was learnt about these.
#[derive(Debug)]
pub(super) struct Routes {
    routes: Vec<Route>,
    kinds: Vec<Kind>,
    /// The columns of all tables, one table behind the other.
    pub(super) leaves: Vec<Leaf>,
    /// Rows of each table.
    pub(super) rows: Vec<u64>,
    arrays: u64,
}

impl Routes {
    pub(super) fn new(layout: &Layout) -> Self {
        let tables = layout.tables.len();
        let mut routes = Self {
            routes: (0..tables).map(|_| Route::default()).collect(),
            kinds: Vec::new(),
            leaves: Vec::new(),
            rows: vec![0; tables],
            arrays: 0,
        };
        let mut watched = 0;
        for (number, table) in layout.tables.iter().enumerate() {
            for leaf in &table.leaves {
                let route = routes.make(number, &leaf.way);
                routes.routes[route].leaf = Some(routes.leaves.len());
                routes.kinds.push(leaf.kind);
                routes.leaves.push(Leaf::new(&leaf.way, &mut watched));
            }
            for place in &table.places {
                let route = routes.make(place.inside, &place.way);
                routes.routes[route].place = Some(number);
            }
        }
        routes
    }

    fn make(&mut self, table: usize, way: &[String]) -> RouteId {
        let mut at = table;
        for name in way {
            at = match self.routes[at].by_name.get(name).copied().flatten() {
                Some(known) => known,
                None => {
                    let route = self.routes.len();
                    self.routes.push(Route::default());
                    self.routes[at].by_name.insert(name.clone(), Some(route));
                    self.routes[at].by_likeness.entry(comparable(name)).or_insert(route);
                    route
                }
            };
        }
        at
    }

    pub(super) fn leaf(&self, route: RouteId) -> Option<usize> {
        self.routes[route].leaf
    }

    pub(super) fn place(&self, route: RouteId) -> Option<usize> {
        self.routes[route].place
    }

    pub(super) fn is_json(&self, leaf: usize) -> bool {
        matches!(self.kinds[leaf], Kind::Json(_))
    }

    /// Another array of rows begins; gives its number.
    pub(super) fn begin_array(&mut self) -> u64 {
        self.arrays += 1;
        self.arrays
    }

    /// The field of that name, if anything is looked for in it.
    pub(super) fn field(&mut self, at: RouteId, name: &str) -> Option<RouteId> {
        let route = &self.routes[at];
        if let Some(known) = route.by_name.get(name) {
            return *known;
        }
        let found = route.by_likeness.get(&comparable(name)).copied();
        if route.by_name.len() < SPELLINGS_MAX {
            self.routes[at].by_name.insert(name.to_owned(), found);
        }
        found
    }
}
