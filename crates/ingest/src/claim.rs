//! What a worker works on.

use stillhouse_ledger::Job;

/// A claimed group of jobs of one source. Everything that is written for it carries the token and the attempt.
pub struct Claim {
    /// Valid until the lease ends.
    pub token: String,
    /// Unique; names the files.
    pub attempt: String,
    /// One large object, or small ones.
    pub jobs: Vec<Job>,
}
