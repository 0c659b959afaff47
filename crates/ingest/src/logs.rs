//! What an attempt did, in a few lines that stay in the ledger: for whoever asks later why.

use stillhouse_ledger::{Level, LogLine};
use stillhouse_spec::Receipt;

use crate::claim::Claim;
use crate::context::Ingest;
use crate::error::Error;
use crate::object::Loaded;

/// Writes down what became of each object of a claim. The ledger bounds how much it keeps of one attempt.
pub(crate) async fn log_outcomes(ingest: &Ingest, claim: &Claim, outcomes: &[Loaded]) -> Result<(), Error> {
    let now = ingest.now();
    let mut lines = Vec::new();
    for (job, outcome) in claim.jobs.iter().zip(outcomes) {
        let key = &job.object.key;
        let mut line = |level, text: String| lines.push(LogLine { at: now, level, text: format!("{key}: {text}") });
        match outcome {
            Loaded::Accepted(receipt) => {
                line(Level::Info, accepted(receipt));
                let decided = receipt.decided.iter().map(|(name, choice)| format!("{name}: {choice}"));
                let decided: Vec<String> = decided.collect();
                if !decided.is_empty() {
                    line(Level::Info, decided.join("; "));
                }
                receipt.warnings.iter().for_each(|warning| line(Level::Warn, warning.clone()));
            }
            Loaded::Held { message, .. } => line(Level::Warn, format!("held: {message}")),
            Loaded::Failed { message } => line(Level::Error, format!("failed: {message}")),
            Loaded::MoreColumns(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                line(Level::Info, format!("columns to be added for {}", fields.join(", ")))
            }
        }
    }
    ingest.ledger.log(&claim.attempt, &lines).await?;
    Ok(())
}

fn accepted(receipt: &Receipt) -> String {
    let took = receipt.decoded_at.saturating_sub(receipt.started_at) / 1000;
    match &receipt.twin {
        _ if receipt.removed => "the file is there no more".to_owned(),
        Some(twin) => format!("the same content as `{}`, generation {}", twin.key, twin.generation),
        None => {
            let counts = receipt.counts;
            format!(
                "{} bytes in {took} ms: {} read = {} loaded + {} quarantined + {} filtered + {} blank",
                receipt.bytes, counts.read, counts.loaded, counts.quarantined, counts.filtered, counts.blank
            )
        }
    }
}

/// One more line, such as how the attempt ended.
pub(crate) async fn log(ingest: &Ingest, attempt: &str, level: Level, text: String) -> Result<(), Error> {
    ingest.ledger.log(attempt, &[LogLine { at: ingest.now(), level, text }]).await?;
    Ok(())
}
