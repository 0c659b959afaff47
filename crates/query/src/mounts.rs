//! The lake, and beside it the folders of foreign tables, as one store that is only read.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Where the folders of foreign tables hang: no table and no folder of the lake has that name.
const ROOT: &str = "_foreign";

/// The folder of a foreign table in a [`mounted`] store.
pub(crate) fn folder_of(table: &str) -> Path {
    Path::from_iter([ROOT, table])
}

/// The lake's store and those of foreign tables, by table, as one. Nothing is written through it, and nothing is listed.
pub fn mounted(lake: Arc<dyn ObjectStore>, foreign: BTreeMap<String, Arc<dyn ObjectStore>>) -> Arc<dyn ObjectStore> {
    if foreign.is_empty() { lake } else { Arc::new(Mounts { lake, foreign }) }
}

#[derive(Debug)]
struct Mounts {
    lake: Arc<dyn ObjectStore>,
    foreign: BTreeMap<String, Arc<dyn ObjectStore>>,
}

impl Mounts {
    /// The store that has the object, and the path that it has there.
    fn find<'s>(&'s self, location: &Path) -> Result<(&'s Arc<dyn ObjectStore>, Path)> {
        let mut parts = location.parts();
        if parts.next().is_none_or(|root| root.as_ref() != ROOT) {
            return Ok((&self.lake, location.clone()));
        }
        let store = parts.next().and_then(|table| self.foreign.get(table.as_ref()));
        let store = store.ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: "no foreign table has that folder".into(),
        })?;
        Ok((store, parts.collect()))
    }
}

impl fmt::Display for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} foreign tables", self.lake, self.foreign.len())
    }
}

fn refused(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: "a store that queries read".to_owned() }
}

#[async_trait]
impl ObjectStore for Mounts {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused("put"))
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused("put"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (store, path) = self.find(location)?;
        store.get_opts(&path, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (store, path) = self.find(location)?;
        store.get_ranges(&path, ranges).await
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        futures::stream::once(async { Err(refused("delete")) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        futures::stream::once(async { Err(refused("list")) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(refused("list"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused("copy"))
    }
}
