//! The whole, regular records that lie in the window, and their fields.

use memchr::memchr;

use crate::csv::index::Index;
use crate::csv::scan::{Field, Syntax, Wrapping};

/// Some records at the reader's place. All positions are relative to the first of them.
pub(crate) struct Piece<'d> {
    /// Their bytes, and perhaps more behind them.
    pub(crate) text: &'d str,
    /// Where the first one stands in the object.
    pub(crate) offset: u64,
    /// Physical line on which the first one begins.
    pub(crate) line: u64,
    pub(crate) syntax: Syntax,
    index: &'d Index,
}

/// A record of a piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) start: u32,
    /// Without the line end.
    pub(crate) end: u32,
    /// Its line, counted from the piece's first.
    pub(crate) line: u32,
    /// Its place among the separators of the index, …
    first: u32,
    /// … and behind them.
    behind: u32,
}

impl Row {
    pub(crate) fn bytes(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// How many fields it has.
    pub(crate) fn field_count(&self) -> usize {
        (self.behind - self.first) as usize
    }
}

impl<'d> Piece<'d> {
    pub(crate) fn new(text: &'d str, offset: u64, line: u64, syntax: Syntax, index: &'d Index) -> Self {
        Self { text, offset, line, syntax, index }
    }

    /// The records in order.
    pub(crate) fn rows(&self) -> Rows<'_, 'd> {
        Rows { piece: self, next: 0, first: 0, start: 0, line: 0 }
    }

    /// The bytes of a record, without its line end.
    pub(crate) fn bytes(&self, row: &Row) -> &'d [u8] {
        &self.text.as_bytes()[row.start as usize..row.end as usize]
    }

    /// A field of a record that has it.
    #[inline]
    pub(crate) fn field(&self, row: &Row, field: usize) -> Field {
        let at = row.first as usize + field;
        let separators = &self.index.separators;
        let start = if field == 0 { row.start as usize } else { separators[at - 1] as usize + 1 };
        let end = if at + 1 == row.behind as usize { row.end as usize } else { separators[at] as usize };
        let bytes = self.text.as_bytes();
        match self.syntax.quote {
            Some(quote) if start < end && bytes[start] == quote => {
                let (start, end) = (start + 1, end - 1);
                let is_escaped = self.index.has_doubled && memchr(quote, &bytes[start..end]).is_some();
                Field { start, end, wrapping: if is_escaped { Wrapping::Escaped } else { Wrapping::Quoted } }
            }
            _ => Field { start, end, wrapping: Wrapping::Bare },
        }
    }

    /// All fields of a record.
    pub(crate) fn fields(&self, row: &Row) -> Vec<Field> {
        (0..row.field_count()).map(|field| self.field(row, field)).collect()
    }
}

/// See [`Piece::rows`].
pub(crate) struct Rows<'p, 'd> {
    piece: &'p Piece<'d>,
    next: usize,
    first: u32,
    start: u32,
    line: u32,
}

impl Iterator for Rows<'_, '_> {
    type Item = Row;

    #[inline]
    fn next(&mut self) -> Option<Row> {
        let index = self.piece.index;
        let behind = *index.ends.get(self.next)?;
        let feed = index.separators[behind as usize - 1];
        let bytes = self.piece.text.as_bytes();
        let returned = feed > self.start && bytes[feed as usize - 1] == b'\r';
        let row =
            Row { start: self.start, end: feed - u32::from(returned), line: self.line, first: self.first, behind };
        (self.next, self.first, self.start) = (self.next + 1, behind, feed + 1);
        self.line += 1;
        if index.has_inner_lines {
            let inner = &bytes[row.start as usize..row.end as usize];
            let feeds = memchr::memchr_iter(b'\n', inner).count();
            self.line += u32::try_from(feeds).expect("a piece is far smaller than 4 GB");
        }
        Some(row)
    }
}
