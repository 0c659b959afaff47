//! Checks of our own that no lint makes: `cargo run -p xtask --release -- tidy`.
//!
//! [`files`] gathers what git tracks and [`tidy`] runs each check over it; the checks are one file each and read no
//! disk, so that their tests need none: [`edges`] (which crate may use which), [`sizes`] (how long files and functions
//! are) and [`words`] (what must not stand in a tracked file). [`source`] blanks out comments and texts for them.

mod edges;
mod files;
mod sizes;
mod source;
mod tidy;
mod words;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => match tidy::run(&mut out) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                let _ = writeln!(out, "tidy could not run: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            let _ = writeln!(out, "usage: cargo run -p xtask --release -- tidy");
            ExitCode::from(2)
        }
    }
}
