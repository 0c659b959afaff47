//! Completeness: how whole the inputs of a report were, and why.
//!
//! A source with a cadence is cut into *slots*: its days, months or years. An object of a slot may hold rows of
//! `spill_days` before and after it, so a period needs the slots that overlap it *and* those that are near enough to
//! spill into it. What is needed and not loaded makes the report PARTIAL. Slots before the first loaded one are not
//! needed: a project begins somewhere. For `all`, which has no end, the last loaded slot is the end.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stillhouse_spec::{Cadence, Completeness, Period, Receipt, Source, day_start_micros};

/// A source and how its objects stand.
#[derive(Debug, Clone)]
pub struct SourceState<'a> {
    /// The source.
    pub source: &'a Source,
    /// The receipts of its objects that stand.
    pub receipts: Vec<&'a Receipt>,
    /// Objects that are not loaded as they are now.
    pub stopped: Vec<StoppedObject>,
}

/// An object that is known and not loaded in its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedObject {
    /// Its key.
    pub key: String,
    /// What stopped it, in a word: `held`, `failed`, `waiting`.
    pub state: String,
    /// Why, for people; may be empty.
    pub reason: String,
}

/// How whole the inputs are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// In a word.
    pub completeness: Completeness,
    /// Why it is not COMPLETE, a line each. Empty for COMPLETE.
    pub reasons: Vec<String>,
}

/// How whole the inputs for `period` are, as of `today` (both in `zone`). `sources` are those that feed the report; a
/// report that no source feeds is COMPLETE.
pub fn assess(period: Period, today: Date, zone: &TimeZone, sources: &[SourceState<'_>]) -> Assessment {
    assess_with(period, today, zone, sources, &|_| false)
}

/// The same, where the sources for which `whole` holds are seen as a whole: a change of any time may decide what the
/// period shows, so what lacks of other periods counts too.
pub(crate) fn assess_with(
    period: Period,
    today: Date,
    zone: &TimeZone,
    sources: &[SourceState<'_>],
    whole: &dyn Fn(&Source) -> bool,
) -> Assessment {
    let mut reasons = Vec::new();
    let mut rows = 0_u64;
    let only_reference = sources.iter().all(|state| is_reference(state.source));
    for state in sources {
        let counted = state.receipts.iter().filter(|_| only_reference || !is_reference(state.source));
        rows += counted.map(|receipt| rows_in(receipt, state.source, period, zone)).sum::<u64>();
        let periods = if whole(state.source) { vec![period, Period::All] } else { vec![period] };
        for reason in periods.into_iter().flat_map(|period| source_reasons(state, period, today)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    if !sources.is_empty() && rows == 0 {
        reasons.insert(0, "no row of the period is loaded".to_owned());
        return Assessment { completeness: Completeness::Empty, reasons };
    }
    let completeness = if reasons.is_empty() { Completeness::Complete } else { Completeness::Partial };
    Assessment { completeness, reasons }
}

/// Whether the source is about no time at all: a list of plans, of countries. Its rows are there in every period, and so
/// say nothing of whether there is anything to report on.
fn is_reference(source: &Source) -> bool {
    source.contract.parent.time.is_none() && source.cadence.is_none()
}

/// Rows of the object on days that share an instant with the period. The days of a receipt are days of UTC, so in
/// another zone the first and the last day are counted whole. Rows that have no day belong to `all` only, unless the
/// table has no time column: then nothing can tell, and they belong to every period.
pub(crate) fn rows_in(receipt: &Receipt, source: &Source, period: Period, zone: &TimeZone) -> u64 {
    let Some((first, end)) = period.days() else { return receipt.counts.loaded };
    if source.contract.parent.time.is_none() {
        return receipt.counts.loaded;
    }
    let (first, end) = (utc_day(day_start_micros(first, zone)), utc_day(day_start_micros(end, zone) - 1));
    let inside = |day: &str| day.parse::<Date>().is_ok_and(|day| first <= day && day <= end);
    receipt.days.iter().filter(|(day, _)| inside(day)).map(|(_, rows)| rows).sum()
}

fn utc_day(micros: i64) -> Date {
    jiff::Timestamp::from_microsecond(micros).map_or(Date::MAX, |instant| instant.to_zoned(TimeZone::UTC).date())
}

fn source_reasons(state: &SourceState<'_>, period: Period, today: Date) -> Vec<String> {
    let cadence = state.source.cadence;
    let mut reasons = cadence.map_or_else(Vec::new, |cadence| slot_reasons(state, cadence, period, today));
    reasons.extend(stopped_reasons(state, period));
    reasons
}

/// A slot, by the period that it is.
type Slot = Period;

fn slot_reasons(state: &SourceState<'_>, cadence: Cadence, period: Period, today: Date) -> Vec<String> {
    let loaded = slots(state.source, cadence, state.receipts.iter().map(|receipt| receipt.object.key.as_str()));
    let (Some(first), Some(last)) = (loaded.first().copied(), loaded.last().copied()) else { return Vec::new() };
    let (from, to) = match period.days() {
        Some(days) => days,
        None => (first, Period::holding(cadence.every, last).days().map_or(last, |(_, end)| end)),
    };
    // An object that stopped gets a line of its own, which says more than that it is missing.
    let stopped = slots(state.source, cadence, state.stopped.iter().map(|object| object.key.as_str()));
    let known = |start: &Date| loaded.contains(start) || stopped.contains(start);
    let needed = |slot: &Slot| slot.days().is_some_and(|(start, _)| start >= first && !known(&start));
    let own = Period::Range(from, to).split(cadence.every);
    let spills = if period == Period::All { Vec::new() } else { spilling(&own, cadence, from, to) };
    let mut reasons = before_the_beginning(state, &own, first);
    let lacking: Vec<Slot> = own.iter().copied().filter(needed).collect();
    reasons.extend(runs(&lacking, cadence).iter().map(|run| lacking_reason(state.source, run, today)));
    for slot in spills.iter().filter(|slot| needed(slot)) {
        reasons.push(spill_reason(state.source, *slot, cadence, (from, to), today));
    }
    reasons
}

/// The first days of the slots that the keys name.
fn slots<'k>(source: &Source, cadence: Cadence, keys: impl Iterator<Item = &'k str>) -> BTreeSet<Date> {
    let starts = keys.filter_map(|key| source.path.period(key)).filter_map(Period::days).map(|(start, _)| start);
    starts.filter_map(|start| Period::holding(cadence.every, start).days()).map(|(start, _)| start).collect()
}

/// Slots outside the period that are near enough to hold rows of it.
fn spilling(own: &[Slot], cadence: Cadence, from: Date, to: Date) -> Vec<Slot> {
    let days = i64::from(cadence.spill_days).days();
    let (Ok(from), Ok(to)) = (from.checked_sub(days), to.checked_add(days)) else { return Vec::new() };
    if from >= to {
        return Vec::new();
    }
    Period::Range(from, to).split(cadence.every).into_iter().filter(|slot| !own.contains(slot)).collect()
}

/// A period with no slot of its own since the project began has only rows that spilled from later ones.
fn before_the_beginning(state: &SourceState<'_>, own: &[Slot], first: Date) -> Vec<String> {
    let starts_before = |slot: &Slot| slot.days().is_some_and(|(start, _)| start < first);
    match own.last() {
        Some(slot) if own.iter().all(starts_before) => {
            let (start, _) = slot.days().unwrap_or((first, first));
            let path = &state.source.path;
            vec![format!("never loaded: {}; the data begins with {}", path.render(start), path.render(first))]
        }
        _ => Vec::new(),
    }
}

/// Neighbouring slots together: a year of missing days is one line, not 365.
fn runs(slots: &[Slot], cadence: Cadence) -> Vec<Vec<Slot>> {
    let mut runs: Vec<Vec<Slot>> = Vec::new();
    for slot in slots {
        let follows = |run: &Vec<Slot>| {
            let end = run.last().and_then(|last| last.days()).map(|(_, end)| Period::holding(cadence.every, end));
            end == Some(*slot)
        };
        match runs.last_mut().filter(|run| follows(run)) {
            Some(run) => run.push(*slot),
            None => runs.push(vec![*slot]),
        }
    }
    runs
}

fn lacking_reason(source: &Source, run: &[Slot], today: Date) -> String {
    let name = |slot: Option<&Slot>| {
        let start = slot.and_then(|slot| slot.days()).map_or(Date::MIN, |(start, _)| start);
        source.path.render(start)
    };
    let text = match (run.len(), run.first(), run.last()) {
        (1, first, _) => name(first),
        (count, first, last) => format!("{} to {} ({count} objects)", name(first), name(last)),
    };
    let first_open = run.iter().position(|slot| !is_due(*slot, today));
    match first_open {
        None => format!("missing: {text}"),
        Some(0) if run.len() == 1 => format!("not due until {}: {text}", due_day(run.first())),
        Some(0) => format!("not due yet: {text}, the first on {}", due_day(run.first())),
        Some(due) => format!("missing: {text}, of which {} are not due yet", run.len() - due),
    }
}

fn spill_reason(source: &Source, slot: Slot, cadence: Cadence, asked: (Date, Date), today: Date) -> String {
    let (start, end) = slot.days().unwrap_or(asked);
    let key = source.path.render(start);
    let days = i64::from(cadence.spill_days).days();
    // The days of the period that this slot can reach.
    let reach_from = start.checked_sub(days).unwrap_or(Date::MIN).max(asked.0);
    let reach_to = end.checked_add(days).unwrap_or(Date::MAX).min(asked.1);
    let last = reach_to.yesterday().unwrap_or(reach_from);
    let rows = if reach_from == last { format!("{reach_from}") } else { format!("{reach_from} to {last}") };
    if is_due(slot, today) {
        format!("missing: {key}, which may hold rows of {rows}")
    } else {
        format!("not due until {}: {key}, which may hold rows of {rows}", due_day(Some(&slot)))
    }
}

/// The object of a slot is due when the slot is over.
fn is_due(slot: Slot, today: Date) -> bool {
    slot.days().is_some_and(|(_, end)| end <= today)
}

fn due_day(slot: Option<&Slot>) -> Date {
    slot.and_then(|slot| slot.days()).map_or(Date::MAX, |(_, end)| end)
}

fn stopped_reasons(state: &SourceState<'_>, period: Period) -> Vec<String> {
    let concerned = state.stopped.iter().filter(|object| concerns(state.source, &object.key, period));
    let text = |object: &StoppedObject| match object.reason.as_str() {
        "" => format!("{}: {}", object.state, object.key),
        reason => format!("{}: {}: {reason}", object.state, object.key),
    };
    concerned.map(text).collect()
}

/// Whether the object can hold rows of the period, as far as its key tells.
fn concerns(source: &Source, key: &str, period: Period) -> bool {
    let own = source.path.period(key).and_then(Period::days);
    let (Some((start, end)), Some((from, to))) = (own, period.days()) else { return true };
    let days = i64::from(source.cadence.map_or(0, |cadence| cadence.spill_days)).days();
    let (start, end) = (start.checked_sub(days).unwrap_or(Date::MIN), end.checked_add(days).unwrap_or(Date::MAX));
    start < to && from < end
}
