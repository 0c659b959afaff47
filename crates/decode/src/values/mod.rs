//! Texts to typed values.

pub(crate) mod boolean;
pub(crate) mod calendar;
pub(crate) mod check;
pub(crate) mod decimal;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod moment;
pub(crate) mod number;
pub(crate) mod pattern;

use stillhouse_spec::{Column as ColumnSpec, DataType, ListSyntax, NumberFormat};

use crate::columns::Column;
use crate::error::Error;
use crate::reason;
use crate::values::moment::{MomentReader, Unread};

/// Why a text is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// One of the words of [`reason`].
    Because(&'static str),
    /// 29 February where the year was taken from the object's last change, and that is no leap year: another year may
    /// be assumed.
    LeapDay,
}

/// Reads the texts of one column.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    Text,
    Int64(NumberFormat),
    Float64(NumberFormat),
    Decimal { precision: u8, scale: u8, numbers: NumberFormat },
    Bool,
    Moment(MomentReader),
    Json,
    List { syntax: ListSyntax, item: Box<Reader> },
}

impl Reader {
    /// The reader of a column; the first of its formats is chosen until somebody chooses another.
    pub(crate) fn new(spec: &ColumnSpec) -> Result<Self, Error> {
        let moments = MomentReader::new(spec)?;
        Ok(Self::of_type(&spec.data_type, spec, &moments))
    }

    /// The same for guesses about a sample, where an unknown time zone does no harm.
    pub(crate) fn guess(spec: &ColumnSpec) -> Self {
        Self::of_type(&spec.data_type, spec, &MomentReader::in_utc(spec))
    }

    fn of_type(data_type: &DataType, spec: &ColumnSpec, moments: &MomentReader) -> Self {
        match data_type {
            DataType::String => Reader::Text,
            DataType::Int64 => Reader::Int64(spec.numbers),
            DataType::Float64 => Reader::Float64(spec.numbers),
            DataType::Decimal { precision, scale } => {
                Reader::Decimal { precision: *precision, scale: *scale, numbers: spec.numbers }
            }
            DataType::Bool => Reader::Bool,
            DataType::Date | DataType::Timestamp | DataType::Time => Reader::Moment(moments.clone()),
            DataType::Json => Reader::Json,
            DataType::List(item) => Reader::List {
                syntax: spec.list.clone(),
                item: Box::new(Self::of_type(item, spec, &moments.clone().of_kind(item))),
            },
        }
    }

    /// The reader of dates, times or timestamps in it, if that is what it reads.
    pub(crate) fn moments(&self) -> Option<&MomentReader> {
        match self {
            Reader::Moment(moments) => Some(moments),
            Reader::List { item, .. } => item.moments(),
            _ => None,
        }
    }

    /// The same, to be set.
    pub(crate) fn moments_mut(&mut self) -> Option<&mut MomentReader> {
        match self {
            Reader::Moment(moments) => Some(moments),
            Reader::List { item, .. } => item.moments_mut(),
            _ => None,
        }
    }

    /// The empty text means "no value". For lists it depends on how they are written: nothing between delimiters is
    /// the empty list, while no text at all is no JSON and no Python.
    pub(crate) fn empty_is_null(&self) -> bool {
        match self {
            Reader::Text => false,
            Reader::List { syntax, .. } => matches!(syntax, ListSyntax::Python | ListSyntax::Json),
            _ => true,
        }
    }

    /// Blanks around the text belong to it.
    #[inline]
    pub(crate) fn keeps_blanks(&self) -> bool {
        matches!(self, Reader::Text)
    }

    /// Reads `text` and appends it to `column`. After a refusal the column may hold a part of it.
    #[inline]
    pub(crate) fn append(&self, text: &str, column: &mut Column) -> Result<(), Refusal> {
        match self {
            Reader::Text => column.push_text(text),
            Reader::Int64(numbers) => column.push_int(number::int64(text, *numbers).map_err(Refusal::Because)?),
            Reader::Float64(numbers) => {
                column.push_float(number::float64(text, *numbers).ok_or(Refusal::Because(reason::UNREADABLE_FLOAT64))?);
            }
            Reader::Decimal { precision, scale, numbers } => {
                column.push_decimal(decimal::read(text, *precision, *scale, *numbers).map_err(Refusal::Because)?);
            }
            Reader::Bool => {
                column.push_bool(boolean::read(text).ok_or(Refusal::Because(reason::UNREADABLE_BOOL))?);
            }
            Reader::Moment(moments) => {
                let value = moments.read(text).map_err(|unread| match unread {
                    Unread::No => Refusal::Because(moments.reason()),
                    Unread::LeapDay => Refusal::LeapDay,
                })?;
                moments.push(value, column);
            }
            Reader::Json => {
                let compact = json::compact(text).ok_or(Refusal::Because(reason::UNREADABLE_JSON))?;
                column.push_text(&compact);
            }
            Reader::List { syntax, item } => list::append(text, syntax, item, column)?,
        }
        Ok(())
    }

    /// Whether some format of the column reads `text`.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let text = trim(text);
        match self {
            Reader::Text => true,
            Reader::Int64(numbers) => number::int64(text, *numbers).is_ok(),
            Reader::Float64(numbers) => number::float64(text, *numbers).is_some(),
            Reader::Decimal { precision, scale, numbers } => decimal::read(text, *precision, *scale, *numbers).is_ok(),
            Reader::Bool => boolean::read(text).is_some(),
            Reader::Moment(moments) => moments.fits(text),
            Reader::Json => json::compact(text).is_some(),
            Reader::List { syntax, .. } => list::fits(text, syntax),
        }
    }
}

/// The text without blanks around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        // Printable ASCII at both ends: by far the most frequent case.
        [first, .., last] if (b'!'..=b'~').contains(first) && (b'!'..=b'~').contains(last) => text,
        _ => text.trim(),
    }
}
