//! From the texts of the project files to a [`Project`], without I/O.
//!
//! [`reader`] walks the TOML tree and knows which keys exist; `project`, `source`, `contract`, `nested`, `columns`, `checks`, `current` and `report`
//! know what the keys mean; `foreign` reads the tables that something else writes, `publish` what goes into databases; `cross` looks at what no single file can know. Every function notes what is wrong and
//! carries on, so that a person sees all of it at once.

mod chart;
mod checks;
mod columns;
mod contract;
mod cross;
mod csv;
mod current;
mod env;
mod file;
mod foreign;
mod json;
mod nested;
mod project;
mod publish;
mod reader;
mod report;
mod source;
mod units;

use std::cell::RefCell;

use crate::problem::{Problem, Problems};
use crate::project::{Project, ProjectFiles};
use crate::secret::Filled;
use crate::source::Source;

/// The form of the project files that this version reads.
pub const PROJECT_FORMAT: i64 = 1;

/// What the loading of all files shares.
struct Context<'a> {
    files: &'a ProjectFiles,
    env: &'a dyn Fn(&str) -> Option<String>,
    filled: RefCell<Filled>,
    problems: RefCell<Vec<Problem>>,
}

/// The proof that a problem was noted: whoever returns it has said to the user why.
#[derive(Debug, Clone, Copy)]
struct Reported(());

/// A value, or the proof that its absence was explained.
type Read<T> = Result<T, Reported>;

impl Context<'_> {
    fn note(&self, problem: Problem) -> Reported {
        self.problems.borrow_mut().push(problem);
        Reported(())
    }
}

impl Source {
    /// Reads one source file without the project that it belongs to, for example as it was when an object was loaded.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(name: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Source, Problems> {
        let path = format!("sources/{name}.toml");
        let files = ProjectFiles { files: [(path.clone(), text.to_owned())].into() };
        let context = Context { files: &files, env, filled: RefCell::default(), problems: RefCell::default() };
        let loaded = match source::files(&context).as_slice() {
            [Ok(file)] => source::load(file).map(|loaded| loaded.source),
            [Err(reported)] => Err(*reported),
            _ => Err(context.note(Problem {
                file: path,
                line: 1,
                column: 1,
                message: format!("expected the name of a source, found `{name}`"),
                hint: None,
            })),
        };
        match (loaded, Problems::new(context.problems.into_inner())) {
            (Ok(source), None) => Ok(source),
            (_, Some(problems)) => Err(problems),
            (Err(Reported(())), None) => unreachable!("`Reported` is only made by noting a problem"),
        }
    }
}

impl Project {
    /// Reads a project. `env` gives the value of an environment variable; `${NAME}` in a text is replaced by it.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once, with the values of the environment left out.
    pub fn parse(files: &ProjectFiles, env: &dyn Fn(&str) -> Option<String>) -> Result<Project, Problems> {
        let context = Context { files, env, filled: RefCell::default(), problems: RefCell::default() };
        let project = project::load(&context);
        match (project, Problems::new(context.problems.into_inner())) {
            (Ok(project), None) => Ok(project.with_filled(context.filled.into_inner())),
            (_, Some(problems)) => Err(problems),
            (Err(Reported(())), None) => unreachable!("`Reported` is only made by noting a problem"),
        }
    }
}
