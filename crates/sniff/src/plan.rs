//! Everything that the source file says, before it is text.

use stillhouse_spec::{CsvOptions, DataType, EscapeStyle, HeaderStyle, QuoteStyle, TextEncoding};

use crate::api::{Input, Notes, Place};
use crate::column::Column;
use crate::decide::{Context, Decided, decide};
use crate::dialect;
use crate::names::{self, Named, is_id, singular};
use crate::paths::Paths;
use crate::roles;
use crate::survey::{Looked, Survey};

/// A column of the source file.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    pub(crate) header: Option<String>,
    /// By which notes count it.
    pub(crate) number: usize,
    pub(crate) decided: Decided,
    pub(crate) required: bool,
    pub(crate) null_values: Vec<String>,
    pub(crate) pii: bool,
    pub(crate) values: u64,
    pub(crate) missing: u64,
    /// No column can hold it; what is known stands in the source file all the same.
    pub(crate) left_out: bool,
}

/// How the files are written.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    /// What is stated; the rest is detected for each file.
    Csv(CsvOptions),
    Json,
    Parquet,
}

impl Format {
    /// What its places are counted in.
    pub(crate) fn unit(&self) -> &'static str {
        if matches!(self, Self::Parquet) { "row" } else { "line" }
    }

    /// As settings call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }
}

/// A table of the objects of an array.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    pub(crate) name: String,
    /// The first, and further ones.
    pub(crate) places: Vec<Stand>,
    pub(crate) columns: Vec<Planned>,
}

/// Where rows of a table stand.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    /// `TABLE.PATH[]`
    pub(crate) from: String,
    /// Columns that are repeated: the name here, and the name there.
    pub(crate) copied: Vec<(String, String)>,
}

/// A table of the items of a list.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) list: String,
    pub(crate) item: String,
    pub(crate) copied: Vec<String>,
}

/// The source.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) paths: Paths,
    pub(crate) spill_days: u32,
    /// `None`: each file tells its own.
    pub(crate) encoding: Option<TextEncoding>,
    pub(crate) format: Format,
    /// The year to be set, as a comment.
    pub(crate) year: Option<i16>,
    pub(crate) columns: Vec<Planned>,
    pub(crate) time: Option<usize>,
    pub(crate) by_position: bool,
    /// Some file lacks a column.
    pub(crate) missing_columns: bool,
    /// `None`: the default.
    pub(crate) max_rejected: Option<&'static str>,
    pub(crate) children: Vec<Child>,
    pub(crate) nested: Vec<Nested>,
    /// `None`: the default.
    pub(crate) unknown_columns: Option<&'static str>,
}

impl Plan {
    /// The columns of all tables, parent first, by which notes count them.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = &Planned> {
        self.columns.iter().chain(self.nested.iter().flat_map(|nested| &nested.columns))
    }
}

/// Decides everything.
pub(crate) fn plan(name: String, inputs: &[Input<'_>], survey: &Survey, paths: Paths, notes: &mut Notes) -> Plan {
    let csv = csv(inputs, &survey.files, notes);
    let (named, by_name) = name_columns(survey, notes);
    let (columns, time) = plan_columns(&Known::new(inputs, survey, &named), notes);
    let missing_columns = survey.columns.iter().any(|column| column.files.len() < survey.files.len());
    if missing_columns {
        lacking(inputs, survey, &named, notes);
    }
    let children = children(&name, &columns, time, notes);
    let year = year(inputs, &columns, &paths, notes);
    Plan {
        name,
        paths,
        spill_days: 0,
        encoding: None,
        format: Format::Csv(csv),
        year,
        columns,
        time,
        by_position: !by_name,
        missing_columns,
        max_rejected: None,
        children,
        nested: Vec::new(),
        unknown_columns: None,
    }
}

/// What is known of the columns before their types are.
struct Known<'a> {
    survey: &'a Survey,
    named: &'a [Named],
    files: Vec<String>,
    /// Why a column is taken for personal data.
    personal: Vec<Option<String>>,
}

impl<'a> Known<'a> {
    fn new(inputs: &[Input<'_>], survey: &'a Survey, named: &'a [Named]) -> Self {
        let personal = |others_are: bool| {
            let columns = named.iter().zip(&survey.columns);
            columns.map(move |(named, column)| roles::personal(column, &named.name, others_are))
        };
        let others_are = personal(false).any(|why| why.is_some());
        let files = inputs.iter().map(|input| input.shown.clone()).collect();
        Self { survey, named, files, personal: personal(others_are).collect() }
    }

    fn context(&self, number: usize, comma_first: bool) -> Context<'_> {
        Context {
            name: &self.named[number].name,
            number,
            comma_first,
            files: &self.files,
            personal: self.personal[number].is_some(),
            unit: "line",
        }
    }

    /// Whether numbers are read with a decimal comma where both ways fit: a semicolon between fields speaks for it, and so
    /// does one column that cannot be read otherwise.
    fn comma_first(&self) -> bool {
        let has_semicolons = self.survey.files.iter().any(|file| file.csv.delimiter == Some(b';'));
        has_semicolons || self.survey.columns.iter().enumerate().any(|(number, column)| self.has_comma(number, column))
    }

    /// The column is a number with a decimal comma and cannot be one with a point.
    fn has_comma(&self, number: usize, column: &Column) -> bool {
        let mut unheard = Notes::default();
        let decided = decide(column, &self.context(number, false), &mut unheard);
        let best = column.numbers.best(false);
        decided.numbers.decimal == ',' && best.iter().all(|way| way.decimal == ',')
    }
}

/// The columns, and which of them says when a record happened.
fn plan_columns(known: &Known<'_>, notes: &mut Notes) -> (Vec<Planned>, Option<usize>) {
    let comma_first = known.comma_first();
    let mut columns: Vec<(String, &Column, Decided)> = Vec::new();
    for (number, column) in known.survey.columns.iter().enumerate() {
        let decided = decide(column, &known.context(number, comma_first), notes);
        columns.push((known.named[number].name.clone(), column, decided));
    }
    let time = roles::time(&columns, &[], notes);
    let mut planned = Vec::new();
    for (number, (_, column, decided)) in columns.into_iter().enumerate() {
        planned.push(plan_column(known, &known.context(number, comma_first), column, decided, time, notes));
    }
    (planned, time)
}

fn plan_column(
    known: &Known<'_>,
    context: &Context<'_>,
    column: &Column,
    decided: Decided,
    time: Option<usize>,
    notes: &mut Notes,
) -> Planned {
    let number = context.number;
    let Named { name, alias } = &known.named[number];
    if let Some(why) = &known.personal[number] {
        notes.found(Place::Column(number), format!("pii of {name}"), format!("personal data: {why}"));
    }
    // A file that lacks a required column would be held.
    let everywhere = column.files.len() == known.survey.files.len();
    let required = everywhere && roles::required(column, &decided, time == Some(number), context, notes);
    let null_values = roles::null_values(column, &decided, context, notes);
    roles::key(column, context, time.map(|time| known.named[time].name.as_str()), notes);
    Planned {
        name: name.clone(),
        alias: alias.clone(),
        header: column.header.clone(),
        number,
        decided,
        required,
        null_values,
        pii: context.personal,
        values: column.filled,
        missing: column.records - column.filled,
        left_out: false,
    }
}

/// What all files agree on is stated; what differs is left to be detected for each.
fn csv(inputs: &[Input<'_>], files: &[Looked], notes: &mut Notes) -> CsvOptions {
    let first = &files[0].csv;
    let agree = |same: fn(&CsvOptions, &CsvOptions) -> bool| files.iter().all(|file| same(&file.csv, first));
    let mut csv = CsvOptions { skip_lines: first.skip_lines, comment: first.comment, ..CsvOptions::default() };
    csv.delimiter = first.delimiter.filter(|_| agree(|a, b| a.delimiter == b.delimiter));
    csv.header = first.header.filter(|_| agree(|a, b| a.header == b.header));
    csv.quote = first.quote.filter(|quote| *quote != QuoteStyle::Byte(b'"') && agree(|a, b| a.quote == b.quote));
    csv.escape = first.escape.filter(|escape| *escape == EscapeStyle::Backslash && agree(|a, b| a.escape == b.escape));
    for (input, file) in inputs.iter().zip(files) {
        explain_dialect(input, file, files.len() > 1, notes);
    }
    if !agree(|a, b| a.delimiter == b.delimiter && a.header == b.header) {
        let text = "the files differ in delimiter or header, which are detected for each file therefore";
        notes.remark(Place::Csv, "dialect", text);
    }
    if !agree(|a, b| a.skip_lines == b.skip_lines && a.comment == b.comment) {
        let text = "the files differ in the lines before the records: what is set here is right for the first";
        notes.doubt(Place::Csv, "dialect", text);
    }
    csv
}

fn explain_dialect(input: &Input<'_>, file: &Looked, several: bool, notes: &mut Notes) {
    let about = |what: &str| if several { format!("{what} of {}", input.shown) } else { what.to_owned() };
    let (way, csv) = (&file.cut.way, &file.csv);
    let delimiter = csv.delimiter.map(dialect::name).unwrap_or_default();
    let columns = if file.width == 1 { "column" } else { "columns" };
    let share = format!("{}.{} %", way.share / 10, way.share % 10);
    let text = format!("{delimiter}: {share} of the first {} records have {} {columns}", way.records, file.width);
    notes.found(Place::Csv, about("delimiter"), text);
    if file.width == 1 {
        let text = "only one column was found. If there are more, set `delimiter`";
        notes.doubt(Place::Csv, about("delimiter"), text);
    } else if let Some(other) = file.cut.other {
        let text = format!("{delimiter} is taken for the delimiter; {} would do nearly as well", dialect::name(other));
        notes.doubt(Place::Csv, about("delimiter"), text);
    }
    let quote = dialect::quote_name(csv.quote);
    notes.found(Place::Csv, about("quote"), format!("{quote}: {} fields of the head are in quotes", way.quoted));
    if file.rethought {
        let text = format!("quote {quote}, escape {}: read so, fewest records are refused", escape_name(csv.escape));
        notes.remark(Place::Csv, about("quote"), text);
    }
    explain_header(file, &about("header"), notes);
    if let Some(first) = file.cut.preamble.first().filter(|_| !file.odd_header || file.cut.preamble.len() > 1) {
        let text = format!("{} lines before the records are left out, from line {} on", csv.skip_lines, first.line);
        notes.remark(Place::Csv, about("skip_lines"), text);
    }
    if csv.comment.is_some() {
        notes.found(Place::Csv, about("comment"), "lines that begin with `#` have no fields, and are left out");
    }
}

fn escape_name(escape: Option<EscapeStyle>) -> &'static str {
    if escape == Some(EscapeStyle::Backslash) { "backslash" } else { "doubled" }
}

fn explain_header(file: &Looked, about: &str, notes: &mut Notes) {
    let word = if file.header.present { "present" } else { "absent" };
    let why = &file.header.why;
    if file.odd_header {
        let text = "the header has another number of fields than the records: it is left out as a line, and columns are \
                    found by their position";
        notes.doubt(Place::Csv, about, text);
    } else if file.header.doubtful {
        notes.doubt(Place::Csv, about, format!("taken for {word}: {why}. If that is wrong, change `header`"));
    } else if file.csv.header == Some(HeaderStyle::Absent) {
        notes.remark(Place::Csv, about, format!("{word}: {why}. Columns are found by position: name them as you like"));
    } else {
        notes.found(Place::Csv, about, format!("{word}: {why}"));
    }
}

/// The columns' names, and whether the header's names find them.
fn name_columns(survey: &Survey, notes: &mut Notes) -> (Vec<Named>, bool) {
    let header: Option<Vec<String>> = survey.columns.iter().map(|column| column.header.clone()).collect();
    let Some(header) = header else {
        let named = |number: usize| Named { name: format!("column_{}", number + 1), alias: None };
        return ((0..survey.columns.len()).map(named).collect(), false);
    };
    let (named, by_name) = names::columns(&header);
    let odd = survey.files.iter().any(|file| file.odd_header);
    if !by_name && !odd {
        let text = "names of the header repeat or are empty, so columns are found by their position";
        notes.remark(Place::Table, "columns_by", text);
    }
    for (number, named) in named.iter().enumerate().filter(|(_, named)| names::is_sql_word(&named.name)) {
        let text = format!("a word of SQL: queries write it in quotes, \"{}\"", named.name);
        notes.remark(Place::Column(number), format!("name of {}", named.name), text);
    }
    (named, by_name && !odd)
}

/// Says which files lack which columns.
fn lacking(inputs: &[Input<'_>], survey: &Survey, named: &[Named], notes: &mut Notes) {
    for (number, column) in survey.columns.iter().enumerate() {
        let missing = inputs.iter().enumerate().filter(|(file, _)| !column.files.contains(file));
        let files: Vec<&str> = missing.map(|(_, input)| input.shown.as_str()).collect();
        if let Some(first) = files.first() {
            let who = match files.len() {
                1 => format!("{first} has"),
                several => format!("{first} and {} more have", several - 1),
            };
            let text = format!("{who} no `{}`: it is empty there", named[number].name);
            notes.doubt(Place::Column(number), format!("column {}", named[number].name), text);
        }
    }
}

/// A table for the items of each list.
fn children(table: &str, columns: &[Planned], time: Option<usize>, notes: &mut Notes) -> Vec<Child> {
    let is_list = |column: &&Planned| matches!(column.decided.data_type, DataType::List(_));
    let id = columns.iter().find(|column| is_id(&column.name)).map(|column| column.name.clone());
    let time = time.map(|time| columns[time].name.clone()).filter(|time| Some(time) != id.as_ref());
    let copied: Vec<String> = id.into_iter().chain(time).collect();
    let mut children = Vec::new();
    for column in columns.iter().filter(is_list) {
        let item = singular(&column.name);
        let item = if copied.contains(&item) { format!("{item}_item") } else { item };
        let name = format!("{}_{}", singular(table), column.name);
        let text = format!("one row for each item of `{}`", column.name);
        notes.found(Place::Child, format!("table {name}"), text);
        children.push(Child { name, list: column.name.clone(), item, copied: copied.clone() });
    }
    children
}

/// Which year dates without one get.
pub(crate) fn year<'p>(
    inputs: &[Input<'_>],
    columns: impl IntoIterator<Item = &'p Planned>,
    paths: &Paths,
    notes: &mut Notes,
) -> Option<i16> {
    let lacks = |format: &String| format.parse().is_ok_and(|format: stillhouse_spec::TimeFormat| format.lacks_year());
    let column = columns.into_iter().find(|column| column.decided.formats.iter().any(lacks))?;
    let about = format!("year of {}", column.name);
    if let Some(Some(year)) = paths.years.first() {
        notes.remark(Place::Csv, about, format!("the dates state no year; it is the one of the path, such as {year}"));
        return None;
    }
    let year = inputs.first().map(|input| input.modified_year)?;
    let text = format!(
        "the dates of `{}` state no year. Assumed is the year in which a file was last changed, {year} here. If you \
         know it, set it below",
        column.name
    );
    notes.doubt(Place::Csv, about, text);
    Some(year)
}
