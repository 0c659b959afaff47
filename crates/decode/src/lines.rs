//! Physical lines: what a text editor counts.

use memchr::{memchr2, memchr2_iter};

use crate::error::Error;
use crate::window::Window;

/// Counts line ends over bytes that come in pieces; a carriage return with a line feed is one.
#[derive(Debug, Default)]
pub(crate) struct LineCounter {
    count: u64,
    /// The last byte was a carriage return, so a line feed now is no new line end.
    after_return: bool,
}

impl LineCounter {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut return_at = if self.after_return { Some(0) } else { None };
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            // `return_at` is the byte behind the last carriage return.
            if bytes[at] == b'\r' {
                self.count += 1;
                return_at = Some(at + 1);
            } else if return_at != Some(at) {
                self.count += 1;
            }
        }
        if let Some(last) = bytes.last() {
            self.after_return = *last == b'\r';
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// Line ends in `bytes`.
pub(crate) fn count_line_ends(bytes: &[u8]) -> u64 {
    let mut counter = LineCounter::default();
    counter.feed(bytes);
    counter.count()
}

/// The physical line at the reader's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its length without the line end.
    pub(crate) bytes: u64,
    /// Where the next one begins in the window; `None` if the line was longer than the limit: it has been consumed then.
    pub(crate) next: Option<usize>,
}

/// Finds the end of the line at the reader's place. A line longer than `limit` is passed over in pieces.
pub(crate) fn physical_line(window: &mut Window<'_>, limit: usize) -> Result<Line, Error> {
    let mut seen = 0;
    let mut passed = 0u64;
    loop {
        if let Some(length) = memchr2(b'\n', b'\r', &window.data()[seen..]) {
            let end = seen + length;
            window.ensure(end + 2)?;
            let next = match &window.data()[end..] {
                [b'\r', b'\n', ..] => end + 2,
                _ => end + 1,
            };
            return Ok(finish(window, passed, end, next, limit));
        }
        seen = window.data().len();
        if window.at_end() {
            return Ok(finish(window, passed, seen, seen, limit));
        }
        if seen > limit {
            window.consume(seen);
            passed += seen as u64;
            seen = 0;
        }
        window.more()?;
    }
}

fn finish(window: &mut Window<'_>, passed: u64, end: usize, next: usize, limit: usize) -> Line {
    let bytes = passed + end as u64;
    if bytes <= limit as u64 {
        return Line { bytes, next: Some(next) };
    }
    window.consume(next);
    Line { bytes, next: None }
}
