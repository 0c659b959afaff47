//! Plan, run and render reports.
//!
//! Start at [`periods`] and [`parameters`] (what to run), then [`run`] (queries over one snapshot, stored with what they
//! were made from, or a former run that did the same), which gives a [`RunView`], then [`render`]. [`assess`] tells how
//! whole the inputs were.
//!
//! **Invariant:** a run that is in `_runs` has all its results and a manifest that names everything it was made from.
//! **Invariant:** stored results are exact; only rendering rounds, half away from zero.
//! **Invariant:** no clock and no randomness; both come in with the request.

mod chart;
mod completeness;
mod error;
mod manifest;
mod notes;
mod plan;
mod record;
pub mod render;
mod run;
mod store;
mod view;

pub use completeness::{Assessment, SourceState, StoppedObject, assess};
pub use error::{Error, Kind};
pub use plan::{covered, parameters, period_parameters, periods};
pub use record::{ForeignVersion, RunFilter, RunRecord, RunStore, RunStoreError, TableVersion};
pub use run::{RESULTS_FOLDER, RunContext, RunRequest, feeding, load, plan_query, run};
pub use view::{Input, Provenance, QueryView, RunView};
