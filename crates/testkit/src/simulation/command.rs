//! `testkit simulate` and `testkit mutations`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use super::{History, history, run};

/// How to ask.
pub const USAGE: &str = "usage: testkit simulate [--seeds N] [--from SEED] [--threads N] [--trace]
       testkit mutations [--seeds N] [--from SEED] [--threads N] [--only NAME]

  --seeds N      as many histories (1000; mutations: at most 500 for each rule)
  --from SEED    the first seed (1)
  --threads N    histories at the same time (2)
  --trace        print every write and decision of each history
  --only NAME    without this rule only; with simulate: all histories without it";

/// What the command line says.
struct Request {
    seeds: u64,
    from: u64,
    threads: usize,
    trace: bool,
    only: Option<String>,
}

/// `testkit simulate` and `testkit mutations`, with what follows on the command line.
pub fn command(name: &str, arguments: &[String], out: &mut impl Write) -> io::Result<ExitCode> {
    let seeds = if name == "mutations" { 500 } else { 1000 };
    match (name, parse(arguments, seeds)) {
        ("simulate", Some(request)) => simulate(&request, out),
        ("mutations", Some(request)) => mutations(&request, out),
        _ => writeln!(out, "{USAGE}").map(|()| ExitCode::from(2)),
    }
}

fn parse(arguments: &[String], seeds: u64) -> Option<Request> {
    let mut request = Request { seeds, from: 1, threads: 2, trace: false, only: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => request.seeds = arguments.next()?.parse().ok()?,
            "--from" => request.from = arguments.next()?.parse().ok()?,
            "--threads" => request.threads = arguments.next()?.parse().ok()?,
            "--trace" => request.trace = true,
            "--only" => request.only = Some(arguments.next()?.clone()),
            _ => return None,
        }
    }
    Some(request)
}

fn broken_line(history: &History) -> String {
    let Some(broken) = &history.broken else { return String::new() };
    let (seed, step) = (history.seed, history.steps);
    format!("seed {seed}, step {step}: {broken}\n  see: testkit simulate --from {seed} --seeds 1 --trace")
}

#[expect(clippy::disallowed_methods, reason = "how long it took is for a person; no result depends on it")]
fn now() -> Instant {
    Instant::now()
}

fn simulate(request: &Request, out: &mut impl Write) -> io::Result<ExitCode> {
    if let Some(name) = &request.only
        && !take_away(name)
    {
        writeln!(out, "no rule `{name}` can be taken away here; build with the feature `mutations`")?;
        return Ok(ExitCode::from(2));
    }
    if request.trace { trace(request, out) } else { many(request, out) }
}

fn many(request: &Request, out: &mut impl Write) -> io::Result<ExitCode> {
    let began = now();
    let told = |history: &History| {
        // Said at once: the rest may take an hour.
        let _ = writeln!(io::stderr(), "{}", broken_line(history));
    };
    let run = run(request.from..request.from + request.seeds, request.threads, false, &told);
    let seconds = began.elapsed().as_secs_f64();
    writeln!(out, "{run}, {seconds:.0} seconds")?;
    for history in &run.broken {
        writeln!(out, "{}", broken_line(history))?;
    }
    Ok(if run.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn trace(request: &Request, out: &mut impl Write) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut code = ExitCode::SUCCESS;
    for seed in request.from..request.from + request.seeds {
        let history = runtime.block_on(history(seed, true));
        for line in &history.trace {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed}: {} steps, {} faults, hash {}", history.steps, history.faults, history.hash)?;
        if history.broken.is_some() {
            writeln!(out, "{}", broken_line(&history))?;
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

#[cfg(not(feature = "mutations"))]
fn take_away(_: &str) -> bool {
    false
}

#[cfg(feature = "mutations")]
fn take_away(name: &str) -> bool {
    use stillhouse_safeguard::Safeguard;
    let found = Safeguard::ALL.iter().find(|safeguard| safeguard.name() == name);
    found.inspect(|safeguard| safeguard.take_away()).is_some()
}

#[cfg(not(feature = "mutations"))]
fn mutations(_: &Request, out: &mut impl Write) -> io::Result<ExitCode> {
    writeln!(out, "this program holds to all rules; `make mutations` builds one that can leave them out")?;
    Ok(ExitCode::from(2))
}

#[cfg(feature = "mutations")]
fn mutations(request: &Request, out: &mut impl Write) -> io::Result<ExitCode> {
    use crate::mutations::without;
    use stillhouse_safeguard::Safeguard;
    let wanted = |safeguard: &&Safeguard| request.only.as_ref().is_none_or(|only| only == safeguard.name());
    let (mut caught, mut missed) = (0, 0);
    for safeguard in Safeguard::ALL.iter().filter(wanted) {
        let began = now();
        let mutation = without(*safeguard, request.from..request.from + request.seeds, request.threads);
        let seconds = began.elapsed().as_secs_f64();
        let what = safeguard.without();
        let (name, end) = (safeguard.name(), format!("{what}; {seconds:.0} s"));
        match mutation.caught.as_ref().and_then(|history| Some((history, history.broken.as_ref()?))) {
            Some((history, broken)) => {
                caught += 1;
                let message: String = broken.message.chars().take(120).collect();
                writeln!(out, "{name:<17} seed {:>3}  {:<6} {message}\n    ({end})", history.seed, broken.invariant)?;
            }
            None => {
                missed += 1;
                writeln!(out, "{name:<17} not noticed in {} histories\n    ({end})", request.seeds)?;
            }
        }
        out.flush()?;
    }
    writeln!(out, "{caught} caught, {missed} not")?;
    Ok(if missed == 0 && caught > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
