//! Where records stand.

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Byte at which it begins.
    pub(crate) offset: u64,
    /// Physical line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its length without the line end that closes it.
    pub(crate) bytes: u64,
}

/// The place at which a record may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) offset: u64,
    pub(crate) line: u64,
}

/// The first record of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) start: Start,
    /// How many records are before it.
    pub(crate) number: u64,
}
