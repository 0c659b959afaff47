//! DataFusion's errors in words for people: place first, then what is wrong, then the nearest name.

use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use crate::error::{Error, Kind};

/// The names that exist, sorted.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) tables: Vec<String>,
    pub(crate) functions: Vec<String>,
}

/// What an error can be explained with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The query.
    pub(crate) sql: &'a str,
    /// The tables that it can read, and the functions that it can call.
    pub(crate) names: &'a Names,
}

/// `error`, which came up while a query was planned or run.
pub(crate) fn explain(error: DataFusionError, scope: Scope<'_>) -> Error {
    // This one travels as an I/O error of whatever noticed it.
    if error.strip_backtrace().contains(DISK_IS_FULL) {
        return disk_exhausted();
    }
    match unwrap(error) {
        (place, DataFusionError::SQL(parser, _)) => parser_error(place, &parser),
        (place, DataFusionError::SchemaError(schema, _)) => schema_error(place.as_ref(), &schema),
        (place, DataFusionError::Plan(message)) => plan_error(place.as_ref(), &message, scope),
        (place, DataFusionError::NotImplemented(message)) => {
            Error::new(Kind::FixData, at(place.as_ref(), &format!("not offered: {}", first_line(&message))))
        }
        (_, DataFusionError::ResourcesExhausted(message)) => exhausted(&message),
        (place, DataFusionError::Execution(message)) => {
            Error::new(Kind::FixData, at(place.as_ref(), first_line(&message)))
        }
        (_, DataFusionError::ArrowError(arrow, _)) => Error::new(Kind::FixData, lower_first(&arrow.to_string())),
        (_, DataFusionError::External(inner)) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(inner) => unreadable(DataFusionError::External(inner)),
        },
        (
            _,
            error @ (DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_)),
        ) => unreadable(error),
        (_, error) => {
            let message = format!("the query engine failed: {}", first_line(&error.strip_backtrace()));
            Error::new(Kind::Bug, message).with_hint("please report the query together with this message")
        }
    }
}

/// Where in the SQL, and what DataFusion said about that place.
struct Place {
    line: u64,
    column: u64,
    message: String,
}

/// Takes the wrappers off an error and remembers the place that they tell.
fn unwrap(mut error: DataFusionError) -> (Option<Place>, DataFusionError) {
    let mut place = None;
    loop {
        error = match error {
            DataFusionError::Diagnostic(diagnostic, inner) => {
                place = place.or_else(|| place_of(&diagnostic));
                *inner
            }
            DataFusionError::Context(_, inner) => *inner,
            DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
                Ok(inner) => inner,
                Err(shared) => return (place, copy(&shared)),
            },
            DataFusionError::Collection(mut several) if !several.is_empty() => several.swap_remove(0),
            // Errors of streams travel through Arrow's and Parquet's own error types.
            DataFusionError::ArrowError(arrow, backtrace) => match *arrow {
                arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
                    Ok(inner) => *inner,
                    Err(inner) => return (place, DataFusionError::External(inner)),
                },
                other => return (place, DataFusionError::ArrowError(Box::new(other), backtrace)),
            },
            DataFusionError::External(inner) => match inner.downcast::<DataFusionError>() {
                Ok(inner) => *inner,
                Err(inner) => return (place, DataFusionError::External(inner)),
            },
            other => return (place, other),
        };
    }
}

/// What several readers share cannot be taken apart; its kind and text can be copied.
fn copy(shared: &DataFusionError) -> DataFusionError {
    let root = shared.find_root();
    let text = root.strip_backtrace();
    match root {
        DataFusionError::ResourcesExhausted(message) => DataFusionError::ResourcesExhausted(message.clone()),
        DataFusionError::Execution(message) => DataFusionError::Execution(message.clone()),
        DataFusionError::Plan(message) => DataFusionError::Plan(message.clone()),
        DataFusionError::ArrowError(..) => DataFusionError::Execution(text),
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_) => {
            DataFusionError::IoError(std::io::Error::other(text))
        }
        _ => DataFusionError::Internal(text),
    }
}

fn place_of(diagnostic: &Diagnostic) -> Option<Place> {
    let span = diagnostic.span?;
    Some(Place { line: span.start.line, column: span.start.column, message: diagnostic.message.clone() })
}

fn at(place: Option<&Place>, message: &str) -> String {
    match place {
        Some(place) => format!("line {}, column {}: {message}", place.line, place.column),
        None => message.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('.')
}

fn parser_error(place: Option<Place>, error: &ParserError) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => "the query is nested too deeply".to_owned(),
    };
    // The parser writes the place behind the message: ` at Line: 1, Column: 8`.
    let found = text.rsplit_once(" at Line: ").and_then(|(message, rest)| {
        let (line, column) = rest.split_once(", Column: ")?;
        Some((message.to_owned(), line.trim().parse().ok()?, column.trim().parse().ok()?))
    });
    let (message, place) = match found {
        Some((message, line, column)) => (message.clone(), Some(Place { line, column, message })),
        None => (text, place),
    };
    let message = lower_first(message.trim_start_matches("sql parser error: ")).replace("found: EOF", "found: the end");
    Error::new(Kind::FixData, at(place.as_ref(), &message))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn schema_error(place: Option<&Place>, error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let message = at(place, &format!("column `{}` is not there", field.flat_name()));
            let names: Vec<String> = valid_fields.iter().map(shown).collect();
            Error::new(Kind::FixData, message).with_hint(nearest("columns", &field.name, &names))
        }
        SchemaError::AmbiguousReference { field } => {
            Error::new(Kind::FixData, at(place, &format!("column `{}` is in more than one table", field.name)))
                .with_hint(format!("write the table before it: `TABLE.{}`", field.name))
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            Error::new(Kind::FixData, at(place, &format!("two columns are named `{name}`")))
                .with_hint("give one of them another name with `as`")
        }
    }
}

fn shown(column: &Column) -> String {
    in_quotes(&column.name)
}

fn quoted_names(names: &[String]) -> Vec<String> {
    names.iter().map(|name| in_quotes(name)).collect()
}

/// The name as it has to be written: in quotes when it holds capitals.
fn in_quotes(name: &str) -> String {
    if name.chars().any(char::is_uppercase) { format!("\"{name}\"") } else { name.to_owned() }
}

/// A hint for a name that is none of `names`: the most similar one if it is close, else what there is. `what` they are is a
/// plural: `columns`.
pub fn nearest(what: &str, wanted: &str, names: &[String]) -> String {
    let distance = |name: &String| strsim::damerau_levenshtein(&wanted.to_lowercase(), &bare(name).to_lowercase());
    if let Some(best) = names.iter().min_by_key(|name| distance(name))
        && distance(best) <= wanted.chars().count().div_ceil(3)
    {
        return format!("did you mean `{best}`?");
    }
    if names.is_empty() {
        return format!("there are no {what} here");
    }
    if names.len() > NAMES_MANY {
        return format!("there is nothing like it among the {} {what}", names.len());
    }
    let mut listed: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.starts_with('_')).collect();
    listed.dedup();
    let more = listed.len().saturating_sub(NAMES_LISTED_MAX);
    listed.truncate(NAMES_LISTED_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what} are {}{rest}", listed.join(", "))
}

const NAMES_LISTED_MAX: usize = 20;
/// More names than these are no list that anybody reads.
const NAMES_MANY: usize = 100;

fn bare(name: &str) -> &str {
    name.trim_matches('"')
}

fn plan_error(place: Option<&Place>, message: &str, scope: Scope<'_>) -> Error {
    let first = first_line(message);
    if let Some(function) = quoted(first, "Invalid function '") {
        let place = find(scope.sql, function);
        let hint = nearest("functions", function, &scope.names.functions);
        return Error::new(Kind::FixData, at(place.as_ref(), &format!("function `{function}` is not there")))
            .with_hint(hint);
    }
    if let Some(table) = quoted(first, "table '").filter(|_| first.contains("not found")) {
        let table = table.strip_prefix("datafusion.public.").unwrap_or(table);
        let place = find(scope.sql, table);
        return Error::new(Kind::FixData, at(place.as_ref(), &format!("table `{table}` is not there")))
            .with_hint(nearest("tables", table, &quoted_names(&scope.names.tables)));
    }
    // DataFusion tries several signatures and lists what each of them said; one of them is enough.
    if let Some((_, said)) = message.split_once("failed to match any signature, errors: ") {
        let said = said.split("Error during planning: ").find(|part| !part.is_empty()).unwrap_or(said);
        return Error::new(Kind::FixData, at(place, &lower_first(first_line(said).trim_end_matches(','))));
    }
    let message = place.map_or(first, |place| place.message.as_str());
    Error::new(Kind::FixData, at(place, &lower_first(message.trim_end_matches('.'))))
}

/// What stands between `before` and the next quote.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once('\'').map(|(name, _)| name)
}

/// The place where `word` first stands in `sql`.
pub(crate) fn find_word(sql: &str, word: &str) -> Option<(u64, u64)> {
    let lower = sql.to_ascii_lowercase();
    let word = word.to_ascii_lowercase();
    let boundary = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    let start = lower.match_indices(&word).map(|(start, _)| start).find(|start| {
        boundary(lower[..*start].chars().next_back()) && boundary(lower[start + word.len()..].chars().next())
    })?;
    let before = &sql[..start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some((u64::try_from(line).ok()?, u64::try_from(column).ok()?))
}

fn find(sql: &str, word: &str) -> Option<Place> {
    find_word(sql, word).map(|(line, column)| Place { line, column, message: String::new() })
}

/// What DataFusion's disk manager says when spill files reach their limit.
const DISK_IS_FULL: &str = "used disk space during the spilling process has exceeded";

fn disk_exhausted() -> Error {
    Error::new(Kind::FixSettings, "the query needs more disk to spill than `limits.spill` allows")
        .with_hint("raise `limits.spill` in stillhouse.toml, or let the query read or keep less")
}

fn exhausted(message: &str) -> Error {
    Error::new(Kind::FixSettings, "the query needs more memory than `limits.query_memory` allows")
        .with_hint("raise `limits.query_memory` in stillhouse.toml, or let the query read or keep less")
        .with_source(message)
}

fn unreadable(error: DataFusionError) -> Error {
    // Each layer repeats the text of the one below it; the innermost says what happened.
    let whole = error.strip_backtrace();
    let inner = whole.rsplit("rror: ").next().unwrap_or(&whole);
    Error::new(Kind::Retry, format!("a data file of the lake cannot be read: {}", first_line(inner)))
        .with_hint("try again; if it stays, compare the lake's folder with a backup")
        .with_source(error)
}
