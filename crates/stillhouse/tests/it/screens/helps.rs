//! The help of every command, on a terminal.

use stillhouse_testkit::TempProject;

use super::terminal::{Colours, Typed, on_terminal};
use super::twice::twice;

/// The commands that a help names: the lines below `Commands:` that begin one.
fn commands(project: &TempProject, above: &[&str]) -> Vec<String> {
    let command = [above, &["--help"]].concat();
    let help = on_terminal(project, Colours::Unwanted, &[Typed { command: &command, steps: &[] }]).remove(0).shown;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let name =
        |line: &str| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()).map(str::to_owned);
    lines.filter_map(name).collect()
}

#[test]
fn every_command_explains_itself() {
    let project = TempProject::new();
    insta::assert_snapshot!("help", twice(TempProject::new, &[&["--help"], &["--version"]]));
    let names = commands(&project, &[]);
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        let below = commands(&project, &[name]);
        let mut helps = vec![vec![name.as_str(), "--help"]];
        helps.extend(below.iter().map(|below| vec![name.as_str(), below.as_str(), "--help"]));
        let helps: Vec<&[&str]> = helps.iter().map(Vec::as_slice).collect();
        insta::assert_snapshot!(format!("help_of_{name}"), twice(TempProject::new, &helps));
    }
}
