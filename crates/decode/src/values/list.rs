//! Lists inside one field.

use std::ops::Range;

use memchr::memchr2;
use stillhouse_spec::ListSyntax;

use crate::columns::{Column, Lists};
use crate::reason;
use crate::values::{Reader, Refusal, json, trim};

const UNREADABLE: Refusal = Refusal::Because(reason::UNREADABLE_LIST);

/// An item as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A text, without its quotes and escapes, or a number or truth value.
    Text(&'a str),
    /// `None` or `null`.
    Null,
    /// A JSON array or object.
    Nested(&'a str),
}

/// Reads the list in `text` and appends it to `column`. After a refusal the column may hold a part of it.
pub(crate) fn append(text: &str, syntax: &ListSyntax, item: &Reader, column: &mut Column) -> Result<(), Refusal> {
    let items = column.items_mut();
    let before = items.len();
    let mut push = |found: Item<'_>| append_item(found, item, items);
    let text = trim(text);
    match syntax {
        ListSyntax::Python => python(text, &mut push)?,
        ListSyntax::Json => json_array(text, &mut push)?,
        ListSyntax::Delimiter(delimiter) if !text.is_empty() => {
            text.split(delimiter.as_str()).try_for_each(|part| push(Item::Text(part)))?;
        }
        ListSyntax::Delimiter(_) => {}
        ListSyntax::Auto if text.starts_with('[') => {
            if let Err(refusal) = python(text, &mut push) {
                if refusal == Refusal::LeapDay {
                    return Err(refusal);
                }
                items.truncate(before);
                json_array(text, &mut |found| append_item(found, item, items))?;
            }
        }
        ListSyntax::Auto if text.is_empty() => {}
        ListSyntax::Auto => push(Item::Text(text))?,
    }
    column.end_list();
    Ok(())
}

/// Whether lists of this column are looked at by [`append_plain`] first.
pub(crate) fn may_be_plain(reader: &Reader) -> bool {
    match reader {
        Reader::List { syntax: ListSyntax::Python | ListSyntax::Auto, item } => matches!(**item, Reader::Text),
        _ => false,
    }
}

/// Appends the list of quoted texts without escapes, as nearly all are, that a part of `whole` is; false, and nothing is
/// appended, if it is another.
pub(crate) fn append_plain(whole: &str, part: Range<usize>, lists: &mut Lists<'_>) -> bool {
    let is_plain = plain_items(whole, part, lists).is_some();
    if is_plain {
        lists.end();
    } else {
        lists.forget();
    }
    is_plain
}

fn plain_items(whole: &str, part: Range<usize>, lists: &mut Lists<'_>) -> Option<()> {
    let bytes = &whole.as_bytes()[..part.end];
    let mut rest = bytes[part.start..].strip_prefix(b"[")?;
    if rest == b"]" {
        return Some(());
    }
    loop {
        let (quote, behind) = rest.split_first()?;
        if !matches!(quote, b'\'' | b'"') {
            return None;
        }
        let length = find_either(behind, *quote, b'\\')?;
        if behind[length] != *quote {
            return None;
        }
        let start = bytes.len() - behind.len();
        lists.item(whole, start..start + length);
        rest = match &behind[length + 1..] {
            b"]" => return Some(()),
            [b',', b' ', next @ ..] | [b',', next @ ..] => next,
            _ => return None,
        };
    }
}

/// The place of the first of two bytes. Items are short, so that setting up a search would take longer than it does: eight
/// bytes are looked at together.
#[inline]
fn find_either(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // The lowest bit that is set belongs to the first byte that is zero; those above may be wrong.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ (ONES * u64::from(one))) | zeros(word ^ (ONES * u64::from(other)));
        if found != 0 {
            return Some(8 * number + found.trailing_zeros() as usize / 8);
        }
    }
    let rest = 8 * words.len();
    bytes[rest..].iter().position(|byte| *byte == one || *byte == other).map(|at| rest + at)
}

fn append_item(found: Item<'_>, reader: &Reader, items: &mut Column) -> Result<(), Refusal> {
    match (found, reader) {
        (Item::Null, _) => {
            items.push_null();
            Ok(())
        }
        (Item::Nested(text), Reader::Json) => reader.append(text, items),
        (Item::Nested(_), _) => Err(UNREADABLE),
        (Item::Text(text), Reader::Text) => {
            items.push_text(text);
            Ok(())
        }
        (Item::Text(text), _) => reader.append(trim(text), items).map_err(|refusal| match refusal {
            Refusal::LeapDay => refusal,
            Refusal::Because(_) => UNREADABLE,
        }),
    }
}

/// Whether `text` is a list in this syntax, whatever its items are.
pub(crate) fn fits(text: &str, syntax: &ListSyntax) -> bool {
    visit(text, syntax, &mut |_| Ok(())).is_ok()
}

/// Shows the items of the list that `text` is in this syntax. After a refusal, some may have been shown.
pub(crate) fn visit(text: &str, syntax: &ListSyntax, push: &mut Push<'_>) -> Result<(), Refusal> {
    match syntax {
        ListSyntax::Python => python(text, push),
        ListSyntax::Json => json_array(text, push),
        ListSyntax::Delimiter(delimiter) if !text.is_empty() => {
            text.split(delimiter.as_str()).try_for_each(|part| push(Item::Text(part)))
        }
        ListSyntax::Auto if text.starts_with('[') => {
            let is_python = python(text, &mut |_| Ok(())).is_ok();
            if is_python { python(text, push) } else { json_array(text, push) }
        }
        ListSyntax::Auto if !text.is_empty() => push(Item::Text(text)),
        ListSyntax::Delimiter(_) | ListSyntax::Auto => Ok(()),
    }
}

/// What is done with each item.
pub(crate) type Push<'p> = dyn FnMut(Item<'_>) -> Result<(), Refusal> + 'p;

/// `['a', "b's", None, 3]`, as Python's `repr` writes it. Escapes that `repr` never writes are refused, so that a JSON
/// text is not misread.
fn python(text: &str, push: &mut Push<'_>) -> Result<(), Refusal> {
    let mut rest = skip_blanks(text.strip_prefix('[').ok_or(UNREADABLE)?);
    let mut scratch = String::new();
    loop {
        if let Some(behind) = rest.strip_prefix(']') {
            return if behind.is_empty() { Ok(()) } else { Err(UNREADABLE) };
        }
        rest = match rest.as_bytes().first() {
            Some(quote @ (b'\'' | b'"')) => python_text(&rest[1..], *quote, &mut scratch, push)?,
            _ => python_word(rest, push)?,
        };
        rest = skip_blanks(rest);
        match rest.strip_prefix(',') {
            Some(behind) => rest = skip_blanks(behind),
            None if rest.starts_with(']') => {}
            None => return Err(UNREADABLE),
        }
    }
}

/// Blanks and line ends between items are skipped.
#[inline]
fn skip_blanks(text: &str) -> &str {
    text.trim_ascii_start()
}

/// A quoted text; what stands behind its closing quote is given back.
fn python_text<'t>(text: &'t str, quote: u8, scratch: &mut String, push: &mut Push<'_>) -> Result<&'t str, Refusal> {
    scratch.clear();
    let mut rest = text;
    loop {
        let at = memchr2(quote, b'\\', rest.as_bytes()).ok_or(UNREADABLE)?;
        if rest.as_bytes()[at] == quote {
            if scratch.is_empty() {
                push(Item::Text(&rest[..at]))?;
            } else {
                scratch.push_str(&rest[..at]);
                push(Item::Text(scratch))?;
            }
            return Ok(&rest[at + 1..]);
        }
        scratch.push_str(&rest[..at]);
        let (char, length) = python_escape(&rest[at + 1..]).ok_or(UNREADABLE)?;
        scratch.push(char);
        rest = &rest[at + 1 + length..];
    }
}

/// The character that an escape stands for, and the length of what stands behind the backslash.
fn python_escape(text: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = text.get(1..=digits).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, digits + 1))
    };
    match text.as_bytes().first()? {
        b'\\' => Some(('\\', 1)),
        b'\'' => Some(('\'', 1)),
        b'"' => Some(('"', 1)),
        b'n' => Some(('\n', 1)),
        b'r' => Some(('\r', 1)),
        b't' => Some(('\t', 1)),
        b'x' => hex(2),
        b'u' => hex(4),
        b'U' => hex(8),
        _ => None,
    }
}

/// A number, `True`, `False` or `None`.
fn python_word<'t>(text: &'t str, push: &mut Push<'_>) -> Result<&'t str, Refusal> {
    let end = text.find([',', ']']).ok_or(UNREADABLE)?;
    let word = text[..end].trim_end();
    match word {
        "None" => push(Item::Null)?,
        "True" | "False" => push(Item::Text(word))?,
        _ if is_number(word) => push(Item::Text(word))?,
        _ => return Err(UNREADABLE),
    }
    Ok(&text[end..])
}

fn is_number(word: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.');
    word.as_bytes().first().is_some_and(begins) && word.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A JSON array.
fn json_array(text: &str, push: &mut Push<'_>) -> Result<(), Refusal> {
    let compact = json::compact(text).ok_or(UNREADABLE)?;
    let inner = compact.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(UNREADABLE)?;
    if inner.is_empty() {
        return Ok(());
    }
    let mut start = 0;
    let (mut depth, mut inside, mut escaped) = (0usize, false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'"' if !escaped => inside = !inside,
            b'[' | b'{' if !inside => depth += 1,
            b']' | b'}' if !inside => depth -= 1,
            b',' if !inside && depth == 0 => {
                json_item(&inner[start..at], push)?;
                start = at + 1;
            }
            _ => {}
        }
        escaped = inside && byte == b'\\' && !escaped;
    }
    json_item(&inner[start..], push)
}

fn json_item(text: &str, push: &mut Push<'_>) -> Result<(), Refusal> {
    match text.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(text).map_err(|_| UNREADABLE)?;
            push(Item::Text(&text))
        }
        Some(b'[' | b'{') => push(Item::Nested(text)),
        _ if text == "null" => push(Item::Null),
        _ => push(Item::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::find_either;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_of_two_bytes_is_found(bytes in prop::collection::vec(prop::sample::select(b"abc'\\\0\x01\xff".to_vec()), 0..40)) {
            let expected = bytes.iter().position(|byte| matches!(byte, b'\'' | b'\\'));
            prop_assert_eq!(find_either(&bytes, b'\'', b'\\'), expected);
        }
    }
}
