//! UTF-16, unit by unit.

use super::transcode::Flaw;

/// Bytes that are looked at together: eight units.
const BLOCK_BYTES: usize = 16;

/// A text in UTF-16 that is under way.
#[derive(Debug)]
pub(super) struct Utf16 {
    is_le: bool,
    /// A byte that waits for the other half of its unit.
    half: Option<u8>,
    /// The first half of a pair, which waits for the second.
    high: Option<u16>,
}

impl Utf16 {
    pub(super) fn new(is_le: bool) -> Self {
        Self { is_le, half: None, high: None }
    }

    /// Transcodes `bytes`, which are at `at` in the text, and tells `fault` what stands for no character, and where.
    pub(super) fn push(&mut self, bytes: &[u8], at: u64, out: &mut Vec<u8>, fault: &mut dyn FnMut(u64, Flaw)) {
        let (mut rest, mut at) = (bytes, at);
        if let (Some(half), [first, more @ ..]) = (self.half, rest) {
            self.half = None;
            self.unit(self.number([half, *first]), at - 1, out, fault);
            (rest, at) = (more, at + 1);
        }
        while rest.len() >= 2 {
            if self.high.is_none()
                && let Some((block, behind)) = rest.split_first_chunk::<BLOCK_BYTES>()
                && let Some(ascii) = self.ascii(*block)
            {
                out.extend_from_slice(&ascii);
                (rest, at) = (behind, at + BLOCK_BYTES as u64);
                continue;
            }
            // The whole block goes unit by unit, so that texts of other letters are not looked at twice for each of them.
            let (block, behind) = rest.split_at(rest.len().min(BLOCK_BYTES) / 2 * 2);
            for unit in block.chunks_exact(2) {
                self.unit(self.number([unit[0], unit[1]]), at, out, fault);
                at += 2;
            }
            rest = behind;
        }
        self.half = self.half.or(rest.first().copied());
    }

    /// The text is `at` bytes long.
    pub(super) fn finish(self, at: u64, out: &mut Vec<u8>, fault: &mut dyn FnMut(u64, Flaw)) {
        let odd = u64::from(self.half.is_some());
        if let Some(high) = self.high {
            lone(high, at - odd - 2, out, fault);
        }
        if let Some(half) = self.half {
            out.push(0xFF);
            out.extend_from_slice(format!("{half:02X}").as_bytes());
            fault(at - 1, Flaw::OddByte);
        }
    }

    fn number(&self, unit: [u8; 2]) -> u16 {
        if self.is_le { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) }
    }

    /// A block of units below 128, as bytes.
    fn ascii(&self, block: [u8; BLOCK_BYTES]) -> Option<[u8; BLOCK_BYTES / 2]> {
        // Bits that such units do not have.
        let others = if self.is_le { 0xFF80 } else { 0x80FF_u16 };
        let others = u128::from(others) * 0x0001_0001_0001_0001_0001_0001_0001_0001;
        if u128::from_le_bytes(block) & others != 0 {
            return None;
        }
        let low = usize::from(!self.is_le);
        Some(std::array::from_fn(|at| block[2 * at + low]))
    }

    fn unit(&mut self, unit: u16, at: u64, out: &mut Vec<u8>, fault: &mut dyn FnMut(u64, Flaw)) {
        if let Some(high) = self.high.take() {
            if let (0xDC00..=0xDFFF, Some(Ok(char))) = (unit, char::decode_utf16([high, unit]).next()) {
                return push(char, out);
            }
            lone(high, at - 2, out, fault);
        }
        match unit {
            0xD800..=0xDBFF => self.high = Some(unit),
            0xDC00..=0xDFFF => lone(unit, at, out, fault),
            _ => push(char::from_u32(u32::from(unit)).expect("no surrogate"), out),
        }
    }
}

fn push(char: char, out: &mut Vec<u8>) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Half of a pair as UTF-8 would write it, which is no UTF-8.
fn lone(unit: u16, at: u64, out: &mut Vec<u8>, fault: &mut dyn FnMut(u64, Flaw)) {
    let six = |shift: u32| u8::try_from(unit >> shift & 0x3F).expect("six bits");
    out.extend_from_slice(&[0xED, 0x80 | six(6), 0x80 | six(0)]);
    fault(at, Flaw::LoneSurrogate);
}
