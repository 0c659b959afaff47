//! Event files with known answers, in the shape of the `events` template.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use crate::project::make_parent;
use crate::random::Random;

const HEADER: &str = "id,timestamp,email,country,ip,uri,action,tags\n";
const ACTIONS: &[&str] = &["click", "login", "purchase", "search", "visit"];
// One country with a comma, one with an apostrophe, one that is not ASCII, one that is empty.
const COUNTRIES: &[&str] = &["Germany", "\"Korea, Republic of\"", "Cote d'Ivoire", "Türkiye", ""];
const DOMAINS: &[&str] = &["acme.com", "wells.biz", "mail.shop.co.uk", "gmail.com", "example.org"];
const TAGS: &[&str] = &["run", "walk", "tea, green", "blue", "weight"];

/// What the rows of one or several files must add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Rows; every one has an id of its own.
    pub rows: u64,
    /// Rows by day (`2021-04-05`).
    pub days: BTreeMap<String, u64>,
    /// Rows by action.
    pub actions: BTreeMap<String, u64>,
    /// Tags of all rows: the rows of the child table.
    pub tags: u64,
}

impl AddAssign<&Answers> for Answers {
    fn add_assign(&mut self, other: &Answers) {
        self.rows += other.rows;
        self.tags += other.tags;
        for (day, rows) in &other.days {
            *self.days.entry(day.clone()).or_default() += rows;
        }
        for (action, rows) in &other.actions {
            *self.actions.entry(action.clone()).or_default() += rows;
        }
    }
}

/// A file and its answers.
#[derive(Debug, Clone)]
pub struct EventsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What its rows add up to.
    pub answers: Answers,
}

/// Makes event files. Ids go on from file to file, so no two rows of one generator have the same.
#[derive(Debug)]
pub struct Events {
    random: Random,
    next_id: u64,
}

impl Events {
    /// A generator; the same seed and calls give the same bytes.
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), next_id: 1 }
    }

    /// One file whose rows are of that month, streamed to the disk, about 115 bytes a row.
    pub fn write_file(&mut self, path: &Path, year: u32, month: u32, rows: u64) -> EventsFile {
        make_parent(path);
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut out = BufWriter::new(file);
        let mut answers = Answers::default();
        let mut bytes = 0;
        let mut line = HEADER.to_owned();
        for _ in 0..rows {
            self.row(&mut line, year, month, &mut answers);
            bytes += write_line(&mut out, &mut line, path);
        }
        bytes += write_line(&mut out, &mut line, path); // the header of a file without rows
        out.flush().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        EventsFile { path: path.to_owned(), bytes, answers }
    }

    /// `data/{yyyy}/{MM}/events.csv` below `folder` for that many months from January of `first_year` on.
    pub fn write_months(&mut self, folder: &Path, first_year: u32, months: u32, rows_each: u64) -> Vec<EventsFile> {
        let months = (0..months).map(|month| (first_year + month / 12, month % 12 + 1));
        months
            .map(|(year, month)| {
                let path = folder.join(format!("data/{year:04}/{month:02}/events.csv"));
                self.write_file(&path, year, month, rows_each)
            })
            .collect()
    }

    fn row(&mut self, line: &mut String, year: u32, month: u32, answers: &mut Answers) {
        let random = &mut self.random;
        // Every month has 28 days.
        let day = format!("{year:04}-{month:02}-{:02}", 1 + random.below(28));
        let time = if random.below(8) == 0 { format!("T{:02}:30:00Z", random.below(24)) } else { String::new() };
        let (domain, country, action) = (random.pick(DOMAINS), random.pick(COUNTRIES), random.pick(ACTIONS));
        let (user, octet) = (random.below(500), random.below(256));
        let tags: Vec<String> = (0..random.below(4)).map(|_| format!("'{}'", random.pick(TAGS))).collect();
        let id = self.next_id;
        line.push_str(&format!(
            "e-{id:010},{day}{time},user{user}@{domain},{country},10.1.2.{octet},index/{octet},{action},\"[{}]\"\n",
            tags.join(", ")
        ));
        self.next_id += 1;
        answers.rows += 1;
        answers.tags += u64::try_from(tags.len()).expect("a few tags");
        *answers.days.entry(day).or_default() += 1;
        *answers.actions.entry(action.to_owned()).or_default() += 1;
    }
}

/// A file whose first byte is a quote that never closes, with `columns` fields a line below it, of at least that length.
pub fn write_unclosed_quote(path: &Path, columns: u32, bytes_min: u64) {
    make_parent(path);
    let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut out = BufWriter::new(file);
    let names: Vec<String> = (0..columns).map(|column| format!("column_{column}")).collect();
    let mut line = format!("\"{}\n", names.join(","));
    let values = vec!["12.5"; names.len()].join(",");
    let mut bytes = 0;
    while bytes < bytes_min {
        bytes += write_line(&mut out, &mut line, path);
        line.push_str(&values);
        line.push('\n');
    }
    out.flush().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Writes and empties the line; its length.
fn write_line(out: &mut impl Write, line: &mut String, path: &Path) -> u64 {
    out.write_all(line.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bytes = u64::try_from(line.len()).expect("a line fits into 64 bits");
    line.clear();
    bytes
}
