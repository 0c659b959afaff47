//! Rows of `_receipts`: written at the commit point, read by everybody who asks what became of an object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use stillhouse_spec::{RECEIPT_FORMAT, Receipt};

use crate::RECEIPTS;
use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::manifest::{DataFile, ManifestKind, Staged};
use crate::read;
use crate::schema::receipts_schema;

/// `kind` of a row about an object version.
const LOAD_ROW: &str = "load";
/// `kind` of a row that says only that a batch without members is in the tables.
const COMPACT_ROW: &str = "compact";

/// Which receipts to read.
#[derive(Debug, Clone, Default)]
pub struct ReceiptQuery {
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those of this key.
    pub key: Option<String>,
    /// Only those of this key number.
    pub key_number: Option<i64>,
    /// Only those of batches after this one.
    pub after_seq: Option<i64>,
    /// Only those of these batches, by id.
    pub batches: Option<BTreeSet<String>>,
    /// Whether to read the whole receipt too; without it [`ReceiptRow::receipt`] is `None` and reading is much cheaper.
    pub whole: bool,
}

/// One row of `_receipts` about an object version.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptRow {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// The store's tag of the object version.
    pub etag: String,
    /// Bytes.
    pub size: i64,
    /// BLAKE3 of the bytes, hex.
    pub digest: String,
    /// The key's number.
    pub key_number: i64,
    /// The version of the key.
    pub generation: i64,
    /// Everything that was staged for the key, counted.
    pub revision: i64,
    /// The batch's place.
    pub seq: i64,
    /// The epoch in which it was committed.
    pub epoch: i64,
    /// The ledger that committed it.
    pub ledger_id: String,
    /// The batch.
    pub batch: String,
    /// Versions of the data tables that belong together.
    pub vector: BTreeMap<String, i64>,
    /// Records read.
    pub read: i64,
    /// Rows loaded.
    pub loaded: i64,
    /// Records in quarantine.
    pub quarantined: i64,
    /// Records left out by contract.
    pub filtered: i64,
    /// Blank lines.
    pub blank: i64,
    /// Microseconds since 1970.
    pub committed_at: i64,
    /// The whole receipt, if the query asked for it.
    pub receipt: Option<Receipt>,
}

/// Receipts, some megabytes at a time.
pub type ReceiptStream = BoxStream<'static, Result<Vec<ReceiptRow>, Error>>;

/// The rows of a batch: one for each member, or one for all where there are none.
pub(crate) fn receipt_rows(
    staged: &Staged,
    epoch: i64,
    ledger_id: &str,
    vector: &BTreeMap<String, i64>,
    now: i64,
) -> Result<RecordBatch, Error> {
    let unwritable = |e: serde_json::Error| Error::bug("receipt: not writable").caused_by(e);
    let vector = serde_json::to_string(vector).map_err(unwritable)?;
    if staged.manifest.kind == ManifestKind::Compact {
        return one_row(|column| match column {
            "kind" => Some(text_value(COMPACT_ROW)),
            "seq" => Some(Arc::new(Int64Array::from(vec![staged.seq]))),
            "epoch" => Some(Arc::new(Int64Array::from(vec![epoch]))),
            "ledger_id" => Some(text_value(ledger_id)),
            "batch" => Some(text_value(&staged.manifest.batch_id)),
            "vector" => Some(text_value(&vector)),
            "committed_at" => Some(instant_value(now)),
            _ => None,
        });
    }
    let receipts = filled_in(staged)?;
    let whole = receipts.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
    let rows = receipts.len();
    let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows).map(|_| text))) };
    let text =
        |of: fn(&Receipt) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(receipts.iter().map(of))) };
    let number =
        |of: fn(&Receipt) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(receipts.iter().map(of))) };
    let columns: Vec<ArrayRef> = vec![
        same(LOAD_ROW),
        text(|receipt| &receipt.object.source),
        text(|receipt| &receipt.object.key),
        text(|receipt| &receipt.object.member),
        text(|receipt| &receipt.object.etag),
        number(|receipt| signed(receipt.object.size)),
        text(|receipt| &receipt.digest),
        number(|receipt| receipt.key_number),
        number(|receipt| receipt.generation),
        number(|receipt| receipt.revision),
        number(|receipt| receipt.seq),
        Arc::new(Int64Array::from_value(epoch, rows)),
        same(ledger_id),
        text(|receipt| &receipt.batch),
        same(&vector),
        number(|receipt| signed(receipt.counts.read)),
        number(|receipt| signed(receipt.counts.loaded)),
        number(|receipt| signed(receipt.counts.quarantined)),
        number(|receipt| signed(receipt.counts.filtered)),
        number(|receipt| signed(receipt.counts.blank)),
        Arc::new(TimestampMicrosecondArray::from_value(now, rows).with_timezone("UTC")),
        Arc::new(StringArray::from(whole)),
    ];
    RecordBatch::try_new(receipts_schema(), columns).map_err(|e| Error::bug("rows of `_receipts`").caused_by(e))
}

/// A row of `_receipts` that is no receipt; columns without a value are null.
pub(crate) fn one_row(value: impl Fn(&str) -> Option<ArrayRef>) -> Result<RecordBatch, Error> {
    let schema = receipts_schema();
    let columns = schema.fields().iter().map(|field| {
        let value = value(field.name());
        value.unwrap_or_else(|| new_null_array(field.data_type(), 1))
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
        .map_err(|e| Error::bug("a row of `_receipts`").caused_by(e))
}

pub(crate) fn text_value(text: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![text]))
}

pub(crate) fn instant_value(at: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![at]).with_timezone("UTC"))
}

/// The members' receipts with what only the publisher knows.
fn filled_in(staged: &Staged) -> Result<Vec<Receipt>, Error> {
    let members = staged.manifest.members.iter().map(|member| {
        Ok(Receipt {
            key_number: member.key_number,
            generation: member.generation,
            revision: staged.revision(member.key_number)?,
            batch: staged.manifest.batch_id.clone(),
            seq: staged.seq,
            replaces_from: member.replaces_from,
            ..member.receipt.clone()
        })
    });
    members.collect()
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Lake {
    /// Receipts, by seq and key number. Files that cannot hold an answer are not opened. All of them are in memory at
    /// once, some kilobytes each: [`Lake::receipts_in_pieces`] is for many.
    pub async fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<ReceiptRow>, Error> {
        let mut found: Vec<ReceiptRow> = self.receipts_in_pieces(query).await?.try_concat().await?;
        found.sort_by_key(|row| (row.seq, row.key_number));
        Ok(found)
    }

    /// Receipts in pieces, file by file, those of older batches first as far as files are apart.
    pub async fn receipts_in_pieces(&self, query: &ReceiptQuery) -> Result<ReceiptStream, Error> {
        let Some(state) = self.head(RECEIPTS).await? else { return Ok(futures::stream::empty().boxed()) };
        let mut files: Vec<Arc<DataFile>> = state.files.values().filter(|file| query.allows(file)).cloned().collect();
        files.sort_by_cached_key(|file| (read::int_bounds(file, "seq"), file.path.clone()));
        let columns = read::columns_without(&receipts_schema(), (!query.whole).then_some("receipt"));
        let query = Arc::new(query.clone());
        Ok(read::pieces(&self.store, RECEIPTS, files, columns, move |_, batch| query.take(batch)))
    }
}

impl ReceiptQuery {
    fn allows(&self, file: &DataFile) -> bool {
        let text = |column, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| read::may_hold_text(file, column, wanted))
        };
        read::may_hold_text(file, "kind", LOAD_ROW)
            && text("source", &self.source)
            && text("key", &self.key)
            && self.key_number.is_none_or(|number| read::may_hold_int(file, "key_number", number, number))
            && self.after_seq.is_none_or(|seq| read::may_hold_int(file, "seq", seq.saturating_add(1), i64::MAX))
            && self.batches.as_ref().is_none_or(|ids| ids.iter().any(|id| read::may_hold_text(file, "batch", id)))
    }

    fn take(&self, batch: &RecordBatch) -> Result<Vec<ReceiptRow>, Error> {
        let rows = (0..batch.num_rows()).filter(|row| self.matches(batch, *row));
        rows.map(|row| read_row(batch, row, self.whole)).collect()
    }

    fn matches(&self, batch: &RecordBatch, row: usize) -> bool {
        let text = |column, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| read::text(batch, column, row) == Some(wanted))
        };
        read::text(batch, "kind", row) == Some(LOAD_ROW)
            && text("source", &self.source)
            && text("key", &self.key)
            && self.key_number.is_none_or(|number| read::int(batch, "key_number", row) == Some(number))
            && self.after_seq.is_none_or(|seq| read::int(batch, "seq", row) > Some(seq))
            && self
                .batches
                .as_ref()
                .is_none_or(|ids| read::text(batch, "batch", row).is_some_and(|id| ids.contains(id)))
    }
}

fn read_row(batch: &RecordBatch, row: usize, whole: bool) -> Result<ReceiptRow, Error> {
    let missing = |column: &str| {
        Error::fix_data(format!("table `{RECEIPTS}`, column `{column}`: expected a value, found none"))
            .hint("a file of the table is damaged or was changed; restore the lake from a copy")
    };
    let text = |column: &str| read::text(batch, column, row).map(str::to_owned).ok_or_else(|| missing(column));
    let int = |column: &str| read::int(batch, column, row).ok_or_else(|| missing(column));
    let vector = serde_json::from_str(&text("vector")?);
    let vector = vector.map_err(|e| missing("vector").caused_by(e))?;
    Ok(ReceiptRow {
        source: text("source")?,
        key: text("key")?,
        member: text("member")?,
        etag: text("etag")?,
        size: int("size")?,
        digest: text("digest")?,
        key_number: int("key_number")?,
        generation: int("generation")?,
        revision: int("revision")?,
        seq: int("seq")?,
        epoch: int("epoch")?,
        ledger_id: text("ledger_id")?,
        batch: text("batch")?,
        vector,
        read: int("read")?,
        loaded: int("loaded")?,
        quarantined: int("quarantined")?,
        filtered: int("filtered")?,
        blank: int("blank")?,
        committed_at: int("committed_at")?,
        receipt: whole.then(|| read_receipt(&text("receipt")?)).transpose()?,
    })
}

fn read_receipt(text: &str) -> Result<Receipt, Error> {
    let unreadable = |e: serde_json::Error| Error::fix_data(format!("receipt: not readable: {e}")).caused_by(e);
    // Without the rest, which a newer form may have changed. A tree of values of it all would cost twice the reading.
    let Form { format } = serde_json::from_str(text).map_err(unreadable)?;
    if format > u64::from(RECEIPT_FORMAT) {
        let message = format!("receipt: expected format {RECEIPT_FORMAT}, found {format}");
        return Err(Error::new(Kind::FixSettings, message).hint("a newer stillhouse wrote it; use that version"));
    }
    serde_json::from_str(text).map_err(unreadable)
}

/// What every form of a receipt has.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    format: u64,
}
