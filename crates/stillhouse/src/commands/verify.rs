//! `stillhouse receipts verify`: receipts proved again.

use serde_json::json;
use stillhouse_ingest::{Proof, Verified, VerifyRequest};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::text::{count, plural};

/// Verifies and says of each receipt how far it was proved.
pub async fn verify(app: &App, request: &VerifyRequest, stop: CancellationToken) -> Result<Exit, Failure> {
    let ingest = app.ingest(stop).await?;
    let mut told = Ok(());
    let verified = stillhouse_ingest::verify(&ingest, request, |verified| {
        if !app.printer.json() && told.is_ok() {
            told = app.printer.tell(one(verified));
        }
    });
    let verified = verified.await?;
    told?;
    if let (Some(key), true) = (&request.key, verified.is_empty()) {
        return Err(Failure::usage(format!("there is no receipt of a file that ends with `{key}`"))
            .hint("see `stillhouse receipts list`"));
    }
    if let (Some(source), true) = (&request.source, verified.is_empty()) {
        return Err(Failure::usage(format!("there is no receipt of a file of source `{source}`"))
            .hint("see `stillhouse receipts list`"));
    }
    let failed = verified.iter().filter(|verified| verified.proof == Proof::Failed).count();
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "failed": failed, "receipts": verified}))?;
    } else {
        app.printer.tell(closing(&verified, failed))?;
    }
    Ok(if failed > 0 { Exit::Held } else { Exit::Done })
}

fn one(verified: &Verified) -> String {
    let word = match verified.proof {
        Proof::Content => "proved",
        Proof::Counts => "counted",
        Proof::NoRows => "no rows",
        Proof::Failed => "DIFFERENT",
    };
    let mut text =
        format!("{word}  {} (generation {}, {})\n", verified.key, verified.generation, plural(verified.rows, "row"));
    for remark in &verified.remarks {
        text.push_str(&format!("  {remark}\n"));
    }
    text
}

fn closing(verified: &[Verified], failed: usize) -> String {
    let of = |proof| verified.iter().filter(|verified| verified.proof == proof).count();
    let proved = count(of(Proof::Content) as u64);
    let mut text = format!("{}: {proved} proved by content", plural(verified.len() as u64, "receipt"));
    let others = [
        (of(Proof::Counts), "by counts only"),
        (of(Proof::NoRows), "without rows of their own"),
        (failed, "different"),
    ];
    for (number, what) in others {
        if number > 0 {
            text.push_str(&format!(", {} {what}", count(number as u64)));
        }
    }
    text + "\n"
}
