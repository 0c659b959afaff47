//! What is learnt about one column of nested records while its values pass by.

use stillhouse_decode::look::{is_int64, number};
use stillhouse_spec::NumberFormat;

use super::names::path;
use crate::column::{At, Column, Repeats};
use crate::names::{identifier, is_id};

/// Repeats are looked for in at most so many columns, because it takes memory.
pub(super) const WATCHED_MAX: usize = 16;

/// What was seen of the numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) values: u64,
    pub(super) int64s: u64,
    /// Values that a `float64` holds, however roughly.
    pub(super) floats: u64,
    pub(super) exponents: u64,
    pub(super) whole_digits: usize,
    pub(super) fraction_digits: usize,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The values, or the items of the lists, as the surveys for texts see them.
    pub(super) column: Column,
    pub(super) numbers: Numbers,
    pub(super) bools: u64,
    pub(super) texts: u64,
    /// Texts that are neither empty nor spelt like "no value".
    pub(super) filled_texts: u64,
    /// Lists, or values of JSON.
    pub(super) wholes: u64,
    /// Null items of lists.
    pub(super) null_items: u64,
    pub(super) longest: usize,
    /// Whether values repeat among the rows of one array.
    pub(super) siblings: Option<Repeats>,
    /// Numbers that are none, as Parquet has them.
    pub(super) not_finite: Vec<String>,
    /// Bytes that are no text.
    pub(super) not_utf8: u64,
}

impl Leaf {
    /// A column at the end of a way.
    pub(super) fn new(way: &[String], watched: &mut usize) -> Self {
        let name = way.last().and_then(|name| identifier(name));
        let watch = *watched < WATCHED_MAX && name.is_some_and(|name| is_id(&name));
        *watched += usize::from(watch);
        Self {
            column: Column::new(Some(path(way)), watch),
            numbers: Numbers::default(),
            bools: 0,
            texts: 0,
            filled_texts: 0,
            wholes: 0,
            null_items: 0,
            longest: 0,
            siblings: watch.then(Repeats::default),
            not_finite: Vec::new(),
            not_utf8: 0,
        }
    }

    /// Values that are scalars.
    pub(super) fn scalars(&self) -> u64 {
        self.numbers.values + self.bools + self.texts + self.not_utf8
    }

    /// `array`: the number of the array in which the row stands.
    pub(super) fn text(&mut self, text: &str, at: At, array: u64) {
        let before = self.column.filled;
        self.observe(text, at, array);
        self.texts += 1;
        self.filled_texts += self.column.filled - before;
        self.longest = self.longest.max(text.len());
    }

    pub(super) fn bool(&mut self, value: bool, at: At, array: u64) {
        self.bools += 1;
        self.observe(if value { "true" } else { "false" }, at, array);
    }

    pub(super) fn number(&mut self, text: &str, at: At, array: u64) {
        self.observe(text, at, array);
        let numbers = &mut self.numbers;
        numbers.values += 1;
        let format = NumberFormat::default();
        if is_int64(text, format) {
            numbers.int64s += 1;
            numbers.floats += 1;
            numbers.whole_digits = numbers.whole_digits.max(text.trim_start_matches('-').len());
            return;
        }
        numbers.floats += u64::from(text.parse::<f64>().is_ok_and(f64::is_finite));
        let Some(numeral) = number(text, format) else {
            // Only an exponent makes a number of JSON too large to be taken apart.
            numbers.exponents += 1;
            return;
        };
        numbers.exponents += u64::from(numeral.exponent);
        numbers.whole_digits = numbers.whole_digits.max(numeral.whole_digits);
        numbers.fraction_digits = numbers.fraction_digits.max(numeral.fraction_digits);
    }

    /// A number as Parquet has it.
    pub(super) fn numeric(&mut self, text: &str, at: At, array: u64) {
        let is_finite = text.bytes().any(|byte| byte.is_ascii_digit());
        if is_finite {
            return self.number(text, at, array);
        }
        // Such a value is written as a word, and means that there is none.
        self.texts += 1;
        self.column.records += 1;
        if !self.not_finite.iter().any(|known| known == text) {
            self.not_finite.push(text.to_owned());
        }
    }

    /// Values about which nothing is to be learnt.
    pub(super) fn present(&mut self, values: u64) {
        self.texts += values;
        self.filled_texts += values;
        self.column.records += values;
        self.column.filled += values;
    }

    fn observe(&mut self, text: &str, at: At, array: u64) {
        self.column.observe(text, at);
        if let Some(siblings) = &mut self.siblings {
            siblings.observe(&format!("{array} {text}"), at);
        }
    }
}
