//! Where the rows of a source go, and where they came from.

use arrow::datatypes::SchemaRef;
use stillhouse_lake::{QUARANTINE, quarantine_schema, with_lineage_schema};
use stillhouse_spec::{Contract, ObjectVersion, TableName};

/// The tables that a source's objects go to, with their schemas as they are in the lake.
#[derive(Debug, Clone)]
pub struct TargetTables {
    /// Parent first, then the children in the order of the contract; `_quarantine` last.
    pub tables: Vec<(TableName, SchemaRef)>,
}

impl TargetTables {
    /// The tables of `contract`, and `_quarantine`.
    pub fn new(contract: &Contract) -> Self {
        let decoded = stillhouse_decode::schemas(contract).into_iter();
        let mut tables: Vec<_> = decoded.map(|(name, schema)| (name, with_lineage_schema(&schema))).collect();
        let quarantine = QUARANTINE.parse().expect("the name of the lake's own table is a table name");
        tables.push((quarantine, quarantine_schema()));
        Self { tables }
    }

    /// The index of `_quarantine`.
    pub fn quarantine(&self) -> usize {
        self.tables.len() - 1
    }
}

/// The lineage of one object version.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// `_object`.
    pub object: i64,
    /// `_ingested_at`, microseconds since 1970.
    pub ingested_at: i64,
    /// Where it came from.
    pub version: ObjectVersion,
}
