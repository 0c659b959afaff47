//! What contracts say in SQL, made by the query engine for the decoder.

use arrow::array::BooleanArray;
use arrow::record_batch::RecordBatch;
use stillhouse_decode::{RowRules, SinkError, schemas};
use stillhouse_query as query;
use stillhouse_spec::{ColumnFrom, Contract};

/// The query engine's rules as the decoder wants them.
struct Compiled(query::RowRules);

impl RowRules for Compiled {
    fn kept(&self, rows: &RecordBatch) -> Result<Option<BooleanArray>, SinkError> {
        Ok(self.0.kept(rows)?)
    }

    fn derived(&self, rows: RecordBatch) -> Result<RecordBatch, SinkError> {
        Ok(self.0.derived(&rows)?)
    }
}

/// The rules of a contract; an error is for a person.
pub fn compile(contract: &Contract) -> Result<Box<dyn RowRules + Send>, String> {
    let derived = contract.parent.columns.iter().filter_map(|column| match &column.from {
        ColumnFrom::Derived(sql) => Some((column.name.to_string(), sql.clone())),
        _ => None,
    });
    let derived: Vec<(String, String)> = derived.collect();
    let tables = schemas(contract);
    let (_, schema) = tables.first().ok_or("the contract has no table")?;
    let rules = query::RowRules::new(schema, contract.filter.as_deref(), &derived);
    rules.map(|rules| Box::new(Compiled(rules)) as _).map_err(|error| error.to_string())
}
