//! What goes into the publish queue and what comes out.

use std::str::FromStr;

use serde::Serialize;

use crate::error::Error;
use crate::types::VersionId;

/// What a batch in the queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchKind {
    /// Brings object versions into the tables.
    Load,
    /// Changes what is in the tables of versions that are complete.
    Amend,
    /// Merges files of a table; speaks of no version.
    Compact,
}

impl BatchKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            BatchKind::Load => "load",
            BatchKind::Amend => "amend",
            BatchKind::Compact => "compact",
        }
    }
}

impl FromStr for BatchKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "load" => Ok(BatchKind::Load),
            "amend" => Ok(BatchKind::Amend),
            "compact" => Ok(BatchKind::Compact),
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
    pub members: Vec<StageMember>,
    /// What a publisher needs to bring it into the lake; opaque here.
    pub manifest: String,
}

/// A member of a batch that is to be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageMember {
    /// Which object version.
    pub version: VersionId,
    /// Two versions of a source with the same text here have the same rows. Empty: equal to nothing.
    pub content: String,
    /// The version that has the rows of this one; then this one brings none. A member of the same batch may be named.
    pub twin: Option<VersionId>,
    /// The batch is refused if it brings rows of this member that are in the tables already.
    pub skip_same: bool,
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
    /// Nothing was staged, and the other members are still claimed. Form the batch again.
    Refused {
        /// Members that a newer version has overtaken; they are superseded now. Leave them out.
        superseded: Vec<VersionId>,
        /// Members that are no longer held under the token; somebody else has them. Forget them.
        lost: Vec<VersionId>,
        /// Members whose content is in the tables already, or comes with an earlier member of the batch, each with its
        /// twin. Name the twin, and leave out the rows.
        same: Vec<(VersionId, VersionId)>,
        /// Members whose named twin does not stand (any more). Read them.
        orphaned: Vec<VersionId>,
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

/// A batch that changes what is in the tables of versions that are complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendRequest {
    /// Random, made by the caller. Staging the same batch twice is staging it once.
    pub batch_id: String,
    /// Its object versions, at least one and of each key only one; each with the revision of its **key** when the batch
    /// was planned: the largest in the receipts of all versions of the key.
    pub members: Vec<(VersionId, i64)>,
    /// What a publisher needs to bring it into the lake; opaque here.
    pub manifest: String,
}

/// What became of [`crate::Ledger::stage_amend`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedAmend {
    /// In the queue.
    Done {
        /// Its place.
        seq: i64,
        /// The revision of each member's key, in the order of the request.
        members: Vec<StagedMember>,
    },
    /// Nothing was staged.
    Refused {
        /// Members that are not complete, or of whose key something else was staged since. Plan anew.
        overtaken: Vec<VersionId>,
    },
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

/// What becomes of the members of a withdrawn batch that loads. Either way under a new generation.
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
