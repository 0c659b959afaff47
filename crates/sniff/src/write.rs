//! The text of the source file, with doubts and what is worth knowing as comments.

use std::fmt::Write as _;

use stillhouse_spec::{
    CsvOptions, Currency, DataType, EscapeStyle, Grain, HeaderStyle, ListSyntax, NumberFormat, QuoteStyle, TextEncoding,
};

use crate::api::{Note, Notes, Place};
use crate::plan::{Child, Format, Nested, Plan, Planned, Stand};

/// Comments are wrapped at this width.
const COLUMNS: usize = 80;

/// What marks a comment that only a person can settle.
pub(crate) const DOUBT: &str = "DOUBT: ";

/// Writes the file. `looked_at` says at what; `outcome` how a trial went.
pub(crate) fn write(plan: &Plan, notes: &Notes, looked_at: &str, outcome: &str) -> String {
    let mut text = String::new();
    comment(&mut text, &format!("Proposed by `stillhouse sniff` from {looked_at}."));
    comment(&mut text, outcome);
    let doubts = notes.0.iter().filter(|note| note.doubt).count();
    if doubts > 0 {
        let what = if doubts == 1 { "one line".to_owned() } else { format!("{doubts} lines") };
        comment(&mut text, &format!("Please look at the {what} marked DOUBT; then delete what you do not need."));
    }
    text.push('\n');
    comments(&mut text, notes, &Place::Files);
    text.push_str("format = 1\n\n[source]\n");
    source(&mut text, plan, notes);
    match &plan.format {
        Format::Csv(options) => {
            text.push_str("\n[csv]\n");
            csv(&mut text, options, notes);
            year(&mut text, plan, notes);
        }
        // Everything else is detected for each file.
        Format::Json if plan.year.is_some() => {
            text.push_str("\n[json]\n");
            year(&mut text, plan, notes);
        }
        Format::Json | Format::Parquet => comments(&mut text, notes, &Place::Csv),
    }
    text.push_str("\n[table]\n");
    table(&mut text, plan, notes);
    text.push_str("\n[table.columns]\n");
    columns(&mut text, plan, &plan.columns, notes);
    comments(&mut text, notes, &Place::Child);
    for child in &plan.children {
        text.push('\n');
        write_child(&mut text, plan, child);
    }
    for (number, nested) in plan.nested.iter().enumerate() {
        text.push('\n');
        write_nested(&mut text, plan, number, nested, notes);
    }
    text
}

fn columns(text: &mut String, plan: &Plan, columns: &[Planned], notes: &Notes) {
    for planned in columns {
        comments(text, notes, &Place::Column(planned.number));
        if !planned.left_out {
            let _ = writeln!(text, "{} = {}", planned.name, column(planned, plan));
        }
    }
}

fn comments(text: &mut String, notes: &Notes, place: &Place) {
    for Note { doubt, text: said, .. } in notes.0.iter().filter(|note| note.commented && note.place == *place) {
        let mark = if *doubt { DOUBT } else { "" };
        comment(text, &format!("{mark}{}{}", capital(said, *doubt), full_stop(said)));
    }
}

/// A sentence begins with a capital letter, unless it begins with a code or stands behind a mark.
fn capital(text: &str, behind_mark: bool) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !behind_mark => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// A sentence ends with a full stop, but a code that it ends with is to be copied as it is.
fn full_stop(text: &str) -> &'static str {
    if text.ends_with(|c: char| c.is_alphanumeric() || c == ')') { "." } else { "" }
}

/// Writes comment lines.
fn comment(text: &mut String, said: &str) {
    for line in wrap(said, COLUMNS - 2) {
        let _ = writeln!(text, "# {line}");
    }
}

/// Breaks a text at blanks. What comes from files cannot end a line by itself.
pub(crate) fn wrap(said: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let clean: String = said.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    for word in words(&clean) {
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// What stands between blanks; a setting that is to be copied, such as `key = "a b"`, stays in one piece.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_open = |setting: &String| setting.contains(" = ") && setting.matches('"').count() % 2 == 1;
        match words.last_mut().filter(|last| word == "=" || last.ends_with(" =") || is_open(last)) {
            Some(setting) => {
                setting.push(' ');
                setting.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    // `${…}` would be a variable of the environment.
    toml::Value::from(text.replace("${", "$${")).to_string()
}

/// Notes that are about one of these, or about none of them.
fn about(notes: &Notes, words: &[&str], wanted: bool) -> Notes {
    let is_about = |note: &&Note| words.iter().any(|word| note.about.starts_with(word)) == wanted;
    Notes(notes.0.iter().filter(is_about).cloned().collect())
}

fn source(text: &mut String, plan: &Plan, notes: &Notes) {
    let of = |word: &str| about(notes, &[word], true);
    comments(text, &of("path"), &Place::Path);
    let _ = writeln!(text, "path = {}\ntype = \"{}\"", quoted(&plan.paths.template), plan.format.name());
    comments(text, notes, &Place::Encoding);
    if plan.encoding == Some(TextEncoding::Windows1252) {
        text.push_str("encoding = \"windows-1252\"\n");
    }
    comments(text, &of("every"), &Place::Path);
    if let Some(every) = plan.paths.every {
        let word = match every {
            Grain::Day => "day",
            Grain::Month => "month",
            Grain::Year => "year",
        };
        let _ = writeln!(text, "every = \"{word}\"");
    }
    comments(text, &of("spill"), &Place::Path);
    if plan.spill_days > 0 && plan.paths.every.is_some() {
        let unit = if plan.spill_days == 1 { "day" } else { "days" };
        let _ = writeln!(text, "spill = \"{} {unit}\"", plan.spill_days);
    }
}

fn csv(text: &mut String, csv: &CsvOptions, notes: &Notes) {
    comments(text, &about(notes, &["year of"], false), &Place::Csv);
    if let Some(delimiter) = csv.delimiter {
        let shown = if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() };
        let _ = writeln!(text, "delimiter = {}", quoted(&shown));
    }
    match csv.quote {
        Some(QuoteStyle::Byte(byte)) => _ = writeln!(text, "quote = {}", quoted(&char::from(byte).to_string())),
        Some(QuoteStyle::None) => text.push_str("quote = \"none\"\n"),
        None => {}
    }
    if csv.escape == Some(EscapeStyle::Backslash) {
        text.push_str("escape = \"backslash\"\n");
    }
    if let Some(header) = csv.header {
        let _ = writeln!(text, "header = {}", header == HeaderStyle::Present);
    }
    if csv.skip_lines > 0 {
        let _ = writeln!(text, "skip_lines = {}", csv.skip_lines);
    }
    if let Some(comment) = csv.comment {
        let _ = writeln!(text, "comment = {}", quoted(&char::from(comment).to_string()));
    }
}

fn year(text: &mut String, plan: &Plan, notes: &Notes) {
    comments(text, &about(notes, &["year of"], true), &Place::Csv);
    if let Some(year) = plan.year {
        let _ = writeln!(text, "# year = {year}");
    }
}

fn table(text: &mut String, plan: &Plan, notes: &Notes) {
    let _ = writeln!(text, "name = \"{}\"", plan.name);
    comments(text, &about(notes, &["max_rejected"], false), &Place::Table);
    if let Some(time) = plan.time {
        let _ = writeln!(text, "time = \"{}\"", plan.columns[time].name);
    }
    if plan.by_position {
        text.push_str("columns_by = \"position\"\n");
    }
    if plan.missing_columns {
        text.push_str("missing_columns = \"null\"\n");
    }
    if let Some(unknown_columns) = plan.unknown_columns {
        let _ = writeln!(text, "unknown_columns = \"{unknown_columns}\"");
    }
    comments(text, &about(notes, &["max_rejected"], true), &Place::Table);
    if let Some(max_rejected) = plan.max_rejected {
        let _ = writeln!(text, "max_rejected = \"{max_rejected}\"");
    }
}

/// `"int64"`, or an inline table with everything that is not usual.
fn column(planned: &Planned, plan: &Plan) -> String {
    let decided = &planned.decided;
    let mut settings = vec![format!("type = \"{}\"", decided.data_type)];
    if let Some(alias) = planned.alias.as_deref().filter(|_| !plan.by_position) {
        settings.push(format!("from = {}", quoted(alias)));
    }
    if planned.required {
        settings.push("required = true".to_owned());
    }
    match decided.formats.as_slice() {
        [] => {}
        [iso] if iso == "iso8601" => {}
        [format] => settings.push(format!("format = {}", quoted(format))),
        several => {
            let formats: Vec<String> = several.iter().map(|format| quoted(format)).collect();
            settings.push(format!("format = [{}]", formats.join(", ")));
        }
    }
    numbers(&decided.numbers, &mut settings);
    match &decided.list {
        _ if !matches!(decided.data_type, DataType::List(_)) => {}
        ListSyntax::Auto => {}
        ListSyntax::Python => settings.push("list = \"python\"".to_owned()),
        ListSyntax::Json => settings.push("list = \"json\"".to_owned()),
        ListSyntax::Delimiter(mark) => settings.push(format!("list = {{ delimiter = {} }}", quoted(mark))),
    }
    match planned.null_values.as_slice() {
        [] => {}
        [one] => settings.push(format!("null_values = {}", quoted(one))),
        several => {
            let values: Vec<String> = several.iter().map(|value| quoted(value)).collect();
            settings.push(format!("null_values = [{}]", values.join(", ")));
        }
    }
    if planned.pii {
        settings.push("pii = true".to_owned());
    }
    match settings.as_slice() {
        [_] => format!("\"{}\"", decided.data_type),
        _ => format!("{{ {} }}", settings.join(", ")),
    }
}

fn numbers(format: &NumberFormat, settings: &mut Vec<String>) {
    if format.decimal != '.' {
        settings.push(format!("decimal = \"{}\"", format.decimal));
    }
    if let Some(grouping) = format.grouping {
        settings.push(format!("grouping = {}", quoted(&grouping.to_string())));
    }
    if format.currency == Currency::Skip {
        settings.push("currency = \"skip\"".to_owned());
    }
}

fn write_child(text: &mut String, plan: &Plan, child: &Child) {
    comment(text, &format!("One row for each item of `{}`.", child.list));
    let _ = writeln!(text, "[[child]]\nname = \"{}\"", child.name);
    let _ = writeln!(text, "from = \"{}.{}[]\"\nitem = \"{}\"", plan.name, child.list, child.item);
    let copied = child.copied.iter().map(|name| (name.clone(), name.clone()));
    copy(text, &copied.collect::<Vec<_>>());
}

fn write_nested(text: &mut String, plan: &Plan, number: usize, nested: &Nested, notes: &Notes) {
    comments(text, notes, &Place::Nested(number));
    for (place, Stand { from, copied }) in nested.places.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "[[child]]\nname = \"{}\"\nfrom = {}", nested.name, quoted(from));
        copy(text, copied);
        // Further places share the columns of the first.
        if place == 0 {
            text.push_str("\n[child.columns]\n");
            columns(text, plan, &nested.columns, notes);
        }
    }
}

/// `copy = { here = "there" }`
fn copy(text: &mut String, copied: &[(String, String)]) {
    if !copied.is_empty() {
        let copied: Vec<String> = copied.iter().map(|(here, there)| format!("{here} = \"{there}\"")).collect();
        let _ = writeln!(text, "copy = {{ {} }}", copied.join(", "));
    }
}
