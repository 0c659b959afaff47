//! What files hold: lines whose fate is known under every contract, and rows that can be traced by their ids.

use std::fmt::Write as _;
use std::sync::Arc;

use stillhouse_spec::Source;

use crate::random::Random;

/// A value of the column `amount`, which decides what becomes of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// Every contract reads it.
    Number(i64),
    /// `n/a`: refused, until the contract is mended.
    Mendable,
    /// `??`: refused by every contract.
    Bad,
}

/// One line of a file after the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    Record { id: String, amount: Amount, day: u8, tags: u8 },
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Loaded,
    Quarantined,
    Filtered,
    Blank,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Contents with different numbers share no row.
    pub number: u32,
    /// Without a header, a file has no bytes at all, and cannot be read.
    pub header: bool,
    pub lines: Vec<Line>,
}

/// How many records may be refused. Written into the contracts too.
const REJECTED_PERCENT_MAX: u64 = 50;

/// How a source reads its files. A project's source file goes from one to another, forth and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contract {
    /// `n/a` is no amount.
    First,
    /// `n/a` is no value.
    Mended,
    /// And there may be a number in a column `extra`.
    Number,
    /// And there may be a text in a column `extra`: no table can have this and the former.
    Text,
}

pub(super) const CONTRACTS: [Contract; 4] = [Contract::First, Contract::Mended, Contract::Number, Contract::Text];

/// What is drawn when a file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Good,
    /// Some records are refused, and the others loaded.
    SomeBad,
    /// So many are refused that the file is held, at least until the contract is mended.
    TooBad,
    /// No record has tags: no row comes into the child table.
    NoTags,
    HeaderOnly,
    NoBytes,
}

impl Content {
    pub fn new(number: u32, quality: Quality, random: &mut Random) -> Self {
        let count = match quality {
            Quality::HeaderOnly | Quality::NoBytes => 0,
            _ => 2 + random.below(9),
        };
        let mut lines: Vec<Line> = (0..count).map(|row| record(number, row, quality, random)).collect();
        if count > 0 && random.below(4) == 0 {
            lines.insert(random.below(lines.len()), Line::Blank);
        }
        Self { number, header: quality != Quality::NoBytes, lines }
    }

    /// The bytes of the file.
    pub fn text(&self) -> String {
        if !self.header {
            return String::new();
        }
        let mut text = String::from("id,amount,day,tags\n");
        for line in &self.lines {
            let Line::Record { id, amount, day, tags } = line else {
                text.push('\n');
                continue;
            };
            let amount = match amount {
                Amount::Number(number) => number.to_string(),
                Amount::Mendable => "n/a".to_owned(),
                Amount::Bad => "??".to_owned(),
            };
            let tags: Vec<String> = (0..*tags).map(|tag| format!("t{tag}")).collect();
            let _ = writeln!(text, "{id},{amount},2021-04-{day:02},{}", tags.join("|"));
        }
        text
    }

    pub fn fate(line: &Line, contract: Contract) -> Fate {
        match line {
            Line::Blank => Fate::Blank,
            Line::Record { amount: Amount::Number(_), .. } => Fate::Loaded,
            Line::Record { amount: Amount::Mendable, .. } if contract >= Contract::Mended => Fate::Loaded,
            Line::Record { .. } => Fate::Quarantined,
        }
    }

    /// Whether nothing of it is loaded under this contract.
    pub fn is_held(&self, contract: Contract) -> bool {
        let count = |fate| self.lines.iter().filter(|line| Self::fate(line, contract) == fate).count() as u64;
        let (loaded, refused) = (count(Fate::Loaded), count(Fate::Quarantined));
        !self.header || refused * 100 > (loaded + refused) * REJECTED_PERCENT_MAX
    }

    /// Whether it has anything that could be loaded twice.
    pub fn has_records(&self) -> bool {
        !self.lines.is_empty()
    }
}

fn record(number: u32, row: usize, quality: Quality, random: &mut Random) -> Line {
    let refused = |random: &mut Random| if random.below(3) == 0 { Amount::Bad } else { Amount::Mendable };
    let good = Amount::Number(i64::try_from(random.below(1000)).expect("less than a thousand"));
    let amount = match quality {
        // The first row of a file tells what to expect of the others.
        Quality::SomeBad if row == 0 => refused(random),
        Quality::SomeBad if row > 1 && random.below(5) == 0 => refused(random),
        Quality::TooBad if row == 0 || random.below(5) > 0 => refused(random),
        Quality::TooBad if row == 1 => refused(random),
        _ => good,
    };
    let tags = match quality {
        Quality::NoTags => 0,
        _ => u8::try_from(random.below(4)).expect("less than four"),
    };
    let day = u8::try_from(1 + random.below(28)).expect("a day of a month");
    Line::Record { id: format!("c{number}r{row}"), amount, day, tags }
}

/// What a source does with changed, repeated and missing files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policies {
    pub on_change: &'static str,
    pub on_same_content: &'static str,
    pub on_missing: &'static str,
}

impl Policies {
    pub fn new(random: &mut Random) -> Self {
        Self {
            on_change: random.pick(&["replace", "replace", "replace", "append", "hold"]),
            on_same_content: random.pick(&["skip", "skip", "load"]),
            on_missing: random.pick(&["keep", "remove"]),
        }
    }
}

/// The two sources of every history. Both have a parent table, `events` has a child table as well, and `orders` a column
/// that is part of the path.
pub(super) const SOURCES: [&str; 2] = ["events", "orders"];

/// The source as a person would write it.
pub(super) fn source_text(name: &str, policies: Policies, contract: Contract) -> String {
    let Policies { on_change, on_same_content, on_missing } = policies;
    let nulls = if contract >= Contract::Mended { r#", null_values = "n/a""# } else { "" };
    let extra = match contract {
        Contract::First | Contract::Mended => "",
        Contract::Number => "extra = \"int64\"\n",
        Contract::Text => "extra = \"string\"\n",
    };
    let (month, child) = match name {
        "orders" => ("month = { type = \"string\", from = \"{MM}\" }\n", ""),
        _ => (
            "",
            "\n[[child]]\nname = \"event_tags\"\nfrom = \"events.tags[]\"\nitem = \"tag\"\ncopy = { id = \"id\" }\n",
        ),
    };
    format!(
        "format = 1\n[source]\npath = \"{name}/{{yyyy}}/{{MM}}/*.csv\"\ntype = \"csv\"\nsettle = \"0 s\"\n\
         on_change = \"{on_change}\"\non_same_content = \"{on_same_content}\"\non_missing = \"{on_missing}\"\n\
         [csv]\ndelimiter = \",\"\nheader = true\n\
         [table]\nname = \"{name}\"\ntime = \"day\"\nunknown_columns = \"ignore\"\nmissing_columns = \"null\"\n\
         max_rejected = \"{REJECTED_PERCENT_MAX}%\"\n[table.columns]\nid = {{ type = \"string\", required = true }}\n\
         amount = {{ type = \"int64\"{nulls} }}\nday = \"date\"\ntags = {{ type = \"list<string>\", list = {{ delimiter = \"|\" }} }}\n\
         {extra}{month}{child}"
    )
}

/// The parsed source.
pub(super) fn source(name: &str, policies: Policies, contract: Contract) -> Arc<Source> {
    let text = source_text(name, policies, contract);
    let parsed = Source::parse(name, &text, &|_| None);
    Arc::new(parsed.unwrap_or_else(|problems| panic!("a source of the simulation: {problems}")))
}
