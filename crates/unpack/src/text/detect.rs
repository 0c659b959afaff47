//! The encoding of a text, by its first bytes.

use super::encoding::Encoding;
use super::letters::look_western;

/// How sure a detected encoding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Nothing is claimed. The encoding is UTF-8, under which records that are none are refused one by one.
    Guess,
    /// The bytes would look very different otherwise.
    High,
    /// A byte order mark says so, or all there is is ASCII.
    Certain,
}

/// What [`detect`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// The encoding, under which the text should be read.
    pub encoding: Encoding,
    /// How sure that is.
    pub confidence: Confidence,
}

/// What the first bytes of a text say about its encoding; `is_all` if there are no others. Some 64 KiB are a good head.
///
/// Never answers [`Encoding::Utf16`] or [`Encoding::Latin1`]: the order is known, and Windows-1252 has the same letters.
pub fn detect(head: &[u8], is_all: bool) -> Detected {
    let found = |encoding, confidence| Detected { encoding, confidence };
    match head {
        [0xEF, 0xBB, 0xBF, ..] => return found(Encoding::Utf8Bom, Confidence::Certain),
        // The marks of UTF-32, which is not read.
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return found(Encoding::Utf8, Confidence::Guess),
        [0xFF, 0xFE, ..] => return found(Encoding::Utf16Le, Confidence::Certain),
        [0xFE, 0xFF, ..] => return found(Encoding::Utf16Be, Confidence::Certain),
        _ => {}
    }
    if head.contains(&0) {
        return match utf16(head, is_all) {
            Some(encoding) => found(encoding, Confidence::High),
            None => found(Encoding::Utf8, Confidence::Guess),
        };
    }
    if head.is_ascii() {
        return found(Encoding::Utf8, if is_all { Confidence::Certain } else { Confidence::High });
    }
    if is_utf8(head, is_all) {
        return found(Encoding::Utf8, Confidence::High);
    }
    if !has_controls(head) && !is_mostly_utf8(head) && look_western(head) {
        return found(Encoding::Windows1252, Confidence::High);
    }
    found(Encoding::Utf8, Confidence::Guess)
}

/// UTF-16 without a mark: line ends, delimiters and digits have a zero for their upper half, in any language.
fn utf16(head: &[u8], is_all: bool) -> Option<Encoding> {
    /// Units of ASCII for one that would be ASCII in the other order: characters such as U+2000 are rare.
    const RATIO: usize = 20;
    /// Of 100 units, those that have to be ASCII. A text of any language has more blanks and delimiters than that.
    const PERCENT_MIN: usize = 3;
    if is_all && !head.len().is_multiple_of(2) {
        return None;
    }
    let is_text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7E);
    let (mut le, mut be) = (0, 0);
    for unit in head.chunks_exact(2) {
        match unit {
            [0, 0] => return None,
            [low, 0] if is_text(*low) => le += 1,
            [0, low] if is_text(*low) => be += 1,
            _ => {}
        }
    }
    let units = head.len() / 2;
    let (is_le, most, least) = if le > be { (true, le, be) } else { (false, be, le) };
    if most < 2 || most * 100 < units * PERCENT_MIN || least * RATIO > most {
        return None;
    }
    let number = |unit: &[u8]| {
        if is_le { u16::from_le_bytes([unit[0], unit[1]]) } else { u16::from_be_bytes([unit[0], unit[1]]) }
    };
    let mut chars = char::decode_utf16(head.chunks_exact(2).map(number)).peekable();
    while let Some(char) = chars.next() {
        let fits = match char {
            Ok(char) => !char.is_control() || matches!(char, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}'),
            // The other half of the last one may be cut off.
            Err(_) => !is_all && chars.peek().is_none(),
        };
        if !fits {
            return None;
        }
    }
    Some(if is_le { Encoding::Utf16Le } else { Encoding::Utf16Be })
}

/// Whether the bytes are UTF-8, but for a last character that is cut off.
fn is_utf8(head: &[u8], is_all: bool) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => !is_all && error.error_len().is_none(),
    }
}

/// Whether more characters are UTF-8 than bytes are not: a few bad bytes do not make a text another one.
fn is_mostly_utf8(head: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in head.utf8_chunks() {
        good += chunk.valid().chars().filter(|char| !char.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= bad
}

/// Control characters that no text has.
fn has_controls(head: &[u8]) -> bool {
    head.iter().any(|byte| matches!(byte, 0..=8 | 0x0E..=0x19 | 0x1B..=0x1F | 0x7F))
}
