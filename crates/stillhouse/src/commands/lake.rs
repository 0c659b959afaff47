//! `stillhouse lake`: care for the lake.

use std::path::Path;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::{Cli, LakeCommand};
use crate::failure::{Exit, Failure};
use crate::text::{bytes, plural};

/// Runs the subcommand.
pub async fn lake(cli: &Cli, command: &LakeCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        LakeCommand::Copy { to } => copy(&app, to).await,
    }
}

/// Files that recorded runs were made from come along, so that they can be made again there.
async fn copy(app: &App, to: &Path) -> Result<Exit, Failure> {
    std::fs::create_dir_all(to)
        .map_err(|error| Failure::failed(format!("folder `{}` cannot be made", to.display())).because(&error))?;
    let target = stillhouse_lake::durable_local(to, app.project().lake.durability)?;
    let ingest = app.ingest(CancellationToken::new()).await?;
    let pinned = stillhouse_ingest::pinned(&ingest).await?;
    let copied = app.lake.copy_to(&target, &pinned, &|_, _| ()).await?;
    if app.printer.json() {
        let (objects, size) = (copied.objects, copied.bytes);
        app.printer.value(&json!({
            "format": 1, "seq": copied.seq, "objects": objects, "bytes": size, "unchanged": copied.unchanged,
        }))?;
        return Ok(Exit::Done);
    }
    app.printer.tell(format!(
        "copied {} ({}) as of batch {}; {} there already\n",
        plural(copied.objects, "file"),
        bytes(copied.bytes),
        copied.seq,
        plural(copied.unchanged, "file"),
    ))?;
    app.printer.say(
        "to work with the copy: set `path` in [lake] of a project's stillhouse.toml, then `stillhouse ledger rebuild`",
    );
    Ok(Exit::Done)
}
