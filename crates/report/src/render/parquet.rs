//! Parquet: results as they are stored, unrounded.

use std::io;

use ::parquet::arrow::ArrowWriter;

use crate::store::writer_properties;
use crate::view::QueryView;

/// One result as a Parquet file, unrounded.
///
/// # Errors
/// Those of `out`.
pub fn parquet(query: &QueryView, out: &mut (dyn io::Write + Send)) -> io::Result<()> {
    let mut writer = ArrowWriter::try_new(out, query.schema.clone(), Some(writer_properties()))?;
    for batch in &query.batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}
