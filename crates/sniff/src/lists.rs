//! Lists and JSON in the fields of one column.

use stillhouse_decode::look::{Listed, is_int64, is_json, list, number};
use stillhouse_spec::{DataType, ListSyntax, NumberFormat};

/// Marks that may stand between the items of a list.
const DELIMITERS: [char; 3] = ['|', ';', ','];

/// After so many values without a list nothing is looked for any more.
const PATIENCE: u64 = 256;

/// What was seen of the lists of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListSurvey {
    values: u64,
    /// Texts that are lists as JSON is written, and those that are lists either so or as Python writes them.
    json: u64,
    either: u64,
    /// Lists with an array or object among their items.
    nested: u64,
    objects: u64,
    pub(crate) items: u64,
    texts: u64,
    integers: u64,
    numbers: u64,
    whole_digits: usize,
    fraction_digits: usize,
    padded: bool,
    exponents: bool,
    /// Values with such a mark, and the parts that it makes of them.
    delimited: [u64; DELIMITERS.len()],
    /// Some part is empty, or has blanks around it.
    unclean: [bool; DELIMITERS.len()],
}

impl ListSurvey {
    pub(crate) fn observe(&mut self, text: &str) {
        self.values += 1;
        let seen = self.either + self.objects + self.delimited.iter().sum::<u64>();
        if seen == 0 && self.values > PATIENCE {
            return;
        }
        match text.as_bytes() {
            [b'[', .., b']'] => self.bracketed(text),
            [b'{', .., b'}'] => self.objects += u64::from(is_json(text)),
            _ => self.separated(text),
        }
    }

    fn bracketed(&mut self, text: &str) {
        let python = list(text, &ListSyntax::Python);
        let json = list(text, &ListSyntax::Json);
        self.json += u64::from(json.is_some());
        let Some(items) = python.or(json) else { return };
        self.either += 1;
        self.nested += u64::from(items.contains(&Listed::Nested));
        for item in items {
            self.items += 1;
            if let Listed::Text(text) = item {
                self.item(&text);
            }
        }
    }

    fn item(&mut self, text: &str) {
        self.texts += 1;
        let format = NumberFormat::default();
        self.integers += u64::from(is_int64(text, format));
        let Some(number) = number(text, format) else { return };
        self.numbers += 1;
        self.whole_digits = self.whole_digits.max(number.whole_digits);
        self.fraction_digits = self.fraction_digits.max(number.fraction_digits);
        self.padded |= number.padded;
        self.exponents |= number.exponent;
    }

    /// Texts that are arrays or objects of JSON.
    pub(crate) fn json(&self) -> u64 {
        self.json + self.objects
    }

    fn separated(&mut self, text: &str) {
        for (at, delimiter) in DELIMITERS.into_iter().enumerate() {
            if !text.contains(delimiter) {
                continue;
            }
            self.delimited[at] += 1;
            self.unclean[at] |= text.split(delimiter).any(|part| part.is_empty() || part.trim() != part);
        }
    }

    /// The type of the column, and how many values are of it, if they are lists or JSON.
    pub(crate) fn best(&self) -> Option<(DataType, u64)> {
        if self.objects > 0 || self.nested > 0 {
            // Objects beside lists, or lists of them: JSON holds both.
            let of_json = self.objects + self.json;
            return (of_json * 100 >= self.values * 99).then_some((DataType::Json, of_json));
        }
        if self.either == 0 || self.either * 100 < self.values * 99 {
            return None;
        }
        Some((DataType::List(Box::new(self.item_type())), self.either))
    }

    fn item_type(&self) -> DataType {
        let all = |count: u64| count == self.texts && self.texts > 0 && !self.padded;
        if all(self.integers) {
            return DataType::Int64;
        }
        match crate::decide::decimal(self.whole_digits, self.fraction_digits) {
            Some(decimal) if all(self.numbers) && !self.exponents => decimal,
            _ if all(self.numbers) => DataType::Float64,
            _ => DataType::String,
        }
    }

    /// A mark that seems to stand between items: in at least a third of the values, with a clean text on either side.
    pub(crate) fn delimiter(&self) -> Option<(char, u64)> {
        let marks = DELIMITERS.into_iter().zip(self.delimited).zip(self.unclean);
        let mut marks = marks.filter(|((_, count), unclean)| !unclean && count * 3 >= self.values && *count > 0);
        marks.next().map(|((mark, count), _)| (mark, count))
    }
}
