//! A model of the commit protocol, explored to the last state at small bounds.
//!
//! It says what `lake`, `ledger` and `ingest` do together when many of them work at once and anything
//! fails anywhere: look, put, receipt; claim, stage, finish; epochs and fences; withdrawal, rebuild, a second ledger;
//! amendments, compactions, vacuum. [`check`] walks through every state that can be reached, breadth first, and asks of each
//! whether the seven [`Invariant`]s hold. Then it takes the safeguards away, one at a time: each time an invariant must break,
//! and the shortest way there is printed.
//!
//! In reading order: `lake` (tables, versions, late commits), `batch` and `ledger` are what there is; `state` puts it
//! together; `load`, `publish` with `look`, `withdraw`, `rebuild`, `maintain`, `vacuum` and `world` are what can happen, each
//! named after the code that it stands for; `invariants` is what must hold; `explore` is the search; `runs` lists what is
//! explored.
//!
//! A ledger transaction and a put-if-absent are one step each, and so is a look with the put that is built on it (see
//! `look`). Left to argument and to other tests: names of objects that hold the same content, log clean-up, schema changes,
//! the merging of `_receipts`' own files, several table sets. I4 says that everything **can** settle; it sets no limit in time.

mod batch;
mod check;
mod explore;
mod hash;
mod invariants;
mod lake;
mod ledger;
mod load;
mod look;
mod maintain;
mod moves;
mod publish;
mod rebuild;
mod rows;
mod run;
mod runs;
mod safeguard;
mod state;
mod vacuum;
mod withdraw;
mod world;

pub use check::{Checked, check, check_small};
pub use explore::Violation;
pub use invariants::Invariant;
pub use safeguard::Safeguard;
