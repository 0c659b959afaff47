//! `stillhouse quarantine export`: refused records as they came in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use serde_json::json;
use stillhouse_lake::{QuarantineQuery, Quarantined};

use crate::app::App;
use crate::cli::SelectionArgs;
use crate::failure::{Exit, Failure};
use crate::selection::{nothing_of, selection};
use crate::text::plural;

/// Files that are kept open while records of many objects come mixed.
const OPEN_MAX: usize = 64;

/// What one object gave.
#[derive(Default, serde::Serialize)]
struct Exported {
    file: PathBuf,
    records: u64,
    /// Records that were too long to be kept: only their place is known.
    without_bytes: u64,
}

/// Writes `DIR/<key>`: the records' bytes with a line end behind each, and `DIR/<key>.jsonl`: place and reason of each. Parts
/// of a folder have files of their own, `DIR/<key>/<part>`.
pub async fn export(app: &App, args: &SelectionArgs, to: &Path) -> Result<Exit, Failure> {
    let selection = selection(app, args);
    let query = QuarantineQuery {
        source: selection.source,
        key_suffix: selection.key.clone(),
        reason: selection.reason,
        column: selection.column,
        ..QuarantineQuery::default()
    };
    let mut pieces = app.lake.quarantine(&query).await?;
    let mut export = Export { folder: to, done: BTreeMap::new(), open: BTreeMap::new() };
    while let Some(piece) = pieces.next().await {
        for refused in piece? {
            export.record(&refused)?;
        }
    }
    export.close()?;
    if let (Some(key), true) = (&selection.key, export.done.is_empty()) {
        return Err(nothing_of(key));
    }
    tell(app, &export)
}

fn tell(app: &App, export: &Export<'_>) -> Result<Exit, Failure> {
    if app.printer.json() {
        app.printer.value(&json!({"format": 1, "objects": export.done}))?;
        return Ok(Exit::Done);
    }
    if export.done.is_empty() {
        app.printer.say("nothing to export: no such record is in quarantine");
    }
    for (key, done) in &export.done {
        let mut line = format!("{key}  {} to {}", plural(done.records, "record"), done.file.display());
        if done.without_bytes > 0 {
            let without = plural(done.without_bytes, "record");
            line.push_str(&format!("; of {without} only the place is known, they were too long to be kept"));
        }
        app.printer.tell(line + "\n")?;
    }
    Ok(Exit::Done)
}

struct Export<'a> {
    folder: &'a Path,
    done: BTreeMap<String, Exported>,
    open: BTreeMap<String, (BufWriter<File>, BufWriter<File>)>,
}

impl Export<'_> {
    fn record(&mut self, refused: &Quarantined) -> Result<(), Failure> {
        let file = match refused.row.place.part.as_str() {
            "" => refused.key.clone(),
            part => format!("{}/{part}", refused.key),
        };
        if !self.open.contains_key(&file) {
            self.open(&file)?;
        }
        let Some((records, places)) = self.open.get_mut(&file) else { return Ok(()) };
        let done = self.done.entry(file).or_default();
        done.records += 1;
        let mut place = json!(refused.row.place);
        place["key"] = refused.key.clone().into();
        place["source"] = refused.source.clone().into();
        let mut write = || {
            match &refused.row.raw {
                Some(raw) => {
                    records.write_all(raw)?;
                    records.write_all(b"\n")?;
                }
                None => done.without_bytes += 1,
            }
            writeln!(places, "{place}")
        };
        write().map_err(|error| cannot_write(&done.file, &error))
    }

    /// A file of this export goes on, one of an earlier export is not touched.
    fn open(&mut self, key: &str) -> Result<(), Failure> {
        if self.open.len() >= OPEN_MAX {
            self.close()?;
        }
        let path = self.folder.join(key);
        let known = self.done.contains_key(key);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        let mut options = File::options();
        if known {
            options.append(true)
        } else {
            options.write(true).create_new(true)
        };
        let open = |path: &Path| options.open(path).map(BufWriter::new).map_err(|error| cannot_write(path, &error));
        let mut places = path.clone().into_os_string();
        places.push(".jsonl");
        let files = (open(&path)?, open(Path::new(&places))?);
        self.done.entry(key.to_owned()).or_insert_with(|| Exported { file: path, ..Exported::default() });
        self.open.insert(key.to_owned(), files);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        for (key, (mut records, mut places)) in std::mem::take(&mut self.open) {
            let flushed = records.flush().and_then(|()| places.flush());
            flushed.map_err(|error| cannot_write(&self.folder.join(key), &error))?;
        }
        Ok(())
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::failed(format!("`{}` cannot be written", path.display())).because(error);
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => failure.hint("it is there already; name another folder with `--to`"),
        _ => failure,
    }
}
