//! The state of a history: folders, ledgers, processes, and what was counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stillhouse_ledger::Ledger;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::actor::{Actor, Finished, Surroundings, Task};
use super::audit::{Auditor, Broken, broken};
use super::content::{Contract, Policies, SOURCES};
use super::process::{Plan, Process, Stalled};
use super::truth::Truth;
use super::world::{Folder, World};
use crate::random::Random;

/// A place where a ledger can be.
#[derive(Debug)]
pub(super) struct Place {
    pub path: PathBuf,
    /// An older copy of the ledger that was here, with the seq that it would give next.
    pub copy: Option<(PathBuf, i64)>,
    /// The copy was put back: only a rebuild makes it a ledger again.
    pub restored: bool,
    /// It does not speak for the lake.
    pub fenced: bool,
}

/// A process that is in the middle of a task.
pub(super) struct Running {
    pub process: Arc<Process>,
    pub task: Task,
    pub handle: JoinHandle<Finished>,
    pub hangs: Option<Stalled>,
    pub stalls: mpsc::UnboundedReceiver<Stalled>,
    /// Something happened meanwhile.
    pub disturbed: bool,
    /// When it began, in microseconds.
    pub began: i64,
}

/// Room for one process.
#[derive(Default)]
pub(super) enum Slot {
    #[default]
    Empty,
    Idle(Actor, mpsc::UnboundedReceiver<Stalled>),
    Running(Box<Running>),
}

/// See the module.
pub(super) struct House {
    pub random: Random,
    pub world: Arc<World>,
    pub lake: Arc<Folder>,
    pub truth: Truth,
    pub auditor: Auditor,
    pub contracts: BTreeMap<&'static str, Contract>,
    pub slots: [Slot; 2],
    /// Which ledger the process of a slot works with.
    pub at: [usize; 2],
    pub places: [Place; 2],
    /// Two copies of one ledger are in use.
    pub doubled: bool,
    /// What the last task that came to an end said.
    pub said: String,
    pub next_file: usize,
    pub steps: u64,
    processes: u64,
    folder: TempDir,
}

impl House {
    pub fn new(seed: u64, keep_trace: bool) -> Self {
        let mut random = Random::new(seed ^ 0x5EED_0F5E_ED0F_5EED);
        let policies: BTreeMap<&'static str, Policies> =
            SOURCES.iter().map(|name| (*name, Policies::new(&mut random))).collect();
        let lake = Arc::new(Folder::default());
        let world = Arc::new(World::new(keep_trace));
        for (name, policies) in &policies {
            world.trace(&format!("source {name}: {policies:?}"));
        }
        let folder = temp_folder();
        let place = |name: &str| Place { path: folder.path().join(name), copy: None, restored: false, fenced: false };
        Self {
            random,
            auditor: Auditor::new(Arc::clone(&lake), Arc::clone(&world)),
            world,
            lake,
            truth: Truth::new(Arc::new(Folder::default()), policies),
            contracts: SOURCES.iter().map(|name| (*name, Contract::First)).collect(),
            slots: [Slot::Empty, Slot::Empty],
            at: [0, 0],
            places: [place("a.db"), place("b.db")],
            doubled: false,
            said: String::new(),
            next_file: 0,
            steps: 0,
            processes: 0,
            folder,
        }
    }

    /// Counts a step and writes it into the trace.
    pub fn note(&mut self, step: &str, what: &str) {
        self.steps += 1;
        self.world.count(format!("step: {step}"));
        self.world.trace(&format!("== {} {step}: {what}", self.steps));
    }

    /// Lets a slot begin a task: with the process that is there, or with a new one.
    pub fn begin(&mut self, slot: usize, task: Task, mut plan: Plan) {
        plan.seed = self.random.next_u64();
        let (process, actor, stalls) = match std::mem::take(&mut self.slots[slot]) {
            Slot::Idle(actor, stalls) => (Arc::clone(&actor.process), Some(actor), stalls),
            Slot::Empty => {
                self.processes += 1;
                let name = format!("p{}", self.processes);
                let (told, stalls) = mpsc::unbounded_channel();
                (Arc::new(Process::new(name, Arc::clone(&self.world), told)), None, stalls)
            }
            Slot::Running(_) => unreachable!("a slot that runs is not chosen"),
        };
        process.begin(plan);
        let around = self.surroundings(self.at[slot]);
        let own = (task.clone(), Arc::clone(&process));
        let handle = tokio::spawn(async move {
            let (task, process) = own;
            let actor = match actor {
                Some(actor) => actor,
                None => match Actor::start(process, around).await {
                    Ok(actor) => actor,
                    Err(failure) => return Finished { actor: None, outcome: Err(failure) },
                },
            };
            let outcome = actor.run(&task).await;
            Finished { actor: Some(actor), outcome }
        });
        let running =
            Running { process, task, handle, hangs: None, stalls, disturbed: false, began: self.world.clock.now() };
        self.slots[slot] = Slot::Running(Box::new(running));
    }

    fn surroundings(&mut self, place: usize) -> Surroundings {
        Surroundings {
            lake: Arc::clone(&self.lake),
            files: Arc::clone(&self.truth.folder),
            ledger: self.places[place].path.clone(),
            contracts: self.contracts.clone(),
            policies: self.truth.policies.clone(),
            seed: self.random.next_u64(),
            group_objects: *self.random.pick(&[&1, &1, &2, &250]),
        }
    }

    /// Whether the process of this slot is in the middle of something.
    pub fn hangs(&self, slot: usize) -> bool {
        matches!(self.slots[slot], Slot::Running(_))
    }

    /// The text without what is different each time: where the ledgers are.
    pub fn masked(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "")
    }

    /// Whether any process is in the middle of something.
    pub fn anybody_hangs(&self) -> bool {
        (0..2).any(|slot| self.hangs(slot))
    }

    /// A ledger that is looked at from outside, without faults.
    pub async fn look_at_ledger(&self, place: usize) -> Result<Ledger, Broken> {
        let opened = Ledger::open_sqlite(&self.places[place].path, "nobody", self.world.clock.now()).await;
        opened.or_else(|error| broken("driver", error.to_string()))
    }
}

/// In memory, where that is possible: the ledgers synchronise each transaction.
fn temp_folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let made = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder can be made")
}

/// Copies a ledger that nobody has open.
pub(super) fn copy_ledger(from: &Path, to: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        let _ = std::fs::remove_file(with(to));
        if with(from).exists() {
            std::fs::copy(with(from), with(to)).expect("a ledger can be copied");
        }
    }
}

/// Deletes a ledger, whoever has it open.
pub(super) fn delete_ledger(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}
