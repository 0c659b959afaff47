//! What was taken off files before their records could be seen, and texts that are no UTF-8.

use stillhouse_spec::TextEncoding;
use stillhouse_unpack::{Confidence, Detected, Encoding};

use crate::api::{Input, Notes, Place, Wrapping};
use crate::error::Error;
use crate::text::count;

/// So many bytes tell whether a text is UTF-8.
const HEAD_BYTES: usize = 64 << 10;

/// The encoding in which files are read that are no UTF-8 and do not say what they are.
const OTHER: TextEncoding = TextEncoding::Windows1252;

/// Says what the files are packed in, and how their text is encoded.
pub(crate) fn tell(inputs: &[Input<'_>], wrappings: &[Wrapping], set: TextEncoding, notes: &mut Notes) {
    for (input, wrapping) in inputs.iter().zip(wrappings) {
        let about = |what: &str| match inputs {
            [_] => what.to_owned(),
            _ => format!("{what} of {}", input.shown),
        };
        if let Some(packing) = &wrapping.packing {
            let stored = count(wrapping.stored_bytes);
            let text = match input.member.as_str() {
                "" => format!("{packing}, as its first bytes say; packed it has {stored} bytes"),
                _ => format!("{packing}: a member of an archive of {stored} bytes"),
            };
            notes.found(Place::Path, about("packing"), text);
        }
        if let (TextEncoding::Auto, Some(found)) = (set, wrapping.encoding) {
            detected(found, about("encoding"), notes);
        }
    }
    if set != TextEncoding::Auto {
        let name = Encoding::Windows1252;
        let text = format!(
            "{} is not UTF-8, and its beginning does not say what else. Read as {name}, the usual one; but any bytes \
             can be read so: see that names and places are spelt right, or convert the file to UTF-8",
            if inputs.len() == 1 { "the text" } else { "a text" }
        );
        notes.doubt(Place::Encoding, "encoding", text);
    }
}

fn detected(Detected { encoding, confidence }: Detected, about: String, notes: &mut Notes) {
    let text = match (encoding, confidence) {
        (Encoding::Utf8Bom, _) => return notes.found(Place::Encoding, about, "utf-8 with a byte order mark"),
        (Encoding::Utf8, Confidence::Guess) => {
            let text = "utf-8, for lack of a better guess: records that are none are refused";
            return notes.found(Place::Encoding, about, text);
        }
        (Encoding::Utf8, _) => return notes.found(Place::Encoding, about, "utf-8"),
        (Encoding::Windows1252, _) => {
            "windows-1252, detected as it will be when it is loaded: the bytes are no UTF-8, and read so they are letters \
             where words have them"
                .to_owned()
        }
        (other, Confidence::Certain) => format!("{other}: a byte order mark says so"),
        (other, _) => format!("{other}, detected as it will be when it is loaded: half of the bytes of its letters are zero"),
    };
    notes.remark(Place::Encoding, about, text);
}

/// The encoding of a file as settings call it.
pub(crate) fn name(wrapping: &Wrapping, set: TextEncoding) -> Option<&'static str> {
    match (set, wrapping.encoding) {
        (TextEncoding::Auto, Some(Detected { encoding: Encoding::Utf8Bom, .. })) => Some(Encoding::Utf8.name()),
        (TextEncoding::Auto, found) => found.map(|found| found.encoding.name()),
        _ => Some(Encoding::Windows1252.name()),
    }
}

/// The files once more, in another encoding; `error` says which of them is not UTF-8.
///
/// # Errors
/// Another one of them is UTF-8, or UTF-16: no source has files of several encodings unless each tells its own.
pub(crate) fn other<'i>(inputs: &'i [Input<'_>], error: Error) -> Result<(TextEncoding, Vec<Input<'i>>), Error> {
    for input in inputs {
        if let Some(encoding) = own(input)? {
            let hint = format!(
                "convert the others to UTF-8, or load them by a source of their own: `{}` is {encoding}",
                input.shown
            );
            return Err(error.with_hint(hint));
        }
    }
    Ok((OTHER, inputs.iter().map(|input| input.again(Some(OTHER))).collect()))
}

/// The encoding that a file has beyond doubt, and that is not the other one.
fn own(input: &Input<'_>) -> Result<Option<Encoding>, Error> {
    let opened = (input.open)(TextEncoding::Auto).map_err(|why| Error::unopened(&input.shown, why))?;
    let mut bytes = opened.bytes;
    match opened.wrapping.encoding {
        Some(Detected { encoding: encoding @ (Encoding::Utf16Le | Encoding::Utf16Be | Encoding::Utf8Bom), .. }) => {
            Ok(Some(encoding))
        }
        Some(Detected { encoding: Encoding::Utf8, confidence }) if confidence > Confidence::Guess => {
            let mut head = vec![0; HEAD_BYTES];
            let count = bytes.read_at(0, &mut head).map_err(|error| Error::source(&input.shown, &error))?;
            Ok((!head[..count].is_ascii()).then_some(Encoding::Utf8))
        }
        _ => Ok(None),
    }
}
