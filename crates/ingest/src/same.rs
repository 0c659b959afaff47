//! Objects whose content is in the tables already.

use std::collections::BTreeMap;

use stillhouse_ledger::{Job, VersionId};
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
    /// What the ledger has answered for versions of the claim.
    known: BTreeMap<VersionId, Option<Twin>>,
}

impl<'a> Twins<'a> {
    pub(crate) fn new(ingest: &'a Ingest, source: &'a Source, jobs: &'a [Job], runtime: &'a Handle) -> Self {
        Self { ingest, source, jobs, runtime, claim: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// Asks the ledger for several at once: one question for each of ten thousand small files takes longer than reading
    /// them. Blocks on the ledger.
    pub(crate) fn ask<'r>(&mut self, read: impl Iterator<Item = (&'r Job, &'r Receipt)>) -> Result<(), Error> {
        let wanted = read.filter(|(_, receipt)| skips_same(self.source, receipt));
        let wanted: Vec<_> = wanted.map(|(job, receipt)| (job.version, receipt.content.clone())).collect();
        if !wanted.is_empty() {
            let twins = self.runtime.block_on(self.standing(&wanted))?;
            self.known.extend(wanted.into_iter().map(|(version, _)| version).zip(twins));
        }
        Ok(())
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
        if !self.known.contains_key(&job.version) {
            self.ask([(job, receipt)].into_iter())?;
        }
        let found = self.known.remove(&job.version).flatten();
        if let Some(twin) = found.filter(|twin| !self.is_of_claim(twin) && !self.is_going(job, twin)) {
            return Ok(Some(twin));
        }
        let Receipt { key_number, generation, .. } = *receipt;
        let own = Twin { key: job.object.key.clone(), key_number, generation };
        self.claim.insert(receipt.content.clone(), own);
        Ok(None)
    }

    /// The ledger answers with an earlier one of the same question, too; but whether that has rows of its own is known here.
    fn is_of_claim(&self, twin: &Twin) -> bool {
        self.jobs.iter().any(|job| job.version == VersionId::new(twin.key_number, twin.generation))
    }

    /// Whether another object of this claim takes the rows of the twin out.
    fn is_going(&self, job: &Job, twin: &Twin) -> bool {
        let others = self.jobs.iter().filter(|other| other.version != job.version);
        let mut of_key = others.filter(|other| other.version.key_number == twin.key_number);
        of_key.any(|other| (other.replaces_from..other.version.generation).contains(&twin.generation))
    }

    async fn standing(&self, contents: &[(VersionId, String)]) -> Result<Vec<Option<Twin>>, Error> {
        let ledger = &self.ingest.ledger;
        let found = ledger.same_content(self.source.name.as_str(), contents).await?;
        let versions: Vec<VersionId> = found.iter().flatten().copied().collect();
        let keys = ledger.versions(&versions).await?.into_iter().map(|row| row.map(|row| row.object.key));
        let keys: BTreeMap<VersionId, Option<String>> = versions.iter().copied().zip(keys).collect();
        let twin = |version: VersionId| {
            let key = keys.get(&version)?.clone()?;
            Some(Twin { key, key_number: version.key_number, generation: version.generation })
        };
        Ok(found.into_iter().map(|found| found.and_then(twin)).collect())
    }
}

/// Whether the same content must not be loaded twice. Without records there is nothing to be doubled.
pub(crate) fn skips_same(source: &Source, receipt: &Receipt) -> bool {
    source.on_same_content == OnSameContent::Skip && (receipt.counts.read > 0 || receipt.twin.is_some())
}
