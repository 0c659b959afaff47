//! The history of a backup, taken over by a ledger that was made anew from the lake.

use std::collections::BTreeSet;

use sqlx::AnyConnection;

use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::types::AttemptRow;

/// Attempts of one transaction: others wait for less than a second.
const PIECE: usize = 500;

impl Ledger {
    /// Takes over the attempts of `from`, a backup that is open, and their logs, as far as this ledger knows their object
    /// versions; answers how many. What it has already stays as it is.
    pub async fn take_history(&self, from: &Ledger) -> Result<u64, Error> {
        let attempts = from.attempts(u32::MAX, None).await?;
        let mut taken = 0;
        for piece in attempts.chunks(PIECE) {
            let new = self.take_attempts(piece).await?;
            taken += new.len() as u64;
            let ids: BTreeSet<&str> = new.iter().map(|index| piece[*index].attempt.as_str()).collect();
            for attempt in ids {
                if self.attempt_log(attempt).await?.is_empty() {
                    self.log(attempt, &from.attempt_log(attempt).await?).await?;
                }
            }
        }
        Ok(taken)
    }

    /// Which of them were new.
    async fn take_attempts(&self, attempts: &[AttemptRow]) -> Result<Vec<usize>, Error> {
        self.write("take_history", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut taken = Vec::new();
                for (index, attempt) in attempts.iter().enumerate() {
                    if take(connection, attempt).await? {
                        taken.push(index);
                    }
                }
                Ok(taken)
            })
        })
        .await
    }
}

/// Key numbers may differ between the two: the names of the key count. An attempt that had not ended has died.
async fn take(connection: &mut AnyConnection, attempt: &AttemptRow) -> Result<bool, Error> {
    let insert = "-- ledger.take_history
        INSERT INTO ledger_attempts (key_number, generation, attempt, started_at, ended_at, outcome, error)
        SELECT v.key_number, v.generation, $5, $6, $7, $8, $9 FROM ledger_keys k
        JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = $4
        WHERE k.source = $1 AND k.object_key = $2 AND k.member = $3
        ON CONFLICT (key_number, generation, attempt) DO NOTHING";
    let AttemptRow { source, key, member, version, started_at, .. } = attempt;
    let ended_at = attempt.ended_at.unwrap_or(*started_at);
    let outcome = attempt.outcome.as_deref().unwrap_or("lost");
    let insert = sqlx::query(insert).bind(source).bind(key).bind(member).bind(version.generation);
    let insert = insert.bind(&attempt.attempt).bind(*started_at).bind(ended_at).bind(outcome).bind(&attempt.error);
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}
