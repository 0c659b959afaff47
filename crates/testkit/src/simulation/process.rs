//! One process of a history: where it can be stopped, and when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use stillhouse_ingest::{Event, Progress};
use stillhouse_lake::Observer;
use stillhouse_ledger::{Hook, HookFuture};
use tokio::sync::{mpsc, oneshot};

use super::world::{World, lock};
use crate::random::Random;

/// What happens at a point of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// From there on the process does nothing any more, not even clean up.
    Kill,
    /// It hangs there until the driver lets it go on.
    Stall,
}

/// Where it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// At the n-th point that the process passes: before and after each write, transaction and kill point.
    Nth(u64),
    /// When a kill point with this beginning is passed for the n-th time.
    Named(&'static str, u64),
}

/// One reading that answers zeros.
#[derive(Debug, Clone, Copy)]
struct Zeros {
    after: &'static str,
    nth: u64,
    passed: bool,
}

/// The faults of one step of one process.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub seed: u64,
    /// Of a thousand operations so many fail, by and large.
    pub permille: u64,
    pub trap: Option<(At, What)>,
    zeros: Option<Zeros>,
    points: u64,
    named: BTreeMap<String, u64>,
    operations: BTreeMap<String, u64>,
}

impl Plan {
    pub fn new(permille: u64, trap: Option<(At, What)>) -> Self {
        Self { permille, trap, ..Self::default() }
    }

    /// After a kill point with this beginning, the n-th reading of a file of the lake answers zeros.
    pub fn zeros(after: &'static str, nth: u64) -> Self {
        Self { zeros: Some(Zeros { after, nth, passed: false }), ..Self::default() }
    }
}

/// The process is dead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone;

/// A process hangs.
#[derive(Debug)]
pub(super) struct Stalled {
    pub at: String,
    pub go: oneshot::Sender<()>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    pub name: String,
    pub world: Arc<World>,
    dead: AtomicBool,
    /// It has said that it waits for another one.
    waits: AtomicBool,
    /// The file of its ledger was taken away.
    robbed: AtomicBool,
    stall_soon: Mutex<Option<String>>,
    plan: Mutex<Plan>,
    stalled: mpsc::UnboundedSender<Stalled>,
    faults: Mutex<u64>,
    /// It has read zeros where something else stands.
    misled: AtomicBool,
    rebuilds: AtomicBool,
}

impl Process {
    pub fn new(name: String, world: Arc<World>, stalled: mpsc::UnboundedSender<Stalled>) -> Self {
        Self {
            name,
            world,
            dead: AtomicBool::new(false),
            waits: AtomicBool::new(false),
            robbed: AtomicBool::new(false),
            stall_soon: Mutex::new(None),
            plan: Mutex::default(),
            stalled,
            faults: Mutex::new(0),
            misled: AtomicBool::new(false),
            rebuilds: AtomicBool::new(false),
        }
    }

    /// Begins a step.
    pub fn begin(&self, plan: Plan) {
        self.waits.store(false, Ordering::SeqCst);
        self.misled.store(false, Ordering::SeqCst);
        self.rebuilds.store(false, Ordering::SeqCst);
        *lock(&self.stall_soon) = None;
        *lock(&self.faults) = 0;
        *lock(&self.plan) = plan;
    }

    /// No more faults in this step; what was decided stays decided.
    pub fn calm(&self) {
        let mut plan = lock(&self.plan);
        plan.permille = 0;
        plan.trap = None;
        plan.zeros = None;
    }

    /// Another trap for the rest of the step.
    pub fn set_trap(&self, trap: Option<(At, What)>) {
        let mut plan = lock(&self.plan);
        plan.points = 0;
        plan.named.clear();
        plan.trap = trap;
    }

    /// How many faults this step had so far.
    pub fn faults(&self) -> u64 {
        *lock(&self.faults)
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn rob(&self) {
        self.robbed.store(true, Ordering::SeqCst);
    }

    pub fn is_robbed(&self) -> bool {
        self.robbed.load(Ordering::SeqCst)
    }

    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub fn alive(&self) -> Result<(), Gone> {
        if self.is_dead() { Err(Gone) } else { Ok(()) }
    }

    /// Whether this reading of a file answers zeros, as the plan has it.
    pub fn reads_zeros(&self) -> bool {
        let mut plan = lock(&self.plan);
        let Some(zeros) = plan.zeros.as_mut().filter(|zeros| zeros.passed && zeros.nth > 0) else { return false };
        zeros.nth -= 1;
        zeros.nth == 0
    }

    /// Something that it reads is not what stands there.
    pub fn mislead(&self) {
        self.misled.store(true, Ordering::SeqCst);
        self.fault("get answers zeros");
    }

    /// It makes its ledger anew.
    pub fn rebuild(&self) {
        self.rebuilds.store(true, Ordering::SeqCst);
    }

    pub fn rebuilds(&self) -> bool {
        self.rebuilds.load(Ordering::SeqCst)
    }

    pub fn is_misled(&self) -> bool {
        self.misled.load(Ordering::SeqCst)
    }

    /// A fault in an operation of this process.
    pub fn fault(&self, kind: &str) {
        *lock(&self.faults) += 1;
        self.world.fault(kind);
    }

    pub fn trace(&self, line: &str) {
        self.world.trace(&format!("{} {line}", self.name));
    }

    /// A number that depends on the seed, the operation and how often it was done before in this step; `None` when it
    /// is done without fault. `weight` is in tenths.
    pub fn draw(&self, operation: &str, weight: u64) -> Option<Random> {
        let mut plan = lock(&self.plan);
        if plan.permille == 0 {
            return None;
        }
        let count = plan.operations.entry(operation.to_owned()).or_default();
        *count += 1;
        let count = *count;
        let digest = blake3::hash(format!("{} {} {operation} {count}", plan.seed, self.name).as_bytes());
        let word = digest.as_bytes().first_chunk::<8>().expect("a digest has 32 bytes");
        let mut random = Random::new(u64::from_le_bytes(*word));
        (random.next_u64() % 10_000 < plan.permille * weight).then_some(random)
    }

    /// A point at which a process can be killed or hang.
    pub async fn pass(&self, point: &str) -> Result<(), Gone> {
        self.alive()?;
        let soon = lock(&self.stall_soon).take();
        if let Some(at) = soon {
            self.stall(at).await?;
        }
        match self.sprung(Some(point)) {
            Some(What::Kill) => Err(self.die(point)),
            Some(What::Stall) => self.stall(point.to_owned()).await,
            None => Ok(()),
        }
    }

    /// A kill point of the protocol.
    fn pass_named(&self, point: &str) -> Result<(), Gone> {
        let name = point.split(':').next().unwrap_or(point);
        self.world.count(format!("passed: {name}"));
        self.pass_on(point, Some(point))
    }

    /// A point at which nothing can be waited for: the process hangs at its next operation.
    pub fn pass_on(&self, point: &str, name: Option<&str>) -> Result<(), Gone> {
        self.alive()?;
        match self.sprung(name) {
            Some(What::Kill) => Err(self.die(point)),
            Some(What::Stall) => {
                *lock(&self.stall_soon) = Some(point.to_owned());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn sprung(&self, named: Option<&str>) -> Option<What> {
        let mut plan = lock(&self.plan);
        plan.points += 1;
        if let (Some(zeros), Some(point)) = (&mut plan.zeros, named) {
            zeros.passed |= point.starts_with(zeros.after);
        }
        let (at, what) = plan.trap?;
        let is_here = match (at, named) {
            (At::Nth(wanted), _) => plan.points == wanted,
            (At::Named(beginning, wanted), Some(point)) if point.starts_with(beginning) => {
                let passed = plan.named.entry(beginning.to_owned()).or_default();
                *passed += 1;
                *passed == wanted
            }
            _ => false,
        };
        if is_here {
            plan.trap = None;
        }
        is_here.then_some(what)
    }

    fn die(&self, point: &str) -> Gone {
        self.kill();
        self.fault(&format!("killed: {}", class(point)));
        self.world.count(format!("killed at: {}", place(point)));
        self.trace(&format!("is killed at {point}"));
        Gone
    }

    async fn stall(&self, at: String) -> Result<(), Gone> {
        self.fault(&format!("hangs: {}", class(&at)));
        self.world.count(format!("hung at: {}", place(&at)));
        self.park(at).await
    }

    /// Hangs without that being a fault.
    async fn park(&self, at: String) -> Result<(), Gone> {
        self.trace(&format!("hangs at {at}"));
        let (go, gone_on) = oneshot::channel();
        let told = self.stalled.send(Stalled { at, go });
        if told.is_ok() {
            // A driver that has gone lets everybody go.
            let _ = gone_on.await;
        }
        self.alive()
    }
}

/// The kind of a point: `put-before events/_delta_log/…` is `put-before`, `looked:events` is `looked`.
fn place(point: &str) -> &str {
    point.split([' ', ':']).next().unwrap_or(point)
}

/// What kind of point it is.
fn class(point: &str) -> &'static str {
    match place(point) {
        "put-before" => "before a put",
        "put-after" => "after a put",
        "delete-before" => "before a deletion",
        "delete-after" => "after a deletion",
        "transaction-before" => "before a transaction",
        "transaction-after" => "after a transaction",
        _ => "at a kill point",
    }
}

/// A process as the lake's observer.
pub(super) struct Watched(pub Arc<Process>);

impl Observer for Watched {
    fn at(&self, point: &str) -> Result<(), stillhouse_lake::Error> {
        self.0.pass_named(point).map_err(|Gone| stillhouse_lake::Error::stopped(point))
    }
}

impl Progress for Watched {
    fn event(&self, event: &Event<'_>) {
        if let Event::Waiting { .. } = event {
            self.0.waits.store(true, Ordering::SeqCst);
        }
    }
}

/// Transactions that a process which waits for another one repeats.
const POLLS: [&str; 2] = ["take_publish_lease", "counts"];

impl Hook for Watched {
    fn before(&self, transaction: &'static str) -> HookFuture<'_> {
        Box::pin(async move {
            let process = &self.0;
            let gone = |Gone| "the process is dead".to_owned();
            if POLLS.contains(&transaction) && process.waits.load(Ordering::SeqCst) {
                process.park(format!("waits in {transaction}")).await.map_err(gone)?;
            }
            process.pass(&format!("transaction-before {transaction}")).await.map_err(gone)?;
            if process.draw(&format!("{transaction} before"), 2).is_some() {
                process.fault("transaction fails");
                process.trace(&format!("{transaction}: fails"));
                return Err("the database does not answer".to_owned());
            }
            Ok(())
        })
    }

    fn after(&self, transaction: &'static str) -> HookFuture<'_> {
        Box::pin(async move {
            let process = &self.0;
            process.trace(transaction);
            process
                .pass(&format!("transaction-after {transaction}"))
                .await
                .map_err(|Gone| "the process is dead".to_owned())?;
            if process.draw(&format!("{transaction} after"), 2).is_some() {
                process.fault("transaction done, answer lost");
                process.trace(&format!("{transaction}: done, answer lost"));
                return Err("the connection broke".to_owned());
            }
            Ok(())
        })
    }
}
