//! `stillhouse generate`: invented data of any size with known answers.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::json;
use stillhouse_generate::{
    ANSWERS_FILE, Answers, ColumnOrder, Existing, Faults, FileStart, LineEnd, Plan, Progress, Rate, Shares, Writing,
    write_events,
};
use stillhouse_spec::Period;
use tokio_util::sync::CancellationToken;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::printer::Printer;
use crate::surroundings;
use crate::text::{bytes, count, percent, plural};

/// `generate …`
#[derive(Debug, Subcommand)]
pub enum GenerateCommand {
    /// Months of files for the template `events`, and its report's answers.
    Events(EventsArgs),
}

/// `generate events`
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// The folder for {yyyy}/{MM}/events.csv and answers.json. A project folder stands for its folder `data`; without it,
    /// so does the project that `-C` names.
    pub dir: Option<PathBuf>,
    /// Records of all files together: 10000000, 10M or 250k.
    #[arg(long, value_name = "N", value_parser = rows)]
    pub rows: u64,
    /// The first day, or the month or year that it begins.
    #[arg(long, value_name = "DAY", default_value = "2022-01", value_parser = period)]
    pub from: Period,
    /// The last day, or the month or year that it ends.
    #[arg(long, value_name = "DAY", default_value = "2022-12", value_parser = period)]
    pub to: Period,
    /// The same seed (and the same flags) gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// People; each has an e-mail. Without it one for 200 rows, from 100 to 50,000.
    #[arg(long, value_name = "N")]
    pub users: Option<NonZeroU32>,
    /// Rows without e-mail, as many without country, and as many without address of a machine, such as 5%.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub nulls: Option<Rate>,
    /// Records that are refused, for five reasons in turn.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub rejects: Option<Rate>,
    /// Rows with an id that came before; 1% without it.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub repeated_ids: Option<Rate>,
    /// Rows of the day before or after the month of their file; 1% without it.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub spill: Option<Rate>,
    /// Rows with quotes inside a quoted field.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub escaped_quotes: Option<Rate>,
    /// Rows with a line break inside a quoted field.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub line_breaks: Option<Rate>,
    /// Rows with a blank line behind them.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub blank_lines: Option<Rate>,
    /// Every file has its columns in an order of its own.
    #[arg(long)]
    pub shuffle_columns: bool,
    /// Lines end with a carriage return and a line feed.
    #[arg(long)]
    pub crlf: bool,
    /// Files begin with a byte order mark.
    #[arg(long)]
    pub bom: bool,
    /// How many threads make rows; without it, one for each processor. It changes no byte.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Replace files that are there already.
    #[arg(long)]
    pub force: bool,
}

/// `250k`, `10M`, `10_000_000`.
fn rows(text: &str) -> Result<u64, String> {
    let units = [("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let unit = units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let (digits, size) = unit.unwrap_or((text, 1));
    let number = digits.replace(['_', ','], "").parse::<u64>().ok();
    number.and_then(|number| number.checked_mul(size)).ok_or_else(|| "write 10000000, 10M or 250k".to_owned())
}

fn rate(text: &str) -> Result<Rate, String> {
    text.parse().map_err(|_| "write a percentage with at most four decimals, such as 5% or 0.25%".to_owned())
}

fn period(text: &str) -> Result<Period, String> {
    let period = text.parse::<Period>().ok().filter(|period| *period != Period::All);
    period.ok_or_else(|| "write 2022-01-31 (day), 2022-01 (month) or 2022 (year)".to_owned())
}

/// Runs the subcommand.
pub fn generate(cli: &Cli, command: &GenerateCommand, stop: &CancellationToken) -> Result<Exit, Failure> {
    let GenerateCommand::Events(args) = command;
    let printer = Printer::new(cli);
    let place = Place::find(cli, args)?;
    let writing = Writing {
        threads: args.threads.or(NonZeroUsize::new(surroundings::processors())).unwrap_or(NonZeroUsize::MIN),
        existing: if args.force { Existing::Replace } else { Existing::Refuse },
    };
    let bar = bar(printer, args.rows);
    let mut progress = |at: Progress| {
        bar.set_position(at.rows);
        if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let written = write_events(&plan(args), &place.folder, writing, &mut progress);
    bar.finish_and_clear();
    let answers = written.map_err(|error| in_words_of_flags(error, &place))?;
    tell(printer, &place, &answers)?;
    Ok(Exit::Done)
}

fn plan(args: &EventsArgs) -> Plan {
    let mut plan = Plan::new(args.rows, bounds(args.from).0, bounds(args.to).1, args.seed);
    let usual = Shares::default();
    plan.users = args.users;
    plan.shares = Shares {
        empty_emails: args.nulls.unwrap_or(usual.empty_emails),
        empty_countries: args.nulls.unwrap_or(usual.empty_countries),
        empty_addresses: args.nulls.unwrap_or(usual.empty_addresses),
        repeated_ids: args.repeated_ids.unwrap_or(usual.repeated_ids),
        spill: args.spill.unwrap_or(usual.spill),
        escaped_quotes: args.escaped_quotes.unwrap_or(usual.escaped_quotes),
        line_breaks: args.line_breaks.unwrap_or(usual.line_breaks),
        blank_lines: args.blank_lines.unwrap_or(usual.blank_lines),
        ..usual
    };
    plan.faults = args.rejects.map_or_else(Faults::default, Faults::evenly);
    if args.crlf {
        plan.line_end = LineEnd::CrLf;
    }
    if args.bom {
        plan.file_start = FileStart::ByteOrderMark;
    }
    if args.shuffle_columns {
        plan.column_order = ColumnOrder::Shuffled;
    }
    plan
}

/// The first and the last day of a period that is not `all`.
fn bounds(period: Period) -> (Date, Date) {
    let (first, end) = period.days().unwrap_or((Date::MIN, Date::MAX));
    (first, end.yesterday().unwrap_or(first))
}

/// Where the files go.
struct Place {
    folder: PathBuf,
    /// The project whose data they become, as the user named it.
    project: Option<PathBuf>,
}

impl Place {
    fn find(cli: &Cli, args: &EventsArgs) -> Result<Self, Failure> {
        let named = args.dir.as_ref().unwrap_or(&cli.directory);
        if named.join("stillhouse.toml").is_file() {
            let is_here = named == Path::new(".");
            let folder = if is_here { PathBuf::from("data") } else { named.join("data") };
            return Ok(Self { folder, project: Some(named.clone()) });
        }
        if args.dir.is_none() {
            let message = format!("`{}` is no project, and no folder is named", named.display());
            return Err(Failure::usage(message).hint("name a folder: `stillhouse generate events DIR --rows N`"));
        }
        let parent =
            named.parent().filter(|parent| named.ends_with("data") && parent.join("stillhouse.toml").is_file());
        let project = parent.map(|parent| if parent == Path::new("") { PathBuf::from(".") } else { parent.to_owned() });
        Ok(Self { folder: named.clone(), project })
    }

    /// What to type next.
    fn next(&self) -> Vec<String> {
        match &self.project {
            Some(project) if project == Path::new(".") => vec!["stillhouse run all".to_owned()],
            Some(project) => vec![format!("stillhouse -C {} run all", project.display())],
            None => vec![
                "stillhouse init my-project --template events --no-data".to_owned(),
                format!("mv {} my-project/data", self.folder.display()),
                "stillhouse -C my-project run all".to_owned(),
            ],
        }
    }

    /// Event files that the template would load, too, and that the answers know nothing of.
    fn others(&self, answers: &Answers) -> Vec<String> {
        let names = |folder: &Path| -> Vec<String> {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let is_number = |name: &String, digits: usize| name.len() == digits && name.bytes().all(|b| b.is_ascii_digit());
        let mut others = Vec::new();
        for year in names(&self.folder).into_iter().filter(|name| is_number(name, 4)) {
            for month in names(&self.folder.join(&year)).into_iter().filter(|name| is_number(name, 2)) {
                let path = format!("{year}/{month}/events.csv");
                let known = answers.files.iter().any(|file| file.path == path);
                if !known && self.folder.join(&path).is_file() {
                    others.push(path);
                }
            }
        }
        others.sort();
        others
    }
}

fn in_words_of_flags(error: stillhouse_generate::Error, place: &Place) -> Failure {
    let exists = error.to_string().ends_with("exists already");
    let failure = Failure::from(error);
    match (exists, &place.project) {
        (true, Some(_)) => failure.hint("replace what was generated there before: `--force`"),
        (true, None) => failure.hint("name another folder, or replace the files: `--force`"),
        _ => failure,
    }
}

fn bar(printer: Printer, rows: u64) -> ProgressBar {
    if !printer.talks() || !surroundings::progress_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(rows);
    // Fits into 80 columns up to 100 billion rows.
    match ProgressStyle::with_template("generating {bar:24} {human_pos:>13} of {human_len} rows {eta:>5}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The template holds a file with a larger share of refused records.
const REFUSED_MAX: f64 = 0.01;

fn tell(printer: Printer, place: &Place, answers: &Answers) -> Result<(), Failure> {
    let sum = |of: fn(&stillhouse_generate::FileAnswers) -> u64| answers.files.iter().map(of).sum::<u64>();
    let (records, loads, size) = (sum(|file| file.records), sum(|file| file.rows), sum(|file| file.bytes));
    let refused = records - loads;
    let answers_file = place.folder.join(ANSWERS_FILE);
    let (next, others) = (place.next(), place.others(answers));
    if printer.json() {
        return printer.value(&json!({
            "format": 1, "folder": place.folder, "answers": answers_file, "plan": answers.plan, "files": answers.files,
            "records": records, "rows": loads, "refused": refused, "bytes": size, "other_files": others, "next": next,
        }));
    }
    let files = plural(answers.files.len() as u64, "file");
    let mut text = format!("{}: {files}, {}, {}\n", place.folder.display(), plural(records, "record"), bytes(size));
    let Plan { from, to, seed, .. } = answers.plan;
    let users = plural(u64::from(answers.plan.users()), "user");
    text.push_str(&format!("  {from} to {to}, seed {seed}, {users}\n"));
    text.push_str(&format!(
        "  {} will load, {} will be refused ({})\n",
        count(loads),
        count(refused),
        percent(refused, records)
    ));
    for (reason, number) in reasons(answers) {
        text.push_str(&format!("    {reason}: {}\n", count(number)));
    }
    text.push_str(&format!("  what the report must say: {}\n", answers_file.display()));
    printer.tell(text)?;
    if answers.files.iter().any(|file| (file.records - file.rows) as f64 > REFUSED_MAX * file.records as f64) {
        printer.say(
            "note: more than 1% of a file is refused, so the template `events` holds it: raise its `max_rejected`",
        );
    }
    if let Some(first) = others.first() {
        let rest =
            if others.len() > 1 { format!(" and {} more", count(others.len() as u64 - 1)) } else { String::new() };
        printer.say(format!("note: {first}{rest} lay there before; the answers do not count such files"));
    }
    printer.say(format!("\nnext:\n  {}", next.join("\n  ")));
    Ok(())
}

/// Refused records of all files by reason.
fn reasons(answers: &Answers) -> std::collections::BTreeMap<&str, u64> {
    let mut sums = std::collections::BTreeMap::new();
    for (reason, number) in answers.files.iter().flat_map(|file| &file.rejects) {
        *sums.entry(reason.as_str()).or_default() += number;
    }
    sums
}
