//! Dates, timestamps and times of day: one format for all rows of a file, judged over all of them.

use stillhouse_spec::DataType;

use super::{Context, Decided, tolerated};
use crate::api::Notes;
use crate::column::{At, Column};
use crate::formats::What;
use crate::moments::{MomentSurvey, Way};
use crate::names::{is_instant, is_timely};
use crate::text::count;

/// A format over all files.
#[derive(Debug, Clone)]
struct Total<'c> {
    format: &'c str,
    what: What,
    weak: bool,
    fits: u64,
    with_time: u64,
    with_offset: u64,
    in_period: u64,
    descents: u64,
    years: Option<(i64, i64)>,
}

/// Years in which digits without marks are taken for a date.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i64> = 1970..=2100;
/// … and without a name that speaks of time.
const NEAR_YEARS: std::ops::RangeInclusive<i64> = 1990..=2040;

/// Rows are in order under one format and not under another if there are so many of them, and so many steps back.
const SORTED_MIN: u64 = 5;
const DESCENTS_MIN: u64 = 2;

pub(crate) fn decide(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let totals = totals(column, context);
    let most = totals.iter().map(|total| total.fits).max()?;
    let mut best: Vec<&Total<'_>> = totals.iter().filter(|total| total.fits == most).collect();
    if !tolerated(column.filled - most, column.filled, is_timely(context.name)) {
        return several_formats(column, &totals, context, notes);
    }
    let chosen = choose(column, &mut best, context, notes);
    let formats = formats_of_files(column, chosen.format);
    let data_type = match chosen.what {
        What::Time => DataType::Time,
        What::Day if chosen.with_time > 0 || is_instant(context.name) => DataType::Timestamp,
        What::Day => DataType::Date,
    };
    let others = totals.iter().filter(|total| total.what == chosen.what && total.fits < most);
    let contradicted = others.filter_map(|other| contradiction(column, other.format, context)).next();
    let contradicted = contradicted.map(|text| format!("; {text}")).unwrap_or_default();
    let text =
        format!("{data_type}: {most} of {} values read as `{}`{contradicted}", column.filled, formats.join("`, `"));
    notes.found(context.place(), context.about(), text);
    if data_type == DataType::Timestamp {
        zones(chosen, context, notes);
    }
    Some(Decided { formats, ..Decided::of(data_type) })
}

/// Each format with what it reads in all files together, where it may be meant.
fn totals<'c>(column: &'c Column, context: &Context<'_>) -> Vec<Total<'c>> {
    let mut totals: Vec<Total<'c>> = Vec::new();
    for way in column.moments.iter().flat_map(|survey| &survey.ways) {
        match totals.iter_mut().find(|total| total.format == way.format() && total.what == way.what) {
            Some(total) => total.add(way),
            None => totals.push(Total::new(way)),
        }
    }
    totals.retain(|total| is_meant(total, column, context));
    totals
}

/// Digits and marks that could be a number, a version or a score are a date only if more speaks for it.
fn is_meant(total: &Total<'_>, column: &Column, context: &Context<'_>) -> bool {
    if !total.weak {
        return true;
    }
    let within = |range: &std::ops::RangeInclusive<i64>| {
        total.years.is_some_and(|(first, last)| range.contains(&first) && range.contains(&last))
    };
    let named = is_timely(context.name);
    match total.format {
        "unix" | "unix_ms" => named && within(&PLAUSIBLE_YEARS),
        "%Y%m%d" | "%Y%m%d%H%M%S" => {
            let by_itself = total.fits == column.filled && column.filled > 1 && within(&NEAR_YEARS);
            (named && within(&PLAUSIBLE_YEARS)) || by_itself
        }
        _ => named,
    }
}

impl<'c> Total<'c> {
    fn new(way: &'c Way) -> Self {
        let mut total = Self {
            format: way.format(),
            what: way.what,
            weak: way.weak,
            fits: 0,
            with_time: 0,
            with_offset: 0,
            in_period: 0,
            descents: 0,
            years: None,
        };
        total.add(way);
        total
    }

    fn add(&mut self, way: &Way) {
        self.fits += way.fits;
        self.with_time += way.with_time;
        self.with_offset += way.with_offset;
        self.in_period += way.in_period;
        self.descents += way.descents;
        self.years = match (self.years, way.years()) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (years, other) => years.or(other),
        };
    }

    fn is_year_day_month(&self) -> bool {
        self.format.starts_with("%Y") && self.is_day_first()
    }

    fn is_day_first(&self) -> bool {
        let at = |part| self.format.find(part);
        matches!((at("%d"), at("%m")), (Some(day), Some(month)) if day < month)
    }
}

/// One of those that read equally many values. Where they differ about a value, that is said.
fn choose<'t, 'c>(
    column: &Column,
    best: &mut Vec<&'t Total<'c>>,
    context: &Context<'_>,
    notes: &mut Notes,
) -> &'t Total<'c> {
    // Nobody means year, day, month where year, month, day fits.
    if best.iter().any(|total| !total.is_year_day_month()) {
        best.retain(|total| !total.is_year_day_month());
    }
    let first = best[0];
    let conflict = |a: &Total<'_>, b: &Total<'_>| {
        let surveys = column.moments.iter().enumerate();
        surveys.filter_map(|(file, survey)| Some((file, survey.conflict(a.format, b.format)?))).next()
    };
    best.retain(|other| other.format == first.format || conflict(first, other).is_some());
    if best.len() == 1 {
        return first;
    }
    let most_inside = best.iter().map(|total| total.in_period).max().unwrap_or(0);
    let inside: Vec<&Total<'_>> = best.iter().filter(|total| total.in_period == most_inside).copied().collect();
    if let [only] = *inside.as_slice()
        && best.iter().all(|other| other.format == only.format || other.in_period * 2 < most_inside)
    {
        let text = format!("`{}`: {most_inside} values are in the period that the path names then", only.format);
        notes.remark(context.place(), format!("format of {}", context.name), text);
        return only;
    }
    let dotted = !first.format.contains('/');
    let day_first = context.comma_first || dotted;
    let unsorted = |total: &Total<'_>| total.descents >= DESCENTS_MIN.max(total.fits / 10);
    let sorted =
        |total: &Total<'_>| total.descents == 0 && total.fits >= SORTED_MIN && best.iter().any(|t| unsorted(t));
    let mut order: Vec<&Total<'_>> = best.clone();
    order.sort_by_key(|total| (!sorted(total), total.is_day_first() != day_first));
    let (chosen, other) = (order[0], order[1]);
    if let Some((file, conflict)) = conflict(chosen, other) {
        let at = context.at(At { file, line: conflict.line });
        let example = if context.personal {
            format!("{at} reads as both")
        } else {
            format!("`{}` on {at} is {} or {}", conflict.text, conflict.first, conflict.second)
        };
        let why = if sorted(chosen) { ", with which the rows are in order" } else { "" };
        let text = format!(
            "every value fits `{}` and `{}`: {example}. Taken: `{}`{why}. If that is wrong, write \
             format = \"{}\"",
            chosen.format, other.format, chosen.format, other.format
        );
        notes.doubt(context.place(), format!("format of {}", context.name), text);
    }
    chosen
}

/// The format of most files first, then those of files that it does not read. decode takes one for each file.
fn formats_of_files(column: &Column, chosen: &str) -> Vec<String> {
    let mut formats = vec![chosen.to_owned()];
    let fits = |survey: &MomentSurvey, format: &str| survey.way(format).map_or(0, |way| way.fits);
    for survey in &column.moments {
        let so_far = formats.iter().map(|format| fits(survey, format)).max().unwrap_or(0);
        // The first of several, which is the likeliest.
        let Some(best) = survey.ways.iter().rev().max_by_key(|way| way.fits) else { continue };
        if best.fits > so_far && (best.fits - so_far) * 2 > survey.values {
            formats.push(best.format().to_owned());
        }
    }
    formats
}

/// A value that speaks against a format.
fn contradiction(column: &Column, format: &str, context: &Context<'_>) -> Option<String> {
    let surveys = column.moments.iter().enumerate();
    let mut unread = surveys.filter_map(|(file, survey)| Some((file, survey.way(format)?.unread.clone()?)));
    let (file, (line, text)) = unread.next()?;
    Some(format!("`{format}` does not read {}", context.example(At { file, line }, &text)))
}

fn zones(chosen: &Total<'_>, context: &Context<'_>, notes: &mut Notes) {
    let about = format!("zone of {}", context.name);
    let without = chosen.fits - chosen.with_offset;
    match (chosen.with_time, chosen.with_offset) {
        (0, _) | (_, 0) if chosen.format.starts_with("unix") => {}
        (0, _) => {}
        (_, 0) => {
            let text = "the values state no offset and are read as UTC; a local time needs zone = \"Europe/Berlin\"";
            notes.remark(context.place(), about, text);
        }
        _ if without > 0 => {
            let (without, with) = (count(without), count(chosen.with_offset));
            let text = format!("without an offset, and read as UTC: {without} of the values; with one: {with}");
            notes.remark(context.place(), about, text);
        }
        _ => notes.found(context.place(), about, "every value states its offset"),
    }
}

/// Dates, but in several formats within a file: a file can be read in one only.
fn several_formats(column: &Column, totals: &[Total<'_>], context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let per_file = formats_of_files(column, totals.iter().rev().max_by_key(|total| total.fits)?.format);
    let read: u64 = column
        .moments
        .iter()
        .map(|survey| per_file.iter().filter_map(|format| survey.way(format)).map(|way| way.fits).max().unwrap_or(0))
        .sum();
    let named = is_timely(context.name);
    if per_file.len() > 1 && tolerated(column.filled - read, column.filled, named) {
        let total = totals.iter().find(|total| total.format == per_file[0])?;
        let with_time = totals.iter().any(|t| t.with_time > 0 && per_file.iter().any(|format| format == t.format));
        let data_type = match total.what {
            What::Time => DataType::Time,
            What::Day if with_time || is_instant(context.name) => DataType::Timestamp,
            What::Day => DataType::Date,
        };
        let text = format!("{data_type}: the files are written in `{}`", per_file.join("`, `"));
        notes.remark(context.place(), context.about(), text);
        return Some(Decided { formats: per_file, ..Decided::of(data_type) });
    }
    let mut seen: Vec<&Total<'_>> = totals.iter().filter(|total| total.fits * 10 > column.filled).collect();
    seen.sort_by_key(|total| std::cmp::Reverse(total.fits));
    if seen.iter().map(|total| total.fits).sum::<u64>() * 2 > column.filled && seen.len() > 1 {
        let formats: Vec<String> = seen.iter().map(|total| format!("{} as `{}`", total.fits, total.format)).collect();
        let text = format!(
            "taken for text: of {} values {}. A file is read in one format only; ask for dates in one",
            column.filled,
            formats.join(", ")
        );
        notes.doubt(context.place(), context.about(), text);
        return Some(Decided::text());
    }
    None
}
