//! `stillhouse jobs`: attempts to load files, and what they logged.

use serde_json::json;
use stillhouse_ledger::{AttemptRow, Level};

use crate::app::App;
use crate::cli::{Cli, JobsCommand};
use crate::failure::{Exit, Failure};
use crate::table::Table;
use crate::text::time;

/// Attempts among which an id, or the end of a path, is looked for.
const SEARCHED_MAX: u32 = 10_000;

/// Runs the subcommand.
pub async fn jobs(cli: &Cli, command: &JobsCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        JobsCommand::List { key, limit } => list(&app, key.as_deref(), *limit).await,
        JobsCommand::Log { attempt } => log(&app, attempt).await,
    }
}

async fn list(app: &App, key: Option<&str>, limit: u32) -> Result<Exit, Failure> {
    let key = key.map(|key| app.folder.key(key));
    let asked = if key.is_some() { SEARCHED_MAX } else { limit };
    let mut attempts = app.ledger().await?.attempts(asked, None).await?;
    attempts.retain(|attempt| key.as_ref().is_none_or(|key| attempt.key.ends_with(key)));
    attempts.truncate(limit as usize);
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "attempts": attempts}))?;
        return Ok(Exit::Done);
    }
    if attempts.is_empty() {
        app.printer.say(format!("no attempts yet\nnext: {}", app.folder.command("run all")));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["attempt", "file", "gen", "started", "outcome"]);
    table.right(&[2]);
    table.long(&[1]);
    for attempt in &attempts {
        table.row(vec![
            attempt.attempt.chars().take(8).collect(),
            attempt.key.clone(),
            attempt.version.generation.to_string(),
            time(attempt.started_at),
            attempt.outcome.clone().unwrap_or_else(|| "running".to_owned()),
        ]);
    }
    app.printer.out(table.render())?;
    app.printer.say(format!("\nlog of one: {}", app.folder.command("jobs log ATTEMPT")));
    Ok(Exit::Done)
}

async fn log(app: &App, named: &str) -> Result<Exit, Failure> {
    let ledger = app.ledger().await?;
    let key = app.folder.key(named);
    let wanted =
        |attempt: &&AttemptRow| (named.len() >= 4 && attempt.attempt.starts_with(named)) || attempt.key.ends_with(&key);
    let attempts = ledger.attempts(SEARCHED_MAX, None).await?;
    let Some(attempt) = attempts.iter().find(wanted) else {
        return Err(Failure::usage(format!("`{named}` is no attempt, and no file that was tried"))
            .hint("see `stillhouse jobs list`"));
    };
    let lines = ledger.attempt_log(&attempt.attempt).await?;
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "attempt": attempt, "lines": lines}))?;
        return Ok(Exit::Done);
    }
    let mut text = format!("attempt {}, started {}\n", attempt.attempt, time(attempt.started_at));
    for line in &lines {
        let level = match line.level {
            Level::Info => "",
            Level::Warn => "warning: ",
            Level::Error => "error: ",
        };
        text.push_str(&format!("{}  {level}{}\n", time(line.at), line.text));
    }
    app.printer.tell(text)?;
    Ok(Exit::Done)
}
