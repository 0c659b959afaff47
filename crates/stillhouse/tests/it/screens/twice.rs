//! The same commands on a terminal with colours and on one without: what is read must be the same, and must fit.

use stillhouse_testkit::TempProject;

use super::same_every_time;
use super::terminal::{Answer, Colours, Screen, Typed, on_terminal, uncoloured};

/// Each command with its screen and its exit code, coloured; in two projects of the same kind, because most commands change
/// something.
pub fn twice(make: impl Fn() -> TempProject, commands: &[&[&str]]) -> String {
    let commands: Vec<Typed<'_>> = commands.iter().map(|command| Typed { command, steps: &[] }).collect();
    typed_twice(make, &commands)
}

/// The same with keys.
pub fn typed_twice(make: impl Fn() -> TempProject, commands: &[Typed<'_>]) -> String {
    let coloured = screens(&make(), Colours::Wanted, commands);
    let plain = screens(&make(), Colours::Unwanted, commands);
    // Line by line: a screen as a whole is too much to look at.
    for (with, without) in uncoloured(&coloured).lines().zip(plain.lines()) {
        assert_eq!(with, without, "colours change more than colours in\n{coloured}");
    }
    assert_eq!(coloured.lines().count(), plain.lines().count(), "{coloured}");
    coloured
}

fn screens(project: &TempProject, colours: Colours, commands: &[Typed<'_>]) -> String {
    let mut text = String::new();
    for (Typed { command, .. }, answer) in commands.iter().zip(on_terminal(project, colours, commands)) {
        let Answer { shown: whole, raw, code } = answer;
        let screen = Screen::after(&raw);
        let mut shown = screen.text();
        if colours == Colours::Unwanted {
            assert!(!screen.has_colours, "{command:?} colours without being asked:\n{shown}");
        }
        if code == 0 && is_document(command) {
            assert!(!screen.has_colours, "{command:?} colours what programs read:\n{shown}");
            shown = whole;
        } else {
            assert!(screen.too_wide.is_empty(), "{command:?} is too wide: {:#?}\n{shown}", screen.too_wide);
        }
        text.push_str(&format!("$ stillhouse {}\n{shown}(exit code {code})\n\n", command.join(" ")));
    }
    same_every_time(&text)
}

/// What is written for programs, or was written by the user, stays as it is, however wide.
fn is_document(command: &[&str]) -> bool {
    let has = |word: &str| command.contains(&word);
    let prints = |begin: &[&str]| command.starts_with(begin) && !has("--help");
    has("--json") || has("--csv") || prints(&["receipts", "show"]) || prints(&["text"])
}

/// Holds what a terminal shows: each command once, with its colours.
macro_rules! assert_looks {
    ($name:literal, $make:expr, $commands:expr) => {
        insta::assert_snapshot!($name, $crate::screens::twice::twice($make, $commands))
    };
}
pub(crate) use assert_looks;
