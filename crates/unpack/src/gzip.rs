//! Gzip files (RFC 1952): members, one behind the other.

use flate2::Crc;

use crate::error::Error;
use crate::format::{Format, Step, Units, u16_le, u32_le};
use crate::inflate::{Inflate, Inflated};

/// ID1, ID2, CM, FLG, MTIME, XFL, OS.
const HEADER_BYTES: usize = 10;
/// CRC32 and ISIZE.
const TRAILER_BYTES: usize = 8;

/// A checksum of the header stands behind it.
const FHCRC: u8 = 1 << 1;
/// A field of up to 65,535 bytes follows.
const FEXTRA: u8 = 1 << 2;
/// The name of the file follows, up to a NUL.
const FNAME: u8 = 1 << 3;
/// A comment follows, up to a NUL.
const FCOMMENT: u8 = 1 << 4;
/// A reader that does not know them must not go on.
const RESERVED: u8 = 0b1110_0000;

/// Members being unpacked.
pub(crate) struct Gzip {
    units: Units,
    state: State,
    inflate: Inflate,
    /// Of the header at first, then of the content.
    crc: Crc,
}

enum State {
    Between,
    /// The optional fields that are still to come, as bits of FLG.
    Fields(u8),
    /// Bytes of the extra field to be passed, before the fields of the second.
    Extra(usize, u8),
    Body,
    Trailer,
}

impl Gzip {
    pub(crate) fn new() -> Self {
        let units = Units::new("gzip member", 2);
        Self { units, state: State::Between, inflate: Inflate::new(), crc: Crc::new() }
    }

    fn between(&mut self, input: &[u8], ended: bool) -> Step {
        let magic = |bytes: &[u8]| [0x1F, 0x8B].starts_with(bytes);
        if let Some(step) = self.units.between(input, ended, magic) {
            return step;
        }
        let Some(header) = input.get(..HEADER_BYTES) else {
            return self.short(HEADER_BYTES, ended);
        };
        let flags = header[3];
        if header[2] != 8 {
            return self.units.damaged("its method is not deflate");
        }
        if flags & RESERVED != 0 {
            return self.units.damaged("its header has reserved bits");
        }
        self.crc.reset();
        self.crc.update(header);
        self.state = State::Fields(flags);
        Step::go(HEADER_BYTES, 0)
    }

    fn short(&self, wanted: usize, ended: bool) -> Step {
        if ended { self.units.cut() } else { Step::want(wanted) }
    }

    fn fields(&mut self, flags: u8, input: &[u8], ended: bool) -> Step {
        if flags & (FEXTRA | FHCRC | FNAME | FCOMMENT) == 0 {
            self.crc.reset();
            self.inflate.reset();
            self.state = State::Body;
            return Step::go(0, 0);
        }
        if flags & FEXTRA == 0 && flags & (FNAME | FCOMMENT) != 0 {
            return self.text(flags, input, ended);
        }
        let Some(field) = input.get(..2) else {
            return self.short(2, ended);
        };
        if flags & FEXTRA != 0 {
            self.crc.update(field);
            self.state = State::Extra(usize::from(u16_le(field)), flags & !FEXTRA);
        } else if u32::from(u16_le(field)) == self.crc.sum() & 0xFFFF {
            self.state = State::Fields(flags & !FHCRC);
        } else {
            return self.units.damaged("the checksum of its header is wrong");
        }
        Step::go(2, 0)
    }

    /// Passes a name or a comment, which may be as long as the file.
    fn text(&mut self, flags: u8, input: &[u8], ended: bool) -> Step {
        if input.is_empty() {
            return self.short(1, ended);
        }
        let end = input.iter().position(|byte| *byte == 0);
        let taken = end.map_or(input.len(), |end| end + 1);
        self.crc.update(&input[..taken]);
        if end.is_some() {
            let passed = if flags & FNAME != 0 { FNAME } else { FCOMMENT };
            self.state = State::Fields(flags & !passed);
        }
        Step::go(taken, 0)
    }

    fn extra(&mut self, left: usize, flags: u8, input: &[u8], ended: bool) -> Step {
        if left > 0 && input.is_empty() {
            return self.short(1, ended);
        }
        let taken = left.min(input.len());
        self.crc.update(&input[..taken]);
        self.state = if taken == left { State::Fields(flags) } else { State::Extra(left - taken, flags) };
        Step::go(taken, 0)
    }

    fn body(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Step {
        let (taken, made, state) = self.inflate.inflate(input, output);
        self.crc.update(&output[..made]);
        match state {
            Inflated::Damaged => self.units.damaged("its packed bytes make no sense"),
            // What was held back for want of room comes out without further input, so only a step of nothing is the end.
            Inflated::Going if ended && taken == input.len() && made == 0 => self.units.cut(),
            Inflated::Going => Step::go(0, 0),
            Inflated::End => {
                self.state = State::Trailer;
                Step::go(0, 0)
            }
        }
        .with(taken, made)
    }

    fn trailer(&mut self, input: &[u8], ended: bool) -> Step {
        let Some(trailer) = input.get(..TRAILER_BYTES) else {
            return self.short(TRAILER_BYTES, ended);
        };
        if u32_le(trailer) != self.crc.sum() {
            return self.units.damaged("its checksum does not fit its content");
        }
        // Both are the length modulo 2^32.
        if u32_le(&trailer[4..]) != self.crc.amount() {
            return self.units.damaged("its length does not fit its content");
        }
        self.units.passed();
        self.state = State::Between;
        Step::go(TRAILER_BYTES, 0).whole(true)
    }
}

impl Format for Gzip {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        Ok(match self.state {
            State::Between => self.between(input, ended),
            State::Fields(flags) => self.fields(flags, input, ended),
            State::Extra(left, flags) => self.extra(left, flags, input, ended),
            State::Body => self.body(input, ended, output),
            State::Trailer => self.trailer(input, ended),
        })
    }
}
