//! What every step needs: stores, ledger, lake, clock, ids.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use object_store::ObjectStore;
use stillhouse_decode::RowRules;
use stillhouse_lake::{Lake, Observer};
use stillhouse_ledger::{Job, Ledger};
use stillhouse_spec::{Contract, ObjectVersion, Source};
use tokio_util::sync::CancellationToken;

use crate::decoders::Decoders;
use crate::error::Error;
use crate::open::Archives;
use crate::progress::Progress;

/// Gives the value of an environment variable, if it is set.
pub type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Components and settings of ingest. Clock and ids are parameters, so that tests can repeat a history.
pub struct Ingest {
    /// Where objects are read from.
    pub store: Arc<dyn ObjectStore>,
    /// The diary.
    pub ledger: Arc<Ledger>,
    /// The truth.
    pub lake: Arc<Lake>,
    /// The sources of the project.
    pub sources: Vec<Arc<Source>>,
    /// The source files as the user wrote them, by fingerprint; a copy of each goes into the lake.
    pub source_texts: BTreeMap<String, String>,
    /// Values of environment variables, for source files of former times.
    pub environment: Environment,
    /// The zone in which the year of a file's time is read.
    pub time_zone: TimeZone,
    /// Microseconds since 1970.
    pub clock: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Unique identifiers.
    pub ids: Box<dyn Fn() -> String + Send + Sync>,
    /// Who hears of progress.
    pub progress: Arc<dyn Progress>,
    /// Called at the kill points of the protocol; tests stop there.
    pub observer: Arc<dyn Observer>,
    /// Cancelled when the user asks to stop.
    pub stop: CancellationToken,
    /// Threads that decode.
    pub decoders: Decoders,
    /// Makes what contracts say in SQL into something that looks at rows.
    pub rules: MakeRules,
    /// A folder for what is unpacked while it is read.
    pub spill: PathBuf,
    /// Archives whose members are being read.
    pub archives: Archives,
    /// Sizes and times.
    pub settings: Settings,
}

/// Makes the conditions and expressions of a contract into something that looks at rows; an error is for a person. Asked
/// only for contracts that have some.
pub type MakeRules = Box<dyn Fn(&Contract) -> Result<Box<dyn RowRules + Send>, String> + Send + Sync>;

/// Sizes and times, with defaults that suit one machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Objects, or groups of small ones, that are decoded at the same time.
    pub workers: usize,
    /// An object up to this size may share a batch; it is decoded in memory first.
    pub small_bytes: u64,
    /// A batch of small objects holds at most so many of them.
    pub group_objects: u32,
    /// A batch of small objects holds at most so many bytes of them.
    pub group_bytes: u64,
    /// A claim or publish lease that is not renewed for so long is free. Leases save work; they make nothing safe.
    pub lease: Duration,
    /// How long to sleep while another process works on what this one waits for.
    pub poll: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 2,
            small_bytes: 8 << 20,
            group_objects: 250,
            group_bytes: 32 << 20,
            lease: Duration::from_secs(6),
            poll: Duration::from_millis(100),
        }
    }
}

impl Ingest {
    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn new_id(&self) -> String {
        (self.ids)()
    }

    pub(crate) fn lease_micros(&self) -> i64 {
        i64::try_from(self.settings.lease.as_micros()).unwrap_or(i64::MAX)
    }

    /// The year of an object's last change, in the project's time zone.
    pub(crate) fn year_of(&self, object: &ObjectVersion) -> i16 {
        let modified = jiff::Timestamp::from_microsecond(object.modified_at).unwrap_or_default();
        modified.to_zoned(self.time_zone.clone()).year()
    }

    pub(crate) fn check_stop(&self) -> Result<(), Error> {
        if self.stop.is_cancelled() {
            return Err(Error::cancelled());
        }
        Ok(())
    }

    /// The source of a claim's jobs, if the project still has it: the ledger never mixes sources in a claim.
    pub(crate) fn source(&self, jobs: &[Job]) -> Option<Arc<Source>> {
        self.source_named(&jobs.first()?.object.source).cloned()
    }

    pub(crate) fn source_named(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| source.name.as_str() == name)
    }
}
