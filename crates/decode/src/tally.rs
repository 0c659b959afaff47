//! What was counted over the records of an object, or of a region of it.

use std::collections::{BTreeMap, BTreeSet};

use stillhouse_spec::{Counts, NewField, RejectPlace};

use crate::api::{Outcome, Request};
use crate::days::Days;
use crate::error::Error;
use crate::format::Told;
use crate::plan::{Filled, decided};
use crate::values::Reader;

/// How many refused records a message names.
const SHOWN_REJECTS: usize = 3;

/// Counts of records.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    pub(crate) days: Days,
    pub(crate) reasons: BTreeMap<String, u64>,
    /// A header was seen, or the bracket of an array: the object is one even without a record.
    pub(crate) begun: bool,
    /// Which columns had a field in some record, where that is not known from the beginning.
    pub(crate) seen: Vec<bool>,
    /// Fields that the contract does not know, where the object does not say beforehand which it has.
    pub(crate) unknown: BTreeSet<NewField>,
    first_rejects: Vec<String>,
    /// The length of what was read; known at the end.
    pub(crate) bytes: u64,
    /// Things worth a look in the parts of the object, but for what the first one told.
    pub(crate) warnings: Vec<String>,
}

impl Tally {
    /// Nothing was counted, and no field of so many columns seen.
    pub(crate) fn of_columns(count: usize) -> Self {
        Self { seen: vec![false; count], ..Self::default() }
    }

    /// Counts a refused record.
    pub(crate) fn refused(&mut self, place: &RejectPlace) {
        if self.first_rejects.len() < SHOWN_REJECTS {
            self.first_rejects.push(describe(place));
        }
        self.counts.read += 1;
        self.counts.quarantined += 1;
        *self.reasons.entry(place.reason.clone()).or_default() += 1;
    }

    /// Of the rows that were counted as loaded, the contract does not want so many.
    pub(crate) fn leave_out(&mut self, rows: usize) {
        self.counts.loaded -= rows as u64;
        self.counts.filtered += rows as u64;
    }

    /// What was counted over a part of the object, which messages name.
    pub(crate) fn in_part(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.first_rejects.iter_mut().for_each(|reject| *reject = format!("{name} {reject}"));
        }
        self
    }

    /// Adds what was counted over the records behind.
    pub(crate) fn add(&mut self, behind: Self) {
        self.counts.add(&behind.counts);
        self.days.add_all(behind.days);
        for (reason, count) in behind.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.begun |= behind.begun;
        self.seen.resize(self.seen.len().max(behind.seen.len()), false);
        self.seen.iter_mut().zip(behind.seen).for_each(|(seen, behind)| *seen |= behind);
        self.unknown.extend(behind.unknown);
        self.first_rejects.extend(behind.first_rejects);
        self.first_rejects.truncate(SHOWN_REJECTS);
        self.bytes += behind.bytes;
        self.warnings.extend(behind.warnings);
    }

    /// Everything was read, and no choice is to be exchanged: is the object fit to be loaded?
    pub(crate) fn conclude(self, filled: &[Filled<'_>], told: Told, request: &Request<'_>) -> Result<Outcome, Error> {
        for filled in filled {
            if let (Some(survey), Reader::Moment(moments)) = (&filled.survey, &filled.reader) {
                survey.check(moments, filled.spec)?;
            }
        }
        self.check_refused(request)?;
        assert!(self.counts.balanced(), "read = loaded + quarantined + filtered + blank: {:?}", self.counts);
        let Told { decided: mut all, mut warnings, reading } = told;
        warnings.extend(self.warnings);
        decided(filled, request, &mut all);
        Ok(Outcome {
            counts: self.counts,
            decided: all,
            days: self.days.finish(),
            reasons: self.reasons,
            warnings,
            reading,
        })
    }

    /// Records, but for blank ones.
    pub(crate) fn records(&self) -> u64 {
        self.counts.read - self.counts.blank
    }

    fn check_refused(&self, request: &Request<'_>) -> Result<(), Error> {
        let records = self.records();
        let (refused, allowed) = (self.counts.quarantined, request.contract.max_rejected);
        if !allowed.exceeded(refused, records) {
            return Ok(());
        }
        let shown = self.first_rejects.join("; ");
        let more = if refused > self.first_rejects.len() as u64 { "; …" } else { "" };
        Err(Error::data(
            format!("{refused} of {records} records were refused, at most {allowed} may be ({shown}{more})"),
            "correct the file, or raise `max_rejected` in the source file",
        ))
    }
}

/// `line 8: expected 3 fields, found 2 fields`
fn describe(place: &RejectPlace) -> String {
    let line = place.line;
    let column = place.column.as_ref().map(|column| format!(", column `{column}`")).unwrap_or_default();
    let found = match (&place.column, place.found.as_str()) {
        (_, "") => "something else".to_owned(),
        (Some(_), found) => format!("`{found}`"),
        (None, found) => found.to_owned(),
    };
    format!("line {line}{column}: expected {}, found {found}", place.expected)
}
