//! `sources/NAME.toml`.

use super::file::{File, Section};
use super::reader::{Node, Parsed, Reader};
use super::units::{Days, Millis};
use super::{Context, Read, contract, csv, publish};
use crate::name::{SourceName, TableName};
use crate::period::Grain;
use crate::source::{
    Cadence, InputFormat, MAX_RECORD_BYTES_DEFAULT, OnChange, OnMissing, OnSameContent, SETTLE_MS_DEFAULT, Source,
};
use crate::template::PathTemplate;

const SOURCE_KEYS: &[&str] =
    &["path", "type", "every", "spill", "settle", "max_record_bytes", "on_change", "on_same_content", "on_missing"];
const SECTIONS: &[Section] = &[
    Section { name: "", keys: &["format", "source", "csv", "table", "child"] },
    Section { name: "[source]", keys: SOURCE_KEYS },
    Section { name: "[csv]", keys: csv::KEYS },
    Section { name: "[table]", keys: contract::TABLE_KEYS },
    Section { name: "[[child]]", keys: contract::CHILD_KEYS },
    Section { name: "publish", keys: publish::TABLE_PUBLISH_KEYS },
];

/// A source, with what later checks need to name its places.
pub(super) struct Loaded<'f> {
    pub(super) source: Source,
    pub(super) file: &'f File<'f>,
    pub(super) tables: Vec<Parsed<TableName>>,
    pub(super) view: Option<Parsed<TableName>>,
}

/// The files `sources/NAME.toml`, by name.
pub(super) fn files<'c>(context: &'c Context<'c>) -> Vec<Read<File<'c>>> {
    let paths = context.files.files.keys().filter(|path| name_of(path).is_some());
    paths.map(|path| File::new(context, path, SECTIONS)).collect()
}

/// NAME of `sources/NAME.toml`.
fn name_of(path: &str) -> Option<&str> {
    path.strip_prefix("sources/")?.strip_suffix(".toml").filter(|name| !name.contains('/'))
}

pub(super) fn load<'f>(file: &'f File<'f>) -> Read<Loaded<'f>> {
    let name = name_of(file.path).unwrap_or_default().parse::<SourceName>();
    let name = name.map_err(|error| file.problem(0, error.to_string()));
    let (source, tables, view) = file.read(|top| source(top, name))?;
    Ok(Loaded { source, file, tables, view })
}

/// A source, the names of its tables, and that of its view.
type Named = (Source, Vec<Parsed<TableName>>, Option<Parsed<TableName>>);

fn source(top: &Reader<'_, '_>, name: Read<SourceName>) -> Read<Named> {
    let head = match top.section("source", SOURCE_KEYS) {
        Ok(Some(reader)) => head(&reader),
        Ok(None) => Err(top.missing("[source]", "`[source]` with `path = \"data/*.csv\"` and `type = \"csv\"`")),
        Err(reported) => Err(reported),
    };
    let csv = top.section("csv", csv::KEYS).and_then(|reader| csv::load(reader.as_ref()));
    let path = head.as_ref().ok().map(|head| &head.path);
    let contract = contract::load(top, path);
    let (head, contract) = (head?, contract?);
    let source = Source {
        name: name?,
        path: head.path.value,
        format: InputFormat::Csv(csv?),
        cadence: head.cadence,
        settle_ms: head.settle_ms,
        max_record_bytes: head.max_record_bytes,
        on_change: head.on_change,
        on_same_content: head.on_same_content,
        on_missing: head.on_missing,
        contract: contract.value,
        fingerprint: blake3::hash(top.file.text.as_bytes()).to_hex().to_string(),
    };
    Ok((source, contract.tables, contract.view))
}

/// What `[source]` says.
struct Head {
    path: Parsed<PathTemplate>,
    cadence: Option<Cadence>,
    settle_ms: u64,
    max_record_bytes: u64,
    on_change: OnChange,
    on_same_content: OnSameContent,
    on_missing: OnMissing,
}

fn head(reader: &Reader<'_, '_>) -> Read<Head> {
    let path = reader.required("path", "`path = \"data/{yyyy}/{MM}/events.csv\"`", |node| node.parsed("a path"));
    let kind = reader.required("type", "`type = \"csv\"`", |node| node.word(&[("csv", ())]));
    let cadence = cadence(reader, path.as_ref().ok());
    let settle = reader.optional("settle", |node| node.parsed::<Millis>("a length of time"));
    let max_record_bytes = reader.optional("max_record_bytes", Node::bytes);
    let changes = [("replace", OnChange::Replace), ("append", OnChange::Append), ("hold", OnChange::Hold)];
    let on_change = reader.optional("on_change", |node| node.word(&changes));
    let twins = [("skip", OnSameContent::Skip), ("load", OnSameContent::Load)];
    let on_same_content = reader.optional("on_same_content", |node| node.word(&twins));
    let missing = [("keep", OnMissing::Keep), ("remove", OnMissing::Remove)];
    let on_missing = reader.optional("on_missing", |node| node.word(&missing));
    kind?;
    Ok(Head {
        path: path?,
        cadence: cadence?,
        settle_ms: settle?.map_or(SETTLE_MS_DEFAULT, |settle| settle.value.0),
        max_record_bytes: max_record_bytes?.unwrap_or(MAX_RECORD_BYTES_DEFAULT),
        on_change: on_change?.unwrap_or_default(),
        on_same_content: on_same_content?.unwrap_or_default(),
        on_missing: on_missing?.unwrap_or_default(),
    })
}

fn cadence(reader: &Reader<'_, '_>, path: Option<&Parsed<PathTemplate>>) -> Read<Option<Cadence>> {
    let grains = [("day", Grain::Day), ("month", Grain::Month), ("year", Grain::Year)];
    let every = reader.optional("every", |node| {
        let every = node.word(&grains)?;
        match path.map(|path| path.value.grain()) {
            Some(None) => Err(node.problem_with(
                "the path does not say which period a file is about",
                "put {yyyy}, {MM} or {dd} into `path`, or leave `every` out",
            )),
            Some(Some(grain)) if every < grain => {
                Err(node.problem(format!("the path tells {grain}s apart, but not {every}s")))
            }
            _ => Ok(every),
        }
    });
    let spill = reader.optional("spill", |node| {
        let days = node.parsed::<Days>("a number of days")?.value.0;
        let alone = days > 0 && reader.get("every").is_none();
        if alone { Err(node.problem("means nothing without `every`")) } else { Ok(days) }
    });
    let (every, spill) = (every?, spill?);
    Ok(every.map(|every| Cadence { every, spill_days: spill.unwrap_or(0) }))
}
