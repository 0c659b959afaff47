//! Cuts one record into fields. Everything that looks at single bytes of structure is here.

use memchr::{memchr, memchr2, memchr3};

/// How fields and records are told apart. All bytes are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) delimiter: u8,
    /// `None`: quotes have no meaning.
    pub(crate) quote: Option<u8>,
    /// A backslash inside quotes takes the meaning from the byte behind it.
    pub(crate) backslash: bool,
}

/// How the text of a field is found in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// The bytes are the text.
    Bare,
    /// Inside quotes; the range leaves them out, and the bytes are the text.
    Quoted,
    /// Inside quotes, and some bytes are escaped.
    Escaped,
}

/// One field: a range of bytes relative to the record's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) wrapping: Wrapping,
}

/// What is wrong with a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The end of the object came first.
    Unterminated,
    /// Neither delimiter nor line end behind a closing quote.
    BadQuote,
}

/// What [`Splitter::step`] came to. Positions are relative to the record's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The record ends at `end`, the next one begins at `next`: the line end lies between.
    Record { end: usize, next: usize },
    /// More bytes are needed to know.
    More,
    /// The record is not to be read; `at` is the byte that showed it.
    Fault { fault: Fault, at: usize },
    /// A line end inside quotes was reached before `doomed_before`.
    Doomed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// Inside quotes, behind a backslash.
    Backslash,
    /// Behind a quote inside quotes: it closes the field, or it is doubled.
    QuoteSeen,
    /// Behind a carriage return that ends the record; a line feed may belong to it.
    ReturnSeen,
}

/// Cuts one record into fields, in as many steps as there are pieces; no byte is looked at twice.
///
/// A quote has a meaning only as the first byte of a field and inside such a field. A carriage return, a line feed or
/// both end a record.
pub(crate) struct Splitter {
    syntax: Syntax,
    /// How many fields are kept; the others are only counted, so that memory does not depend on a hostile line.
    keep: usize,
    state: State,
    position: usize,
    field_start: usize,
    escaped: bool,
    /// Some field of the record is quoted.
    quoted: bool,
    count: usize,
    fields: Vec<Field>,
    /// Before this position, a line end inside quotes means that the record cannot end well: see `records`.
    doomed_before: usize,
}

impl Splitter {
    pub(crate) fn new(syntax: Syntax, keep: usize) -> Self {
        Self {
            syntax,
            keep,
            state: State::FieldStart,
            position: 0,
            field_start: 0,
            escaped: false,
            quoted: false,
            count: 0,
            fields: Vec::new(),
            doomed_before: 0,
        }
    }

    /// Begins the next record.
    #[inline]
    pub(crate) fn begin(&mut self, doomed_before: usize) {
        self.state = State::FieldStart;
        self.position = 0;
        self.field_start = 0;
        self.escaped = false;
        self.quoted = false;
        self.count = 0;
        self.fields.clear();
        self.doomed_before = doomed_before;
    }

    /// The fields of the record, the first `keep` of them.
    #[inline]
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many fields the record has.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether some field of the record is quoted; only then can it hold line ends.
    #[inline]
    pub(crate) fn has_quotes(&self) -> bool {
        self.quoted
    }

    /// How far it has looked.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Cuts a whole record that lies in `data` and holds nothing unusual: what nearly all records are. `None` if it is
    /// to be looked at by [`step`](Self::step), from its beginning.
    ///
    /// It comes to the same as `step`, with the state in registers instead of memory.
    #[inline]
    pub(crate) fn whole(&mut self, data: &[u8]) -> Option<(usize, usize)> {
        let Syntax { delimiter, quote, .. } = self.syntax;
        let mut at = 0;
        loop {
            let mut wrapping = Wrapping::Bare;
            let mut start = at;
            let end;
            if quote.is_some() && data.get(at).copied() == quote {
                start = at + 1;
                (end, wrapping) = self.quoted_end(data, start)?;
                at = end + 1;
            } else {
                at += memchr3(delimiter, b'\n', b'\r', data.get(at..)?)?;
                end = at;
            }
            if self.count < self.keep {
                self.fields.push(Field { start, end, wrapping });
            }
            self.count += 1;
            match *data.get(at)? {
                byte if byte == delimiter => at += 1,
                b'\n' => return Some((at, at + 1)),
                b'\r' => return Some((at, if *data.get(at + 1)? == b'\n' { at + 2 } else { at + 1 })),
                _ => return None,
            }
        }
    }

    /// Where the quoted field whose text begins at `start` is closed.
    #[inline]
    fn quoted_end(&mut self, data: &[u8], start: usize) -> Option<(usize, Wrapping)> {
        let quote = self.syntax.quote?;
        self.quoted = true;
        let mut wrapping = Wrapping::Quoted;
        let mut at = start;
        loop {
            let rest = data.get(at..)?;
            let found = if self.syntax.backslash { memchr2(quote, b'\\', rest)? } else { memchr(quote, rest)? };
            at += found;
            if rest[found] == quote && *data.get(at + 1)? != quote {
                return Some((at, wrapping));
            }
            // A doubled quote, or a backslash with the byte behind it.
            wrapping = Wrapping::Escaped;
            at += 2;
        }
    }

    /// Goes on with `data`, whose first byte is the record's byte number `base`; `at_end` if no more will come.
    /// `data` must reach beyond what was seen before.
    #[inline]
    pub(crate) fn step(&mut self, data: &[u8], base: usize, at_end: bool) -> Step {
        let found = loop {
            let rest = &data[self.position - base..];
            let step = match self.state {
                State::FieldStart => match rest.first() {
                    Some(&byte) if Some(byte) == self.syntax.quote => {
                        self.position += 1;
                        self.field_start = self.position;
                        self.escaped = false;
                        self.quoted = true;
                        self.state = State::Quoted;
                        None
                    }
                    Some(_) => {
                        self.field_start = self.position;
                        self.state = State::Bare;
                        self.bare(rest)
                    }
                    None => Some(Step::More),
                },
                State::Bare => self.bare(rest),
                State::Quoted if self.position < self.doomed_before => self.quoted_watching(rest),
                State::Quoted => self.quoted(rest),
                State::Backslash => match rest.first() {
                    Some(b'\n' | b'\r') if self.position < self.doomed_before => Some(Step::Doomed),
                    Some(_) => {
                        self.position += 1;
                        self.state = State::Quoted;
                        None
                    }
                    None => Some(Step::More),
                },
                State::QuoteSeen => self.quote_seen(rest),
                State::ReturnSeen => match rest.first() {
                    Some(b'\n') => Some(Step::Record { end: self.position - 1, next: self.position + 1 }),
                    Some(_) => Some(Step::Record { end: self.position - 1, next: self.position }),
                    None => Some(Step::More),
                },
            };
            if let Some(step) = step {
                break step;
            }
        };
        if found == Step::More && at_end { self.finish() } else { found }
    }

    /// Looks for the end of a field without quotes.
    #[inline]
    fn bare(&mut self, rest: &[u8]) -> Option<Step> {
        let Some(length) = memchr3(self.syntax.delimiter, b'\n', b'\r', rest) else {
            self.position += rest.len();
            return Some(Step::More);
        };
        self.position += length;
        self.end_field(self.position, Wrapping::Bare, rest[length])
    }

    /// Looks for the end of a quoted field.
    #[inline]
    fn quoted(&mut self, rest: &[u8]) -> Option<Step> {
        let quote = self.syntax.quote.unwrap_or(b'"');
        let found = if self.syntax.backslash { memchr2(quote, b'\\', rest) } else { memchr(quote, rest) };
        let Some(length) = found else {
            self.position += rest.len();
            return Some(Step::More);
        };
        self.position += length + 1;
        self.inside(rest[length]);
        None
    }

    /// The same where a line end would show that the search is in vain.
    fn quoted_watching(&mut self, rest: &[u8]) -> Option<Step> {
        let watched = &rest[..rest.len().min(self.doomed_before - self.position)];
        let quote = self.syntax.quote.unwrap_or(b'"');
        let found = if self.syntax.backslash {
            watched.iter().position(|&byte| byte == quote || matches!(byte, b'\\' | b'\n' | b'\r'))
        } else {
            memchr3(quote, b'\n', b'\r', watched)
        };
        let Some(length) = found else {
            self.position += watched.len();
            return (watched.len() == rest.len()).then_some(Step::More);
        };
        if matches!(rest[length], b'\n' | b'\r') {
            return Some(Step::Doomed);
        }
        self.position += length + 1;
        self.inside(rest[length]);
        None
    }

    #[inline]
    fn inside(&mut self, byte: u8) {
        if Some(byte) == self.syntax.quote {
            self.state = State::QuoteSeen;
        } else {
            self.escaped = true;
            self.state = State::Backslash;
        }
    }

    #[inline]
    fn quote_seen(&mut self, rest: &[u8]) -> Option<Step> {
        let wrapping = if self.escaped { Wrapping::Escaped } else { Wrapping::Quoted };
        match rest.first() {
            None => Some(Step::More),
            Some(&byte) if Some(byte) == self.syntax.quote => {
                self.position += 1;
                self.escaped = true;
                self.state = State::Quoted;
                None
            }
            Some(&byte) if byte == self.syntax.delimiter || byte == b'\n' || byte == b'\r' => {
                self.end_field(self.position - 1, wrapping, byte)
            }
            Some(_) => Some(Step::Fault { fault: Fault::BadQuote, at: self.position }),
        }
    }

    /// Ends the field at `end`; `byte`, at the position, is what ends it.
    #[inline]
    fn end_field(&mut self, end: usize, wrapping: Wrapping, byte: u8) -> Option<Step> {
        self.push(end, wrapping);
        self.position += 1;
        if byte == b'\n' {
            return Some(Step::Record { end: self.position - 1, next: self.position });
        }
        self.state = if byte == b'\r' { State::ReturnSeen } else { State::FieldStart };
        None
    }

    #[inline]
    fn push(&mut self, end: usize, wrapping: Wrapping) {
        if self.count < self.keep {
            self.fields.push(Field { start: self.field_start, end, wrapping });
        }
        self.count += 1;
    }

    /// The object ends here.
    fn finish(&mut self) -> Step {
        let end = self.position;
        match self.state {
            State::FieldStart => {
                self.field_start = end;
                self.push(end, Wrapping::Bare);
            }
            State::Bare => self.push(end, Wrapping::Bare),
            State::QuoteSeen => {
                let wrapping = if self.escaped { Wrapping::Escaped } else { Wrapping::Quoted };
                self.push(end - 1, wrapping);
            }
            State::Quoted | State::Backslash => return Step::Fault { fault: Fault::Unterminated, at: end },
            State::ReturnSeen => return Step::Record { end: end - 1, next: end },
        }
        Step::Record { end, next: end }
    }
}

/// The text of an escaped field: doubled quotes become one, and a backslash in front of a quote or a backslash goes.
pub(crate) fn unescape(bytes: &str, syntax: Syntax, into: &mut String) {
    let quote = char::from(syntax.quote.unwrap_or(b'"'));
    let mut rest = bytes;
    let special = |c: char| c == quote || (c == '\\' && syntax.backslash);
    while let Some(at) = rest.find(special) {
        into.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        let (first, second) = (chars.next().unwrap_or(quote), chars.next());
        match second {
            Some(second) if second == quote || (first == '\\' && second == '\\') => {
                into.push(second);
                rest = &rest[at + 2..];
            }
            _ => {
                into.push(first);
                rest = &rest[at + 1..];
            }
        }
    }
    into.push_str(rest);
}
