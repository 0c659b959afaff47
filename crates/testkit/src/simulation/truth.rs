//! What is known of the source files: which content was at a path under which tag, and which contract a fingerprint stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{PutOptions, PutPayload};
use stillhouse_spec::{AmendmentKind, Receipt};

use super::content::{CONTRACTS, Content, Contract, Fate, Policies, SOURCES, source_text};
use super::world::{Folder, World};

/// A file as it is now.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub etag: String,
    pub content: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Truth {
    pub folder: Arc<Folder>,
    pub contents: Vec<Content>,
    /// By key.
    pub files: BTreeMap<String, SourceFile>,
    /// Key and tag of every version that ever was.
    versions: BTreeMap<(String, String), u32>,
    contracts: BTreeMap<String, Contract>,
    pub policies: BTreeMap<&'static str, Policies>,
}

impl Truth {
    pub fn new(folder: Arc<Folder>, policies: BTreeMap<&'static str, Policies>) -> Self {
        let mut contracts = BTreeMap::new();
        for name in SOURCES {
            for contract in CONTRACTS {
                let text = source_text(name, policies[name], contract);
                contracts.insert(blake3::hash(text.as_bytes()).to_hex().to_string(), contract);
            }
        }
        let (contents, files, versions) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { folder, contents, files, versions, contracts, policies }
    }

    /// Writes a file; what was there is gone.
    pub async fn write(&mut self, key: &str, content: u32, world: &World) {
        let text = self.content(content).text();
        let path = Path::from(key);
        let put = self.folder.put(&path, PutPayload::from(text), PutOptions::default(), world.clock.now()).await;
        let etag = put.ok().and_then(|put| put.e_tag).expect("a store in memory takes everything and gives tags");
        self.versions.insert((key.to_owned(), etag.clone()), content);
        self.files.insert(key.to_owned(), SourceFile { etag, content });
    }

    pub async fn remove(&mut self, key: &str) {
        self.files.remove(key);
        self.folder.delete(&Path::from(key)).await.expect("the file is there");
    }

    pub fn content(&self, number: u32) -> &Content {
        &self.contents[usize::try_from(number).expect("few contents")]
    }

    /// What was at `key` under this tag.
    pub fn version(&self, key: &str, etag: &str) -> Option<&Content> {
        let number = self.versions.get(&(key.to_owned(), etag.to_owned()))?;
        Some(self.content(*number))
    }

    pub fn contract(&self, fingerprint: &str) -> Option<Contract> {
        self.contracts.get(fingerprint).copied()
    }

    /// Two files of a source with the same text here have the same rows.
    pub fn sameness(&self, source: &str, key: &str, content: u32) -> String {
        let month = if source == "orders" { key.split('/').nth(2).unwrap_or_default() } else { "" };
        format!("{content} {month}")
    }

    /// What a receipt stands for: fates of all lines, amendments included. An error is a lie of the receipt.
    pub fn fates(&self, receipt: &Receipt) -> Result<Vec<(Fate, i64)>, String> {
        let object = &receipt.object;
        let content = self.version(&object.key, &object.etag);
        let content = content.ok_or_else(|| format!("`{}` was never there with tag {}", object.key, object.etag))?;
        let contract = self.contract(&receipt.source_fingerprint).ok_or("an unknown source fingerprint")?;
        if content.is_held(contract) {
            return Err(format!("`{}` has too many bad records and was loaded", object.key));
        }
        let came = receipt.started_at;
        let mut fates: Vec<_> = content.lines.iter().map(|line| (Content::fate(line, contract), came)).collect();
        for amendment in &receipt.amendments {
            let records = amendment.records.iter().flat_map(|(first, last)| *first..=*last);
            for record in records {
                let index = usize::try_from(record).map_err(|error| error.to_string())?;
                let line = content.lines.get(index).ok_or_else(|| format!("amends record {record}: no such record"))?;
                let fate = &mut fates[index];
                if fate.0 != Fate::Quarantined {
                    return Err(format!("amends record {record}, which was not refused"));
                }
                *fate = match amendment.what {
                    AmendmentKind::Drop => (Fate::Filtered, 0),
                    AmendmentKind::Replay => {
                        let contract = self.contract(&amendment.because).ok_or("an unknown source fingerprint")?;
                        (Content::fate(line, contract), amendment.at)
                    }
                };
            }
        }
        Ok(fates)
    }
}
