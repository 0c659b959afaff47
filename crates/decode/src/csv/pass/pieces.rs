//! Many records at once: the way that nearly all of them take. It comes to the same as one by one.

use super::{Pass, Stop, fields_text};
use crate::csv::parent::Appended;
use crate::csv::piece::{Piece, Row};
use crate::csv::records::is_blank_line;
use crate::error::Error;
use crate::place::Place;
use crate::reason;
use crate::refusal::Why;

/// Records of a piece on their way into the columns, and those that are refused.
#[derive(Default)]
pub(super) struct Waiting {
    rows: Vec<(Row, u64)>,
    bytes: usize,
    refused: Vec<(Row, u64, Why)>,
}

impl Waiting {
    fn clear(&mut self) {
        self.rows.clear();
        self.refused.clear();
        self.bytes = 0;
    }
}

impl Pass<'_, '_> {
    /// Takes the records of a piece.
    pub(super) fn piece(&mut self, piece: &Piece<'_>) -> Result<Option<Stop>, Error> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let (width, record_bytes_max) = (self.head.mapping.width, self.request.record_bytes_max());
        for (row, number) in piece.rows().zip(self.number()..) {
            if row.bytes() > record_bytes_max {
                waiting.refused.push((row, number, self.too_long(row.bytes() as u64)));
            } else if is_blank_line(piece.bytes(&row)) {
                self.tally.counts.read += 1;
                self.tally.counts.blank += 1;
            } else if row.field_count() != width {
                let (expected, found) = (fields_text(width), fields_text(row.field_count()));
                waiting.refused.push((row, number, self.whole(reason::FIELD_COUNT, expected, found)));
            } else {
                waiting.rows.push((row, number));
                waiting.bytes += self.parent.row_bytes(row.bytes());
            }
            if self.is_full_with(waiting.rows.len(), waiting.bytes)
                && let Some(stop) = self.fill(piece, &mut waiting)?
            {
                return Ok(Some(stop));
            }
        }
        let stop = self.fill(piece, &mut waiting)?;
        self.waiting = waiting;
        Ok(stop)
    }

    fn fill(&mut self, piece: &Piece<'_>, waiting: &mut Waiting) -> Result<Option<Stop>, Error> {
        let before = self.parent.rows();
        let refused = match self.parent.append_rows(piece, &waiting.rows) {
            Appended::Rows { refused } => refused,
            Appended::LeapDay(column) => return Ok(Some(Stop::LeapDay(column))),
        };
        let loaded = (waiting.rows.len() - refused.len()) as u64;
        self.tally.counts.read += loaded;
        self.tally.counts.loaded += loaded;
        for (at, blame) in refused {
            let (row, number) = waiting.rows[at];
            waiting.refused.push((row, number, self.blamed(blame)));
        }
        waiting.refused.sort_by_key(|(_, number, _)| *number);
        for (row, number, why) in waiting.refused.drain(..) {
            let line = piece.line + u64::from(row.line);
            let place = Place { offset: piece.offset + u64::from(row.start), line, bytes: row.bytes() as u64 };
            let is_held = why.reason != reason::TOO_LONG;
            self.refuse(is_held.then(|| piece.bytes(&row)), &place, number, why)?;
        }
        waiting.clear();
        self.rows_added(before)
    }
}
