//! `stillhouse`: the command line.
//!
//! `main` parses the arguments ([`cli`]), opens what the command needs ([`app`]) and runs it ([`commands`]). Only this
//! crate knows the terminal, the clock and the environment ([`surroundings`]); everything below gets them as parameters.

mod app;
mod cli;
mod commands;
mod doctor;
mod failure;
mod foreign_now;
mod lake_runs;
mod looked_at;
mod memory;
mod new_file;
mod outcome_text;
mod personal;
mod printer;
mod profile_text;
mod progress_bars;
mod project_folder;
mod prompt;
mod publishing;
mod receipts;
mod report_runs;
mod result_files;
mod row_rules;
mod selection;
mod surroundings;
mod table;
mod tables_now;
mod text;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio_util::sync::CancellationToken;

use cli::{Cli, Command};
use failure::{Exit, Failure};
use printer::Printer;

/// How long the end of the program waits for work that nobody waits for.
const WAIT_FOR_STOPPED: Duration = Duration::from_secs(1);

/// A damaged Parquet file may make its reader panic; that is caught and told as what it is, so nobody hears of the panic.
fn quiet_where_guarded() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !stillhouse_decode::is_guarded() {
            tell(panic);
        }
    }));
}

fn main() -> ExitCode {
    memory::give_back_soon();
    quiet_where_guarded();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is wrong usage; clap words both.
            if !error.use_stderr() {
                let _ = error.print();
                return Exit::Done.into();
            }
            say_usage(&error);
            return Exit::Usage.into();
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("STILLHOUSE_LOG"))
        .with_writer(std::io::stderr)
        .with_ansi(surroundings::colour_messages())
        .init();
    let result = runtime().and_then(|runtime| {
        let result = runtime.block_on(dispatch(&cli));
        // A query that was stopped may be in the middle of a long step; nothing waits for what that gives.
        runtime.shutdown_timeout(WAIT_FOR_STOPPED);
        result
    });
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            printer::complain(failure::lines(&failure));
            failure.exit.into()
        }
    }
}

/// Wrong usage in clap's words and colours, and within the terminal: clap keeps only its help to that.
fn say_usage(error: &clap::Error) {
    let text = error.render();
    let text = if surroundings::colour_messages() { text.ansi().to_string() } else { text.to_string() };
    printer::complain(text.trim_end());
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("the asynchronous runtime cannot start").because(&error))
}

async fn dispatch(cli: &Cli) -> Result<Exit, Failure> {
    let printer = Printer::new(cli);
    // Ctrl-C stops a query at once, and not the prompt: `sql` sees to it.
    if let Command::Sql(args) = &cli.command {
        return commands::sql::sql(cli, args).await;
    }
    let stop = stop_on_signal();
    match &cli.command {
        Command::Init(args) => commands::init::init(args, printer),
        Command::Sniff(args) => commands::sniff::sniff(cli, args),
        Command::Check => commands::check::check(cli).await,
        Command::Doctor => commands::doctor::doctor(cli).await,
        Command::Run(args) => commands::run::run(cli, args, stop).await,
        Command::Ingest(args) => commands::ingest::ingest(cli, args, stop).await,
        Command::Profile(args) => commands::profile::profile(cli, args, &stop).await,
        Command::Export(args) => commands::export::export(cli, args, &stop).await,
        Command::Explain(args) => commands::explain::explain(cli, args).await,
        Command::Report(command) => commands::report::report(cli, command).await,
        Command::Publish(args) => commands::publish::publish(cli, args).await,
        Command::Receipts(command) => commands::receipts::receipts(cli, command, stop).await,
        Command::Quarantine(command) => commands::quarantine::quarantine(cli, command, stop).await,
        Command::Sql(_) => unreachable!("it is run above"),
        Command::Tables(args) => commands::tables::tables(cli, args).await,
        Command::Audit => commands::audit::audit(cli).await,
        Command::Maintain(args) => commands::maintain::maintain(cli, args, stop).await,
        Command::Jobs(command) => commands::jobs::jobs(cli, command).await,
        Command::Ledger(command) => commands::ledger::ledger(cli, command).await,
        Command::Lake(command) => commands::lake::lake(cli, command).await,
        Command::Generate(command) => commands::generate::generate(cli, command, &stop),
        Command::Text { fingerprint } => commands::text::text(cli, fingerprint).await,
    }
}

/// The first Ctrl-C asks to finish what is under way, the second ends the program at once.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if token.is_cancelled() {
                std::process::exit(130);
            }
            printer::complain("stopping after what is under way; press Ctrl-C again to stop at once");
            token.cancel();
        }
    });
    stop
}
