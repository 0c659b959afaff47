//! Which objects are there: a listing held against the source's path template.
//!
//! Discovery may be sloppy, late, doubled and out of order; the ledger's `offer` makes one row of it all.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore};
use stillhouse_spec::{ObjectVersion, Period, Source};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind};
use crate::folder::{Folder, is_nobodys};
use crate::open::{Members, OpenObject, is_archive, limits, members};
use crate::version::version;

/// What a listing of one source found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Objects that belong to the source, by key.
    pub objects: Vec<Found>,
    /// Folders that are named like an object of the source, or files where its objects are folders: surely a mistake, and
    /// worth a word.
    pub misplaced: Vec<String>,
    /// Archives that are listed by their members.
    pub archives: Vec<String>,
    /// What was passed over in archives, and in folders that are objects: folders, hidden files, markers.
    pub ignored: u64,
}

/// One object of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Identity and version.
    pub version: ObjectVersion,
    /// What the placeholders of the path template stand for.
    pub path_values: BTreeMap<String, String>,
    /// Of a folder: the entry in it that says that somebody is still writing.
    pub writing: Option<String>,
}

/// Lists the objects of `source` whose path names a day of `period`, widened by the source's spill. A path that names
/// no period belongs to every period. Where the path ends with `/`, folders are objects, and files are their parts.
///
/// An archive is listed by its members; one whose directory cannot be read stands for itself, and is held when it is loaded.
pub async fn discover(store: &Arc<dyn ObjectStore>, source: &Source, period: Period) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let mut folders = vec![source.path.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        // The store's names are taken as they are: `Path::from` would encode umlauts and signs once more.
        let prefix = (!folder.is_empty()).then(|| Path::parse(&folder)).transpose();
        let prefix = prefix.map_err(|error| listing_error(source, &folder, error.into()))?;
        let level = match store.list_with_delimiter(prefix.as_ref()).await {
            Ok(level) => level,
            Err(object_store::Error::NotFound { .. }) => continue, // no folder, no objects
            Err(error) => return Err(listing_error(source, &folder, error)),
        };
        if source.path.is_of_folders() {
            folders.extend(of_folders(source, &folder, &level, period, &mut listing));
            continue;
        }
        for meta in &level.objects {
            match found(source, meta, period) {
                Some(found) if is_archive(&found.version.key) => archive(store, source, found, &mut listing).await?,
                found => listing.objects.extend(found),
            }
        }
        for prefix in level.common_prefixes {
            let key = prefix.as_ref().to_owned();
            if source.path.values(&key).is_some() {
                listing.misplaced.push(key.clone());
            }
            folders.push(key);
        }
    }
    let by_name = |found: &Found| (found.version.key.clone(), found.version.member.clone());
    listing.objects.sort_by_key(by_name);
    listing.misplaced.sort();
    Ok(listing)
}

/// One level of the folders of a source whose objects are folders. Gives those below that are to be looked at.
fn of_folders(source: &Source, key: &str, level: &ListResult, period: Period, listing: &mut Listing) -> Vec<String> {
    let matches = |key: &str| source.path.values(key).is_some();
    let files = level.objects.iter().map(|meta| meta.location.as_ref());
    listing.misplaced.extend(files.filter(|key| matches(key)).map(str::to_owned));
    let mut is_object = false;
    if let Some(path_values) = source.path.values(key) {
        let folder = Folder::of(source, key, level);
        is_object = folder.is_object();
        if is_object && concerns(source, key, period) {
            listing.ignored += folder.ignored;
            listing.objects.push(Found { version: folder.version(), path_values, writing: folder.writing });
        }
    }
    // What Spark has in `_temporary` is nobody's yet.
    let below = level.common_prefixes.iter().filter(|below| !is_object || !below.filename().is_some_and(is_nobodys));
    below.map(|below| below.as_ref().to_owned()).collect()
}

/// Lists the members of an archive in its place.
async fn archive(
    store: &Arc<dyn ObjectStore>,
    source: &Source,
    found: Found,
    listing: &mut Listing,
) -> Result<(), Error> {
    let (store, limits, version) = (Arc::clone(store), limits(source), found.version.clone());
    let runtime = Handle::current();
    let listed = tokio::task::spawn_blocking(move || {
        let object = OpenObject::new(store, &version, runtime, CancellationToken::new(), Arc::new(|_| ()))?;
        members(&object, &version, &limits)
    });
    let listed =
        listed.await.map_err(|error| Error::new(Kind::Bug, "listing an archive stopped").with_source(error))?;
    match listed {
        Ok(Members { versions, ignored }) => {
            listing.archives.push(found.version.key);
            listing.ignored += ignored.total();
            let values = found.path_values;
            listing.objects.extend(versions.into_iter().map(|version| Found {
                version,
                path_values: values.clone(),
                writing: None,
            }));
        }
        Err(_) => listing.objects.push(found),
    }
    Ok(())
}

fn listing_error(source: &Source, folder: &str, error: object_store::Error) -> Error {
    Error::new(Kind::FixSettings, format!("source `{}`: folder `{folder}` cannot be listed", source.name))
        .with_hint(
            "see that the folder may be read, and that no entry of it leads in a circle (a link to its own folder) or has a \
             name with line breaks or bytes that are no text; then run the same command again",
        )
        .with_source(error)
}

fn found(source: &Source, meta: &ObjectMeta, period: Period) -> Option<Found> {
    let key = meta.location.as_ref();
    let path_values = source.path.values(key)?;
    if !concerns(source, key, period) {
        return None;
    }
    Some(Found { version: version(source.name.as_str(), meta), path_values, writing: None })
}

/// Whether the object at `key` may hold rows of `period`.
pub(crate) fn concerns(source: &Source, key: &str, period: Period) -> bool {
    let (Some(own), Some((first, end))) = (source.path.period(key).and_then(Period::days), period.days()) else {
        return true;
    };
    let spill = source.cadence.map_or(0, |cadence| i64::from(cadence.spill_days));
    let days = jiff::Span::new().try_days(spill).unwrap_or_default();
    let from = own.0.checked_sub(days).unwrap_or(own.0);
    let to = own.1.checked_add(days).unwrap_or(own.1);
    from < end && first < to
}
