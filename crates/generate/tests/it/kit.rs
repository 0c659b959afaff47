//! What the tests share.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;

use jiff::civil::{Date, date};
use stillhouse_generate::{Answers, Error, Existing, Faults, Plan, Progress, Rate, Writing, write_events};
use tempfile::TempDir;

/// What a plan came to.
pub(crate) struct Made {
    pub(crate) folder: TempDir,
    pub(crate) answers: Answers,
}

pub(crate) fn make(plan: &Plan) -> Made {
    make_with(plan, 1)
}

pub(crate) fn make_with(plan: &Plan, threads: usize) -> Made {
    let folder = TempDir::new().unwrap();
    let answers = write(plan, folder.path(), threads).unwrap();
    Made { folder, answers }
}

/// Writes over nothing, and does not look at the progress.
pub(crate) fn write(plan: &Plan, folder: &Path, threads: usize) -> Result<Answers, Error> {
    write_events(plan, folder, writing(threads, Existing::Refuse), &mut go_on)
}

pub(crate) fn writing(threads: usize, existing: Existing) -> Writing {
    Writing { threads: NonZeroUsize::new(threads).unwrap(), existing }
}

pub(crate) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

impl Made {
    /// Every file by its path from the folder on.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), "", &mut files);
        files
    }

    pub(crate) fn rows(&self) -> u64 {
        self.answers.files.iter().map(|file| file.rows).sum()
    }

    /// The lines behind the header of all files.
    pub(crate) fn lines(&self) -> Vec<String> {
        let files =
            self.answers.files.iter().map(|file| fs::read_to_string(self.folder.path().join(&file.path)).unwrap());
        files.flat_map(|text| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// Three months, one of them with a leap day.
pub(crate) fn quarter(rows: u64, seed: u64) -> Plan {
    Plan::new(rows, date(2024, 1, 1), date(2024, 3, 31), seed)
}

/// The same with everything that a plan can ask for.
pub(crate) fn faulty_quarter(rows: u64, seed: u64) -> Plan {
    let mut plan = quarter(rows, seed);
    plan.faults = Faults::evenly(rate("2%"));
    plan.shares.blank_lines = rate("0.1%");
    plan
}

pub(crate) fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}
