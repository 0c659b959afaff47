//! Takes JSON apart, from front to back.
//!
//! What nearly all JSON is looks regular: texts without escapes, numbers of a few digits, and the same names with the same
//! blanks in one object after the other. That is passed over here, many bytes at a time. All else is left to [`jiter`], which
//! decides what is JSON, and says what is wrong with what is not.

use std::ops::Range;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::digits::Digits;
use super::marks::{WIDE, equal, text_ends};
use super::records::is_blank;

/// What is wrong, and at which byte of the record.
pub(super) type Parsed<T> = Result<T, JiterError>;

/// A place in a record.
pub(super) struct Parser<'j> {
    record: &'j str,
    /// The record, and bytes behind it, so that many can be looked at together where it ends.
    whole: &'j [u8],
    /// Nothing from here on is looked at, …
    end: usize,
    /// … and nothing before this byte again.
    at: usize,
    scratch: Scratch,
}

/// Memory for texts with escapes.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    tape: Vec<u8>,
    /// The one that came last.
    text: String,
}

/// What stands in front of a value: the name with its quotes, and commas, colons and blanks around it.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    /// None, if it is not known.
    length: usize,
    bytes: [u8; WIDE],
}

impl Lead {
    /// Not known.
    pub(super) const NONE: Self = Self { length: 0, bytes: [0; WIDE] };

    /// `bytes`: what stands there. It is not known if they are many.
    pub(super) fn learn(&mut self, bytes: &[u8]) {
        *self = Self::NONE;
        if let Some(into) = self.bytes.get_mut(..bytes.len()) {
            into.copy_from_slice(bytes);
            self.length = bytes.len();
        }
    }
}

impl<'j> Parser<'j> {
    /// In front of a record, with which `whole` begins.
    pub(super) fn new(record: &'j str, whole: &'j [u8], scratch: Scratch) -> Self {
        debug_assert!(whole.len() >= record.len());
        Self { record, whole, end: record.len(), at: 0, scratch }
    }

    /// In front of a value of the record, with the bytes `begin..end` and nothing behind it.
    pub(super) fn part(&self, begin: usize, end: usize) -> Self {
        Self { record: self.record, whole: self.whole, end, at: begin, scratch: Scratch::default() }
    }

    /// The byte of the record that comes next.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes of the record and what is behind it.
    #[inline]
    pub(super) fn whole(&self) -> &'j [u8] {
        self.whole
    }

    /// The record from byte `begin` up to here.
    #[inline]
    pub(super) fn since(&self, begin: usize) -> &'j str {
        &self.record[begin..self.at]
    }

    /// A part of the record.
    #[inline]
    pub(super) fn text_at(&self, part: Range<usize>) -> &'j str {
        &self.record[part]
    }

    /// Goes to byte `at`.
    #[inline]
    pub(super) fn go_to(&mut self, at: usize) {
        debug_assert!(at <= self.end);
        self.at = at;
    }

    /// The byte that comes next.
    #[inline]
    pub(super) fn next_byte(&self) -> Option<u8> {
        if self.at < self.end { self.whole.get(self.at).copied() } else { None }
    }

    /// The next byte that is no blank.
    #[inline]
    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            let byte = self.next_byte()?;
            if !is_blank(byte) {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[cold]
    fn wrong<T>(&self, what: JsonErrorType) -> Parsed<T> {
        Err(JiterError { error_type: JiterErrorType::JsonError(what), index: self.at })
    }

    /// Which value comes next.
    #[inline]
    pub(super) fn peek(&mut self) -> Parsed<Peek> {
        match self.skip_blanks() {
            Some(byte) => Ok(Peek::new(byte)),
            None => self.wrong(JsonErrorType::EofWhileParsingValue),
        }
    }

    /// Passes over `lead`, if that comes next.
    #[inline]
    pub(super) fn takes(&mut self, lead: &Lead) -> bool {
        let Some(bytes) = self.whole.get(self.at..).and_then(|rest| rest.first_chunk::<WIDE>()) else { return false };
        let same = equal(bytes, &lead.bytes).trailing_ones() as usize;
        let is_there = lead.length > 0 && same >= lead.length && self.at + lead.length < self.end;
        if is_there {
            self.at += lead.length;
        }
        is_there
    }

    /// Passes over `word`, if that comes next.
    #[inline]
    pub(super) fn takes_word<const N: usize>(&mut self, word: &[u8; N]) -> bool {
        let is_there = self.at + N <= self.end && self.whole[self.at..].first_chunk() == Some(word);
        if is_there {
            self.at += N;
        }
        is_there
    }

    /// Where the text ends that begins with the quote that comes next, if it holds nothing but characters as they are: the
    /// place of the other quote.
    #[inline]
    pub(super) fn plain_text(&self) -> Option<usize> {
        let mut from = self.at + 1;
        let found = loop {
            let Some(bytes) = self.whole.get(from..).and_then(|rest| rest.first_chunk::<WIDE>()) else {
                break self.plain_text_slowly(from)?;
            };
            let ends = text_ends(bytes);
            if ends != 0 {
                break from + ends.trailing_zeros() as usize;
            }
            from += WIDE;
        };
        (found < self.end && self.whole[found] == b'"').then_some(found)
    }

    /// The same where few bytes are left, behind the first ones: the first byte that is special.
    fn plain_text_slowly(&self, from: usize) -> Option<usize> {
        let rest = self.whole.get(from..self.end)?;
        rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).map(|at| from + at)
    }

    /// Lets jiter look at what comes next, and goes on behind it.
    fn by_jiter<T>(&mut self, look: impl FnOnce(&mut Jiter<'_>, &mut Scratch) -> Parsed<T>) -> Parsed<T> {
        let rest = &self.whole[self.at..self.end];
        let mut jiter = Jiter::with_tape(rest, std::mem::take(&mut self.scratch.tape));
        let looked = look(&mut jiter, &mut self.scratch);
        let passed = jiter.current_index();
        self.scratch.tape = jiter.into_tape();
        let value = looked.map_err(|error| JiterError { index: self.at + error.index, ..error })?;
        self.at += passed;
        Ok(value)
    }

    /// The text that was peeked at.
    #[inline]
    pub(super) fn text(&mut self) -> Parsed<&str> {
        let Some(end) = self.plain_text() else { return self.escaped_text() };
        let text = &self.record[self.at + 1..end];
        self.at = end + 1;
        Ok(text)
    }

    /// The same for a text with escapes, or what is none.
    #[inline(never)]
    fn escaped_text(&mut self) -> Parsed<&str> {
        self.by_jiter(|jiter, scratch| {
            let text = jiter.known_str()?;
            scratch.text.clear();
            scratch.text.push_str(text);
            Ok(())
        })?;
        Ok(&self.scratch.text)
    }

    /// The number that was peeked at, as it is written; or what else begins with no bracket, quote or letter that says what
    /// it is.
    #[inline]
    pub(super) fn number(&mut self) -> Parsed<&'j str> {
        let begin = self.at;
        match self.digits() {
            Some(digits) => self.at += digits.length(),
            None => self.by_jiter(|jiter, _| jiter.next_number_bytes().map(drop))?,
        }
        Ok(self.since(begin))
    }

    /// The number that comes next, if it is one of few digits and without an exponent.
    #[inline]
    pub(super) fn digits(&self) -> Option<Digits<'j>> {
        Digits::of(self.whole.get(self.at..)?).filter(|digits| self.at + digits.length() < self.end)
    }

    /// The truth value that was peeked at.
    pub(super) fn truth(&mut self, peek: Peek) -> Parsed<bool> {
        if self.takes_word(b"true") {
            return Ok(true);
        }
        if self.takes_word(b"false") {
            return Ok(false);
        }
        self.by_jiter(|jiter, _| jiter.known_bool(peek))
    }

    /// The `null` that was peeked at.
    pub(super) fn null(&mut self) -> Parsed<()> {
        if self.takes_word(b"null") {
            return Ok(());
        }
        self.by_jiter(|jiter, _| jiter.known_null())
    }

    /// Passes over the value that was peeked at.
    pub(super) fn skip(&mut self, peek: Peek) -> Parsed<()> {
        match peek {
            Peek::String if let Some(end) = self.plain_text() => {
                self.at = end + 1;
                Ok(())
            }
            Peek::Null => self.null(),
            Peek::True | Peek::False => self.truth(peek).map(drop),
            _ => self.by_jiter(|jiter, _| jiter.known_skip(peek)),
        }
    }

    /// Passes over the bracket that was peeked at, and peeks at the first item.
    #[inline]
    pub(super) fn first_item(&mut self) -> Parsed<Option<Peek>> {
        self.at += 1;
        match self.skip_blanks() {
            Some(b']') => self.closed(),
            Some(byte) => Ok(Some(Peek::new(byte))),
            None => self.wrong(JsonErrorType::EofWhileParsingList),
        }
    }

    /// Peeks at the item behind the one that was read.
    #[inline]
    pub(super) fn next_item(&mut self) -> Parsed<Option<Peek>> {
        match self.skip_blanks() {
            Some(b',') => {
                self.at += 1;
                match self.skip_blanks() {
                    Some(b']') => self.wrong(JsonErrorType::TrailingComma),
                    Some(byte) => Ok(Some(Peek::new(byte))),
                    None => self.wrong(JsonErrorType::EofWhileParsingValue),
                }
            }
            Some(b']') => self.closed(),
            Some(_) => self.wrong(JsonErrorType::ExpectedListCommaOrEnd),
            None => self.wrong(JsonErrorType::EofWhileParsingList),
        }
    }

    /// Passes over the bracket that was peeked at.
    #[inline]
    pub(super) fn open(&mut self) {
        self.at += 1;
    }

    /// The name of the first field of an object, and up to behind the colon.
    pub(super) fn first_name(&mut self) -> Parsed<Option<&str>> {
        match self.skip_blanks() {
            Some(b'"') => self.name().map(Some),
            Some(b'}') => self.closed(),
            Some(_) => self.wrong(JsonErrorType::KeyMustBeAString),
            None => self.wrong(JsonErrorType::EofWhileParsingObject),
        }
    }

    /// The name of the field behind the value that was read.
    pub(super) fn next_name(&mut self) -> Parsed<Option<&str>> {
        match self.skip_blanks() {
            Some(b',') => {
                self.at += 1;
                match self.skip_blanks() {
                    Some(b'"') => self.name().map(Some),
                    Some(b'}') => self.wrong(JsonErrorType::TrailingComma),
                    Some(_) => self.wrong(JsonErrorType::KeyMustBeAString),
                    None => self.wrong(JsonErrorType::EofWhileParsingValue),
                }
            }
            Some(b'}') => self.closed(),
            Some(_) => self.wrong(JsonErrorType::ExpectedObjectCommaOrEnd),
            None => self.wrong(JsonErrorType::EofWhileParsingObject),
        }
    }

    /// A name and the colon behind it.
    fn name(&mut self) -> Parsed<&str> {
        let plain = self.plain_text().map(|end| (self.at + 1, end));
        match plain {
            Some((_, end)) => self.at = end + 1,
            None => _ = self.escaped_text()?,
        }
        match self.skip_blanks() {
            Some(b':') => self.at += 1,
            Some(_) => return self.wrong(JsonErrorType::ExpectedColon),
            None => return self.wrong(JsonErrorType::EofWhileParsingObject),
        }
        Ok(plain.map_or(&self.scratch.text[..], |(begin, end)| &self.record[begin..end]))
    }

    #[inline]
    fn closed<T>(&mut self) -> Parsed<Option<T>> {
        self.at += 1;
        Ok(None)
    }

    /// Nothing may follow.
    pub(super) fn finish(&mut self) -> Parsed<()> {
        match self.skip_blanks() {
            None => Ok(()),
            Some(_) => self.wrong(JsonErrorType::TrailingCharacters),
        }
    }

    /// What the next parser can use.
    pub(super) fn into_scratch(self) -> Scratch {
        self.scratch
    }
}
