//! `stillhouse sniff`: a source file for files of the user's own.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use stillhouse_sniff::{FileFacts, Input, Note, Options, Proposal, propose};
use stillhouse_spec::MAX_RECORD_BYTES_DEFAULT;

use crate::cli::{Cli, SniffArgs};
use crate::failure::{Exit, Failure};
use crate::looked_at::{Desk, NamedFile, spill_folder};
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
    let mut files = Vec::new();
    for named in &args.files {
        files.extend(NamedFile::all(named, &cli.directory, root.as_deref())?);
    }
    let proposal = look(&files, args, root.as_deref(), printer)?;
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

/// Proposes a source for the files.
fn look(files: &[NamedFile], args: &SniffArgs, root: Option<&Path>, printer: Printer) -> Result<Proposal, Failure> {
    let long: u64 = files.iter().map(NamedFile::own_bytes).sum();
    if long > LONG_BYTES {
        printer.say(format!("looking at {} …", bytes(long)));
    }
    // The last record may begin just before that.
    let options = Options { name: args.name.clone(), ..Options::default() };
    let enough = options.bytes_max + MAX_RECORD_BYTES_DEFAULT;
    let folder = spill_folder(root);
    let desk = Desk::new(&folder, Some(enough));
    let inputs: Vec<Input<'_>> = files.iter().map(|file| desk.input(file)).collect();
    Ok(propose(&inputs, &options)?)
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
    let packed = file.packing.as_ref().map(|packing| format!(" out of {packing}")).unwrap_or_default();
    let encoded = match file.encoding {
        None | Some("utf-8") => String::new(),
        Some(encoding) => format!(", {encoding}"),
    };
    let read = if file.read_bytes == file.bytes {
        format!("{}{packed}{encoded}, read to the end", bytes(file.bytes))
    } else {
        let all = if file.packing.is_some() { "the unpacked file".to_owned() } else { bytes(file.bytes) };
        format!("the first {} of {all}{packed}{encoded}", bytes(file.read_bytes))
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
        let name = args.name.as_ref().map(|name| format!("--name {name} ")).unwrap_or_default();
        text.push_str(&format!("\nnext:\n  stillhouse {place}sniff --write {name}{few}"));
    } else {
        text.push_str(&format!("\nnext: save this text as sources/{}.toml of a project", proposal.name));
    }
    printer.say(text.trim_end());
}
