//! Batches that no claim stands for say beforehand that they are coming, so that nobody takes their files for rubbish.

use sqlx::AnyConnection;

use crate::error::{Error, Kind};
use crate::ledger::{Ledger, Needs, Tx};
use crate::sql::{keepable, one_row};

impl Ledger {
    /// Says that the files of this amendment or compaction are about to be written. Only what was announced can be staged.
    pub async fn announce(&self, batch_id: &str, now: i64) -> Result<(), Error> {
        keepable("batch id", batch_id)?;
        self.write("announce", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let insert = "-- ledger.announce
                INSERT INTO ledger_announced (batch_id, announced_at) VALUES ($1, $2) ON CONFLICT (batch_id) DO NOTHING";
                sqlx::query(insert).bind(batch_id).bind(now).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes an announcement back: the batch is not going to be staged, and its files are rubbish.
    pub async fn take_back(&self, batch_id: &str) -> Result<(), Error> {
        self.write("take_back", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let delete = "-- ledger.take_back\nDELETE FROM ledger_announced WHERE batch_id = $1";
                sqlx::query(delete).bind(batch_id).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes back announcements from before `before`: whoever made them has died, or cannot stage any more. Answers how
    /// many.
    pub async fn give_up_announced(&self, before: i64) -> Result<u64, Error> {
        self.write("give_up_announced", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let delete = "-- ledger.give_up_announced\nDELETE FROM ledger_announced WHERE announced_at < $1";
                Ok(sqlx::query(delete).bind(before).execute(connection).await?.rows_affected())
            })
        })
        .await
    }
}

/// The batch is staged now. Refused if its announcement was taken back: its files may be gone.
pub(crate) async fn end_announcement(connection: &mut AnyConnection, batch_id: &str) -> Result<(), Error> {
    let delete = "-- ledger.end_announcement\nDELETE FROM ledger_announced WHERE batch_id = $1";
    one_row(&sqlx::query(delete).bind(batch_id).execute(connection).await?).map_err(|_| {
        Error::new(Kind::Retry, format!("batch {batch_id}: it took so long to write that it was given up"))
            .with_hint("nothing was changed; run the same command again")
    })
}
