//! What the lake says is in the tables now.

use std::collections::BTreeMap;

use stillhouse_lake::ReceiptQuery;
use stillhouse_spec::{Receipt, standing};

use crate::context::Ingest;
use crate::error::Error;

/// Receipts that stand, and how far each key is.
pub(crate) struct Standing {
    /// By key number and generation.
    pub(crate) receipts: Vec<Receipt>,
    /// The newest revision of each key, of receipts that were replaced, too.
    pub(crate) revisions: BTreeMap<i64, i64>,
}

/// Of one source, or of all.
pub(crate) async fn standing_receipts(ingest: &Ingest, source: Option<&str>) -> Result<Standing, Error> {
    let query = ReceiptQuery { source: source.map(str::to_owned), whole: true, ..ReceiptQuery::default() };
    let rows = ingest.lake.receipts(&query).await?;
    let mut revisions: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &rows {
        let newest = revisions.entry(row.key_number).or_default();
        *newest = row.revision.max(*newest);
    }
    Ok(Standing { receipts: standing(rows.into_iter().filter_map(|row| row.receipt)), revisions })
}
