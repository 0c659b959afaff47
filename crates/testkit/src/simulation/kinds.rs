//! Everything that can happen in a history, by name: what is not in the list is not counted, and what does not happen shows
//! with a zero.

/// One kind of thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `step`, `fault`, `late`.
    pub group: &'static str,
    /// Which.
    pub name: &'static str,
}

const fn step(name: &'static str) -> Kind {
    Kind { group: "step", name }
}

const fn fault(name: &'static str) -> Kind {
    Kind { group: "fault", name }
}

/// Every kind that has to occur often enough.
pub const KINDS: &[Kind] = &[
    step("new file"),
    step("corrected file"),
    step("corrected file, no tags"),
    step("corrected file, header only"),
    step("corrected file, no bytes"),
    step("file with bad rows"),
    step("file with too many bad rows"),
    step("content repeated under another name"),
    step("file renamed"),
    step("file removed"),
    step("file touched"),
    step("ingest"),
    step("ingest --held"),
    step("ingest --reload"),
    step("ingest --reload SOURCE"),
    step("ingest one source"),
    step("ingest one month"),
    step("quarantine replay"),
    step("quarantine drop"),
    step("maintain"),
    step("report run"),
    step("ledger rebuild"),
    step("ledger lost"),
    step("ledger copied"),
    step("older copy of the ledger put back"),
    step("contract changed"),
    step("goes on"),
    step("killed while it hangs"),
    step("leases run out"),
    step("waits for a lease to run out"),
    step("clock forward"),
    step("two new ledgers"),
    step("contracts in conflict"),
    step("meeting"),
    step("two copies of a ledger"),
    step("vacuum beside others"),
    step("version overtaken"),
    step("head given up"),
    fault("put fails"),
    fault("put done, answer an error"),
    fault("put done, answer a conflict"),
    fault("put done, time-out"),
    fault("put later, time-out"),
    fault("put torn"),
    fault("delete fails"),
    fault("delete done, answer an error"),
    fault("delete later, time-out"),
    fault("get fails"),
    fault("get answers zeros"),
    fault("list fails"),
    fault("list omits new objects"),
    fault("list shows deleted objects"),
    fault("transaction fails"),
    fault("transaction done, answer lost"),
    fault("hangs: before a put"),
    fault("hangs: after a put"),
    fault("hangs: before a deletion"),
    fault("hangs: after a deletion"),
    fault("hangs: before a transaction"),
    fault("hangs: after a transaction"),
    fault("hangs: at a kill point"),
    fault("killed: before a put"),
    fault("killed: after a put"),
    fault("killed: before a deletion"),
    fault("killed: after a deletion"),
    fault("killed: before a transaction"),
    fault("killed: after a transaction"),
    fault("killed: at a kill point"),
    fault("killed: while it hangs"),
    Kind { group: "late", name: "lands" },
    Kind { group: "late", name: "comes too late" },
];
