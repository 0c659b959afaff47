//! A ledger goes on in another database (`stillhouse ledger move`).
//!
//! 1. The target gets all rows and the id of the source, but is not open (`arriving`). The source is locked meanwhile.
//! 2. The source says where it went, and takes no work from then on.
//! 3. The target opens.
//!
//! Stopped after 1, the source works on, and what the target has is old: it is copied anew. Stopped after 2, neither works,
//! and nothing is left to do but 3. So at no time both of them take work, and the same command again always finishes.

use sqlx::AnyConnection;

use crate::copy::{CopiedMeta, copy, wipe, write_meta};
use crate::error::{Error, Kind};
use crate::ledger::{ARRIVING, Ledger, Meta, Needs, check_needs, moved};
use crate::sql::one_row;
use crate::types::Phase;

impl Ledger {
    /// Moves this ledger to `target`, which must be new; answers it there, under the same id. A move that was stopped is
    /// finished by the same call.
    pub async fn move_to(&self, target: &Ledger, now: i64) -> Result<Ledger, Error> {
        let there = Ledger { ledger_id: self.ledger_id.clone(), ..target.clone() };
        let place = target.database.address();
        if !there.has_arrived(self, place).await? {
            self.leave(target, place, now).await.map_err(|error| self.at("move_to", error))?;
            there.arrive().await.map_err(|error| there.at("move_to", error))?;
        }
        Ok(there)
    }

    /// The move was finished before, and only the answer was not heard.
    async fn has_arrived(&self, from: &Ledger, place: &str) -> Result<bool, Error> {
        let here = self.meta().await?;
        let there = from.meta().await?;
        let open = here.status.phase == Phase::Open && *here.ledger_id == *self.ledger_id;
        Ok(open && here.moved_to.is_none() && there.moved_to.as_deref() == Some(place))
    }

    /// Steps 1 and 2, unless they were done before.
    async fn leave(&self, target: &Ledger, place: &str, now: i64) -> Result<(), Error> {
        self.hooks.before("move_to.copy").await?;
        let turn = self.database.turn().await;
        let (mut source, meta) = self.lock(Needs::Nothing).await?;
        match meta.moved_to.as_deref() {
            Some(went) if went == place => return Ok(()),
            Some(went) => return Err(moved(went)),
            None => check_needs(&meta, Needs::Open)?,
        }
        let copied = fill(&mut source, &meta, target, now).await;
        copied.map_err(|error| error.at(target.database.place()))?;
        self.hooks.after("move_to.copy").await?;
        self.hooks.before("move_to.leave").await?;
        let leave = "-- ledger.move_to.leave
            UPDATE ledger_meta SET moved_to = $1, publish_token = NULL, publish_until = 0 WHERE id = 1";
        one_row(&sqlx::query(leave).bind(place).execute(&mut *source).await?)?;
        source.commit().await?;
        drop(turn);
        self.hooks.after("move_to.leave").await
    }

    /// Step 3.
    async fn arrive(&self) -> Result<(), Error> {
        self.hooks.before("move_to.arrive").await?;
        let (mut target, meta) = self.lock(Needs::Nothing).await?;
        if meta.moved_to.as_deref() != Some(ARRIVING) {
            return Err(Error::bug("expected a ledger that is being moved to here"));
        }
        let open = "-- ledger.move_to.arrive\nUPDATE ledger_meta SET phase = 'open', moved_to = NULL WHERE id = 1";
        one_row(&sqlx::query(open).execute(&mut *target).await?)?;
        target.commit().await?;
        self.hooks.after("move_to.arrive").await
    }
}

/// Step 1.
async fn fill(source: &mut AnyConnection, meta: &Meta, target: &Ledger, now: i64) -> Result<(), Error> {
    let (mut connection, there) = target.lock(Needs::Nothing).await?;
    let begun = there.moved_to.as_deref() == Some(ARRIVING) && there.ledger_id == meta.ledger_id;
    if there.status.phase != Phase::New && !begun {
        return Err(Error::new(Kind::FixSettings, "expected a new ledger to move to, found one that was worked with")
            .with_hint("move to a file or database that has no ledger yet"));
    }
    wipe(&mut connection).await?;
    copy(source, &mut connection).await?;
    let copied = CopiedMeta { ledger_id: &meta.ledger_id, moved_to: Some(ARRIVING) };
    write_meta(&mut connection, meta, &copied, now).await?;
    Ok(connection.commit().await?)
}
