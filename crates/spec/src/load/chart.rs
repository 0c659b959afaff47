//! `[queries.NAME.chart]` of a report.

use super::Read;
use super::reader::Node;
use crate::report::{ChartFormat, ChartKind, ChartRest, ChartSettings, ChartThousands};

pub(super) const KEYS: &[&str] =
    &["kind", "title", "subtitle", "x", "y", "series", "x_title", "y_title", "format", "limit", "rest"];
pub(super) const FORMAT_KEYS: &[&str] = &["unit", "percent", "decimals", "thousands"];

const KINDS: &[(&str, ChartKind)] = &[
    ("line", ChartKind::Line),
    ("bar", ChartKind::Bar),
    ("stacked", ChartKind::Stacked),
    ("area", ChartKind::Area),
    ("pie", ChartKind::Pie),
    ("figure", ChartKind::Figure),
];
const RESTS: &[(&str, ChartRest)] = &[("other", ChartRest::Other), ("omit", ChartRest::Omit)];
const THOUSANDS: &[(&str, ChartThousands)] = &[
    ("comma", ChartThousands::Comma),
    ("blank", ChartThousands::Blank),
    ("apostrophe", ChartThousands::Apostrophe),
    ("none", ChartThousands::None),
];

/// More categories than this are no picture.
const LIMIT_MAX: i64 = 200;

pub(super) fn read(node: &Node<'_, '_>) -> Read<ChartSettings> {
    let reader = node.table(KEYS)?;
    let text = |key| reader.optional(key, |node| Ok(node.text()?.value));
    let kind = reader.required("kind", "`kind = \"bar\"`", |node| node.word(KINDS));
    let [title, subtitle, x, series] = ["title", "subtitle", "x", "series"].map(text);
    let [x_title, y_title] = ["x_title", "y_title"].map(text);
    let y = reader.optional("y", |node| node.one_or_many(|node| Ok(node.text()?.value)));
    let format = reader.optional("format", format);
    let limit = reader.optional("limit", |node| node.whole(1..=LIMIT_MAX));
    let rest = reader.optional("rest", |node| node.word(RESTS));
    let (y, series) = (y?.unwrap_or_default(), series?);
    if let (Some(node), true, true) = (reader.get("y"), y.len() > 1, series.is_some()) {
        let hint = "the values of the column `series` are the series already; name one column, or leave `series` out";
        return Err(node.problem_with(format!("expected one column beside `series`, found {}", y.len()), hint));
    }
    if let (Some(node), true, Ok(ChartKind::Pie)) = (reader.get("y"), y.len() > 1, kind) {
        return Err(
            node.problem_with(format!("expected one column for a pie, found {}", y.len()), "use `bar` for several")
        );
    }
    Ok(ChartSettings {
        kind: kind?,
        title: title?,
        subtitle: subtitle?,
        x: x?,
        y,
        series,
        x_title: x_title?,
        y_title: y_title?,
        format: format?.unwrap_or_default(),
        limit: limit?.and_then(|limit| usize::try_from(limit).ok()),
        rest: rest?,
    })
}

fn format(node: &Node<'_, '_>) -> Read<ChartFormat> {
    let reader = node.table(FORMAT_KEYS)?;
    let unit = reader.optional("unit", |node| Ok(node.text()?.value));
    let percent = reader.optional("percent", |node| node.flag());
    let decimals = reader.optional("decimals", |node| node.whole(0..=38));
    let thousands = reader.optional("thousands", |node| node.word(THOUSANDS));
    Ok(ChartFormat {
        unit: unit?.unwrap_or_default(),
        percent: percent?.unwrap_or_default(),
        decimals: decimals?.and_then(|digits| u8::try_from(digits).ok()),
        thousands: thousands?.unwrap_or_default(),
    })
}
