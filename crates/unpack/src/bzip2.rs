//! Bzip2 files: streams, one behind the other, each of blocks that have a checksum of their own.

use bzip2::{Decompress, Status};

use crate::error::Error;
use crate::format::{Format, Step, Units};

/// `BZh` and the size of blocks.
const MAGIC_BYTES: usize = 4;

/// Packed bytes that are offered at once. Blocks become certain between two steps, so small steps lose less of a file
/// that is damaged behind them.
const STEP_BYTES: usize = 16 << 10;

/// Streams being unpacked.
pub(crate) struct Bzip2 {
    units: Units,
    /// The stream at hand.
    stream: Option<Decompress>,
}

impl Bzip2 {
    pub(crate) fn new() -> Self {
        Self { units: Units::new("bzip2 stream", MAGIC_BYTES), stream: None }
    }
}

fn begins(bytes: &[u8]) -> bool {
    let (letters, size) = bytes.split_at(bytes.len().min(3));
    b"BZh".starts_with(letters) && matches!(size, [] | [b'1'..=b'9'])
}

impl Format for Bzip2 {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        if self.stream.is_none()
            && let Some(step) = self.units.between(input, ended, begins)
        {
            return Ok(step);
        }
        let stream = self.stream.get_or_insert_with(|| Decompress::new(false));
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress(&input[..input.len().min(STEP_BYTES)], output);
        let moved = |from: u64, to: u64| usize::try_from(to - from).expect("no more than the slice has");
        let (taken, made) = (moved(before.0, stream.total_in()), moved(before.1, stream.total_out()));
        let step = match status {
            Err(_) => self.units.damaged("a checksum is wrong, or its packed bytes make no sense"),
            Ok(Status::MemNeeded) => {
                return Err(Error::limit(
                    "a bzip2 stream needs more memory than there is",
                    "give the program more memory",
                ));
            }
            Ok(Status::StreamEnd) => {
                self.stream = None;
                self.units.passed();
                Step::go(0, 0).whole(true)
            }
            Ok(_) if ended && taken == input.len() && made == 0 => self.units.cut(),
            // Room is left, so the library waits for the next block; the checksums of those before were right.
            Ok(_) if made < output.len() => Step::go(0, 0).whole(true),
            Ok(_) => Step::go(0, 0),
        };
        Ok(step.with(taken, made))
    }
}
