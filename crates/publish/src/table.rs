//! A table of the lake, replaced as a whole.
//!
//! The rows are written anew whenever the table has changed, in one transaction: nothing could be simpler to trust, and
//! reading, not writing, is what a published table is for.

use arrow::datatypes::SchemaRef;
use futures::StreamExt as _;

use crate::RowBatches;
use crate::columns::{Column, columns};
use crate::database::{Entry, Writing};
use crate::error::{Error, Kind};
use crate::values::{Oddities, Rows};

/// A table of the lake at one version.
#[derive(Debug, Clone)]
pub struct TableCopy {
    /// The table's name in the database.
    pub name: String,
    /// The project that publishes it.
    pub project: String,
    /// What it shows, in words.
    pub shows: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// What its rows are made from: equal fingerprints mean equal rows.
    pub fingerprint: String,
    /// Its Delta version.
    pub version: Option<i64>,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// What readers of the database should know.
    pub remarks: Vec<String>,
}

/// A digest of what the rows of a table are made from: the files that are live in its version, and the rule by which
/// a view picks some of them. Files are never changed, and their names are never used again.
pub fn fingerprint<'f>(rule: Option<&str>, files: impl Iterator<Item = &'f str>) -> String {
    let mut files: Vec<&str> = files.collect();
    files.sort_unstable();
    let whole = serde_json::json!({ "rule": rule, "files": files });
    blake3::hash(whole.to_string().as_bytes()).to_hex().to_string()
}

/// Whether the database holds the table as it is.
pub fn is_published(entries: &[Entry], table: &TableCopy) -> bool {
    let same_columns = |entry: &Entry| columns(&table.schema).is_ok_and(|columns| as_json(&columns) == entry.columns);
    entries.iter().any(|entry| {
        entry.is_of(&table.name)
            && entry.fingerprint == table.fingerprint
            && same_columns(entry)
            && entry.version == table.version
            && entry.shows == table.shows
            && entry.project == table.project
    })
}

/// Puts `rows` into the place of whatever the table held.
///
/// # Errors
/// When the table is somebody else's, when a row cannot be read, or when the database fails.
pub async fn replace_table(
    writing: &mut dyn Writing,
    table: &TableCopy,
    mut rows: RowBatches<'_>,
    now: i64,
) -> Result<Written, Error> {
    let columns = columns(&table.schema).map_err(|error| error.of(&table.name))?;
    let text = as_json(&columns);
    make_room(writing, &table.name, (&table.project, &table.shows), &columns, &text).await?;
    let mut oddities = Oddities::new(&columns);
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| {
            let message = format!("the rows of {} cannot be read", table.shows);
            Error::new(Kind::Retry, message).with_source(error)
        })?;
        let rows = Rows::new(&columns, &batch, &mut oddities).map_err(|error| error.of(&table.name))?;
        writing.insert(&table.name, &columns, &rows).await?;
        count += rows.len();
    }
    let entry = Entry {
        table: table.name.clone(),
        period: String::new(),
        project: table.project.clone(),
        shows: table.shows.clone(),
        columns: text,
        fingerprint: table.fingerprint.clone(),
        version: table.version,
        run_id: None,
        newest_run: None,
        rows: i64::try_from(count).unwrap_or(i64::MAX),
        published_at: now,
    };
    writing.keep_entry(&entry).await?;
    Ok(Written { rows: count as u64, remarks: writing.remarks(&oddities) })
}

/// An empty table with these columns. What is there is emptied if it is ours and has the same columns, so that indexes
/// that people have made stay.
pub(crate) async fn make_room(
    writing: &mut dyn Writing,
    table: &str,
    (project, shows): (&str, &str),
    columns: &[Column],
    text: &str,
) -> Result<(), Error> {
    let entries = writing.entries().await?;
    let own: Vec<&Entry> = entries.iter().filter(|entry| entry.is_of(table)).collect();
    if own.is_empty() && writing.has_table(table).await? {
        let message = format!("the database has a table `{table}` that stillhouse has not made");
        return Err(Error::new(Kind::FixSettings, message)
            .with_hint("give the published one another name, or drop the table in the database if nobody needs it"));
    }
    if let Some(other) = own.iter().find(|entry| entry.project != project || entry.shows != shows) {
        let message =
            format!("the table `{table}` of the database shows {} of project `{}`", other.shows, other.project);
        return Err(Error::new(Kind::FixSettings, message)
            .with_hint("give one of the two another name, or drop the table in the database if nobody needs it"));
    }
    match own.first() {
        Some(entry) if entry.columns == text => writing.empty_table(table).await?,
        _ => writing.make_table(table, columns).await?,
    }
    writing.forget_entries(table, None).await
}

pub(crate) fn as_json(columns: &[Column]) -> String {
    serde_json::to_string(columns).expect("names and words are JSON")
}
