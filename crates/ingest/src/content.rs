//! What makes two objects the same: their bytes, and what else their rows depend on.

use std::collections::BTreeMap;

use stillhouse_spec::{ColumnFrom, ObjectVersion, Source};

use crate::context::Ingest;

/// Equal for objects of one source whose rows would be equal: the digest of the bytes, then the values that the contract
/// takes from the path, and the year where dates state none.
pub(crate) fn content(ingest: &Ingest, source: &Source, object: &ObjectVersion, digest: &str) -> String {
    let path = source.path.values(&object.key).unwrap_or_default();
    let mut content = digest.to_owned();
    for column in &source.contract.parent.columns {
        if let ColumnFrom::Path(name) = &column.from {
            let value = path.get(name).map_or("", String::as_str);
            content.push_str(&format!(";{name}={value}"));
        }
    }
    if let Some(year) = year(ingest, source, object, &path) {
        content.push_str(&format!(";year={year}"));
    }
    content
}

/// The year that fills up dates, if a format lacks it: as [`stillhouse_decode::YearHint`] finds it.
fn year(ingest: &Ingest, source: &Source, object: &ObjectVersion, path: &BTreeMap<String, String>) -> Option<String> {
    let mut columns = source.contract.read_columns();
    if !columns.any(|column| column.formats.iter().any(|format| format.lacks_year())) {
        return None;
    }
    let set = path.get("yyyy").cloned().or_else(|| source.format.year().map(|year| year.to_string()));
    Some(set.unwrap_or_else(|| ingest.year_of(object).to_string()))
}
