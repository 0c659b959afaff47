//! Looks at files and proposes the source that loads them.
//!
//! [`propose`] takes paths and bytes and gives the text of a source file, with everything that it is not sure of as a
//! comment, and the account of each decision. It goes through named phases:
//!
//! 1. `recognise`: CSV, JSON, Parquet, and is it text at all; before that, `members` of archives that do not belong to the
//!    others are left out. 2. `dialect`: delimiter, quote, escape, lines before the records. 3. `header`. 4. `paths`: a template, and how often a file is expected. 5. `survey` and `decide`: every value of every record is
//!    shown to its column, then each column gets its type. 6. `roles`: time, ids, personal data, what is required.
//! 7. `trial`: the proposal is read and the files are decoded under it, as loading would; what is refused, and which days
//!    lie outside of what the path names, goes into the proposal. 8. `write`.
//!
//! Records of JSON and Parquet have objects and arrays inside, so that the middle of the way is another: `nested` finds out
//! what tables and columns there are before it looks at values. Phases 1, 4, 7 and 8 are the same.
//!
//! Files come unpacked and in UTF-8, with a word about what was taken off; `encoding` tells about it, and has them opened in
//! another encoding where that is the way out.
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
mod encoding;
mod error;
mod formats;
mod header;
mod lists;
mod members;
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

use stillhouse_spec::{Source, SourceName, TableName, TextEncoding};

use crate::api::Notes;
use crate::plan::Plan;
use crate::text::{count, counted};

pub use api::{
    BYTES_MAX_DEFAULT, ColumnFacts, FileFacts, Input, Note, Opened, Options, Place, Proposal, Unopened, Wrapping,
};
pub use error::{Error, Kind};
pub use paths::inside;

/// Proposes a source for files that belong together. Of the members of an archive those that do not are left out, and named.
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
    let inputs = members::that_belong_together(inputs, &mut notes)?;
    match attempt(&name, &inputs, TextEncoding::Auto, options, notes.clone()) {
        Err(error) if error.is_not_utf8() => {
            let (encoding, inputs) = encoding::other(&inputs, error)?;
            attempt(&name, &inputs, encoding, options, notes)
        }
        done => done,
    }
}

/// Proposes a source under which the text of all files has that encoding.
fn attempt(
    name: &str,
    inputs: &[Input<'_>],
    encoding: TextEncoding,
    options: &Options,
    mut notes: Notes,
) -> Result<Proposal, Error> {
    let paths = paths::paths(inputs, &mut notes);
    let (kind, wrappings) = recognise::kind(inputs)?;
    encoding::tell(inputs, &wrappings, encoding, &mut notes);
    let (mut plan, mut extents) = match kind {
        recognise::Kind::Csv => {
            let survey = survey::survey(inputs, options, &paths.periods)?;
            let extents = survey.files.iter().map(survey::Looked::extent).collect();
            (plan::plan(name.to_owned(), inputs, &survey, paths, &mut notes), extents)
        }
        recognise::Kind::Json => nested::of_json(name, inputs, options, paths, &mut notes)?,
        recognise::Kind::Parquet => nested::of_parquet(name, inputs, paths, &mut notes)?,
    };
    plan.encoding = (encoding != TextEncoding::Auto).then_some(encoding);
    for (extent, wrapping) in extents.iter_mut().zip(&wrappings) {
        extent.walked.whole &= !wrapping.is_cut;
    }
    places(inputs, &extents, &wrappings, &mut notes);
    let looked_at = match inputs {
        [one] => one.shown.clone(),
        several => format!("{} files, the first of them {}", several.len(), several[0].shown),
    };
    let draft = write::write(&plan, &notes, &looked_at, "");
    let source = parsed(&plan, &draft)?;
    let mut trial = trial::run(inputs, &extents, &source, &plan, &mut notes)?;
    for (file, wrapping) in trial.files.iter_mut().zip(wrappings) {
        file.encoding = encoding::name(&wrapping, encoding);
        file.packing = wrapping.packing;
    }
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

/// What is not looked at to its end, and what lies outside of the project.
fn places(inputs: &[Input<'_>], extents: &[trial::Extent], wrappings: &[Wrapping], notes: &mut Notes) {
    let files = inputs.iter().zip(extents).zip(wrappings);
    for ((input, file), wrapping) in files.filter(|((_, file), _)| !file.walked.whole) {
        let (read, shown) = (file.walked.bytes, &input.shown);
        let all = if wrapping.is_cut { "more".to_owned() } else { file.length.to_string() };
        let unpacked = if wrapping.packing.is_some() { ", unpacked," } else { "" };
        let text = format!("only the first {read} bytes of {shown}{unpacked} were looked at; it has {all}");
        notes.doubt(Place::Files, "read", text);
    }
    if let Some(input) = inputs.iter().find(|input| input.outside) {
        let text =
            format!("{} lies outside of the project folder: put it at {}, or change `path`", input.shown, input.path);
        notes.doubt(Place::Path, "path", text);
    }
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
