//! Tables of what is inside of records: which values of the record they repeat.

use stillhouse_spec::DataType;

use super::names;
use super::plan::Making;
use crate::api::{Notes, Place};
use crate::decide::SEVERAL;
use crate::names::{has_word, singular};
use crate::plan::{Child, Nested, Planned, Stand};
use crate::text::counted;

impl Making<'_> {
    /// Tables of the objects of arrays.
    pub(super) fn nested(&self, columns: &[Vec<Planned>], keys: &[Option<usize>], notes: &mut Notes) -> Vec<Nested> {
        // For each table what it repeats: the name here, and the name in the table that it is inside of.
        let mut copies: Vec<Vec<(String, String)>> = vec![Vec::new()];
        let mut all = Vec::new();
        for table in 1..self.tables.len() {
            let copied = self.copied(table, columns, keys, &copies);
            let places = self.table(table).places.iter().map(|place| {
                let again = copied.iter().map(|(here, _)| (here.clone(), here.clone()));
                Stand {
                    from: format!("{}.{}[]", self.tables[place.inside], names::path(&place.way)),
                    copied: if place.inside == table { again.collect() } else { copied.clone() },
                }
            });
            let places: Vec<Stand> = places.collect();
            self.tell(table, &places, notes);
            all.push(Nested { name: self.tables[table].clone(), places, columns: columns[table].clone() });
            copies.push(copied);
        }
        all
    }

    fn copied(
        &self,
        table: usize,
        columns: &[Vec<Planned>],
        keys: &[Option<usize>],
        copies: &[Vec<(String, String)>],
    ) -> Vec<(String, String)> {
        let inside = self.table(table).places[0].inside;
        let mut copied: Vec<(String, String)> = Vec::new();
        let further = copies[inside].iter().map(|(name, _)| (name.clone(), name.clone()));
        let key = keys[inside].map(|key| columns[inside][key].name.clone());
        let key = key.map(|name| (names::copy(&self.tables[inside], &name), name));
        for (wished, there) in further.chain(key) {
            let is_free = |name: &String| {
                columns[table].iter().all(|column| column.name != *name) && copied.iter().all(|(here, _)| here != name)
            };
            let numbered = (2..).map(|number| format!("{wished}_{number}"));
            let here = std::iter::once(wished.clone()).chain(numbered).find(is_free).expect("numbers do not end");
            copied.push((here, there));
        }
        copied
    }

    fn tell(&self, table: usize, places: &[Stand], notes: &mut Notes) {
        let (place, about) = (Place::Nested(table - 1), format!("table {}", self.tables[table]));
        let rows = counted(self.survey.rows[table], "row");
        notes.found(place.clone(), about.clone(), format!("one row for each object of `{}`: {rows}", places[0].from));
        for again in &places[1..] {
            let text =
                format!("objects like these are inside of them, too: `{}` is one more place of the table", again.from);
            notes.remark(place.clone(), about.clone(), text);
        }
        if places[0].copied.is_empty() {
            let text =
                "nothing tells the rows around them apart, so nothing is repeated: `_object` and `_record` lead there";
            notes.found(place, about, text);
        }
    }

    /// Tables of the items of lists of tags and the like.
    pub(super) fn lists(
        &self,
        columns: &[Planned],
        key: Option<usize>,
        time: Option<usize>,
        notes: &mut Notes,
    ) -> Vec<Child> {
        let is_telling = |column: &&Planned| {
            let of_texts = column.decided.data_type == DataType::List(Box::new(DataType::String));
            of_texts && has_word(&column.name, SEVERAL)
        };
        let time = time.filter(|time| Some(*time) != key);
        let copied: Vec<String> = key.into_iter().chain(time).map(|at| columns[at].name.clone()).collect();
        let mut children: Vec<Child> = Vec::new();
        for column in columns.iter().filter(is_telling) {
            let item = singular(&column.name);
            let item = if copied.contains(&item) { format!("{item}_item") } else { item };
            let name = format!("{}_{}", singular(&self.tables[0]), column.name);
            if self.tables.contains(&name) || children.iter().any(|child| child.name == name) {
                continue;
            }
            notes.found(Place::Child, format!("table {name}"), format!("one row for each item of `{}`", column.name));
            children.push(Child { name, list: column.name.clone(), item, copied: copied.clone() });
        }
        children
    }
}
