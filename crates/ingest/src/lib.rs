//! Discover, open, decode, stage, publish: from objects in a folder to rows and receipts in the lake.
//!
//! Start at [`ingest()`]: it recovers what an earlier run left staged, lists the sources ([`discover()`]), offers what it
//! finds to the ledger, and lets workers claim it. A worker ([`load`]) reads an object ([`open`]), decodes it into data
//! files that nobody sees yet ([`sink`], [`stage`]) and stages the batch; the publisher ([`publish`]) commits the head of
//! the queue, table by table, the receipt last. [`rebuild`] makes a lost ledger anew.
//!
//! **Invariant:** an object is read under the tag with which it was listed; if that changes, nothing of it is taken.
//! **Invariant:** nothing decides from the outcome of a commit; whoever is in doubt looks at the lake.
//! **Invariant:** read = loaded + quarantined + filtered + blank is checked before a batch is staged.

mod account;
mod amend;
mod audit;
mod claim;
mod compact;
mod content;
mod context;
mod decoders;
mod digest;
mod discover;
mod discovered;
mod error;
mod folder;
mod load;
mod logs;
mod maintain;
mod missing;
mod object;
mod offer;
mod open;
mod plan;
mod progress;
mod publish;
mod quarantine;
mod reason;
mod rebuild;
mod replay;
mod reread;
mod retype;
mod run;
mod same;
mod settle;
mod sink;
mod stage;
mod standing;
mod summary;
mod targets;
mod text;
mod verify;
mod version;
mod withdraw;

pub use amend::{AmendedObject, Selection, drop_refused, replay};
pub use audit::{Audit, Difference, Finding, audit};
pub use compact::Merged;
pub use context::{Environment, Ingest, Settings};
pub use decoders::Decoders;
pub use discover::{Found, Listing, discover};
pub use discovered::IngestRequest;
pub use error::{Error, Kind};
pub use maintain::{MaintainRequest, Maintained, maintain, pinned};
pub use open::{Archives, FileMembers, LocalFile, Look, LookedAt, OpenError, OpenObject};
pub use plan::plan;
pub use progress::{Event, Progress, Silent};
pub use publish::{LakeNumbers, Turn, belong_together, publish_all};
pub use reason::reason;
pub use rebuild::{Rebuilt, rebuild};
pub use retype::reload_hint;
pub use run::ingest;
pub use summary::{ObjectOutcome, Status, Summary};
pub use targets::TargetTables;
pub use verify::{Proof, Verified, VerifyRequest, verify};
