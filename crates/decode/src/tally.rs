//! What was counted over the records of an object, or of a region of it.

use std::collections::BTreeMap;

use stillhouse_spec::{Counts, RejectPlace};

use crate::api::{Outcome, Request};
use crate::days::Days;
use crate::detect::{Head, empty};
use crate::error::Error;
use crate::plan::{Filled, decided};
use crate::reading::reading;
use crate::values::Reader;

/// How many refused records a message names.
const SHOWN_REJECTS: usize = 3;

/// Counts of records.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    pub(crate) days: Days,
    pub(crate) reasons: BTreeMap<String, u64>,
    pub(crate) header_seen: bool,
    first_rejects: Vec<String>,
}

impl Tally {
    /// Counts a refused record.
    pub(crate) fn refused(&mut self, place: &RejectPlace) {
        if self.first_rejects.len() < SHOWN_REJECTS {
            self.first_rejects.push(describe(place));
        }
        self.counts.read += 1;
        self.counts.quarantined += 1;
        *self.reasons.entry(place.reason.clone()).or_default() += 1;
    }

    /// Adds what was counted over the records behind.
    pub(crate) fn add(&mut self, behind: Self) {
        self.counts.add(&behind.counts);
        self.days.add_all(behind.days);
        for (reason, count) in behind.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.header_seen |= behind.header_seen;
        self.first_rejects.extend(behind.first_rejects);
        self.first_rejects.truncate(SHOWN_REJECTS);
    }

    /// Everything was read, and no choice is to be exchanged: is the object fit to be loaded?
    pub(crate) fn conclude(
        self,
        filled: &[Filled<'_>],
        head: &Head,
        request: &Request<'_>,
        length: u64,
    ) -> Result<Outcome, Error> {
        for filled in filled {
            if let (Some(survey), Reader::Moment(moments)) = (&filled.survey, &filled.reader) {
                survey.check(moments, filled.spec)?;
            }
        }
        self.check_whole(head, request, length)?;
        assert!(self.counts.balanced(), "read = loaded + quarantined + filtered + blank: {:?}", self.counts);
        let mut all: BTreeMap<_, _> = head.decided.iter().chain(&head.mapping.decided).cloned().collect();
        decided(filled, request, &mut all);
        Ok(Outcome {
            counts: self.counts,
            decided: all,
            days: self.days.finish(),
            reasons: self.reasons,
            warnings: head.mapping.warnings.clone(),
            reading: reading(head, request.contract),
        })
    }

    fn check_whole(&self, head: &Head, request: &Request<'_>, length: u64) -> Result<(), Error> {
        if head.mapping.header_offset.is_some() && !self.header_seen {
            return Err(Error::data(
                "the header could not be found again: a quote before it is closed far behind it",
                "correct the quotes at the beginning of the file",
            ));
        }
        let records = self.counts.read - self.counts.blank;
        if records == 0 && !self.header_seen {
            return Err(empty(length));
        }
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
