//! Types, formats, names and counts.

use proptest::prelude::*;
use stillhouse_spec::{
    Choice, ColumnName, Counts, DataType, GENERATIONS_MAX, MaxRejected, SourceName, TableName, TimeFormat, object_id,
    split_object_id,
};

#[test]
fn types() {
    for text in
        ["string", "int64", "float64", "decimal(38,38)", "bool", "date", "timestamp", "time", "json", "list<date>"]
    {
        assert_eq!(text.parse::<DataType>().unwrap().to_string(), text);
    }
    assert_eq!(" list< decimal( 12 , 2 ) > ".parse::<DataType>().unwrap().to_string(), "list<decimal(12,2)>");
    for text in
        ["", "String", "decimal", "decimal(0,0)", "decimal(39,0)", "decimal(2,3)", "list<>", "list<list<bool>>", "list"]
    {
        assert!(text.parse::<DataType>().is_err(), "{text}");
    }
}

#[test]
fn formats() {
    let lacks_year = |text: &str| text.parse::<TimeFormat>().unwrap().lacks_year();
    assert!(lacks_year("%m/%d") && lacks_year("%d %b %H:%M"));
    assert!(!lacks_year("%m/%d/%y") && !lacks_year("iso8601") && !lacks_year("unix_ms") && !lacks_year("%H:%M"));
    for text in ["", "%", "%q", "abc", "100%%", "%Y-%"] {
        assert!(text.parse::<TimeFormat>().is_err(), "{text}");
    }
    assert_eq!(TimeFormat::iso8601(), "iso8601".parse().unwrap());
}

#[test]
fn names() {
    assert!("eu-orders_2".parse::<SourceName>().is_ok());
    assert!("eu-orders".parse::<TableName>().is_err() && "_receipts".parse::<TableName>().is_ok());
    for text in ["", "1a", "a b", "ä", "a.b", "a/b", &"x".repeat(101)] {
        assert!(text.parse::<ColumnName>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<ColumnName>("\"a b\"").is_err());
}

#[test]
fn rejects() {
    let share = MaxRejected::Share(100);
    assert!(!share.exceeded(1, 100) && share.exceeded(2, 100) && share.exceeded(1, 99));
    assert!(!share.exceeded(0, 0) && !MaxRejected::Share(0).exceeded(0, 5) && MaxRejected::Share(0).exceeded(1, 5));
    assert!(!MaxRejected::Share(10_000).exceeded(5, 5));
    assert!(!share.exceeded(u64::MAX / 100, u64::MAX));
    assert!(!MaxRejected::Count(3).exceeded(3, 3) && MaxRejected::Count(3).exceeded(4, 400));
}

#[test]
fn choices_print_who_decided() {
    assert_eq!(Choice::detected(';').to_string(), "`;` (detected)");
    assert_eq!(serde_json::to_string(&Choice::set("x")).unwrap(), r#"{"value":"x","origin":"set"}"#);
}

#[test]
fn counts_balance() {
    let mut counts = Counts { read: 10, loaded: 6, quarantined: 2, filtered: 1, blank: 1 };
    assert!(counts.balanced());
    counts.add(&Counts { read: 1, ..Counts::default() });
    assert!(!counts.balanced());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_type_or_none(text in "(list<)?(decimal\\(|[a-z0-9]{0,6})[0-9, ]{0,6}\\)?>?") {
        if let Ok(data_type) = text.parse::<DataType>() {
            prop_assert_eq!(data_type.to_string().parse::<DataType>(), Ok(data_type));
        }
    }

    #[test]
    fn any_text_is_a_format_or_none(text in "(%?\\PC){0,8}") {
        if let Ok(format) = text.parse::<TimeFormat>() {
            prop_assert_eq!(format.to_string().parse::<TimeFormat>(), Ok(format));
        }
    }

    #[test]
    fn shares_print_and_parse(share in 0u32..=10_000) {
        let share = MaxRejected::Share(share);
        prop_assert_eq!(share.to_string().parse::<MaxRejected>(), Ok(share));
    }

    #[test]
    fn object_ids_keep_both_numbers(key in 0i64..1 << 43, generation in 0..GENERATIONS_MAX) {
        prop_assert_eq!(split_object_id(object_id(key, generation)), (key, generation));
        // All generations of a key are one range.
        prop_assert!(object_id(key, generation) < object_id(key + 1, 0));
    }
}
