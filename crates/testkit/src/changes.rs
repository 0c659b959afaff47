//! Change events with a known final state: inserts, updates and deletes as a feed hands them out, late, shuffled and
//! sometimes twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::random::Random;

const HEADER: &str = "op,id,updated_at,version,name,balance\n";
/// Names, and how CSV writes them.
const NAMES: &[(&str, &str)] = &[
    ("Ann", "Ann"),
    ("Bo, \"the other\"", "\"Bo, \"\"the other\"\"\""),
    ("Zoë", "Zoë"),
    ("", ""),
    ("O'Neil", "O'Neil"),
];
/// One change in so many is handed out a second time.
const REPEATED: usize = 50;
/// One change in so many comes in another file than its time says.
const LATE: usize = 10;

/// What is known of a customer after all changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `2024-01-01T00:00:00Z`; the same for several changes in a row.
    pub updated_at: String,
    /// Counts the changes of all customers.
    pub version: u64,
    /// Empty where none is stated.
    pub name: String,
    /// With two decimals.
    pub balance: String,
}

/// Files of changes, and what they come to.
#[derive(Debug, Clone)]
pub struct Changes {
    /// CSV texts, roughly in the order of time. In a file the lines are in no order.
    pub files: Vec<String>,
    /// Lines that are repeats of others, in the same file or another.
    pub repeats: u64,
    /// The customers that are there at the end, by id, whatever the order of files and lines.
    pub state: BTreeMap<String, Customer>,
    /// Ids that were there once, and are not any more.
    pub gone: Vec<String>,
}

impl Changes {
    /// So many changes in so many files; the same seed gives the same bytes.
    pub fn new(seed: u64, changes: u64, files: usize) -> Self {
        let mut random = Random::new(seed);
        let mut lines: Vec<Vec<String>> = vec![Vec::new(); files];
        let ids = usize::try_from(changes).expect("few enough changes") / 6 + 1;
        let mut state = BTreeMap::new();
        let mut gone = BTreeSet::new();
        let mut repeats = 0;
        for version in 0..changes {
            let id = format!("c-{:06}", random.below(ids));
            let line = change(&mut random, &id, version, &mut state, &mut gone);
            let own = usize::try_from(version * files as u64 / changes).expect("less than a usize");
            let file = if random.below(LATE) == 0 { random.below(files) } else { own };
            if random.below(REPEATED) == 0 {
                lines[random.below(files)].push(line.clone());
                repeats += 1;
            }
            lines[file].push(line);
        }
        let files = lines.into_iter().map(|mut lines| {
            shuffle(&mut random, &mut lines);
            format!("{HEADER}{}", lines.concat())
        });
        Self { files: files.collect(), repeats, state, gone: gone.into_iter().collect() }
    }
}

/// One line, and what it does to the state.
fn change(
    random: &mut Random,
    id: &str,
    version: u64,
    state: &mut BTreeMap<String, Customer>,
    gone: &mut BTreeSet<String>,
) -> String {
    let (day, second) = (1 + version / 5_760 % 28, version / 4 % 1_440 * 60);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let updated_at = format!("2024-02-{day:02}T{hour:02}:{minute:02}:00Z");
    let known = state.contains_key(id);
    if known && random.below(4) == 0 {
        state.remove(id);
        gone.insert(id.to_owned());
        // Most feeds say no more of what is gone than its key.
        return format!("{},{id},{updated_at},{version},,\n", random.pick(&["D", "delete"]));
    }
    let (name, written) = NAMES[random.below(NAMES.len())];
    let balance = format!("{}.{:02}", random.below(10_000), random.below(100));
    let line = format!("{},{id},{updated_at},{version},{written},{balance}\n", if known { "U" } else { "I" });
    gone.remove(id);
    state.insert(id.to_owned(), Customer { updated_at, version, name: name.to_owned(), balance });
    line
}

fn shuffle(random: &mut Random, lines: &mut [String]) {
    for last in (1..lines.len()).rev() {
        lines.swap(last, random.below(last + 1));
    }
}
