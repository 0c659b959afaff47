//! What the formats have in common: they go forward in steps, and are made of units that stand one behind the other.

use crate::error::Error;
use crate::unpacker::Cause;

/// A packing that is being taken off.
pub(crate) trait Format: Send {
    /// Goes on with the packed bytes at hand; `ended` says that no more will come. `output` is never empty.
    ///
    /// The same bytes are offered again until they are taken, with more behind them if [`Then::Go`] asks for it.
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error>;
}

/// What one step did.
#[derive(Debug)]
pub(crate) struct Step {
    /// Bytes of the input that are done with.
    pub taken: usize,
    /// Bytes at the beginning of the output that were written.
    pub made: usize,
    /// Whether all that was made so far is a whole number of units.
    pub whole: Option<Whole>,
    pub then: Then,
}

/// How sure a whole unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// A checksum was there, and right.
    pub checked: bool,
}

#[derive(Debug)]
pub(crate) enum Then {
    /// On, with at least so many bytes, or all that there are.
    Go(usize),
    /// Nothing is missing.
    End,
    /// It cannot go on.
    Break(Cause, String),
}

impl Step {
    pub(crate) fn go(taken: usize, made: usize) -> Self {
        Self { taken, made, whole: None, then: Then::Go(1) }
    }

    /// Nothing was done, for want of so many bytes.
    pub(crate) fn want(bytes: usize) -> Self {
        Self { taken: 0, made: 0, whole: None, then: Then::Go(bytes) }
    }

    pub(crate) fn end() -> Self {
        Self { taken: 0, made: 0, whole: None, then: Then::End }
    }

    pub(crate) fn broken(cause: Cause, why: impl Into<String>) -> Self {
        Self { taken: 0, made: 0, whole: None, then: Then::Break(cause, why.into()) }
    }

    pub(crate) fn with(self, taken: usize, made: usize) -> Self {
        Self { taken, made, ..self }
    }

    pub(crate) fn whole(self, checked: bool) -> Self {
        Self { whole: Some(Whole { checked }), ..self }
    }
}

/// The place between two units: members of gzip, frames of zstd, streams of bzip2.
#[derive(Debug)]
pub(crate) struct Units {
    /// `gzip member`
    pub name: &'static str,
    /// How many bytes tell whether a unit begins.
    pub magic_bytes: usize,
    seen: bool,
    padding: bool,
}

impl Units {
    pub(crate) fn new(name: &'static str, magic_bytes: usize) -> Self {
        Self { name, magic_bytes, seen: false, padding: false }
    }

    /// What to do between two units; nothing when a unit begins here.
    ///
    /// Zeros up to the end are padding, as tapes and some block stores leave it. `begins` is asked about up to
    /// [`magic_bytes`](Self::magic_bytes), and fewer only at the end.
    pub(crate) fn between(&mut self, input: &[u8], ended: bool, begins: impl Fn(&[u8]) -> bool) -> Option<Step> {
        let name = self.name;
        if input.is_empty() {
            return Some(match (ended, self.seen) {
                (false, _) => Step::want(self.magic_bytes),
                (true, true) => Step::end(),
                (true, false) => Step::broken(Cause::Cut, format!("the file is empty, without a {name}")),
            });
        }
        if self.padding || (self.seen && input[0] == 0) {
            self.padding = true;
            let zeros = input.iter().take_while(|byte| **byte == 0).count();
            let why = || format!("something follows the zeros behind the last {name}");
            return Some(if zeros == 0 { Step::broken(Cause::Follows, why()) } else { Step::go(zeros, 0) });
        }
        if input.len() < self.magic_bytes && !ended {
            return Some(Step::want(self.magic_bytes));
        }
        let begins = begins(&input[..input.len().min(self.magic_bytes)]);
        match (begins, self.seen) {
            (true, _) => None,
            (false, true) => {
                Some(Step::broken(Cause::Follows, format!("something follows the last {name}, and is none")))
            }
            (false, false) => Some(Step::broken(Cause::Damaged, format!("the file does not begin with a {name}"))),
        }
    }

    /// A unit is whole.
    pub(crate) fn passed(&mut self) {
        self.seen = true;
    }

    /// The file ends inside a unit.
    pub(crate) fn cut(&self) -> Step {
        Step::broken(Cause::Cut, format!("the file ends in the middle of a {}", self.name))
    }

    /// The unit is wrong in itself.
    pub(crate) fn damaged(&self, what: &str) -> Step {
        Step::broken(Cause::Damaged, format!("a {} is damaged: {what}", self.name))
    }
}

/// What is not packed.
#[derive(Debug, Default)]
pub(crate) struct Plain;

impl Format for Plain {
    fn step(&mut self, input: &[u8], ended: bool, output: &mut [u8]) -> Result<Step, Error> {
        let count = input.len().min(output.len());
        output[..count].copy_from_slice(&input[..count]);
        Ok(if count == 0 && ended { Step::end() } else { Step::go(count, count).whole(false) })
    }
}

/// The 16 bits at the beginning of `bytes`, which has them.
pub(crate) fn u16_le(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

/// The 32 bits at the beginning of `bytes`, which has them.
pub(crate) fn u32_le(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The 64 bits at the beginning of `bytes`, which has them.
pub(crate) fn u64_le(bytes: &[u8]) -> u64 {
    u64::from(u32_le(bytes)) | u64::from(u32_le(&bytes[4..])) << 32
}
