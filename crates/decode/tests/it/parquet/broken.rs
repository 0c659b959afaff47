//! Files that are none, or not whole.

use std::sync::Arc;

use ::parquet::data_type::{Int96, Int96Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use arrow::array::{Int64Array, StringArray};
use proptest::prelude::*;

use super::{array, file, table};

/// A file with one column `at` of INT96, with these days since 1970 as values.
pub fn int96(days: &[i64]) -> Vec<u8> {
    const JULIAN_1970: i64 = 2_440_588;
    let schema = Arc::new(parse_message_type("message m { required int96 at; }").unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let value = |day: &i64| Int96::from(vec![0, 0, u32::try_from(day + JULIAN_1970).unwrap()]);
    let values: Vec<Int96> = days.iter().map(value).collect();
    column.typed::<Int96Type>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn small() -> Vec<u8> {
    let ids: Vec<i64> = (0..100).collect();
    let texts: Vec<String> = ids.iter().map(|id| format!("text {id}")).collect();
    file(vec![("id", array(Int64Array::from(ids))), ("text", array(StringArray::from(texts)))], 40)
}

#[test]
fn what_is_no_parquet_is_held_with_a_word() {
    let case = table("id = 'int64'\ntext = 'string'");
    assert_eq!(
        case.held("id,timestamp,email\n1,2021-04-01,a@b.c\n"),
        "expected a Parquet file, which begins with `PAR1`, found `id,timestamp,email 1,202`\n\
         hint: set the `type` of the source to what the files are, or send a Parquet file"
    );
    let whole = small();
    assert_eq!(
        case.held(&whole[..whole.len() / 2]),
        "expected `PAR1` at the end of the Parquet file, found 4 bytes of something else: its end is missing\n\
         hint: the file seems to be cut off; send it again"
    );
    assert!(case.held("").starts_with("expected a Parquet file, which begins with `PAR1`, found ``"));
    assert!(case.held("PAR1").contains("its end is missing"));
    let mut lies = whole.clone();
    let at = lies.len() - 8;
    lies[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(
        case.held(&lies)
            .contains("the footer of the Parquet file is damaged: it says that it is 4294967295 bytes long")
    );
}

#[test]
fn a_file_without_rows_is_a_file() {
    let bytes = file(
        vec![
            ("id", array(Int64Array::from(Vec::<i64>::new()))),
            ("text", array(StringArray::from(Vec::<&str>::new()))),
        ],
        40,
    );
    let got = table("id = 'int64'\ntext = 'string'").run(&bytes).unwrap();
    assert_eq!((got.outcome.counts.read, got.batches), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Nothing panics, and what is read balances.
    #[test]
    fn damage_is_held_or_gives_other_values(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
        let mut bytes = small();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        let case = table("id = 'int64'\ntext = 'string'");
        match case.run(&bytes) {
            Ok(got) => prop_assert!(got.outcome.counts.balanced()),
            Err(error) => prop_assert!(error.is_held(), "{}", error),
        }
    }
}
