//! Values of every type.

use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array, Int64Array,
    ListBuilder, StringArray, StringBuilder, Time64MicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use stillhouse_spec::NewField;

use super::{array, file, parquet, table};
use crate::common::shared;

#[test]
fn every_type_finds_ours() {
    let bytes = file(
        vec![
            ("small", array(Int16Array::from(vec![Some(-3), None]))),
            ("huge", array(UInt64Array::from(vec![7, 8]))),
            ("ratio", array(Float32Array::from(vec![Some(1.5), None]))),
            ("money", array(Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(9, 2).unwrap())),
            ("ok", array(BooleanArray::from(vec![Some(true), None]))),
            ("day", array(Date32Array::from(vec![Some(18_718), None]))),
            ("at", array(TimestampMillisecondArray::from(vec![Some(1_515_788_500_123), None]).with_timezone("UTC"))),
            ("local", array(TimestampNanosecondArray::from(vec![Some(1_515_788_500_123_456_789), None]))),
            ("time", array(Time64MicrosecondArray::from(vec![Some(3_600_000_000), None]))),
            ("text", array(StringArray::from(vec![Some("a\0é"), None]))),
            ("bytes", array(BinaryArray::from(vec![Some("b".as_bytes()), None]))),
        ],
        1024,
    );
    let case = table(
        "small = 'int64'\nhuge = 'int64'\nratio = 'float64'\nmoney = 'decimal(12,4)'\nok = 'bool'\nday = 'date'\nat = 'timestamp'\n\
         local = { type = 'timestamp', zone = 'Europe/Berlin' }\ntime = 'time'\ntext = 'string'\nbytes = 'string'",
    );
    let nulls = ["∅"; 9].join(",");
    assert_eq!(case.run(&bytes).unwrap().refused(), "");
    assert_eq!(
        case.rows(&bytes),
        format!(
            "-3,7,1.5,12.5000,true,2021-04-01,2018-01-12T20:21:40.123Z,2018-01-12T19:21:40.123456Z,01:00:00,a\0é,b\n\
             ∅,8,{nulls}"
        )
    );
    // The same values as other types.
    let texts = table(
        "small = 'string'\nmoney = 'string'\nok = 'string'\nday = 'string'\nat = 'date'\nlocal = 'timestamp'\ntext = 'json'",
    );
    assert_eq!(
        texts.with(|case| case.contract.unknown_columns = stillhouse_spec::UnknownColumns::Ignore).rows(&bytes),
        "-3,12.50,true,2021-04-01,2018-01-12,2018-01-12T20:21:40.123456Z,\"a\\u0000é\"\n∅,∅,∅,∅,∅,∅,∅"
    );
}

#[test]
fn values_that_do_not_fit_refuse_their_row() {
    let bytes = file(
        vec![
            ("id", array(Int64Array::from(vec![Some(1), None, Some(3), Some(4), Some(5), Some(6)]))),
            ("huge", array(UInt64Array::from(vec![1, 2, u64::MAX, 4, 5, 6]))),
            ("ratio", array(Float64Array::from(vec![1.0, 2.0, 3.0, f64::NAN, 5.0, 6.0]))),
            ("number", array(StringArray::from(vec!["1.5", "2", "3", "4", "x", "6"]))),
        ],
        2,
    );
    let case = table(
        "id = { type = 'int64', required = true, max = 5 }\nhuge = 'int64'\nratio = 'float64'\nnumber = 'decimal(6,2)'",
    );
    let got = case.run(&bytes).unwrap();
    assert_eq!(got.table(0), "1,1,1.0,1.50,0");
    assert_eq!(
        got.refused(),
        "line 2 (bytes 0+45) column id: missing_value, expected a value, found \n\
         line 3 (bytes 0+61) column huge: out_of_range, expected int64, found 18446744073709551615\n\
         line 4 (bytes 0+43) column ratio: unreadable_float64, expected float64, found NaN\n\
         line 5 (bytes 0+42) column number: unreadable_decimal, expected decimal(6,2), found x\n\
         line 6 (bytes 0+42) column id: outside_limits, expected at most 5, found 6"
    );
    let raw = got.rejects[1].raw.as_deref().unwrap();
    assert_eq!(String::from_utf8_lossy(raw), r#"{"id":3,"huge":18446744073709551615,"ratio":3.0,"number":"3"}"#);
}

#[test]
fn lists_checks_and_defaults() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), None]);
    tags.append_null();
    tags.append_value(Vec::<Option<&str>>::new());
    let bytes = file(
        vec![
            ("id", array(Int64Array::from(vec![1, 2, 3]))),
            ("tags", array(tags.finish())),
            ("plan", array(StringArray::from(vec![Some("pro"), None, Some("-")]))),
        ],
        1024,
    );
    let case = parquet(
        "[table]\nname = 't'\n[table.columns]\nid = 'int64'\ntags = 'list<string>'\nplan = { type = 'string', default = 'free', null_values = '-' }\n\
         [[child]]\nname = 'tags'\nfrom = 't.tags[]'\nitem = 'tag'\ncopy = { id = 'id' }",
    );
    let got = case.run(&bytes).unwrap();
    assert_eq!(got.table(0), "1,[a|∅],pro,0\n2,∅,free,1\n3,[],free,2");
    assert_eq!(got.table(1), "1,a,0,0\n1,∅,0,1");
}

#[test]
fn int96_of_spark_keeps_extreme_years() {
    let case = table(
        "created_time = 'timestamp'\ntype = 'string'\npost_h_id = 'string'\npage_h_id = 'string'\nname_h_id = 'string'",
    );
    let got = case.run(shared("paramount/post_meta/part-00000.snappy.parquet")).unwrap();
    assert_eq!((got.tables[0].len(), got.rejects.len()), (1902, 0));
    assert_eq!(
        got.rows().lines().next().unwrap(),
        "2018-01-09T16:00:00Z,v,MTA1MzE3NDIyODQzNzg0XzE4ODM0MDI2NjUwMzUyNDI,MTA1MzE3NDIyODQzNzg0,TVRWIE5ld3M"
    );
    assert!(got.decided("written by").starts_with("parquet-mr version 1.8.3"));
    // Year 9999 and year 1, as INT96.
    let bytes = super::broken::int96(&[2_932_890, -719_162]);
    assert_eq!(table("at = 'timestamp'").rows(&bytes), "9999-12-25T00:00:00Z\n0001-01-01T00:00:00Z");
}

#[test]
fn columns_that_are_not_known_or_not_there_follow_the_policies() {
    let bytes = file(
        vec![("id", array(Int64Array::from(vec![1, 2]))), ("extra", array(StringArray::from(vec![Some("x"), None])))],
        10,
    );
    let with = |settings: &str, columns: &str| {
        parquet(&format!("[table]\nname = 't'\n{settings}\n[table.columns]\n{columns}"))
    };
    assert!(with("", "id = 'int64'").held(&bytes).starts_with("no column for `extra`"));
    assert_eq!(with("unknown_columns = 'ignore'", "id = 'int64'").rows(&bytes), "1\n2");
    assert_eq!(with("unknown_columns = 'json'", "id = 'int64'").rows(&bytes), "1,{\"extra\":\"x\"}\n2,∅");
    let error = with("unknown_columns = 'add'", "id = 'int64'").run(&bytes).unwrap_err();
    assert_eq!(error.columns(), [NewField { table: None, path: "extra".to_owned() }]);
    let missing = "id = 'int64'\nextra = 'string'\nmore = 'string'";
    assert!(with("", missing).held(&bytes).starts_with("no field for column `more`: found the columns `id`, `extra`"));
    assert_eq!(with("missing_columns = 'null'", missing).rows(&bytes), "1,x,∅\n2,∅,∅");
}
