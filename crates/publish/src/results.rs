//! Results of a query, one table for all periods that its report was run for.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use crate::columns::{Column, ColumnKind, columns};
use crate::database::{Entry, Writing};
use crate::error::{Error, Kind};
use crate::table::{Written, as_json, make_room};
use crate::values::{Oddities, Rows, Values};

/// The columns in front of those of the query: which period, which run, how whole its inputs were, and the row's place
/// in the result, from 0.
const OWN_COLUMNS: [(&str, ColumnKind); 4] = [
    (PERIOD, ColumnKind::Text),
    ("_run_id", ColumnKind::Text),
    ("_completeness", ColumnKind::Text),
    ("_row", ColumnKind::Int),
];
const PERIOD: &str = "_period";

/// A table of results.
#[derive(Debug, Clone)]
pub struct ResultsTable {
    /// Its name in the database.
    pub name: String,
    /// The project that publishes it.
    pub project: String,
    /// What it shows, in words.
    pub shows: String,
}

/// Which run a period has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The period.
    pub period: String,
    /// The run.
    pub run_id: String,
    /// The newest recorded run of the period.
    pub newest: String,
    /// Whether the database shows it already.
    pub is_there: bool,
}

/// The result of one query for one period.
#[derive(Debug)]
pub struct ResultRows<'a> {
    /// Which run it is of.
    pub wanted: &'a Wanted,
    /// How whole the inputs were.
    pub completeness: String,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// What the table has to show, by period: the run that was shown just now; else what is there, unless a newer run was
/// recorded since; else the newest recorded run. `newest` and `shown` are runs by period.
///
/// A run that is shown need not be the newest: when a query is changed and changed back, the former run is used again.
pub fn wanted(
    entries: &[Entry],
    table: &str,
    newest: &BTreeMap<String, String>,
    shown: &BTreeMap<String, String>,
) -> Vec<Wanted> {
    let one = |(period, newest): (&String, &String)| {
        let entry = entries.iter().find(|entry| entry.is_of(table) && entry.period == *period);
        let there = entry.and_then(|entry| entry.run_id.as_ref());
        let kept = entry.filter(|entry| entry.newest_run.as_ref() == Some(newest)).and(there);
        let run_id = shown.get(period).or(kept).unwrap_or(newest).clone();
        let is_there = there == Some(&run_id) && entry.is_some_and(|e| e.newest_run.as_ref() == Some(newest));
        Wanted { period: period.clone(), run_id, newest: newest.clone(), is_there }
    };
    newest.iter().map(one).collect()
}

/// The columns of a table of results.
///
/// # Errors
/// When a column of the query has the name of one of ours, or two differ only in case.
pub fn result_columns(schema: &Schema) -> Result<Vec<Column>, Error> {
    let own = OWN_COLUMNS.map(|(name, kind)| Column { name: name.to_owned(), kind });
    let of_query = columns(schema)?;
    for column in &of_query {
        if own.iter().any(|own| own.name.eq_ignore_ascii_case(&column.name)) {
            let message = format!("the column `{}` has the name of one that every published result has", column.name);
            return Err(Error::new(Kind::FixSettings, message).with_hint("give it another name with `as`"));
        }
    }
    Ok(own.into_iter().chain(of_query).collect())
}

/// Makes the table ready for rows of these columns. Whether it is empty now, so that every period has to be written.
///
/// # Errors
/// When the table is somebody else's, or the database fails.
pub async fn prepare_results(
    writing: &mut dyn Writing,
    table: &ResultsTable,
    columns: &[Column],
    again: bool,
) -> Result<bool, Error> {
    let text = as_json(columns);
    let entries = writing.entries().await?;
    let same = |entry: &&Entry| entry.columns == text && entry.project == table.project && entry.shows == table.shows;
    let mut own = entries.iter().filter(|entry| entry.is_of(&table.name)).peekable();
    if !again && own.peek().is_some() && own.all(|entry| same(&entry)) {
        return Ok(false);
    }
    make_room(writing, &table.name, (&table.project, &table.shows), columns, &text).await?;
    Ok(true)
}

/// Removes what the table shows of periods that are not among the wanted ones. How many that were.
///
/// # Errors
/// When the database fails.
pub async fn remove_others(writing: &mut dyn Writing, table: &str, wanted: &[Wanted]) -> Result<usize, Error> {
    let entries = writing.entries().await?;
    let is_wanted = |entry: &&Entry| wanted.iter().any(|wanted| wanted.period == entry.period);
    let others: Vec<&Entry> = entries.iter().filter(|entry| entry.is_of(table) && !is_wanted(entry)).collect();
    for entry in &others {
        writing.remove_rows(table, PERIOD, &entry.period).await?;
        writing.forget_entries(table, Some(&entry.period)).await?;
    }
    Ok(others.len())
}

/// Puts the rows of a period into the place of those that it has.
///
/// # Errors
/// When a value cannot be held, or the database fails.
pub async fn write_period(
    writing: &mut dyn Writing,
    table: &ResultsTable,
    columns: &[Column],
    result: &ResultRows<'_>,
    now: i64,
) -> Result<Written, Error> {
    let Wanted { period, run_id, newest, .. } = result.wanted;
    writing.remove_rows(&table.name, PERIOD, period).await?;
    let of_query = &columns[OWN_COLUMNS.len()..];
    let mut oddities = Oddities::new(of_query);
    let mut count = 0;
    for batch in &result.batches {
        let rows = Rows::new(of_query, batch, &mut oddities).map_err(|error| error.of(&table.name))?;
        let (from, length) = (count, rows.len());
        let own = vec![
            Values::same_text(period, length),
            Values::same_text(run_id, length),
            Values::same_text(&result.completeness, length),
            Values::counting(from, length),
        ];
        writing.insert(&table.name, columns, &rows.behind(own)).await?;
        count += length;
    }
    let entry = Entry {
        table: table.name.clone(),
        period: period.clone(),
        project: table.project.clone(),
        shows: table.shows.clone(),
        columns: as_json(columns),
        fingerprint: String::new(),
        version: None,
        run_id: Some(run_id.clone()),
        newest_run: Some(newest.clone()),
        rows: i64::try_from(count).unwrap_or(i64::MAX),
        published_at: now,
    };
    writing.keep_entry(&entry).await?;
    Ok(Written { rows: count as u64, remarks: writing.remarks(&oddities) })
}
