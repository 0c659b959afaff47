//! The only place of files that a plan can name.

use std::sync::Arc;

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use url::Url;

/// Its address.
pub(crate) fn store_url() -> ObjectStoreUrl {
    ObjectStoreUrl::parse("stillhouse://lake").expect("a constant address")
}

/// A registry with one store: a plan that asks for another place (a local path, an address) does not find it.
#[derive(Debug)]
pub(crate) struct OneStore(pub(crate) Arc<dyn ObjectStore>);

impl ObjectStoreRegistry for OneStore {
    fn register_store(&self, _url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        let ours = store_url();
        let ours: &Url = ours.as_ref();
        if url.scheme() == ours.scheme() && url.host_str() == ours.host_str() {
            return Ok(self.0.clone());
        }
        Err(exec_datafusion_err!("queries read tables of the lake only, not `{url}`"))
    }
}
