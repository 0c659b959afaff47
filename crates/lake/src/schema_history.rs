//! Which columns a table got when: kept in its Delta settings, because logs of long ago are cleaned up.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use crate::columns::{TypeChange, type_changes};

/// The setting of a table that holds its history.
const SETTING: &str = "stillhouse.schemaHistory";

/// Older changes than so many are forgotten.
const CHANGES_MAX: usize = 200;

/// A change of a table's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// The Delta version that has the new columns first.
    pub version: i64,
    /// When that was committed; milliseconds since 1970.
    pub at_ms: i64,
    /// The names of the columns that came.
    pub added: Vec<String>,
    /// The columns that got another type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retyped: Vec<TypeChange>,
}

/// The changes that the settings of a table tell of, oldest first.
pub(crate) fn changes(settings: &BTreeMap<String, String>) -> Vec<SchemaChange> {
    let text = settings.get(SETTING).map_or("[]", String::as_str);
    // Somebody else may have written something there: a history is no reason to refuse a table.
    serde_json::from_str(text).unwrap_or_default()
}

/// Notes that the columns change from `old` to `new`.
pub(crate) fn note(settings: &mut BTreeMap<String, String>, old: &Schema, new: &Schema, version: i64, at_ms: i64) {
    let known: BTreeSet<&String> = old.fields().iter().map(|field| field.name()).collect();
    let added = new.fields().iter().map(|field| field.name()).filter(|name| !known.contains(name));
    let retyped = type_changes(old, new);
    let change = SchemaChange { version, at_ms, added: added.cloned().collect(), retyped };
    let mut all = changes(settings);
    all.push(change);
    let forgotten = all.len().saturating_sub(CHANGES_MAX);
    all.drain(..forgotten);
    settings.insert(SETTING.to_owned(), serde_json::json!(all).to_string());
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn the_history_names_what_came_and_forgets_the_oldest() {
        let of = |names: &[&str]| {
            Schema::new(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>())
        };
        let mut settings = BTreeMap::new();
        note(&mut settings, &of(&["a"]), &of(&["a", "b", "c"]), 3, 7);
        let added = vec!["b".to_owned(), "c".to_owned()];
        let first = SchemaChange { version: 3, at_ms: 7, added, retyped: Vec::new() };
        assert_eq!(changes(&settings), [first]);
        for version in 0..250 {
            note(&mut settings, &of(&["a"]), &of(&["a", "d"]), version, 8);
        }
        let all = changes(&settings);
        assert_eq!((all.len(), all[0].version), (CHANGES_MAX, 50));
        settings.insert(SETTING.to_owned(), "no history".to_owned());
        assert!(changes(&settings).is_empty());
    }
}
