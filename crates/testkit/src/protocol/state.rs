//! A state: the lake, the ledgers, who works on them, and what may still happen.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::batch::Batch;
use super::lake::{Account, DATA, Lake, RECEIPTS, Table, Vector, Version};
use super::ledger::{Ledger, Phase};
use super::rows::{ATTEMPTS, FIRST, GENERATIONS, KEYS};
use super::run::{Bounds, Run};
use super::safeguard::Safeguard;

/// The places where a ledger can be: two hosts.
pub(super) const HOSTS: usize = 2;

/// A publisher with its batch.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Publish {
    pub batch: Rc<Batch>,
    pub epoch: u8,
    /// In the order of tables.
    pub place: usize,
    /// After a put of unknown outcome.
    pub again: bool,
    /// Some table has the manifest.
    pub seen: bool,
    /// `_receipts` was looked at after this version of the table, which no receipt knows, was seen.
    pub cleared: Option<u8>,
    /// Data tables are taken from the last to the first; only in runs that allow it.
    pub reversed: bool,
    /// The data tables that are visited.
    pub listed: [bool; 3],
    /// The vector of the newest receipt at the beginning: of the batch before this one.
    pub known: Vector,
    pub vector: Vector,
}

/// How far a withdrawal has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Withdrawal {
    /// Raise the epoch in `_receipts`.
    Raise,
    /// Write it to the ledger.
    Adopt,
    /// Fence the data table of this place.
    Fence(usize),
    /// Look whether any table has the batch, and take it out of the queue if not.
    Decide,
}

/// What a worker is at.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    #[default]
    Idle,
    /// The files of a claim or plan are written, nothing is staged.
    Written(Rc<Batch>),
    Publish(Publish),
    Withdraw(Publish, Withdrawal),
    /// The batch has its receipt; the ledger does not know yet.
    Finish(Publish),
}

/// A process. `lease`: it holds the publish lease of its ledger.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Worker {
    pub host: usize,
    pub ledger: u8,
    pub lease: bool,
    pub step: Step,
}

impl Worker {
    /// The batch whose files it has written, if that is not staged yet.
    pub fn written(&self) -> Option<&Rc<Batch>> {
        match &self.step {
            Step::Written(batch) => Some(batch),
            _ => None,
        }
    }
}

/// A vacuum between its two steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Vacuum {
    pub host: usize,
    pub ledger: u8,
    /// Ids whose files it may delete, as far as it knows: one bit for each.
    pub suspects: u32,
}

/// What may still happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub faults: u8,
    pub losses: u8,
    pub takeovers: u8,
    pub restores: u8,
    pub copies: u8,
    pub moves: u8,
    pub compactions: u8,
    pub amendments: u8,
    pub withdrawals: u8,
    pub vacuums: u8,
    pub pins: u8,
}

impl From<&Bounds> for Left {
    fn from(bounds: &Bounds) -> Self {
        Self {
            faults: bounds.faults,
            losses: bounds.losses,
            takeovers: bounds.takeovers,
            restores: bounds.restores,
            copies: bounds.copies,
            moves: bounds.moves,
            compactions: bounds.compactions,
            amendments: bounds.amendments,
            withdrawals: bounds.withdrawals,
            vacuums: bounds.vacuums,
            pins: bounds.pins,
        }
    }
}

/// The content that each attempt at each generation decoded, counted from 1; 0: no such attempt.
pub(super) type Decoded = [[[u8; ATTEMPTS as usize]; GENERATIONS as usize]; KEYS];

#[derive(Clone)]
pub(super) struct State {
    pub lake: Lake,
    pub ledgers: [Option<Rc<Ledger>>; HOSTS],
    /// A copy of the first ledger that was put aside.
    pub copy: Option<Rc<Ledger>>,
    pub workers: Vec<Worker>,
    /// What each object holds.
    pub bucket: [u8; KEYS],
    pub decoded: Decoded,
    /// Batches (attempts) and ledgers so far: their ids.
    pub batches: u8,
    pub ledger_ids: u8,
    /// Batches whose files are deleted, one bit for each.
    pub gone: u32,
    pub vacuum: Option<Vacuum>,
    pub pinned: Option<Vector>,
    pub left: Left,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.lake, &self.ledgers, &self.copy, &self.workers).hash(state);
        (self.bucket, self.decoded, self.batches, self.ledger_ids).hash(state);
        (self.gone, self.vacuum, self.pinned, self.left).hash(state);
    }
}

impl State {
    /// A ledger that is open for work. The lake has its tables, each with the base batch (seq 1), or none yet.
    pub fn start(run: &Run) -> Self {
        let bounds = &run.bounds;
        let empty = bounds.empty || bounds.fresh;
        let (seq, epoch) = (u8::from(!empty), u8::from(!bounds.fresh));
        let mut lake = Lake::default();
        let tables = DATA.into_iter().filter(|table| !empty && run.has_table(*table));
        tables.for_each(|table| lake.put(table, Version { epoch, seq, ..Version::default() }));
        let account = Account { owner: epoch, vector: lake.versions(), ..Account::default() };
        lake.put(RECEIPTS, Version { epoch, seq, account, ..Version::default() });
        let phase = if bounds.fresh { Phase::New } else { Phase::Open };
        let ledger = |id| Some(Rc::new(Ledger { id, phase, epoch, next_seq: seq + 1, ..Ledger::default() }));
        Self {
            lake,
            ledgers: [ledger(1), ledger(2).filter(|_| bounds.fresh)],
            copy: None,
            workers: vec![Worker::default(); bounds.workers],
            bucket: [FIRST; KEYS],
            decoded: Decoded::default(),
            batches: 0,
            ledger_ids: 1 + u8::from(bounds.fresh),
            gone: 0,
            vacuum: None,
            pinned: None,
            left: Left::from(bounds),
        }
    }

    /// The ledger of a host, if it is open for work.
    pub fn open_ledger(&self, host: usize) -> Option<&Rc<Ledger>> {
        self.ledgers[host].as_ref().filter(|ledger| ledger.is_open())
    }

    /// The ledger that a worker works with, unless it is lost or another one by now.
    pub fn ledger_of(&self, worker: &Worker) -> Option<&Rc<Ledger>> {
        self.open_ledger(worker.host).filter(|ledger| ledger.id == worker.ledger)
    }

    /// The ledger of a host, to change it.
    pub fn ledger_mut(&mut self, host: usize) -> Option<&mut Ledger> {
        self.ledgers[host].as_mut().map(Rc::make_mut)
    }

    /// Whether a living worker has the publish lease of this ledger.
    pub fn lease_holder(&self, host: usize, ledger: u8) -> Option<usize> {
        self.workers.iter().position(|worker| worker.lease && worker.host == host && worker.ledger == ledger)
    }

    pub fn next_batch_id(&mut self) -> u8 {
        self.batches += 1;
        assert!(self.batches < 32, "the run needs more batches than the model has");
        self.batches
    }

    /// The next attempt at a generation.
    pub fn decode(&mut self, key: usize, generation: u8, content: u8) -> u8 {
        let attempts = &mut self.decoded[key][usize::from(generation) - 1];
        let attempt = attempts.iter().position(|content| *content == 0);
        let attempt = attempt.expect("the run needs more attempts than the model has");
        attempts[attempt] = content + 1;
        u8::try_from(attempt).expect("a few attempts")
    }
}

impl Run {
    pub fn has_table(&self, table: Table) -> bool {
        table != super::lake::CHILD || self.bounds.child
    }

    /// The data tables of this run, in their order.
    pub fn data_tables(&self) -> impl Iterator<Item = Table> {
        DATA.into_iter().filter(|table| self.has_table(*table))
    }

    /// The order in which a publisher takes the tables.
    pub fn order(&self, reversed: bool) -> [Table; 4] {
        use super::lake::{CHILD, PARENT, QUARANTINE};
        match (self.has(Safeguard::ReceiptLast), reversed) {
            (true, false) => [QUARANTINE, CHILD, PARENT, RECEIPTS],
            (true, true) => [PARENT, CHILD, QUARANTINE, RECEIPTS],
            (false, _) => [RECEIPTS, QUARANTINE, CHILD, PARENT],
        }
    }
}
