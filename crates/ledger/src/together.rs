//! Versions that come into the tables together: all that have rows of a table, when its columns get other types.

use crate::again::reoffer;
use crate::claim::object;
use crate::error::Error;
use crate::ledger::{Ledger, Needs, Tx};
use crate::same::{has_rows, stays};
use crate::sql::{self, Bind, keepable, rows};
use crate::types::VersionId;
use stillhouse_spec::ObjectVersion;

impl Ledger {
    /// The object versions of a source that have rows in the tables, or are about to; in no order.
    pub async fn with_rows(&self, source: &str) -> Result<Vec<ObjectVersion>, Error> {
        self.read("with_rows", move |Tx { connection, .. }| {
            Box::pin(async move {
                let find = concat!(
                    "-- ledger.with_rows
                    SELECT k.source, k.object_key, k.member, v.etag, v.size, v.modified_at
                    FROM ledger_keys k JOIN ledger_versions v ON v.key_number = k.key_number
                    WHERE k.source = $1 AND ",
                    has_rows!("v")
                );
                let found = sqlx::query(find).bind(source).fetch_all(connection).await?;
                found.iter().map(object).collect()
            })
        })
        .await
    }

    /// [`Ledger::reoffer`] for several keys (source, key, member) as one cohort: one claim takes all of them. `cohort` is
    /// new and random. Answers in the order of `keys`, all of which have rows.
    pub async fn reoffer_together(
        &self,
        keys: &[(&str, &str, &str)],
        cohort: &str,
        now: i64,
    ) -> Result<Vec<VersionId>, Error> {
        keepable("cohort", cohort)?;
        self.write("reoffer_together", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut offered = Vec::with_capacity(keys.len());
                for key in keys {
                    let version = reoffer(connection, *key, now).await?;
                    offered.push(version.ok_or_else(|| Error::bug("a cohort with a key that nobody has offered"))?);
                }
                let join = "UPDATE ledger_versions SET cohort = $1 FROM c
                    WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation = c.generation";
                let binds = [Bind::Text(cohort)];
                let joined = sql::for_versions(connection, "together.join", join, &binds, &offered).await?;
                rows(joined, offered.len())?;
                Ok(offered)
            })
        })
        .await
    }
}
