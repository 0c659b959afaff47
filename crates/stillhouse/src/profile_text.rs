//! A profile for people, and the same for programs.

use arrow::array::ArrayRef;
use serde_json::{Value, json};
use stillhouse_query::{ColumnProfile, Count, Frequent, Profile, QUANTILES};
use stillhouse_report::render::{json_value, shown_value, type_name};

use crate::text::{count, percent, plural};

/// How a profile is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether blocks and signs beyond ASCII can be shown.
    pub unicode: bool,
}

/// Which columns hold personal data, of which no value is shown.
pub type Hidden<'a> = &'a dyn Fn(&str) -> bool;

/// Where the text of a line begins: behind its label.
const INDENT: usize = 13;
/// Characters of a value that a line shows.
const VALUE_CHARS: usize = 30;
/// The same for the ends of a range, of which there are two.
const END_CHARS: usize = 28;
/// Characters of a value that programs get; a longer one ends in `…`.
const JSON_CHARS: usize = 1_000;
/// The longest bar.
const BAR_CHARS: usize = 12;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const LEVELS_ASCII: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '#'];

/// A block of lines for each column.
pub fn text(profile: &Profile, hidden: Hidden<'_>, style: Style) -> String {
    let blocks = profile.columns.iter().map(|column| block(column, hidden(&column.name), style));
    blocks.map(|block| format!("\n{block}")).collect()
}

fn block(column: &ColumnProfile, is_hidden: bool, style: Style) -> String {
    let mut lines = Lines { text: String::new(), style };
    let personal = if is_hidden { "  (personal data)" } else { "" };
    lines.text.push_str(&format!("{}  {}{personal}\n", column.name, type_name(&column.data_type)));
    lines.line("values", &there(column));
    about(column, is_hidden, &mut lines);
    if let Some(items) = &column.items {
        lines.line("items", &there(items));
        about(items, is_hidden, &mut lines);
    }
    if is_hidden && column.values > 0 {
        lines.line("", "`--show-personal` shows values, too");
    }
    lines.text
}

/// `9,998, 2 missing (0.02 %)`
fn there(column: &ColumnProfile) -> String {
    let missing = match column.nulls {
        0 => "none missing".to_owned(),
        nulls => format!("{} missing ({})", count(nulls), percent(nulls, column.values + nulls)),
    };
    format!("{}, {missing}", count(column.values))
}

fn about(column: &ColumnProfile, is_hidden: bool, lines: &mut Lines) {
    if column.values == 0 {
        return;
    }
    if column.items.is_none() && column.distinct.count > 0 {
        lines.line("different", &lines.estimate(column.distinct));
    }
    if let Some(lengths) = column.lengths {
        let what = if column.items.is_some() { "items" } else { "characters" };
        let empty = if column.empty > 0 { format!(", {} empty", count(column.empty)) } else { String::new() };
        let mean = float(lengths.mean);
        let text = match (lengths.min, lengths.max) {
            (min, max) if min == max => format!("{} {what} each", count(min)),
            (min, max) => format!("{} to {} {what}, mean {mean}{empty}", count(min), count(max)),
        };
        lines.line("lengths", &text);
    }
    if is_hidden {
        return;
    }
    range(column, lines);
    if let Some(histogram) = &column.histogram {
        lines.line("spread", &lines.sparks(histogram));
    }
    if column.items.is_none() {
        frequent(&column.frequent, column, lines);
    }
}

fn range(column: &ColumnProfile, lines: &mut Lines) {
    if let Some(bounds) = &column.bounds {
        let end = |row| short(&shown_value(bounds, row), END_CHARS, lines.style);
        let text = format!("{} to {}", end(0), end(1));
        lines.line("range", &text);
    }
    if let Some(mean) = &column.mean {
        lines.line("mean", &number(mean, 0));
    }
    if let Some(quantiles) = &column.quantiles {
        let about = if quantiles.exact { "" } else { lines.about() };
        let parts = QUANTILES
            .iter()
            .enumerate()
            .map(|(row, share)| format!("{} %: {about}{}", share * 100.0, number(&quantiles.values, row)));
        let parts: Vec<String> = parts.collect();
        lines.wrapped("quantiles", &parts);
    }
}

fn frequent(frequent: &Frequent, column: &ColumnProfile, lines: &mut Lines) {
    let Some(most) = frequent.counts.first().copied() else {
        return lines.line("frequent", "no value is");
    };
    if most == 1 && frequent.exact && column.values > 1 {
        return lines.line("frequent", "none, every value is there once");
    }
    let style = lines.style;
    let values: Vec<String> =
        (0..frequent.counts.len()).map(|row| quoted_if_odd(&frequent.values, row, style)).collect();
    let width = values.iter().map(|value| value.chars().count()).max().unwrap_or(0);
    let least = if frequent.exact { "" } else { ">= " };
    let counts: Vec<String> = frequent.counts.iter().map(|number| format!("{least}{}", count(*number))).collect();
    let count_width = counts.iter().map(String::len).max().unwrap_or(0);
    for (row, ((value, text), number)) in values.iter().zip(&counts).zip(&frequent.counts).enumerate() {
        let label = if row == 0 { "frequent" } else { "" };
        let share = percent(*number, column.values);
        let bar = lines.bar(*number, most);
        lines.line(label, format!("{value:width$}  {text:>count_width$}  {share:>7}  {bar}").trim_end());
    }
}

/// Texts with nothing to see, or with blanks at their ends, stand in quotes.
fn quoted_if_odd(values: &ArrayRef, row: usize, style: Style) -> String {
    let text = shown_value(values, row);
    let odd = text.is_empty() || text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    if odd { format!("\"{}\"", short(&text, VALUE_CHARS - 2, style)) } else { short(&text, VALUE_CHARS, style) }
}

/// At most so many characters.
fn short(text: &str, chars: usize, style: Style) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let more = if style.unicode { "…" } else { "..." };
    let kept: String = text.chars().take(chars - more.chars().count()).collect();
    format!("{kept}{more}")
}

/// A value; of floats that were computed only as many digits as mean something.
fn number(values: &ArrayRef, row: usize) -> String {
    use arrow::array::AsArray as _;
    match values.as_primitive_opt::<arrow::datatypes::Float64Type>() {
        Some(floats) => float(floats.value(row)),
        None => shown_value(values, row),
    }
}

/// Four digits behind the point at most; very large and small numbers with an exponent.
fn float(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e15).contains(&value.abs()) {
        return format!("{value:.4e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lines with labels.
struct Lines {
    text: String,
    style: Style,
}

impl Lines {
    fn line(&mut self, label: &str, text: &str) {
        self.text.push_str(format!("  {label:width$}{text}", width = INDENT - 2).trim_end());
        self.text.push('\n');
    }

    /// Parts side by side, as many as fit into a line.
    fn wrapped(&mut self, label: &str, parts: &[String]) {
        let mut line = String::new();
        let mut label = label;
        for part in parts {
            let chars = INDENT + line.chars().count() + 3 + part.chars().count();
            if !line.is_empty() && chars > self.style.width {
                self.line(std::mem::take(&mut label), &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(part);
        }
        self.line(label, &line);
    }

    fn about(&self) -> &'static str {
        if self.style.unicode { "≈ " } else { "~ " }
    }

    fn estimate(&self, number: Count) -> String {
        let about = if number.exact { "" } else { self.about() };
        format!("{about}{}", count(number.count))
    }

    /// A column of the height of each part.
    fn sparks(&self, histogram: &[u64]) -> String {
        let levels = if self.style.unicode { LEVELS } else { LEVELS_ASCII };
        let most = histogram.iter().copied().max().unwrap_or(0).max(1);
        let spark = |part: &u64| match *part {
            0 => ' ',
            part => levels[level(part, most, levels.len() as u64) - 1],
        };
        let sparks: String = histogram.iter().map(spark).collect();
        let (left, right) = if self.style.unicode { ("▕", "▏") } else { ("|", "|") };
        format!("{left}{sparks}{right}")
    }

    fn bar(&self, part: u64, most: u64) -> String {
        let block = if self.style.unicode { "█" } else { "#" };
        block.repeat(level(part, most, BAR_CHARS as u64))
    }
}

/// `part` of `most` in steps, at least one.
fn level(part: u64, most: u64, steps: u64) -> usize {
    let level = (u128::from(part) * u128::from(steps)).div_ceil(u128::from(most.max(1)));
    usize::try_from(level).unwrap_or(1).max(1)
}

/// The profile as one JSON value.
pub fn value(profile: &Profile, hidden: Hidden<'_>) -> Vec<Value> {
    profile.columns.iter().map(|column| column_value(column, hidden(&column.name))).collect()
}

fn column_value(column: &ColumnProfile, is_hidden: bool) -> Value {
    let mut value = json!({
        "name": column.name, "type": type_name(&column.data_type), "personal": is_hidden,
        "values": column.values, "nulls": column.nulls, "empty": column.empty,
    });
    if column.items.is_none() {
        value["distinct"] = column.distinct.count.into();
        value["distinct_exact"] = column.distinct.exact.into();
    }
    if let Some(lengths) = column.lengths {
        value["lengths"] = json!({"min": lengths.min, "max": lengths.max, "mean": lengths.mean});
    }
    if let Some(items) = &column.items {
        value["items"] = column_value(items, is_hidden);
    }
    if is_hidden {
        return value;
    }
    if let Some(bounds) = &column.bounds {
        value["min"] = cut(json_value(bounds, 0));
        value["max"] = cut(json_value(bounds, 1));
    }
    if let Some(mean) = &column.mean {
        value["mean"] = json_value(mean, 0);
    }
    if let Some(quantiles) = &column.quantiles {
        let one = |(row, share): (usize, &f64)| (share.to_string(), json_value(&quantiles.values, row));
        value["quantiles"] = Value::Object(QUANTILES.iter().enumerate().map(one).collect());
        value["quantiles_exact"] = quantiles.exact.into();
    }
    if let Some(histogram) = &column.histogram {
        value["histogram"] = histogram.clone().into();
    }
    if column.items.is_none() {
        let frequent = &column.frequent;
        let one = |(row, number): (usize, &u64)| {
            let text = json_value(&frequent.values, row);
            let text = if frequent.cut[row] {
                Value::String(format!("{}…", text.as_str().unwrap_or_default()))
            } else {
                text
            };
            json!({"value": text, "count": number})
        };
        value["frequent"] = frequent.counts.iter().enumerate().map(one).collect();
        value["frequent_exact"] = frequent.exact.into();
    }
    value
}

/// Long texts are not what a profile is for.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > JSON_CHARS => {
            Value::String(text.chars().take(JSON_CHARS).chain(['…']).collect())
        }
        other => other,
    }
}

/// `posts, the objects of posts.data[]: 512 rows, 9 columns`
pub fn inner_title(name: &str, from: &str, profile: &Profile) -> String {
    title(&format!("{name}, the objects of {from}"), profile)
}

/// `events: 10,000 rows, 8 columns`
pub fn title(name: &str, profile: &Profile) -> String {
    format!("{name}: {}, {}\n", plural(profile.rows, "row"), plural(profile.columns.len() as u64, "column"))
}
