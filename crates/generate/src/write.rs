//! Files and answers, into a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::answers::{Answers, FileAnswers};
use crate::calendar::{Month, months};
use crate::error::Error;
use crate::lanes::make_file;
use crate::months::Months;
use crate::plan::{FileStart, Plan};
use crate::pools::Pools;
use crate::recipe::Recipe;
use crate::row::Fault;
use crate::tally::FileTally;

/// The name of the answers beside the data.
pub const ANSWERS_FILE: &str = "answers.json";

/// How files are written; none of it changes what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    /// Threads that make rows, beside the calling one, which writes them.
    pub threads: NonZeroUsize,
    /// What becomes of files with the names of those that are written.
    pub existing: Existing,
}

/// What becomes of files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Nothing is generated if there is one.
    Refuse,
    /// They are replaced once all new files are complete.
    Replace,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that are written.
    pub rows: u64,
    /// Rows of the plan.
    pub rows_total: u64,
    /// Bytes that are written.
    pub bytes: u64,
}

/// Writes the files of `plan` and their answers into `folder`, which is made if it is not there. `progress` is called
/// every few thousand rows and can stop it.
///
/// Files have names that begin with a dot until all of them are complete, and are deleted after an error; a process that
/// was killed leaves names that no path template finds. The answers get their name last.
///
/// # Errors
/// The plan cannot be carried out, a file of that name exists already, the disk fails, or `progress` stopped it.
pub fn write_events(
    plan: &Plan,
    folder: &Path,
    writing: Writing,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Answers, Error> {
    plan.check()?;
    let months = months(plan);
    let mut drafts = Drafts::new(folder);
    if writing.existing == Existing::Refuse {
        drafts.refuse_existing(&months)?;
    }
    let pools = Pools::new(plan);
    let mut finished = Months::new(&pools.people);
    let mut files = Vec::with_capacity(months.len());
    let mut done = Progress { rows: 0, rows_total: plan.rows, bytes: 0 };
    for month in &months {
        let recipe = Recipe::new(plan, &pools, month);
        let mut draft = drafts.begin(&month_path(month))?;
        let before = done.bytes;
        done.bytes += draft.write(&opening(plan, &recipe))?;
        let tally = make_file(&recipe, writing.threads.get(), &mut |bytes, rows| {
            done.bytes += draft.write(bytes)?;
            done.rows += rows;
            if progress(done).is_break() { Err(Error::stopped()) } else { Ok(()) }
        })?;
        files.push(file_answers(month, done.bytes - before, &tally));
        finished.add_file(month.first, tally);
    }
    let plan = Plan { users: NonZeroU32::new(plan.users()), ..plan.clone() };
    let (months, all) = finished.finish();
    let answers = Answers { format: Answers::FORMAT, plan, files, months, all };
    let mut text = serde_json::to_vec_pretty(&answers).expect("keys are texts, and nothing else can fail in memory");
    text.push(b'\n');
    drafts.begin(ANSWERS_FILE)?.write(&text)?;
    drafts.publish()?;
    Ok(answers)
}

/// What stands before the first row.
fn opening(plan: &Plan, recipe: &Recipe<'_>) -> Vec<u8> {
    let mark: &[u8] = match plan.file_start {
        FileStart::Header => b"",
        FileStart::ByteOrderMark => b"\xEF\xBB\xBF",
    };
    [mark, recipe.header().as_bytes(), recipe.line_end].concat()
}

/// `2021/03/events.csv`.
fn month_path(month: &Month) -> String {
    format!("{:04}/{:02}/events.csv", month.first.year(), month.first.month())
}

fn file_answers(month: &Month, bytes: u64, tally: &FileTally) -> FileAnswers {
    let mut rejects = BTreeMap::new();
    for (fault, count) in Fault::ALL.into_iter().zip(tally.faults).filter(|(_, count)| *count > 0) {
        *rejects.entry(fault.reason().to_owned()).or_default() += count;
    }
    assert_eq!(tally.rows + rejects.values().sum::<u64>(), month.rows, "every record is a row or a reject");
    FileAnswers {
        path: month_path(month),
        bytes,
        records: month.rows,
        rows: tally.rows,
        rejects,
        blank: tally.blank,
        ids_repeated: tally.ids_repeated,
    }
}

/// Files under names that do not count yet. Dropped before they are published, they are deleted.
struct Drafts {
    folder: PathBuf,
    begun: Vec<(PathBuf, PathBuf)>,
}

/// A file that is being written.
struct Draft {
    file: File,
    path: PathBuf,
}

impl Drafts {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), begun: Vec::new() }
    }

    /// None of the files may exist: somebody else's data is not overwritten.
    fn refuse_existing(&self, months: &[Month]) -> Result<(), Error> {
        for name in months.iter().map(month_path).chain([ANSWERS_FILE.to_owned()]) {
            let path = self.folder.join(name);
            if path.try_exists().map_err(|error| Error::disk("look for", &path, error))? {
                let message = format!("{} exists already", path.display());
                return Err(Error::settings(
                    message,
                    "choose another folder or other months, or have the files replaced",
                ));
            }
        }
        Ok(())
    }

    fn begin(&mut self, name: &str) -> Result<Draft, Error> {
        let path = self.folder.join(name);
        let file_name = path.file_name().expect("names of files are not empty").to_string_lossy();
        let draft = path.with_file_name(format!(".{file_name}.part"));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::disk("make the folder", parent, error))?;
        }
        let file = File::create(&draft).map_err(|error| Error::disk("create", &draft, error))?;
        self.begun.push((draft.clone(), path));
        Ok(Draft { file, path: draft })
    }

    /// Gives every file its name, the answers last.
    fn publish(mut self) -> Result<(), Error> {
        for (draft, path) in &self.begun {
            fs::rename(draft, path).map_err(|error| Error::disk("rename", draft, error))?;
        }
        self.begun.clear();
        Ok(())
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        for (draft, _) in &self.begun {
            let _ = fs::remove_file(draft); // what went wrong is told already
        }
    }
}

impl Draft {
    /// How many bytes it wrote: all.
    fn write(&mut self, bytes: &[u8]) -> Result<u64, Error> {
        self.file.write_all(bytes).map_err(|error| Error::disk("write", &self.path, error))?;
        Ok(bytes.len() as u64)
    }
}
