//! Numbers: whole, exact with a fraction, or with exponents.

use stillhouse_spec::{Currency, DataType};

use super::{Context, Decided, tolerated};
use crate::api::Notes;
use crate::column::{At, Column};
use crate::names::is_money;
use crate::numbers::Way;

/// Digits that every decimal has room for, so that a later file with larger amounts is not refused.
const PRECISION: usize = 18;
/// … and so many more than were seen before the point.
const WHOLE_HEADROOM: usize = 4;
const PRECISION_MAX: usize = 38;
/// Amounts of money have cents, although a file may have none by chance.
const SCALE_MIN: usize = 2;
/// From here on the digits come from a computer, and another value may have more of them.
const SCALE_COMPUTED: usize = 10;
/// An integer of more digits may not fit into 64 bits.
const INT64_DIGITS: usize = 18;

/// A decimal with room for so many digits before and behind the point; `None` if there is none.
pub(crate) fn decimal(whole: usize, fraction: usize) -> Option<DataType> {
    if whole + fraction > PRECISION_MAX {
        return None;
    }
    let wished = match fraction {
        0..=SCALE_MIN => SCALE_MIN,
        SCALE_COMPUTED.. => (fraction + 2).max(PRECISION),
        exact => exact,
    };
    let scale = wished.min(PRECISION_MAX - whole).max(fraction);
    let precision = (whole + WHOLE_HEADROOM + scale).clamp(PRECISION, PRECISION_MAX);
    let small = |number: usize| u8::try_from(number).expect("at most 38");
    Some(DataType::Decimal { precision: small(precision), scale: small(scale) })
}

pub(super) fn decide(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let best = column.numbers.best(context.comma_first);
    let way = best.first()?;
    let failures = column.filled - way.fits;
    if way.fits == 0 {
        return None;
    }
    let fractional = way.fractions > 0 || way.exponents > 0;
    let telling = fractional || way.currencies > 0 || column.numbers.signed > 0 || is_money(context.name);
    let acceptable = if telling {
        tolerated(failures, column.filled, is_money(context.name))
    } else {
        failures * 1000 <= column.filled
    };
    if !acceptable {
        mixed(column, way, context, notes);
        return None;
    }
    if let (Some((line, text)), false) = (&column.numbers.padded, fractional) {
        let example = context.example(At { file: 0, line: *line }, text);
        let example = if context.files.len() > 1 { context.shown(text) } else { example };
        let text = format!("string: digits with zeros in front, such as {example}, are no numbers");
        notes.remark(context.place(), context.about(), text);
        return Some(Decided::of(DataType::String));
    }
    let data_type = data_type(way, context, notes)?;
    marks(column, &best, context, notes);
    let read = format!("{data_type}: {} of {} values", way.fits, column.filled);
    notes.found(context.place(), context.about(), format!("{read}{}", evidence(column, way, context)));
    Some(Decided { numbers: way.format(), ..Decided::of(data_type) })
}

fn data_type(way: &Way, context: &Context<'_>, notes: &mut Notes) -> Option<DataType> {
    let (whole, fraction) = (way.whole_digits, way.fraction_digits);
    if way.exponents > 0 {
        let text = format!("float64: {} values have an exponent; float64 is not exact", way.exponents);
        notes.remark(context.place(), context.about(), text);
        return Some(DataType::Float64);
    }
    if way.fractions == 0 && way.currencies == 0 {
        if whole > INT64_DIGITS {
            let text = format!("text: numbers of up to {whole} digits are ids, and may not fit into an int64");
            notes.remark(context.place(), context.about(), text);
            return None;
        }
        if !is_money(context.name) {
            return Some(DataType::Int64);
        }
        let text = "whole numbers so far; by its name it is money, so there is room for cents";
        notes.remark(context.place(), context.about(), text);
    }
    let decimal = decimal(whole, fraction);
    if decimal.is_none() {
        let text =
            format!("text: {whole} digits before the point and {fraction} behind it are more than a decimal has");
        notes.doubt(context.place(), context.about(), text);
    }
    decimal
}

fn evidence(column: &Column, way: &Way, context: &Context<'_>) -> String {
    let mut text = String::new();
    if way.fractions > 0 {
        text.push_str(&format!(
            "; at most {} digits before the point and {} behind it",
            way.whole_digits, way.fraction_digits
        ));
    } else if let (Some((least, greatest)), false) = (column.numbers.range, context.personal) {
        text.push_str(&format!("; from {least} to {greatest}"));
    }
    if way.format().currency == Currency::Skip {
        text.push_str(&format!("; {} with a currency", way.currencies));
    }
    if let Some((line, unread)) = &way.unread
        && way.fits < column.filled
    {
        let file = if context.files.len() > 1 { "some file's " } else { "" };
        text.push_str(&format!("; not {} on {file}line {line}", context.shown(unread)));
    }
    text
}

/// Says that a point or a comma could be either mark.
fn marks(column: &Column, best: &[Way], context: &Context<'_>, notes: &mut Notes) {
    let Some(way) = best.first() else { return };
    let Some(other) = best.iter().find(|other| other.decimal != way.decimal) else { return };
    if way.fits == column.numbers.plain_values() {
        return;
    }
    let role = |way: &Way, mark: char| if way.decimal == mark { "the decimal mark" } else { "between thousands" };
    let mark = if way.fractions > 0 || way.grouping.is_none() { way.decimal } else { way.grouping.unwrap_or('.') };
    let settings = match other.grouping {
        Some(grouping) => format!("decimal = \"{}\", grouping = \"{grouping}\"", other.decimal),
        None => format!("decimal = \"{}\"", other.decimal),
    };
    let text = format!(
        "`{mark}` is taken for {}; it could stand {} as well, every value fits both. If so, write {settings}",
        role(way, mark),
        if role(other, mark) == "between thousands" { "between thousands" } else { "before the fraction" },
    );
    notes.doubt(context.place(), format!("marks of {}", context.name), text);
}

/// Says that many values are numbers and others are not.
fn mixed(column: &Column, way: &Way, context: &Context<'_>, notes: &mut Notes) {
    if way.fits * 2 < column.filled {
        return;
    }
    let not = way.unread.as_ref().map(|(_, text)| format!(", {} is not", context.shown(text))).unwrap_or_default();
    let text = format!("text: {} of {} values are numbers{not}", way.fits, column.filled);
    notes.remark(context.place(), context.about(), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_room() {
        let text = |whole, fraction| decimal(whole, fraction).map(|decimal| decimal.to_string());
        assert_eq!(text(2, 2).unwrap(), "decimal(18,2)");
        assert_eq!(text(5, 0).unwrap(), "decimal(18,2)");
        assert_eq!(text(3, 6).unwrap(), "decimal(18,6)");
        assert_eq!(text(1, 16).unwrap(), "decimal(23,18)");
        assert_eq!(text(20, 2).unwrap(), "decimal(26,2)");
        assert_eq!(text(38, 0).unwrap(), "decimal(38,0)");
        assert_eq!(text(30, 8).unwrap(), "decimal(38,8)");
        assert_eq!(text(30, 9), None);
    }
}
