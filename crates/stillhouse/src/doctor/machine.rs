//! The machine: clock, time zones, processor, limits, terminal.

use jiff::Timestamp;
use stillhouse_spec::Limits;

use super::{Finding, disk};
use crate::project_folder::ProjectFolder;
use crate::surroundings;
use crate::text::{bytes, plural};

/// This program was not there before (2025-01-01): a clock that says so is wrong.
const EARLIEST_MICROS: i64 = 1_735_689_600_000_000;
/// Files that a load and a query keep open, with room to spare.
const OPEN_FILES_MIN: u64 = 512;

/// Looks at what needs no project, and at what its settings ask of the machine.
pub fn look(folder: Option<&ProjectFolder>, findings: &mut Vec<Finding>) {
    findings.push(clock(folder, surroundings::now_micros()));
    findings.push(Finding::ok(
        "processor",
        format!(
            "{}; fields of CSV are found with {}",
            plural(surroundings::processors() as u64, "processor"),
            stillhouse_decode::instructions()
        ),
    ));
    findings.push(open_files(rustix::process::getrlimit(rustix::process::Resource::Nofile).current));
    if let Some(folder) = folder {
        findings.extend(spill(&folder.project.limits, disk::room_bytes(&folder.root)));
        findings.extend(workers(&folder.project.limits, surroundings::processors()));
    }
    findings.push(terminal());
}

fn clock(folder: Option<&ProjectFolder>, now: i64) -> Finding {
    let now = Timestamp::from_microsecond(now).unwrap_or_default();
    if now.as_microsecond() < EARLIEST_MICROS {
        let found = format!("it says {}, which is long ago", now.strftime("%Y-%m-%d %H:%M:%SZ"));
        return Finding::problem(
            "clock",
            found,
            "set the clock of this machine; times of loads and `last-month` depend on it",
        );
    }
    let (name, zone) = match folder {
        Some(folder) => (folder.project.time_zone.as_str(), folder.project.zone()),
        None => ("UTC", jiff::tz::TimeZone::UTC),
    };
    let here = now.to_zoned(zone);
    Finding::ok(
        "clock",
        format!("{} in {name}, by the time zones in this program", here.strftime("%Y-%m-%d %H:%M %:z")),
    )
}

fn open_files(limit: Option<u64>) -> Finding {
    match limit {
        Some(limit) if limit < OPEN_FILES_MIN => Finding::note(
            "limits",
            format!("a process may have {limit} files open"),
            format!("raise it: `ulimit -n {OPEN_FILES_MIN}` or more, before large queries"),
        ),
        Some(limit) => Finding::ok("limits", format!("a process may have {limit} files open")),
        None => Finding::ok("limits", "a process may have any number of files open"),
    }
}

/// Queries that spill must not fill the disk.
fn spill(limits: &Limits, room: Option<u64>) -> Option<Finding> {
    let room = room.filter(|room| *room < limits.spill_bytes)?;
    Some(Finding::note(
        "limits",
        format!("queries may spill {}, and {} are free", bytes(limits.spill_bytes), bytes(room)),
        "make room, or lower `spill` in [limits] of stillhouse.toml: a query that fills the disk stops loads as well",
    ))
}

fn workers(limits: &Limits, processors: usize) -> Option<Finding> {
    let workers = limits.workers.filter(|workers| *workers > 2 * processors)?;
    Some(Finding::note(
        "limits",
        format!("{workers} workers on {}", plural(processors as u64, "processor")),
        "lower `workers` in [limits] of stillhouse.toml: more of them cost memory and gain nothing",
    ))
}

fn terminal() -> Finding {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| surroundings::variable(name).filter(|value| !value.is_empty()));
    let is_utf8 = locale.as_deref().is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8")
    });
    let columns = surroundings::terminal_columns();
    let what = if surroundings::prompt_terminal() { "a terminal" } else { "no terminal" };
    let found = format!("{what}, {columns} columns, locale {}", locale.as_deref().unwrap_or("not set"));
    if surroundings::prompt_terminal() && !is_utf8 {
        let next = "set LANG to one that ends with UTF-8 (C.UTF-8), or letters such as ä and lines may look odd";
        return Finding::note("terminal", found, next);
    }
    Finding::ok("terminal", found)
}
