//! `stillhouse sniff`: a source file for files of the user's own.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use stillhouse_decode::{ByteSource, SourceError};
use stillhouse_sniff::{FileFacts, Input, Note, Options, Proposal, inside, propose};

use crate::cli::{Cli, SniffArgs};
use crate::failure::{Exit, Failure};
use crate::printer::Printer;
use crate::project_folder::ProjectFolder;
use crate::table::Table;
use crate::text::{bytes, count, plural};

/// Reading more than this takes long enough to be announced.
const LONG_BYTES: u64 = 200_000_000;

/// Looks at the files, and prints or writes a source for them.
pub fn sniff(cli: &Cli, args: &SniffArgs) -> Result<Exit, Failure> {
    let printer = Printer::new(cli);
    let root = cli.directory.canonicalize().ok().filter(|root| root.join("stillhouse.toml").is_file());
    // Before a long look at the files: can the outcome be written at all?
    let folder = if args.write { Some(ProjectFolder::open(&cli.directory)?) } else { None };
    let inputs = inputs(cli, args, root.as_deref())?;
    let long: u64 = inputs.iter().map(|(_, length)| *length).sum();
    if long > LONG_BYTES {
        printer.say(format!("looking at {} …", bytes(long)));
    }
    let inputs: Vec<Input<'_>> = inputs.into_iter().map(|(input, _)| input).collect();
    let proposal = propose(&inputs, &Options { name: args.name.clone(), ..Options::default() })?;
    let written = match &folder {
        Some(folder) => Some(write(folder, &proposal)?),
        None => None,
    };
    if printer.json() {
        let mut value = serde_json::to_value(&proposal)
            .map_err(|error| Failure::failed("the proposal cannot be written as JSON").because(&error))?;
        value["format"] = json!(1);
        value["written"] = json!(written);
        printer.value(&value)?;
    } else if args.explain {
        printer.tell(explanation(&proposal))?;
    } else if let Some(path) = &written {
        printer.tell(summary(&proposal, path))?;
    } else {
        printer.out(&proposal.source)?;
    }
    if !printer.json() {
        next(cli, args, &proposal, folder.as_ref(), printer);
    }
    Ok(Exit::Done)
}

/// What the user named, opened when it is needed, with its length.
fn inputs(cli: &Cli, args: &SniffArgs, root: Option<&Path>) -> Result<Vec<(Input<'static>, u64)>, Failure> {
    let mut inputs = Vec::new();
    for named in &args.files {
        let shown = named.display().to_string();
        let place = if named.exists() { named.clone() } else { cli.directory.join(named) };
        let unreadable = |error: std::io::Error| {
            let failure = Failure::usage(format!("`{shown}` cannot be opened")).because(&error);
            match error.kind() {
                std::io::ErrorKind::NotFound => failure.hint("name a file, relative to here or to the project folder"),
                _ => failure,
            }
        };
        let metadata = place.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Failure::usage(format!("`{shown}` is a folder"))
                .hint(format!("name files in it, for example `stillhouse sniff {shown}/*.csv`")));
        }
        File::open(&place).map_err(unreadable)?;
        let modified = metadata.modified().map_err(unreadable)?;
        let modified = jiff::Timestamp::try_from(modified).unwrap_or_default();
        let (path, outside) = key(named, &place, root);
        let input = Input {
            path,
            shown,
            outside,
            modified_year: modified.to_zoned(jiff::tz::TimeZone::UTC).year(),
            open: Box::new(move || Ok(Box::new(OpenFile::open(&place)?))),
        };
        inputs.push((input, metadata.len()));
    }
    Ok(inputs)
}

/// The path of a file as a source names it, and whether the file lies elsewhere.
fn key(named: &Path, place: &Path, root: Option<&Path>) -> (String, bool) {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    if let Some(root) = root {
        let absolute = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        return match absolute.strip_prefix(root) {
            Ok(inner) => (text(inner), false),
            Err(_) => (inside(&text(named)), true),
        };
    }
    let plain: PathBuf = named.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    let below = plain.is_relative() && !plain.components().any(|part| part == std::path::Component::ParentDir);
    if below { (text(&plain), false) } else { (inside(&text(named)), false) }
}

/// A file whose bytes are read where they are asked for.
pub struct OpenFile {
    file: File,
    length: u64,
}

impl OpenFile {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl ByteSource for OpenFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        Ok(self.file.read_at(buf, offset)?)
    }
}

/// Writes `sources/NAME.toml`, which must not exist; gives its path in the project.
fn write(folder: &ProjectFolder, proposal: &Proposal) -> Result<String, Failure> {
    let name = &proposal.name;
    let path = format!("sources/{name}.toml");
    let place = folder.root.join(&path);
    if place.exists() {
        return Err(Failure::usage(format!("`{path}` exists; it is not written over"))
            .hint("give the source another name with `--name NAME`, or remove the file"));
    }
    folder.check_with(name, &proposal.source)?;
    let failed = |error: std::io::Error| Failure::failed(format!("`{path}` cannot be written")).because(&error);
    std::fs::create_dir_all(folder.root.join("sources")).map_err(failed)?;
    let mut file = File::create_new(&place).map_err(failed)?;
    file.write_all(proposal.source.as_bytes()).map_err(failed)?;
    Ok(path)
}

fn summary(proposal: &Proposal, path: &str) -> String {
    let columns = plural(proposal.columns.len() as u64, "column");
    let mut text = format!("wrote `{path}`: {columns}, {}\n", doubts(proposal));
    text.push_str(&proposal.files.iter().map(outcome).collect::<String>());
    if proposal.doubts().next().is_some() {
        text.push('\n');
        text.push_str(&table(proposal.doubts(), "doubt"));
    }
    text
}

fn doubts(proposal: &Proposal) -> String {
    match proposal.doubts().count() {
        0 => "no doubt".to_owned(),
        number => plural(number as u64, "doubt"),
    }
}

/// How the trial of a file went.
fn outcome(file: &FileFacts) -> String {
    let FileFacts { path, loaded, refused, blank, .. } = file;
    let read = if file.read_bytes == file.bytes {
        format!("{}, read to the end", bytes(file.bytes))
    } else {
        format!("the first {} of {}", bytes(file.read_bytes), bytes(file.bytes))
    };
    let records = plural(loaded + refused, "record");
    let blank = if *blank > 0 { format!(", {}", plural(*blank, "blank line")) } else { String::new() };
    format!("{path}: {read}\n  {records}: {} would load, {} refused{blank}\n", count(*loaded), count(*refused))
}

fn explanation(proposal: &Proposal) -> String {
    let mut text: String = proposal.files.iter().map(outcome).collect();
    if proposal.doubts().next().is_some() {
        text.push_str(&format!("\n{}\n", table(proposal.doubts(), "doubt").trim_end()));
    }
    let decided = proposal.notes.iter().filter(|note| !note.doubt);
    text.push('\n');
    text.push_str(&table(decided, "decided"));
    text
}

fn table<'n>(notes: impl Iterator<Item = &'n Note>, name: &str) -> String {
    let mut table = Table::new(&[name, "why"]);
    table.long(&[1]);
    for note in notes {
        table.row(vec![note.about.clone(), note.text.clone()]);
    }
    table.render()
}

/// What a person would do next.
fn next(cli: &Cli, args: &SniffArgs, proposal: &Proposal, folder: Option<&ProjectFolder>, printer: Printer) {
    let files: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
    let in_project = cli.directory.join("stillhouse.toml").is_file();
    let mut text = String::new();
    if proposal.doubts().next().is_some() && !args.explain && !args.write {
        text.push_str(&format!("\n{}: look at the lines marked DOUBT; --explain says more\n", doubts(proposal)));
    }
    if let Some(folder) = folder {
        let commands = [folder.command("check"), folder.command(&format!("ingest {}", proposal.name))];
        text.push_str(&format!("\nnext:\n  {}", commands.join("\n  ")));
    } else if in_project {
        let place =
            if cli.directory == Path::new(".") { String::new() } else { format!("-C {} ", cli.directory.display()) };
        let few = if files.len() > 3 { "FILE …".to_owned() } else { files.join(" ") };
        text.push_str(&format!("\nnext:\n  stillhouse {place}sniff --write {few}"));
    } else {
        text.push_str(&format!("\nnext: save this text as sources/{}.toml of a project", proposal.name));
    }
    printer.say(text.trim_end());
}
