//! Many histories on several threads, and what came of them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::audit::Broken;
use super::kinds::{KINDS, Kind};
use super::world::lock;
use super::{History, history};

/// What came of some histories.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// How many.
    pub histories: u64,
    /// Steps of all of them.
    pub steps: u64,
    /// Faults of all of them.
    pub faults: u64,
    /// Those in which an invariant broke, by seed, without their counts.
    pub broken: Vec<History>,
    /// How often everything occurred.
    pub counts: BTreeMap<String, u64>,
    /// The hash of each history, by seed.
    pub hashes: BTreeMap<u64, String>,
}

/// Lives through the histories of `seeds`; `told` hears of each that breaks an invariant. `stop_at_first`: the rest is
/// left out then.
pub fn run(seeds: std::ops::Range<u64>, threads: usize, stop_at_first: bool, told: &(dyn Fn(&History) + Sync)) -> Run {
    let next = AtomicU64::new(seeds.start);
    let run = Mutex::new(Run::default());
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime of one thread can be made");
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end || (stop_at_first && !lock(&run).broken.is_empty()) {
                return;
            }
            let lived = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(history(seed, false))));
            let lived = lived.unwrap_or_else(|_| panicked(seed));
            if lived.broken.is_some() {
                told(&lived);
            }
            lock(&run).add(lived);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut run = run.into_inner().expect("no thread panics while it holds the lock");
    run.broken.sort_by_key(|history| history.seed);
    run
}

fn panicked(seed: u64) -> History {
    let message = "a panic; its text is above".to_owned();
    History {
        seed,
        hash: String::new(),
        steps: 0,
        faults: 0,
        counts: BTreeMap::new(),
        broken: Some(Broken { invariant: "driver", message }),
        trace: Vec::new(),
    }
}

impl Run {
    fn add(&mut self, history: History) {
        self.histories += 1;
        self.hashes.insert(history.seed, history.hash.clone());
        self.steps += history.steps;
        self.faults += history.faults;
        for (what, count) in &history.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
        if history.broken.is_some() {
            self.broken.push(History { counts: BTreeMap::new(), ..history });
        }
    }

    /// Of all histories; the same seeds give the same one.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for hash in self.hashes.values() {
            hasher.update(hash.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    fn count(&self, kind: &Kind) -> u64 {
        self.counts.get(&format!("{}: {}", kind.group, kind.name)).copied().unwrap_or(0)
    }

    /// Kinds of steps and faults that occurred less often than in one history of a hundred.
    pub fn rare(&self) -> Vec<&'static Kind> {
        KINDS.iter().filter(|kind| self.count(kind) < self.histories / 100).collect()
    }

    /// Kinds of steps and faults that did not occur.
    pub fn never(&self) -> Vec<&'static Kind> {
        KINDS.iter().filter(|kind| self.count(kind) == 0).collect()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for kind in KINDS {
            if kind.group != group {
                group = kind.group;
                writeln!(f, "{group}s")?;
            }
            writeln!(f, "{:>10}  {}", self.count(kind), kind.name)?;
        }
        writeln!(f, "kill points: passed, killed at, hung at")?;
        let of = |group: &str, name: &str| self.counts.get(&format!("{group}: {name}")).copied().unwrap_or(0);
        let names = self.counts.keys().filter_map(|key| key.strip_prefix("passed: "));
        for name in names {
            let (passed, killed, hung) = (of("passed", name), of("killed at", name), of("hung at", name));
            writeln!(f, "{passed:>10} {killed:>6} {hung:>6}  {name}")?;
        }
        writeln!(f, "outcomes of tasks")?;
        for (key, count) in &self.counts {
            if let Some(name) = key.strip_prefix("outcome: ") {
                writeln!(f, "{count:>10}  {name}")?;
            }
        }
        for kind in self.rare() {
            writeln!(f, "too rare: {} {}", kind.group, kind.name)?;
        }
        let mean = |total: u64| {
            format!(
                "{:.1}",
                f64::from(u32::try_from(total).unwrap_or(u32::MAX))
                    / f64::from(u32::try_from(self.histories.max(1)).unwrap_or(u32::MAX))
            )
        };
        let mut line = String::new();
        write!(line, "{} histories, {} steps ({} each)", self.histories, self.steps, mean(self.steps))?;
        write!(line, ", {} faults ({} each), {} violations", self.faults, mean(self.faults), self.broken.len())?;
        write!(line, ", hash {}", self.hash())?;
        f.write_str(&line)
    }
}
