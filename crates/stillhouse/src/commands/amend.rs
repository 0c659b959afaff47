//! `stillhouse quarantine replay` and `drop`: what becomes of refused records later.

use serde_json::json;
use stillhouse_ingest::AmendedObject;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::SelectionArgs;
use crate::failure::{Exit, Failure};
use crate::outcome_text::rejection;
use crate::selection::{nothing_of, selection};
use crate::text::{count, indent, plural};

/// Refused records that one object shows.
const REJECTS_SHOWN: usize = 5;

/// Reads refused records again.
pub async fn replay(app: &App, args: &SelectionArgs, stop: CancellationToken) -> Result<Exit, Failure> {
    let ingest = app.ingest(stop).await?;
    let objects = stillhouse_ingest::replay(&ingest, &selection(app, args)).await?;
    tell(app, args, objects, "to replay")
}

/// Gives refused records up.
pub async fn drop_refused(
    app: &App,
    args: &SelectionArgs,
    why: &str,
    stop: CancellationToken,
) -> Result<Exit, Failure> {
    if why.trim().is_empty() {
        return Err(
            Failure::usage("`--why` is empty").hint("say why these records are not needed; the receipt keeps it")
        );
    }
    let ingest = app.ingest(stop).await?;
    let objects = stillhouse_ingest::drop_refused(&ingest, &selection(app, args), why).await?;
    tell(app, args, objects, "to drop")
}

/// What is still refused shows in the exit code.
fn tell(app: &App, args: &SelectionArgs, mut objects: Vec<AmendedObject>, what: &str) -> Result<Exit, Failure> {
    objects.retain(|object| object.selected > 0 || object.problem.is_some());
    if let (Some(named), true) = (&args.object, objects.is_empty()) {
        return Err(nothing_of(named));
    }
    let refused: u64 = objects.iter().map(|object| object.refused).sum();
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "objects": objects}))?;
    } else if objects.is_empty() {
        app.printer.say(format!("nothing {what}: no such record is in quarantine"));
    } else {
        let texts: Vec<String> = objects.iter().map(one).collect();
        app.printer.tell(texts.join(""))?;
    }
    Ok(if refused > 0 { Exit::Held } else { Exit::Done })
}

fn one(object: &AmendedObject) -> String {
    let mut parts = Vec::new();
    for (number, what) in [(object.loaded, "loaded"), (object.dropped, "dropped"), (object.refused, "still refused")] {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    }
    let mut text = format!("{}  {}: {}\n", object.key, plural(object.selected, "refused record"), parts.join(", "));
    for reject in object.rejects.iter().take(REJECTS_SHOWN) {
        text.push_str(&format!("  {}: {}\n", reject.words(), rejection(reject)));
    }
    if object.refused > REJECTS_SHOWN as u64 {
        text.push_str(&format!("  … see `stillhouse quarantine show {}`\n", object.key));
    }
    if let Some(problem) = &object.problem {
        text.push_str(&format!("{}\n", indent(problem, 2)));
    }
    if let Some(hint) = &object.hint {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    text
}
