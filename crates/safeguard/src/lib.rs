//! The rules that make the commit protocol safe, by name. Where the model of the protocol has a rule as well, it has the
//! same name there.
//!
//! A test proves something only if it fails when what it tests is missing. So each rule of the protocol asks
//! [`Safeguard::holds`] before it does its work. Normally the answer is the constant `true`, and nothing of this is left
//! in the program. With the feature `mutations` (never in a program that anybody uses) a rule can be taken away, and
//! the simulation has to notice.

#[cfg(feature = "mutations")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes an enum `Safeguard` of these rules. The model of the protocol has one of its own.
#[macro_export]
macro_rules! safeguards {
    ($($(#[$words:meta])* $name:ident = $without:literal,)*) => {
        /// A rule of the protocol. Its text says what is missing when it is taken away.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Safeguard { $($(#[$words])* $name,)* }

        impl Safeguard {
            /// All of them.
            pub const ALL: &'static [Safeguard] = &[$(Safeguard::$name,)*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Safeguard::$name => stringify!($name),)* }
            }

            /// What is done without it.
            #[must_use]
            pub fn without(self) -> &'static str {
                match self { $(Safeguard::$name => $without,)* }
            }
        }
    };
}

safeguards! {
    /// Look at a table before the first put.
    LookFirst = "a publisher does not look whether a table has the batch before its first attempt",
    /// Look at a table after a put whose outcome is unknown.
    LookAgain = "a publisher does not look whether a table has the batch before it tries again",
    /// A commit that was not plainly done is built anew from the table's new version.
    NoRebase = "a commit that fails is put into the next slots as it is, up to 15 times (the default of delta-rs)",
    /// An entry of a log is put only where there is none.
    PutIfAbsent = "entries of logs are put whatever is there",
    /// What stands at a batch's place must be that batch.
    BatchId = "the batch's id is not compared where its place in the queue is found",
    /// Before its first commit, a batch is known to fit every table.
    ColumnsFirst = "a publisher finds out table by table whether its batch fits",
    /// `_receipts` is committed last.
    ReceiptLast = "the receipt is committed first",
    /// Only the head of the queue is published.
    HeadOnly = "a publisher takes the youngest batch of the queue",
    /// Only who holds the publish lease finishes, and only the batch that was published.
    FinishToken = "finishing does not check the publish lease, and takes out the head of the queue",
    /// Only who holds the claim stages.
    StageToken = "staging does not check who holds the claim, nor whether the same generation is staged",
    /// A generation is staged after lower ones only.
    StageOrder = "staging does not look for higher generations",
    /// A ledger serves only who has claimed or planned with it.
    LedgerId = "transactions do not check that the ledger is the one that was opened",
    /// A later generation changes every table.
    TouchAll = "a later generation skips tables in which it has no rows",
    /// Only the generations that a member names are replaced.
    ReplacesRange = "a later generation replaces all older ones, whatever it names",
    /// The first commit of a batch carries its manifest.
    Manifest = "no commit carries the manifest",
    /// ... whichever table it is made to.
    FirstManifest = "only a commit to the first table carries the manifest",
    /// Committers stop at a newer epoch.
    Epoch = "publishers do not look at the epoch of a table",
    /// A rebuild fences every table.
    FenceAll = "a rebuild fences `_receipts` only",
    /// An epoch exists once `_receipts` has it.
    EpochInR = "a withdrawal writes its epoch to the ledger before `_receipts` has it",
    /// A publisher works under the epoch that `_receipts` has.
    Adopt = "a publisher works under the epoch that the ledger knows",
    /// A ledger that `_receipts` does not name does not publish.
    OtherLedger = "a publisher does not check whose epoch `_receipts` has",
    /// A withdrawal raises the epoch only as long as `_receipts` names its ledger.
    WithdrawOwner = "a withdrawal raises the epoch without a look whose lake it is",
    /// A new ledger opens only a lake that is nobody's.
    OpenOwner = "a new ledger takes an epoch without a look whether another one was first",
    /// A withdrawal fences all tables before it looks for the batch.
    WithdrawFence = "a batch is withdrawn without a fence in the data tables",
    /// A withdrawal looks whether some table has the batch.
    WithdrawLook = "a batch is withdrawn without a look whether a table has it",
    /// Before the first rows go into a table that was made a moment ago, `_receipts` is looked at again; and what is found in
    /// it goes.
    NewTables = "a publisher puts rows into a table that it made without another look, and nobody takes them out",
    /// A rebuilt ledger counts places on from the largest in any table.
    SeqKept = "a rebuilt ledger counts places in the queue from 1",
    /// A rebuild restores half published batches.
    Pending = "a rebuild does not put half published batches back into the queue",
    /// Readers take the versions that the newest receipt names.
    ReadVector = "readers take the newest version of each table",
    /// A compaction takes effect only if its sources are live.
    CompactVoid = "a compaction does not look whether its sources are still live",
    /// An amendment is staged only on the revision that it was planned on.
    AmendRevision = "staging an amendment does not compare revisions",
    /// A withdrawn batch gives its revisions back.
    RevisionBack = "the revisions of a withdrawn batch stay used",
    /// Vacuum asks the ledger which attempts live.
    VacuumAsks = "vacuum removes any file that no version names",
    /// ... after it has listed the files.
    VacuumListsFirst = "vacuum asks the ledger before it lists the files",
    /// ... and `_receipts`, whether that ledger speaks for the lake.
    VacuumOwner = "vacuum does not check whose epoch `_receipts` has",
    /// The ledger knows of compactions and amendments before their first file is written.
    PlansKnown = "vacuum does not hear of compactions and amendments that are not staged yet",
    /// Vacuum keeps the versions of the newest vector.
    VacuumVector = "vacuum keeps only the newest versions",
    /// Vacuum keeps the versions that readers have pinned.
    VacuumPinned = "vacuum forgets what readers have pinned",
    /// Rewritten files stay until their table has passed the version that they are meant for.
    VacuumPassed = "vacuum removes rewritten files whose commit is under way",
}

#[cfg(feature = "mutations")]
static TAKEN_AWAY: AtomicUsize = AtomicUsize::new(usize::MAX);

impl Safeguard {
    /// Whether the rule is in force. Without the feature `mutations`: always.
    #[must_use]
    #[cfg(not(feature = "mutations"))]
    #[inline(always)]
    pub const fn holds(self) -> bool {
        true
    }

    /// Whether the rule is in force.
    #[must_use]
    #[cfg(feature = "mutations")]
    pub fn holds(self) -> bool {
        TAKEN_AWAY.load(Ordering::Relaxed) != self as usize
    }

    /// Takes this rule away, in the whole process, and puts back the one that was missing before.
    #[cfg(feature = "mutations")]
    pub fn take_away(self) {
        TAKEN_AWAY.store(self as usize, Ordering::Relaxed);
    }
}
