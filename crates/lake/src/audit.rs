//! What the store has against what the logs name.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::path::Path;

use crate::error::Error;
use crate::lake::Lake;
use crate::manifest::DataFile;

/// A file that a version of a table names, and that is not in the store as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Relative to the lake.
    pub path: String,
    /// Its bytes by the log.
    pub expected: u64,
    /// Its bytes in the store; `None` when it is missing.
    pub found: Option<u64>,
}

impl Lake {
    /// The files of a table in one version, by path.
    pub async fn files(&self, table: &str, version: i64) -> Result<Vec<Arc<DataFile>>, Error> {
        Ok(self.at(table, version).await?.files.values().cloned().collect())
    }

    /// Files of a version of a table that are missing, or that have another size than they were written with.
    pub async fn check_files(&self, table: &str, version: i64) -> Result<Vec<FileProblem>, Error> {
        let state = self.at(table, version).await?;
        let folder = Path::from(table);
        let listed: Vec<_> = if state.files.is_empty() {
            Vec::new()
        } else {
            let listed = self.store.list_with_delimiter(Some(&folder)).await;
            listed.map_err(|e| Error::store(&folder, e))?.objects
        };
        let sizes: BTreeMap<&str, u64> =
            listed.iter().filter_map(|object| Some((object.location.filename()?, object.size))).collect();
        let problems = state.files.values().filter_map(|file| {
            let found = sizes.get(file.path.as_str()).copied();
            (found != Some(file.size)).then(|| FileProblem {
                path: format!("{table}/{}", file.path),
                expected: file.size,
                found,
            })
        });
        Ok(problems.collect())
    }

    /// Sizes of all objects under a folder of the lake, by path: to see what a table or a log takes.
    pub async fn sizes(&self, folder: &str) -> Result<BTreeMap<String, u64>, Error> {
        let folder = Path::from(folder);
        let listed: Vec<_> =
            self.store.list(Some(&folder)).try_collect().await.map_err(|e| Error::store(&folder, e))?;
        Ok(listed.into_iter().map(|object| (object.location.to_string(), object.size)).collect())
    }
}
