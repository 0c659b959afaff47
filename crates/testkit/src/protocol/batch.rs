//! Batches: what is staged, queued and published together.

use std::fmt;

use super::lake::{DATA, File, QUARANTINE, Receipt, Table};
use super::rows::{KEYS, REMOVED, Rows};

/// What a batch does.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Brings object versions into the tables, in place of older ones.
    #[default]
    Load,
    /// Moves refused records out of `_quarantine`: a replay brings them in elsewhere, a drop gives them up.
    Amend,
    /// Merges files of one table; speaks of no key.
    Compact,
}

/// One key's part of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Member {
    pub key: u8,
    pub generation: u8,
    /// Rows of the generations from this one on, below its own, go.
    pub replaces_from: u8,
    /// Of an amendment that is not staged yet: the one that it was planned on.
    pub revision: u8,
    pub content: u8,
    /// Rows that its files bring.
    pub brings: [Rows; 3],
    /// Records that leave `_quarantine`.
    pub takes: Rows,
    /// What the tables have of it afterwards.
    pub leaves: [Rows; 3],
}

impl Member {
    pub fn key(&self) -> usize {
        usize::from(self.key)
    }

    /// Whether rows of older generations may be in the tables.
    fn replaces(&self) -> bool {
        self.generation > 1 && self.replaces_from < self.generation
    }
}

/// What a compaction puts one file in place of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Merge {
    pub table: Table,
    pub sources: [File; 2],
}

/// A batch. Its id is that of the attempt that wrote its files.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Batch {
    pub id: u8,
    /// Its place in the queue; 0 before it is staged.
    pub seq: u8,
    pub kind: Kind,
    pub members: [Option<Member>; KEYS],
    pub merge: Option<Merge>,
    /// Versions of the tables when it was claimed; kept only by runs that make use of it.
    pub base: [Option<u8>; 3],
    /// It goes past the queue; only in runs that allow it.
    pub alone: bool,
}

impl Batch {
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().flatten()
    }

    /// The rows of its files for a table.
    pub fn brings(&self, table: Table) -> Rows {
        let merged = self.merge.iter().filter(|merge| merge.table == table);
        let merged = merged.flat_map(|merge| merge.sources).map(|file| file.rows);
        self.members().map(|member| member.brings[table]).chain(merged).collect()
    }

    /// Whether rows of older generations may have to go, from any table.
    pub fn replaces(&self) -> bool {
        self.kind == Kind::Load && self.members().any(Member::replaces)
    }

    /// The rows that its commit takes out of a table. `in_range`: of the generations that it names only, as it must be.
    pub fn takes(&self, table: Table, in_range: bool) -> Rows {
        let from = |member: &Member| if in_range { member.replaces_from } else { 0 };
        match self.kind {
            Kind::Load => {
                self.members().map(|member| Rows::generations(member.key(), from(member)..member.generation)).collect()
            }
            Kind::Amend if table == QUARANTINE => self.members().map(|member| member.takes).collect(),
            Kind::Amend | Kind::Compact => Rows::NONE,
        }
    }

    /// The rows that its receipts add to `_receipts`.
    pub fn receipts(&self) -> impl Iterator<Item = Receipt> {
        self.members().map(|member| Receipt {
            key: member.key,
            generation: member.generation,
            replaces_from: member.replaces_from,
            revision: member.revision,
            content: member.content,
            batch: self.id,
            rows: member.leaves,
        })
    }

    /// Of a load: what its decoder wrote.
    pub fn decoded(key: usize, generation: u8, attempt: u8, content: u8) -> [Rows; 3] {
        DATA.map(|table| Rows::decoded(key, generation, attempt, content, table))
    }
}

/// As traces name it: `k0g2#5` is generation 2 of key 0, batch 5.
impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.merge) {
            (Kind::Load, _) => {}
            (Kind::Amend, _) if self.brings(super::lake::PARENT).is_empty() => write!(f, "drop of ")?,
            (Kind::Amend, _) => {
                let records: u32 =
                    self.members().map(|member| member.brings.iter().map(|rows| rows.count()).sum::<u32>()).sum();
                write!(f, "replay of {records} of ")?;
            }
            (Kind::Compact, Some(merge)) => write!(f, "compaction of {}", super::lake::NAMES[merge.table])?,
            (Kind::Compact, None) => {}
        }
        for (place, member) in self.members().enumerate() {
            let plus = if place > 0 { "+" } else { "" };
            let removed = if member.content == REMOVED { " (removed)" } else { "" };
            write!(f, "{plus}k{}g{}{removed}", member.key, member.generation)?;
        }
        write!(f, "#{}", self.id)
    }
}
