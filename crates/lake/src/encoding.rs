//! How columns are encoded, chosen by type and by the first rows.

use std::collections::HashSet;

use arrow::array::{Array, AsArray as _, PrimitiveArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

/// Rows of a row group, at most.
pub(crate) const ROW_GROUP_ROWS: usize = 1 << 20;
/// All dictionaries of a row group together.
const DICTIONARY_BYTES: usize = 8 << 20;
/// Rows of the first batch that are looked at to choose between dictionary and plain text.
const SAMPLE_ROWS: usize = 8192;

/// Every column of a row group keeps a compressor and an encoder of its own until the row group ends; zstd's and those
/// for deltas take about a megabyte each, which a table of hundreds of columns cannot have within the memory that we
/// promise. Such a table is compressed with snappy and encoded plainly.
const COSTLY_COLUMNS_MAX: usize = 32;

fn compression(is_wide: bool) -> Compression {
    if is_wide {
        return Compression::SNAPPY;
    }
    Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd"))
}

/// The encoding of values that are not in a dictionary.
fn encoding(data_type: &DataType, is_wide: bool) -> Encoding {
    match data_type {
        _ if is_wide => Encoding::PLAIN,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary => {
            Encoding::DELTA_LENGTH_BYTE_ARRAY
        }
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(_, _) => Encoding::DELTA_BINARY_PACKED,
        _ => Encoding::PLAIN,
    }
}

/// Values of all columns that wait for the end of their page, at most: a column of texts keeps about 20 bytes for each.
const PAGE_VALUES_MAX: usize = 640_000;

/// Rows of a page: the format's usual 20,000, fewer where many columns would wait for theirs at the same time.
fn page_rows(columns: usize) -> usize {
    (PAGE_VALUES_MAX / columns.max(1)).clamp(1_000, 20_000)
}

/// How columns are encoded, chosen by type and by the first rows. A dictionary for a text that hardly repeats is the
/// dearest mistake (twice the time), none for a text that does costs a third of the size.
pub(crate) fn properties(schema: &Schema, first: &RecordBatch) -> WriterProperties {
    let columns = schema.fields().len();
    let is_wide = columns > COSTLY_COLUMNS_MAX;
    let limit = dictionary_limit(schema);
    let mut builder = WriterProperties::builder()
        .set_compression(compression(is_wide))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(limit)
        .set_data_page_row_count_limit(page_rows(columns))
        .set_coerce_types(true);
    for (field, column) in schema.fields().iter().zip(first.columns()) {
        let data_type = field.data_type();
        if data_type.is_nested() {
            continue;
        }
        let path = ColumnPath::from(field.name().as_str());
        let is_text = matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let has_dictionary = if is_text { repeats(column, limit) } else { is_one_of_few(column) };
        if is_text && has_dictionary {
            // To compare every text costs more than the row groups that such a column lets a reader skip.
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
        }
        builder = builder
            .set_column_encoding(path.clone(), encoding(data_type, is_wide))
            .set_column_dictionary_enabled(path, has_dictionary);
    }
    builder.build()
}

fn dictionary_limit(schema: &Schema) -> usize {
    let texts = schema.fields().iter().filter(|field| {
        matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_))
    });
    (DICTIONARY_BYTES / texts.count().clamp(1, 32)).max(1 << 18)
}

/// More different numbers than this, and their differences are the shorter way to write them.
const FEW: usize = 256;

/// Whether numbers are a few different ones, as days are. One alone needs no dictionary.
fn is_one_of_few(column: &dyn Array) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let different = match sample.data_type() {
        DataType::Int64 => different(sample.as_primitive::<Int64Type>()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => different(sample.as_primitive::<TimestampMicrosecondType>()),
        _ => return false,
    };
    (2..=FEW).contains(&different) && different * 8 <= sample.len()
}

fn different<T: ArrowPrimitiveType<Native = i64>>(sample: &PrimitiveArray<T>) -> usize {
    sample.iter().flatten().collect::<HashSet<_>>().len()
}

/// Whether the texts of a whole row group will fit a dictionary, guessed from how often they repeat in a sample: of
/// `n` texts drawn from `N` different ones, about `n² / 2N` repeat.
fn repeats(column: &dyn Array, limit: usize) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let texts: Vec<&str> = match sample.data_type() {
        DataType::Utf8View => sample.as_string_view().iter().flatten().collect(),
        DataType::LargeUtf8 => sample.as_string::<i64>().iter().flatten().collect(),
        _ => sample.as_string::<i32>().iter().flatten().collect(),
    };
    if texts.len() < 256 {
        return true;
    }
    let bytes_mean = texts.iter().map(|text| text.len() + 4).sum::<usize>() / texts.len();
    let different = texts.iter().collect::<HashSet<_>>().len();
    let repeated = texts.len() - different;
    let estimate = if repeated == 0 { usize::MAX } else { (texts.len() * texts.len() / (2 * repeated)).max(different) };
    estimate.saturating_mul(bytes_mean) <= limit
}
