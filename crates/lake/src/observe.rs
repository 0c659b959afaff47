//! Places at which a test can stop a publisher.

use crate::error::Error;

/// Sees a publisher pass its kill points, named as in the commit protocol: `looked:T`, `made:T`, `rewritten:T`,
/// `put:T`, `put-unknown:T`, `between:T`, `before-receipt`, `receipted`, `epoch-in-R`, `fenced:T`, `fenced-all`, `vacuum-listed`.
pub trait Observer: Send + Sync {
    /// Called at `point`; an error stops the publisher there, as a crash would.
    fn at(&self, point: &str) -> Result<(), Error> {
        let _ = point;
        Ok(())
    }
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
