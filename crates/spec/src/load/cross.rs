//! What no single file can know.

use std::collections::BTreeMap;

use super::Read;
use super::source::Loaded;

/// One source writes a table; SQL tells tables apart without case.
pub(super) fn unique_tables<'l, 'f: 'l>(sources: impl Iterator<Item = &'l Loaded<'f>>) -> Read<()> {
    let mut places: BTreeMap<String, &str> = BTreeMap::new();
    let mut result = Ok(());
    for loaded in sources {
        for table in &loaded.tables {
            let name = table.value.as_str().to_ascii_lowercase();
            if let Some(other) = places.insert(name, loaded.file.path) {
                let message = format!("table {} is already a table of {other}", table.shown());
                result = Err(loaded.file.problem_with(
                    table.at,
                    message,
                    "give it another name; one source writes a table, and case does not count",
                ));
            }
        }
    }
    result
}
