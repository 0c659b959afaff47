//! What became of each object of a run.

use std::collections::BTreeMap;

use serde::Serialize;
use stillhouse_spec::{Counts, ObjectVersion, Receipt, RejectPlace};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Loaded by this run.
    Loaded,
    /// Loaded before; this version has its receipt.
    Unchanged,
    /// Will not load until somebody acts.
    Held,
    /// Could not be read; the next run tries again.
    Failed,
    /// Still being written; left for the next run.
    Settling,
    /// A newer version of it was loaded instead.
    Superseded,
    /// Its content was in the tables already; it has a receipt and no rows of its own.
    Same,
    /// Is there no more; its rows were removed.
    Removed,
    /// Would be loaded (dry run).
    Pending,
}

/// One object of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectOutcome {
    /// The source's name.
    pub source: String,
    /// The key.
    pub key: String,
    /// What became of it.
    pub status: Status,
    /// Bytes.
    pub size: u64,
    /// The version of the key, from 1.
    pub generation: Option<i64>,
    /// The counts, where it is loaded.
    pub counts: Option<Counts>,
    /// Why it is held, failed, pending or settling.
    pub reason: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The first refused records.
    pub rejects: Vec<RejectPlace>,
    /// What was decided about its format, as `value (origin)`.
    pub decided: BTreeMap<String, String>,
    /// Worth a look.
    pub warnings: Vec<String>,
}

impl ObjectOutcome {
    pub(crate) fn new(object: &ObjectVersion, status: Status) -> Self {
        Self {
            source: object.source.clone(),
            key: object.name(),
            status,
            size: object.size,
            generation: None,
            counts: None,
            reason: None,
            hint: None,
            rejects: Vec::new(),
            decided: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn from_receipt(receipt: &Receipt, status: Status) -> Self {
        let decided = receipt.decided.iter();
        Self {
            generation: Some(receipt.generation),
            counts: Some(receipt.counts),
            rejects: receipt.rejects.clone(),
            decided: decided
                .map(|(name, choice)| (name.clone(), format!("{} ({})", choice.value, choice.origin)))
                .collect(),
            warnings: receipt.warnings.clone(),
            ..Self::new(&receipt.object, status)
        }
    }

    pub(crate) fn because(mut self, reason: impl Into<String>, hint: Option<String>) -> Self {
        self.reason = Some(reason.into());
        self.hint = hint;
        self
    }
}

/// What became of the objects of a run, and what else is worth saying.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// By source and key.
    pub objects: Vec<ObjectOutcome>,
    /// Folders named like objects, paths that match nothing, and the like.
    pub notes: Vec<String>,
    /// Batches that this run brought into the lake, among them ones that an earlier run had staged.
    pub batches_published: u64,
}

impl Summary {
    /// How many objects have that status.
    pub fn count(&self, status: Status) -> usize {
        self.objects.iter().filter(|object| object.status == status).count()
    }

    /// The counts of all objects that this run loaded.
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for object in self.objects.iter().filter(|object| object.status == Status::Loaded) {
            if let Some(counts) = &object.counts {
                sum.add(counts);
            }
        }
        sum
    }
}
