//! What attempts say about themselves, and for how long that is kept.

use std::str::FromStr;

use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::sql::{Columns, ROWS_MAX, keepable, message, rows, values};

/// Lines that are kept of one attempt: the first half of them and the last half.
pub const LINES_PER_ATTEMPT_MAX: usize = 1_000;
/// Bytes that are kept of one line.
pub const LINE_BYTES_MAX: usize = 2_000;
/// Attempts (and logs) that one transaction of [`Ledger::trim`] deletes: others wait for less than a second.
const TRIM_ROWS: i64 = 1_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// The word for it in the database and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

impl FromStr for Level {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "info" => Ok(Level::Info),
            "warn" => Ok(Level::Warn),
            "error" => Ok(Level::Error),
            _ => Err(Error::bug(format!("expected a level of a log, found `{text}`"))),
        }
    }
}

/// A line of the log of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When; microseconds since 1970.
    pub at: i64,
    /// How bad.
    pub level: Level,
    /// What.
    pub text: String,
}

/// What [`Ledger::trim`] has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Trimmed {
    /// Attempts.
    pub attempts: u64,
    /// Lines of logs.
    pub lines: u64,
}

impl Ledger {
    /// Adds lines to the log of an attempt. Of a long log the middle is left out, of a long line the end.
    pub async fn log(&self, attempt: &str, lines: &[LogLine]) -> Result<(), Error> {
        keepable("attempt", attempt)?;
        if lines.is_empty() {
            return Ok(());
        }
        self.write("log", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let last = "-- ledger.log.last
                SELECT COALESCE(MAX(line), 0) AS line FROM ledger_logs WHERE attempt = $1";
                let last = sqlx::query(last).bind(attempt).fetch_one(&mut *connection).await?.int("line")?;
                let half = i64::try_from(LINES_PER_ATTEMPT_MAX / 2).expect("a small constant");
                let numbered: Vec<_> = (last + 1..).zip(lines).collect();
                let end = last + i64::try_from(lines.len()).map_err(|_| Error::bug("more lines than there can be"))?;
                let kept: Vec<_> =
                    numbered.into_iter().filter(|(line, _)| *line <= half || *line > end - half).collect();
                for piece in kept.chunks(ROWS_MAX) {
                    insert_lines(connection, attempt, piece).await?;
                }
                let middle =
                    "-- ledger.log.middle\nDELETE FROM ledger_logs WHERE attempt = $1 AND line > $2 AND line <= $3";
                sqlx::query(middle).bind(attempt).bind(half).bind(end - half).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// The log of an attempt. Where lines are left out, a line says how many.
    pub async fn attempt_log(&self, attempt: &str) -> Result<Vec<LogLine>, Error> {
        self.read("attempt_log", move |Tx { connection, .. }| {
            Box::pin(async move {
                let find = "-- ledger.attempt_log
                SELECT line, logged_at, level, text FROM ledger_logs WHERE attempt = $1 ORDER BY line";
                let (mut log, mut last) = (Vec::new(), 0);
                for row in sqlx::query(find).bind(attempt).fetch_all(connection).await? {
                    let (line, at) = (row.int("line")?, row.int("logged_at")?);
                    let missing = line - last - 1;
                    if missing > 0 {
                        let text = format!("({missing} lines are left out here)");
                        log.push(LogLine { at, level: Level::Info, text });
                    }
                    log.push(LogLine { at, level: row.text("level")?.parse()?, text: row.text("text")? });
                    last = line;
                }
                Ok(log)
            })
        })
        .await
    }

    /// Deletes attempts that ended before `before`, and logs that began before it and belong to no attempt (any more). In
    /// several transactions, so that others can work meanwhile; stopped in between, it has deleted a part.
    pub async fn trim(&self, before: i64, now: i64) -> Result<Trimmed, Error> {
        let before = before.min(now);
        let mut trimmed = Trimmed::default();
        loop {
            let done = self.trim_some(before).await?;
            trimmed.attempts += done.attempts;
            trimmed.lines += done.lines;
            if done == Trimmed::default() {
                return Ok(trimmed);
            }
        }
    }

    async fn trim_some(&self, before: i64) -> Result<Trimmed, Error> {
        self.write("trim", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let attempts = "-- ledger.trim.attempts
                DELETE FROM ledger_attempts WHERE (key_number, generation, attempt) IN (
                    SELECT key_number, generation, attempt FROM ledger_attempts
                    WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2)";
                let attempts = sqlx::query(attempts).bind(before).bind(TRIM_ROWS).execute(&mut *connection).await?;
                let lines = "-- ledger.trim.logs
                DELETE FROM ledger_logs WHERE attempt IN (
                    SELECT l.attempt FROM ledger_logs l WHERE l.line = 1 AND l.logged_at < $1
                    AND NOT EXISTS (SELECT 1 FROM ledger_attempts a WHERE a.attempt = l.attempt) LIMIT $2)";
                let lines = sqlx::query(lines).bind(before).bind(TRIM_ROWS).execute(connection).await?;
                Ok(Trimmed { attempts: attempts.rows_affected(), lines: lines.rows_affected() })
            })
        })
        .await
    }
}

async fn insert_lines(connection: &mut AnyConnection, attempt: &str, lines: &[(i64, &LogLine)]) -> Result<(), Error> {
    let text = format!(
        "-- ledger.log.insert\nINSERT INTO ledger_logs (attempt, line, logged_at, level, text) VALUES {}",
        values(1, lines.len(), 5)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (number, LogLine { at, level, text }) in lines {
        query = query.bind(attempt).bind(*number).bind(*at).bind(level.as_str()).bind(cut(text));
    }
    rows(query.execute(connection).await?.rows_affected(), lines.len())
}

/// The text as it is kept.
fn cut(text: &str) -> String {
    let text = message(text);
    if text.len() <= LINE_BYTES_MAX {
        return text;
    }
    let end = text.floor_char_boundary(LINE_BYTES_MAX);
    format!("{}… ({} bytes are left out here)", &text[..end], text.len() - end)
}
