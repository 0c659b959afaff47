//! `stillhouse lake`: care for the lake.

use crate::app::App;
use crate::cli::{Cli, LakeCommand};
use crate::failure::{Exit, Failure};

/// Runs the subcommand.
pub async fn lake(cli: &Cli, command: &LakeCommand) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    match command {
        LakeCommand::Copy { to } => copy(&app, to).await,
    }
}

async fn copy(_app: &App, _to: &std::path::Path) -> Result<Exit, Failure> {
    Err(Failure::failed("not yet"))
}
