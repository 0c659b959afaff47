//! How the records of a file follow each other: looked at in its head, or stated.

use jiter::Jiter;
use memchr::memchr;
use stillhouse_spec::{Choice, JsonLayout};

use super::records::{Scanner, is_blank};
use crate::byte_mark;
use crate::error::Error;
use crate::place::Start;
use crate::window::Window;

/// So many bytes are looked at, and in any case a first line or a first value.
const SAMPLE_BYTES: usize = 64 << 10;

/// What the head of the object told.
pub(crate) struct Head {
    pub(crate) start: Start,
    pub(crate) layout: Choice<JsonLayout>,
    pub(crate) encoding: Choice<String>,
}

/// Looks at the head; `stated` is not looked for.
pub(crate) fn detect(
    window: &mut Window<'_>,
    stated: Option<JsonLayout>,
    record_bytes_max: usize,
) -> Result<Head, Error> {
    let encoding = byte_mark::encoding(window, "set `encoding = \"utf-16\"` in the source file")?;
    let start = Start { offset: window.offset(), line: 1 };
    let layout = match stated {
        Some(layout) => Choice::set(layout),
        None => Choice::detected(look(window, record_bytes_max)?),
    };
    window.seek(start.offset);
    Ok(Head { start, layout, encoding })
}

/// An object without a record, which nobody sends on purpose.
pub(crate) fn empty(length: u64) -> Error {
    Error::data(
        format!("the object is empty: expected JSON, found {length} bytes and no record"),
        "send the file again; `[]` would be a file of zero rows",
    )
}

fn look(window: &mut Window<'_>, bytes_max: usize) -> Result<JsonLayout, Error> {
    window.ensure(SAMPLE_BYTES)?;
    let first = loop {
        match window.data().iter().position(|byte| !is_blank(*byte)) {
            Some(first) => break first,
            None if window.at_end() => return Ok(JsonLayout::Lines),
            None => {
                let blank = window.data().len();
                window.consume(blank);
                window.more()?;
            }
        }
    };
    if window.data()[first] == b'[' {
        return Ok(JsonLayout::Array);
    }
    // The first line may be longer than the sample.
    while memchr(b'\n', &window.data()[first..]).is_none() && !window.at_end() && window.data().len() <= bytes_max {
        window.more()?;
    }
    let data = &window.data()[first..];
    let whole = if window.at_end() { data.len() } else { data.iter().rposition(|byte| *byte == b'\n').unwrap_or(0) };
    let lines = data[..whole].split(|byte| *byte == b'\n').filter(|line| !line.iter().copied().all(is_blank));
    let (alone, all) = lines.fold((0, 0), |(alone, all), line| (alone + usize::from(stands_alone(line)), all + 1));
    let is_lines = alone * 2 >= all && (alone > 0 || !begins_value(data));
    Ok(if is_lines { JsonLayout::Lines } else { JsonLayout::Values })
}

/// Whether a value begins here that has an end, or at least a second line.
fn begins_value(data: &[u8]) -> bool {
    let mut scanner = Scanner::default();
    scanner.end(data).is_some() || scanner.is_inside()
}

/// Whether the bytes are one value of JSON, and nothing else.
pub(crate) fn stands_alone(bytes: &[u8]) -> bool {
    let mut values = Jiter::new(bytes);
    simdutf8::basic::from_utf8(bytes).is_ok() && values.next_skip().and_then(|()| values.finish()).is_ok()
}
