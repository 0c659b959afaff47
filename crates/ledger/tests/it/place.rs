//! A database for one test, and small makers of what goes into it.

use stillhouse_ledger::{
    AmendRequest, Change, ClaimLimits, Error, ImportedReceipt, Job, Kind, Ledger, Level, LogLine, Offer, Offered,
    StageMember, StageRequest, Staged, StagedAmend, State, VersionId,
};
use stillhouse_spec::ObjectVersion;
use tempfile::TempDir;

/// Longer than any test.
pub const LEASE: i64 = 1_000_000;

pub const ALL: ClaimLimits = ClaimLimits { small_bytes: 1 << 40, group_count_max: 10_000, group_bytes_max: 1 << 50 };
pub const ONE: ClaimLimits = ClaimLimits { small_bytes: 0, group_count_max: 1, group_bytes_max: 0 };

/// Where a ledger is; opening it twice gives two pools of connections, as two processes have them.
pub struct Place {
    pub url: String,
    _folder: Option<TempDir>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("ledger.db").display());
        Self { url, _folder: Some(folder) }
    }

    pub fn postgres(url: String) -> Self {
        Self { url, _folder: None }
    }

    pub async fn open(&self) -> Ledger {
        Ledger::open_url(&self.url, "ledger-1", 1).await.unwrap()
    }

    /// A ledger that takes work.
    pub async fn working(&self) -> Ledger {
        let ledger = self.open().await;
        ledger.open_for_work(1, 1, 1).await.unwrap();
        ledger
    }
}

pub fn object(key: &str, etag: &str, size: u64) -> ObjectVersion {
    object_of("events", key, etag, size)
}

pub fn object_of(source: &str, key: &str, etag: &str, size: u64) -> ObjectVersion {
    let (source, key, etag) = (source.to_owned(), key.to_owned(), etag.to_owned());
    ObjectVersion { source, key, member: String::new(), etag, size, modified_at: 7 }
}

/// Offers that replace.
pub fn offers(objects: &[ObjectVersion]) -> Vec<Offer> {
    objects.iter().map(|object| Offer { object: object.clone(), change: Change::Replace }).collect()
}

pub async fn offer_one(ledger: &Ledger, object: ObjectVersion, now: i64) -> Offered {
    offer_as(ledger, object, Change::Replace, now).await
}

pub async fn offer_as(ledger: &Ledger, object: ObjectVersion, change: Change, now: i64) -> Offered {
    ledger.offer(&[Offer { object, change }], now).await.unwrap().remove(0)
}

/// Claims with attempt ids that follow from the token.
pub async fn claim(ledger: &Ledger, limits: ClaimLimits, token: &str, now: i64) -> Vec<Job> {
    ledger.claim(limits, token, &format!("attempt-{token}"), now, LEASE).await.unwrap()
}

pub fn versions(jobs: &[Job]) -> Vec<VersionId> {
    jobs.iter().map(|job| job.version).collect()
}

pub fn request(batch: &str, token: &str, members: &[VersionId]) -> StageRequest {
    StageRequest {
        batch_id: batch.to_owned(),
        token: token.to_owned(),
        members: members.iter().map(|version| member(*version, "", None)).collect(),
        manifest: format!("manifest of {batch}"),
    }
}

/// A member that is left out if its content is there.
pub fn member(version: VersionId, content: &str, twin: Option<VersionId>) -> StageMember {
    StageMember { version, content: content.to_owned(), twin, skip_same: true }
}

pub fn amend(batch: &str, members: &[(VersionId, i64)]) -> AmendRequest {
    AmendRequest { batch_id: batch.to_owned(), members: members.to_vec(), manifest: format!("manifest of {batch}") }
}

/// A key of which discovery finds nothing any more.
pub fn gone(key: &str) -> (String, String, String) {
    ("events".to_owned(), key.to_owned(), String::new())
}

pub fn log_line(at: i64, text: &str) -> LogLine {
    LogLine { at, level: Level::Info, text: text.to_owned() }
}

/// A refusal for the reasons that concern the claim.
pub fn refused(superseded: &[VersionId], lost: &[VersionId]) -> Staged {
    Staged::Refused { superseded: superseded.to_vec(), lost: lost.to_vec(), same: vec![], orphaned: vec![] }
}

/// Offers, claims and stages one object; answers its version and seq.
pub async fn stage_one(ledger: &Ledger, object: ObjectVersion, name: &str, now: i64) -> (VersionId, i64) {
    offer_one(ledger, object, now).await;
    let jobs = claim(ledger, ONE, name, now).await;
    match ledger.stage(&request(name, name, &versions(&jobs)), now).await.unwrap() {
        Staged::Done { seq, .. } => (jobs[0].version, seq),
        refused @ Staged::Refused { .. } => panic!("{refused:?}"),
    }
}

/// Brings one object all the way.
pub async fn complete_one(ledger: &Ledger, object: ObjectVersion, name: &str, now: i64) -> VersionId {
    let (version, seq) = stage_one(ledger, object, name, now).await;
    assert!(ledger.take_publish_lease("publisher", now, LEASE).await.unwrap());
    assert!(ledger.finish(name, seq, "publisher", now).await.unwrap());
    version
}

pub fn check_kind<T: std::fmt::Debug>(result: Result<T, Error>, kind: Kind, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "expected `{words}` in `{error}`");
}

pub fn receipt(key: &str, etag: &str, version: (i64, i64), revision: i64) -> ImportedReceipt {
    let version = VersionId::new(version.0, version.1);
    let object = object(key, etag, 1);
    ImportedReceipt {
        object,
        version,
        revision,
        forgotten: false,
        replaces_from: 0,
        content: String::new(),
        twin: None,
        removed: false,
    }
}

pub async fn check_states(ledger: &Ledger, key: &str, expected: &[State]) {
    let history = ledger.history("events", key).await.unwrap().remove(0);
    let states: Vec<_> = history.versions.iter().map(|row| row.state).collect();
    assert_eq!(states, expected, "{key}");
}

/// Announces and stages; takes it back when it is refused.
pub async fn stage_amend(ledger: &Ledger, request: &AmendRequest, now: i64) -> Result<StagedAmend, Error> {
    ledger.announce(&request.batch_id, now).await?;
    let staged = ledger.stage_amend(request, now).await?;
    if matches!(staged, StagedAmend::Refused { .. }) {
        ledger.take_back(&request.batch_id).await?;
    }
    Ok(staged)
}

/// Announces and stages.
pub async fn stage_compact(ledger: &Ledger, batch_id: &str, manifest: &str, now: i64) -> Result<i64, Error> {
    ledger.announce(batch_id, now).await?;
    ledger.stage_compact(batch_id, manifest, now).await
}
