//! The same table, written as CSV in any dialect, as JSON in any layout and as Parquet, comes back the same.

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use proptest::prelude::*;
use stillhouse_spec::{CsvOptions, EscapeStyle, HeaderStyle, InputFormat, QuoteStyle};

use crate::common::{Case, Got};
use crate::parquet::{array, file};

const COLUMNS: &str = "[table]\nname = 't'\n[table.columns]\nid = 'int64'\nratio = 'float64'\nmoney = 'decimal(20,3)'\nok = 'bool'\n\
    day = 'date'\nat = 'timestamp'\ntext = { type = 'string', null_values = '(none)' }\ntags = { type = 'list<string>', list = 'json' }";

#[derive(Debug, Clone)]
struct Row {
    id: Option<i64>,
    ratio: Option<f64>,
    money: Option<i64>,
    ok: Option<bool>,
    day: Option<i32>,
    at: Option<i64>,
    text: Option<String>,
    tags: Option<Vec<String>>,
}

/// Years 1 to 9999.
const DAYS: std::ops::Range<i32> = -719_162..2_932_896;

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[a-zA-Z0-9 ]{0,6}",
        2 => prop::sample::select(vec!["\"", "'", "\n", "\r\n", ",", ";", "\t", "|", "\\", "é😀", "\u{0}", "[", "{}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let numbers = (
        any::<Option<i64>>(),
        prop::option::of(-1e300..1e300_f64),
        prop::option::of(any::<i64>()),
        any::<Option<bool>>(),
    );
    let times = (
        prop::option::of(DAYS),
        prop::option::of(DAYS.start as i64 * 86_400_000_000..DAYS.end as i64 * 86_400_000_000),
    );
    let texts = (prop::option::of(text()), prop::option::of(prop::collection::vec(text(), 0..4)));
    let row = (numbers, times, texts).prop_map(|((id, ratio, money, ok), (day, at), (text, tags))| Row {
        id,
        ratio,
        money,
        ok,
        day,
        at,
        text,
        tags,
    });
    prop::collection::vec(row, 1..20)
}

fn day(days: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

fn moment(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Thousandths as a decimal number.
fn decimal(thousandths: i64) -> String {
    let (sign, digits) = (if thousandths < 0 { "-" } else { "" }, thousandths.unsigned_abs());
    format!("{sign}{}.{:03}", digits / 1000, digits % 1000)
}

impl Row {
    /// The values as JSON, with the names of their columns.
    fn values(&self) -> [(&'static str, Option<String>); 8] {
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        [
            ("id", self.id.map(|id| id.to_string())),
            ("ratio", self.ratio.map(|ratio| format!("{ratio:?}"))),
            ("money", self.money.map(decimal)),
            ("ok", self.ok.map(|ok| ok.to_string())),
            ("day", self.day.map(|days| format!("\"{}\"", day(days)))),
            ("at", self.at.map(|at| format!("\"{}\"", moment(at)))),
            ("text", self.text.as_ref().map(quoted)),
            (
                "tags",
                self.tags.as_ref().map(|tags| format!("[{}]", tags.iter().map(quoted).collect::<Vec<_>>().join(","))),
            ),
        ]
    }
}

fn json(rows: &[Row], layout: usize, absent: bool) -> String {
    let object = |row: &Row| {
        let values = row.values().into_iter();
        let fields = values.filter_map(|(name, value)| match value {
            Some(value) => Some(format!("\"{name}\": {value}")),
            None if absent => None,
            None => Some(format!("\"{name}\": null")),
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    };
    let objects: Vec<String> = rows.iter().map(object).collect();
    match layout {
        0 => objects.join("\n"),
        1 => format!("[{}]", objects.join(",\n")),
        _ => objects.join(""),
    }
}

#[derive(Debug, Clone)]
struct Dialect {
    delimiter: u8,
    quote: u8,
    backslash: bool,
    all_quoted: bool,
    line_end: &'static str,
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let delimiter = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let quote = prop::sample::select(vec![b'"', b'\'']);
    (delimiter, quote, any::<bool>(), any::<bool>(), prop::sample::select(vec!["\n", "\r\n"])).prop_map(
        |(delimiter, quote, backslash, all_quoted, line_end)| Dialect {
            delimiter,
            quote,
            backslash,
            all_quoted,
            line_end,
        },
    )
}

impl Dialect {
    fn field(&self, text: &str) -> String {
        let special = |byte: u8| byte == self.delimiter || byte == self.quote || matches!(byte, b'\n' | b'\r' | b'\\');
        if !self.all_quoted && !text.bytes().any(special) {
            return text.to_owned();
        }
        let quote = char::from(self.quote);
        let escaped = match self.backslash {
            true => text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}")),
            false => text.replace(quote, &format!("{quote}{quote}")),
        };
        format!("{quote}{escaped}{quote}")
    }

    fn write(&self, rows: &[Row]) -> String {
        let delimiter = char::from(self.delimiter).to_string();
        let mut lines = vec!["id ratio money ok day at text tags".replace(' ', &delimiter)];
        for row in rows {
            let plain = |name: &str, value: Option<String>| match (name, value) {
                ("text", _) => row.text.clone().unwrap_or_else(|| "(none)".to_owned()),
                (_, value) => value.unwrap_or_default().trim_matches('"').to_owned(),
            };
            let list = row.values()[7].1.clone().unwrap_or_default();
            let line = |dialect: &Self| {
                let fields = row.values().into_iter().map(|(name, value)| match name {
                    "tags" => dialect.field(&list),
                    _ => dialect.field(&plain(name, value)),
                });
                fields.collect::<Vec<_>>().join(&delimiter)
            };
            let plain_line = line(self);
            // Nothing but blanks and tabs is no record.
            let is_blank = plain_line.trim_matches([' ', '\t']).is_empty();
            lines.push(if is_blank { line(&Self { all_quoted: true, ..self.clone() }) } else { plain_line });
        }
        lines.join(self.line_end)
    }

    fn options(&self) -> CsvOptions {
        CsvOptions {
            delimiter: Some(self.delimiter),
            quote: Some(QuoteStyle::Byte(self.quote)),
            escape: Some(if self.backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled }),
            header: Some(HeaderStyle::Present),
            ..CsvOptions::default()
        }
    }
}

fn parquet(rows: &[Row], group_rows: usize) -> Vec<u8> {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match &row.tags {
            Some(items) => tags.append_value(items.iter().map(Some)),
            None => tags.append_null(),
        }
    }
    let money: Decimal128Array = rows.iter().map(|row| row.money.map(i128::from)).collect();
    let texts: StringArray = rows.iter().map(|row| row.text.as_deref()).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", array(rows.iter().map(|row| row.id).collect::<Int64Array>())),
        ("ratio", array(rows.iter().map(|row| row.ratio).collect::<Float64Array>())),
        ("money", array(money.with_precision_and_scale(20, 3).unwrap())),
        ("ok", array(rows.iter().map(|row| row.ok).collect::<BooleanArray>())),
        ("day", array(rows.iter().map(|row| row.day).collect::<Date32Array>())),
        ("at", array(rows.iter().map(|row| row.at).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
        ("text", array(texts)),
        ("tags", array(tags.finish())),
    ];
    file(columns, group_rows)
}

fn tables(got: Got) -> Vec<Vec<String>> {
    assert!(got.rejects.is_empty(), "{}", got.refused());
    got.tables.into_iter().next().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_comes_back_from_every_format(
        rows in rows(), dialect in dialect(), layout in 0..3_usize, absent in any::<bool>(), group_rows in 1..30_usize,
    ) {
        // What means "no value" in CSV is a text elsewhere.
        prop_assume!(rows.iter().all(|row| row.text.as_deref() != Some("(none)")));
        let expected = tables(Case::of_source("parquet", COLUMNS).run(parquet(&rows, group_rows)).unwrap());
        prop_assert_eq!(expected.len(), rows.len());
        let from_json = tables(Case::of_source("json", COLUMNS).run(json(&rows, layout, absent)).unwrap());
        prop_assert_eq!(&from_json, &expected);
        let mut case = Case::of_source("csv", COLUMNS);
        case.format = InputFormat::Csv(dialect.options());
        let from_csv = tables(case.run(dialect.write(&rows)).unwrap());
        prop_assert_eq!(&from_csv, &expected);
    }
}
