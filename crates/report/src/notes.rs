//! Notes: what a reader of a report should know about its inputs.

use std::collections::BTreeMap;

use stillhouse_spec::{Receipt, RejectPlace};

/// Refused records with their lines, years that the data does not state, and warnings. What several objects have in
/// common is one line.
pub(crate) fn notes<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Vec<String> {
    let mut keys_by_text: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for receipt in receipts {
        for text in texts(receipt) {
            keys_by_text.entry(text).or_default().push(&receipt.object.key);
        }
    }
    let mut notes: Vec<String> =
        keys_by_text.into_iter().map(|(text, keys)| format!("{}: {text}", joined(keys))).collect();
    notes.sort();
    let more = notes.len().saturating_sub(NOTES_MAX);
    if more > 0 {
        notes.truncate(NOTES_MAX);
        notes.push(format!("and {more} more: see `stillhouse receipts list`"));
    }
    notes
}

fn texts(receipt: &Receipt) -> Vec<String> {
    let mut texts = Vec::new();
    if receipt.counts.quarantined > 0 {
        texts.push(refused(receipt));
    }
    for (name, choice) in &receipt.decided {
        if let Some(column) = name.strip_prefix("year of ") {
            texts.push(format!("`{column}` states no year; taken: {}", choice.value));
        }
    }
    texts.extend(receipt.warnings.iter().cloned());
    texts
}

fn joined(mut keys: Vec<&str>) -> String {
    keys.sort_unstable();
    let more = keys.len().saturating_sub(KEYS_NAMED_MAX);
    keys.truncate(KEYS_NAMED_MAX);
    let named = keys.join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// `2 of 10 records refused (lines 8, 10): see stillhouse quarantine show`.
fn refused(receipt: &Receipt) -> String {
    let (refused, records) = (receipt.counts.quarantined, receipt.counts.read - receipt.counts.blank);
    let named = receipt.rejects.iter().take(LINES_NAMED_MAX);
    let in_parts = named.clone().any(|place| !place.part.is_empty());
    let place = |place: &RejectPlace| if in_parts { place.words() } else { place.line.to_string() };
    let lines: Vec<String> = named.map(place).collect();
    let named = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let places = match (named, refused.saturating_sub(named)) {
        (0, _) => String::new(),
        (_, 0) if in_parts => format!(" ({})", lines.join(", ")),
        (_, more) if in_parts => format!(" ({} and {more} more)", lines.join(", ")),
        (1, 0) => format!(" (line {})", lines.join(", ")),
        (_, 0) => format!(" (lines {})", lines.join(", ")),
        (_, more) => format!(" (lines {} and {more} more)", lines.join(", ")),
    };
    format!("{refused} of {records} records refused{places}: see `stillhouse quarantine show`")
}

const LINES_NAMED_MAX: usize = 20;
const KEYS_NAMED_MAX: usize = 3;
const NOTES_MAX: usize = 40;
