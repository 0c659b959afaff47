//! The ledger: is it there, whole, and this lake's?

use stillhouse_ingest::{LakeNumbers, belong_together};
use stillhouse_ledger::{Inspection, Phase, Status, inspect};

use super::{Finding, disk};
use crate::failure::Failure;
use crate::project_folder::ProjectFolder;

const AREA: &str = "ledger";

/// Looks at the ledger; `lake` is what the lake says about it, if there is a lake with receipts.
pub async fn look(folder: &ProjectFolder, lake: Option<&LakeNumbers>, findings: &mut Vec<Finding>) {
    let setting = folder.project.ledger.path.expose();
    let is_server = setting.starts_with("postgres://") || setting.starts_with("postgresql://");
    let place = if is_server {
        setting.to_owned()
    } else {
        let path = folder.resolve(setting.strip_prefix("sqlite://").unwrap_or(setting));
        let parent = path.parent().unwrap_or(&folder.root);
        if let Some(name) = stillhouse_ledger::network_file_system(disk::nearest(parent)).ok().flatten() {
            findings.push(Finding::problem(
                AREA,
                format!("it is on the network file system {name}, where SQLite's locks do not hold"),
                "set `path` in [ledger] of stillhouse.toml to a local disk, or to a `postgres://` address",
            ));
            return;
        }
        disk::look(AREA, parent, findings);
        path.to_string_lossy().into_owned()
    };
    findings.push(match inspect(&place).await {
        Err(error) => Finding::of_failure(AREA, error.into()),
        Ok(None) => missing(lake),
        Ok(Some(inspection)) => judge(&inspection, lake),
    });
}

fn missing(lake: Option<&LakeNumbers>) -> Finding {
    match lake {
        None => Finding::ok(AREA, "there is none yet; the first load makes it"),
        Some(_) => Finding::problem(
            AREA,
            "there is none, and the lake has receipts",
            "if no other machine or folder works on this lake: `stillhouse ledger rebuild` makes it from them",
        ),
    }
}

fn judge(inspection: &Inspection, lake: Option<&LakeNumbers>) -> Finding {
    let Inspection { schema, known, damage, own } = inspection;
    if !damage.is_empty() {
        let found = format!("it is damaged: {}", damage.join("; "));
        return Finding::problem(
            AREA,
            found,
            "move the file away, then `stillhouse ledger rebuild` makes it from the lake",
        );
    }
    if schema > known {
        let found = format!("a newer stillhouse has worked with it: schema {schema}, this one knows {known}");
        return Finding::problem(AREA, found, "use the newer stillhouse");
    }
    let Some((ledger_id, status, moved_to)) = own else {
        let found = format!("an older stillhouse has made it: schema {schema}, this one has {known}");
        return Finding::note(
            AREA,
            found,
            "nothing: the next command brings it up to date; older programs refuse it then",
        );
    };
    if let Some(place) = moved_to {
        let found = format!("it was moved to {place}");
        return Finding::problem(AREA, found, "set `path` in [ledger] of stillhouse.toml to that address");
    }
    of_lake(ledger_id, status, lake).unwrap_or_else(|failure| Finding::of_failure(AREA, failure))
}

fn of_lake(ledger_id: &str, status: &Status, lake: Option<&LakeNumbers>) -> Result<Finding, Failure> {
    if status.phase == Phase::Rebuilding {
        let found = "it is being made anew, or that was begun and not finished";
        return Ok(Finding::problem(AREA, found, "run `stillhouse ledger rebuild` again; it begins from the start"));
    }
    match lake {
        None if status.finished_seq > 0 => Ok(Finding::problem(
            AREA,
            "it knows of files that were loaded, and the lake has no receipts",
            "was the lake's folder moved or emptied? put it back, or set `path` in [lake] of stillhouse.toml",
        )),
        None => Ok(Finding::ok(AREA, "it is whole, and has no work behind it yet")),
        Some(numbers) => {
            belong_together(numbers, ledger_id, status)?;
            Ok(Finding::ok(AREA, format!("it is whole and speaks for this lake (epoch {})", status.epoch)))
        }
    }
}
