//! Opening a ledger, and its own numbers.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Transaction};
use stillhouse_safeguard::Safeguard;

use crate::database::{CONNECTIONS_MAX, Database, TRIES_MAX, pause};
use crate::error::{Error, Kind};
use crate::filesystem;
use crate::hook::{Hook, Hooks};
use crate::migrate::migrate;
use crate::sql::{Columns, keepable};
use crate::types::{Phase, Status};

/// An open ledger. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) database: Arc<Database>,
    pub(crate) ledger_id: Arc<str>,
    pub(crate) hooks: Hooks,
}

/// The row of `ledger_meta` as a transaction found it.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub ledger_id: String,
    pub status: Status,
    pub publish_token: Option<String>,
    pub publish_until: i64,
    pub moved_to: Option<String>,
}

/// What a transaction works with. What it borrows from outside lives for `'a`, longer than the transaction.
pub(crate) struct Tx<'c, 'a> {
    pub connection: &'c mut AnyConnection,
    pub meta: Meta,
    scope: PhantomData<&'c &'a ()>,
}

/// The work of a transaction. Boxed, and not an `async` closure: of those the compiler cannot tell yet that they may move
/// between threads.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

/// In which phase of the ledger a transaction may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Open,
    NotOpen,
    /// Any phase, but not a ledger that was moved away.
    Here,
    /// Also a ledger that was moved away, or has not arrived.
    Nothing,
}

/// What `moved_to` is in the place that a ledger is being moved to.
pub(crate) const ARRIVING: &str = "arriving";

macro_rules! meta_text {
    ($lock:literal) => {
        concat!(
            "-- ledger.meta\nSELECT ledger_id, phase, epoch, next_seq, finished_seq, publish_token, publish_until, moved_to ",
            "FROM ledger_meta WHERE id = 1",
            $lock
        )
    };
}

/// Reads the row of `ledger_meta`.
pub(crate) const META_TEXT: &str = meta_text!("");

impl Ledger {
    /// Opens the SQLite ledger at `path`, or makes it with the id `new_ledger_id`. Network file systems are refused.
    pub async fn open_sqlite(path: &Path, new_ledger_id: &str, now: i64) -> Result<Self, Error> {
        Self::open_sqlite_with(path, new_ledger_id, now, CONNECTIONS_MAX).await
    }

    /// [`Ledger::open_sqlite`] with at most so many connections; with one, the order of transactions is that of the calls.
    pub async fn open_sqlite_with(
        path: &Path,
        new_ledger_id: &str,
        now: i64,
        connections_max: u32,
    ) -> Result<Self, Error> {
        filesystem::check(path)?;
        Self::open(Database::open_sqlite(path, connections_max).await?, new_ledger_id, now).await
    }

    /// Opens the ledger at a `postgres://` or `sqlite://` address, or makes it with the id `new_ledger_id`.
    pub async fn open_url(url: &str, new_ledger_id: &str, now: i64) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::open_sqlite(&PathBuf::from(path), new_ledger_id, now).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open(Database::open_postgres(url).await?, new_ledger_id, now).await;
        }
        let scheme = url.split(':').next().unwrap_or_default();
        Err(Error::new(
            Kind::FixSettings,
            format!("address of the ledger: expected `sqlite://` or `postgres://`, found `{scheme}:`"),
        )
        .with_hint("see `ledger` in `stillhouse.toml`"))
    }

    pub(crate) async fn open(database: Database, new_ledger_id: &str, now: i64) -> Result<Self, Error> {
        let place = database.place().to_owned();
        let opened = async {
            keepable("ledger id", new_ledger_id)?;
            migrate(&database, new_ledger_id, now).await?;
            let mut transaction = database.begin_read().await?;
            Ok(read_meta(&mut transaction, META_TEXT).await?.ledger_id)
        };
        let ledger_id = opened.await.map_err(|error: Error| error.at(&place))?;
        Ok(Self { database: Arc::new(database), ledger_id: ledger_id.into(), hooks: Hooks::default() })
    }

    /// The same ledger, with `hook` around each of its transactions. For tests.
    #[must_use]
    pub fn with_hook(mut self, hook: Arc<dyn Hook>) -> Self {
        self.hooks = Hooks(Some(hook));
        self
    }

    /// Closes the connections of this ledger and of its clones.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Where it is, without what may be secret.
    pub fn place(&self) -> &str {
        self.database.place()
    }

    /// The id under which this ledger was opened. All writes name it.
    pub fn ledger_id(&self) -> &str {
        &self.ledger_id
    }

    /// The ledger's own numbers.
    pub async fn status(&self) -> Result<Status, Error> {
        self.read("status", move |Tx { meta, .. }| Box::pin(async move { Ok(meta.status) })).await
    }

    /// The newest epoch that the ledger knows of.
    pub async fn epoch(&self) -> Result<i64, Error> {
        Ok(self.status().await?.epoch)
    }

    /// A write transaction named `name`. It holds the ledger's only write lock, the ledger is still the one that was
    /// opened, and it is in the phase that the work needs. The work may run more than once (PostgreSQL may undo it), so it
    /// touches nothing but the database.
    pub(crate) async fn write<'a, T>(
        &'a self,
        name: &'static str,
        needs: Needs,
        mut work: impl for<'c> FnMut(Tx<'c, 'a>) -> Work<'c, T> + Send,
    ) -> Result<T, Error> {
        let done = async {
            self.hooks.before(name).await?;
            let done = self.write_until_done(name, needs, &mut work).await?;
            self.hooks.after(name).await?;
            Ok(done)
        };
        done.await.map_err(|error| self.at(name, error))
    }

    async fn write_until_done<'a, T>(
        &'a self,
        name: &'static str,
        needs: Needs,
        work: &mut (impl for<'c> FnMut(Tx<'c, 'a>) -> Work<'c, T> + Send),
    ) -> Result<T, Error> {
        let _turn = self.database.turn().await;
        let mut tries = 0;
        loop {
            match self.write_once(needs, work).await {
                Err(error) if error.undone() && tries < TRIES_MAX => {
                    tracing::debug!(
                        transaction = name,
                        tries,
                        "the database undid a transaction of the ledger; it runs again"
                    );
                    tries = pause(tries).await;
                }
                done => return done,
            }
        }
    }

    async fn write_once<'a, T>(
        &'a self,
        needs: Needs,
        work: &mut (impl for<'c> FnMut(Tx<'c, 'a>) -> Work<'c, T> + Send),
    ) -> Result<T, Error> {
        // An error below drops the transaction, which undoes it.
        let (mut transaction, meta) = self.lock(needs).await?;
        let done = work(Tx { connection: &mut transaction, meta, scope: PhantomData }).await?;
        transaction.commit().await?;
        Ok(done)
    }

    /// Begins a transaction that holds the ledger's only write lock.
    pub(crate) async fn lock(&self, needs: Needs) -> Result<(Transaction<'static, Any>, Meta), Error> {
        let mut transaction = self.database.begin_write().await?;
        let text = self.database.locked(meta_text!(""), meta_text!(" FOR UPDATE"));
        let meta = read_meta(&mut transaction, text).await?;
        self.check(&meta)?;
        check_needs(&meta, needs)?;
        Ok((transaction, meta))
    }

    /// The row of `ledger_meta`, whatever it says.
    pub(crate) async fn meta(&self) -> Result<Meta, Error> {
        let read = async {
            let mut transaction = self.database.begin_read().await?;
            read_meta(&mut transaction, meta_text!("")).await
        };
        read.await.map_err(|error| error.at(self.database.place()))
    }

    /// A transaction named `name` that sees one state of the ledger and changes nothing.
    pub(crate) async fn read<'a, T>(
        &'a self,
        name: &'static str,
        work: impl for<'c> FnOnce(Tx<'c, 'a>) -> Work<'c, T> + Send,
    ) -> Result<T, Error> {
        let done = async {
            self.hooks.before(name).await?;
            let done = self.read_once(work).await?;
            self.hooks.after(name).await?;
            Ok(done)
        };
        done.await.map_err(|error| self.at(name, error))
    }

    async fn read_once<'a, T>(
        &'a self,
        work: impl for<'c> FnOnce(Tx<'c, 'a>) -> Work<'c, T> + Send,
    ) -> Result<T, Error> {
        let mut transaction = self.database.begin_read().await?;
        let meta = read_meta(&mut transaction, meta_text!("")).await?;
        self.check(&meta)?;
        check_needs(&meta, Needs::Here)?;
        let done = work(Tx { connection: &mut transaction, meta, scope: PhantomData }).await?;
        transaction.rollback().await?;
        Ok(done)
    }

    pub(crate) fn at(&self, name: &str, error: Error) -> Error {
        error.at(name).at(self.database.place())
    }

    fn check(&self, meta: &Meta) -> Result<(), Error> {
        if *meta.ledger_id == *self.ledger_id || !Safeguard::LedgerId.holds() {
            return Ok(());
        }
        let message = format!("expected ledger id {}, found {}", self.ledger_id, meta.ledger_id);
        Err(Error::fenced(message).with_hint("the ledger was rebuilt meanwhile; run the same command again"))
    }
}

pub(crate) fn check_needs(meta: &Meta, needs: Needs) -> Result<(), Error> {
    match meta.moved_to.as_deref() {
        Some(place) if needs != Needs::Nothing => Err(moved(place)),
        _ => check_phase(meta.status.phase, needs),
    }
}

pub(crate) fn moved(place: &str) -> Error {
    if place == ARRIVING {
        return Error::new(Kind::FixSettings, "a ledger was being moved to here, and that was not finished")
            .with_hint("run the same `stillhouse ledger move` again");
    }
    Error::new(Kind::FixSettings, format!("the ledger was moved to {place}"))
        .with_hint("set `path` in [ledger] of `stillhouse.toml` to that place")
}

fn check_phase(phase: Phase, needs: Needs) -> Result<(), Error> {
    match (needs, phase) {
        (Needs::Nothing | Needs::Here, _)
        | (Needs::Open, Phase::Open)
        | (Needs::NotOpen, Phase::New | Phase::Rebuilding) => Ok(()),
        (Needs::NotOpen, Phase::Open) => {
            Err(Error::bug("expected a ledger that is being rebuilt, found one that is open"))
        }
        (Needs::Open, Phase::New) => Err(not_open("the ledger is new and not open for work")),
        (Needs::Open, Phase::Rebuilding) => Err(not_open("the ledger is being rebuilt and not open for work")),
    }
}

fn not_open(message: &str) -> Error {
    Error::new(Kind::FixSettings, message)
        .with_hint("run `stillhouse ledger rebuild`: it makes the ledger from the lake")
}

pub(crate) async fn read_meta(connection: &mut AnyConnection, text: &'static str) -> Result<Meta, Error> {
    let row = sqlx::query(text).fetch_one(connection).await?;
    let phase = row.text("phase")?;
    Ok(Meta {
        ledger_id: row.text("ledger_id")?,
        status: Status {
            phase: Phase::from_str(&phase)?,
            epoch: row.int("epoch")?,
            next_seq: row.int("next_seq")?,
            finished_seq: row.int("finished_seq")?,
        },
        publish_token: row.text_opt("publish_token")?,
        publish_until: row.int("publish_until")?,
        moved_to: row.text_opt("moved_to")?,
    })
}
