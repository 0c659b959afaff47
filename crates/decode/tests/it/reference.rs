//! The rules once more, byte by byte, without windows, pieces, regions or short cuts: what each byte of an object belongs to.

/// How an object is to be read, all of it stated.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub backslash: bool,
    pub comment: Option<u8>,
    pub skip_lines: u64,
    /// The first record that can be read is the header.
    pub header: bool,
    /// A longer record is refused.
    pub limit: u64,
    /// Fields of a record; `None`: any number.
    pub width: Option<usize>,
}

/// What some bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Byte order mark, line to be skipped, comment.
    Outside,
    Header,
    Blank,
    /// Its fields as texts.
    Record(Vec<Vec<u8>>),
    /// Why.
    Refused(&'static str),
}

/// Consecutive bytes. Parts follow each other without a gap from the first byte of an object to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: Kind,
    pub offset: usize,
    /// Physical line, from 1.
    pub line: u64,
    /// Behind the last byte, without a line end …
    pub end: usize,
    /// … and with it.
    pub next: usize,
}

impl Part {
    /// Whether it has a number.
    pub fn is_read(&self) -> bool {
        !matches!(self.kind, Kind::Outside | Kind::Header)
    }

    pub fn bytes(&self) -> u64 {
        (self.end - self.offset) as u64
    }
}

/// Reads an object.
pub fn read(bytes: &[u8], rules: Rules) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut at, mut line) = (0, 1);
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        parts.push(Part { kind: Kind::Outside, offset: 0, line, end: 3, next: 3 });
        at = 3;
    }
    let (mut skip, mut header) = (rules.skip_lines, rules.header);
    while at < bytes.len() {
        let (kind, end) = if skip > 0 {
            skip -= 1;
            (Kind::Outside, line_end(bytes, at))
        } else if rules.comment == Some(bytes[at]) {
            (Kind::Outside, line_end(bytes, at))
        } else {
            record(bytes, at, rules, &mut header)
        };
        let next = next_line(bytes, end);
        parts.push(Part { kind, offset: at, line, end, next });
        line += line_ends(&bytes[at..next]);
        at = next;
    }
    parts
}

/// The record at `at`, and where it ends.
fn record(bytes: &[u8], at: usize, rules: Rules, header: &mut bool) -> (Kind, usize) {
    let (end, fields) = match fields(bytes, at, rules) {
        Ok(found) => found,
        Err(reason) => return (Kind::Refused(reason), line_end(bytes, at)),
    };
    let record = &bytes[at..end];
    let kind = if record.len() as u64 > rules.limit {
        Kind::Refused("too_long")
    } else if record.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        Kind::Blank
    } else if std::mem::take(header) {
        Kind::Header
    } else if std::str::from_utf8(record).is_err() {
        Kind::Refused("invalid_utf8")
    } else if rules.width.is_some_and(|width| width != fields.len()) {
        Kind::Refused("field_count")
    } else {
        Kind::Record(fields)
    };
    (kind, end)
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|at| is_end(bytes[*at])).unwrap_or(bytes.len())
}

fn next_line(bytes: &[u8], end: usize) -> usize {
    if bytes[end..].starts_with(b"\r\n") { end + 2 } else { (end + 1).min(bytes.len()) }
}

fn line_ends(bytes: &[u8]) -> u64 {
    let is_new = |at: &usize| bytes[*at] == b'\r' || (bytes[*at] == b'\n' && (*at == 0 || bytes[at - 1] != b'\r'));
    (0..bytes.len()).filter(is_new).count() as u64
}

/// The end of the record at `at` and its fields, or what is wrong with its quotes.
fn fields(bytes: &[u8], mut at: usize, rules: Rules) -> Result<(usize, Vec<Vec<u8>>), &'static str> {
    let mut fields = Vec::new();
    let ends_field = |at: usize| bytes.get(at).is_none_or(|byte| *byte == rules.delimiter || is_end(*byte));
    loop {
        let mut text = Vec::new();
        match rules.quote.filter(|quote| bytes.get(at) == Some(quote)) {
            Some(quote) => {
                at = quoted(bytes, at + 1, quote, rules.backslash, &mut text)?;
                if !ends_field(at) {
                    return Err("bad_quote");
                }
            }
            None => {
                while !ends_field(at) {
                    text.push(bytes[at]);
                    at += 1;
                }
            }
        }
        fields.push(text);
        if bytes.get(at) != Some(&rules.delimiter) {
            return Ok((at, fields));
        }
        at += 1;
    }
}

/// The place behind the quote that closes a text.
fn quoted(bytes: &[u8], mut at: usize, quote: u8, backslash: bool, text: &mut Vec<u8>) -> Result<usize, &'static str> {
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) => return Err("unterminated_quote"),
            (Some(b'\\'), Some(next)) if backslash && quote != b'\\' => {
                if *next != quote && *next != b'\\' {
                    text.push(b'\\');
                }
                text.push(*next);
                at += 2;
            }
            (Some(byte), Some(next)) if *byte == quote && *next == quote => {
                text.push(quote);
                at += 2;
            }
            (Some(byte), _) if *byte == quote => return Ok(at + 1),
            (Some(byte), _) => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}
