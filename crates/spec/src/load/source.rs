//! `sources/NAME.toml`.

use super::file::{File, Section};
use super::reader::{Node, Parsed, Reader};
use super::units::{Days, Millis};
use super::{Context, Read, contract, csv, json, publish};
use crate::name::{SourceName, TableName};
use crate::period::Grain;
use crate::source::{
    Cadence, InputFormat, MAX_RECORD_BYTES_DEFAULT, MAX_UNPACKED_BYTES_DEFAULT, OnBroken, OnChange, OnMissing,
    OnSameContent, SETTLE_MS_DEFAULT, Source, TextEncoding,
};
use crate::template::PathTemplate;

const SOURCE_KEYS: &[&str] = &[
    "path",
    "type",
    "every",
    "spill",
    "settle",
    "encoding",
    "max_record_bytes",
    "max_unpacked_bytes",
    "on_broken",
    "on_change",
    "on_same_content",
    "on_missing",
];
const SECTIONS: &[Section] = &[
    Section { name: "", keys: &["format", "source", "csv", "json", "table", "child"] },
    Section { name: "[source]", keys: SOURCE_KEYS },
    Section { name: "[csv]", keys: csv::KEYS },
    Section { name: "[json]", keys: json::KEYS },
    Section { name: "[table]", keys: contract::TABLE_KEYS },
    Section { name: "[[child]]", keys: contract::CHILD_KEYS },
    Section { name: "publish", keys: publish::TABLE_PUBLISH_KEYS },
];

/// A source, with what later checks need to name its places.
pub(super) struct Loaded<'f> {
    pub(super) source: Source,
    pub(super) file: &'f File<'f>,
    pub(super) tables: Vec<Parsed<TableName>>,
    pub(super) views: Vec<Parsed<TableName>>,
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
    let (source, tables, views) = file.read(|top| source(top, name))?;
    Ok(Loaded { source, file, tables, views })
}

/// A source, the names of its tables, and those of its views.
type Named = (Source, Vec<Parsed<TableName>>, Vec<Parsed<TableName>>);

fn source(top: &Reader<'_, '_>, name: Read<SourceName>) -> Read<Named> {
    let head = match top.section("source", SOURCE_KEYS) {
        Ok(Some(reader)) => head(&reader),
        Ok(None) => Err(top.missing("[source]", "`[source]` with `path = \"data/*.csv\"` and `type = \"csv\"`")),
        Err(reported) => Err(reported),
    };
    let kind = head.as_ref().map_or(Kind::Csv, |head| head.kind);
    let format = format(top, kind);
    let path = head.as_ref().ok().map(|head| &head.path);
    let contract = contract::load(top, path, kind);
    let (head, contract) = (head?, contract?);
    let source = Source {
        name: name?,
        path: head.path.value,
        format: format?,
        cadence: head.cadence,
        settle_ms: head.settle_ms,
        max_record_bytes: head.max_record_bytes,
        encoding: head.encoding,
        on_broken: head.on_broken,
        max_unpacked_bytes: head.max_unpacked_bytes,
        on_change: head.on_change,
        on_same_content: head.on_same_content,
        on_missing: head.on_missing,
        contract: contract.value,
        fingerprint: blake3::hash(top.file.text.as_bytes()).to_hex().to_string(),
    };
    Ok((source, contract.tables, contract.views))
}

/// The `type` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Json,
    Parquet,
}

/// The section that says more about the format; those of other formats would mean nothing.
fn format(top: &Reader<'_, '_>, kind: Kind) -> Read<InputFormat> {
    let csv = top.section("csv", csv::KEYS).and_then(|reader| csv::load(reader.as_ref()));
    let json = top.section("json", json::KEYS).and_then(|reader| json::load(reader.as_ref()));
    let out_of_place = |key: &'static str, of: Kind| match top.get(key) {
        Some(node) if kind != of => Err(node.problem_with(
            format!("the source is not of `type = \"{key}\"`"),
            "leave the section out, or change `type`",
        )),
        _ => Ok(()),
    };
    let (no_csv, no_json) = (out_of_place("csv", Kind::Csv), out_of_place("json", Kind::Json));
    let (csv, json) = (csv?, json?);
    no_csv?;
    no_json?;
    Ok(match kind {
        Kind::Csv => InputFormat::Csv(csv),
        Kind::Json => InputFormat::Json(json),
        Kind::Parquet => InputFormat::Parquet,
    })
}

/// What `[source]` says.
struct Head {
    path: Parsed<PathTemplate>,
    kind: Kind,
    encoding: TextEncoding,
    on_broken: OnBroken,
    max_unpacked_bytes: u64,
    cadence: Option<Cadence>,
    settle_ms: u64,
    max_record_bytes: u64,
    on_change: OnChange,
    on_same_content: OnSameContent,
    on_missing: OnMissing,
}

fn head(reader: &Reader<'_, '_>) -> Read<Head> {
    let path = reader.required("path", "`path = \"data/{yyyy}/{MM}/events.csv\"`", |node| node.parsed("a path"));
    let kinds = [("csv", Kind::Csv), ("json", Kind::Json), ("parquet", Kind::Parquet)];
    let kind = reader.required("type", "`type = \"csv\"`", |node| node.word(&kinds));
    let encoding = reader.optional("encoding", |node| match kind {
        Ok(Kind::Parquet) => Err(node.problem("means nothing for Parquet files")),
        _ => node.word(ENCODINGS),
    });
    let broken = [("hold", OnBroken::Hold), ("load", OnBroken::Load)];
    let on_broken = reader.optional("on_broken", |node| node.word(&broken));
    let max_unpacked_bytes = reader.optional("max_unpacked_bytes", Node::bytes);
    let cadence = cadence(reader, path.as_ref().ok());
    let settle = reader.optional("settle", |node| node.parsed::<Millis>("a length of time"));
    let max_record_bytes = reader.optional("max_record_bytes", Node::bytes);
    let changes = [("replace", OnChange::Replace), ("append", OnChange::Append), ("hold", OnChange::Hold)];
    let on_change = reader.optional("on_change", |node| node.word(&changes));
    let twins = [("skip", OnSameContent::Skip), ("load", OnSameContent::Load)];
    let on_same_content = reader.optional("on_same_content", |node| node.word(&twins));
    let missing = [("keep", OnMissing::Keep), ("remove", OnMissing::Remove)];
    let on_missing = reader.optional("on_missing", |node| node.word(&missing));
    Ok(Head {
        path: path?,
        kind: kind?,
        encoding: encoding?.unwrap_or_default(),
        on_broken: on_broken?.unwrap_or_default(),
        max_unpacked_bytes: max_unpacked_bytes?.unwrap_or(MAX_UNPACKED_BYTES_DEFAULT),
        cadence: cadence?,
        settle_ms: settle?.map_or(SETTLE_MS_DEFAULT, |settle| settle.value.0),
        max_record_bytes: max_record_bytes?.unwrap_or(MAX_RECORD_BYTES_DEFAULT),
        on_change: on_change?.unwrap_or_default(),
        on_same_content: on_same_content?.unwrap_or_default(),
        on_missing: on_missing?.unwrap_or_default(),
    })
}

/// The names that people write.
const ENCODINGS: &[(&str, TextEncoding)] = &[
    ("auto", TextEncoding::Auto),
    ("utf-8", TextEncoding::Utf8),
    ("utf-16", TextEncoding::Utf16),
    ("utf-16le", TextEncoding::Utf16le),
    ("utf-16be", TextEncoding::Utf16be),
    ("windows-1252", TextEncoding::Windows1252),
    ("cp1252", TextEncoding::Windows1252),
    ("latin-1", TextEncoding::Windows1252),
    ("iso-8859-1", TextEncoding::Windows1252),
];

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
