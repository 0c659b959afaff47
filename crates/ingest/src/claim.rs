//! What a worker works on.

use stillhouse_ledger::Job;

/// A claimed group of jobs of one source. Everything that is written for it carries the token and the attempt.
pub struct Claim {
    /// Valid until the lease ends.
    pub token: String,
    /// Unique; names the files.
    pub attempt: String,
    /// One large object, small ones, or a cohort.
    pub jobs: Vec<Job>,
}

impl Claim {
    /// The cohort of the jobs, if they come into the tables together or not at all.
    pub fn cohort(&self) -> Option<&str> {
        self.jobs.first()?.cohort.as_deref()
    }
}
