//! What is looked at many bytes at a time, held against what looks at one after the other.

use jiter::{Jiter, JiterError, Peek};
use proptest::prelude::*;
use stillhouse_spec::NumberFormat;

use super::digits::Digits;
use super::parser::{Parsed, Parser, Scratch};
use crate::values::{decimal, number};

/// What a parser comes upon, in order, and the error at which it ends.
type Seen = (Vec<String>, Result<(), (String, usize)>);

fn seen(all: impl FnOnce(&mut Vec<String>) -> Result<(), JiterError>) -> Seen {
    let mut seen = Vec::new();
    let ended = all(&mut seen).map_err(|error| (error.error_type.to_string(), error.index));
    (seen, ended)
}

fn by_parser(record: &str, behind: &str) -> Seen {
    let whole = format!("{record}{behind}");
    seen(|seen| {
        let mut parser = Parser::new(record, whole.as_bytes(), Scratch::default());
        let peek = parser.peek()?;
        value(&mut parser, peek, seen)?;
        parser.finish()
    })
}

fn value(parser: &mut Parser<'_>, peek: Peek, seen: &mut Vec<String>) -> Parsed<()> {
    match peek {
        Peek::Array => {
            seen.push("[".to_owned());
            let mut next = parser.first_item()?;
            while let Some(peek) = next {
                value(parser, peek, seen)?;
                next = parser.next_item()?;
            }
        }
        Peek::Object => {
            seen.push("{".to_owned());
            parser.open();
            let mut next = parser.first_name()?.map(str::to_owned);
            while let Some(name) = next {
                seen.push(name);
                let peek = parser.peek()?;
                value(parser, peek, seen)?;
                next = parser.next_name()?.map(str::to_owned);
            }
        }
        Peek::String => seen.push(parser.text()?.to_owned()),
        Peek::True | Peek::False => seen.push(parser.truth(peek)?.to_string()),
        Peek::Null => parser.null()?,
        _ => seen.push(parser.number()?.to_owned()),
    }
    Ok(())
}

fn by_jiter(record: &str) -> Seen {
    seen(|seen| {
        let mut values = Jiter::new(record.as_bytes());
        let peek = values.peek()?;
        value_by_jiter(&mut values, peek, seen)?;
        values.finish()
    })
}

fn value_by_jiter(values: &mut Jiter<'_>, peek: Peek, seen: &mut Vec<String>) -> Parsed<()> {
    match peek {
        Peek::Array => {
            seen.push("[".to_owned());
            let mut next = values.known_array()?;
            while let Some(peek) = next {
                value_by_jiter(values, peek, seen)?;
                next = values.array_step()?;
            }
        }
        Peek::Object => {
            seen.push("{".to_owned());
            let mut next = values.known_object()?.map(str::to_owned);
            while let Some(name) = next {
                seen.push(name);
                let peek = values.peek()?;
                value_by_jiter(values, peek, seen)?;
                next = values.next_key()?.map(str::to_owned);
            }
        }
        Peek::String => seen.push(values.known_str()?.to_owned()),
        Peek::True | Peek::False => seen.push(values.known_bool(peek)?.to_string()),
        Peek::Null => values.known_null()?,
        _ => seen.push(String::from_utf8_lossy(values.next_number_bytes()?).into_owned()),
    }
    Ok(())
}

/// A value, with blanks here and there.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\"[a-z é]{0,40}\"",
        "\"[ -!#-\\[\\]-~]{20,70}\"",
        "\"([a-z]{0,20}(\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-f]{2}|\\\\ud83d\\\\ude00)){0,3}\"",
    ];
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![4 => text.clone(), 4 => number, 1 => "true|false|null"];
    leaf.prop_recursive(3, 30, 6, move |inner| {
        let blanks = "[ \\t\\n\\r]{0,2}";
        let items = prop::collection::vec((blanks, inner.clone(), blanks), 0..6);
        let fields = prop::collection::vec((text.clone(), blanks, inner, blanks), 0..6);
        let join = |parts: Vec<String>| parts.join(",");
        prop_oneof![
            items.prop_map(move |items| {
                format!("[{}]", join(items.into_iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect()))
            }),
            fields.prop_map(move |fields| {
                let fields = fields.into_iter().map(|(name, a, value, b)| format!("{b}{name}{a}:{b}{value}{a}"));
                format!("{{{}}}", join(fields.collect()))
            }),
        ]
    })
}

/// A character is put in the place of others.
fn damaged(text: &str, at: prop::sample::Index, gone: usize, put: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at.index(chars.len() + 1);
    let (before, behind) = chars.split_at(at);
    before.iter().copied().chain(put.chars()).chain(behind.iter().skip(gone).copied()).collect()
}

fn damage() -> impl Strategy<Value = (prop::sample::Index, usize, &'static str)> {
    let put =
        ["", "\"", "\\", ",", ":", "{", "}", "[", "]", " ", "\n", "\u{1}", "0", "9", ".", "-", "e", "t", "nul", "é"];
    (any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(put.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_json_and_what_is_wrong_with_it_is_as_jiter_says(
        json in json(),
        damages in prop::collection::vec(damage(), 0..3),
        behind in "|[\n,0-9\"} ]{1,40}",
    ) {
        let text = damages.into_iter().fold(json, |text, (at, gone, put)| damaged(&text, at, gone, put));
        prop_assert_eq!(by_parser(&text, &behind), by_jiter(&text));
    }

    #[test]
    fn few_digits_are_the_number_that_many_are(
        number in "-?(0|[1-9][0-9]{0,15})(\\.[0-9]{1,9})?",
        behind in "[,} \\]][0-9,]{15}",
        scale in 0..20_u8,
    ) {
        let text = format!("{number}{behind}");
        if let Some(digits) = Digits::of(text.as_bytes()) {
            prop_assert_eq!(digits.length(), number.len());
            let format = NumberFormat::default();
            prop_assert_eq!(digits.int64(), number::int64(&number, format).ok());
            if let Some(value) = digits.decimal(scale.into()) {
                prop_assert_eq!(Ok(i128::from(value)), decimal::read(&number, 38, scale, format));
            }
        } else {
            prop_assert!(number.len() > 14, "{} is short", number);
        }
    }
}
