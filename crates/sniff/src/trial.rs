//! Phase 7: the proposal is tried. decode reads the files under it, as loading would, and what it refuses is counted.

use std::collections::BTreeMap;
use std::io::Read as _;

use arrow::record_batch::RecordBatch;
use stillhouse_decode::look::Walked;
use stillhouse_decode::{
    ByteSource, Outcome, Reject, Request, RowSink, Sink, SinkError, SourceError, YearHint, decode,
};
use stillhouse_spec::{MaxRejected, Source};

use crate::api::{FileFacts, Input, Notes, Place};
use crate::error::Error;
use crate::moments::Days;
use crate::plan::Plan;
use crate::survey::open;
use crate::text::{count, counted};

/// Rows and bytes of a batch; nothing is done with it.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 8 << 20;

/// So many refused records are named for each reason.
const SHOWN: usize = 5;

/// Rows so many days away from what the path names are no spill but something else.
const SPILL_DAYS_MAX: i64 = 31;

/// Shares of refused records that a source may allow, beginning with the default.
const SHARES: &[(u64, &str)] =
    &[(100, "1%"), (200, "2%"), (500, "5%"), (1_000, "10%"), (2_500, "25%"), (5_000, "50%"), (10_000, "100%")];

/// What the trial came to.
pub(crate) struct Trial {
    pub(crate) files: Vec<FileFacts>,
    refusals: BTreeMap<What, Refusals>,
    /// Rows by their distance from what the path names, in days.
    outside: BTreeMap<i64, u64>,
    inside: u64,
    /// The largest share of a file that is refused, in hundredths of a percent, rounded up.
    share: u64,
}

/// How much of a file is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) length: u64,
    pub(crate) walked: Walked,
    pub(crate) records: u64,
    /// What closes the part that was looked at.
    pub(crate) closing: &'static [u8],
}

impl Extent {
    fn bytes(&self) -> u64 {
        if self.walked.whole { self.length } else { self.walked.bytes }
    }
}

/// A reason, and the column that is to blame.
type What = (String, Option<String>);

#[derive(Default)]
struct Refusals {
    count: u64,
    shown: Vec<String>,
    expected: String,
}

/// Tries the source on all files.
pub(crate) fn run(
    inputs: &[Input<'_>],
    extents: &[Extent],
    source: &Source,
    plan: &Plan,
    notes: &mut Notes,
) -> Result<Trial, Error> {
    let mut trial =
        Trial { files: Vec::new(), refusals: BTreeMap::new(), outside: BTreeMap::new(), inside: 0, share: 0 };
    let mut contract = source.contract.clone();
    contract.max_rejected = MaxRejected::Share(10_000);
    for (number, (input, extent)) in inputs.iter().zip(extents).enumerate() {
        let path_values = source.path.values(&input.path).unwrap_or_default();
        let year = plan.paths.years.get(number).copied().flatten();
        let request = Request {
            format: &source.format,
            contract: &contract,
            max_record_bytes: source.max_record_bytes,
            path_values: &path_values,
            year: YearHint { path: year, setting: source.format.year(), modified: input.modified_year },
            batch_rows: BATCH_ROWS,
            batch_bytes: BATCH_BYTES,
            rules: None,
        };
        let mut bytes = Beginning { source: open(input)?, length: extent.bytes(), closing: extent.closing };
        let file = if inputs.len() > 1 { format!("{} ", input.shown) } else { String::new() };
        let mut sink = Counting { file, unit: plan.format.unit(), refusals: BTreeMap::new() };
        match decode(&mut bytes, &request, &mut sink) {
            Ok(outcome) => trial.add(input, extent, &outcome, sink.refusals, plan.paths.periods[number]),
            Err(error) if error.is_held() => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                notes.doubt(Place::Files, "trial", format!("{} would be held: {error}{hint}", input.shown));
                trial.files.push(facts(input, extent));
            }
            Err(error) => return Err(Error::decode(&input.shown, &error)),
        }
    }
    Ok(trial)
}

fn facts(input: &Input<'_>, extent: &Extent) -> FileFacts {
    FileFacts {
        path: input.shown.clone(),
        packing: None,
        encoding: None,
        bytes: extent.length,
        read_bytes: extent.bytes(),
        read: extent.records,
        loaded: 0,
        refused: 0,
        blank: 0,
    }
}

impl Trial {
    fn add(
        &mut self,
        input: &Input<'_>,
        extent: &Extent,
        outcome: &Outcome,
        refusals: BTreeMap<What, Refusals>,
        period: Option<Days>,
    ) {
        let counts = &outcome.counts;
        let records = counts.read - counts.blank;
        self.files.push(FileFacts {
            read: counts.read,
            loaded: counts.loaded,
            refused: counts.quarantined,
            blank: counts.blank,
            ..facts(input, extent)
        });
        self.share = self.share.max((counts.quarantined * 10_000).div_ceil(records.max(1)));
        for (what, refusals) in refusals {
            let all = self.refusals.entry(what).or_default();
            all.count += refusals.count;
            all.expected = refusals.expected;
            let room = SHOWN.saturating_sub(all.shown.len());
            all.shown.extend(refusals.shown.into_iter().take(room));
        }
        let Some((first, end)) = period else { return };
        for (day, count) in &outcome.days {
            let Some(day) = crate::days::parse(day) else { continue };
            let distance = (first - day).max(day - end + 1);
            if distance > 0 {
                *self.outside.entry(distance).or_default() += count;
            } else {
                self.inside += count;
            }
        }
    }

    /// Says which records are refused, and lets as many be refused as there are.
    pub(crate) fn allow(&self, plan: &mut Plan, notes: &mut Notes) {
        for ((reason, column), refusals) in &self.refusals {
            let more = if refusals.count > refusals.shown.len() as u64 { ", …" } else { "" };
            let what = match column {
                Some(column) => format!("column `{column}`, expected {}", refusals.expected),
                None => format!("expected {}", refusals.expected),
            };
            let text =
                format!("{} refused ({reason}): {what}: {}{more}", count(refusals.count), refusals.shown.join(", "));
            notes.doubt(Place::Files, "refused records", text);
        }
        let (default, _) = SHARES[0];
        if self.share <= default {
            return;
        }
        let allowed = SHARES.iter().find(|(share, _)| self.share <= *share).map_or("100%", |(_, text)| *text);
        plan.max_rejected = Some(allowed);
        let text = format!(
            "{}.{:02} % of a file are refused. With the usual 1% it would be held: set it back when the file is mended",
            self.share / 100,
            self.share % 100
        );
        notes.doubt(Place::Table, "max_rejected", text);
    }

    /// How far rows lie outside what the paths name.
    pub(crate) fn spill(&self, plan: &mut Plan, notes: &mut Notes) {
        let Some(every) = plan.paths.every else { return };
        let outside: u64 = self.outside.values().sum();
        if outside > self.inside {
            let text = format!(
                "{} of {} are of other days than the path names, so its date is not theirs and `every` is left out",
                count(outside),
                counted(outside + self.inside, "row")
            );
            notes.0.retain(|note| note.about != "every");
            notes.doubt(Place::Path, "every", text);
            plan.paths.every = None;
            return;
        }
        let near = self.outside.iter().filter(|(distance, _)| **distance <= SPILL_DAYS_MAX);
        let (days, rows) = near.fold((0, 0), |(_, rows), (distance, count)| (*distance, rows + count));
        if rows > 0 {
            plan.spill_days = u32::try_from(days).unwrap_or(0);
            let days = counted(u64::from(plan.spill_days), "day");
            let text = format!("Up to {days} outside of the {every} that the path names: {}", counted(rows, "row"));
            notes.remark(Place::Path, "spill", text);
        }
        if outside > rows {
            let text = format!(
                "more than {SPILL_DAYS_MAX} days away from the {every} that the path names: {}",
                counted(outside - rows, "row")
            );
            notes.doubt(Place::Path, "spill", text);
        }
    }
}

/// The beginning of a file that was read to its limit.
struct Beginning<'i> {
    source: Box<dyn ByteSource + 'i>,
    length: u64,
    /// Stands behind it.
    closing: &'static [u8],
}

impl ByteSource for Beginning<'_> {
    fn len(&self) -> u64 {
        self.length + self.closing.len() as u64
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        if let Some(behind) = offset.checked_sub(self.length) {
            let mut closing = self.closing.get(usize::try_from(behind)?..).unwrap_or_default();
            return Ok(closing.read(buf)?);
        }
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        self.source.read_at(offset, &mut buf[..wanted])
    }
}

/// Counts refused records, and keeps where the first of them stand.
struct Counting {
    /// The file, where there are several.
    file: String,
    /// What its places are counted in.
    unit: &'static str,
    refusals: BTreeMap<What, Refusals>,
}

impl RowSink for Counting {
    fn batch(&mut self, _table: usize, _batch: RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        let place = reject.place;
        let refusals = self.refusals.entry((place.reason, place.column)).or_default();
        refusals.count += 1;
        refusals.expected = place.expected;
        if refusals.shown.len() < SHOWN {
            let found = if place.found.is_empty() { String::new() } else { format!(" ({})", place.found) };
            refusals.shown.push(format!("{}{} {}{found}", self.file, self.unit, place.line));
        }
        Ok(())
    }
}

impl Sink for Counting {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.refusals.clear();
        Ok(())
    }
}
