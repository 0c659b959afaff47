//! What a caller passes in and gets back.

use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use arrow::record_batch::RecordBatch;
use stillhouse_spec::{Choice, Contract, Counts, CsvOptions, InputFormat, JsonOptions, Reading, RejectPlace};

/// Everything that decides how an object is read.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How the object is written, as far as the user said; the rest is detected.
    pub format: &'a InputFormat,
    /// The tables and what their records must look like.
    pub contract: &'a Contract,
    /// A longer record is refused, and kept by offset and length. At most 1 GB is honoured.
    pub max_record_bytes: u64,
    /// What the placeholders of the path template stand for.
    pub path_values: &'a BTreeMap<String, String>,
    /// Where dates without a year take it from.
    pub year: YearHint,
    /// A batch holds at most this many rows of a table …
    pub batch_rows: usize,
    /// … and is handed over once it holds about this many bytes.
    pub batch_bytes: usize,
    /// What the contract says in SQL, if it does.
    pub rules: Option<&'a dyn RowRules>,
}

/// What a contract says about whole rows in SQL: conditions and derived columns.
pub trait RowRules: Sync {
    /// Which of these rows of the parent stay; all, if there is no condition. Derived columns have no values yet.
    fn kept(&self, rows: &RecordBatch) -> Result<Option<BooleanArray>, SinkError>;

    /// The rows with their derived columns.
    fn derived(&self, rows: RecordBatch) -> Result<RecordBatch, SinkError>;
}

/// A longer record is never held, whatever the request says: positions in Arrow's texts have 32 bits.
const RECORD_BYTES_CEILING: u64 = 1 << 30;

/// Beyond this no batch grows, whatever the request says: positions in Arrow's texts have 32 bits.
pub(crate) const BATCH_BYTES_CEILING: usize = 256 << 20;

impl<'a> Request<'a> {
    /// Whether a batch of so many rows and bytes is to be handed over.
    pub(crate) fn is_full(&self, rows: usize, bytes: usize) -> bool {
        rows >= self.batch_rows.max(1) || bytes >= self.batch_bytes.min(BATCH_BYTES_CEILING)
    }

    /// What is said about CSV.
    pub(crate) fn csv(&self) -> &'a CsvOptions {
        const NONE: &CsvOptions = &CsvOptions {
            delimiter: None,
            quote: None,
            escape: None,
            header: None,
            skip_lines: 0,
            comment: None,
            year: None,
        };
        match self.format {
            InputFormat::Csv(csv) => csv,
            InputFormat::Json(_) | InputFormat::Parquet => NONE,
        }
    }

    /// What is said about JSON. Refused records of Parquet files are JSON.
    pub(crate) fn json(&self) -> &'a JsonOptions {
        const NONE: &JsonOptions = &JsonOptions { layout: None, year: None };
        match self.format {
            InputFormat::Json(json) => json,
            InputFormat::Csv(_) | InputFormat::Parquet => NONE,
        }
    }

    pub(crate) fn record_bytes_max(&self) -> usize {
        usize::try_from(self.max_record_bytes.min(RECORD_BYTES_CEILING)).expect("the ceiling fits into a pointer")
    }
}

/// Where dates without a year take it from: the first that is known, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearHint {
    /// The year that the path names.
    pub path: Option<i16>,
    /// The year that the user set; [`InputFormat::year`] counts as well.
    pub setting: Option<i16>,
    /// The year of the object's last change.
    pub modified: i16,
}

/// An error of the caller's own, carried through [`decode`](crate::decode()) and back.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes rows and refused records, in the order of the object.
pub trait RowSink {
    /// Rows of a table: 0 is the parent, 1 and on are the children in the order of the contract. In a child table what is
    /// the same for all items of a record (copied columns and `_record`) comes as runs (an array of
    /// [`RunArray`](arrow::array::RunArray), with the same ends in all of these columns);
    /// [`written_out`](crate::written_out()) makes it plain.
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError>;

    /// One refused record.
    fn reject(&mut self, reject: Reject) -> Result<(), SinkError>;
}

/// Takes what comes out.
pub trait Sink: RowSink {
    /// Everything handed over so far is void: a choice was contradicted, and the object starts again.
    fn restart(&mut self) -> Result<(), SinkError>;
}

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where it stands and why it was refused.
    pub place: RejectPlace,
    /// Its bytes without the line end that closes it; `None` above `max_record_bytes`, where offset and length remain.
    pub raw: Option<Vec<u8>>,
    /// The column to blame holds personal data; where no single column is to blame, some column of the contract does.
    pub pii: bool,
}

/// The account of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Records read and what became of them.
    pub counts: Counts,
    /// What was decided, by whom: `delimiter`, `quote`, `escape`, `header`, `encoding`, `columns`, `column X`,
    /// `date format of X`, `year of X`, `decimal mark of X`.
    pub decided: BTreeMap<String, Choice<String>>,
    /// Rows for each UTC day of the parent's time column, as `2021-04-01`; the empty text counts rows without a time.
    pub days: BTreeMap<String, u64>,
    /// How often each [reason](crate::reason) refused a record.
    pub reasons: BTreeMap<String, u64>,
    /// Things worth a look that refuse nothing.
    pub warnings: Vec<String>,
    /// How the object was read.
    pub reading: Reading,
}
