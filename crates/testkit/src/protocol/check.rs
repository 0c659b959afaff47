//! Explores the runs and says what came out.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::explore::{Outcome, Violation, explore};
use super::run::{Expected, Run};
use super::runs;
use super::safeguard::Safeguard;

/// Ends a run that is larger than anybody meant it to be; about 2 GB.
const STATES_MAX: usize = 20_000_000;

/// A run and what came out.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What was explored.
    pub name: &'static str,
    /// Safeguards that were taken away.
    pub without: Vec<Safeguard>,
    /// How many states were looked at.
    pub states: usize,
    /// How long that took.
    pub took: Duration,
    /// The broken invariant, if one is.
    pub violation: Option<Violation>,
    /// Whether that is what had to come out.
    pub as_expected: bool,
}

/// Explores the runs in whose line `filter` occurs (all for an empty one): each with its states and seconds, and with the
/// shortest trace where an invariant breaks. Minutes, and 2 GB.
pub fn check(filter: &str, out: &mut dyn Write) -> io::Result<Vec<Checked>> {
    check_runs(runs::all(), filter, out)
}

/// [`check`] without the large runs: less than a minute.
pub fn check_small(filter: &str, out: &mut dyn Write) -> io::Result<Vec<Checked>> {
    check_runs(runs::all().into_iter().filter(|run| !run.large).collect(), filter, out)
}

fn check_runs(runs: Vec<Run>, filter: &str, out: &mut dyn Write) -> io::Result<Vec<Checked>> {
    let mut all = Vec::new();
    for run in runs.into_iter().filter(|run| title(run).contains(filter)) {
        let began = now();
        let outcome = explore(&run, STATES_MAX);
        let checked = Checked {
            name: run.name,
            without: run.off.clone(),
            states: outcome.states,
            took: began.elapsed(),
            as_expected: is_expected(&run, &outcome),
            violation: outcome.violation,
        };
        describe(&run, &checked, outcome.exhausted, out)?;
        all.push(checked);
    }
    let states: usize = all.iter().map(|checked| checked.states).sum();
    let seconds: f64 = all.iter().map(|checked| checked.took.as_secs_f64()).sum();
    let unexpected = all.iter().filter(|checked| !checked.as_expected).count();
    writeln!(out, "{} runs, {states} states, {seconds:.1} s, {unexpected} unexpected", all.len())?;
    Ok(all)
}

fn title(run: &Run) -> String {
    if run.off.is_empty() { run.name.to_owned() } else { format!("{} {:?}", run.name, run.off) }
}

fn is_expected(run: &Run, outcome: &Outcome) -> bool {
    let broken = outcome.violation.as_ref().map(|violation| violation.invariant);
    match run.expected {
        Expected::Holds | Expected::HoldsOrStops => broken.is_none() && outcome.exhausted,
        Expected::Breaks(invariant) => broken == Some(invariant),
    }
}

fn describe(run: &Run, checked: &Checked, exhausted: bool, out: &mut dyn Write) -> io::Result<()> {
    let verdict = match &checked.violation {
        Some(violation) => format!("{} breaks in {} steps", violation.invariant.name(), violation.trace.len()),
        None if !exhausted => "too many states".to_owned(),
        None => "holds".to_owned(),
    };
    let unexpected = if checked.as_expected { "" } else { " (UNEXPECTED)" };
    let seconds = checked.took.as_secs_f64();
    writeln!(out, "{}: {} states, {seconds:.1} s, {verdict}{unexpected}", title(run), checked.states)?;
    for safeguard in &checked.without {
        writeln!(out, "    [{}]", safeguard.without())?;
    }
    for line in checked.violation.iter().flat_map(|violation| &violation.trace) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "says how long a run took; no result depends on it")]
fn now() -> Instant {
    Instant::now()
}
