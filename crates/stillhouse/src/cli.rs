//! The command line: what can be typed, as data.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stillhouse_spec::PeriodChoice;

use crate::commands::export::ExportArgs;
use crate::commands::generate::GenerateCommand;
use crate::commands::profile::ProfileArgs;

/// The heading of options that every command has; its own stand above.
const OF_ALL: &str = "Options of all commands";

/// Files become trusted lake tables, and the reports that people wait for.
#[derive(Debug, Parser)]
#[command(name = "stillhouse", version, about, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Start with:\n  stillhouse init my-project --template events\n  stillhouse -C my-project run all\n\n\
Exit codes:\n  0  done\n  1  failed\n  2  wrong usage or project\n  3  done, but something is held, failed to load or differs"
)]
pub struct Cli {
    /// The project folder.
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        default_value = ".",
        global = true,
        help_heading = OF_ALL,
        hide_default_value = true
    )]
    pub directory: PathBuf,
    /// Print one JSON value instead of text.
    #[arg(long, global = true, help_heading = OF_ALL)]
    pub json: bool,
    /// Print results only: no progress, no remarks.
    #[arg(short, long, global = true, help_heading = OF_ALL)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new project folder from a template.
    Init(InitArgs),
    /// Look at files and propose the source file that loads them.
    Sniff(SniffArgs),
    /// Validate the project without running it.
    Check,
    /// Look at what the project rests on: what is wrong, what to do.
    Doctor,
    /// Load what is new and run the reports: the main job.
    Run(RunArgs),
    /// Load what is new, without reports.
    Ingest(IngestArgs),
    /// Say why a file is, or is not, in the tables.
    Explain(ExplainArgs),
    /// Run, list and show reports.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Bring the databases that tables and reports go to up to date.
    Publish(PublishArgs),
    /// List, show and verify receipts: the account of each loaded file.
    #[command(subcommand)]
    Receipts(ReceiptsCommand),
    /// List, show, export, replay and drop refused records.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Ask the tables a question in SQL (read only).
    Sql(SqlArgs),
    /// Look at the columns of a table or file: counts, bounds, values.
    Profile(ProfileArgs),
    /// Write a table, the answer to a query or a report into a file.
    Export(ExportArgs),
    /// List the tables, or show the columns of one.
    Tables(TablesArgs),
    /// Compare files, receipts, tables, ledger; ends with 3 if any differ.
    Audit,
    /// Merge small files, clear away what nothing needs any more.
    Maintain(MaintainArgs),
    /// Look at the attempts to load files, and at their logs.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Care for the ledger.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Care for the lake.
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Invent data of any size with known answers, to try or measure with.
    #[command(subcommand)]
    Generate(GenerateCommand),
    /// Print a source or report file as it was when it was used.
    Text {
        /// Its fingerprint, as `receipts show` and the manifest of a run name it.
        fingerprint: String,
    },
}

/// `maintain`
#[derive(Debug, Args)]
pub struct MaintainArgs {
    /// Say what would be done; do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Files that readers of versions younger than this may still need stay.
    #[arg(long, value_name = "TIME", default_value = "7 days", value_parser = duration)]
    pub keep: Duration,
    /// Merged files are about this large (in MB).
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub file_size: u64,
}

/// `7 days`, `12 h`, `90s`.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok())
        .ok_or_else(|| format!("`{text}` is not a length of time; write 7 days, 12 h or 30 min"))?;
    Duration::try_from(span).map_err(|_| format!("`{text}` is less than nothing"))
}

/// `jobs …`
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List attempts to load files, newest first.
    List {
        /// Only of files whose path ends with this text.
        key: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Print the log of an attempt.
    Log {
        /// The attempt's id (or how it begins), or the path of a file (or its end): then its newest attempt.
        attempt: String,
    },
}

/// `lake …`
#[derive(Debug, Subcommand)]
pub enum LakeCommand {
    /// Copy the lake, receipts and runs included; run again, it goes on.
    Copy {
        /// The folder: empty, or an older copy of this lake.
        to: PathBuf,
    },
}

/// `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to make.
    pub dir: PathBuf,
    /// What to start from.
    #[arg(long, value_enum, default_value_t = TemplateName::Events)]
    pub template: TemplateName,
    /// Without the template's sample data.
    #[arg(long)]
    pub no_data: bool,
}

/// The templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateName {
    /// Monthly event CSVs and an activity report.
    Events,
    /// A file of account movements and a summary.
    Transactions,
    /// Pages, posts and comments: nested JSON, Parquet and CSV, joined.
    Comments,
}

/// `sniff`
#[derive(Debug, Args)]
pub struct SniffArgs {
    /// A CSV, JSON or Parquet file, or several of the same kind.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The name of the source and of its table; without it, it is made of the file's.
    #[arg(long)]
    pub name: Option<String>,
    /// Write the source file into the project instead of printing it.
    #[arg(long)]
    pub write: bool,
    /// Say what was decided and why, doubts first, instead of printing the source file.
    #[arg(long)]
    pub explain: bool,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// 2021-04 (month), 2021-04-05 (day), 2021 (year), 2021-04..2021-06, last-month, last-day, last-year or all.
    pub period: PeriodChoice,
    /// Say what would be done and why; do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Load this file, or all files of this source, again although they have not changed (their rows are replaced). May be
    /// repeated.
    #[arg(long, value_name = "PATH|SOURCE")]
    pub reload: Vec<String>,
}

/// `ingest`
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Only these sources.
    pub sources: Vec<String>,
    /// Only files whose path names a day of this period.
    #[arg(long, default_value = "all")]
    pub period: PeriodChoice,
    /// Say what would be done and why; do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Load this file, or all files of this source, again although they have not changed (their rows are replaced). May be
    /// repeated.
    #[arg(long, value_name = "PATH|SOURCE")]
    pub reload: Vec<String>,
    /// Try held files again, for example after the contract was mended.
    #[arg(long)]
    pub held: bool,
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The path of a file, or the end of one.
    pub key: String,
}

/// `report …`
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Run a report over what is loaded.
    Run {
        /// The report.
        name: String,
        /// The period; without it, the report's own default.
        period: Option<PeriodChoice>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List the reports and their runs.
    List,
    /// Show the latest run of a report, or one run.
    Show {
        /// The report, or the id of a run (or how it begins).
        name: String,
        /// The period; without it, the latest run of any.
        period: Option<PeriodChoice>,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Where results go.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Write files into this folder, too: one per query, as HTML one per report.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of those files.
    #[arg(long, value_enum, default_value_t = FileForm::Csv, requires = "out")]
    pub form: FileForm,
}

/// The form of a result file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileForm {
    /// Comma-separated text, safe to open in a spreadsheet.
    Csv,
    /// The JSON of `--json`, one query a file.
    Json,
    /// Parquet with exact types.
    Parquet,
    /// A page with charts, tables and provenance, which needs nothing else.
    Html,
    /// The charts as drawings.
    Svg,
    /// The charts as pixels.
    Png,
}

/// `publish`
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Only these tables and reports.
    pub names: Vec<String>,
    /// Write everything anew, also what the databases hold already.
    #[arg(long)]
    pub again: bool,
}

/// `receipts …`
#[derive(Debug, Subcommand)]
pub enum ReceiptsCommand {
    /// List the receipts, newest last.
    List {
        /// Only files whose path holds this text.
        key: Option<String>,
        /// Older generations of the same file, too.
        #[arg(long)]
        all: bool,
    },
    /// Show the whole receipt of a file.
    Show {
        /// The path of a file, or the end of one.
        key: String,
    },
    /// Prove receipts again by files and tables; ends with 3 if they differ.
    Verify {
        /// Only files whose path ends with this text.
        key: Option<String>,
        /// Only of this source.
        #[arg(long)]
        source: Option<String>,
        /// Count the rows in the tables; do not read the files.
        #[arg(long)]
        counts_only: bool,
    },
}

/// `quarantine …`
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Count refused records by file, column and reason.
    List,
    /// Show refused records as they came in.
    Show {
        /// Only of files whose path ends with this text.
        key: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
    },
    /// Write refused records into files, byte for byte.
    Export {
        #[command(flatten)]
        selection: SelectionArgs,
        /// The folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Read refused records again, and load those that pass by now.
    Replay {
        #[command(flatten)]
        selection: SelectionArgs,
    },
    /// Give refused records up for good; their receipts say why.
    Drop {
        #[command(flatten)]
        selection: SelectionArgs,
        /// Why, for whoever reads the receipt.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

/// Which refused records.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// Only of files whose path ends with this text.
    #[arg(long, value_name = "PATH")]
    pub object: Option<String>,
    /// Only with this reason, as `quarantine list` names it.
    #[arg(long)]
    pub reason: Option<String>,
    /// Only of this source.
    #[arg(long)]
    pub source: Option<String>,
    /// Only where this column was to blame.
    #[arg(long)]
    pub column: Option<String>,
}

/// `sql`
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The query. Without it, a terminal shows a prompt; otherwise, and with `-`, statements are read from
    /// standard input.
    pub query: Option<String>,
    /// A parameter, bound as `$NAME`. May be repeated.
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Print CSV instead of a table.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

/// `tables`
#[derive(Debug, Args)]
pub struct TablesArgs {
    /// The table whose columns to show.
    pub name: Option<String>,
}

/// `ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Make the ledger anew from the lake, and shut out every older ledger.
    Rebuild,
    /// Write a copy of the ledger into a new file.
    Backup {
        /// The file.
        to: PathBuf,
    },
    /// Put a copy back, then bring it up to date from the lake.
    Restore {
        /// The file that `ledger backup` wrote.
        from: PathBuf,
    },
    /// Move the ledger elsewhere; then set `[ledger]` in stillhouse.toml.
    Move {
        /// A `postgres://…` or `sqlite://…` address.
        to: String,
    },
}
