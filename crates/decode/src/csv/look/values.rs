//! What [`decode`](crate::decode()) would make of a text.

use stillhouse_spec::{DataType, ListSyntax, NumberFormat, TimeFormat};

use crate::values::list::Item;
use crate::values::moment::{AssumedYear, MomentReader, YearOrigin};
use crate::values::number::Number;
use crate::values::{boolean as booleans, json, list as lists, number as numbers, trim};

/// A year with a 29 February, for texts that state none.
const SOME_LEAP_YEAR: i16 = 2000;

/// Reads dates, timestamps or times of day in one format, in UTC.
#[derive(Debug, Clone)]
pub struct Moments(MomentReader);

impl Moments {
    /// `data_type` is `date`, `timestamp` or `time`.
    pub fn new(format: TimeFormat, data_type: &DataType) -> Self {
        let mut reader = MomentReader::of_formats(vec![format]).of_kind(data_type);
        reader.assume(AssumedYear { year: SOME_LEAP_YEAR, origin: YearOrigin::Setting });
        Self(reader)
    }

    /// The value: days since 1970, microseconds since 1970 or microseconds since midnight; `None` if it is none.
    pub fn read(&self, text: &str) -> Option<i64> {
        self.0.read(trim(text)).ok()
    }

    /// The format.
    pub fn format(&self) -> &TimeFormat {
        self.0.chosen_format().expect("there is one format")
    }

    /// A value that [`read`](Self::read) gave, as people read it.
    pub fn show(&self, value: i64) -> String {
        self.0.show(value)
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numeral {
    /// It is less than zero.
    pub negative: bool,
    /// Digits before the decimal mark, leading zeros included.
    pub whole_digits: usize,
    /// Digits behind it.
    pub fraction_digits: usize,
    /// There is an exponent.
    pub exponent: bool,
    /// There are several digits before the mark, and the first of them is 0.
    pub padded: bool,
}

/// Takes a number apart; `None` if the text is none when numbers are written like that.
pub fn number(text: &str, format: NumberFormat) -> Option<Numeral> {
    let text = trim(text);
    let number = Number::parse(text, format)?;
    // The exponent is looked at by whoever makes a value of it.
    if number.exponent.is_some() {
        numbers::float64(text, format)?;
    }
    let whole_digits = number.whole_digits().count();
    Some(Numeral {
        negative: number.negative,
        whole_digits,
        fraction_digits: number.fraction.len(),
        exponent: number.exponent.is_some(),
        padded: whole_digits > 1 && number.whole_digits().next() == Some(b'0'),
    })
}

/// Whether the text is an `int64` when numbers are written like that.
pub fn is_int64(text: &str, format: NumberFormat) -> bool {
    numbers::int64(trim(text), format).is_ok()
}

/// The truth value.
pub fn boolean(text: &str) -> Option<bool> {
    booleans::read(trim(text))
}

/// Whether the text is JSON.
pub fn is_json(text: &str) -> bool {
    json::compact(trim(text)).is_some()
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A text, number or truth value.
    Text(String),
    /// No value.
    Null,
    /// A JSON array or object.
    Nested,
}

/// The items of the list that the text is in that syntax; `None` if it is none.
pub fn list(text: &str, syntax: &ListSyntax) -> Option<Vec<Listed>> {
    let mut items = Vec::new();
    let mut push = |item: Item<'_>| {
        items.push(match item {
            Item::Text(text) => Listed::Text(text.to_owned()),
            Item::Null => Listed::Null,
            Item::Nested(_) => Listed::Nested,
        });
        Ok(())
    };
    lists::visit(trim(text), syntax, &mut push).ok()?;
    Some(items)
}

/// A name as headers and contracts are compared: without case, blanks, `_` and `-`.
pub fn comparable(name: &str) -> String {
    crate::csv::header::comparable(name)
}
