//! The world outside: clock, randomness, environment. Nothing else in the program reads them.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Microseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place with a clock; everything else takes the time as a parameter"
)]
pub fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// A new random UUID.
#[expect(clippy::disallowed_methods, reason = "the one place with randomness; everything else takes ids as parameters")]
pub fn new_uuid() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}

/// A new random identifier: 32 hex digits.
pub fn new_id() -> String {
    new_uuid().simple().to_string()
}

/// The value of an environment variable, where it is set and is text.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where this machine has temporary files.
pub fn temporary_folder() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// Processors of this machine.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Whether standard error is a terminal that can show progress bars.
pub fn progress_terminal() -> bool {
    std::io::stderr().is_terminal() && variable("TERM").as_deref() != Some("dumb")
}

/// Whether standard output is a terminal that wants colour (<https://no-color.org>).
pub fn colour_terminal() -> bool {
    std::io::stdout().is_terminal() && wants_colour()
}

/// The same for standard error.
pub fn colour_messages() -> bool {
    std::io::stderr().is_terminal() && wants_colour()
}

fn wants_colour() -> bool {
    variable("NO_COLOR").is_none_or(|value| value.is_empty()) && variable("TERM").as_deref() != Some("dumb")
}

/// Whether text may hold more than ASCII: the locale has UTF-8, and nobody asked for plain output.
pub fn unicode_wanted() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let is_utf8 = locale.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        name.contains("utf-8") || name.contains("utf8")
    });
    is_utf8 && variable("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether a person sits there to be asked: standard input and output are a terminal.
pub fn prompt_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Columns of the terminal; 80 where there is none, so that tables in files look the same everywhere.
pub fn terminal_columns() -> u16 {
    columns(std::io::stdout())
}

/// How wide lines on standard output may be: as its terminal is, else as they like.
pub fn line_width() -> Option<usize> {
    let out = std::io::stdout();
    out.is_terminal().then(|| usize::from(columns(out)))
}

/// The same for standard error.
pub fn message_width() -> Option<usize> {
    let out = std::io::stderr();
    out.is_terminal().then(|| usize::from(columns(out)))
}

fn columns(of: impl AsFd) -> u16 {
    let set = variable("COLUMNS").and_then(|text| text.parse().ok());
    let seen = || rustix::termios::tcgetwinsize(of).ok().map(|size| size.ws_col);
    set.or_else(seen).filter(|columns| *columns > 0).unwrap_or(80)
}
