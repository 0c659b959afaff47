//! One object read again as it was loaded: under the source file of then, and with what was replayed since.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray as _, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use stillhouse_decode::{Again, RECORD_COLUMN, Reject, RowSink, Sink, SinkError, decode, decode_parts, written_out};
use stillhouse_lake::QUARANTINE;
use stillhouse_spec::{Amendment, AmendmentKind, Choice, Contract, ObjectVersion, Receipt, Source};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::digest::Digest;
use crate::error::{Error, Kind};
use crate::object::{as_loaded, refuse_ends, request, rules, unheard};
use crate::open::{Content, OpenError};
use crate::targets::TargetTables;

/// What reading an object again came to.
pub(crate) enum Reread {
    /// The digest of the rows that each table should hold.
    Rows(BTreeMap<String, Digest>),
    /// The object has other bytes now.
    OtherBytes,
    /// It could not be decoded, although it once was.
    Unreadable(String),
}

type Types = BTreeMap<String, BTreeMap<String, DataType>>;

/// Reads `object`, which is expected to be what `receipt` is about. `sources`: the source files of then, by fingerprint.
/// Blocks on the store.
pub(crate) fn reread(
    ingest: &Arc<Ingest>,
    object: &ObjectVersion,
    receipt: &Receipt,
    sources: &BTreeMap<String, Source>,
    types: &Types,
    runtime: &Handle,
) -> Result<Reread, Error> {
    let source = &as_loaded(&sources[&receipt.source_fingerprint], receipt);
    let bytes = match Content::open(ingest, source, object, runtime, &unheard()) {
        Ok(bytes) => bytes,
        Err(_) if ingest.stop.is_cancelled() => return Err(Error::cancelled()),
        // What cannot even be unpacked, and once could, has changed.
        Err(OpenError::Held { message, .. }) if object.etag == receipt.object.etag => {
            return Ok(Reread::Unreadable(message));
        }
        Err(_) => return Ok(Reread::OtherBytes),
    };
    let rules = match rules(ingest, source) {
        Ok(rules) => rules,
        Err(_) => return Ok(Reread::Unreadable("its `where` or `derive` cannot be read any more".to_owned())),
    };
    // The year of the file's time counts as it was then.
    let path_values = source.path.values(&receipt.object.key).unwrap_or_default();
    let (format, contract) = (&source.format, &source.contract);
    let request = request(ingest, source, &receipt.object, format, contract, &path_values, rules.as_deref());
    let mut sink = DigestSink::new(&source.contract, types, amended(receipt));
    let mut decoded = decode_parts(&bytes, &request, &mut sink);
    if let Ok(outcome) = &mut decoded {
        let told = refuse_ends(&bytes, outcome, |reject| sink.reject(reject));
        told.map_err(|error| Error::new(Kind::Bug, "a refused record cannot be compared").with_source(error))?;
    }
    let set_aside = std::mem::take(&mut sink.set_aside);
    let set_aside = whole(&bytes, set_aside);
    match bytes.finish() {
        Ok(digest) if digest == receipt.digest => {}
        Ok(_) | Err(_) if ingest.stop.is_cancelled() => return Err(Error::cancelled()),
        Ok(_) | Err(_) => return Ok(Reread::OtherBytes),
    }
    if let Err(error) = decoded {
        return Ok(Reread::Unreadable(format!("the file cannot be decoded again: {error}")));
    }
    let DigestSink { mut digests, .. } = sink;
    let Ok(set_aside) = set_aside else { return Ok(Reread::OtherBytes) };
    for amendment in receipt.amendments.iter().filter(|amendment| amendment.what == AmendmentKind::Replay) {
        let source = &as_loaded(&sources[&amendment.because], receipt);
        let replayed = replayed(ingest, source, receipt, amendment, &set_aside, types);
        match replayed.map_err(|error| Error::new(Kind::Bug, "a replay cannot be repeated").with_source(error))? {
            Ok(rows) => rows.into_iter().for_each(|(table, rows)| digests.entry(table).or_default().merge(rows)),
            Err(why) => return Ok(Reread::Unreadable(why)),
        }
    }
    Ok(Reread::Rows(digests))
}

/// Refused records with their bytes; those that were too long to be kept are read from the object.
fn whole(content: &Content<'_>, set_aside: BTreeMap<u64, Reject>) -> Result<BTreeMap<u64, Vec<u8>>, OpenError> {
    let bytes = |reject: Reject| match reject.raw {
        Some(raw) => Ok(raw),
        None => content.range(&reject.place.part, reject.place.offset, reject.place.bytes),
    };
    set_aside.into_iter().map(|(record, reject)| Ok((record, bytes(reject)?))).collect()
}

/// Records that left the quarantine later.
fn amended(receipt: &Receipt) -> Vec<(u64, u64)> {
    receipt.amendments.iter().flat_map(|amendment| amendment.records.iter().copied()).collect()
}

/// The rows that a replay gave, once more.
fn replayed(
    ingest: &Ingest,
    source: &Source,
    receipt: &Receipt,
    amendment: &Amendment,
    set_aside: &BTreeMap<u64, Vec<u8>>,
    types: &Types,
) -> Result<Result<BTreeMap<String, Digest>, String>, SinkError> {
    let Some(reading) = &receipt.reading else { return Ok(Err("the receipt does not say how it was read".to_owned())) };
    let contract = pinned(&source.contract, &amendment.decided);
    let mut numbers = Vec::new();
    let mut raw = Vec::new();
    for (first, last) in &amendment.records {
        for (record, bytes) in set_aside.range(*first..=*last) {
            numbers.push(*record);
            raw.push(bytes.as_slice());
        }
    }
    let again = Again::new(reading, &source.format, &contract, raw);
    let numbers: Vec<u64> = again.records.iter().map(|place| numbers[*place]).collect();
    let path_values = source.path.values(&receipt.object.key).unwrap_or_default();
    let Ok(rules) = rules(ingest, source) else {
        return Ok(Err("its `where` or `derive` cannot be read any more".to_owned()));
    };
    let (format, contract) = (&again.format, &again.contract);
    let request = request(ingest, source, &receipt.object, format, contract, &path_values, rules.as_deref());
    let mut sink = DigestSink { numbers: Some(numbers), ..DigestSink::new(&source.contract, types, Vec::new()) };
    if let Err(error) = decode(&mut again.bytes.as_slice(), &request, &mut sink) {
        return Ok(Err(format!("replayed records cannot be decoded again: {error}")));
    }
    sink.digests.remove(QUARANTINE); // what was refused again is counted by the object itself
    Ok(Ok(sink.digests))
}

/// The contract with the formats that were chosen: over fewer records the choice could be another one.
fn pinned(contract: &Contract, decided: &BTreeMap<String, Choice<String>>) -> Contract {
    let mut contract = contract.clone();
    let labels: Vec<String> = (0..contract.read_columns().count()).map(|number| contract.read_label(number)).collect();
    let nested = contract.nested.iter_mut().flat_map(|nested| &mut nested.columns);
    for (column, label) in contract.parent.columns.iter_mut().chain(nested).zip(labels) {
        let chosen = decided.get(&format!("date format of {label}")).and_then(|chosen| chosen.value.parse().ok());
        column.formats = chosen.map_or_else(|| column.formats.clone(), |chosen| vec![chosen]);
    }
    contract
}

/// Takes digests of what the decoder gives.
struct DigestSink<'a> {
    names: Vec<String>,
    types: &'a Types,
    digests: BTreeMap<String, Digest>,
    /// Refused records that left the quarantine later: kept, not counted.
    amended: Vec<(u64, u64)>,
    set_aside: BTreeMap<u64, Reject>,
    /// Which records the decoder's are, if not the same.
    numbers: Option<Vec<u64>>,
}

impl<'a> DigestSink<'a> {
    fn new(contract: &Contract, types: &'a Types, amended: Vec<(u64, u64)>) -> Self {
        let names = TargetTables::new(contract).tables.into_iter().map(|(name, _)| name.to_string()).collect();
        let (digests, set_aside) = (BTreeMap::new(), BTreeMap::new());
        Self { names, types, digests, amended, set_aside, numbers: None }
    }
}

impl RowSink for DigestSink<'_> {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        let name = &self.names[table];
        let batch = match &self.numbers {
            Some(numbers) => renumbered(&batch, numbers)?,
            None => written_out(&batch),
        };
        let none = BTreeMap::new();
        let types = self.types.get(name).unwrap_or(&none);
        self.digests.entry(name.clone()).or_default().add_batch(&batch, types)?;
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        let place = &reject.place;
        if self.amended.iter().any(|(first, last)| (*first..=*last).contains(&place.record)) {
            self.set_aside.insert(place.record, reject);
        } else {
            let digest = self.digests.entry(QUARANTINE.to_owned()).or_default();
            digest.add_refused(place.record, place.bytes, reject.raw.as_deref());
        }
        Ok(())
    }
}

impl Sink for DigestSink<'_> {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.digests.clear();
        self.set_aside.clear();
        Ok(())
    }
}

/// The rows, each value written out, with the numbers that their records have in their object.
pub(crate) fn renumbered(batch: &RecordBatch, numbers: &[u64]) -> Result<RecordBatch, SinkError> {
    let batch = written_out(batch);
    let column = batch.schema().index_of(RECORD_COLUMN)?;
    let records = batch.column(column).as_primitive::<Int64Type>();
    let number = |record: &i64| -> Result<i64, SinkError> {
        let number = numbers.get(usize::try_from(*record)?).ok_or("a record that was not asked for")?;
        Ok(i64::try_from(*number)?)
    };
    let own = records.values().iter().map(number).collect::<Result<Vec<i64>, _>>()?;
    let mut columns = batch.columns().to_vec();
    columns[column] = Arc::new(Int64Array::from(own));
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
