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
}

/// What became of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// Not seen before: a job now.
    New(VersionId),
    /// The newest version of its key is this one already.
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
}

/// What a batch in the queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchKind {
    /// Brings object versions into the tables.
    Load,
}

impl BatchKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            BatchKind::Load => "load",
        }
    }
}

impl FromStr for BatchKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "load" => Ok(BatchKind::Load),
            _ => Err(Error::bug(format!("expected a kind of batch, found `{text}`"))),
        }
    }
}

/// A batch that is ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRequest {
    /// Random, made by the caller. Staging the same batch twice is staging it once.
    pub batch_id: String,
    /// The token under which all members are claimed.
    pub token: String,
    /// Its object versions, at least one.
    pub members: Vec<VersionId>,
    /// What a publisher needs to bring it into the lake; opaque here.
    pub manifest: String,
}

/// What became of [`crate::Ledger::stage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staged {
    /// In the queue.
    Done {
        /// Its place.
        seq: i64,
        /// The revision of each member's key, in the order of the request.
        members: Vec<StagedMember>,
    },
    /// Nothing was staged.
    Refused {
        /// Members that a newer version has overtaken; they are superseded now. Form the batch again without them.
        superseded: Vec<VersionId>,
        /// Members that are no longer held under the token; somebody else has them. Forget them.
        lost: Vec<VersionId>,
    },
}

/// A member of a staged batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StagedMember {
    /// Which object version.
    pub version: VersionId,
    /// Counts everything that was staged for its key; goes into the receipt.
    pub revision: i64,
}

/// A batch in the publish queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub batch_id: String,
    /// What it does.
    pub kind: BatchKind,
    /// As it was staged.
    pub manifest: String,
    /// Its object versions, by key number.
    pub members: Vec<StagedMember>,
    /// When it was staged; when the queue was restored, for a restored batch.
    pub staged_at: i64,
}

/// What becomes of the members of a withdrawn batch. Either way under a new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawTo {
    /// Wait for a person.
    Held {
        /// Why, as JSON.
        reason: String,
    },
    /// Try again.
    Offered,
}

/// What a receipt (or a manifest) in the lake says about an object version; what a rebuilt ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedReceipt {
    /// The object and its version.
    pub object: ObjectVersion,
    /// The numbers under which it is in the tables.
    pub version: VersionId,
    /// See [`StagedMember::revision`].
    pub revision: i64,
    /// The receipt says that the content was forgotten.
    pub forgotten: bool,
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
}

/// One claim of one object version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// The attempt's id; the members of a group share it.
    pub attempt: String,
    /// What was claimed.
    pub version: VersionId,
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
