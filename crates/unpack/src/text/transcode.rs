//! From other encodings to UTF-8.

use encoding_rs::{WINDOWS_1252, mem::convert_latin1_to_utf8_partial};

use super::encoding::Encoding;
use super::utf16::Utf16;
use crate::error::Error;

/// UTF-8 bytes that the library is given room for at once.
const ROOM_BYTES: usize = 8 << 10;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_LE_MARK: &[u8] = &[0xFF, 0xFE];
const UTF16_BE_MARK: &[u8] = &[0xFE, 0xFF];

/// Makes UTF-8 of a text that comes in chunks, cut anywhere. Memory does not grow with the text.
///
/// **Nothing is lost, and nothing is replaced.** What stands for no character is written as bytes that are no UTF-8, so that
/// whoever reads records refuses the one record in which they are, and keeps it with these bytes:
///
/// | in the text | what is written |
/// |---|---|
/// | half of a surrogate pair in UTF-16 | the three bytes that UTF-8 would have for it if it were allowed (as WTF-8) |
/// | one byte behind the last pair of UTF-16 | `FF`, and the byte as two hexadecimal digits |
/// | a byte without a meaning in Windows-1252 (81, 8D, 8F, 90, 9D) | the byte |
///
/// None of them is ever part of UTF-8, and each says what stood there. [`Transcoded`] counts them. UTF-8 passes as it is.
#[derive(Debug)]
pub struct Transcoder {
    encoding: Encoding,
    engine: Engine,
    /// The first bytes, while they could still be a byte order mark.
    head: Vec<u8>,
    bytes_in: u64,
    bytes_out: u64,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Faults {
    count: u64,
    first: Option<Fault>,
}

impl Faults {
    fn add(&mut self, offset: u64, flaw: Flaw) {
        self.count += 1;
        self.first.get_or_insert(Fault { offset, flaw });
    }
}

#[derive(Debug)]
enum Engine {
    /// The byte order mark has not been seen or missed yet.
    Undecided,
    Same,
    Latin1,
    Windows1252,
    Utf16(Utf16),
}

/// What stands for no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Half of a pair of UTF-16, without the other one.
    LoneSurrogate,
    /// One byte at the end of UTF-16, where two make a character.
    OddByte,
    /// A byte that Windows-1252 has no character for.
    Undefined,
}

/// The first thing that stands for no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Where it is in the text that was transcoded, in bytes.
    pub offset: u64,
    /// What it is.
    pub flaw: Flaw,
}

/// The account of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcoded {
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that went out.
    pub bytes_out: u64,
    /// How often something stood for no character.
    pub faults: u64,
    /// The first of them.
    pub first: Option<Fault>,
}

impl Transcoder {
    /// From `encoding` to UTF-8.
    pub fn new(encoding: Encoding) -> Self {
        let engine = match encoding {
            Encoding::Utf8 => Engine::Same,
            Encoding::Windows1252 => Engine::Windows1252,
            Encoding::Latin1 => Engine::Latin1,
            Encoding::Utf8Bom | Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => Engine::Undecided,
        };
        Self { encoding, engine, head: Vec::new(), bytes_in: 0, bytes_out: 0, faults: Faults::default() }
    }

    /// Transcodes the next bytes, and puts what comes of them behind what `out` has: up to three bytes for one.
    ///
    /// # Errors
    ///
    /// The byte order mark says something else than the encoding, or is missing where only it tells the order.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if !matches!(self.engine, Engine::Undecided) {
            self.transcode(bytes, out);
            return Ok(());
        }
        let wanted = if self.encoding == Encoding::Utf8Bom { 3 } else { 2 };
        let (first, rest) = bytes.split_at(bytes.len().min(wanted - self.head.len()));
        self.head.extend_from_slice(first);
        if self.head.len() == wanted {
            self.decide(out)?;
            self.transcode(rest, out);
        }
        Ok(())
    }

    /// The text is at its end.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), for a text shorter than a byte order mark.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Transcoded, Error> {
        if matches!(self.engine, Engine::Undecided) {
            self.decide(out)?;
        }
        let start = out.len();
        if let Engine::Utf16(utf16) = std::mem::replace(&mut self.engine, Engine::Same) {
            utf16.finish(self.bytes_in, out, &mut |offset, flaw| self.faults.add(offset, flaw));
        }
        self.bytes_out += (out.len() - start) as u64;
        Ok(Transcoded {
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            faults: self.faults.count,
            first: self.faults.first,
        })
    }

    /// Looks at the first bytes, which are fewer than a mark only if the text is.
    fn decide(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let head = std::mem::take(&mut self.head);
        let marked_le = head == UTF16_LE_MARK;
        let marked_be = head == UTF16_BE_MARK;
        let engine = match self.encoding {
            Encoding::Utf16 if marked_le || marked_be => Engine::Utf16(Utf16::new(marked_le)),
            // An empty text has no order.
            Encoding::Utf16 if head.is_empty() => Engine::Same,
            Encoding::Utf16 => {
                let hint = "write `utf-16le` (as Windows does) or `utf-16be`";
                return Err(Error::settings(
                    "the text has no byte order mark, and utf-16 does not tell the order",
                    hint,
                ));
            }
            Encoding::Utf16Le if marked_be => return Err(contradiction("utf-16le", "utf-16be")),
            Encoding::Utf16Be if marked_le => return Err(contradiction("utf-16be", "utf-16le")),
            Encoding::Utf16Le => Engine::Utf16(Utf16::new(true)),
            Encoding::Utf16Be => Engine::Utf16(Utf16::new(false)),
            Encoding::Utf8 | Encoding::Utf8Bom | Encoding::Windows1252 | Encoding::Latin1 => Engine::Same,
        };
        self.engine = engine;
        let is_mark = marked_le || marked_be || (self.encoding == Encoding::Utf8Bom && head == UTF8_MARK);
        if is_mark {
            self.bytes_in += head.len() as u64;
        } else {
            self.transcode(&head, out);
        }
        Ok(())
    }

    fn transcode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let (start, at) = (out.len(), self.bytes_in);
        let faults = &mut self.faults;
        match &mut self.engine {
            Engine::Undecided => unreachable!("the head was looked at"),
            Engine::Same => out.extend_from_slice(bytes),
            Engine::Latin1 => latin1(bytes, out),
            Engine::Windows1252 => windows1252(bytes, at, out, faults),
            Engine::Utf16(utf16) => utf16.push(bytes, at, out, &mut |offset, flaw| faults.add(offset, flaw)),
        }
        self.bytes_in += bytes.len() as u64;
        self.bytes_out += (out.len() - start) as u64;
    }
}

/// Whether Windows-1252 has nothing for the byte.
pub(super) fn is_undefined(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

fn contradiction(set: &str, found: &str) -> Error {
    let message = format!("the encoding is set to {set}, and the byte order mark of the text says {found}");
    Error::settings(message, "write `utf-16`, which follows the mark")
}

fn latin1(mut bytes: &[u8], out: &mut Vec<u8>) {
    while !bytes.is_empty() {
        let start = out.len();
        out.resize(start + ROOM_BYTES.min(bytes.len() * 2).max(2), 0);
        let (read, written) = convert_latin1_to_utf8_partial(bytes, &mut out[start..]);
        out.truncate(start + written);
        bytes = &bytes[read..];
    }
}

fn windows1252(mut bytes: &[u8], mut at: u64, out: &mut Vec<u8>, faults: &mut Faults) {
    while !bytes.is_empty() {
        let known = bytes.iter().position(|byte| is_undefined(*byte)).unwrap_or(bytes.len());
        // The library has control characters for the others, as browsers do.
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(&bytes[..known]);
        out.extend_from_slice(text.as_bytes());
        if let Some(byte) = bytes.get(known) {
            out.push(*byte);
            faults.add(at + known as u64, Flaw::Undefined);
        }
        let done = bytes.len().min(known + 1);
        (bytes, at) = (&bytes[done..], at + done as u64);
    }
}
