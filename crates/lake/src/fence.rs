//! Epochs: who speaks for the lake.

use std::sync::Arc;

use arrow::array::Int64Array;
use futures::StreamExt as _;
use object_store::ObjectStore;
use stillhouse_safeguard::Safeguard;

use crate::RECEIPTS;
use crate::commit::{Committed, Rounds, next_version};
use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::log::{Commit, EPOCH, Note};
use crate::manifest::DataFile;
use crate::observe::Observer;
use crate::own::may_hold_epoch;
use crate::read;
use crate::receipts::{instant_value, one_row, text_value};
use crate::schema::{delta_schema, receipts_schema};
use crate::state::TableState;
use crate::writer::TableWriter;

/// `kind` of a row of `_receipts` that begins an epoch.
const EPOCH_ROW: &str = "epoch";

/// Who may take the next epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Anybody.
    TakeOver,
    /// The ledger that has the newest.
    Own,
    /// The first one.
    First,
}

fn other_ledger() -> Error {
    Error::new(Kind::Fenced, "another ledger speaks for this lake now").hint(
        "if no other machine or folder works on this lake, run `stillhouse ledger rebuild`: it reads the receipts in the \
         lake and shuts the other ledger out",
    )
}

/// The ledger that an epoch belongs to; `None` where `_receipts` does not say.
pub(crate) async fn owner(
    store: &Arc<dyn ObjectStore>,
    receipts: &TableState,
    epoch: i64,
) -> Result<Option<String>, Error> {
    let may_hold = |file: &&Arc<DataFile>| may_hold_epoch(file) && read::may_hold_int(file, "epoch", epoch, epoch);
    for file in receipts.files.values().filter(may_hold) {
        let columns = ["kind", "epoch", "ledger_id"];
        let mut rows = read::open(store, RECEIPTS, file, Some(&columns)).await?;
        while let Some(batch) = rows.batches.next().await {
            let batch = batch?;
            let row = (0..batch.num_rows()).find(|row| {
                read::text(&batch, "kind", *row) == Some(EPOCH_ROW) && read::int(&batch, "epoch", *row) == Some(epoch)
            });
            if let Some(ledger) = row.and_then(|row| read::text(&batch, "ledger_id", row)) {
                return Ok(Some(ledger.to_owned()));
            }
        }
    }
    Ok(None)
}

impl Lake {
    /// The newest epoch of `_receipts` and the ledger that it belongs to; `None` in a new lake.
    pub async fn receipts_epoch(&self) -> Result<Option<(i64, String)>, Error> {
        let Some(state) = self.head(RECEIPTS).await? else { return Ok(None) };
        if state.epoch == 0 {
            return Ok(None);
        }
        let epoch = state.epoch;
        if let Some(ledger) = owner(&self.store, &state, epoch).await? {
            return Ok(Some((epoch, ledger)));
        }
        Err(Error::fix_data(format!("table `{RECEIPTS}`: expected a row of epoch {epoch}, found none"))
            .hint("a file of the table is damaged or was changed; restore the lake from a copy"))
    }

    /// Takes the lake over: the next epoch for `ledger_id`, whoever has the newest. Only for a ledger that is made anew
    /// from the lake. An epoch exists once `_receipts` has it, so two who do this at once get different ones.
    pub async fn raise_epoch(&self, ledger_id: &str, now: i64, observer: &dyn Observer) -> Result<i64, Error> {
        self.raise(Claim::TakeOver, ledger_id, now, observer).await
    }

    /// The next epoch for a ledger whose epoch the newest is; refused ([`Kind::Fenced`]) if it is another one's.
    pub async fn raise_own_epoch(&self, ledger_id: &str, now: i64, observer: &dyn Observer) -> Result<i64, Error> {
        let claim = if Safeguard::WithdrawOwner.holds() { Claim::Own } else { Claim::TakeOver };
        self.raise(claim, ledger_id, now, observer).await
    }

    /// The first epoch of a new lake. If another process of the same ledger was faster, that one's; refused
    /// ([`Kind::Fenced`]) if another ledger was.
    pub async fn first_epoch(&self, ledger_id: &str, now: i64, observer: &dyn Observer) -> Result<i64, Error> {
        let claim = if Safeguard::OpenOwner.holds() { Claim::First } else { Claim::TakeOver };
        self.raise(claim, ledger_id, now, observer).await
    }

    /// Fences `_receipts`. Whose the newest epoch is, is looked at again before every put.
    async fn raise(&self, claim: Claim, ledger_id: &str, now: i64, observer: &dyn Observer) -> Result<i64, Error> {
        let mut rounds = Rounds::default();
        let mut tried: Option<(i64, DataFile)> = None;
        loop {
            let state = self.head(RECEIPTS).await?;
            observer.at(&format!("looked:{RECEIPTS}"))?;
            // The file's name is ours alone: if it is there, the commit of unknown outcome took effect.
            if let (Some((epoch, file)), Some(state)) = (&tried, &state)
                && state.files.contains_key(&file.path)
            {
                observer.at("epoch-in-R")?;
                return Ok(*epoch);
            }
            if claim != Claim::TakeOver {
                let newest = self.receipts_epoch().await?;
                let own = newest.as_ref().is_some_and(|(_, owner)| owner == ledger_id);
                match (claim, newest) {
                    (Claim::First, Some((epoch, _))) if own => return Ok(epoch),
                    (Claim::First, None) => {}
                    (Claim::Own, _) if own => {}
                    _ => return Err(other_ledger()),
                }
            }
            let epoch = state.as_ref().map_or(0, |state| state.epoch) + 1;
            let file = self.epoch_file(state.as_deref(), epoch, ledger_id, now).await?;
            let mut commit = Commit::new("FENCE", &Note::<()>::fence(epoch, ledger_id), now)?;
            if state.is_none() {
                commit.create(RECEIPTS, &self.table_id(), &delta_schema(&receipts_schema())?)?;
            }
            commit.add(&file)?;
            commit.txn(EPOCH, epoch);
            tried = Some((epoch, file));
            match self.commit(RECEIPTS, state, commit.into_bytes()?).await? {
                Committed::Done(_) => {
                    observer.at("epoch-in-R")?;
                    return Ok(epoch);
                }
                Committed::LookAgain(error) => rounds.again(RECEIPTS, error).await?,
            }
        }
    }

    async fn epoch_file(
        &self,
        state: Option<&TableState>,
        epoch: i64,
        ledger_id: &str,
        now: i64,
    ) -> Result<DataFile, Error> {
        let row = one_row(|column| match column {
            "kind" => Some(text_value(EPOCH_ROW)),
            "epoch" => Some(Arc::new(Int64Array::from(vec![epoch]))),
            "ledger_id" => Some(text_value(ledger_id)),
            "committed_at" => Some(instant_value(now)),
            _ => None,
        })?;
        let stem = self.file_stem("epoch", RECEIPTS, next_version(state));
        let mut writer = TableWriter::new(Arc::clone(&self.store), RECEIPTS, receipts_schema(), &stem);
        writer.write(&row).await?;
        writer.finish(now).await?.ok_or_else(|| Error::bug("a file of one row is empty"))
    }

    /// Fences every data table with an epoch that [`Lake::raise_epoch`] gave: commits of older epochs that are still
    /// under way are dead from then on, and their committers stop.
    pub async fn fence_tables(
        &self,
        epoch: i64,
        ledger_id: &str,
        now: i64,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        for table in self.data_tables(None).await? {
            if self.fence(&table, epoch, ledger_id, now).await? {
                observer.at(&format!("fenced:{table}"))?;
            }
        }
        observer.at("fenced-all")
    }

    /// Whether there was a table to fence.
    async fn fence(&self, table: &str, epoch: i64, ledger_id: &str, now: i64) -> Result<bool, Error> {
        let mut rounds = Rounds::default();
        loop {
            let Some(state) = self.head(table).await? else { return Ok(false) };
            state.check_epoch(epoch)?;
            if state.epoch == epoch || !Safeguard::FenceAll.holds() {
                return Ok(true);
            }
            if state.epoch == 0 {
                return Ok(false); // not made by us, and not written by us
            }
            let mut commit = Commit::new("FENCE", &Note::<()>::fence(epoch, ledger_id), now)?;
            commit.txn(EPOCH, epoch);
            match self.commit(table, Some(state), commit.into_bytes()?).await? {
                Committed::Done(_) => return Ok(true),
                Committed::LookAgain(error) => rounds.again(table, error).await?,
            }
        }
    }
}
