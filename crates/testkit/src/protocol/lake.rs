//! The lake: four tables, each with a log of versions, and the commits that are still under way.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::batch::Batch;
use super::hash::fingerprint;
use super::rows::Rows;

/// A place in [`Lake::logs`].
pub(super) type Table = usize;
pub(super) const QUARANTINE: Table = 0;
pub(super) const CHILD: Table = 1;
pub(super) const PARENT: Table = 2;
pub(super) const RECEIPTS: Table = 3;
pub(super) const DATA: [Table; 3] = [QUARANTINE, CHILD, PARENT];
pub(super) const NAMES: [&str; 4] = ["Q", "C", "P", "R"];

/// For each data table its version, if there is such a table.
pub(super) type Vector = [Option<u8>; 3];

/// A data file. `by`: the batch whose attempt wrote it; 0 for what was rewritten while publishing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct File {
    pub by: u8,
    pub rows: Rows,
}

/// What a receipt says: the newest of a key's generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Receipt {
    pub key: u8,
    pub generation: u8,
    pub replaces_from: u8,
    pub revision: u8,
    pub content: u8,
    pub batch: u8,
    /// What the tables have of it.
    pub rows: [Rows; 3],
}

/// What the rows of `_receipts` say, all together.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Account {
    /// The ledger that the newest epoch belongs to.
    pub owner: u8,
    pub vector: Vector,
    pub receipts: Vec<Receipt>,
}

impl Account {
    /// Adds a receipt; of each generation the newest revision counts.
    pub fn add(&mut self, receipt: Receipt) {
        let same = |known: &&mut Receipt| known.key == receipt.key && known.generation == receipt.generation;
        match self.receipts.iter_mut().find(same) {
            Some(known) if known.revision < receipt.revision => *known = receipt,
            Some(_) => {}
            None => self.receipts.push(receipt),
        }
        self.receipts.sort_unstable();
    }

    /// The receipts that say what is in the tables: those of generations that no later one replaced.
    pub fn standing(&self) -> impl Iterator<Item = &Receipt> {
        let replaced = |old: &Receipt| {
            let replaces =
                |new: &Receipt| new.key == old.key && (new.replaces_from..new.generation).contains(&old.generation);
            self.receipts.iter().any(replaces)
        };
        self.receipts.iter().filter(move |receipt| !replaced(receipt))
    }

    /// The rows that a table has to have.
    pub fn promised(&self, table: Table) -> Rows {
        self.standing().map(|receipt| receipt.rows[table]).collect()
    }

    /// The receipt of a key's newest generation.
    pub fn newest(&self, key: usize) -> Option<&Receipt> {
        self.receipts.iter().filter(|receipt| usize::from(receipt.key) == key).max_by_key(|receipt| receipt.generation)
    }

    pub fn revision(&self, key: usize) -> u8 {
        let of_key = self.receipts.iter().filter(|receipt| usize::from(receipt.key) == key);
        of_key.map(|receipt| receipt.revision).max().unwrap_or(0)
    }
}

/// A version of a table, and the log entry that made it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Version {
    pub epoch: u8,
    /// The last batch that the table has, by place and by id.
    pub seq: u8,
    pub batch: u8,
    pub files: Vec<File>,
    /// Whether the entry itself is that batch's, and not a fence or the table's creation.
    pub of_batch: bool,
    pub manifest: Option<Rc<Batch>>,
    /// Of `_receipts` only.
    pub account: Account,
    /// A file that it names was deleted before it took effect.
    pub lost: bool,
}

impl Version {
    /// The next version with nothing changed: what a commit begins with.
    pub fn next(&self) -> Self {
        Self { of_batch: false, manifest: None, ..self.clone() }
    }

    pub fn rows(&self) -> Rows {
        self.files.iter().map(|file| file.rows).collect()
    }

    /// Whether some row group is in it twice.
    pub fn has_twice(&self) -> bool {
        self.files.iter().map(|file| file.rows.count()).sum::<u32>() != self.rows().count()
    }
}

/// A version with those before it.
pub(super) struct Entry {
    pub version: Version,
    pub number: u8,
    before: Log,
    fingerprint: u64,
}

/// A table's log. Sharing the past makes a state cheap to copy, its fingerprint makes it cheap to compare.
#[derive(Clone, Default)]
pub(super) struct Log(Option<Rc<Entry>>);

impl Log {
    pub fn newest(&self) -> Option<&Version> {
        self.0.as_ref().map(|entry| &entry.version)
    }

    /// Whether it is the same log at the same version.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Rc::ptr_eq(one, two),
            (one, two) => one.is_none() && two.is_none(),
        }
    }

    /// The number of the newest version.
    pub fn number(&self) -> Option<u8> {
        self.0.as_ref().map(|entry| entry.number)
    }

    /// From the newest version to the first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::successors(self.0.as_deref(), |entry| entry.before.0.as_deref())
    }

    pub fn at(&self, number: u8) -> Option<&Version> {
        self.entries().find(|entry| entry.number == number).map(|entry| &entry.version)
    }

    /// Whether some entry is of this batch.
    pub fn has_batch(&self, id: u8) -> bool {
        self.entries().any(|entry| entry.version.of_batch && entry.version.batch == id)
    }

    /// The log with one more version.
    pub fn with(&self, version: Version) -> Self {
        let number = self.number().map_or(0, |number| number + 1);
        let fingerprint = fingerprint(&(&version, self));
        Self(Some(Rc::new(Entry { version, number, before: self.clone(), fingerprint })))
    }
}

impl Hash for Log {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.as_ref().map_or(0, |entry| entry.fingerprint));
    }
}

/// A commit that was sent and whose outcome nobody heard of: it takes effect if its slot is still free when it lands.
#[derive(Clone, Hash)]
pub(super) struct Late {
    pub table: Table,
    /// The table with it.
    pub log: Log,
}

/// All tables.
#[derive(Clone, Default, Hash)]
pub(super) struct Lake {
    pub logs: [Log; 4],
    pub late: Vec<Late>,
}

impl Lake {
    pub fn newest(&self, table: Table) -> Option<&Version> {
        self.logs[table].newest()
    }

    /// `_receipts` is there from the start.
    pub fn receipts(&self) -> &Version {
        self.newest(RECEIPTS).expect("every run starts with an epoch in `_receipts`")
    }

    pub fn account(&self) -> &Account {
        &self.receipts().account
    }

    /// The versions of now.
    pub fn versions(&self) -> Vector {
        DATA.map(|table| self.logs[table].number())
    }

    /// Put-if-absent of the next slot. Whatever was under way to that slot is dead.
    pub fn put(&mut self, table: Table, version: Version) {
        let log = self.logs[table].with(version);
        self.land(table, log);
    }

    fn land(&mut self, table: Table, log: Log) {
        let taken = log.number();
        self.logs[table] = log;
        self.late.retain(|late| late.table != table || late.log.number() > taken);
    }

    /// Sends a commit that may land later.
    pub fn send(&mut self, table: Table, version: Version) {
        let log = self.logs[table].with(version);
        self.late.push(Late { table, log });
        self.sort_late();
    }

    /// Lets a late commit take effect.
    pub fn land_late(&mut self, place: usize) -> (Table, Option<u8>) {
        let late = self.late.remove(place);
        let number = late.log.number();
        self.land(late.table, late.log);
        (late.table, number)
    }

    /// The rewritten files of commits under way are deleted.
    pub fn lose_late(&mut self) {
        for late in &mut self.late {
            let Some(entry) = &late.log.0 else { continue };
            if entry.version.files.iter().any(|file| file.by == 0) {
                let lost = Version { lost: true, ..entry.version.clone() };
                late.log = entry.before.with(lost);
            }
        }
        self.sort_late();
    }

    fn sort_late(&mut self) {
        self.late.sort_by_key(|late| (late.table, late.log.0.as_ref().map(|entry| entry.fingerprint)));
    }

    /// The largest place in the queue that any table has seen.
    pub fn largest_seq(&self) -> u8 {
        self.logs.iter().filter_map(Log::newest).map(|version| version.seq).max().unwrap_or(0)
    }

    /// The id of the batch whose receipt has this place.
    pub fn receipt_of(&self, seq: u8) -> Option<u8> {
        let mut entries = self.logs[RECEIPTS].entries().map(|entry| &entry.version);
        entries.find(|version| version.of_batch && version.seq == seq).map(|version| version.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Receipt};
    use crate::protocol::rows::Rows;

    fn product(receipt: &Receipt) -> stillhouse_spec::Receipt {
        stillhouse_spec::Receipt {
            key_number: i64::from(receipt.key),
            generation: i64::from(receipt.generation),
            replaces_from: i64::from(receipt.replaces_from),
            revision: i64::from(receipt.revision),
            ..stillhouse_spec::Receipt::default()
        }
    }

    fn check_standing(receipts: &[Receipt]) {
        let mut account = Account::default();
        receipts.iter().for_each(|receipt| account.add(*receipt));
        let ours: Vec<_> = account.standing().map(product).collect();
        let theirs = stillhouse_spec::standing(receipts.iter().map(product));
        assert_eq!(ours, theirs);
    }

    #[test]
    fn receipts_stand_as_they_do_in_the_product() {
        let receipt = |key, generation, replaces_from, revision| Receipt {
            key,
            generation,
            replaces_from,
            revision,
            content: 1,
            batch: 1,
            rows: [Rows::NONE; 3],
        };
        for (second, third) in (0..=2).flat_map(|second| (0..=3).map(move |third| (second, third))) {
            let first = [receipt(0, 1, 0, 1), receipt(1, 1, 0, 1)];
            let amended = [receipt(0, 1, 0, 2), receipt(0, 2, second, 3), receipt(0, 2, second, 5)];
            let last = [receipt(0, 3, third, 4), receipt(0, 3, third, 6)];
            let all = [&first[..], &amended[..], &last[..]].concat();
            (1..=all.len()).for_each(|count| check_standing(&all[..count]));
        }
    }
}
