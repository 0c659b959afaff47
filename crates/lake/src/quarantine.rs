//! Reading refused records back: for lists, for exports and for replay.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use stillhouse_spec::RejectPlace;

use crate::QUARANTINE;
use crate::error::Error;
use crate::lake::Lake;
use crate::manifest::DataFile;
use crate::read;
use crate::schema::{QuarantineRow, quarantine_schema};

/// Which refused records to read; all by default.
#[derive(Debug, Clone, Default)]
pub struct QuarantineQuery {
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those of objects whose key (with a member: `key!member`) ends with this.
    pub key_suffix: Option<String>,
    /// Only those with this reason.
    pub reason: Option<String>,
    /// Only those that this column was to blame for.
    pub column: Option<String>,
    /// Only those of these objects, by `_object`.
    pub objects: Option<BTreeSet<i64>>,
    /// In this version of `_quarantine`, without it in that of the newest receipt.
    pub version: Option<i64>,
    /// Whether to leave the records' bytes out, which is much cheaper: [`QuarantineRow::raw`] is `None` then.
    pub without_raw: bool,
}

/// One refused record as `_quarantine` has it.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// Its `_object`.
    pub object: i64,
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// When it was refused; microseconds since 1970.
    pub ingested_at: i64,
    /// Where it stands, why it was refused, and its bytes.
    pub row: QuarantineRow,
}

/// Refused records in pieces of some megabytes at most, by file; within a file by object, as it was loaded.
pub type QuarantineStream = BoxStream<'static, Result<Vec<Quarantined>, Error>>;

impl Lake {
    /// Refused records. Files that cannot hold an answer are not opened.
    pub async fn quarantine(&self, query: &QuarantineQuery) -> Result<QuarantineStream, Error> {
        let state = match query.version {
            Some(version) => Some(self.at(QUARANTINE, version).await?),
            None => self.shown(QUARANTINE).await?,
        };
        let Some(state) = state else { return Ok(futures::stream::empty().boxed()) };
        let mut files: Vec<Arc<DataFile>> = state.files.values().filter(|file| query.allows(file)).cloned().collect();
        files.sort_by_key(|file| (file.object_min, file.object_max, file.path.clone()));
        let columns = read::columns_without(&quarantine_schema(), query.without_raw.then_some("raw"));
        let query = Arc::new(query.clone());
        Ok(read::pieces(&self.store, QUARANTINE, files, columns, move |file, batch| query.take(file, batch)))
    }
}

impl QuarantineQuery {
    fn allows(&self, file: &DataFile) -> bool {
        let text = |column, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| read::may_hold_text(file, column, wanted))
        };
        let any_object = |objects: &BTreeSet<i64>| {
            file.object_min <= file.object_max && objects.range(file.object_min..=file.object_max).next().is_some()
        };
        text("source", &self.source)
            && text("reason", &self.reason)
            && text("column", &self.column)
            && self.objects.as_ref().is_none_or(any_object)
    }

    fn take(&self, file: &DataFile, batch: &RecordBatch) -> Result<Vec<Quarantined>, Error> {
        let wanted = (0..batch.num_rows()).filter(|row| self.matches(batch, *row));
        wanted.map(|row| read_row(file, batch, row)).collect()
    }

    fn matches(&self, batch: &RecordBatch, row: usize) -> bool {
        let text = |column, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| read::text(batch, column, row) == Some(wanted))
        };
        let key_ends = |suffix: &String| {
            let key = read::text(batch, "key", row).unwrap_or_default();
            match read::text(batch, "member", row).unwrap_or_default() {
                "" => key.ends_with(suffix),
                member => key.ends_with(suffix) || format!("{key}!{member}").ends_with(suffix),
            }
        };
        text("source", &self.source)
            && text("reason", &self.reason)
            && text("column", &self.column)
            && self.key_suffix.as_ref().is_none_or(key_ends)
            && self
                .objects
                .as_ref()
                .is_none_or(|objects| read::int(batch, "_object", row).is_some_and(|object| objects.contains(&object)))
    }
}

fn read_row(file: &DataFile, batch: &RecordBatch, row: usize) -> Result<Quarantined, Error> {
    let missing = |column: &str| {
        let place = format!("`{QUARANTINE}/{}`, column `{column}`", file.path);
        Error::fix_data(format!("{place}: expected a value, found none"))
            .hint("a file of the table is damaged or was changed; restore the lake from a copy")
    };
    let text = |column: &str| read::text(batch, column, row).map(str::to_owned).ok_or_else(|| missing(column));
    let int = |column: &str| read::int(batch, column, row).ok_or_else(|| missing(column));
    let count = |column: &str| int(column).and_then(|value| u64::try_from(value).map_err(|_| missing(column)));
    let pii = batch.column_by_name("pii").and_then(|column| column.as_boolean_opt());
    let raw = batch.column_by_name("raw").and_then(|column| column.as_binary_opt::<i32>());
    Ok(Quarantined {
        object: int("_object")?,
        source: text("source")?,
        key: text("key")?,
        member: text("member")?,
        ingested_at: int("_ingested_at")?,
        row: QuarantineRow {
            place: RejectPlace {
                record: count("_record")?,
                part: read::text(batch, "part", row).unwrap_or_default().to_owned(),
                line: count("line")?,
                offset: count("offset")?,
                bytes: count("bytes")?,
                column: read::text(batch, "column", row).map(str::to_owned),
                reason: text("reason")?,
                expected: text("expected")?,
                found: text("found")?,
            },
            raw: raw.filter(|raw| raw.is_valid(row)).map(|raw| raw.value(row).to_vec()),
            // Unknown is treated as personal.
            pii: pii.is_none_or(|pii| pii.is_null(row) || pii.value(row)),
        },
    })
}
