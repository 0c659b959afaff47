//! Objects whose content is in the tables already.

use std::collections::BTreeMap;

use stillhouse_ledger::Job;
use stillhouse_spec::{OnSameContent, Receipt, Source, Twin};
use tokio::runtime::Handle;

use crate::context::Ingest;
use crate::error::Error;

/// Looks for the contents of one claim.
pub(crate) struct Twins<'a> {
    ingest: &'a Ingest,
    source: &'a Source,
    jobs: &'a [Job],
    runtime: &'a Handle,
    /// Contents of the claim itself.
    claim: BTreeMap<String, Twin>,
}

impl<'a> Twins<'a> {
    pub(crate) fn new(ingest: &'a Ingest, source: &'a Source, jobs: &'a [Job], runtime: &'a Handle) -> Self {
        Self { ingest, source, jobs, runtime, claim: BTreeMap::new() }
    }

    /// To be asked before the rows are written. Two workers may ask at the same moment: the ledger looks once more when
    /// the batch is staged. Blocks on the ledger.
    pub(crate) fn find(&mut self, job: &Job, receipt: &Receipt) -> Result<Option<Twin>, Error> {
        if !skips_same(self.source, receipt) {
            return Ok(None);
        }
        if let Some(twin) = self.claim.get(&receipt.content) {
            return Ok(Some(twin.clone()));
        }
        let found = self.runtime.block_on(self.standing(job, &receipt.content))?;
        if let Some(twin) = found.filter(|twin| !self.is_going(job, twin)) {
            return Ok(Some(twin));
        }
        let Receipt { key_number, generation, .. } = *receipt;
        let own = Twin { key: job.object.key.clone(), key_number, generation };
        self.claim.insert(receipt.content.clone(), own);
        Ok(None)
    }

    /// Whether another object of this claim takes the rows of the twin out.
    fn is_going(&self, job: &Job, twin: &Twin) -> bool {
        let others = self.jobs.iter().filter(|other| other.version != job.version);
        let mut of_key = others.filter(|other| other.version.key_number == twin.key_number);
        of_key.any(|other| (other.replaces_from..other.version.generation).contains(&twin.generation))
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
