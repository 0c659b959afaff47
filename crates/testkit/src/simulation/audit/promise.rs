//! What the receipts of one version of `_receipts` promise, line by line of the files that they speak of.

use std::collections::BTreeMap;

use stillhouse_spec::{Counts, Receipt, object_id};

use super::rows::ReceiptRow;
use crate::simulation::content::{Amount, Content, Fate, Line};
use crate::simulation::truth::Truth;

/// By table and (object, record, item): the text of the row, and when it came (0: not promised).
pub(super) type Promised = BTreeMap<String, BTreeMap<(i64, i64, i64), (String, i64)>>;

/// The receipts that stand, by key number and generation: the newest revision of each, without the replaced ones.
pub(super) fn standing(rows: &[(ReceiptRow, Receipt)]) -> BTreeMap<(i64, i64), Receipt> {
    let mut newest: BTreeMap<(i64, i64), &(ReceiptRow, Receipt)> = BTreeMap::new();
    for row in rows {
        let id = (row.0.key_number, row.0.generation);
        if newest.get(&id).is_none_or(|(former, _)| former.revision < row.0.revision) {
            newest.insert(id, row);
        }
    }
    let all: Vec<_> = newest.values().map(|(_, receipt)| receipt).collect();
    let is_replaced = |receipt: &Receipt| {
        all.iter().any(|later| {
            let replaces = later.replaces_from..later.generation;
            later.key_number == receipt.key_number && replaces.contains(&receipt.generation)
        })
    };
    let standing = newest.iter().filter(|(_, (_, receipt))| !is_replaced(receipt));
    standing.map(|(id, (_, receipt))| (*id, receipt.clone())).collect()
}

/// Adds what this receipt promises.
pub(super) fn promise(truth: &Truth, receipt: &Receipt, promised: &mut Promised) -> Result<(), String> {
    if receipt.twin.is_some() || receipt.removed {
        return nothing(receipt);
    }
    let fates = truth.fates(receipt)?;
    let content = truth.version(&receipt.object.key, &receipt.object.etag).ok_or("no such content")?;
    let mut counts = Counts { read: fates.len() as u64, ..Counts::default() };
    let object = object_id(receipt.key_number, receipt.generation);
    let source = receipt.object.source.as_str();
    for (record, (line, (fate, came))) in (0_i64..).zip(content.lines.iter().zip(fates)) {
        let count = match fate {
            Fate::Loaded => &mut counts.loaded,
            Fate::Quarantined => &mut counts.quarantined,
            Fate::Filtered => &mut counts.filtered,
            Fate::Blank => &mut counts.blank,
        };
        *count += 1;
        let Line::Record { id, amount, tags, .. } = line else { continue };
        let mut put = |table: &str, item: i64, text: String, came: i64| {
            promised.entry(table.to_owned()).or_default().insert((object, record, item), (text, came));
        };
        match fate {
            // Refused again with another reason, a record comes back with another time.
            Fate::Quarantined => put("_quarantine", 0, quarantined(content, line), 0),
            Fate::Loaded => {
                put(source, 0, loaded(receipt, id, *amount), came);
                let tags = if source == "events" { *tags } else { 0 };
                (0..tags).for_each(|tag| put("event_tags", i64::from(tag), format!("{id} t{tag}"), came));
            }
            _ => {}
        }
    }
    if counts != receipt.counts || !receipt.counts.balanced() {
        return Err(format!("expected {counts:?}, the receipt says {:?}", receipt.counts));
    }
    Ok(())
}

fn nothing(receipt: &Receipt) -> Result<(), String> {
    let rows: u64 = receipt.tables.values().map(|table| table.rows).sum();
    if rows > 0 || receipt.counts != Counts::default() {
        return Err(format!("expected no rows of a twin or a removal, the receipt says {:?}", receipt.counts));
    }
    Ok(())
}

fn loaded(receipt: &Receipt, id: &str, amount: Amount) -> String {
    let amount = match amount {
        Amount::Number(number) => number.to_string(),
        Amount::Mendable | Amount::Bad => "null".to_owned(),
    };
    let source = receipt.object.source.as_str();
    let month = if source == "orders" { receipt.object.key.split('/').nth(2).unwrap_or_default() } else { "" };
    format!("{id} {amount} {month}")
}

/// The line as the file has it.
fn quarantined(content: &Content, line: &Line) -> String {
    let only = Content { lines: vec![line.clone()], ..content.clone() };
    only.text().lines().nth(1).unwrap_or_default().to_owned()
}
