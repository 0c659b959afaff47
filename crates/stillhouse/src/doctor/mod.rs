//! `stillhouse doctor`: what is fine around a project, what is not, and what to do.
//!
//! It changes nothing that stays: what has to be tried is tried in a folder that is removed again. A project that is not
//! valid is one finding among others; what needs no project is looked at all the same.

mod disk;
mod lake;
mod ledger;
mod machine;
mod memory;
mod memory_limit;
mod project;

use serde::Serialize;

/// How a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth knowing; everything works.
    Note,
    /// Something does not work, or will not.
    Problem,
}

impl State {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Note => "note",
            State::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `lake`, `ledger`, …
    pub area: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do.
    pub next: Option<String>,
}

impl Finding {
    fn ok(area: &'static str, found: impl Into<String>) -> Self {
        Self { area, state: State::Ok, found: found.into(), next: None }
    }

    fn note(area: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { area, state: State::Note, found: found.into(), next: Some(next.into()) }
    }

    fn problem(area: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { area, state: State::Problem, found: found.into(), next: Some(next.into()) }
    }

    /// A problem that an error of ours has said already.
    fn of_failure(area: &'static str, failure: crate::failure::Failure) -> Self {
        let mut found = failure.message;
        for cause in failure.causes {
            found.push_str(&format!(": {cause}"));
        }
        Self { area, state: State::Problem, found, next: failure.hint }
    }
}

/// Looks at everything, in the order in which a person would mend it.
pub async fn look(directory: &std::path::Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folder = project::look(directory, &mut findings);
    let limits = folder.as_ref().map(|folder| folder.project.limits.clone());
    if let Some(folder) = &folder {
        let lake = lake::look(folder, &mut findings).await;
        ledger::look(folder, lake.as_ref(), &mut findings).await;
        project::sources(folder, &mut findings).await;
        project::publications(folder, &mut findings).await;
    }
    memory::look(&limits.unwrap_or_default(), &mut findings);
    machine::look(folder.as_ref(), &mut findings);
    if let Some(folder) = &folder {
        for finding in &mut findings {
            finding.found = folder.project.mask(&finding.found).into_owned();
            finding.next = finding.next.take().map(|next| folder.project.mask(&next).into_owned());
        }
    }
    findings
}
