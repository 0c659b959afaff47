//! Groups by what a text column's dictionary holds, instead of by every row.
//!
//! Parquet keeps texts that repeat once for each row group, in a dictionary, and of each row only a number. Read as they
//! are, expressions over such a column ([`OnValues`]) run once for each different text, and rows are counted by their
//! numbers: no text is copied, hashed or compared for a row. Moments gain in the same way, without a dictionary of the
//! file: what is made of them is computed once for each different one, or once for a span of them.
//!
//! [`ByDictionary`] is the rule that finds such aggregations in a physical plan and puts a [`TallyExec`] in the place of
//! their first half, which gives the same groups and the same states; the second half stays DataFusion's. What the rule
//! needs to know of the files ([`FileFacts`]) stands in their footers, which the table reads when it is scanned. Several
//! aggregations over the same files can be computed in one pass over their rows ([`in_one_pass`]).
//!
//! From what a plan asks for (`wanted`) and the files that it reads (`scan`) comes what a pass counts (`plan`); `groups`
//! holds the groups and states of a pass, for a query that runs alone (`exec`, `stream`) or for several (`pass`).
//!
//! **Invariant:** a plan gives the same rows with the rule as without it.

mod codes;
mod exec;
mod facts;
mod groups;
mod numbers;
mod on_values;
mod pass;
mod plan;
mod rule;
mod scan;
mod spans;
mod stream;
mod wanted;

pub(crate) use exec::TallyExec;
pub(crate) use facts::FileFacts;
pub(crate) use pass::{in_one_pass, of_same_files, tally_of, with_tallied};
pub(crate) use rule::ByDictionary;
