//! What a run is about: the objects of every source that it names, settled ones apart from those still being written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stillhouse_ledger::{Offered, State, VersionId, VersionRow};
use stillhouse_spec::{ObjectVersion, Period, Source};

use crate::context::Ingest;
use crate::discover::{Found, Listing, discover};
use crate::error::{Error, Kind};
use crate::missing::missing;
use crate::settle::{Settled, settle};
use crate::text::{files, folders};

/// What to load.
#[derive(Debug, Clone)]
pub struct IngestRequest {
    /// Only these sources; all when empty.
    pub sources: Vec<String>,
    /// Only objects whose path names a day of this period.
    pub period: Period,
    /// Keys, or names of sources with all their keys, that are loaded again although they have not changed.
    pub reload: Vec<String>,
    /// Held objects are tried again.
    pub held: bool,
}

/// Objects of a run as they were discovered.
#[derive(Default)]
pub(crate) struct Discovered {
    pub(crate) found: Vec<Found>,
    /// Those of `found` in the ledger, as they stood when they were offered; in the same order.
    pub(crate) offered: Vec<Offered>,
    pub(crate) settling: Vec<Found>,
    /// Those of `found` that are to be loaded again although they have not changed.
    pub(crate) reload: BTreeSet<Identity>,
    /// Of these, the ones that were offered together because a type changes, and as what.
    pub(crate) together: BTreeMap<Identity, VersionId>,
    /// Loaded once, there no more, and to be removed: source, key, member.
    pub(crate) missing: Vec<(String, String, String)>,
    /// The versions that stand for their removal.
    pub(crate) removed: Vec<VersionId>,
    pub(crate) notes: Vec<String>,
}

/// Source, key and member.
pub(crate) type Identity = (String, String, String);

pub(crate) fn identity(object: &ObjectVersion) -> Identity {
    (object.source.clone(), object.key.clone(), object.member.clone())
}

/// The sources that a request names.
fn sources(ingest: &Ingest, request: &IngestRequest) -> Result<Vec<Arc<Source>>, Error> {
    for name in &request.sources {
        if ingest.source_named(name).is_none() {
            let known: Vec<&str> = ingest.sources.iter().map(|source| source.name.as_str()).collect();
            return Err(Error::new(Kind::FixSettings, format!("there is no source `{name}`"))
                .with_hint(format!("sources are: {}", known.join(", "))));
        }
    }
    let wanted = |source: &&Arc<Source>| {
        request.sources.is_empty() || request.sources.iter().any(|name| name == source.name.as_str())
    };
    Ok(ingest.sources.iter().filter(wanted).cloned().collect())
}

pub(crate) async fn discover_all(ingest: &Ingest, request: &IngestRequest) -> Result<Discovered, Error> {
    let mut all = Discovered::default();
    for source in sources(ingest, request)? {
        ingest.check_stop()?;
        let listing = discover(&ingest.store, &source, request.period).await?;
        all.notes.extend(listing.misplaced.iter().map(|key| misplaced(&source, key)));
        all.notes.extend(passed_over(&source, &listing));
        if listing.objects.is_empty() {
            all.notes.push(format!(
                "source `{}`: no file matches `{}`{}",
                source.name,
                source.path,
                of_period(request.period)
            ));
        }
        all.missing.extend(by_members_now(ingest, &source, &listing.archives).await?);
        let gone = missing(ingest, &source, request.period, &listing.objects).await?;
        all.notes.extend(gone.note);
        all.missing.extend(gone.keys);
        let Settled { ready, settling } = settle(ingest, &source, request.period, listing.objects).await?;
        all.found.extend(ready);
        all.settling.extend(settling);
    }
    all.reload = reloads(request, &all)?;
    Ok(all)
}

/// A folder where a file is expected, or the other way round.
fn misplaced(source: &Source, key: &str) -> String {
    let name = &source.name;
    if source.path.is_of_folders() {
        return format!(
            "`{key}` is a file, but source `{name}` expects a folder of that name: its path ends with `/`; without that it is \
             about files"
        );
    }
    format!(
        "`{key}` is a folder, but source `{name}` expects a file of that name; if its files are the parts of one export, end \
         the path of the source with a slash: `{}/`",
        source.path
    )
}

/// What was not taken for data.
fn passed_over(source: &Source, listing: &Listing) -> Option<String> {
    let (name, ignored) = (&source.name, listing.ignored);
    let (places, what) = if source.path.is_of_folders() {
        (folders(listing.objects.len()), "markers and hidden files")
    } else {
        (files(listing.archives.len()), "folders and hidden files")
    };
    (ignored > 0).then(|| format!("source `{name}`: passed over in {places}: {ignored} {what}"))
}

/// Archives that once could not be read, and were held for it; now they are listed by their members.
async fn by_members_now(
    ingest: &Ingest,
    source: &Source,
    archives: &[String],
) -> Result<Vec<(String, String, String)>, Error> {
    let name = source.name.as_str();
    let keys: Vec<_> = archives.iter().map(|key| (name, key.as_str(), "")).collect();
    let known = ingest.ledger.newest_of(&keys).await?;
    let waits = |row: &VersionRow| matches!(row.state, State::Held | State::Failed) && !row.removed;
    let waiting = known.into_iter().flatten().filter(waits);
    Ok(waiting.map(|row| (row.object.source, row.object.key, row.object.member)).collect())
}

fn of_period(period: Period) -> String {
    match period {
        Period::All => String::new(),
        other => format!(" for {other}"),
    }
}

/// What is to be loaded again must be there: a typing error must not look like success.
fn reloads(request: &IngestRequest, all: &Discovered) -> Result<BTreeSet<Identity>, Error> {
    let mut reload = BTreeSet::new();
    for named in &request.reload {
        let is_meant = |found: &&Found| {
            let object = &found.version;
            object.source == *named || object.key == *named || object.name() == *named
        };
        if !all.found.iter().chain(&all.settling).any(|found| is_meant(&found)) {
            return Err(Error::new(
                Kind::FixSettings,
                format!("`{named}` cannot be loaded again: expected a source that has files, or the path of one of them"),
            )
            .with_hint(
                "write the name of a source, or the path as `stillhouse receipts list` shows it, relative to the project folder",
            ));
        }
        reload.extend(all.found.iter().filter(is_meant).map(|found| identity(&found.version)));
    }
    Ok(reload)
}
