//! `testkit`: checks that take longer than tests may.
//!
//! `testkit simulate` lives through random histories of a project, in which everything fails that can fail, and holds the
//! lake against what the files said. `testkit mutations` takes away one rule of the commit protocol after the other, and
//! has the simulation notice. `testkit receipts` holds what a commit costs in a lake with a long past against what it costs
//! in a young one.

use std::io::{self, Write};
use std::process::ExitCode;

use stillhouse_testkit::{receipts, simulation};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = io::stdout().lock();
    let done = match arguments.split_first() {
        Some((command, rest)) if command == "receipts" => receipts::command(rest, &mut out),
        Some((command, rest)) if command == receipts::MEASURE => receipts::measure_command(rest, &mut out),
        Some((command, rest)) => simulation::command(command, rest, &mut out),
        None => writeln!(out, "{}\n{}", simulation::USAGE, receipts::USAGE).map(|()| ExitCode::from(2)),
    };
    done.unwrap_or(ExitCode::FAILURE)
}
