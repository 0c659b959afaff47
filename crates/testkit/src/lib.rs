//! Sample data, generators with known answers and starters of real programs, for tests.
//!
//! Start at [`Program`], which runs the built binary in a [`TempProject`] and says what it printed and how much memory
//! it took; [`Events`] and [`Changes`] fill a project with files whose contents are known, and [`read_delta`] asks engines that are not
//! ours what they see in the tables, [`write_delta`] has one of them write a table. [`shared_data`] finds the corpora that others wrote; [`account_movements`] are one of them
//! with what is true of it.
//!
//! **Invariant:** the same seed gives the same bytes. Only [`Program`] looks at a clock, to end what hangs, and
//! [`receipts`], which lets the product work in real time and measures it.
//!
//! Everything panics on failure, with what to do next: this crate is for tests only.

mod changes;
mod clock;
mod delta;
mod events;
#[cfg(feature = "mutations")]
pub mod mutations;
mod postgres;
mod program;
mod project;
pub mod protocol;
mod random;
pub mod receipts;
mod shared;
pub mod simulation;

pub use changes::{Changes, Customer};
pub use clock::ManualClock;
pub use delta::{read_delta, write_delta};
pub use events::{Answers, Events, EventsFile, write_unclosed_quote};
pub use postgres::Postgres;
pub use program::{Finished, Kills, Program, Running};
pub use project::TempProject;
pub use random::Random;
pub use shared::{Movements, account_movements, shared_data, workspace};
