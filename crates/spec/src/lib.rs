//! The words as types: project files, contracts, reports, periods, receipts.
//!
//! Everything here is parsed once and valid from then on. Start at [`Project`]: [`Project::parse`] makes one from the
//! texts of the project files, or says everything that is wrong with them ([`Problems`]). A project has sources
//! ([`Source`], with the [`Contract`] of its tables) and reports ([`Report`]), which are about a [`Period`]. What was
//! read is accounted for in a [`Receipt`].
//!
//! ```
//! use stillhouse_spec::{Project, ProjectFiles};
//!
//! let mut files = ProjectFiles::default();
//! files.files.insert("stillhouse.toml".into(), "format = 1\n[project]\nnmae = 'shop'\n".into());
//! let problems = Project::parse(&files, &|_variable| None).unwrap_err();
//! assert_eq!(problems.to_string(), "\
//! stillhouse.toml:2:2: `name` is missing in [project]
//!   hint: write `name = \"my-project\"`
//! stillhouse.toml:3:1: unknown key `nmae` in [project]
//!   hint: did you mean `name`?");
//! ```
//!
//! **Invariant:** this crate does no I/O and reads no clock; texts and dates come in, values and errors go out.
//!
//! **Invariant:** no [`Problem`], fingerprint or `Debug` of a [`Project`] holds what came from the environment; see [`Secret`].

mod choice;
mod contract;
mod current;
mod foreign;
mod format;
mod load;
mod name;
mod new_field;
mod path;
mod period;
mod problem;
mod project;
mod publish;
mod reading;
mod receipt;
mod report;
mod scalar;
mod secret;
mod source;
mod template;
mod types;

pub use choice::{Choice, Origin};
pub use contract::*;
pub use current::*;
pub use foreign::*;
pub use format::{FormatError, TimeFormat, TimeItem};
pub use load::PROJECT_FORMAT;
pub use name::{ColumnName, NAME_BYTES_MAX, NameError, QueryName, ReportName, SourceName, TableName};
pub use new_field::NewField;
pub use path::{FieldPath, PATH_NAMES_MAX, PathError};
pub use period::{Grain, Period, PeriodChoice, PeriodError, ZoneError, day_start_micros, zone};
pub use problem::{Problem, Problems};
pub use project::*;
pub use publish::*;
pub use reading::*;
pub use receipt::*;
pub use report::*;
pub use scalar::Scalar;
pub use secret::{Filled, Secret};
pub use source::*;
pub use template::{PathTemplate, TemplateError};
pub use types::{DataType, TYPE_NAMES, TypeError};
