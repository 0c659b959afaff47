//! Zstandard files (RFC 8878): frames, and frames to be skipped, one behind the other.

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use crate::error::Error;
use crate::format::{Format, Step, Units, u16_le, u32_le, u64_le};
use crate::shown::count;

const FRAME: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// Magic and frame header descriptor.
const DESCRIPTOR_AT: usize = 4;
/// Magic and size of a frame to be skipped.
const SKIPPABLE_HEADER_BYTES: usize = 8;
/// The largest window that the library itself allows on machines of 64 bits; ours is asked for before.
const WINDOW_LOG_MAX: u32 = 31;

/// Frames being unpacked.
pub(crate) struct Zstd {
    units: Units,
    state: State,
    context: DCtx<'static>,
    window_bytes_max: u64,
}

enum State {
    Between,
    /// Bytes of a frame to be skipped that are still to come.
    Skip(u64),
    Frame {
        checked: bool,
    },
}

impl Zstd {
    pub(crate) fn new(window_bytes_max: u64) -> Result<Self, Error> {
        let refused = |_| Error::settings("zstd does not take the limit of its window", "lower the limit");
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(refused)?;
        Ok(Self { units: Units::new("zstd frame", 4), state: State::Between, context, window_bytes_max })
    }

    fn between(&mut self, input: &[u8], ended: bool) -> Result<Step, Error> {
        if let Some(step) = self.units.between(input, ended, begins) {
            return Ok(step);
        }
        let short = |wanted| if ended { self.units.cut() } else { Step::want(wanted) };
        if !FRAME.starts_with(&input[..input.len().min(4)]) {
            let Some(header) = input.get(..SKIPPABLE_HEADER_BYTES) else {
                return Ok(short(SKIPPABLE_HEADER_BYTES));
            };
            self.state = State::Skip(u64::from(u32_le(&header[4..])));
            return Ok(Step::go(SKIPPABLE_HEADER_BYTES, 0));
        }
        let Some(descriptor) = input.get(DESCRIPTOR_AT) else {
            return Ok(short(DESCRIPTOR_AT + 1));
        };
        let descriptor = Descriptor(*descriptor);
        let Some(header) = input.get(DESCRIPTOR_AT + 1..descriptor.header_bytes()) else {
            return Ok(short(descriptor.header_bytes()));
        };
        let dictionary = descriptor.dictionary(header);
        if dictionary != 0 {
            let message = format!("a zstd frame needs the dictionary {dictionary}, which is not in the file");
            return Err(Error::data(message, "pack the file without a dictionary"));
        }
        let window = descriptor.window_bytes(header);
        if window > self.window_bytes_max {
            let (window, max) = (count(window), count(self.window_bytes_max));
            let message = format!("a zstd frame asks for a window of {window} bytes, and {max} are allowed");
            return Err(Error::limit(message, "pack the file without `--long`"));
        }
        self.state = State::Frame { checked: descriptor.has_checksum() };
        // The library reads the header again.
        Ok(Step::go(0, 0))
    }

    fn skip(&mut self, left: u64, input: &[u8], ended: bool) -> Step {
        if left > 0 && input.is_empty() {
            return if ended { self.units.cut() } else { Step::want(1) };
        }
        let taken = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let left = left - taken as u64;
        if left > 0 {
            self.state = State::Skip(left);
            return Step::go(taken, 0);
        }
        self.state = State::Between;
        self.units.passed();
        Step::go(taken, 0).whole(false)
    }

    fn frame(&mut self, checked: bool, input: &[u8], ended: bool, output: &mut [u8]) -> Step {
        let mut packed = InBuffer::around(input);
        let mut unpacked = OutBuffer::around(output);
        let result = self.context.decompress_stream(&mut unpacked, &mut packed);
        let (taken, made) = (packed.pos(), unpacked.pos());
        match result {
            Err(code) => self.units.damaged(&get_error_name(code).to_lowercase()),
            // The library says so only when all of the frame is written out, and its checksum was right.
            Ok(0) => {
                self.state = State::Between;
                self.units.passed();
                Step::go(0, 0).whole(checked)
            }
            Ok(_) if ended && taken == input.len() && made == 0 => self.units.cut(),
            Ok(_) => Step::go(0, 0),
        }
        .with(taken, made)
    }
}

impl Format for Zstd {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        match self.state {
            State::Between => self.between(input, ended),
            State::Skip(left) => Ok(self.skip(left, input, ended)),
            State::Frame { checked } => Ok(self.frame(checked, input, ended, output)),
        }
    }
}

/// Whether a frame begins with these bytes, which are fewer than four only at the end of the file.
fn begins(bytes: &[u8]) -> bool {
    let skippable = match bytes {
        [] => true,
        [first, rest @ ..] => matches!(first, 0x50..=0x5F) && [0x2A, 0x4D, 0x18].starts_with(rest),
    };
    skippable || FRAME.starts_with(bytes)
}

/// The frame header descriptor (RFC 8878, 3.1.1.1.1), which says what the rest of the header is.
#[derive(Clone, Copy)]
struct Descriptor(u8);

impl Descriptor {
    fn is_single_segment(self) -> bool {
        self.0 & 0x20 != 0
    }

    fn has_checksum(self) -> bool {
        self.0 & 0x04 != 0
    }

    fn window_field_bytes(self) -> usize {
        usize::from(!self.is_single_segment())
    }

    fn dictionary_field_bytes(self) -> usize {
        [0, 1, 2, 4][usize::from(self.0 & 3)]
    }

    fn size_field_bytes(self) -> usize {
        match self.0 >> 6 {
            0 => usize::from(self.is_single_segment()),
            power => 1 << power,
        }
    }

    /// Magic and descriptor included.
    fn header_bytes(self) -> usize {
        DESCRIPTOR_AT + 1 + self.window_field_bytes() + self.dictionary_field_bytes() + self.size_field_bytes()
    }

    /// 0 for none; `header` is what stands behind the descriptor.
    fn dictionary(self, header: &[u8]) -> u32 {
        let mut field = [0; 4];
        let bytes = self.dictionary_field_bytes();
        field[..bytes].copy_from_slice(&header[self.window_field_bytes()..][..bytes]);
        u32::from_le_bytes(field)
    }

    /// RFC 8878, 3.1.1.1.2; of a single segment the size of the content.
    fn window_bytes(self, header: &[u8]) -> u64 {
        if !self.is_single_segment() {
            let base = 1_u64 << (10 + (header[0] >> 3));
            return base + base / 8 * u64::from(header[0] & 7);
        }
        let size = &header[self.dictionary_field_bytes()..];
        match size.len() {
            1 => u64::from(size[0]),
            2 => u64::from(u16_le(size)) + 256,
            4 => u64::from(u32_le(size)),
            _ => u64_le(size),
        }
    }
}
