//! Reading refused records again: what has to be kept of an object for it, and the small object that they make.

use std::collections::BTreeMap;

use stillhouse_spec::{
    ColumnsBy, Contract, CsvOptions, EscapeStyle, HeaderStyle, InputFormat, JsonLayout, JsonOptions, MaxRejected,
    MissingColumns, QuoteStyle, ReadField, ReadFormat, Reading, UnknownColumns,
};

use crate::csv::detect::Head;
use crate::csv::header::Names;
use crate::csv::scan::{Splitter, Syntax};
use crate::json;
use crate::plan::Origin;

/// What is kept of an object that was read to its end.
pub(crate) fn reading(head: &Head, contract: &Contract) -> Reading {
    let Syntax { delimiter, quote, backslash } = head.syntax;
    let columns: BTreeMap<usize, &str> = head
        .mapping
        .origins
        .iter()
        .zip(&contract.parent.columns)
        .filter_map(|(origin, column)| match origin {
            Origin::Field(field) => Some((*field, column.name.as_str())),
            _ => None,
        })
        .collect();
    let names = &head.mapping.names;
    let field = |field: usize| ReadField {
        name: names.get(field).cloned().unwrap_or_default(),
        column: columns.get(&field).map(|column| (*column).to_owned()),
    };
    Reading {
        csv: CsvOptions {
            delimiter: Some(delimiter),
            quote: Some(quote.map_or(QuoteStyle::None, QuoteStyle::Byte)),
            escape: Some(if backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled }),
            header: Some(if names.is_empty() { HeaderStyle::Absent } else { HeaderStyle::Present }),
            ..CsvOptions::default()
        },
        fields: (0..head.mapping.width).map(field).collect(),
        format: ReadFormat::Csv,
    }
}

/// Refused records of one object as an object of their own, to be decoded under a contract that may have changed since.
///
/// Formats are chosen over these records alone: what they have in common is often just what the others have not. No number
/// of refusals holds the object.
#[derive(Debug, Clone)]
pub struct Again {
    /// The records that can stand alone; before those of CSV a header.
    pub bytes: Vec<u8>,
    /// Which records these are, by their place in the list that was given. The `_record` of a row, and the record of a
    /// reject, is a place in this list.
    pub records: Vec<usize>,
    /// To be used instead of the source's own.
    pub format: InputFormat,
    /// To be used instead of the source's own.
    pub contract: Contract,
}

impl Again {
    /// Puts `records` (bytes without the line end) together. One that is no whole record, such as a line with a quote that
    /// never closes, is left out: among others it would mean something else.
    pub fn new<'r>(
        reading: &Reading,
        now: &InputFormat,
        contract: &Contract,
        records: impl IntoIterator<Item = &'r [u8]>,
    ) -> Self {
        let contract = Contract {
            // The names below say which field is which.
            columns_by: ColumnsBy::Name,
            unknown_columns: match contract.unknown_columns {
                UnknownColumns::Json => UnknownColumns::Json,
                _ => UnknownColumns::Ignore,
            },
            max_rejected: MaxRejected::Count(u64::MAX),
            ..contract.clone()
        };
        match reading.format {
            ReadFormat::Csv => Self::csv(reading, now, contract, records),
            ReadFormat::Json => Self::json(now, contract, records),
        }
    }

    fn csv<'r>(
        reading: &Reading,
        now: &InputFormat,
        contract: Contract,
        records: impl IntoIterator<Item = &'r [u8]>,
    ) -> Self {
        let none = CsvOptions::default();
        let now = if let InputFormat::Csv(csv) = now { csv } else { &none };
        let csv = CsvOptions {
            delimiter: now.delimiter.or(reading.csv.delimiter),
            quote: now.quote.or(reading.csv.quote),
            escape: now.escape.or(reading.csv.escape),
            header: Some(HeaderStyle::Present),
            skip_lines: 0,
            comment: None,
            year: now.year,
        };
        let syntax = syntax(&csv);
        let bytes = header(reading, &contract, syntax);
        let mut again = Self { bytes, records: Vec::new(), format: InputFormat::Csv(csv), contract };
        again.add(records, |line| stands_alone(line, syntax));
        again
    }

    fn json<'r>(now: &InputFormat, contract: Contract, records: impl IntoIterator<Item = &'r [u8]>) -> Self {
        let options = JsonOptions { layout: Some(JsonLayout::Lines), year: now.year() };
        let format = InputFormat::Json(options);
        let contract = Contract { missing_columns: MissingColumns::Null, ..contract };
        let mut again = Self { bytes: Vec::new(), records: Vec::new(), format, contract };
        again.add(records, json::stands_alone);
        if again.records.is_empty() {
            // No records at all are written as an array.
            again.bytes.extend_from_slice(b"[]");
            again.format = InputFormat::Json(JsonOptions { layout: Some(JsonLayout::Array), year: now.year() });
        }
        again
    }

    fn add<'r>(&mut self, records: impl IntoIterator<Item = &'r [u8]>, stands_alone: impl Fn(&[u8]) -> bool) {
        let is_json = matches!(self.format, InputFormat::Json(_));
        for (place, record) in records.into_iter().enumerate() {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(record);
            self.bytes.push(b'\n');
            if !stands_alone(&self.bytes[start..]) {
                self.bytes.truncate(start);
                continue;
            }
            self.records.push(place);
            if is_json {
                // Line ends of JSON are blanks.
                let end = self.bytes.len() - 1;
                self.bytes[start..end].iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
            }
        }
    }
}

fn syntax(csv: &CsvOptions) -> Syntax {
    Syntax {
        delimiter: csv.delimiter.unwrap_or(b','),
        quote: match csv.quote {
            Some(QuoteStyle::Byte(quote)) => Some(quote),
            Some(QuoteStyle::None) => None,
            None => Some(b'"'),
        },
        backslash: csv.escape == Some(EscapeStyle::Backslash),
    }
}

/// Whether the line is exactly one record.
fn stands_alone(line: &[u8], syntax: Syntax) -> bool {
    let mut splitter = Splitter::new(syntax, 0);
    splitter.begin(usize::MAX);
    splitter.whole(line).is_some_and(|(_, next)| next == line.len())
}

/// The names by which the contract finds the fields: what the header said where that still means a column, else the
/// column that the field was taken for.
fn header(reading: &Reading, contract: &Contract, syntax: Syntax) -> Vec<u8> {
    let names = Names::new(contract);
    let known = |name: &str| names.matched(&[name.to_owned()]) > 0;
    let mut line = Vec::new();
    for (number, field) in reading.fields.iter().enumerate() {
        if number > 0 {
            line.push(syntax.delimiter);
        }
        let stated = Some(&field.name).filter(|name| known(name));
        let name = stated.or(field.column.as_ref()).cloned().unwrap_or_else(|| format!("field {}", number + 1));
        write_field(&mut line, &name, syntax);
    }
    line.push(b'\n');
    line
}

/// Without quotes in the dialect, what would end the field becomes a blank: names are compared without blanks.
fn write_field(line: &mut Vec<u8>, name: &str, syntax: Syntax) {
    let special = |byte: u8| byte == syntax.delimiter || byte == b'\n' || byte == b'\r' || Some(byte) == syntax.quote;
    let Some(quote) = syntax.quote.filter(|_| name.bytes().any(special)) else {
        line.extend(name.bytes().map(|byte| if special(byte) { b' ' } else { byte }));
        return;
    };
    line.push(quote);
    for byte in name.bytes() {
        match byte {
            _ if byte == quote && syntax.backslash => line.extend([b'\\', byte]),
            _ if byte == quote => line.extend([byte, byte]),
            b'\\' if syntax.backslash => line.extend([byte, byte]),
            _ => line.push(byte),
        }
    }
    line.push(quote);
}
