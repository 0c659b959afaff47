//! Numbers of one column: every way to write them reads every value.

use stillhouse_decode::look::{Numeral, number};
use stillhouse_spec::{Currency, NumberFormat};

/// Decimal mark and grouping, the likelier ones first.
const MARKS: &[(char, Option<char>)] = &[
    ('.', None),
    ('.', Some(',')),
    (',', None),
    (',', Some('.')),
    ('.', Some(' ')),
    (',', Some(' ')),
    ('.', Some('\'')),
    ('.', Some('’')),
    (',', Some('\u{a0}')),
    ('.', Some('\u{a0}')),
    ('.', Some('_')),
];

/// A way that has failed so often, and reads less than a quarter, is given up.
const PATIENCE: u64 = 64;

/// One way to write numbers, and what it reads beside plain integers.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) decimal: char,
    pub(crate) grouping: Option<char>,
    pub(crate) fits: u64,
    pub(crate) whole_digits: usize,
    pub(crate) fraction_digits: usize,
    /// Values with a fraction.
    pub(crate) fractions: u64,
    pub(crate) exponents: u64,
    /// Values with a currency beside them.
    pub(crate) currencies: u64,
    /// The first value that it does not read, with its line.
    pub(crate) unread: Option<(u64, String)>,
}

/// What was seen of the numbers of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct NumberSurvey {
    pub(crate) values: u64,
    /// Digits with at most a sign before them.
    plain: u64,
    plain_digits: usize,
    /// The first of several digits is 0, with the line of the first such value.
    pub(crate) padded: Option<(u64, String)>,
    /// A `+` or `-` stands before it.
    pub(crate) signed: u64,
    pub(crate) negative: u64,
    /// Only 0 and 1 so far.
    pub(crate) beyond_one: bool,
    /// The smallest and the largest of the plain integers.
    pub(crate) range: Option<(i64, i64)>,
    ways: Vec<Way>,
    /// Values that no way reads.
    hopeless: bool,
}

impl NumberSurvey {
    pub(crate) fn observe(&mut self, text: &str, line: u64) {
        self.values += 1;
        if self.hopeless {
            return;
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        self.signed += u64::from(digits.len() < text.len());
        if digits.len() <= 18 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.plain(text, digits, line);
            return;
        }
        if self.ways.is_empty() {
            self.ways = MARKS.iter().map(|(decimal, grouping)| Way::new(*decimal, *grouping)).collect();
        }
        let (plain, values) = (self.plain, self.values);
        let mut read = None;
        for way in &mut self.ways {
            read = way.observe(text, line).or(read);
        }
        self.note(text, line, read);
        self.ways.retain(|way| {
            let fits = plain + way.fits;
            values - fits < PATIENCE || fits * 4 > values
        });
        self.hopeless = self.ways.is_empty();
    }

    fn plain(&mut self, text: &str, digits: &str, line: u64) {
        self.plain += 1;
        self.plain_digits = self.plain_digits.max(digits.len());
        self.negative += u64::from(text.starts_with('-'));
        self.beyond_one |= text != "0" && text != "1";
        let value = text.parse::<i64>().unwrap_or_default();
        let (least, greatest) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), greatest.max(value)));
        if digits.len() > 1 && digits.starts_with('0') && self.padded.is_none() {
            self.padded = Some((line, text.to_owned()));
        }
    }

    fn note(&mut self, text: &str, line: u64, read: Option<Numeral>) {
        self.beyond_one = true;
        let Some(read) = read else { return };
        self.negative += u64::from(read.negative);
        if read.padded && self.padded.is_none() {
            self.padded = Some((line, text.to_owned()));
        }
    }

    /// Values that are digits with at most a sign.
    pub(crate) fn plain_values(&self) -> u64 {
        self.plain
    }

    /// The ways with the fewest failures, the likelier ones first. `comma_first` says that the file gives reason to
    /// take a comma for the decimal mark.
    pub(crate) fn best(&self, comma_first: bool) -> Vec<Way> {
        if self.hopeless {
            return Vec::new();
        }
        let plain_only = [Way::new('.', None)];
        let ways: &[Way] = if self.ways.is_empty() { &plain_only } else { &self.ways };
        let most = ways.iter().map(|way| way.fits).max().unwrap_or(0);
        let mut best: Vec<Way> = ways.iter().filter(|way| way.fits == most).cloned().collect();
        if comma_first {
            best.sort_by_key(|way| (way.decimal != ',', way.grouping.is_some()));
        }
        for way in &mut best {
            way.fits += self.plain;
            way.whole_digits = way.whole_digits.max(self.plain_digits);
        }
        best
    }
}

impl Way {
    fn new(decimal: char, grouping: Option<char>) -> Self {
        Self {
            decimal,
            grouping,
            fits: 0,
            whole_digits: 0,
            fraction_digits: 0,
            fractions: 0,
            exponents: 0,
            currencies: 0,
            unread: None,
        }
    }

    /// As contracts state it.
    pub(crate) fn format(&self) -> NumberFormat {
        let currency = if self.currencies > 0 { Currency::Skip } else { Currency::Refuse };
        NumberFormat { decimal: self.decimal, grouping: self.grouping, currency }
    }

    fn observe(&mut self, text: &str, line: u64) -> Option<Numeral> {
        let format = |currency: Currency| NumberFormat { decimal: self.decimal, grouping: self.grouping, currency };
        let plain = number(text, format(Currency::Refuse));
        let read = plain.or_else(|| number(text, format(Currency::Skip)));
        let Some(read) = read else {
            if self.unread.is_none() {
                self.unread = Some((line, text.chars().take(40).collect()));
            }
            return None;
        };
        self.currencies += u64::from(plain.is_none());
        self.fits += 1;
        self.whole_digits = self.whole_digits.max(read.whole_digits);
        self.fraction_digits = self.fraction_digits.max(read.fraction_digits);
        // `5.` is a number that is no integer as people write them.
        self.fractions += u64::from(read.fraction_digits > 0 || text.contains(self.decimal));
        self.exponents += u64::from(read.exponent);
        Some(read)
    }
}
