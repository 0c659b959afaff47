//! The JSON form.

use proptest::prelude::*;
use stillhouse_chart::{Chart, ErrorKind, Kind, Value};

use super::{chart, dated};

#[test]
fn there_and_back() {
    let mut chart = dated(Kind::Area, &["2021-04", "2021-05"], &[("a", &[Some(1.5), None])]);
    chart.series[0].values[1] = Some("12345678901234567890.12".parse().unwrap());
    let text = serde_json::to_string(&chart).unwrap();
    insta::assert_snapshot!(text, @r#"{"format":1,"kind":"area","title":"Events","x":{"type":"date","values":["2021-04","2021-05"]},"series":[{"name":"a","values":[1.5,"12345678901234567890.12"]}],"number":{"thousands":"comma"},"rest":"omit"}"#);
    assert_eq!(Chart::parse(&text).unwrap(), chart);
}

/// A reader that is not exact to the last bit makes its neighbour of this double.
#[test]
fn a_double_is_read_as_it_was_written() {
    let value: Value = "9010000.020201273".parse().unwrap();
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!((text.as_str(), serde_json::from_str::<Value>(&text).unwrap()), ("9010000.020201273", value));
}

#[test]
fn what_is_no_description_is_refused() {
    let refused = |text: &str| {
        let error = Chart::parse(text).unwrap_err();
        (error.kind(), error.to_string())
    };
    let small = |format: u32, rest: &str| {
        format!(
            r#"{{"format":{format},"kind":"bar","title":"","x":{{"type":"category","values":["a"]}},"series":[]{rest}}}"#
        )
    };
    assert!(Chart::parse(&small(1, "")).is_ok());
    assert_eq!(refused(&small(2, "")).0, ErrorKind::FixSettings);
    insta::assert_snapshot!(refused(&small(2, "")).1, @"the chart has format 2, this program reads up to 1");
    assert!(refused(&small(1, r#","colour":"red""#)).1.contains("unknown field `colour`"));
    insta::assert_snapshot!(refused("{}").1, @r#"the chart lacks `"format": 1`"#);
    let short = small(1, "").replace(r#""series":[]"#, r#""series":[{"name":"n","values":[]}]"#);
    insta::assert_snapshot!(refused(&short).1, @"series `n` has 0 values for 1 places");
    let date = small(1, "").replace("category", "date");
    assert!(refused(&date).1.contains("expected a date such as 2021-04-05, found `a`"));
}

#[test]
fn the_picture_in_words() {
    let picture = super::picture::picture(&chart(Kind::Bar, &["a", "b"], &[("events", &[Some(3.0), Some(1200.0)])]));
    assert_eq!(picture.description, "Bar chart of events: 2 values from 3 to 1,200 (largest: b).");
}

proptest! {
    #[test]
    fn values_are_exact(text in "-?[0-9]{1,40}(\\.[0-9]{1,20})?") {
        let value: Value = text.parse().unwrap();
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value.clone());
        prop_assert_eq!(value.number(), text.parse::<f64>().unwrap());
        prop_assert_eq!(Value::sum([&value, &value].into_iter()).number(), 2.0 * value.number());
    }

    /// Whatever the description says, it is drawn.
    #[test]
    fn everything_can_be_drawn(
        kind in prop::sample::select(vec!["line", "bar", "stacked", "area", "pie", "figure"]),
        x in prop::collection::vec("\\PC{0,12}", 0..8),
        numbers in prop::collection::vec(prop::option::of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO), 8),
        title in "\\PC{0,40}",
        limit in prop::option::of(0_usize..10),
        decimals in prop::option::of(0_u8..40),
        percent: bool,
    ) {
        let names: Vec<&str> = x.iter().map(String::as_str).collect();
        let kind: Kind = serde_json::from_value(kind.into()).unwrap();
        let mut chart = chart(kind, &names, &[("n", &numbers[..names.len()])]);
        (chart.title, chart.limit) = (title, limit);
        (chart.number.decimals, chart.number.percent) = (decimals, percent);
        let text = stillhouse_chart::svg(&chart);
        prop_assert!(resvg::usvg::roxmltree::Document::parse(&text).is_ok(), "{}", text);
        prop_assert!(!text.contains("NaN"));
    }
}

/// The pictures of the documentation are those that are drawn now.
#[test]
fn the_documentation_shows_what_is_drawn() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/charts");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let descriptions: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    assert!(descriptions.len() >= 7);
    for path in descriptions {
        let chart = Chart::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        super::picture::picture(&chart);
        let drawn = std::fs::read_to_string(path.with_extension("svg")).unwrap();
        let again = "cargo run --release -p stillhouse-chart --example gallery -- docs/charts";
        assert!(drawn == stillhouse_chart::svg(&chart), "{} is old: {again}", path.display());
    }
}
