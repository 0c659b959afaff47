//! A column gets another type. A column of a table has one type, so all files that have rows there are read again, and their
//! rows replaced in one batch.

use std::collections::BTreeSet;

use stillhouse_ledger::{Change, Offer};
use stillhouse_spec::{ObjectVersion, Period, Source, SourceName};

use crate::context::Ingest;
use crate::discovered::{Discovered, Identity, IngestRequest, identity};
use crate::error::{Error, Kind};
use crate::targets::TargetTables;
use crate::text::{and_more, files};

/// The most files that can be replaced in one batch: its manifest, some kilobytes for each, is one entry of a log.
const TOGETHER_MAX: usize = 10_000;

/// The next step where rows cannot change their type.
const NEW_NAME: &str = "give the column a new name; its old values stay in the old one";

/// Files of a source that load as one batch.
pub(crate) struct Together {
    pub(crate) objects: Vec<ObjectVersion>,
    /// Why.
    pub(crate) note: String,
}

/// What has to load together of what is to be loaded again.
pub(crate) async fn together(
    ingest: &Ingest,
    request: &IngestRequest,
    discovered: &Discovered,
) -> Result<Vec<Together>, Error> {
    let mut all = Vec::new();
    for source in &ingest.sources {
        let name = source.name.as_str();
        if !discovered.reload.iter().any(|identity| identity.0 == name) {
            continue;
        }
        let Some(change) = type_change(ingest, source).await? else { continue };
        let with_rows = ingest.ledger.with_rows(name).await?;
        check_settled(&change, &with_rows, discovered)?;
        check_all(request, source, &change, &with_rows, discovered)?;
        check_versions(&change, &with_rows)?;
        let found = discovered.found.iter().map(|found| &found.version);
        let known: BTreeSet<Identity> = with_rows.iter().map(identity).collect();
        let objects: Vec<_> = found.filter(|object| known.contains(&identity(object))).cloned().collect();
        if objects.len() > TOGETHER_MAX {
            return Err(too_many(&change, objects.len()));
        }
        let note = format!("source `{name}`: {change}; {} are loaded again, as one batch", files(objects.len()));
        all.push(Together { objects, note });
    }
    Ok(all)
}

/// Offers what has to load together, before anything else: a file that has never been loaded fits the tables only then.
/// Answers whether there is something.
pub(crate) async fn offer_together(
    ingest: &Ingest,
    request: &IngestRequest,
    discovered: &mut Discovered,
) -> Result<bool, Error> {
    let all = together(ingest, request, discovered).await?;
    let any = !all.is_empty();
    for Together { objects, note } in all {
        // A file that was changed meanwhile is loaded as it is now, in the place of what it was.
        let offers: Vec<Offer> =
            objects.iter().map(|object| Offer { object: object.clone(), change: Change::Replace }).collect();
        ingest.ledger.offer(&offers, ingest.now()).await?;
        let keys: Vec<_> = objects
            .iter()
            .map(|object| (object.source.as_str(), object.key.as_str(), object.member.as_str()))
            .collect();
        let offered = ingest.ledger.reoffer_together(&keys, &ingest.new_id(), ingest.now()).await?;
        discovered.together.extend(objects.iter().map(identity).zip(offered));
        discovered.notes.push(note);
    }
    Ok(any)
}

/// What a table of the source would say about the first column whose type is another one now.
async fn type_change(ingest: &Ingest, source: &Source) -> Result<Option<String>, Error> {
    for (table, schema) in &TargetTables::new(&source.contract).tables {
        if let Some(change) = ingest.lake.type_changes(table.as_str(), schema).await?.first() {
            let (column, from, to) = (&change.column, &change.from, &change.to);
            return Ok(Some(format!("table `{table}`, column `{column}`: {from} becomes {to}")));
        }
    }
    Ok(None)
}

/// The next step for a file that was held because a table has another type for one of its columns.
pub(crate) async fn hint(ingest: &Ingest, source: &Source) -> Result<Option<String>, Error> {
    Ok(type_change(ingest, source).await?.map(|_| reload_hint(&source.name)))
}

/// The next step when the contract of a source has another type for a column than its table.
pub fn reload_hint(source: &SourceName) -> String {
    format!(
        "all rows of a table change their type together: `stillhouse ingest --reload {source}`; or change the type back, or \
         give the column a new name"
    )
}

/// Files that load together do so or not at all.
pub(crate) fn not_alone(source: &Source, refused: &ObjectVersion) -> (String, String) {
    let name = refused.name();
    let message = format!("not loaded, because a type changes and so all files load together, but not `{name}`");
    (message, format!("mend what is said of `{name}`, then run `stillhouse ingest --reload {}`", source.name))
}

/// Files that load together were changed into each other's contents.
pub(crate) fn meet(source: &Source) -> (String, String) {
    let message = "not loaded: files that load together were changed, and some hold what others held before";
    let hint = format!("run `stillhouse ingest --reload {}` once more", source.name);
    (message.to_owned(), hint)
}

/// The first of these names, and how many more there are.
fn first_of(objects: &[&ObjectVersion]) -> String {
    let mut names: Vec<String> = objects.iter().map(|object| object.name()).collect();
    names.sort();
    format!("`{}`{}", names.first().map_or("", String::as_str), and_more(names.len()))
}

/// A file that is still being written cannot be read again now.
fn check_settled(change: &str, with_rows: &[ObjectVersion], discovered: &Discovered) -> Result<(), Error> {
    let settling: BTreeSet<Identity> = discovered.settling.iter().map(|found| identity(&found.version)).collect();
    let others: Vec<_> = with_rows.iter().filter(|object| settling.contains(&identity(object))).collect();
    if others.is_empty() {
        return Ok(());
    }
    let message = format!("{change}, for all rows together; but {} is still being written", first_of(&others));
    Err(Error::new(Kind::FixSettings, message).with_hint("run the same command again when it is finished"))
}

/// Every file with rows is to be loaded again.
fn check_all(
    request: &IngestRequest,
    source: &Source,
    change: &str,
    with_rows: &[ObjectVersion],
    discovered: &Discovered,
) -> Result<(), Error> {
    let others: Vec<_> = with_rows.iter().filter(|object| !discovered.reload.contains(&identity(object))).collect();
    if others.is_empty() {
        return Ok(());
    }
    let message = format!("{change}, for all rows together; but {} would keep the old type", first_of(&others));
    let hint = if request.reload.iter().any(|named| named == source.name.as_str()) && request.period == Period::All {
        "put the files back, or set `on_missing = \"remove\"` in the source file and run `stillhouse ingest` first, or give \
         the column a new name"
            .to_owned()
    } else {
        format!("load all files of the source again: `stillhouse ingest --reload {}`", source.name)
    };
    Err(Error::new(Kind::FixSettings, message).with_hint(hint))
}

/// Of a file whose versions came one to the other, only the newest can be read again.
fn check_versions(change: &str, with_rows: &[ObjectVersion]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = with_rows.iter().filter(|object| !seen.insert(identity(object))).collect();
    if twice.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{change}, for all rows together; but {} has rows of versions that are there no more (`on_change = \"append\"`)",
        first_of(&twice)
    );
    Err(Error::new(Kind::FixSettings, message).with_hint(NEW_NAME))
}

fn too_many(change: &str, count: usize) -> Error {
    let message = format!("{change}: expected at most {TOGETHER_MAX} files to replace together, found {count}");
    Error::new(Kind::FixSettings, message).with_hint(NEW_NAME)
}
