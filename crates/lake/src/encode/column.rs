//! Our own encoder of a column: whole numbers, decimals of at most 18 digits, moments, days, texts, and lists of texts.

use arrow::array::{Array, ArrayRef, AsArray as _, Int64Array, ListArray, RunArray, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;

use super::choice::{PAGE_BYTES, SAMPLE_ROWS, is_one_of_few};
use super::chunk::{Chunk, Compressor, Pages};
use super::delta::Width;
use super::levels::Levels;
use super::numbers::Numbers;
use super::offsets::{begin, end, text_bytes};
use super::runs::{lengths, simple_runs, written_out};
use super::texts::Texts;
use super::words::Words;
use crate::stats::{Bounds, DIGITS_MAX_OF_32_BITS, DIGITS_MAX_OF_64_BITS};

/// A column of a row group under construction.
#[derive(Debug)]
pub(super) struct OwnColumn {
    descriptor: ColumnDescPtr,
    levels: Levels,
    /// The definition level of a list without items.
    empty_list: u8,
    values: Values,
    bounds: Bounds,
    nulls: usize,
    rows: u64,
    /// Rows since the last page, and how many a page has at most.
    page_rows: usize,
    page_rows_max: usize,
    pages: Pages,
}

#[derive(Debug)]
enum Values {
    Numbers(Box<Numbers>),
    Texts(Box<Texts>),
}

/// What is known of the values of a column.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) nulls: usize,
    pub(super) bounds: Bounds,
    /// For the next row group.
    pub(super) words: Option<Words>,
}

/// Whether a column of this type is encoded by us.
pub(super) fn is_own(data_type: &DataType) -> bool {
    match data_type {
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _) | DataType::Utf8 => true,
        DataType::List(item) => *item.data_type() == DataType::Utf8,
        DataType::Decimal128(precision, _) => *precision <= DIGITS_MAX_OF_64_BITS,
        _ => false,
    }
}

impl OwnColumn {
    /// A column of a type that [`is_own`]; `first`: its first rows, from which the encoding is chosen; `words`: what a row
    /// group before has left.
    pub(super) fn new(
        field: &Field,
        descriptor: ColumnDescPtr,
        (first, words): (&ArrayRef, Option<Words>),
        dictionary_bytes_max: usize,
        page_rows_max: usize,
    ) -> Result<Self, ParquetError> {
        let first = &written_out(&first.slice(0, first.len().min(SAMPLE_ROWS)))?;
        let level = |level: i16| u8::try_from(level).map_err(|_| ParquetError::General("levels are small".to_owned()));
        let levels = Levels::new(level(descriptor.max_def_level())?, level(descriptor.max_rep_level())?);
        let values = match field.data_type() {
            DataType::Utf8 => Values::Texts(Box::new(Texts::new(first.as_string(), dictionary_bytes_max, words))),
            DataType::List(_) => {
                Values::Texts(Box::new(Texts::new(&items(first.as_list()), dictionary_bytes_max, words)))
            }
            DataType::Date32 => Values::Numbers(Box::new(Numbers::new(Width::Bits32, false))),
            DataType::Decimal128(precision, _) if *precision <= DIGITS_MAX_OF_32_BITS => {
                Values::Numbers(Box::new(Numbers::new(Width::Bits32, false)))
            }
            _ => Values::Numbers(Box::new(Numbers::new(Width::Bits64, is_one_of_few(first)))),
        };
        Ok(Self {
            descriptor,
            levels,
            empty_list: u8::from(field.is_nullable()),
            values,
            bounds: Bounds::of(field.data_type()),
            nulls: 0,
            rows: 0,
            page_rows: 0,
            page_rows_max,
            pages: Pages::default(),
        })
    }

    /// About how much memory it takes.
    pub(super) fn memory(&self) -> usize {
        let values = match &self.values {
            Values::Numbers(numbers) => numbers.memory(),
            Values::Texts(texts) => texts.memory(),
        };
        self.pages.bytes() + self.levels.memory() + values
    }

    /// Adds values.
    pub(super) fn write(&mut self, array: &ArrayRef, compressor: &mut Compressor) -> Result<(), ParquetError> {
        let array = &if simple_runs(array).is_some() { ArrayRef::clone(array) } else { written_out(array)? };
        let mut from = 0;
        while from < array.len() {
            let count = (self.page_rows_max - self.page_rows).min(array.len() - from);
            let count = self.rows_that_fit(array, from, count);
            if count > 0 {
                self.take(&array.slice(from, count))?;
                from += count;
                self.page_rows += count;
                self.rows += count as u64;
            }
            if count == 0 || self.page_rows == self.page_rows_max {
                self.end_page(compressor)?;
            }
        }
        Ok(())
    }

    /// How many of `count` rows the page takes: as long as it has few bytes enough, and one in any case.
    fn rows_that_fit(&self, array: &ArrayRef, from: usize, count: usize) -> usize {
        let Values::Texts(texts) = &self.values else { return count };
        let bytes_of = |count: usize| match array.data_type() {
            DataType::RunEndEncoded(..) => runs_bytes(&array.as_run().slice(from, count)),
            DataType::Utf8 => text_bytes(array.as_string(), from, count),
            _ => {
                let lists = array.as_list::<i32>();
                let offsets = &lists.value_offsets()[from..=from + count];
                text_bytes(lists.values().as_string(), begin(offsets), end(offsets) - begin(offsets))
            }
        };
        let room = PAGE_BYTES.saturating_sub(texts.page_bytes());
        if bytes_of(count) <= room {
            return count;
        }
        let (mut fits, mut too_many) = (0, count);
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            if bytes_of(middle) <= room { fits = middle } else { too_many = middle }
        }
        if self.page_rows == 0 { fits.max(1) } else { fits }
    }

    fn take(&mut self, array: &ArrayRef) -> Result<(), ParquetError> {
        let Self { levels, empty_list, values, bounds, .. } = self;
        let rows = array.len();
        let runs = simple_runs(array);
        let (array, lengths) =
            (&runs.map_or_else(|| ArrayRef::clone(array), RunArray::values_slice), runs.map(lengths));
        let lengths = lengths.as_deref();
        match values {
            Values::Texts(texts) if matches!(array.data_type(), DataType::List(_)) => {
                let lists = array.as_list::<i32>();
                let items = items(lists);
                push_list_levels(levels, lists, &items, *empty_list)?;
                texts.push(&items, None, bounds);
                return Ok(());
            }
            Values::Texts(texts) => texts.push(array.as_string(), lengths, bounds),
            Values::Numbers(numbers) => match array.data_type() {
                DataType::Date32 => numbers.push(array.as_primitive::<Date32Type>(), lengths, i64::from, bounds),
                DataType::Int64 => numbers.push(array.as_primitive::<Int64Type>(), lengths, |value| value, bounds),
                DataType::Decimal128(..) => numbers.push(&as_64_bits(array)?, lengths, |value| value, bounds),
                _ => numbers.push(array.as_primitive::<TimestampMicrosecondType>(), lengths, |value| value, bounds),
            },
        }
        self.nulls += array.null_count();
        match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => levels.push_defined(rows),
            Some(nulls) => levels.push_valid(nulls),
        }
        Ok(())
    }

    fn end_page(&mut self, compressor: &mut Compressor) -> Result<(), ParquetError> {
        let count = self.levels.count();
        let Self { levels, values, pages, .. } = self;
        self.page_rows = 0;
        pages.data(count, compressor, |page| {
            levels.flush(page);
            match values {
                Values::Numbers(numbers) => numbers.flush(page),
                Values::Texts(texts) => texts.flush(page),
            }
        })
    }

    /// Ends it.
    pub(super) fn close(mut self, compressor: &mut Compressor) -> Result<(Chunk, Summary), ParquetError> {
        if self.page_rows > 0 {
            self.end_page(compressor)?;
        }
        let Self { descriptor, values, bounds, nulls, rows, pages, .. } = self;
        let statistics = bounds.statistics(nulls);
        let (dictionary, words) = match values {
            Values::Numbers(numbers) => (numbers.into_dictionary(), None),
            Values::Texts(texts) => texts.into_dictionary().unzip(),
        };
        let chunk = pages.finish(dictionary, descriptor, rows, statistics, compressor)?;
        Ok((chunk, Summary { nulls, bounds, words }))
    }
}

/// Decimals in units of their last digit.
fn as_64_bits(array: &ArrayRef) -> Result<Int64Array, ParquetError> {
    let decimals = array.as_primitive::<Decimal128Type>();
    let units = |value: i128| {
        i64::try_from(value).map_err(|_| ParquetError::General("a decimal has too many digits".to_owned()))
    };
    decimals.try_unary::<_, Int64Type, _>(units)
}

/// Bytes of the texts of all rows.
fn runs_bytes(runs: &RunArray<Int32Type>) -> usize {
    let texts = runs.values_slice();
    lengths(runs).into_iter().enumerate().map(|(run, length)| length * text_bytes(texts.as_string(), run, 1)).sum()
}

/// The items of all lists.
fn items(lists: &ListArray) -> StringArray {
    let offsets = lists.value_offsets();
    lists.values().as_string().slice(begin(offsets), end(offsets) - begin(offsets))
}

/// Levels of lists that may be null or empty, and of items that may be null, as far as the schema says so.
fn push_list_levels(
    levels: &mut Levels,
    lists: &ListArray,
    items: &StringArray,
    empty: u8,
) -> Result<(), ParquetError> {
    let present = levels.max_definition();
    let item_nulls = items.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut next = 0;
    for (row, pair) in lists.value_offsets().windows(2).enumerate() {
        let count = (pair[1] - pair[0]).cast_unsigned() as usize;
        levels.push_row(count);
        match item_nulls {
            _ if lists.is_null(row) && count > 0 => {
                return Err(ParquetError::General("a list that is null has items".to_owned()));
            }
            _ if count == 0 => levels.push(if lists.is_null(row) { 0 } else { empty }),
            None => levels.push_defined(count),
            Some(nulls) => {
                (next..next + count).for_each(|item| levels.push(present - u8::from(nulls.is_null(item))));
            }
        }
        next += count;
    }
    Ok(())
}
