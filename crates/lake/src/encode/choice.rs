//! How columns are encoded, chosen by type and by the first rows.

use arrow::array::{Array, AsArray as _, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use hashbrown::HashSet;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::bits::width_of;
use super::delta::Width;
use crate::text_at::common_prefix;

/// Rows of a row group, at most.
pub(super) const ROW_GROUP_ROWS: usize = 1 << 20;
/// All dictionaries of a row group together.
const DICTIONARY_BYTES: usize = 16 << 20;
/// Rows of the first batch that are looked at to choose between dictionary and plain text.
pub(super) const SAMPLE_ROWS: usize = 8192;

/// What pages are compressed with, …
pub(super) const ZSTD_LEVEL: i32 = 1;
/// … and those that we make: repeated texts are looked for in fewer places (at 17 bytes from each other instead of 2), but what
/// is not repeated is still packed by how often each byte comes. A third faster than level 1, for a twentieth more bytes.
pub(super) const OWN_ZSTD_LEVEL: i32 = -16;
/// A page with texts ends when it has so many bytes.
pub(super) const PAGE_BYTES: usize = 1 << 20;
/// More different numbers than this, and their differences are the shorter way to write them.
pub(super) const NUMBERS_MAX: usize = 1 << 13;
/// Different numbers of a sample that is taken for one of few.
const NUMBERS_OF_SAMPLE_MAX: usize = 1 << 10;

/// The library's encoders keep a compressor for each column until the row group ends, about a megabyte, which a table of
/// hundreds of columns cannot have within the memory that we promise. Such columns are compressed with snappy then.
const COSTLY_COLUMNS_MAX: usize = 32;

/// Values of all columns that wait for the end of their page, at most: a column of texts keeps about 20 bytes for each.
const PAGE_VALUES_MAX: usize = 640_000;

/// Rows of a page: as many as the decoder hands over, fewer where many columns would wait for theirs at the same time.
pub(super) fn page_rows(columns: usize) -> usize {
    (PAGE_VALUES_MAX / columns.max(1)).clamp(1_000, 16_384)
}

/// Properties of the columns that the library encodes.
pub(super) fn properties(schema: &Schema) -> WriterProperties {
    let columns = schema.fields().len();
    let compression = if columns > COSTLY_COLUMNS_MAX {
        Compression::SNAPPY
    } else {
        Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("1 is a level of zstd"))
    };
    WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(dictionary_limit(schema))
        .set_data_page_row_count_limit(page_rows(columns))
        .set_coerce_types(true)
        .build()
}

/// Bytes that the dictionary of a column may have.
pub(super) fn dictionary_limit(schema: &Schema) -> usize {
    let texts = schema.fields().iter().filter(|field| {
        matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_))
    });
    (DICTIONARY_BYTES / texts.count().clamp(1, 32)).max(1 << 18)
}

/// Whether numbers are a few different ones, as days are, of which a moment here and there is none. One alone needs no
/// dictionary, and neither do numbers whose differences are as short.
pub(super) fn is_one_of_few(column: &dyn Array) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let numbers: Vec<i64> = match sample.data_type() {
        DataType::Int64 => sample.as_primitive::<Int64Type>().iter().flatten().collect(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            sample.as_primitive::<TimestampMicrosecondType>().iter().flatten().collect()
        }
        DataType::Decimal128(..) => {
            let decimals = sample.as_primitive::<Decimal128Type>().iter().flatten();
            decimals.filter_map(|decimal| i64::try_from(decimal).ok()).collect()
        }
        _ => return false,
    };
    let different = different(&numbers);
    (2..=NUMBERS_OF_SAMPLE_MAX).contains(&different)
        && different * 8 <= numbers.len()
        && u32::from(width_of(different as u64 - 1)) < difference_bits(&numbers)
}

/// How many there are; all that are too many count as one more than that.
fn different(numbers: &[i64]) -> usize {
    let mut seen = HashSet::new();
    for number in numbers {
        seen.insert(number);
        if seen.len() > NUMBERS_OF_SAMPLE_MAX {
            break;
        }
    }
    seen.len()
}

/// Bits that the difference of a number from the one before takes, in most blocks.
fn difference_bits(numbers: &[i64]) -> u32 {
    let differences: Vec<i64> = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let mut bits: Vec<u32> = differences.chunks(Width::Bits64.block()).map(range_bits).collect();
    let middle = bits.len() / 2;
    if bits.is_empty() { 0 } else { *bits.select_nth_unstable(middle).1 }
}

fn range_bits(differences: &[i64]) -> u32 {
    let smallest = differences.iter().copied().min().unwrap_or(0);
    let above = differences.iter().map(|difference| difference.wrapping_sub(smallest).cast_unsigned());
    u32::from(width_of(above.max().unwrap_or(0)))
}

/// What texts look like, and so how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextLook {
    /// Those of a whole row group fit a dictionary, and are worth one.
    Few,
    /// The text before comes again, as in a column that was copied to the rows of a child table, or most of it, as in
    /// numbers that rise.
    Alike,
    Any,
}

/// Guessed from how often texts repeat in a sample: of `n` texts drawn from `N` different ones, about `n² / 2N` repeat. A
/// dictionary for a text that hardly repeats is the dearest mistake (twice the time), none for a text that does costs a
/// third of the size. Texts that stand there several times in a row count once: a copied column repeats like that, and
/// never again.
pub(super) fn look(column: &StringArray, limit: usize) -> TextLook {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let mut texts: Vec<&str> = sample.iter().flatten().collect();
    let all = texts.len();
    texts.dedup();
    if texts.len() < 256 {
        return TextLook::Few;
    }
    let bytes_mean = texts.iter().map(|text| text.len() + 4).sum::<usize>() / texts.len();
    let different = texts.iter().collect::<HashSet<_>>().len();
    let repeated = texts.len() - different;
    let estimate = if repeated == 0 { usize::MAX } else { (texts.len() * texts.len() / (2 * repeated)).max(different) };
    if estimate.saturating_mul(bytes_mean) <= limit {
        TextLook::Few
    } else if 4 * texts.len() < 3 * all
        || 4 * shared_bytes(&texts) > 3 * texts.iter().map(|text| text.len()).sum::<usize>()
    {
        TextLook::Alike
    } else {
        TextLook::Any
    }
}

/// How many bytes texts have in common with the ones before them, all together.
fn shared_bytes(texts: &[&str]) -> usize {
    texts.windows(2).map(|pair| common_prefix(pair[0].as_bytes(), pair[1].as_bytes())).sum()
}
