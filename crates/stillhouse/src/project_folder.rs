//! The project folder: found, read, parsed.

use std::path::{Path, PathBuf};

use stillhouse_spec::{Project, ProjectFiles};

use crate::failure::Failure;
use crate::surroundings;

/// A valid project and where it lies.
#[derive(Debug)]
pub struct ProjectFolder {
    /// Absolute.
    pub root: PathBuf,
    /// What its files say.
    pub project: Project,
    files: ProjectFiles,
    /// As the user named it.
    named: PathBuf,
}

/// A project file larger than this is surely something else.
const FILE_BYTES_MAX: u64 = 4 << 20;

impl ProjectFolder {
    /// Reads and parses the project at `dir`.
    pub fn open(dir: &Path) -> Result<Self, Failure> {
        let root = dir.canonicalize().map_err(|error| {
            Failure::usage(format!("folder `{}` cannot be opened", dir.display()))
                .because(&error)
                .hint("name the project folder with `-C DIR`, or make one with `stillhouse init DIR --template events`")
        })?;
        if !root.join("stillhouse.toml").is_file() {
            return Err(Failure::usage(format!("`{}` is no project: it has no stillhouse.toml", dir.display())).hint(
                "name the project folder with `-C DIR`, or make one with `stillhouse init DIR --template events`",
            ));
        }
        let files = read(&root)?;
        let project = Project::parse(&files, &surroundings::variable).map_err(|problems| {
            Failure::usage(problems.to_string()).hint("mend the file, then see with `stillhouse check`")
        })?;
        Ok(Self { root, project, files, named: dir.to_owned() })
    }

    /// The source file as the user wrote it.
    pub fn source_text(&self, name: &str) -> Option<&str> {
        self.files.files.get(&format!("sources/{name}.toml")).map(String::as_str)
    }

    /// Whether the project would be valid with one more source file.
    pub fn check_with(&self, name: &str, text: &str) -> Result<(), Failure> {
        let mut files = self.files.clone();
        files.files.insert(format!("sources/{name}.toml"), text.to_owned());
        Project::parse(&files, &surroundings::variable).map(|_| ()).map_err(|problems| {
            Failure::usage(problems.to_string()).hint("give the source another name with `--name NAME`")
        })
    }

    /// The key of a file that the user named: `./data/a.csv` and its full path are `data/a.csv`. So is `data/a.csv/`: keys of
    /// folders have no `/` at the end.
    pub fn key(&self, named: &str) -> String {
        let relative = Path::new(named).strip_prefix(&self.root).unwrap_or(Path::new(named));
        let relative = relative.strip_prefix(".").unwrap_or(relative);
        relative.to_string_lossy().trim_end_matches('/').to_owned()
    }

    /// A command on this project that can be pasted as it is.
    pub fn command(&self, words: &str) -> String {
        if self.named == Path::new(".") {
            return format!("stillhouse {words}");
        }
        format!("stillhouse -C {} {words}", self.named.display())
    }

    /// A path of the settings: relative ones start at the project folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

fn read(root: &Path) -> Result<ProjectFiles, Failure> {
    let mut files = ProjectFiles::default();
    read_file(root, "stillhouse.toml", &mut files)?;
    for name in names(root, "sources")? {
        if name.ends_with(".toml") {
            read_file(root, &format!("sources/{name}"), &mut files)?;
        }
    }
    for report in names(root, "reports")? {
        for name in names(root, &format!("reports/{report}"))? {
            if name == "report.toml" || name.ends_with(".sql") {
                read_file(root, &format!("reports/{report}/{name}"), &mut files)?;
            }
        }
    }
    Ok(files)
}

/// The names in a folder, sorted; none where there is no such folder.
fn names(root: &Path, folder: &str) -> Result<Vec<String>, Failure> {
    let path = root.join(folder);
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |error: std::io::Error| Failure::usage(format!("`{folder}` cannot be read")).because(&error);
    let mut names = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read_file(root: &Path, name: &str, files: &mut ProjectFiles) -> Result<(), Failure> {
    let path = root.join(name);
    let unreadable = |error: std::io::Error| Failure::usage(format!("`{name}` cannot be read")).because(&error);
    if path.metadata().map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(Failure::usage(format!("`{name}` is larger than 4 MB; project files are short texts")));
    }
    files.files.insert(name.to_owned(), std::fs::read_to_string(&path).map_err(unreadable)?);
    Ok(())
}
