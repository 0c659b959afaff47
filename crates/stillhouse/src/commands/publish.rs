//! `stillhouse publish`: bring the databases that the project names up to date, by hand.

use serde_json::json;
use stillhouse_spec::{Publication, Published};

use crate::app::App;
use crate::cli::{Cli, PublishArgs};
use crate::failure::{Exit, Failure};
use crate::publishing::{self, Request};

/// What to do where nothing is published.
const HOW: &str =
    "write `publish = { to = \"sqlite://out/warehouse.db\" }` into a [table] or at the top of a report.toml";

/// Publishes what is not there yet, or all of it.
pub async fn publish(cli: &Cli, args: &PublishArgs) -> Result<Exit, Failure> {
    let app = App::open(cli).await?;
    known(&app, &args.names)?;
    let request = Request { names: &args.names, again: args.again };
    let mut outcomes = publishing::tables(&app, request).await;
    outcomes.extend(publishing::results(&app, request, &[]).await);
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "published": outcomes.json()}))?;
    } else if outcomes.all.is_empty() {
        app.printer.say(format!("this project publishes nothing: {HOW}"));
    } else {
        app.printer.tell(outcomes.text(true))?;
    }
    outcomes.complain();
    Ok(outcomes.exit(Exit::Done))
}

/// A name that nothing has is a slip of the pen, and not a wish to publish nothing.
fn known(app: &App, names: &[String]) -> Result<(), Failure> {
    let own = |publication: &Publication| match &publication.what {
        Published::Table { table, .. } => table.to_string(),
        Published::Results { report, .. } => report.to_string(),
    };
    let publications = &app.project().publications;
    let mut known: Vec<String> = publications.iter().map(own).collect();
    known.dedup();
    let strange = names.iter().find(|name| !known.contains(name) && publications.iter().all(|p| p.name != **name));
    let Some(name) = strange else { return Ok(()) };
    let hint = if known.is_empty() { HOW.to_owned() } else { format!("published are: {}", known.join(", ")) };
    Err(Failure::usage(format!("there is no table and no report `{name}` that is published")).hint(hint))
}
