//! Groups by what a text column's dictionary holds, instead of by every row.
//!
//! Parquet keeps texts that repeat once for each row group, in a dictionary, and of each row only a number. Read as they
//! are, expressions over such a column ([`OnValues`]) run once for each different text, and rows are counted by their
//! numbers: no text is copied, hashed or compared for a row. Moments of which there are few different ones, as days are,
//! gain in the same way, without a dictionary of the file.
//!
//! [`ByDictionary`] is the rule that finds such aggregations in a physical plan and puts a [`TallyExec`] in the place of
//! their first half, which gives the same groups and the same states; the second half stays DataFusion's. What the rule
//! needs to know of the files ([`FileFacts`]) stands in their footers, which the table reads when it is scanned.
//!
//! **Invariant:** a plan gives the same rows with the rule as without it.

mod codes;
mod exec;
mod facts;
mod numbers;
mod on_values;
mod rule;
mod stream;

pub(crate) use facts::FileFacts;
pub(crate) use rule::ByDictionary;
