//! The refused records of one object, read again under the contract of now.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use stillhouse_decode::{Again, Outcome, RECORD_COLUMN, Reject, RowSink, Sink, SinkError, decode};
use stillhouse_lake::{QUARANTINE, Quarantined};
use stillhouse_spec::{Amendment, AmendmentKind, REJECTS_IN_RECEIPT_MAX, Receipt, RejectPlace, Source, object_id};
use tokio::runtime::Handle;

use crate::amend::{AmendedObject, Change, forget_reason, ranges};
use crate::context::Ingest;
use crate::error::{Error, Kind};
use crate::object::{request, rules, unheard, write_error};
use crate::open::{Content, OpenError};
use crate::reread::renumbered;
use crate::sink::{Decoded, ObjectSink};
use crate::targets::{Lineage, TargetTables};

/// What a replay of one object came to: for a person, and for the lake if anything changes. Blocks on the store.
pub(crate) fn replay_object(
    ingest: &Ingest,
    source: &Source,
    receipt: &Receipt,
    rows: &[Quarantined],
    revision: i64,
    runtime: &Handle,
) -> Result<(AmendedObject, Option<Change>), Error> {
    let Some(reading) = &receipt.reading else { return Ok((too_old(receipt, rows), None)) };
    let (records, beyond) = Records::of(ingest, source, receipt, rows, runtime)?;
    let again = Again::new(reading, &source.format, &source.contract, records.bytes.iter().map(Vec::as_slice));
    let places: Vec<&RejectPlace> = again.records.iter().map(|record| &records.of[*record].row.place).collect();
    let now = ingest.now();
    let read = match read_again(ingest, source, receipt, &again, &places, now)? {
        Ok(read) => read,
        Err(problem) => return Ok((problem, None)),
    };
    let mut outcome = AmendedObject {
        selected: rows.len() as u64,
        loaded: read.loaded.len() as u64,
        refused: (rows.len() - read.loaded.len()) as u64,
        rejects: read.still_refused(rows),
        ..AmendedObject::default()
    };
    if let Some((problem, hint)) = beyond {
        (outcome.problem, outcome.hint) = (Some(problem), Some(hint));
    }
    let change = read.change(source, receipt, rows, revision, now);
    Ok((outcome, change))
}

/// The bytes of refused records.
struct Records<'r> {
    of: Vec<&'r Quarantined>,
    bytes: Vec<Vec<u8>>,
}

/// Why records without bytes cannot be read, and what can be done.
type Beyond = Option<(String, String)>;

impl<'r> Records<'r> {
    /// Bytes are in the quarantine, but for records that were too long to be kept: those are in the original only.
    fn of(
        ingest: &Ingest,
        source: &Source,
        receipt: &Receipt,
        rows: &'r [Quarantined],
        runtime: &Handle,
    ) -> Result<(Self, Beyond), Error> {
        let mut records = Self { of: Vec::new(), bytes: Vec::new() };
        let original = LazyCell::new(|| Content::open(ingest, source, &receipt.object, runtime, &unheard()));
        let mut beyond: BTreeMap<String, u64> = BTreeMap::new();
        for refused in rows {
            let place = &refused.row.place;
            let bytes = match &refused.row.raw {
                Some(raw) => Ok(raw.clone()),
                None if place.bytes > source.max_record_bytes => {
                    Err("they are longer than `max_record_bytes`".to_owned())
                }
                None => from_original(&original, place)?,
            };
            match bytes {
                Ok(bytes) => {
                    records.of.push(refused);
                    records.bytes.push(bytes);
                }
                Err(why) => *beyond.entry(why).or_default() += 1,
            }
        }
        Ok((records, tell_beyond(&beyond, receipt)))
    }
}

fn tell_beyond(beyond: &BTreeMap<String, u64>, receipt: &Receipt) -> Beyond {
    let (why, _) = beyond.iter().next()?;
    let count: u64 = beyond.values().sum();
    let problem = format!("{count} of the records were too long to be kept in the quarantine, and {why}");
    let key = &receipt.object.key;
    let hint = format!(
        "raise `max_record_bytes` in the source file, put `{key}` back as it was if it is gone, and run the same command \
         again; or give them up with `stillhouse quarantine drop --why …`"
    );
    Some((problem, hint))
}

/// The bytes of one record in the original, if that is still the version that was loaded.
fn from_original(
    original: &Result<Content<'_>, OpenError>,
    place: &RejectPlace,
) -> Result<Result<Vec<u8>, String>, Error> {
    match original.as_ref().map(|content| content.range(&place.part, place.offset, place.bytes)) {
        Ok(Ok(bytes)) if bytes.len() as u64 == place.bytes => Ok(Ok(bytes)),
        Ok(Ok(_)) => unreadable(&OpenError::Changed).map(Err),
        Ok(Err(error)) => unreadable(&error).map(Err),
        Err(error) => unreadable(error).map(Err),
    }
}

fn unreadable(error: &OpenError) -> Result<String, Error> {
    match error {
        OpenError::Changed => Ok("the file was changed since".to_owned()),
        OpenError::Removed => Ok("the file is gone".to_owned()),
        OpenError::Cancelled => Err(Error::cancelled()),
        // Archived objects answer so in object stores: they have to be restored first.
        error => Ok(error.to_string()),
    }
}

/// What came of reading records again.
struct ReadAgain {
    outcome: Outcome,
    decoded: Decoded,
    /// Records that pass, in order.
    loaded: Vec<u64>,
    /// Those that do not, with the reason of now.
    refused: Vec<RejectPlace>,
    /// Those of them whose reason has changed.
    changed: Vec<RejectPlace>,
}

fn read_again(
    ingest: &Ingest,
    source: &Source,
    receipt: &Receipt,
    again: &Again,
    places: &[&RejectPlace],
    now: i64,
) -> Result<Result<ReadAgain, AmendedObject>, Error> {
    let object = &receipt.object;
    let targets = TargetTables::new(&source.contract);
    let lineage = Lineage {
        object: object_id(receipt.key_number, receipt.generation),
        ingested_at: now,
        version: object.clone(),
    };
    let inner = ObjectSink::new(&targets, &lineage);
    let numbers = places.iter().map(|place| place.record).collect();
    let mut sink = ReplaySink { inner, places, numbers, loaded: Vec::new(), refused: Vec::new(), changed: Vec::new() };
    let path_values = source.path.values(&object.key).unwrap_or_default();
    let rules =
        rules(ingest, source).map_err(|_| Error::new(Kind::FixSettings, "`where` or `derive` is no expression"))?;
    let (format, contract) = (&again.format, &again.contract);
    let request = request(ingest, source, object, format, contract, &path_values, rules.as_deref());
    match decode(&mut again.bytes.as_slice(), &request, &mut sink) {
        Ok(outcome) => {
            let ReplaySink { inner, loaded, refused, changed, .. } = sink;
            let decoded = inner.into_decoded().map_err(write_error)?;
            Ok(Ok(ReadAgain { outcome, decoded, loaded, refused, changed }))
        }
        Err(error) if error.is_held() => Ok(Err(AmendedObject {
            selected: places.len() as u64,
            refused: places.len() as u64,
            problem: Some(error.to_string()),
            hint: error.hint().map(str::to_owned),
            ..AmendedObject::default()
        })),
        Err(error) => Err(Error::new(Kind::Bug, "refused records cannot be read again").with_source(error)),
    }
}

impl ReadAgain {
    /// The first of the records that do not pass, with the reason of now; those that were not read have that of then.
    fn still_refused(&self, rows: &[Quarantined]) -> Vec<RejectPlace> {
        let now: BTreeMap<u64, &RejectPlace> = self.refused.iter().map(|place| (place.record, place)).collect();
        let before = rows.iter().map(|refused| &refused.row.place);
        let refused = before.filter(|place| self.loaded.binary_search(&place.record).is_err());
        refused.take(REJECTS_IN_RECEIPT_MAX).map(|place| (*now.get(&place.record).unwrap_or(&place)).clone()).collect()
    }

    /// The amended receipt with its rows; `None` when nothing is different.
    fn change(
        self,
        source: &Source,
        receipt: &Receipt,
        rows: &[Quarantined],
        revision: i64,
        now: i64,
    ) -> Option<Change> {
        if self.loaded.is_empty() && self.changed.is_empty() {
            return None;
        }
        let changed: BTreeMap<u64, &RejectPlace> = self.changed.iter().map(|place| (place.record, place)).collect();
        let mut out = self.loaded.clone();
        out.extend(changed.keys());
        out.sort_unstable();
        let count = self.loaded.len() as u64;
        let mut receipt = receipt.clone();
        receipt.counts.loaded += count;
        receipt.counts.quarantined = receipt.counts.quarantined.saturating_sub(count);
        for refused in rows.iter().filter(|refused| out.binary_search(&refused.row.place.record).is_ok()) {
            forget_reason(&mut receipt, &refused.row.place);
        }
        for place in &self.changed {
            *receipt.reasons.entry(place.reason.clone()).or_default() += 1;
            receipt.rejects.push(place.clone());
        }
        receipt.rejects.sort_by_key(|place| place.record);
        receipt.rejects.truncate(REJECTS_IN_RECEIPT_MAX);
        for (day, rows) in &self.outcome.days {
            *receipt.days.entry(day.clone()).or_default() += rows;
        }
        let names = TargetTables::new(&source.contract).tables;
        for ((name, _), rows) in names.iter().zip(&self.decoded.rows) {
            if name.as_str() != QUARANTINE {
                receipt.tables.entry(name.to_string()).or_default().rows += rows;
            }
        }
        if let Some(table) = receipt.tables.get_mut(QUARANTINE) {
            table.rows = table.rows.saturating_sub(count);
        }
        receipt.amendments.push(Amendment {
            revision: revision + 1,
            at: now,
            what: AmendmentKind::Replay,
            records: ranges(&self.loaded),
            count,
            because: source.fingerprint.clone(),
            decided: self.outcome.decided,
        });
        Some(Change { receipt, out, rows: self.decoded.kept })
    }
}

/// Gives rows and rejects the numbers and places that they have in their object.
struct ReplaySink<'a> {
    inner: ObjectSink<'a>,
    places: &'a [&'a RejectPlace],
    /// The numbers of their records.
    numbers: Vec<u64>,
    loaded: Vec<u64>,
    refused: Vec<RejectPlace>,
    changed: Vec<RejectPlace>,
}

impl ReplaySink<'_> {
    fn place(&self, record: u64) -> Result<&RejectPlace, SinkError> {
        let place = usize::try_from(record).ok().and_then(|record| self.places.get(record));
        place.copied().ok_or_else(|| "a record that was not asked for".into())
    }
}

impl RowSink for ReplaySink<'_> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        let batch = renumbered(&batch, &self.numbers)?;
        if table == 0 {
            let records =
                batch.column_by_name(RECORD_COLUMN).ok_or("rows without numbers")?.as_primitive::<Int64Type>();
            for record in records.values() {
                self.loaded.push(u64::try_from(*record)?);
            }
        }
        self.inner.batch(table, batch)
    }

    fn reject(&mut self, mut reject: Reject) -> Result<(), SinkError> {
        let before = self.place(reject.place.record)?.clone();
        let RejectPlace { record, line, offset, bytes, .. } = before;
        reject.place = RejectPlace { record, part: before.part.clone(), line, offset, bytes, ..reject.place };
        self.refused.push(reject.place.clone());
        if reject.place == before {
            return Ok(());
        }
        self.changed.push(reject.place.clone());
        self.inner.reject(reject)
    }
}

impl Sink for ReplaySink<'_> {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.loaded.clear();
        self.refused.clear();
        self.changed.clear();
        self.inner.restart()
    }
}

fn too_old(receipt: &Receipt, rows: &[Quarantined]) -> AmendedObject {
    let key = &receipt.object.key;
    AmendedObject {
        selected: rows.len() as u64,
        refused: rows.len() as u64,
        problem: Some("it was loaded by a version that did not keep how its fields were read".to_owned()),
        hint: Some(format!("load the file again instead: stillhouse ingest --reload {key}")),
        ..AmendedObject::default()
    }
}
