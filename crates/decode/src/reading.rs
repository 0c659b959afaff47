//! Reading refused records again: what has to be kept of an object for it, and the small object that they make.

use std::collections::BTreeMap;

use stillhouse_spec::{
    ColumnsBy, Contract, CsvOptions, EscapeStyle, HeaderStyle, MaxRejected, QuoteStyle, ReadField, Reading,
    UnknownColumns,
};

use crate::detect::Head;
use crate::header::Names;
use crate::mapping::Origin;
use crate::scan::{Splitter, Syntax};

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
            Origin::Path(_) | Origin::YearOf(_) | Origin::Missing => None,
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
    }
}

/// Refused records of one object as an object of their own, to be decoded under a contract that may have changed since.
///
/// Formats are chosen over these records alone: what they have in common is often just what the others have not. No number
/// of refusals holds the object.
#[derive(Debug, Clone)]
pub struct Again {
    /// A header, then the records that can stand alone.
    pub bytes: Vec<u8>,
    /// Which records these are, by their place in the list that was given. The `_record` of a row, and the record of a
    /// reject, is a place in this list.
    pub records: Vec<usize>,
    /// To be used instead of the source's own.
    pub csv: CsvOptions,
    /// To be used instead of the source's own.
    pub contract: Contract,
}

impl Again {
    /// Puts `records` (bytes without the line end) together. One that is no whole record of this dialect, such as a line
    /// with a quote that never closes, is left out: among others it would mean something else.
    pub fn new<'r>(
        reading: &Reading,
        now: &CsvOptions,
        contract: &Contract,
        records: impl IntoIterator<Item = &'r [u8]>,
    ) -> Self {
        let csv = CsvOptions {
            delimiter: now.delimiter.or(reading.csv.delimiter),
            quote: now.quote.or(reading.csv.quote),
            escape: now.escape.or(reading.csv.escape),
            header: Some(HeaderStyle::Present),
            skip_lines: 0,
            comment: None,
            year: now.year,
        };
        let contract = Contract {
            // The names below say which field is which.
            columns_by: ColumnsBy::Name,
            unknown_columns: UnknownColumns::Ignore,
            max_rejected: MaxRejected::Count(u64::MAX),
            ..contract.clone()
        };
        let syntax = syntax(&csv);
        let mut again = Self { bytes: header(reading, &contract, syntax), records: Vec::new(), csv, contract };
        for (place, record) in records.into_iter().enumerate() {
            let start = again.bytes.len();
            again.bytes.extend_from_slice(record);
            again.bytes.push(b'\n');
            if stands_alone(&again.bytes[start..], syntax) {
                again.records.push(place);
            } else {
                again.bytes.truncate(start);
            }
        }
        again
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
