//! Where a lake may be copied to: an empty place, or an older copy of the same lake that nobody has worked on.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::error::{Error, Kind};
use crate::lake::Lake;
use crate::state::TableState;
use crate::{RECEIPTS, fence};

/// Lies in a target while it is being copied to, and names the lake.
pub(crate) const COPYING: &str = "_copying";

/// Refuses a target that holds anything else, and marks it as being copied to.
pub(crate) async fn check_target(
    lake: &Lake,
    receipts: &TableState,
    target: &Arc<dyn ObjectStore>,
) -> Result<(), Error> {
    let id = receipts.metadata.id.as_str();
    let path = Path::from(COPYING);
    let mark = match target.get(&path).await {
        Ok(found) => Some(found.bytes().await.map_err(|e| Error::store(&path, e))?),
        Err(object_store::Error::NotFound { .. }) => None,
        Err(e) => return Err(Error::store(&path, e)),
    };
    match &mark {
        Some(mark) if mark != id.as_bytes() => return Err(not_a_copy("a copy of another lake in the making")),
        Some(_) => {}
        None => check_content(target).await?,
    }
    match TableState::load(target, RECEIPTS, None).await {
        Ok(Some(old)) => check_older(lake, receipts, target, &old).await?,
        Ok(None) => {}
        // The copy got so far that the log of `_receipts` is there in part.
        Err(error) if error.kind == Kind::FixData && mark.is_some() => {}
        Err(error) => return Err(error),
    }
    let put = target.put(&path, id.to_owned().into()).await;
    put.map(drop).map_err(|e| Error::store(&path, e))
}

/// Without a mark, the target is empty or a whole lake.
async fn check_content(target: &Arc<dyn ObjectStore>) -> Result<(), Error> {
    let listed = target.list_with_delimiter(None).await.map_err(|e| Error::store("target folder", e))?;
    let folders: Vec<&str> = listed.common_prefixes.iter().filter_map(|path| path.filename()).collect();
    let has_lake = folders.contains(&RECEIPTS);
    let other = folders.iter().find(|name| **name != "_probe").map(ToString::to_string);
    let other = other.or_else(|| listed.objects.first().map(|object| object.location.to_string()));
    match other {
        Some(other) if !has_lake => Err(not_a_copy(&format!("`{other}`"))),
        _ => Ok(()),
    }
}

/// Everything that the target says, this lake says too.
async fn check_older(
    lake: &Lake,
    receipts: &TableState,
    target: &Arc<dyn ObjectStore>,
    old: &TableState,
) -> Result<(), Error> {
    if old.metadata.id != receipts.metadata.id {
        return Err(not_a_copy("another lake"));
    }
    if old.version > receipts.version || old.epoch > receipts.epoch {
        return Err(not_a_copy("a newer state of it"));
    }
    let theirs = fence::owner(target, old, old.epoch).await?;
    if theirs != fence::owner(lake.store(), receipts, old.epoch).await? {
        return Err(not_a_copy("a copy for which another ledger speaks"));
    }
    let theirs = Lake::open_to_read(Arc::clone(target)).newest(old).await?;
    if let Some(theirs) = theirs
        && lake.receipt_of(receipts, theirs.seq).await?.as_ref() != Some(&*theirs)
    {
        return Err(not_a_copy(&format!("a copy that went its own way at batch {}", theirs.seq)));
    }
    Ok(())
}

fn not_a_copy(found: &str) -> Error {
    let message = format!("target of the copy: expected an empty place or an older copy of this lake, found {found}");
    Error::new(Kind::FixSettings, message).hint("copy to an empty place")
}
