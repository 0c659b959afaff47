//! A model of the ledger that is simple enough to be believed: versions in a map, batches in a list, rows in a set.
//! [`crate::steps`] runs random operations on both and compares.

use std::collections::{BTreeMap, BTreeSet};

use stillhouse_ledger::{
    BatchKind, Change, ClaimLimits, ImportedReceipt, StageMember, Staged, StagedAmend, StagedMember, State, VersionId,
};

use crate::place::{object, refused};

pub const LEASE: i64 = 10;

/// One object version of the model.
#[derive(Debug, Clone)]
pub struct Row {
    pub etag: String,
    pub state: State,
    pub offered_at: i64,
    pub ready_at: i64,
    pub token: String,
    pub attempts: u32,
    pub replaces_from: i64,
    pub content: Option<String>,
    pub twin: Option<VersionId>,
    pub removed: bool,
    pub asked: bool,
}

#[derive(Debug, Clone)]
pub struct Batch {
    pub seq: i64,
    pub id: String,
    pub kind: BatchKind,
    pub members: Vec<StagedMember>,
    pub epoch: i64,
}

#[derive(Debug, Default)]
pub struct Model {
    pub now: i64,
    /// Key number of each key, in the order of their first offers.
    pub numbers: BTreeMap<usize, i64>,
    pub rows: BTreeMap<VersionId, Row>,
    pub revisions: BTreeMap<i64, i64>,
    pub queue: Vec<Batch>,
    pub next_seq: i64,
    pub epoch: i64,
    pub lease: Option<(String, i64)>,
    /// The last claim of each worker: its token and members. Workers do not forget what they have lost.
    pub claims: BTreeMap<usize, (String, Vec<VersionId>)>,
    pub count: usize,
    /// What the tables have, with its content: by what the receipts of finished batches say, and not by states.
    pub lake: BTreeMap<VersionId, String>,
    /// What `_receipts` has.
    pub receipts: Vec<ImportedReceipt>,
    /// How often what happened, so that a test which tests nothing is noticed.
    pub seen: BTreeMap<&'static str, u32>,
    /// A batch was withdrawn, or loaded what was there: some content may be in the tables twice.
    pub doubled: bool,
}

impl Model {
    pub fn saw(&mut self, what: &'static str, happened: bool) {
        *self.seen.entry(what).or_default() += u32::from(happened);
    }

    fn newest(&self, key_number: i64) -> i64 {
        let of_key = self.rows.keys().filter(|version| version.key_number == key_number);
        of_key.map(|version| version.generation).max().unwrap_or(0)
    }

    pub fn is_newest(&self, version: VersionId) -> bool {
        self.newest(version.key_number) == version.generation
    }

    pub fn generations(&self, key_number: i64) -> Vec<i64> {
        (1..=self.newest(key_number)).collect()
    }

    pub fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}", self.count)
    }

    /// The next generation of a key; idle lower ones are superseded.
    fn add(&mut self, key_number: i64, row: Row) -> VersionId {
        let version = VersionId::new(key_number, self.newest(key_number) + 1);
        for (lower, row) in &mut self.rows {
            let idle = matches!(row.state, State::Offered | State::Held | State::Failed);
            if lower.key_number == key_number && idle {
                row.state = State::Superseded;
            }
        }
        self.rows.insert(version, row);
        version
    }

    fn row(&self, etag: &str, replaces_from: i64) -> Row {
        Row {
            etag: etag.to_owned(),
            state: State::Offered,
            offered_at: self.now,
            ready_at: self.now,
            token: String::new(),
            attempts: 0,
            replaces_from,
            content: None,
            twin: None,
            removed: false,
            asked: false,
        }
    }

    fn newest_row(&self, key: usize) -> Option<(VersionId, &Row)> {
        let key_number = *self.numbers.get(&key)?;
        let version = VersionId::new(key_number, self.newest(key_number));
        Some((version, &self.rows[&version]))
    }

    /// The new or known version, and whether it is a new job.
    pub fn offer(&mut self, key: usize, etag: &str, change: &Change) -> (bool, VersionId) {
        if let Some((version, row)) = self.newest_row(key)
            && row.etag == etag
        {
            return (false, version);
        }
        let next = i64::try_from(self.numbers.len()).unwrap() + 1;
        let key_number = *self.numbers.entry(key).or_insert(next);
        let stays = self.key_stays(key_number);
        let replaces_from = if *change == Change::Append { self.newest(key_number) + 1 } else { 0 };
        let mut row = self.row(etag, replaces_from);
        let held = stays && matches!(change, Change::Hold { .. });
        if held {
            row.state = State::Held;
        }
        self.saw("change held", held);
        (!held, self.add(key_number, row))
    }

    pub fn offer_removed(&mut self, key: usize) -> Option<VersionId> {
        let (version, row) = self.newest_row(key)?;
        let is_over = row.removed && !matches!(row.state, State::Held | State::Failed);
        if is_over || !self.key_stays(version.key_number) {
            return None;
        }
        let row = Row { removed: true, ..self.row("removed", 0) };
        Some(self.add(version.key_number, row))
    }

    /// A version that is to be copied: what its copy replaces.
    fn copied(&self, version: VersionId) -> i64 {
        let row = &self.rows[&version];
        let own = row.twin.filter(|twin| twin.key_number == version.key_number);
        let between = |twin: VersionId| {
            let other = |generation| self.has_rows(VersionId::new(version.key_number, generation));
            (twin.generation + 1..version.generation).any(other)
        };
        match own {
            Some(twin) if !between(twin) => twin.generation,
            _ => row.replaces_from.min(version.generation),
        }
    }

    pub fn reoffer(&mut self, key: usize) -> Option<VersionId> {
        let (version, known) = self.newest_row(key)?;
        let known = known.clone();
        if known.removed {
            return None;
        }
        if known.state == State::Offered {
            self.rows.get_mut(&version).unwrap().asked = true;
            return Some(version);
        }
        let copy = self.row(&known.etag, self.copied(version));
        Some(self.add(version.key_number, Row { offered_at: known.offered_at, asked: true, ..copy }))
    }

    pub fn reoffer_orphans(&mut self) -> Vec<VersionId> {
        let orphan = |(version, row): (&VersionId, &Row)| {
            let gone = row.twin.is_some_and(|twin| !self.has_rows(twin));
            (row.state == State::Complete && gone && self.is_newest(*version)).then_some(*version)
        };
        let orphans: Vec<_> = self.rows.iter().filter_map(orphan).collect();
        let mut copies = Vec::new();
        self.saw("orphan", !orphans.is_empty());
        for version in orphans {
            let known = self.rows[&version].clone();
            let copy = self.row(&known.etag, self.copied(version));
            copies.push(self.add(version.key_number, Row { offered_at: known.offered_at, ..copy }));
        }
        copies
    }

    pub fn retry_held(&mut self, key: Option<usize>) -> u64 {
        let only = key.map(|key| self.numbers.get(&key).copied().unwrap_or(-1));
        let mut count = 0;
        for version in self.rows.keys().copied().collect::<Vec<_>>() {
            let wanted = only.is_none_or(|key_number| key_number == version.key_number) && self.is_newest(version);
            let row = self.rows.get_mut(&version).unwrap();
            if wanted && matches!(row.state, State::Held | State::Failed) {
                (row.state, row.ready_at) = (State::Offered, self.now);
                count += 1;
            }
        }
        count
    }

    pub fn claim(&mut self, token: &str, limits: ClaimLimits) -> Vec<VersionId> {
        let ready = |row: &Row| matches!(row.state, State::Offered | State::Claimed) && row.ready_at <= self.now;
        let all: Vec<_> = self.rows.iter().filter(|(_, row)| ready(row)).map(|(version, _)| *version).collect();
        let (mut taken, overtaken): (Vec<_>, Vec<_>) = all.into_iter().partition(|version| self.is_newest(*version));
        for version in overtaken {
            self.rows.get_mut(&version).unwrap().state = State::Superseded;
        }
        taken.sort_by_key(|version| (self.rows[version].offered_at, version.key_number));
        // All objects of the model are small or all are large, by the limits.
        taken.truncate(if limits.small_bytes == 0 { 1 } else { 2 });
        for version in &taken {
            let row = self.rows.get_mut(version).unwrap();
            (row.state, row.ready_at, row.token) = (State::Claimed, self.now + LEASE, token.to_owned());
            row.attempts += 1;
        }
        taken
    }

    pub fn held(&self, token: &str) -> Vec<VersionId> {
        let held = self.rows.iter().filter(|(_, row)| row.state == State::Claimed && row.token == token);
        held.map(|(version, _)| *version).collect()
    }

    pub fn end(&mut self, token: &str, version: VersionId, state: State, ready_at: i64) -> bool {
        if !self.held(token).contains(&version) {
            return false;
        }
        let newest = self.is_newest(version);
        let row = self.rows.get_mut(&version).unwrap();
        (row.state, row.ready_at) = (if newest { state } else { State::Superseded }, ready_at);
        true
    }

    pub fn has_lease(&self, token: &str) -> bool {
        self.lease.as_ref().is_some_and(|(holder, _)| holder == token)
    }

    pub fn take_lease(&mut self, token: &str) -> bool {
        let free = self.lease.as_ref().is_none_or(|(holder, until)| holder == token || *until <= self.now);
        if free {
            self.lease = Some((token.to_owned(), self.now + LEASE));
        }
        free
    }

    pub fn live_attempts(&self) -> BTreeSet<String> {
        let mut live: BTreeSet<_> = self.queue.iter().map(|batch| batch.id.clone()).collect();
        let held = self.rows.values().filter(|row| matches!(row.state, State::Claimed | State::Staged));
        live.extend(held.map(|row| format!("attempt of {}", row.token)));
        live
    }
}

/// Equal contents.
impl Model {
    fn stays(&self, version: VersionId) -> bool {
        let staged = self.rows.iter().filter(|(_, row)| row.state == State::Staged);
        let mut replaced = staged.filter(|(other, row)| {
            let higher = other.key_number == version.key_number && other.generation > version.generation;
            higher && row.replaces_from <= version.generation
        });
        matches!(self.rows[&version].state, State::Complete | State::Staged) && replaced.next().is_none()
    }

    fn key_stays(&self, key_number: i64) -> bool {
        let mut versions = self.rows.iter().filter(|(version, _)| version.key_number == key_number);
        versions.any(|(version, row)| !row.removed && self.stays(*version))
    }

    pub fn has_rows(&self, version: VersionId) -> bool {
        let row = &self.rows[&version];
        row.twin.is_none() && !row.removed && self.stays(version)
    }

    /// `old` may be named as the twin of `new`, which has `content`.
    fn may_be_twin(&self, new: VersionId, content: &str, old: VersionId) -> bool {
        if !self.has_rows(old) || self.rows[&old].content.as_deref() != Some(content) {
            return false;
        }
        if old.key_number != new.key_number {
            return true;
        }
        let row = &self.rows[&new];
        let mut lower = (row.replaces_from.max(1)..old.generation).map(|lower| VersionId::new(new.key_number, lower));
        let loads_again = row.asked && old.generation >= row.replaces_from;
        old.generation < new.generation && !loads_again && !lower.any(|lower| self.has_rows(lower))
    }

    pub fn replaces_from(&self, member: &StageMember) -> i64 {
        let replaces_from = self.rows[&member.version].replaces_from;
        let own = member.twin.filter(|twin| twin.key_number == member.version.key_number);
        own.map_or(replaces_from, |twin| replaces_from.max(twin.generation + 1))
    }

    fn replaced_by(&self, member: &StageMember, version: VersionId) -> bool {
        let range = self.replaces_from(member)..member.version.generation;
        member.version.key_number == version.key_number && range.contains(&version.generation)
    }

    pub fn same_content(&self, members: &[StageMember]) -> Vec<Option<VersionId>> {
        let mut same: Vec<Option<VersionId>> = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let (new, content) = (member.version, &member.content);
            if !member.skip_same || member.twin.is_some() || content.is_empty() {
                same.push(None);
                continue;
            }
            let own = |old: &VersionId| old.key_number == new.key_number;
            let mut found: Vec<_> = self.rows.keys().filter(|old| self.may_be_twin(new, content, **old)).collect();
            found.sort_by_key(|old| (!own(old), if own(old) { -old.generation } else { 0 }, **old));
            let others = || members.iter().filter(|other| other.version != new);
            let old = found.first().map(|old| **old).filter(|old| !others().any(|other| self.replaced_by(other, *old)));
            let before = || {
                let equal = |(at, other): (usize, &StageMember)| {
                    let loads = other.twin.is_none() && same[at].is_none();
                    (loads && other.content == *content).then_some(other.version)
                };
                members[..index].iter().enumerate().find_map(equal)
            };
            let twin = old.or_else(before);
            same.push(twin);
        }
        same
    }

    fn orphaned(&self, members: &[StageMember]) -> Vec<VersionId> {
        let orphaned = |member: &&StageMember| {
            let Some(twin) = member.twin else { return false };
            match members.iter().find(|other| other.version == twin) {
                Some(other) => other.twin.is_some() || other.content != member.content,
                None => {
                    members.iter().any(|other| self.replaced_by(other, twin))
                        || !self.may_be_twin(member.version, &member.content, twin)
                }
            }
        };
        members.iter().filter(orphaned).map(|member| member.version).collect()
    }
}

/// The publish queue.
impl Model {
    fn enqueue(&mut self, id: &str, kind: BatchKind, members: &[VersionId]) -> (i64, Vec<StagedMember>) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let staged = members.iter().map(|version| {
            let revision = self.revisions.entry(version.key_number).or_insert(0);
            *revision += 1;
            StagedMember { version: *version, revision: *revision }
        });
        let staged: Vec<_> = staged.collect();
        self.queue.push(Batch { seq, id: id.to_owned(), kind, members: staged.clone(), epoch: self.epoch });
        (seq, staged)
    }

    pub fn stage(&mut self, batch: &str, token: &str, members: &[StageMember]) -> Staged {
        let held = self.held(token);
        let (mut superseded, mut lost) = (vec![], vec![]);
        for version in members.iter().map(|member| member.version) {
            let settled = |(other, row): (&VersionId, &Row)| {
                let higher = other.key_number == version.key_number && other.generation > version.generation;
                higher && matches!(row.state, State::Staged | State::Complete)
            };
            if !held.contains(&version) {
                lost.push(version);
            } else if self.rows.iter().any(settled) {
                superseded.push(version);
            }
        }
        let same = members.iter().zip(self.same_content(members));
        let found: Vec<_> = same.filter_map(|(member, twin)| Some((member.version, twin?))).collect();
        let missing = self.orphaned(members);
        if !superseded.is_empty() || !lost.is_empty() || !found.is_empty() || !missing.is_empty() {
            for version in &superseded {
                self.rows.get_mut(version).unwrap().state = State::Superseded;
            }
            self.saw("refused: superseded", !superseded.is_empty());
            self.saw("refused: lost", !lost.is_empty());
            self.saw("refused: same", !found.is_empty());
            self.saw("refused: orphaned", !missing.is_empty());
            let Staged::Refused { superseded, lost, .. } = refused(&superseded, &lost) else { unreachable!() };
            return Staged::Refused { superseded, lost, same: found, orphaned: missing };
        }
        for member in members {
            self.doubled |= !member.skip_same;
            self.saw_member(member, members);
            let replaces_from = self.replaces_from(member);
            let row = self.rows.get_mut(&member.version).unwrap();
            (row.state, row.replaces_from, row.twin) = (State::Staged, replaces_from, member.twin);
            row.content = Some(member.content.clone()).filter(|content| !content.is_empty());
        }
        let versions: Vec<_> = members.iter().map(|member| member.version).collect();
        let (seq, members) = self.enqueue(batch, BatchKind::Load, &versions);
        Staged::Done { seq, members }
    }

    fn saw_member(&mut self, member: &StageMember, members: &[StageMember]) {
        let key = member.version.key_number;
        let own = member.twin.is_some_and(|twin| twin.key_number == key);
        let here = member.twin.is_some_and(|twin| members.iter().any(|other| other.version == twin));
        self.saw("twin of its own key", own);
        self.saw("twin in its batch", here);
        self.saw("twin of another key", member.twin.is_some() && !own && !here);
        let row = &self.rows[&member.version];
        let (asked, removed) = (row.asked, row.removed);
        let between = own && row.replaces_from < member.twin.unwrap().generation;
        let mut lower = self.rows.iter().filter(|(version, _)| version.key_number == key);
        let again =
            lower.any(|(_, row)| row.content.as_deref() == Some(&member.content) && row.state == State::Complete);
        self.saw("loaded again as asked", asked && again && member.twin.is_none());
        self.saw("replaces from above its twin", between);
        self.saw("removal staged", removed);
    }

    pub fn stage_amend(&mut self, batch: &str, planned: &[(VersionId, i64)]) -> StagedAmend {
        let as_planned = |(version, revision): &&(VersionId, i64)| {
            let complete = self.rows.get(version).is_some_and(|row| row.state == State::Complete);
            complete && self.revisions.get(&version.key_number) == Some(revision)
        };
        let overtaken = planned.iter().filter(|planned| !as_planned(planned)).map(|(version, _)| *version);
        let overtaken: Vec<_> = overtaken.collect();
        self.saw("amendment overtaken", !overtaken.is_empty());
        self.saw("amendment staged", overtaken.is_empty());
        if !overtaken.is_empty() {
            return StagedAmend::Refused { overtaken };
        }
        let versions: Vec<_> = planned.iter().map(|(version, _)| *version).collect();
        let (seq, members) = self.enqueue(batch, BatchKind::Amend, &versions);
        StagedAmend::Done { seq, members }
    }

    pub fn stage_compact(&mut self, batch: &str) -> i64 {
        self.enqueue(batch, BatchKind::Compact, &[]).0
    }

    pub fn finish(&mut self) {
        let batch = self.queue.remove(0);
        for StagedMember { version, revision } in batch.members {
            let new = self.rows[&version].clone();
            self.receipts.push(self.receipt(version, revision));
            if batch.kind != BatchKind::Load {
                continue;
            }
            for (lower, row) in &mut self.rows {
                if lower.key_number != version.key_number || lower.generation >= version.generation {
                    continue;
                }
                assert_ne!(row.state, State::Staged, "a lower generation stands before a higher one");
                if row.state != State::Complete || lower.generation >= new.replaces_from {
                    row.state = State::Superseded;
                }
            }
            self.rows.get_mut(&version).unwrap().state = State::Complete;
            let mut older = self.lake.keys().filter(|old| old.key_number == version.key_number);
            let stays = older.any(|old| old.generation < new.replaces_from);
            self.saw("older rows stay", stays && new.twin.is_none());
            let replaced = new.replaces_from..version.generation;
            let gone = |old: &VersionId| old.key_number == version.key_number && replaced.contains(&old.generation);
            self.lake.retain(|old, _| !gone(old));
            if !new.removed && new.twin.is_none() {
                self.lake.insert(version, new.content.unwrap());
            }
        }
    }

    fn receipt(&self, version: VersionId, revision: i64) -> ImportedReceipt {
        let row = &self.rows[&version];
        let key = self.numbers.iter().find(|(_, number)| **number == version.key_number).unwrap().0;
        ImportedReceipt {
            object: object(&format!("{key}.csv"), &row.etag, 10),
            version,
            revision,
            forgotten: false,
            replaces_from: row.replaces_from,
            content: row.content.clone().unwrap_or_default(),
            twin: row.twin,
            removed: row.removed,
        }
    }

    pub fn withdraw(&mut self, held: bool) -> Vec<VersionId> {
        let mut next = Vec::new();
        let Batch { kind, members, .. } = self.queue.remove(0);
        self.saw("load withdrawn", kind == BatchKind::Load);
        self.saw("amendment withdrawn", kind == BatchKind::Amend);
        self.saw("twin withdrawn", members.iter().any(|member| self.rows[&member.version].twin.is_some()));
        for StagedMember { version, .. } in &members {
            *self.revisions.get_mut(&version.key_number).unwrap() -= 1;
            let later = self.queue.iter_mut().flat_map(|batch| &mut batch.members);
            later.filter(|later| later.version.key_number == version.key_number).for_each(|later| later.revision -= 1);
        }
        if kind != BatchKind::Load {
            return next;
        }
        self.doubled = true;
        let mut members: Vec<_> = members.iter().map(|member| member.version).collect();
        members.sort();
        for version in &members {
            self.rows.get_mut(version).unwrap().state = State::Superseded;
        }
        for version in members {
            let copy = self.row(&self.rows[&version].etag, self.copied(version));
            let old = &self.rows[&version];
            let row = Row {
                state: if held { State::Held } else { State::Offered },
                offered_at: old.offered_at,
                attempts: old.attempts,
                removed: old.removed,
                asked: old.asked,
                ..copy
            };
            if self.is_newest(version) {
                next.push(self.add(version.key_number, row));
            }
        }
        next
    }
}
