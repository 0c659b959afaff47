//! What no single file can know.

use std::collections::BTreeMap;

use super::Read;
use super::file::File;
use super::foreign::Named;
use super::source::Loaded;

/// One source writes a table, and no view hides one; SQL tells their names apart without case. `settings` is the file of
/// the foreign tables.
pub(super) fn unique_tables<'l, 'f: 'l>(
    sources: impl Iterator<Item = &'l Loaded<'f>> + Clone,
    settings: Option<&File<'_>>,
    foreign: &[Named],
) -> Read<()> {
    let mut places: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let mut result = Ok(());
    let tables = sources.clone().flat_map(|loaded| loaded.tables.iter().map(move |name| (loaded, name, "table")));
    // Views come last, so that it is never a table that has to give way.
    let views = sources.flat_map(|loaded| loaded.views.iter().map(move |name| (loaded, name, "view")));
    for (loaded, name, what) in tables.chain(views) {
        let path = loaded.file.path;
        if let Some((former, other)) = places.insert(name.value.as_str().to_ascii_lowercase(), (what, path)) {
            let (message, hint) = match what {
                "table" => (
                    format!("table {} is already a {former} of {other}", name.shown()),
                    "give it another name; one source writes a table, and case does not count",
                ),
                _ => (
                    format!("the view {} has the name of a {former} of {other}", name.shown()),
                    "give it another name with `current = \"NAME\"`; case does not count",
                ),
            };
            result = Err(loaded.file.problem_with(name.at, message, hint));
        }
    }
    for (file, named) in settings.into_iter().flat_map(|file| foreign.iter().map(move |named| (file, named))) {
        let name = named.table.name.as_str();
        if let Some((former, other)) = places.insert(name.to_ascii_lowercase(), ("table", "this file")) {
            let message = format!("table `{name}` is already a {former} of {other}");
            result = Err(file.problem_with(named.at, message, "give it another name; case does not count"));
        }
    }
    result
}
