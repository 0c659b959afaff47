//! What goes into the ledger and what comes out. Times are microseconds since 1970 and are always passed in.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use stillhouse_spec::ObjectVersion;

use crate::error::Error;

/// One version of one key: what is offered, claimed, staged and completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct VersionId {
    /// Stands for (source, key, member).
    pub key_number: i64,
    /// Counts the versions of the key from 1.
    pub generation: i64,
}

impl VersionId {
    /// The version `generation` of the key `key_number`.
    pub fn new(key_number: i64, generation: i64) -> Self {
        Self { key_number, generation }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} generation {}", self.key_number, self.generation)
    }
}

/// Where an object version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Known and not taken; claimable from its `ready_at` on.
    Offered,
    /// Held under a token until its `ready_at`, and after that until somebody else takes it.
    Claimed,
    /// Its batch is in the publish queue. It will be published.
    Staged,
    /// Its receipt is in the lake, and it is the newest of its key that is.
    Complete,
    /// A newer version of its key took its place.
    Superseded,
    /// Will not load until somebody acts.
    Held,
    /// Could not be read, and no further try is due by itself.
    Failed,
    /// Loaded once and forgotten at somebody's request; its content is not offered again.
    Forgotten,
}

/// Every state, in the order in which a version passes through them.
pub const STATES: [State; 8] = [
    State::Offered,
    State::Claimed,
    State::Staged,
    State::Complete,
    State::Superseded,
    State::Held,
    State::Failed,
    State::Forgotten,
];

impl State {
    /// The word for it in the database and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Offered => "offered",
            State::Claimed => "claimed",
            State::Staged => "staged",
            State::Complete => "complete",
            State::Superseded => "superseded",
            State::Held => "held",
            State::Failed => "failed",
            State::Forgotten => "forgotten",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let state = STATES.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| Error::bug(format!("expected a state of an object version, found `{text}`")))
    }
}

/// Whether the ledger takes work. See `protocol.md` section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Just made. If the lake has no receipts, fence `_receipts` and call [`crate::Ledger::open_for_work`]; else rebuild.
    New,
    /// A rebuild has begun and not ended; begin it again.
    Rebuilding,
    /// Takes work.
    Open,
}

impl FromStr for Phase {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "new" => Ok(Phase::New),
            "rebuilding" => Ok(Phase::Rebuilding),
            "open" => Ok(Phase::Open),
            _ => Err(Error::bug(format!("expected a phase of the ledger, found `{text}`"))),
        }
    }
}

/// The ledger's own numbers, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it takes work.
    pub phase: Phase,
    /// The newest epoch that the ledger knows of; 0 before the first.
    pub epoch: i64,
    /// The seq that the next staged batch gets.
    pub next_seq: i64,
    /// The seq of the last batch that was finished, so that the lake has it; 0 before the first, and after a rebuild.
    pub finished_seq: i64,
}

/// An object version that discovery has found, and what it does to the older versions of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The object.
    pub object: ObjectVersion,
    /// What it does if it is another version than the newest known one.
    pub change: Change,
}

/// What a new version does to the rows of the older ones of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// They go when its own come.
    Replace,
    /// They stay.
    Append,
    /// Where there are any, the new version waits for a person; then it replaces them.
    Hold {
        /// Why, as JSON.
        reason: String,
    },
}

/// What became of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// Not seen before: a job now.
    New(VersionId),
    /// The newest version of its key is this one already; or it is new, and held from the start.
    Known {
        /// Which.
        version: VersionId,
        /// Where it stands.
        state: State,
        /// Why it is held or failed.
        reason: Option<String>,
    },
}

impl Offered {
    /// The version that the offer is about.
    pub fn version(&self) -> VersionId {
        match self {
            Offered::New(version) | Offered::Known { version, .. } => *version,
        }
    }
}

/// How much one claim may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimits {
    /// Objects of up to this size are grouped; a larger one is claimed alone.
    pub small_bytes: u64,
    /// Most objects of a group, at least 1.
    pub group_count_max: u32,
    /// Most bytes of a group (one object may be larger by itself).
    pub group_bytes_max: u64,
}

/// A claimed object version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub version: VersionId,
    /// The object to read; its etag says which version of it.
    pub object: ObjectVersion,
    /// When it was first offered.
    pub offered_at: i64,
    /// How many times it was claimed, this time included.
    pub attempts_count: u32,
    /// Rows of the generations from this one on, up to below its own, go when it comes. If it turns out to be a twin:
    /// [`Job::replaces_from_as_twin`].
    pub replaces_from: i64,
    /// Loaded once more at a person's request: the content that it had before is no reason to leave it out.
    pub asked: bool,
    /// The file is there no more: there is nothing to read, and the rows of the older versions go.
    pub removed: bool,
    /// All jobs of this cohort are claimed together, and come into the tables together or not at all.
    pub cohort: Option<String>,
}

impl Job {
    /// What stands in for [`Job::replaces_from`] when `twin` has the rows of this version. The ledger keeps the same.
    pub fn replaces_from_as_twin(&self, twin: VersionId) -> i64 {
        replaces_from_as_twin(self.version, self.replaces_from, twin)
    }
}

/// A version whose content another key has replaces the older ones of its own key as ever. A version that has the content
/// of an older one of its own key must not replace that.
pub(crate) fn replaces_from_as_twin(version: VersionId, replaces_from: i64, twin: VersionId) -> i64 {
    if twin.key_number == version.key_number { replaces_from.max(twin.generation + 1) } else { replaces_from }
}

/// What a receipt (or a manifest) in the lake says about an object version; what a rebuilt ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedReceipt {
    /// The object and its version.
    pub object: ObjectVersion,
    /// The numbers under which it is in the tables.
    pub version: VersionId,
    /// See [`crate::StagedMember::revision`].
    pub revision: i64,
    /// The receipt says that the content was forgotten.
    pub forgotten: bool,
    /// See [`Job::replaces_from`].
    pub replaces_from: i64,
    /// See [`crate::StageMember::content`].
    pub content: String,
    /// The version that has its rows.
    pub twin: Option<VersionId>,
    /// The receipt says that the file was there no more.
    pub removed: bool,
}

/// Everything the ledger knows of one object version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionRow {
    /// Which.
    pub version: VersionId,
    /// The object.
    pub object: ObjectVersion,
    /// Where it stands.
    pub state: State,
    /// When it was first offered.
    pub offered_at: i64,
    /// When it came into this state.
    pub changed_at: i64,
    /// Offered: claimable from then on. Claimed: the lease ends then. Else absent.
    pub ready_at: Option<i64>,
    /// The token of the claim.
    pub token: Option<String>,
    /// The newest attempt.
    pub attempt: Option<String>,
    /// How many times it was claimed.
    pub attempts_count: u32,
    /// Why it is held or failed, or what went wrong last.
    pub reason: Option<String>,
    /// See [`Job::replaces_from`].
    pub replaces_from: i64,
    /// What tells equal contents, from the time on when it was staged.
    pub content: Option<String>,
    /// The version that has its rows, if they are not its own.
    pub twin: Option<VersionId>,
    /// The file is there no more.
    pub removed: bool,
    /// See [`Job::asked`].
    pub asked: bool,
}

/// One claim of one object version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// The attempt's id; the members of a group share it.
    pub attempt: String,
    /// What was claimed.
    pub version: VersionId,
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// When.
    pub started_at: i64,
    /// When it ended; absent while it runs.
    pub ended_at: Option<i64>,
    /// How: `staged`, `failed`, `held`, `released`, `superseded`, `lost`.
    pub outcome: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A key and all its versions: the answer to `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyHistory {
    /// Stands for the key in `_object`.
    pub key_number: i64,
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// The revision that was staged last; 0 if none was.
    pub revision: i64,
    /// By generation.
    pub versions: Vec<VersionRow>,
    /// By start.
    pub attempts: Vec<AttemptRow>,
}

/// A key that was found by a part of its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FoundKey {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// The member of an archive; empty for a plain object.
    pub member: String,
    /// Stands for the key in `_object`.
    pub key_number: i64,
}
