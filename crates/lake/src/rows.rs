//! Rows of single objects, and how many there are of each: for replay, for `receipts verify` and for audits.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::ObjectStore;

use crate::RECEIPTS;
use crate::error::Error;
use crate::lake::Lake;
use crate::manifest::DataFile;
use crate::merge::{conform, some_columns};
use crate::read::{self, Wanted};
use crate::state::TableState;

/// Rows in batches, read as they are asked for.
pub struct RowStream {
    /// The columns of every batch.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch, Error>>,
}

impl std::fmt::Debug for RowStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Lake {
    /// A data table as of the newest receipt; `None` when no complete batch has touched it.
    pub(crate) async fn shown(&self, table: &str) -> Result<Option<Arc<TableState>>, Error> {
        let Some(receipts) = self.head(RECEIPTS).await? else { return Ok(None) };
        let Some(newest) = self.newest(&receipts).await? else { return Ok(None) };
        match newest.vector.get(table) {
            Some(version) => self.at(table, *version).await.map(Some),
            None => Ok(None),
        }
    }

    /// All rows of these objects (`_object`) in a version of a table, with these columns (those of them that the table
    /// has), or all. Files and row groups that hold none are not read; those that hold some are read by about 8 MB.
    pub async fn rows(
        &self,
        table: &str,
        version: i64,
        objects: RangeInclusive<i64>,
        columns: Option<&[&str]>,
    ) -> Result<RowStream, Error> {
        let state = self.at(table, version).await?;
        let schema = some_columns(&state.schema, columns);
        let mut files: Vec<Arc<DataFile>> =
            state.files.values().filter(|file| overlaps(file, &objects)).cloned().collect();
        files.sort_by_key(|file| (file.object_min, file.object_max, file.path.clone()));
        let reader = Reader { store: Arc::clone(&self.store), table: table.to_owned(), schema, objects };
        let schema = Arc::clone(&reader.schema);
        let reader = Arc::new(reader);
        let batches = futures::stream::iter(files)
            .then(move |file| Arc::clone(&reader).open(file))
            .try_flatten()
            .try_filter(|batch| std::future::ready(batch.num_rows() > 0))
            .boxed();
        Ok(RowStream { schema, batches })
    }

    /// How many rows each object (`_object`) has in a version of a table. Where statistics say that a file holds one
    /// object, it is not opened.
    pub async fn object_counts(&self, table: &str, version: i64) -> Result<BTreeMap<i64, u64>, Error> {
        let state = self.at(table, version).await?;
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for file in state.files.values() {
            if file.object_min == file.object_max {
                *counts.entry(file.object_min).or_default() += file.rows;
                continue;
            }
            let mut rows = read::open(&self.store, table, file, Some(&["_object"])).await?;
            while let Some(batch) = rows.batches.next().await {
                let batch = batch?;
                let objects = batch.column_by_name("_object").and_then(|column| column.as_primitive_opt::<Int64Type>());
                for object in objects.into_iter().flatten().flatten() {
                    *counts.entry(object).or_default() += 1;
                }
            }
        }
        Ok(counts)
    }
}

pub(crate) fn overlaps(file: &DataFile, objects: &RangeInclusive<i64>) -> bool {
    file.object_min <= *objects.end() && *objects.start() <= file.object_max
}

struct Reader {
    store: Arc<dyn ObjectStore>,
    table: String,
    schema: SchemaRef,
    objects: RangeInclusive<i64>,
}

impl Reader {
    async fn open(
        self: Arc<Self>,
        file: Arc<DataFile>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, Error>>, Error> {
        let columns: Vec<&str> =
            self.schema.fields().iter().map(|field| field.name().as_str()).chain(["_object"]).collect();
        let is_within = self.objects.contains(&file.object_min) && self.objects.contains(&file.object_max);
        let within = (!is_within).then(|| ("_object", self.objects.clone()));
        let wanted = Wanted { columns: Some(&columns), within };
        let rows = read::open_wanted(&self.store, &self.table, &file, &wanted).await?;
        let reader = Arc::clone(&self);
        Ok(rows.batches.map(move |batch| reader.rows_of(&file, &batch?)).boxed())
    }

    fn rows_of(&self, file: &DataFile, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let objects = batch.column_by_name("_object").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let objects = objects.ok_or_else(|| {
            let place = format!("table `{}`, file `{}`", self.table, file.path);
            Error::fix_data(format!("{place}: expected a column `_object` of int64, found none"))
        })?;
        let is_wanted = |object: Option<i64>| object.is_some_and(|object| self.objects.contains(&object));
        let mask: BooleanArray = objects.iter().map(|object| Some(is_wanted(object))).collect();
        let rows =
            filter_record_batch(batch, &mask).map_err(|e| Error::bug("filtering rows by `_object`").caused_by(e))?;
        conform(&self.schema, &rows)
    }
}
