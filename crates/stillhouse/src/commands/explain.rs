//! `stillhouse explain KEY`: why a file is, or is not, in the tables.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::json;
use stillhouse_ingest::reason;
use stillhouse_ledger::{AttemptRow, KeyHistory, State, VersionRow};
use stillhouse_spec::{AmendmentKind, Receipt, Source};

use crate::app::App;
use crate::cli::{Cli, ExplainArgs};
use crate::failure::{Exit, Failure};
use crate::outcome_text::rejection;
use crate::text::{bytes, count, plural, time};

/// Keys that one question may match.
const MATCHES_MAX: usize = 50;

/// Looks in the ledger, the lake and the folder, in this order.
pub async fn explain(cli: &Cli, args: &ExplainArgs) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    let ledger = app.ledger().await?;
    let mut histories = Vec::new();
    let asked = object_of(&app, app.folder.key(&args.key));
    for found in ledger.find_keys(&asked, MATCHES_MAX).await? {
        histories.extend(ledger.history(&found.source, &found.key).await?);
    }
    let receipts = crate::receipts::read(&app).await?;
    let file = on_disk(&app, &asked).await;
    if app.printer.json() {
        let receipts: Vec<_> = receipts.iter().filter(|receipt| receipt.object.key.ends_with(&asked)).collect();
        app.printer.value(&json!({"format": 1, "keys": histories, "receipts": receipts, "file": file}))?;
    } else {
        let mut texts = Vec::new();
        for history in &histories {
            let gone = on_disk(&app, &history.key).await == OnDisk::Absent;
            texts.push(known(&app, history, &receipts) + if gone { GONE } else { "" });
        }
        app.printer.tell(if texts.is_empty() { unknown(&app, &asked, &file) } else { texts.join("\n") })?;
    }
    Ok(if histories.is_empty() && file == OnDisk::Absent { Exit::Failed } else { Exit::Done })
}

/// The key of the folder, if the path is that of a part of one.
fn object_of(app: &App, key: String) -> String {
    let mut sources = app.project().sources.iter().filter(|source| source.path.is_of_folders());
    sources.find_map(|source| source.path.object_of(&key)).map(str::to_owned).unwrap_or(key)
}

const GONE: &str = "  the file is not there any more; what was loaded of it stays\n";

/// What lies at a path of the project folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum OnDisk {
    File,
    Folder,
    Absent,
}

async fn on_disk(app: &App, key: &str) -> OnDisk {
    let Ok(path) = Path::parse(key) else { return OnDisk::Absent };
    if app.store.head(&path).await.is_ok() {
        return OnDisk::File;
    }
    match app.store.list_with_delimiter(Some(&path)).await {
        Ok(level) if !level.objects.is_empty() || !level.common_prefixes.is_empty() => OnDisk::Folder,
        _ => OnDisk::Absent,
    }
}

/// The ledger has never heard of it: is it there, and does a source want it?
fn unknown(app: &App, key: &str, file: &OnDisk) -> String {
    let sources: Vec<&Source> =
        app.project().sources.iter().filter(|source| source.path.values(key).is_some()).collect();
    match (file, sources.as_slice()) {
        (OnDisk::File, [source, ..]) if source.path.is_of_folders() => {
            format!("{key}: a file, but source `{}` expects a folder there, for its path ends with `/`\n", source.name)
        }
        (OnDisk::Folder, [source, ..]) if !source.path.is_of_folders() => format!(
            "{key}: a folder, but source `{}` expects a file there; if its files are parts of one export, its path should \
             end with `/`\n",
            source.name
        ),
        (OnDisk::File | OnDisk::Folder, [source, ..]) => format!(
            "{key}: there, and source `{}` wants it, but no run has seen it yet\nnext: {}\n",
            source.name,
            app.folder.command(&format!("ingest {}", source.name))
        ),
        (OnDisk::File | OnDisk::Folder, []) => {
            format!("{key}: there, but no source wants it; the path templates are:\n{}", templates(app))
        }
        (OnDisk::Absent, [source, ..]) => {
            format!("{key}: not there; if it were, source `{}` would load it\n", source.name)
        }
        (OnDisk::Absent, []) => {
            format!("{key}: no file of that path was ever loaded; the path templates are:\n{}", templates(app))
        }
    }
}

fn templates(app: &App) -> String {
    app.project().sources.iter().map(|source| format!("  {}  {}\n", source.name, source.path)).collect()
}

fn known(app: &App, history: &KeyHistory, receipts: &[Receipt]) -> String {
    let mut text = format!("{}  (source {}, key number {})\n", history.key, history.source, history.key_number);
    for version in &history.versions {
        let own = |receipt: &&Receipt| {
            (receipt.key_number, receipt.generation) == (version.version.key_number, version.version.generation)
        };
        text.push_str(&one(app, version, receipts.iter().rfind(own))); // by revision: the newest one
        let attempts = history.attempts.iter().filter(|attempt| attempt.version == version.version);
        attempts.for_each(|attempt| text.push_str(&tried(attempt, version)));
    }
    text
}

/// One attempt to load a version. What the version says already is not said again.
fn tried(attempt: &AttemptRow, version: &VersionRow) -> String {
    let told =
        |error: &String| version.reason.as_ref().is_some_and(|told| reason(Some(told)).0 == reason(Some(error)).0);
    let ended = match (&attempt.outcome, &attempt.error) {
        (None, _) => "not ended".to_owned(),
        (Some(outcome), None) => outcome.clone(),
        (Some(outcome), Some(error)) if told(error) => format!("{outcome}, as above"),
        (Some(outcome), Some(error)) => format!("{outcome}: {}", reason(Some(error)).0),
    };
    format!("    attempt {} at {}: {ended}\n", short(&attempt.attempt), time(attempt.started_at))
}

/// The beginning of an id, which is enough to name it.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn one(app: &App, version: &VersionRow, receipt: Option<&Receipt>) -> String {
    let state = match version.state {
        State::Complete if version.removed => "the file was there no more; its rows are gone",
        State::Complete if version.twin.is_some() => "its content is in the tables",
        State::Complete => "in the tables",
        State::Superseded => "replaced by a newer version",
        State::Staged => "staged; the next run brings it into the tables",
        State::Claimed => "being read",
        State::Offered => "waiting to be read",
        State::Held => "held: mend the file or its source file, then the next run tries it again",
        State::Failed => "could not be read; the next run tries again",
        State::Forgotten => "forgotten on request",
    };
    let mut text = format!("  generation {}: {state}\n", version.version.generation);
    let what = if version.object.is_folder() { "folder" } else { "file" };
    let (size, changed) = (bytes(version.object.size), time(version.object.modified_at));
    text.push_str(&format!("    {what}: {size}, changed {changed}\n"));
    if matches!(version.state, State::Held | State::Failed) && version.reason.is_some() {
        let (message, hint) = reason(version.reason.as_deref());
        text.push_str(&format!("    {message}\n"));
        if let Some(hint) = hint {
            text.push_str(&format!("    hint: {hint}\n"));
        }
    }
    if let Some(receipt) = receipt {
        text.push_str(&account(receipt));
        text.push_str(&refused(app, receipt));
    }
    text
}

fn account(receipt: &Receipt) -> String {
    if receipt.removed {
        return "    receipt: the file was there no more, and the rows of its older versions were removed\n".to_owned();
    }
    if let Some(twin) = &receipt.twin {
        return format!(
            "    receipt: the same content as `{}`, generation {}; no rows of its own\n",
            twin.key, twin.generation
        );
    }
    let counts = receipt.counts;
    let mut text = format!(
        "    receipt: {} read = {} loaded + {} quarantined + {} filtered + {} blank\n",
        count(counts.read),
        count(counts.loaded),
        count(counts.quarantined),
        count(counts.filtered),
        count(counts.blank)
    );
    text.push_str(&format!(
        "    loaded {} in batch {} (seq {})\n",
        time(receipt.decoded_at),
        short(&receipt.batch),
        receipt.seq
    ));
    for amendment in &receipt.amendments {
        let because = match amendment.what {
            AmendmentKind::Replay => String::new(),
            AmendmentKind::Drop => format!(": {}", amendment.because),
        };
        let what = if amendment.what == AmendmentKind::Replay { "replayed" } else { "dropped" };
        text.push_str(&format!(
            "    {} {what} {}{because}\n",
            plural(amendment.count, "refused record"),
            time(amendment.at)
        ));
    }
    for (name, choice) in &receipt.decided {
        text.push_str(&format!("    {name}: {choice}\n"));
    }
    text
}

/// Refused records that are told one by one.
const REJECTS_SHOWN: usize = 5;

fn refused(app: &App, receipt: &Receipt) -> String {
    let mut text = String::new();
    for reject in receipt.rejects.iter().take(REJECTS_SHOWN) {
        text.push_str(&format!("    refused {}: {}\n", reject.words(), rejection(reject)));
    }
    if receipt.counts.quarantined > 0 {
        let command = app.folder.command(&format!("quarantine show {}", receipt.object.key));
        text.push_str(&format!("    refused records as they came in: `{command}`\n"));
    }
    text
}
