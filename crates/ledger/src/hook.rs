//! A place for tests to stop or break a ledger: around each transaction.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::{Error, Kind};

/// What a [`Hook`] answers with.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Is called around every transaction of a ledger, those that only read included.
pub trait Hook: Send + Sync {
    /// Before the transaction begins. An error: nothing happens, and the caller hears it.
    fn before(&self, transaction: &'static str) -> HookFuture<'_>;
    /// After the transaction was committed. An error: the caller hears it, and the transaction has taken effect all the
    /// same, as when a connection breaks before the answer has come.
    fn after(&self, transaction: &'static str) -> HookFuture<'_>;
}

/// The hook of a ledger, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Hooks(pub Option<Arc<dyn Hook>>);

impl Hooks {
    pub async fn before(&self, transaction: &'static str) -> Result<(), Error> {
        match &self.0 {
            Some(hook) => hook.before(transaction).await.map_err(heard),
            None => Ok(()),
        }
    }

    pub async fn after(&self, transaction: &'static str) -> Result<(), Error> {
        match &self.0 {
            Some(hook) => hook.after(transaction).await.map_err(heard),
            None => Ok(()),
        }
    }
}

fn heard(message: String) -> Error {
    Error::new(Kind::Retry, message)
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a hook" } else { "no hook" })
    }
}
