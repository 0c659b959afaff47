//! Objects whose content is in the tables already.

use std::collections::BTreeSet;

use stillhouse_ledger::Job;
use stillhouse_spec::{OnSameContent, Receipt, Source, Twin};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::error::Error;

/// Where the same content is.
pub(crate) enum Same {
    /// Nowhere: the object has to be loaded.
    No,
    /// In the tables, or staged.
    Twin(Twin),
    /// In the same claim, and so in no batch yet.
    InClaim,
}

/// Looks for the contents of one claim.
pub(crate) struct Twins<'a> {
    ingest: &'a Ingest,
    source: &'a Source,
    runtime: &'a Handle,
    claim: BTreeSet<String>,
}

impl<'a> Twins<'a> {
    pub(crate) fn new(ingest: &'a Ingest, source: &'a Source, runtime: &'a Handle) -> Self {
        Self { ingest, source, runtime, claim: BTreeSet::new() }
    }

    /// To be asked before the rows are written. Two workers may ask at the same moment: the ledger looks once more when
    /// the batch is staged. Blocks on the ledger.
    pub(crate) fn find(&mut self, job: &Job, receipt: &Receipt) -> Result<Same, Error> {
        if !skips_same(self.source, receipt) {
            return Ok(Same::No);
        }
        if self.claim.contains(&receipt.content) {
            return Ok(Same::InClaim);
        }
        if let Some(twin) = self.runtime.block_on(self.standing(job, &receipt.content))? {
            return Ok(Same::Twin(twin));
        }
        self.claim.insert(receipt.content.clone());
        Ok(Same::No)
    }

    async fn standing(&self, job: &Job, content: &str) -> Result<Option<Twin>, Error> {
        let ledger = &self.ingest.ledger;
        let found = ledger.same_content(&job.object.source, &[(job.version, content.to_owned())]).await?;
        let Some(version) = found.into_iter().flatten().next() else { return Ok(None) };
        let Some(row) = ledger.version(version).await? else { return Ok(None) };
        let (key_number, generation) = (version.key_number, version.generation);
        Ok(Some(Twin { key: row.object.key, key_number, generation }))
    }
}

/// Whether the same content must not be loaded twice. Without records there is nothing to be doubled.
pub(crate) fn skips_same(source: &Source, receipt: &Receipt) -> bool {
    source.on_same_content == OnSameContent::Skip && (receipt.counts.read > 0 || receipt.twin.is_some())
}
