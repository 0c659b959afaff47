//! `stillhouse audit`: files, receipts, tables and ledger held against each other.

use std::collections::BTreeMap;

use serde_json::json;
use stillhouse_ingest::{Audit, Difference, Finding};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::text::{count, plural};

/// Findings of one kind that are named one by one; `--json` has all of them.
const SHOWN: usize = 20;

/// Audits, and says what differs.
pub async fn audit(cli: &Cli) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let ingest = app.ingest(CancellationToken::new()).await?;
    let audit = stillhouse_ingest::audit(&ingest).await?;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "clean": audit.findings.is_empty(), "audit": audit}))?;
    } else {
        app.printer.tell(render(&audit))?;
    }
    Ok(if audit.findings.is_empty() { Exit::Done } else { Exit::Held })
}

fn render(audit: &Audit) -> String {
    let mut text = format!(
        "looked at {}, {}, {} with {} and {}\n",
        plural(audit.files, "file"),
        plural(audit.receipts, "receipt"),
        plural(audit.tables, "table"),
        plural(audit.rows, "row"),
        plural(audit.data_files, "data file"),
    );
    let mut kinds: BTreeMap<Difference, Vec<&Finding>> = BTreeMap::new();
    for finding in &audit.findings {
        kinds.entry(finding.difference).or_default().push(finding);
    }
    if kinds.is_empty() {
        text.push_str("clean: files, receipts, tables and ledger agree\n");
    }
    for (kind, findings) in kinds {
        text.push_str(&format!("\n{}: {}\n", word(kind), count(findings.len() as u64)));
        for finding in findings.iter().take(SHOWN) {
            let place = [finding.source.as_str(), finding.key.as_str()];
            let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
            text.push_str(&format!("  {}: {}\n", place.join(" "), finding.message));
        }
        if findings.len() > SHOWN {
            text.push_str(&format!("  … and {} more: `--json` has them all\n", count((findings.len() - SHOWN) as u64)));
        }
        let mut hints: Vec<&str> = findings.iter().map(|finding| finding.hint.as_str()).collect();
        hints.dedup();
        hints.iter().take(3).for_each(|hint| text.push_str(&format!("  hint: {hint}\n")));
    }
    text
}

fn word(kind: Difference) -> &'static str {
    match kind {
        Difference::Unknown => "not looked at yet",
        Difference::Changed => "changed since they were loaded",
        Difference::Missing => "gone since they were loaded",
        Difference::Held => "held or failed",
        Difference::HalfDone => "begun and not finished",
        Difference::Rows => "rows and receipts that do not agree",
        Difference::Ledger => "ledger and receipts that do not agree",
        Difference::Damaged => "files of the lake that are damaged",
    }
}
