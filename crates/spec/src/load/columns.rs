//! `[table.columns]`: the columns of a contract.

use std::collections::BTreeMap;

use super::checks;
use super::project::zone_name;
use super::reader::{Node, Parsed, Reader, all, cut, list};
use super::{Read, Reported};
use crate::contract::{Checks, Column, ColumnFrom, Currency, ListSyntax, NumberFormat, UNKNOWN_COLUMN};
use crate::format::{TimeFormat, TimeItem};
use crate::name::ColumnName;
use crate::template::PathTemplate;
use crate::types::DataType;

const COLUMN_KEYS: &[&str] = &[
    "type",
    "from",
    "derive",
    "required",
    "format",
    "zone",
    "decimal",
    "grouping",
    "currency",
    "list",
    "null_values",
    "default",
    "allowed",
    "min",
    "max",
    "pattern",
    "pii",
];
const LIST_KEYS: &[&str] = &["delimiter"];

/// A column, with what later checks need to name its places.
pub(super) struct Draft {
    pub(super) column: Column,
    /// The names that its field may have, its own first.
    names: Vec<Parsed<String>>,
}

impl Draft {
    /// A column that the settings do not name a field for.
    pub(super) fn nameless(column: Column) -> Self {
        Self { column, names: Vec::new() }
    }
}

/// Reads the columns in the order of the file.
pub(super) fn load(node: &Node<'_, '_>, path: Option<&Parsed<PathTemplate>>) -> Read<Vec<Draft>> {
    let entries = node.entries()?;
    if entries.is_empty() {
        return Err(node.problem_with("a table needs a column", "write `id = \"string\"`"));
    }
    let drafts = all(entries.iter().map(|entry| column(entry, path)))?;
    let unique = all(unique_names(node, &drafts).into_iter());
    let origins = all(entries.iter().zip(&drafts).map(|(entry, draft)| year_origin(entry, draft, &drafts)));
    unique?;
    origins?;
    Ok(drafts)
}

fn column(node: &Node<'_, '_>, path: Option<&Parsed<PathTemplate>>) -> Read<Draft> {
    let name = column_name(node);
    if !node.is_table() {
        let data_type = node.parsed::<DataType>("a type").map(|parsed| parsed.value);
        return Ok(plain(name?, node.key_at, data_type?));
    }
    let reader = node.table(COLUMN_KEYS)?;
    let data_type = reader.required("type", "`type = \"string\"`", |node| node.parsed::<DataType>("a type"));
    let from = reader.optional("from", |node| from(node, path));
    let required = reader.optional("required", Node::flag);
    let pii = reader.optional("pii", Node::flag);
    let null_values = reader.optional("null_values", |node| node.one_or_many(|item| Ok(item.text()?.value)));
    let mut draft = plain(name?, node.key_at, data_type?.value);
    let settings = typed_settings(&reader, &mut draft.column);
    let derived = derived(&reader);
    let checks = checks::load(&reader, &draft.column.data_type);
    if let Some(from) = from? {
        draft.names.extend(from.aliases);
        draft.column.from = from.value;
    }
    if let Some(expression) = derived? {
        draft.column.from = ColumnFrom::Derived(expression);
    }
    (draft.column.checks, draft.column.default) = checks?;
    draft.column.required = required?.unwrap_or(false);
    draft.column.pii = pii?.unwrap_or(false);
    draft.column.null_values = null_values?.unwrap_or_default();
    settings?;
    Ok(draft)
}

/// Keys of a derived column. All others say how values are read; it has them from an expression.
const DERIVED_KEYS: &[&str] = &["type", "derive", "pii"];

/// `derive = "company_domain(email)"`
fn derived(reader: &Reader<'_, '_>) -> Read<Option<String>> {
    let Some(node) = reader.get("derive") else { return Ok(None) };
    let text = node.text()?.value;
    if text.trim().is_empty() {
        return Err(node.problem("expected an expression in SQL, found nothing"));
    }
    let others = COLUMN_KEYS.iter().filter(|key| !DERIVED_KEYS.contains(key)).filter_map(|key| reader.get(key));
    let others: Vec<_> = others.map(|other| Err(other.problem("means nothing beside `derive`"))).collect();
    all::<()>(others.into_iter())?;
    Ok(Some(text))
}

/// The key as the name of a column of the user's.
pub(super) fn column_name(node: &Node<'_, '_>) -> Read<ColumnName> {
    if node.key.starts_with('_') {
        let message =
            format!("column `{}`: names that begin with `_` are kept for Stillhouse's own columns", cut(node.key));
        return Err(node.key_problem(message));
    }
    node.key_as()
}

/// The column of what the contract does not know.
pub(super) fn rest() -> Column {
    let name = UNKNOWN_COLUMN.parse().expect("the name of our own column is a name");
    Column { from: ColumnFrom::Rest, ..plain(name, 0, DataType::Json).column }
}

/// A column about which only name and type are known.
fn plain(name: ColumnName, at: usize, data_type: DataType) -> Draft {
    let own = Parsed { value: name.as_str().to_owned(), written: name.as_str().to_owned(), filled: false, at };
    let formats = if is_temporal(item_type(&data_type)) { vec![TimeFormat::iso8601()] } else { Vec::new() };
    let column = Column {
        name,
        data_type,
        from: ColumnFrom::Field { aliases: Vec::new() },
        required: false,
        formats,
        zone: None,
        numbers: NumberFormat::default(),
        list: ListSyntax::Auto,
        null_values: Vec::new(),
        pii: false,
        checks: Checks::default(),
        default: None,
        added: false,
    };
    Draft { column, names: vec![own] }
}

/// The type itself, or that of a list's items.
fn item_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(item) => item,
        other => other,
    }
}

fn is_temporal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Timestamp | DataType::Time)
}

/// Where values come from, and the aliases with their places.
struct From {
    value: ColumnFrom,
    aliases: Vec<Parsed<String>>,
}

/// `"alias"`, `["alias", "other"]`, `"{MM}"` or `"year of COLUMN"`.
fn from(node: &Node<'_, '_>, path: Option<&Parsed<PathTemplate>>) -> Read<From> {
    if !node.is_array() {
        let text = node.text()?;
        if let Some(name) = text.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            placeholder_exists(node, name, &text.written, path)?;
            return Ok(From { value: ColumnFrom::Path(name.to_owned()), aliases: Vec::new() });
        }
        if let Some(name) = text.value.strip_prefix("year of ") {
            let name = name.trim().parse();
            let name = name.map_err(|_| node.problem(format!("`{}` names no column", cut(&text.written))))?;
            return Ok(From { value: ColumnFrom::YearOrigin(name), aliases: Vec::new() });
        }
    }
    let aliases = node.one_or_many(|item| {
        let alias = item.parsed::<String>("a name")?;
        let special = alias.value.starts_with('{') || alias.value.starts_with("year of ");
        match alias.value.trim() {
            "" => Err(item.problem("expected the name of a field, found nothing")),
            _ if special => Err(item.problem(format!("{} has to stand alone", alias.shown()))),
            _ => Ok(alias),
        }
    })?;
    let names = aliases.iter().map(|alias| alias.value.clone()).collect();
    Ok(From { value: ColumnFrom::Field { aliases: names }, aliases })
}

fn placeholder_exists(node: &Node<'_, '_>, name: &str, written: &str, path: Option<&Parsed<PathTemplate>>) -> Read<()> {
    let Some(path) = path else { return Ok(()) };
    let placeholders: Vec<String> = path.value.placeholders().map(|name| format!("{{{name}}}")).collect();
    if placeholders.iter().any(|placeholder| placeholder[1..placeholder.len() - 1] == *name) {
        return Ok(());
    }
    let message = format!("the path has no `{}`", cut(written));
    Err(match placeholders.as_slice() {
        // A path from the environment is not ours to show.
        _ if path.filled => node.problem(message),
        [] => node.problem_with(message, "the path has no placeholders at all; write `path = \"data/{yyyy}/…\"`"),
        some => node.problem_with(message, format!("it has {}", list(some))),
    })
}

/// The settings that only some types have.
fn typed_settings(reader: &Reader<'_, '_>, column: &mut Column) -> Read<()> {
    let item = item_type(&column.data_type).clone();
    let temporal = is_temporal(&item);
    let number = matches!(item, DataType::Int64 | DataType::Float64 | DataType::Decimal { .. });
    let fits = |node: &Node<'_, '_>, fits: bool, who: &str| {
        if fits { Ok(()) } else { Err(node.problem(format!("only for {who}, this column is {}", column.data_type))) }
    };
    let formats = reader.optional("format", |node| {
        fits(node, temporal, "date, timestamp and time columns")?;
        formats(node, &item)
    });
    let zone = reader.optional("zone", |node| {
        fits(node, item == DataType::Timestamp, "timestamp columns")?;
        zone_name(node)
    });
    let decimal = reader.optional("decimal", |node| {
        fits(node, number, "number columns")?;
        node.word(&[(".", '.'), (",", ',')])
    });
    let grouping = reader.optional("grouping", |node| {
        fits(node, number, "number columns")?;
        node.word(&[(",", ','), (".", '.'), (" ", ' '), ("'", '\''), ("’", '’'), ("_", '_'), ("\u{a0}", '\u{a0}')])
    });
    let currency = reader.optional("currency", |node| {
        fits(node, number, "number columns")?;
        node.word(&[("refuse", Currency::Refuse), ("skip", Currency::Skip)])
    });
    let syntax = reader.optional("list", |node| {
        fits(node, matches!(column.data_type, DataType::List(_)), "list columns")?;
        list_syntax(node)
    });
    column.formats = formats?.unwrap_or_else(|| std::mem::take(&mut column.formats));
    column.zone = zone?;
    column.list = syntax?.unwrap_or(ListSyntax::Auto);
    let numbers = NumberFormat {
        decimal: decimal?.unwrap_or('.'),
        grouping: grouping?,
        currency: currency?.unwrap_or(Currency::Refuse),
    };
    match reader.get("grouping") {
        Some(node) if numbers.grouping == Some(numbers.decimal) => Err(node.problem("the same as the decimal mark")),
        _ => {
            column.numbers = numbers;
            Ok(())
        }
    }
}

fn list_syntax(node: &Node<'_, '_>) -> Read<ListSyntax> {
    if !node.is_table() {
        let words = [("auto", ()), ("python", ()), ("json", ())];
        node.word(&words)?;
        return Ok(match node.text()?.value.as_str() {
            "python" => ListSyntax::Python,
            "json" => ListSyntax::Json,
            _ => ListSyntax::Auto,
        });
    }
    let reader = node.table(LIST_KEYS)?;
    reader
        .required("delimiter", "`list = { delimiter = \"|\" }`", |node| {
            let text = node.text()?;
            if text.value.is_empty() {
                Err(node.problem("expected a text between the items, found nothing"))
            } else {
                Ok(text.value)
            }
        })
        .map(ListSyntax::Delimiter)
}

/// One format or several, each of which can say what the type needs.
fn formats(node: &Node<'_, '_>, item: &DataType) -> Read<Vec<TimeFormat>> {
    let mut seen: Vec<TimeFormat> = Vec::new();
    let formats = node.one_or_many(|node| {
        let format = node.parsed::<TimeFormat>("a format")?;
        if let Some(reason) = misfit(&format.value, item) {
            return Err(node.problem(format!("{} {reason}", format.shown())));
        }
        if seen.contains(&format.value) {
            return Err(node.problem(format!("{} stands here twice", format.shown())));
        }
        seen.push(format.value.clone());
        Ok(format.value)
    })?;
    if formats.is_empty() { Err(node.problem("expected a format, found none")) } else { Ok(formats) }
}

/// Why values in that format cannot be values of that type.
fn misfit(format: &TimeFormat, item: &DataType) -> Option<String> {
    use TimeItem::{
        Day, HalfOfDay, Hour, HourOf12, Iso8601, Month, MonthName, Offset, UnixMillis, UnixSeconds, Year, YearOfCentury,
    };
    let count = |of: &[TimeItem]| format.items().iter().filter(|item| of.contains(item)).count();
    let unix = count(&[UnixSeconds, UnixMillis]) > 0;
    if count(&[Iso8601]) > 0 || (unix && *item != DataType::Time) {
        return None;
    }
    let parts: [(&str, &[TimeItem]); 6] = [
        ("year", &[Year, YearOfCentury]),
        ("month", &[Month, MonthName]),
        ("day", &[Day]),
        ("hour", &[Hour, HourOf12]),
        ("minute", &[TimeItem::Minute]),
        ("second", &[TimeItem::Second]),
    ];
    if let Some((part, _)) = parts.iter().find(|(_, items)| count(items) > 1) {
        return Some(format!("names the {part} twice"));
    }
    if count(&[HourOf12]) != count(&[HalfOfDay]) {
        return Some("needs both `%I` and `%p`, or `%H`".to_owned());
    }
    let dated = count(&[Year, YearOfCentury, Month, MonthName, Day]) > 0;
    match item {
        DataType::Time if unix || dated || count(&[Offset]) > 0 => Some("is no format of a time of day".to_owned()),
        DataType::Time => (count(&[Hour, HourOf12]) == 0).then(|| "names no hour".to_owned()),
        _ if count(&[Month, MonthName]) == 0 => Some("names no month".to_owned()),
        _ if count(&[Day]) == 0 => Some("names no day".to_owned()),
        _ => None,
    }
}

/// `from = "year of COLUMN"`: the column exists, has a year, and this one can hold the answer.
fn year_origin(node: &Node<'_, '_>, draft: &Draft, drafts: &[Draft]) -> Read<()> {
    let ColumnFrom::YearOrigin(of) = &draft.column.from else { return Ok(()) };
    if draft.column.data_type != DataType::String {
        return Err(node.problem(format!("`year of …` is a string, this column is {}", draft.column.data_type)));
    }
    let target = drafts.iter().map(|draft| &draft.column).find(|column| column.name == *of);
    match target.map(|column| &column.data_type) {
        Some(DataType::Date | DataType::Timestamp) => Ok(()),
        Some(other) => Err(node.problem(format!("`year of …` needs a date or timestamp column, that one is {other}"))),
        None => Err(node.problem("`year of …` names a column that the table does not have")),
    }
}

/// Names as they are compared with those of a header: without case, blanks, `_` and `-`.
fn compared(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// A field must find one column only, and SQL tells columns apart without case.
fn unique_names(node: &Node<'_, '_>, drafts: &[Draft]) -> Vec<Read<()>> {
    let mut results = Vec::new();
    let mut by_column: BTreeMap<String, &ColumnName> = BTreeMap::new();
    let mut by_field: BTreeMap<String, &ColumnName> = BTreeMap::new();
    for Draft { column, names } in drafts {
        let own = &column.name;
        if let Some(other) = by_column.insert(own.as_str().to_ascii_lowercase(), own) {
            let at = names.first().map_or(0, |name| name.at);
            results.push(Err(node.problem_at(at, format!("columns `{other}` and `{own}` differ only in case"))));
            continue;
        }
        if !matches!(column.from, ColumnFrom::Field { .. }) {
            continue;
        }
        // The record itself may be taken more than once.
        for name in names.iter().filter(|name| name.value != "$") {
            match by_field.insert(compared(&name.value), own) {
                Some(other) if other != own => results.push(Err(same_field(node, name, other, own))),
                _ => {}
            }
        }
    }
    results
}

fn same_field(node: &Node<'_, '_>, name: &Parsed<String>, other: &ColumnName, own: &ColumnName) -> Reported {
    let message = format!("a field {} would belong to `{other}` and to `{own}`", name.shown());
    node.problem_at(name.at, format!("{message}: names are compared without case, blanks, `_` and `-`"))
}
