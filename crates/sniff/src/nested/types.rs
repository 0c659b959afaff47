//! The type of a column of nested records. Here the file says itself what is a text and what a number, so less is guessed
//! than in CSV; and as a record may be large, a type is only taken if it reads every value.

use stillhouse_spec::{DataType, NumberFormat};

use super::layout::Kind;
use super::leaf::Leaf;
use crate::api::{Notes, Place};
use crate::column::At;
use crate::decide::{Context, Decided, moments};
use crate::names::is_money;
use crate::text::{count, counted};

/// Amounts of money have so many digits behind the point at most.
const MONEY_DIGITS_MAX: usize = 4;
/// A decimal has at most so many digits.
const DECIMAL_DIGITS_MAX: usize = 38;

/// Formats of nothing but digits.
const DIGITS: [&str; 4] = ["unix", "unix_ms", "%Y%m%d", "%Y%m%d%H%M%S"];

/// Decides the type; `values` are there in `rows` of rows.
pub(super) fn decide(leaf: &Leaf, kind: Kind, rows: u64, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
    match kind {
        Kind::Json(why) => {
            let why = why.map_or("kept as JSON", super::tree::Why::text);
            notes.remark(place, about, why);
            Decided::of(DataType::Json)
        }
        Kind::List => {
            let item = item(leaf, context);
            let lists = counted(leaf.wholes, "list");
            let items = counted(leaf.scalars() + leaf.null_items, "item");
            notes.found(place, about, format!("list<{item}>: {lists} with {items}"));
            Decided::of(DataType::List(Box::new(item)))
        }
        Kind::Scalar if leaf.scalars() == 0 => {
            if rows > 0 {
                let text = format!("no value in {}: taken for text", counted(rows, "row"));
                notes.remark(place, about, text);
            }
            Decided::text()
        }
        Kind::Scalar => scalar(leaf, context, notes),
    }
}

fn item(leaf: &Leaf, context: &Context<'_>) -> DataType {
    let (numbers, values) = (leaf.numbers, leaf.scalars());
    let mut unheard = Notes::default();
    match values {
        0 => DataType::String,
        _ if leaf.bools == values => DataType::Bool,
        _ if numbers.values == values => number(leaf, context, &mut unheard).data_type,
        _ => DataType::String,
    }
}

fn scalar(leaf: &Leaf, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let values = leaf.scalars();
    let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
    // Texts that say that there is no value stand beside values of any kind.
    let meant = values - (leaf.texts - leaf.filled_texts);
    if leaf.bools > 0 && leaf.bools == meant {
        notes.found(place, about, format!("bool: {} of {} values", count(leaf.bools), count(values)));
        return Decided::of(DataType::Bool);
    }
    if leaf.numbers.values > 0 && leaf.numbers.values == meant {
        return moment(leaf, context, notes).unwrap_or_else(|| number(leaf, context, notes));
    }
    if leaf.numbers.values + leaf.bools > 0 && leaf.filled_texts > 0 {
        let others = counted(leaf.numbers.values + leaf.bools, "value");
        let text = format!("text: {} of texts, and {others} of another kind", count(leaf.texts));
        notes.remark(place, about, text);
        return Decided::text();
    }
    if leaf.numbers.values > 0 && leaf.bools > 0 {
        notes.remark(place, about, "text: truth values beside numbers");
        return Decided::text();
    }
    text(leaf, context, notes)
}

/// A date or a time, if every value is one.
pub(super) fn moment(leaf: &Leaf, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let mut heard = Notes::default();
    let decided = moments::decide(&leaf.column, context, &mut heard)?;
    let read = |survey: &crate::moments::MomentSurvey| {
        let ways = decided.formats.iter().filter_map(|format| survey.way(format));
        ways.map(|way| way.fits).max().unwrap_or(0)
    };
    let unread: u64 = leaf.column.moments.iter().map(|survey| survey.values - read(survey)).sum();
    // A number is a day or a time only where it is written as one: `12.5` is none.
    let plain = |format: &String| DIGITS.contains(&format.as_str());
    if leaf.filled_texts == 0 && (unread > 0 || !decided.formats.iter().all(plain) || decided.formats.is_empty()) {
        return None;
    }
    if unread > 0 && decided.data_type != DataType::String {
        let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
        let text = format!(
            "text: {} of {} read as `{}`{}. As a {} it would refuse the records of the others",
            count(leaf.column.filled - unread),
            counted(leaf.column.filled, "value"),
            decided.formats.join("`, `"),
            unread_example(leaf, &decided.formats, context),
            decided.data_type
        );
        notes.doubt(place, about, text);
        return None;
    }
    notes.0.extend(heard.0);
    Some(decided)
}

/// A value that is read in none of the formats.
fn unread_example(leaf: &Leaf, formats: &[String], context: &Context<'_>) -> String {
    let mut unread = leaf.column.moments.iter().enumerate().filter_map(|(file, survey)| {
        let ways = || formats.iter().filter_map(|format| survey.way(format));
        let (line, text) = ways().next()?.unread.as_ref()?;
        ways().all(|way| way.unread.is_some()).then(|| context.example(At { file, line: *line }, text))
    });
    unread.next().map(|example| format!(", {example} does not")).unwrap_or_default()
}

fn number(leaf: &Leaf, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
    let numbers = leaf.numbers;
    let (whole, fraction) = (numbers.whole_digits, numbers.fraction_digits);
    let money = is_money(context.name);
    if numbers.int64s == numbers.values {
        let text = match leaf.column.numbers.range {
            Some((least, greatest)) if !context.personal => format!("; from {least} to {greatest}"),
            _ => String::new(),
        };
        notes.found(place.clone(), about.clone(), format!("int64: {} values{text}", count(numbers.values)));
        if money {
            let text = "whole numbers so far. If amounts with cents can come, write type = \"decimal(18,2)\"";
            notes.remark(place, about, text);
        }
        return Decided::of(DataType::Int64);
    }
    if numbers.exponents == 0 && fraction == 0 && whole <= DECIMAL_DIGITS_MAX {
        let text = format!("numbers of up to {whole} digits do not fit into an int64");
        notes.remark(place, about, text);
        return Decided::of(DataType::Decimal { precision: 38, scale: 0 });
    }
    let decimal = crate::decide::decimal(whole, fraction).filter(|_| money && numbers.exponents == 0);
    if let Some(decimal) = decimal.filter(|_| fraction <= MONEY_DIGITS_MAX) {
        let text = format!("{decimal}: an amount by its name, and at most {fraction} digits behind the point");
        notes.found(place, about, text);
        return Decided::of(decimal);
    }
    if numbers.floats == numbers.values {
        let text = format!("float64: at most {fraction} digits behind the point, {} exponents", numbers.exponents);
        notes.found(place, about, text);
        return Decided::of(DataType::Float64);
    }
    notes.remark(place, about, "text: some of the numbers are too large for a float64");
    Decided::text()
}

fn text(leaf: &Leaf, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let (place, about) = (Place::Column(context.number), format!("type of {}", context.name));
    let (column, filled) = (&leaf.column, leaf.filled_texts);
    let json = column.lists.json();
    if json > 0 && json * 10 >= filled * 9 {
        let others = match filled - json {
            0 => "whose text is none".to_owned(),
            others => format!("of {} that are none", count(others)),
        };
        let text = format!(
            "{} of {} are JSON, and stay as they are: as `json`, or with columns from `{}.NAME`, the records {others} would \
             be refused",
            count(json),
            counted(filled, "text"),
            column.header.as_deref().unwrap_or_default(),
        );
        notes.remark(place, about, text);
        return Decided::text();
    }
    if let Some(decided) = crate::decide::of_known_shape(column, context, notes) {
        return decided;
    }
    if let Some(decided) = moment(leaf, context, notes) {
        return decided;
    }
    if let Some(decided) = amount(leaf, context, notes) {
        return decided;
    }
    notes.found(place, about, format!("string: {} of no narrower type", counted(filled, "text")));
    Decided::text()
}

/// Amounts of money are often written as texts, so that no digit is lost.
fn amount(leaf: &Leaf, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let best = leaf.column.numbers.best(false);
    let way = best.iter().find(|way| way.format() == NumberFormat::default())?;
    let all = way.fits == leaf.column.filled && way.exponents == 0 && way.fractions > 0;
    if !(all && is_money(context.name) && leaf.column.numbers.padded.is_none()) {
        return None;
    }
    let decimal = crate::decide::decimal(way.whole_digits, way.fraction_digits)?;
    let text = format!("{decimal}: {} of amounts written as texts", counted(way.fits, "value"));
    notes.found(Place::Column(context.number), format!("type of {}", context.name), text);
    Some(Decided::of(decimal))
}
