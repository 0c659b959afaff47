//! An object version as a store describes it.

use object_store::ObjectMeta;
use stillhouse_spec::ObjectVersion;

/// The version of an object that the store describes.
pub fn version(source: &str, meta: &ObjectMeta) -> ObjectVersion {
    ObjectVersion {
        source: source.to_owned(),
        key: meta.location.as_ref().to_owned(),
        member: String::new(),
        etag: meta.e_tag.clone().unwrap_or_default(),
        size: meta.size,
        modified_at: meta.last_modified.timestamp_micros(),
    }
}
