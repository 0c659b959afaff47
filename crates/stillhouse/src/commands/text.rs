//! `stillhouse text`: what ran, as it was when it ran.

use serde_json::json;

use crate::app::App;
use crate::cli::Cli;
use crate::failure::{Exit, Failure};

/// Prints a copy that the lake keeps.
pub async fn text(cli: &Cli, fingerprint: &str) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let plain = !fingerprint.is_empty() && fingerprint.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let text = if plain { app.lake.text(fingerprint).await? } else { None };
    let Some(text) = text else {
        return Err(Failure::usage(format!("the lake has no text under the fingerprint `{fingerprint}`"))
            .hint("`stillhouse receipts show PATH` and `stillhouse report show NAME --json` name fingerprints"));
    };
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "fingerprint": fingerprint, "text": text}))?;
    } else {
        app.printer.out(text)?;
    }
    Ok(Exit::Done)
}
