//! Records: lines, items of an array, or values one behind the other.

use memchr::{memchr, memchr2};
use stillhouse_spec::JsonLayout;

use crate::error::Error;
use crate::lines::count_line_ends;
use crate::place::{Entry, Place};
use crate::window::Window;

/// What JSON calls white space.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// What stands at the reader's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// Perhaps a record: its bytes are held, and nobody has looked at what is in them.
    Record(Place),
    /// A line of nothing but blanks.
    Blank,
    /// A longer record than is held.
    TooLong(Place),
    /// What stands where none may: something beside a value, or behind the end of the array.
    Fault(Place, &'static str),
    End,
}

/// Cuts an object into records.
pub(crate) struct Records<'w, 's> {
    window: &'w mut Window<'s>,
    layout: JsonLayout,
    record_bytes_max: usize,
    /// Records that begin behind this are another region's.
    begin_max: u64,
    line: u64,
    /// Bytes of the last item, to be left behind.
    passed: usize,
    /// The line on which the item before that ended; none, if there was none.
    ended_line: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In front of the array.
    Before,
    /// Where a value is expected; `true` behind a comma.
    Value(bool),
    /// Behind a value, where a comma or the end of the array is expected.
    Behind,
    /// Behind the array.
    After,
}

impl<'w, 's> Records<'w, 's> {
    pub(crate) fn new(
        window: &'w mut Window<'s>,
        layout: JsonLayout,
        entry: Entry,
        record_bytes_max: usize,
        begin_max: u64,
    ) -> Self {
        window.seek(entry.start.offset);
        let state = if layout == JsonLayout::Array { State::Before } else { State::Value(false) };
        Self { window, layout, record_bytes_max, begin_max, line: entry.start.line, passed: 0, ended_line: 0, state }
    }

    /// The bytes of the record that came last.
    pub(crate) fn bytes(&self, place: &Place) -> Option<&[u8]> {
        let from = usize::try_from(place.offset.checked_sub(self.window.offset())?).ok()?;
        self.window.data().get(from..from + usize::try_from(place.bytes).ok()?)
    }

    /// The bytes that are held from the record on that came last.
    pub(crate) fn from(&self, place: &Place) -> &[u8] {
        let from = usize::try_from(place.offset.saturating_sub(self.window.offset())).unwrap_or(usize::MAX);
        self.window.data().get(from..).unwrap_or_default()
    }

    /// The bracket of the array was seen.
    pub(crate) fn has_begun(&self) -> bool {
        self.layout == JsonLayout::Array && self.state != State::Before
    }

    /// Nothing stands behind the item that came last.
    pub(crate) fn is_at_end(&self) -> bool {
        self.window.offset() + self.passed as u64 >= self.window.length()
    }

    pub(crate) fn next(&mut self) -> Result<Item, Error> {
        let passed = std::mem::take(&mut self.passed);
        match self.layout {
            JsonLayout::Lines => {
                self.window.consume(passed);
                self.line()
            }
            JsonLayout::Array | JsonLayout::Values => {
                if passed > 0 {
                    self.leave(passed);
                    self.ended_line = self.line;
                }
                self.value()
            }
        }
    }

    /// Leaves bytes behind, and counts their lines.
    fn leave(&mut self, count: usize) {
        self.line += count_line_ends(&self.window.data()[..count]);
        self.window.consume(count);
    }

    fn place(&self, bytes: usize) -> Place {
        Place { offset: self.window.offset(), line: self.line, bytes: bytes as u64 }
    }

    fn line(&mut self) -> Result<Item, Error> {
        if self.window.offset() > self.begin_max {
            return Ok(Item::End);
        }
        let (mut seen, mut gone) = (0, 0_u64);
        let start = self.window.offset();
        let (end, next) = loop {
            if let Some(at) = memchr(b'\n', &self.window.data()[seen..]) {
                break (seen + at, seen + at + 1);
            }
            seen = self.window.data().len();
            if self.window.at_end() {
                break (seen, seen);
            }
            if seen > self.record_bytes_max {
                self.window.consume(seen);
                gone += seen as u64;
                seen = 0;
            }
            self.window.more()?;
        };
        if gone == 0 && end == 0 && next == 0 {
            return Ok(Item::End);
        }
        let line = self.line;
        self.line += 1;
        self.passed = next;
        let returned = usize::from(end > 0 && self.window.data()[end - 1] == b'\r');
        let bytes = gone + (end - returned) as u64;
        if gone > 0 || bytes > self.record_bytes_max as u64 {
            return Ok(Item::TooLong(Place { offset: start, line, bytes }));
        }
        let place = Place { offset: start, line, bytes };
        let is_blank = self.window.data()[..end].iter().copied().all(is_blank);
        Ok(if is_blank { Item::Blank } else { Item::Record(place) })
    }

    /// The next byte that is no blank; the reader's place is there then.
    fn skip_blanks(&mut self) -> Result<Option<u8>, Error> {
        loop {
            if let Some(at) = self.window.data().iter().position(|byte| !is_blank(*byte)) {
                self.leave(at);
                return Ok(self.window.data().first().copied());
            }
            let all = self.window.data().len();
            self.leave(all);
            if self.window.at_end() {
                return Ok(None);
            }
            self.window.more()?;
        }
    }

    fn value(&mut self) -> Result<Item, Error> {
        loop {
            let next = self.skip_blanks()?;
            match (self.state, next) {
                (State::Before, Some(b'[')) => {
                    self.leave(1);
                    self.state = State::Value(false);
                }
                (State::Before | State::After, None) => return Ok(Item::End),
                (State::Before, Some(_)) => return self.rest("expected `[`, the beginning of an array"),
                (State::After, Some(_)) => return self.rest("expected nothing behind the end of the array"),
                (State::Value(_), None) if self.layout == JsonLayout::Values => return Ok(Item::End),
                (State::Value(_) | State::Behind, None) => return Err(self.not_closed()),
                (State::Value(false), Some(b']')) | (State::Behind, Some(b']')) if self.layout == JsonLayout::Array => {
                    self.leave(1);
                    self.state = State::After;
                }
                (State::Value(true), Some(b']')) | (State::Value(_), Some(b','))
                    if self.layout == JsonLayout::Array =>
                {
                    // Left for the next round, as what stands behind a value.
                    self.state = State::Behind;
                    return Ok(Item::Fault(self.place(0), "expected a value, found nothing"));
                }
                (State::Value(_), Some(_)) => return self.one_value(),
                (State::Behind, Some(b',')) => {
                    self.leave(1);
                    self.state = State::Value(true);
                }
                (State::Behind, Some(_)) => return self.beside(),
            }
        }
    }

    fn not_closed(&self) -> Error {
        Error::data(
            format!("expected `]`, the end of the array, found the end of the file at byte {}", self.window.length()),
            "the file seems to be cut off; send it again",
        )
    }

    /// The value that begins at the reader's place.
    fn one_value(&mut self) -> Result<Item, Error> {
        let mut scanner = Scanner::default();
        let (mut seen, mut gone, mut lines) = (0, 0_u64, 0);
        let start = self.window.offset();
        let end = loop {
            let data = &self.window.data()[seen..];
            if let Some(end) = scanner.end(data) {
                break seen + end;
            }
            seen += data.len();
            if self.window.at_end() {
                if self.layout == JsonLayout::Array {
                    return Err(self.not_closed());
                }
                break seen;
            }
            if seen > self.record_bytes_max {
                lines += count_line_ends(&self.window.data()[..seen]);
                self.window.consume(seen);
                gone += seen as u64;
                seen = 0;
            }
            self.window.more()?;
        };
        let place = Place { offset: start, line: self.line, bytes: gone + end as u64 };
        self.line += lines;
        self.passed = end;
        if self.layout == JsonLayout::Array {
            self.state = State::Behind;
        }
        Ok(if place.bytes > self.record_bytes_max as u64 { Item::TooLong(place) } else { Item::Record(place) })
    }

    /// Something that is neither a comma nor the end, behind a value: refused up to the next comma or the end.
    fn beside(&mut self) -> Result<Item, Error> {
        let item = self.one_value()?;
        Ok(match item {
            Item::Record(place) => Item::Fault(place, "expected `,` or `]` behind a value"),
            other => other,
        })
    }

    /// All that is left.
    fn rest(&mut self, expected: &'static str) -> Result<Item, Error> {
        let mut place = self.place(0);
        while !self.window.at_end() && self.window.data().len() <= self.record_bytes_max {
            self.window.more()?;
        }
        let held = self.window.data().len();
        place.bytes = self.window.length() - place.offset;
        self.state = State::After;
        if self.window.at_end() {
            self.passed = held;
            return Ok(Item::Fault(place, expected));
        }
        self.window.seek(self.window.length());
        Ok(Item::TooLong(place))
    }

    /// Whether the record that came last has its lines for itself: nothing else stands on them.
    pub(crate) fn stands_alone(&mut self, place: &Place) -> Result<bool, Error> {
        if self.layout != JsonLayout::Values {
            return Ok(true);
        }
        if place.line == self.ended_line {
            return Ok(false);
        }
        loop {
            match self.window.data()[self.passed..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
                Some(byte) => return Ok(*byte == b'\n'),
                None if self.window.at_end() => return Ok(true),
                None => self.window.more()?,
            }
        }
    }
}

/// Finds the end of a value over bytes that come in pieces, by brackets and quotes alone.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    depth: u64,
    begun: bool,
    in_text: bool,
    escaped: bool,
    /// A number or a word, which ends where something else begins.
    in_word: bool,
}

impl Scanner {
    /// The value has begun, and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.begun
    }

    /// How many of these bytes belong to the value, if it ends among them.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_text {
                at += self.text(&bytes[at..])?;
                if self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            match bytes[at] {
                b'"' if self.in_word && self.depth == 0 => return Some(at),
                b'"' => (self.in_text, self.begun) = (true, true),
                b'{' | b'[' if self.in_word && self.depth == 0 => return Some(at),
                b'{' | b'[' => (self.depth, self.begun) = (self.depth + 1, true),
                // A bracket that closes nothing ends what stands before it; alone it is what is wrong.
                b'}' | b']' if self.depth == 0 => return Some(at.max(usize::from(!self.begun))),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                byte if self.depth == 0 && self.begun && (is_blank(byte) || byte == b',') => return Some(at),
                byte if self.depth == 0 && !is_blank(byte) => (self.in_word, self.begun) = (true, true),
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// How many bytes there are up to behind the end of the text.
    fn text(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.escaped && !bytes.is_empty() {
            self.escaped = false;
            at = 1;
        }
        loop {
            at += memchr2(b'"', b'\\', &bytes[at..])?;
            if bytes[at] == b'"' {
                self.in_text = false;
                return Some(at + 1);
            }
            if at + 1 == bytes.len() {
                self.escaped = true;
                return None;
            }
            at += 2;
        }
    }
}
