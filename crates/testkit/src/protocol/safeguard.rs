//! What the protocol does to be safe, one name for each thing that a run can take away.

stillhouse_safeguard::safeguards! {
    /// Look at a table before the first put.
    LookFirst = "a publisher does not look before its first attempt on a table",
    /// Look at a table after a put whose outcome is unknown.
    LookAgain = "a publisher does not look before it tries again",
    /// What stands at a batch's place must be that batch.
    BatchId = "the batch's id is not compared where its place in the queue is found",
    /// What a table has beyond the newest vector must be fences and this batch.
    Strangers = "a publisher does not look whose commits came after the newest vector",
    /// `_receipts` is committed last.
    ReceiptLast = "the receipt is committed first",
    /// Only the head of the queue is published.
    HeadOnly = "a publisher takes any staged batch",
    /// One publisher at a time, as far as the ledger can tell.
    Lease = "no publish lease: publishers run side by side",
    /// Only who holds the publish lease finishes.
    FinishToken = "finishing does not check the publish lease, and takes out the head",
    /// Data tables are taken in one order.
    TableOrder = "publishers take the data tables in different orders",
    /// Only who holds the claim stages.
    StageToken = "staging does not check who holds the claim",
    /// A generation is staged after lower ones only.
    StageOrder = "staging does not look for higher generations",
    /// A ledger serves only who has claimed or planned with it.
    LedgerId = "staging does not check that the ledger is the one of the claim",
    /// A later generation changes every table.
    TouchAll = "a later generation skips tables in which it has no rows",
    /// Rows to replace are those of the version that the commit is built on.
    RemoveFresh = "rows to replace are those that were seen at the claim",
    /// Only the generations that a member names are replaced.
    ReplacesRange = "a later generation replaces all older ones, whatever it names",
    /// The first commit of a batch carries its manifest.
    Manifest = "no commit carries the manifest",
    /// ... whichever table it is made to.
    FirstManifest = "only the commit to Q carries the manifest",
    /// Committers stop at a newer epoch.
    Epoch = "publishers do not look at the epoch of a table",
    /// A rebuild raises the epoch in `_receipts`.
    Fence = "a rebuild fences nothing",
    /// ... and in all other tables.
    FenceAll = "a rebuild fences R only",
    /// An epoch exists once `_receipts` has it.
    EpochInR = "a withdrawal writes its epoch to the ledger before R has it",
    /// A publisher works under the epoch that `_receipts` has.
    Adopt = "a publisher works under the epoch that the ledger knows",
    /// A ledger that `_receipts` does not name does not publish.
    OtherLedger = "a publisher does not check whose epoch R has",
    /// A ledger that lags behind the lake does not publish.
    OlderCopy = "a publisher does not check that its ledger knows the newest batch in the lake",
    /// A withdrawal raises the epoch only as long as `_receipts` names its ledger.
    WithdrawOwner = "a withdrawal raises the epoch without a look whose lake it is",
    /// A new ledger opens only a lake that is nobody's.
    OpenOwner = "a new ledger takes an epoch without a look whether another one was first",
    /// A withdrawal fences all tables before it looks for the batch.
    WithdrawFence = "a batch is withdrawn without a fence",
    /// A withdrawal looks whether some table has the batch.
    WithdrawLook = "a batch is withdrawn without a look whether a table has it",
    /// A table is made without rows; before the first rows go in, the epoch of `_receipts` is
    NewTables = "a table is made by the commit that brings its first rows",
    /// ... looked at again.
    NewTablesLook = "a publisher does not look at R again before it changes a table that no receipt knows",
    /// Fences take empty tables in.
    FenceEmpty = "fences leave out tables that no batch was committed to",
    /// Rows of no complete batch are taken out of a table that no receipt knows.
    StaleRows = "what a publisher who was shut out put into a new table stays there",
    /// A rebuilt ledger counts places on from the largest in any table.
    SeqKept = "a rebuilt ledger counts places in the queue from 1",
    /// A rebuild restores half published batches.
    Pending = "a rebuild does not put half published batches back into the queue",
    /// The vector of versions is in `_receipts`.
    VectorInR = "the ledger keeps the vector: the newest versions at finish and rebuild",
    /// Readers take the versions that the newest receipt names.
    ReadVector = "readers take the newest version of each table",
    /// ... nothing else does.
    ReadNoFilter = "readers take the newest versions, filtered by receipts",
    /// A compaction takes effect only if its sources are live.
    CompactVoid = "a compaction does not look whether its sources are still live",
    /// Amendments are batches like all others.
    AmendQueued = "an amendment goes past the queue",
    /// An amendment is staged only on the revision that it was planned on.
    AmendRevision = "staging an amendment does not compare revisions",
    /// A withdrawn batch gives its revisions back.
    RevisionBack = "the revisions of a withdrawn batch stay used",
    /// Vacuum asks the ledger which attempts live.
    VacuumAsks = "vacuum removes any file that no version names",
    /// ... after it has listed the files.
    VacuumListsFirst = "vacuum asks the ledger before it lists the files",
    /// ... before it reads the logs.
    VacuumOrder = "vacuum reads the logs before it asks the ledger",
    /// ... and `_receipts`, whether that ledger speaks for the lake.
    VacuumOwner = "vacuum does not check whose epoch R has",
    /// The ledger knows of compactions and amendments before their first file is written.
    PlansKnown = "the ledger hears of compactions and amendments when they are staged",
    /// Vacuum keeps the versions of the newest vector.
    VacuumVector = "vacuum keeps only the newest versions",
    /// Vacuum keeps the versions that readers have pinned.
    VacuumPinned = "vacuum forgets what readers have pinned",
    /// Rewritten files stay until their table has passed the version that they are meant for.
    VacuumPassed = "vacuum removes rewritten files whose commit is under way",
}
