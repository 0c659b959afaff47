//! The receipts of the lake.

use std::collections::BTreeMap;

use stillhouse_lake::ReceiptQuery;
use stillhouse_spec::Receipt;

use crate::app::App;
use crate::failure::Failure;

/// All receipts, by seq and key number.
pub async fn read(app: &App) -> Result<Vec<Receipt>, Failure> {
    let rows = app.lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await?;
    Ok(rows.into_iter().filter_map(|row| row.receipt).collect())
}

/// For each key its newest receipt, by key number.
pub fn newest(receipts: Vec<Receipt>) -> Vec<Receipt> {
    let mut newest: BTreeMap<i64, Receipt> = BTreeMap::new();
    for receipt in receipts {
        if newest.get(&receipt.key_number).is_none_or(|former| former.generation < receipt.generation) {
            newest.insert(receipt.key_number, receipt);
        }
    }
    newest.into_values().collect()
}
