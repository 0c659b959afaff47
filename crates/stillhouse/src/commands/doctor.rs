//! `stillhouse doctor`: look at the surroundings of a project.

use serde_json::json;

use crate::cli::Cli;
use crate::doctor::{Finding, State, look};
use crate::failure::{Exit, Failure};
use crate::printer::Printer;
use crate::table::Table;
use crate::text::plural;

/// Prints what was found; a problem is a failure.
pub async fn doctor(cli: &Cli) -> Result<Exit, Failure> {
    let printer = Printer::new(cli);
    let findings = look(&cli.directory).await;
    let of = |state| findings.iter().filter(|finding| finding.state == state).count() as u64;
    let problems = of(State::Problem);
    if printer.json() {
        printer.value(&json!({"format": 1, "ok": problems == 0, "findings": findings}))?;
    } else {
        printer.out(table(&findings))?;
        printer.say(format!("\n{}", closing(of(State::Note), problems)));
    }
    Ok(if problems > 0 { Exit::Failed } else { Exit::Done })
}

fn table(findings: &[Finding]) -> String {
    let mut table = Table::new(&["", "of", "found"]);
    table.long(&[2]);
    for finding in findings {
        let next = finding.next.as_ref().map(|next| format!("\nnext: {next}")).unwrap_or_default();
        let word = finding.state.word().to_owned();
        table.row(vec![word, finding.area.to_owned(), format!("{}{next}", finding.found)]);
    }
    table.render()
}

fn closing(notes: u64, problems: u64) -> String {
    match (problems, notes) {
        (0, 0) => "all is well".to_owned(),
        (0, notes) => format!("no problem; {}", plural(notes, "note")),
        (problems, _) => format!("{}: do what stands behind `next`, then look again", plural(problems, "problem")),
    }
}
