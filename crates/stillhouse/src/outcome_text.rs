//! What became of the objects of a run, for people.

use std::collections::BTreeMap;

use stillhouse_ingest::{ObjectOutcome, Status, Summary};

use crate::text::{count, indent, plural};

/// Refused records that one object shows; `quarantine show` has the rest.
const REJECTS_SHOWN: usize = 5;
/// Loaded objects that are named one by one; a larger number is only counted.
const LOADED_SHOWN: usize = 20;

/// A line for each source, below it what is worth a look.
pub fn summary(summary: &Summary) -> String {
    let mut by_source: BTreeMap<&str, Vec<&ObjectOutcome>> = BTreeMap::new();
    for object in &summary.objects {
        by_source.entry(&object.source).or_default().push(object);
    }
    let mut text = String::new();
    for (source, objects) in &by_source {
        text.push_str(&format!("{source}  {}\n", states(objects)));
        let loaded = objects.iter().filter(|object| object.status == Status::Loaded).count();
        for object in objects {
            let routine = match object.status {
                Status::Unchanged => true,
                Status::Loaded => loaded > LOADED_SHOWN && object.rejects.is_empty() && object.warnings.is_empty(),
                _ => false,
            };
            if !routine {
                text.push_str(&indent(&one(object), 2));
                text.push('\n');
            }
        }
    }
    for note in &summary.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// `3 loaded, 1 unchanged, 1 held`
fn states(objects: &[&ObjectOutcome]) -> String {
    let mut states: BTreeMap<Status, u64> = BTreeMap::new();
    for object in objects {
        *states.entry(object.status).or_default() += 1;
    }
    states.iter().map(|(status, number)| format!("{} {}", count(*number), word(*status))).collect::<Vec<_>>().join(", ")
}

/// The word for a state.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Loaded => "loaded",
        Status::Unchanged => "unchanged",
        Status::Held => "held",
        Status::Failed => "failed",
        Status::Settling => "still settling",
        Status::Superseded => "superseded",
        Status::Same => "same content",
        Status::Removed => "removed",
        Status::Pending => "to load",
    }
}

fn one(object: &ObjectOutcome) -> String {
    let mut text = format!("{}  {}", word(object.status), object.key);
    if let Some(counts) = object.counts.filter(|_| object.status == Status::Loaded) {
        text.push_str(&format!("  {} loaded", plural(counts.loaded, "record")));
        for (number, what) in [(counts.quarantined, "refused"), (counts.filtered, "filtered"), (counts.blank, "blank")]
        {
            if number > 0 {
                text.push_str(&format!(", {} {what}", count(number)));
            }
        }
    }
    for reject in object.rejects.iter().take(REJECTS_SHOWN) {
        text.push_str(&format!("\n  {}: {}", reject.words(), rejection(reject)));
    }
    let refused = object.counts.map_or(0, |counts| counts.quarantined);
    if refused > REJECTS_SHOWN as u64 {
        let more = refused - REJECTS_SHOWN as u64;
        text.push_str(&format!("\n  and {} more: stillhouse quarantine show {}", count(more), object.key));
    }
    for warning in &object.warnings {
        text.push_str(&format!("\n  warning: {warning}"));
    }
    if let Some(reason) = &object.reason {
        text.push_str(&format!("\n{}", indent(reason, 2)));
    }
    if let Some(hint) = &object.hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

/// `` column `amount`: expected decimal(12,2), found `12,50` ``
pub fn rejection(reject: &stillhouse_spec::RejectPlace) -> String {
    let column = reject.column.as_ref().map(|column| format!("column `{column}`: ")).unwrap_or_default();
    let found = if reject.found.is_empty() { String::new() } else { format!(", found {}", reject.found) };
    format!("{column}expected {}{found}", reject.expected)
}
