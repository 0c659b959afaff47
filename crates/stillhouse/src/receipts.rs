//! The receipts of the lake.

use stillhouse_lake::ReceiptQuery;
use stillhouse_spec::Receipt;

use crate::app::App;
use crate::failure::Failure;

/// All receipts, by seq and key number.
pub async fn read(app: &App) -> Result<Vec<Receipt>, Failure> {
    let rows = app.lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await?;
    Ok(rows.into_iter().filter_map(|row| row.receipt).collect())
}
