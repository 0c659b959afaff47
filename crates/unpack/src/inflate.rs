//! Deflate (RFC 1951), as it stands in gzip files and zip archives, and its larger brother.

use deflate64::InflaterManaged;
use flate2::{Decompress, FlushDecompress, Status};

use crate::error::Error;
use crate::format::{Format, Step};
use crate::unpacker::Cause;

/// One stream of deflate.
pub(crate) struct Inflate(Decompress);

/// How far a call came.
pub(crate) enum Inflated {
    Going,
    End,
    Damaged,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self(Decompress::new(false))
    }

    /// Ready for the next stream.
    pub(crate) fn reset(&mut self) {
        self.0.reset(false);
    }

    /// Bytes taken, bytes made, and whether there is more.
    pub(crate) fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, Inflated) {
        let before = (self.0.total_in(), self.0.total_out());
        let state = match self.0.decompress(input, output, FlushDecompress::None) {
            Ok(Status::StreamEnd) => Inflated::End,
            Ok(Status::Ok | Status::BufError) => Inflated::Going,
            Err(_) => Inflated::Damaged,
        };
        let moved = |from: u64, to: u64| usize::try_from(to - from).expect("no more than the slice has");
        (moved(before.0, self.0.total_in()), moved(before.1, self.0.total_out()), state)
    }
}

impl Format for Inflate {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        let (taken, made, state) = self.inflate(input, output);
        Ok(deflated(input.len(), ended, taken, made, &state))
    }
}

/// One stream of Deflate64 (APPNOTE.TXT 4.4.5, method 9), which Windows uses for members beyond 2 GB.
pub(crate) struct Inflate64(Box<InflaterManaged>);

impl Inflate64 {
    pub(crate) fn new() -> Self {
        Self(Box::new(InflaterManaged::new()))
    }
}

impl Format for Inflate64 {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        let result = self.0.inflate(input, output);
        let state = match (result.data_error || self.0.errored(), self.0.finished()) {
            (true, _) => Inflated::Damaged,
            (false, true) if self.0.available_output() == 0 => Inflated::End,
            (false, _) => Inflated::Going,
        };
        Ok(deflated(input.len(), ended, result.bytes_consumed, result.bytes_written, &state))
    }
}

fn deflated(input: usize, ended: bool, taken: usize, made: usize, state: &Inflated) -> Step {
    match state {
        Inflated::End => Step::end(),
        Inflated::Damaged => Step::broken(Cause::Damaged, "its packed bytes are damaged"),
        // What was held back for want of room comes out without further input, so only a step of nothing is the end.
        Inflated::Going if ended && taken == input && made == 0 => {
            Step::broken(Cause::Cut, "its packed bytes end too early")
        }
        Inflated::Going => Step::go(0, 0),
    }
    .with(taken, made)
}
