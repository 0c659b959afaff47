//! `receipts verify`: the stored object and the tables read again, and held against the receipt (promise 2).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use futures::StreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use serde::Serialize;
use stillhouse_lake::{QUARANTINE, QuarantineQuery, Snapshot};
use stillhouse_spec::{ObjectVersion, Receipt, Source, object_id};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::digest::{Digest, types};
use crate::error::{Error, Kind};
use crate::folder::Folder;
use crate::reread::{Reread, reread};
use crate::standing::standing_receipts;

/// Which receipts; all that stand when nothing is stated.
#[derive(Debug, Clone, Default)]
pub struct VerifyRequest {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of objects whose key ends with this.
    pub key: Option<String>,
    /// The tables are counted, the objects not read.
    pub counts_only: bool,
}

/// How far a receipt could be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The object was read again: its digest is the receipt's, and the tables hold exactly its rows and refused records.
    Content,
    /// The tables hold as many rows and refused records as the receipt says; the object could not be read again.
    Counts,
    /// There is nothing to prove: the version has no rows of its own, and the tables hold none.
    NoRows,
    /// Something is different.
    Failed,
}

/// What became of one receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The version of the key.
    pub generation: i64,
    /// How far it went.
    pub proof: Proof,
    /// Rows in the tables, refused records included.
    pub rows: u64,
    /// Why not further, or what is different.
    pub remarks: Vec<String>,
}

/// Proves receipts, one after the other, in the order of their keys. `each` hears of every one as it is done.
pub async fn verify(
    ingest: &Arc<Ingest>,
    request: &VerifyRequest,
    mut each: impl FnMut(&Verified),
) -> Result<Vec<Verified>, Error> {
    let receipts = standing_receipts(ingest, request.source.as_deref()).await?.receipts;
    let twins = twins(&receipts);
    let snapshot = ingest.lake.snapshot().await?;
    let mut done = Vec::new();
    let wanted = |receipt: &Receipt| request.key.as_ref().is_none_or(|end| receipt.object.key.ends_with(end));
    for receipt in receipts.into_iter().filter(|receipt| receipt.seq <= snapshot.seq && wanted(receipt)) {
        ingest.check_stop()?;
        let others = twins.get(&(receipt.key_number, receipt.generation)).map_or(&[][..], Vec::as_slice);
        let verified = one(ingest, &snapshot, receipt, others, request.counts_only).await?;
        each(&verified);
        done.push(verified);
    }
    Ok(done)
}

/// The objects that have the same content as a version, by its key number and generation.
type Twins = BTreeMap<(i64, i64), Vec<ObjectVersion>>;

pub(crate) fn twins(receipts: &[Receipt]) -> Twins {
    let mut twins = Twins::new();
    for receipt in receipts {
        if let Some(twin) = &receipt.twin {
            twins.entry((twin.key_number, twin.generation)).or_default().push(receipt.object.clone());
        }
    }
    twins
}

async fn one(
    ingest: &Arc<Ingest>,
    snapshot: &Snapshot,
    receipt: Receipt,
    twins: &[ObjectVersion],
    counts_only: bool,
) -> Result<Verified, Error> {
    let mut verified = Verified {
        source: receipt.object.source.clone(),
        key: receipt.object.name(),
        generation: receipt.generation,
        proof: Proof::Counts,
        rows: 0,
        remarks: Vec::new(),
    };
    let tables = match Tables::read(ingest, snapshot, &receipt).await {
        Ok(tables) => tables,
        // A damaged file is what one wants to hear of, together with everything else.
        Err(error) if error.kind() == Kind::FixData => {
            verified.proof = Proof::Failed;
            verified.remarks.push(error.to_string());
            return Ok(verified);
        }
        Err(error) => return Err(error),
    };
    verified.rows = tables.found.values().map(|digest| digest.rows).sum();
    let mut wrong = tables.against_counts(&receipt);
    if receipt.twin.is_some() || receipt.removed {
        verified.proof = Proof::NoRows;
    } else if wrong.is_empty() && !counts_only {
        match prove(ingest, &receipt, twins, tables).await? {
            Ok(different) if different.is_empty() => verified.proof = Proof::Content,
            Ok(different) => wrong = different,
            Err(why) => verified.remarks.push(why),
        }
    }
    if !wrong.is_empty() {
        verified.proof = Proof::Failed;
        verified.remarks.extend(wrong);
    }
    Ok(verified)
}

/// What the tables hold of one object.
pub(crate) struct Tables {
    found: BTreeMap<String, Digest>,
    types: BTreeMap<String, BTreeMap<String, DataType>>,
}

impl Tables {
    async fn read(ingest: &Ingest, snapshot: &Snapshot, receipt: &Receipt) -> Result<Self, Error> {
        let object = object_id(receipt.key_number, receipt.generation);
        let mut tables = Self { found: BTreeMap::new(), types: BTreeMap::new() };
        for (name, table) in snapshot.tables.iter().filter(|(name, _)| !name.starts_with('_')) {
            let types = types(&table.schema);
            let mut digest = Digest::default();
            let mut rows = ingest.lake.rows(name, table.version, object..=object, None).await?;
            while let Some(batch) = rows.batches.next().await {
                digest.add_batch(&batch?, &types).map_err(unreadable)?;
            }
            tables.found.insert(name.clone(), digest);
            tables.types.insert(name.clone(), types);
        }
        let mut refused = Digest::default();
        let version = snapshot.tables.get(QUARANTINE).map(|table| table.version);
        let query = QuarantineQuery { objects: Some([object].into()), version, ..QuarantineQuery::default() };
        let mut pieces = ingest.lake.quarantine(&query).await?;
        while let Some(piece) = pieces.next().await {
            for record in piece? {
                let place = &record.row.place;
                refused.add_refused(place.record, place.bytes, record.row.raw.as_deref());
            }
        }
        tables.found.insert(QUARANTINE.to_owned(), refused);
        Ok(tables)
    }

    /// Tables that hold another number of rows than the receipt says.
    fn against_counts(&self, receipt: &Receipt) -> Vec<String> {
        let mut wrong = Vec::new();
        if !receipt.counts.balanced() {
            wrong.push("the receipt does not add up: read is not loaded + quarantined + filtered + blank".to_owned());
        }
        let names: Vec<&String> = self.found.keys().chain(receipt.tables.keys()).collect();
        let mut seen = std::collections::BTreeSet::new();
        for name in names.into_iter().filter(|name| seen.insert(name.as_str())) {
            let expected = receipt.tables.get(name).map_or(0, |count| count.rows);
            let found = self.found.get(name).map_or(0, |digest| digest.rows);
            if expected != found {
                wrong.push(format!("table `{name}`: the receipt says {expected} rows, found {found}"));
            }
        }
        wrong
    }

    fn against_content(&self, expected: &BTreeMap<String, Digest>) -> Vec<String> {
        let differs = |(name, found): &(&String, &Digest)| expected.get(*name).copied().unwrap_or_default() != **found;
        let tables = self.found.iter().filter(differs);
        tables.map(|(name, _)| format!("table `{name}`: other rows than the file gives")).collect()
    }
}

fn unreadable(error: arrow::error::ArrowError) -> Error {
    Error::new(Kind::Bug, "rows of the lake cannot be compared").with_source(error)
}

/// What is different once the object was read again; or why it cannot be.
async fn prove(
    ingest: &Arc<Ingest>,
    receipt: &Receipt,
    twins: &[ObjectVersion],
    tables: Tables,
) -> Result<Result<Vec<String>, String>, Error> {
    let sources = match source_files(ingest, receipt).await? {
        Ok(sources) => sources,
        Err(why) => return Ok(Err(why)),
    };
    let mut object = None;
    for candidate in std::iter::once(&receipt.object).chain(twins) {
        if object.is_none() {
            object = original(ingest, &sources[&receipt.source_fingerprint], candidate).await?;
        }
    }
    let Some(object) = object else {
        return Ok(Err("the file is gone, so its content cannot be compared".to_owned()));
    };
    let (ingest, receipt, runtime) = (Arc::clone(ingest), receipt.clone(), Handle::current());
    let compared = tokio::task::spawn_blocking(move || {
        let reread = reread(&ingest, &object, &receipt, &sources, &tables.types, &runtime)?;
        Ok(match reread {
            Reread::Rows(expected) => Ok(tables.against_content(&expected)),
            Reread::OtherBytes => Err("the file was changed since, so its content cannot be compared".to_owned()),
            Reread::Unreadable(why) => Ok(vec![why]),
        })
    });
    compared.await.map_err(|error| Error::new(Kind::Bug, "reading again stopped").with_source(error))?
}

/// The object as it is now, if it is there. `source`: as it was when the object was loaded.
async fn original(ingest: &Ingest, source: &Source, object: &ObjectVersion) -> Result<Option<ObjectVersion>, Error> {
    let failed = |error: object_store::Error| {
        Error::new(Kind::Retry, format!("`{}` cannot be read", object.key)).with_source(error)
    };
    if source.path.is_of_folders() {
        return match Folder::list(&ingest.store, source, &object.key).await {
            Ok(folder) => Ok(folder.is_object().then(|| folder.version())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        };
    }
    let location =
        Path::parse(&object.key).map_err(|e| Error::new(Kind::Bug, "a key that is no path").with_source(e))?;
    match ingest.store.head(&location).await {
        // What is in an archive is as it was if the archive is.
        Ok(meta) if !object.member.is_empty() => {
            let archive = crate::version::version(&object.source, &meta);
            Ok(Some(ObjectVersion { member: object.member.clone(), ..archive }))
        }
        Ok(meta) => Ok(Some(crate::version::version(&object.source, &meta))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The source files that the receipt and its amendments went by, by fingerprint.
async fn source_files(ingest: &Ingest, receipt: &Receipt) -> Result<Result<BTreeMap<String, Source>, String>, Error> {
    let replays =
        receipt.amendments.iter().filter(|amendment| amendment.what == stillhouse_spec::AmendmentKind::Replay);
    let fingerprints = replays.map(|amendment| &amendment.because).chain([&receipt.source_fingerprint]);
    let mut sources = BTreeMap::new();
    for fingerprint in fingerprints {
        let Some(text) = ingest.lake.text(fingerprint).await? else {
            return Ok(Err("the copy of its source file is not in the lake".to_owned()));
        };
        match Source::parse(&receipt.object.source, &text, &*ingest.environment) {
            Ok(source) => sources.insert(fingerprint.clone(), source),
            Err(problems) => return Ok(Err(format!("its source file of then cannot be read now: {problems}"))),
        };
    }
    Ok(Ok(sources))
}
