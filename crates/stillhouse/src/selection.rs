//! Which refused records a command line means.

use stillhouse_ingest::Selection;

use crate::app::App;
use crate::cli::SelectionArgs;
use crate::failure::Failure;

/// What the command line selects.
pub fn selection(app: &App, args: &SelectionArgs) -> Selection {
    Selection {
        source: args.source.clone(),
        key: args.object.as_ref().map(|named| app.folder.key(named)),
        reason: args.reason.clone(),
        column: args.column.clone(),
    }
}

/// A path that matches nothing is surely a typing error.
pub fn nothing_of(key: &str) -> Failure {
    Failure::usage(format!("no refused record of a file whose path ends with `{key}`"))
        .hint("see `stillhouse quarantine list`")
}
