//! Looks at files and proposes the source that loads them.
//!
//! [`propose`] takes paths and bytes and gives the text of a source file, with everything that it is not sure of as a
//! comment, and the account of each decision. It goes through named phases:
//!
//! 1. `recognise`: CSV, JSON, Parquet, and is it text at all. 2. `dialect`: delimiter, quote, escape, lines before the records. 3. `header`.
//! 4. `paths`: a template, and how often a file is expected. 5. `survey` and `decide`: every value of every record is
//!    shown to its column, then each column gets its type. 6. `roles`: time, ids, personal data, what is required.
//! 7. `trial`: the proposal is read and the files are decoded under it, as loading would; what is refused, and which days
//!    lie outside of what the path names, goes into the proposal. 8. `write`.
//!
//! Records of JSON and Parquet have objects and arrays inside, so that the middle of the way is another: `nested` finds out
//! what tables and columns there are before it looks at values. Phases 1, 4, 7 and 8 are the same.
//!
//! How texts become values is decode's to say, here as there: `stillhouse_decode::look`.
//!
//! **Invariant:** no file is opened here, no clock is read; what comes out follows from what went in.
//! **Invariant:** memory does not grow with the length of a file.
//! **Invariant:** no value of a column that seems to hold personal data is in a proposal or a message.

mod api;
mod cell;
mod column;
mod days;
mod decide;
mod dialect;
mod error;
mod formats;
mod header;
mod lists;
mod moments;
mod names;
mod nested;
mod numbers;
mod paths;
mod plan;
mod recognise;
mod roles;
mod shapes;
mod survey;
mod text;
mod trial;
mod write;

use stillhouse_spec::{Source, SourceName, TableName};

use crate::api::Notes;
use crate::plan::Plan;
use crate::text::{count, counted};

pub use api::{BYTES_MAX_DEFAULT, ColumnFacts, FileFacts, Input, Note, Options, Place, Proposal};
pub use error::{Error, Kind};
pub use paths::inside;

/// Proposes a source for files that belong together.
///
/// # Errors
/// There is no file, one cannot be read or is no CSV, they do not belong together, or the name is none.
pub fn propose(inputs: &[Input<'_>], options: &Options) -> Result<Proposal, Error> {
    let Some(first) = inputs.first() else {
        return Err(Error::settings("no file is named", "name one file, or several of the same kind"));
    };
    let name = match &options.name {
        Some(name) => valid_name(name)?,
        None => names::table(&first.path),
    };
    let mut notes = Notes::default();
    let paths = paths::paths(inputs, &mut notes);
    let (mut plan, extents) = match recognise::kind(inputs)? {
        recognise::Kind::Csv => {
            let survey = survey::survey(inputs, options, &paths.periods)?;
            let extents = survey.files.iter().map(survey::Looked::extent).collect();
            (plan::plan(name, inputs, &survey, paths, &mut notes), extents)
        }
        recognise::Kind::Json => nested::of_json(&name, inputs, options, paths, &mut notes)?,
        recognise::Kind::Parquet => nested::of_parquet(&name, inputs, paths, &mut notes)?,
    };
    for (input, file) in inputs.iter().zip(&extents).filter(|(_, file)| !file.walked.whole) {
        let text = format!(
            "only the first {} bytes of {} were looked at; it has {}",
            file.walked.bytes, input.shown, file.length
        );
        notes.doubt(Place::Files, "read", text);
    }
    let looked_at = match inputs.len() {
        1 => first.shown.clone(),
        several => format!("{several} files, the first of them {}", first.shown),
    };
    if let Some(input) = inputs.iter().find(|input| input.outside) {
        let text =
            format!("{} lies outside of the project folder: put it at {}, or change `path`", input.shown, input.path);
        notes.doubt(Place::Path, "path", text);
    }
    let draft = write::write(&plan, &notes, &looked_at, "");
    let source = parsed(&plan, &draft)?;
    let trial = trial::run(inputs, &extents, &source, &plan, &mut notes)?;
    trial.allow(&mut plan, &mut notes);
    trial.spill(&mut plan, &mut notes);
    let text = write::write(&plan, &notes, &looked_at, &outcome(&trial.files));
    parsed(&plan, &text)?;
    Ok(Proposal {
        name: plan.name.clone(),
        source: text,
        files: trial.files,
        columns: facts(&plan),
        notes: notes.finish(),
    })
}

/// How the trial went, in a sentence.
fn outcome(files: &[FileFacts]) -> String {
    let sum = |of: fn(&FileFacts) -> u64| files.iter().map(of).sum::<u64>();
    let (loaded, refused) = (sum(|file| file.loaded), sum(|file| file.refused));
    let whole = files.iter().all(|file| file.read_bytes == file.bytes);
    let read = if whole { "read to the end" } else { "read in part" };
    let records = counted(loaded + refused, "record");
    match refused {
        0 => format!("{records}, {read}: all of them load."),
        _ => format!("{records}, {read}. Loaded: {}; refused: {}.", count(loaded), count(refused)),
    }
}

fn valid_name(name: &str) -> Result<String, Error> {
    let hint = "write letters, digits and `_`, beginning with a letter";
    let as_table = name.parse::<TableName>().map_err(|error| Error::settings(error.to_string(), hint))?;
    name.parse::<SourceName>().map_err(|error| Error::settings(error.to_string(), hint))?;
    Ok(as_table.as_str().to_owned())
}

/// The proposal as loading will read it.
fn parsed(plan: &Plan, text: &str) -> Result<Source, Error> {
    Source::parse(&plan.name, text, &|_| None).map_err(|problems| {
        Error::settings(
            format!("the proposal is not a valid source file, which is a fault of this program:\n{problems}"),
            "report it with the header of the file, or write the source file by hand",
        )
    })
}

fn facts(plan: &Plan) -> Vec<ColumnFacts> {
    let facts = |table: Option<&str>, column: &plan::Planned| ColumnFacts {
        table: table.map(str::to_owned),
        name: column.name.clone(),
        header: column.header.clone().unwrap_or_default(),
        data_type: column.decided.data_type.to_string(),
        required: column.required,
        pii: column.pii,
        values: column.values,
        missing: column.missing,
    };
    let parent = plan.columns.iter().map(|column| (None, column));
    let nested =
        plan.nested.iter().flat_map(|nested| nested.columns.iter().map(|column| (Some(&*nested.name), column)));
    let kept = parent.chain(nested).filter(|(_, column)| !column.left_out);
    kept.map(|(table, column)| facts(table, column)).collect()
}
