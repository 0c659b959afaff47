//! The project's own files: are they valid, and do they find anything?

use std::sync::Arc;

use std::path::Path;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use stillhouse_ingest::discover;
use stillhouse_spec::Period;

use super::{Finding, disk};
use crate::project_folder::ProjectFolder;
use crate::publishing;
use crate::text::plural;

/// Opens the project; without one there is only a finding.
pub fn look(directory: &Path, findings: &mut Vec<Finding>) -> Option<ProjectFolder> {
    match ProjectFolder::open(directory) {
        Ok(folder) => {
            let project = &folder.project;
            let (sources, reports) = (project.sources.len() as u64, project.reports.len() as u64);
            let found = format!("{}: {}, {}", project.name, plural(sources, "source"), plural(reports, "report"));
            findings.push(match sources {
                0 => Finding::note("project", found, "a project needs a source: `stillhouse sniff FILE` proposes one"),
                _ => Finding::ok("project", found),
            });
            Some(folder)
        }
        Err(failure) => {
            findings.push(Finding::of_failure("project", failure));
            None
        }
    }
}

/// Whether the paths of the sources match any file.
pub async fn sources(folder: &ProjectFolder, findings: &mut Vec<Finding>) {
    let store = match LocalFileSystem::new_with_prefix(&folder.root) {
        Ok(store) => Arc::new(store) as Arc<dyn ObjectStore>,
        Err(error) => {
            let found = format!("the project folder cannot be read: {error}");
            findings.push(Finding::problem("sources", found, "give the user of this program the right to read it"));
            return;
        }
    };
    for source in &folder.project.sources {
        let (name, path) = (&source.name, source.path.as_str());
        let listing = match discover(&store, source, Period::All).await {
            Ok(listing) => listing,
            Err(error) => {
                findings.push(Finding::of_failure("sources", error.into()));
                continue;
            }
        };
        let (is, like, thing) =
            if source.path.is_of_folders() { ("a file", "a folder", "folder") } else { ("a folder", "a file", "file") };
        for named in &listing.misplaced {
            let found = format!("{name}: `{named}` is {is} that is named like {like} of the source");
            findings.push(Finding::note(
                "sources",
                found,
                "rename it, or correct `path` in the source file: with `/` at its end it is about folders",
            ));
        }
        findings.push(match listing.objects.len() {
            0 => Finding::note(
                "sources",
                format!("{name}: no {thing} matches `{path}`"),
                format!("put a {thing} there, or correct `path` in sources/{name}.toml"),
            ),
            objects => Finding::ok("sources", format!("{name}: {} for `{path}`", plural(objects as u64, thing))),
        });
    }
}

/// Whether the databases that are published to can be opened and written.
pub async fn publications(folder: &ProjectFolder, findings: &mut Vec<Finding>) {
    let mut seen = std::collections::BTreeSet::new();
    for publication in &folder.project.publications {
        let path = folder.resolve(publication.to.expose_path());
        if !seen.insert(path.clone()) {
            continue;
        }
        let to = &publication.to;
        if let Some(name) = publishing::network(&path) {
            let found = format!("`{to}` is on the network file system {name}, where SQLite's locks do not hold");
            findings.push(Finding::problem("publish", found, "publish into a file on a local disk"));
            continue;
        }
        disk::look("publish", path.parent().unwrap_or(&folder.root), findings);
        let mut database = stillhouse_publish::open_sqlite(&path);
        let entries = database.entries().await;
        let closed = database.close().await;
        findings.push(match entries.and_then(|entries| closed.map(|()| entries)) {
            Err(error) => {
                let failure = crate::failure::Failure::from(error);
                let finding = Finding::of_failure("publish", failure);
                Finding { found: format!("`{to}`: {}", finding.found), ..finding }
            }
            Ok(entries) if entries.is_empty() => {
                Finding::ok("publish", format!("`{to}`: nothing is published there yet; the next run does it"))
            }
            Ok(entries) => {
                let tables: std::collections::BTreeSet<&str> =
                    entries.iter().map(|entry| entry.table.as_str()).collect();
                Finding::ok("publish", format!("`{to}`: {}", plural(tables.len() as u64, "table")))
            }
        });
    }
}
