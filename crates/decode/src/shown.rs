//! Lists in messages.

/// A file may have thousands of fields that nobody knows; so many are named.
pub(crate) const SHOWN_MAX: usize = 30;

/// The first names, and how many more there are.
pub(crate) fn names(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(SHOWN_MAX);
    let shown = all.take(SHOWN_MAX).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown}, … ({more} more)") }
}
