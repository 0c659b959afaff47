//! `testkit receipts`, and the process that it starts to measure.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::copy::{copy_folder, remove_folder};
use super::make::make;
use super::measure::{Measured, measure};
use super::options::{Options, USAGE, durability_word};
use super::site::{Plan, Site};
use super::table::{Side, print_sizes, print_times};
use super::watch::now;
use crate::program::Program;

/// The word with which the command starts itself to measure.
pub const MEASURE: &str = "receipts-measure";

/// How much dearer a commit may become.
const RATIO_MAX: f64 = 1.5;
/// A round takes minutes at most; more than this is a bug.
const ROUND_TIME_MAX: Duration = Duration::from_secs(3600);
/// How often the making of a lake says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// `testkit receipts`: everything, with progress on standard error.
pub fn command(arguments: &[String], out: &mut impl Write) -> io::Result<ExitCode> {
    let Some(options) = Options::parse(arguments) else { return wrong_usage(out) };
    let temporary = if options.folder.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder = options.folder.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    let folder = folder.expect("there is one or the other");
    let runtime = runtime()?;
    let mut small = runtime.block_on(prepared(&options, folder, "small", options.small));
    let mut large = runtime.block_on(prepared(&options, folder, "large", options.receipts));
    drop(runtime); // a process beside us is about to be measured
    print_sizes(&small, &large, out)?;
    if !options.measure_it {
        return Ok(ExitCode::SUCCESS);
    }
    for round in 0..options.rounds {
        tell(&format!("round {} of {}", round + 1, options.rounds));
        measure_both(&mut small, &mut large, share(options.measure, options.rounds, round))?;
    }
    let worst = print_times(&small, &large, out)?;
    Ok(if worst > RATIO_MAX { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One round: so many commits in each lake.
fn measure_both(small: &mut Side, large: &mut Side, commits: u64) -> io::Result<()> {
    // The small one stays small: each round goes on with a copy of it, the large one with itself.
    let copy = Plan { folder: small.plan.folder.with_file_name("small-measured"), ..small.plan.clone() };
    copy_folder(&small.plan.folder, &copy.folder)?;
    measure_one(small, &copy, small.counted.next, commits)?;
    remove_folder(&copy.folder)?;
    let plan = large.plan.clone();
    let first = large.counted.next + large.measured.calls.len() as u64 * u64::from(plan.per_commit);
    measure_one(large, &plan, first, commits)
}

fn wrong_usage(out: &mut impl Write) -> io::Result<ExitCode> {
    writeln!(out, "{USAGE}")?;
    Ok(ExitCode::from(2))
}

/// What the started process does: it measures one round in one lake and prints the times as JSON.
pub fn measure_command(arguments: &[String], out: &mut impl Write) -> io::Result<ExitCode> {
    let Some(options) = Options::parse(arguments) else { return wrong_usage(out) };
    let Some(folder) = options.folder else { return wrong_usage(out) };
    let plan = Plan { folder, durability: options.durability, per_commit: options.per_commit };
    let measured = runtime()?.block_on(measure(&plan, options.first, options.measure));
    writeln!(out, "{}", measured.to_json())?;
    Ok(ExitCode::SUCCESS)
}

/// A lake with so many receipts, made as far as it is not there yet.
async fn prepared(options: &Options, folder: &Path, name: &'static str, receipts: u64) -> Side {
    let folder = folder.join(name);
    let plan = Plan { folder, durability: options.durability, per_commit: options.per_commit };
    if options.make_it {
        let mut teller = Teller { name, receipts, began: None, told_at: now() };
        make(&plan, receipts, &mut |have| teller.hear(have)).await;
    }
    let site = Site::open(&plan).await;
    let (counted, sizes) = (site.count().await, site.sizes().await);
    site.close().await;
    Side { counted, sizes, measured: Measured::default(), peak_memory_bytes: 0, plan }
}

/// Says now and then how far the making of a lake is.
struct Teller {
    name: &'static str,
    receipts: u64,
    /// When we first heard of it, and how many receipts there were.
    began: Option<(Instant, u64)>,
    told_at: Instant,
}

impl Teller {
    fn hear(&mut self, have: u64) {
        let (began, before) = *self.began.get_or_insert_with(|| (now(), have));
        if self.told_at.elapsed() < TELL_EVERY {
            return;
        }
        self.told_at = now();
        let each = began.elapsed().as_secs_f64() / have.saturating_sub(before).max(1) as f64;
        let minutes = each * self.receipts.saturating_sub(have) as f64 / 60.0;
        let (name, receipts, each) = (self.name, self.receipts, each * 1000.0);
        tell(&format!("{name}: {have} of {receipts} receipts, {each:.2} ms each, {minutes:.0} minutes left"));
    }
}

/// One round, in a process of its own.
fn measure_one(side: &mut Side, plan: &Plan, first: u64, commits: u64) -> io::Result<()> {
    let program = Program::new(std::env::current_exe()?).with_time_max(ROUND_TIME_MAX);
    let folder = plan.folder.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let (first, commits, each) = (first.to_string(), commits.to_string(), plan.per_commit.to_string());
    let durability = durability_word(plan.durability);
    let place = [MEASURE, "--folder", folder, "--durability", durability];
    let amount = ["--first", &first, "--measure", &commits, "--per-commit", &each];
    let finished = program.run(&[&place[..], &amount[..]].concat()).succeeded();
    side.measured.extend(Measured::from_json(&finished.json()));
    side.peak_memory_bytes = side.peak_memory_bytes.max(finished.peak_memory_bytes);
    Ok(())
}

/// So many of `all` fall to one of `parts`.
fn share(all: u64, parts: u64, part: u64) -> u64 {
    all / parts + u64::from(part < all % parts)
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn tell(line: &str) {
    // Nobody listening is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}
