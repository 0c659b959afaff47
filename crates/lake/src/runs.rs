//! `_runs`: what reports found, when and from what.

/// One run of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRow {
    /// Unique for ever; a second append of the same id does nothing.
    pub run_id: String,
    /// The report's name.
    pub report: String,
    /// The period, as written (`2021-04`).
    pub period: String,
    /// `COMPLETE`, `PARTIAL` or `EMPTY`.
    pub completeness: String,
    /// Stands for the report, its parameters and its input; the same fingerprint means that the run can be reused.
    pub fingerprint: String,
    /// The snapshot that it read.
    pub snapshot_seq: i64,
    /// JSON: table to version.
    pub tables: String,
    /// JSON: the input receipts.
    pub inputs: String,
    /// Where the result is, relative to the lake.
    pub result_path: String,
    /// BLAKE3 of the result, hex.
    pub result_digest: String,
    /// Microseconds since 1970.
    pub started_at: i64,
    /// Microseconds since 1970.
    pub finished_at: i64,
    /// JSON: anything else.
    pub detail: String,
}

/// Which runs to read.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Only this one.
    pub run_id: Option<String>,
    /// Only those of this report.
    pub report: Option<String>,
    /// Only those with this fingerprint.
    pub fingerprint: Option<String>,
}
