//! Reads generated files with other people's code and counts what the report's SQL counts. Nothing of the crate helps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

/// A row that loads, as the tables have it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) day: Date,
    /// `lower(trim(email))`.
    pub(crate) email: String,
    pub(crate) country: String,
    pub(crate) action: String,
    pub(crate) tags: Vec<String>,
}

/// What one file holds.
#[derive(Debug, Default)]
pub(crate) struct Recount {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: BTreeMap<String, u64>,
    pub(crate) blank: u64,
    pub(crate) ids_repeated: u64,
}

pub(crate) fn recount(bytes: &[u8]) -> Recount {
    let mut found = Recount::default();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // No field holds two line breaks, so blank lines are line ends that follow each other.
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    found.blank = lines.filter(|line| line.is_empty()).count() as u64 - 1;
    let mut reader = csv::ReaderBuilder::new().has_headers(true).flexible(true).from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    let places = COLUMNS.map(|name| header.iter().position(|found| found == name).unwrap());
    assert_eq!(header.len(), COLUMNS.len());
    let mut ids = BTreeSet::new();
    for record in reader.byte_records() {
        match row(&record.unwrap(), places) {
            Ok(row) => {
                found.ids_repeated += u64::from(!ids.insert(row.id.clone()));
                found.rows.push(row);
            }
            Err(reason) => *found.rejects.entry(reason.to_owned()).or_default() += 1,
        }
    }
    found
}

const COLUMNS: [&str; 8] = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"];

fn row(record: &csv::ByteRecord, places: [usize; 8]) -> Result<Row, &'static str> {
    let record = csv::StringRecord::from_byte_record(record.clone()).map_err(|_| "invalid_utf8")?;
    if record.len() != COLUMNS.len() {
        return Err("field_count");
    }
    let [id, timestamp, email, country, _, _, action, tags] = places.map(|place| &record[place]);
    if timestamp.is_empty() {
        return Err("missing_value");
    }
    Ok(Row {
        id: id.to_owned(),
        day: utc_day(timestamp).ok_or("unreadable_timestamp")?,
        email: email.trim().to_lowercase(),
        country: country.to_owned(),
        action: action.to_owned(),
        tags: python_list(tags),
    })
}

fn utc_day(text: &str) -> Option<Date> {
    if text.len() == 10 {
        return text.parse().ok();
    }
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(instant.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// `['a', "b's"]`.
fn python_list(text: &str) -> Vec<String> {
    let mut rest = text.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().unwrap();
        assert!(quote == '\'' || quote == '"', "{text}");
        let (mut item, mut chars) = (String::new(), rest[1..].char_indices());
        let end = loop {
            match chars.next().unwrap() {
                (_, '\\') => item.push(chars.next().unwrap().1),
                (place, char) if char == quote => break place + 2,
                (_, char) => item.push(char),
            }
        };
        items.push(item);
        rest = rest[end..].strip_prefix(", ").unwrap_or(&rest[end..]);
    }
    items
}

/// `email_domain` of an address without odd characters.
pub(crate) fn domain(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    assert!(!local.is_empty() && domain.contains('.') && !domain.contains(char::is_whitespace), "{email}");
    Some(domain.to_owned())
}

/// `company_domain`: the public suffix list, and the file of free-mail providers that the query engine uses.
pub(crate) fn company(email: &str) -> Option<String> {
    let domain = domain(email)?;
    let registrable = psl::domain_str(&domain)?;
    (!free_mail().contains(registrable)).then(|| registrable.to_owned())
}

fn free_mail() -> &'static BTreeSet<&'static str> {
    static LINES: std::sync::LazyLock<BTreeSet<&str>> =
        std::sync::LazyLock::new(|| include_str!("../../../query/src/functions/free_mail.txt").lines().collect());
    &LINES
}
