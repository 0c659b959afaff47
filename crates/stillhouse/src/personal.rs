//! Which columns hold personal data.

use stillhouse_spec::{Column, NestedTable, Project, Source};

/// Columns of the lake's own tables that may repeat anything that stood in a file.
const OWN: [(&str, &[&str]); 1] = [("_quarantine", &["raw", "found"])];

/// The columns of a table or view that hold personal data, as its contract says; of a foreign table, as the settings do.
pub fn personal_columns(project: &Project, table: &str) -> Vec<String> {
    let own = OWN.iter().filter(|(name, _)| *name == table).flat_map(|(_, columns)| columns.iter());
    let mut columns: Vec<String> = own.map(|column| (*column).to_owned()).collect();
    let foreign = project.foreign.iter().filter(|foreign| foreign.name.as_str() == table);
    columns.extend(foreign.flat_map(|foreign| foreign.pii.iter().cloned()));
    for source in &project.sources {
        columns.extend(personal_of_source(source, table));
    }
    columns
}

/// The columns of a source's files that hold personal data.
pub fn personal_fields(source: &Source) -> Vec<String> {
    marked(source).map(|column| column.name.to_string()).collect()
}

/// The same, of tables inside of their records as well.
pub fn personal_fields_of_all(source: &Source) -> Vec<String> {
    let nested = source.contract.nested.iter().flat_map(NestedTable::all_columns).filter(|column| column.pii);
    marked(source).chain(nested).map(|column| column.name.to_string()).collect()
}

fn marked(source: &Source) -> impl Iterator<Item = &Column> {
    source.contract.parent.columns.iter().filter(|column| column.pii)
}

fn of_nested(source: &Source, table: &str) -> Option<Vec<String>> {
    let is_meant = |nested: &&NestedTable| {
        let is_view = nested.current.as_ref().is_some_and(|view| view.name.as_str() == table);
        nested.name.as_str() == table || is_view
    };
    let nested = source.contract.nested.iter().find(is_meant)?;
    Some(nested.all_columns().filter(|column| column.pii).map(|column| column.name.to_string()).collect())
}

/// The same of a table of one source.
pub fn personal_of_source(source: &Source, table: &str) -> Vec<String> {
    let parent = &source.contract.parent;
    let is_view = parent.current.as_ref().is_some_and(|view| view.name.as_str() == table);
    if parent.name.as_str() == table || is_view {
        return personal_fields(source);
    }
    if let Some(columns) = of_nested(source, table) {
        return columns;
    }
    let mut columns = Vec::new();
    for child in source.contract.children.iter().filter(|child| child.name.as_str() == table) {
        for column in marked(source) {
            let copies = child.copied.iter().filter(|(_, of)| *of == column.name);
            columns.extend(copies.map(|(here, _)| here.to_string()));
            if child.list == column.name {
                columns.push(child.item.to_string());
            }
        }
    }
    columns
}
