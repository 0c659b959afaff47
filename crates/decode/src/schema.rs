//! The Arrow schemas of the tables that an object becomes.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use stillhouse_spec::{ChildTable, Contract, DataType, NestedTable, TableName};

/// Ordinal of the record in the object, from 0; blank lines count, a header does not.
pub const RECORD_COLUMN: &str = "_record";
/// Position of the item in its list, or number of the row among those of its record, from 0; on child and nested tables.
pub const ITEM_COLUMN: &str = "_item";

/// The tables of a contract with their schemas: the parent (its columns, then `_record`), then the children (copied
/// columns, the item, `_record`, `_item`), then the nested tables (copied columns, their own, `_record`, `_item`). Every
/// column may be null, so that a contract can loosen without a rewrite.
pub fn schemas(contract: &Contract) -> Vec<(TableName, SchemaRef)> {
    let mut schemas = vec![(contract.parent.name.clone(), parent_schema(contract))];
    for child in &contract.children {
        schemas.push((child.name.clone(), child_schema(contract, child)));
    }
    for nested in &contract.nested {
        schemas.push((nested.name.clone(), nested_schema(nested)));
    }
    schemas
}

fn nested_schema(nested: &NestedTable) -> SchemaRef {
    let columns = nested.all_columns();
    let mut fields: Vec<Field> = columns.map(|c| Field::new(c.name.as_str(), arrow_type(&c.data_type), true)).collect();
    fields.push(Field::new(RECORD_COLUMN, ArrowType::Int64, true));
    fields.push(Field::new(ITEM_COLUMN, ArrowType::Int64, true));
    Arc::new(Schema::new(fields))
}

fn parent_schema(contract: &Contract) -> SchemaRef {
    let columns = contract.parent.columns.iter();
    let mut fields: Vec<Field> = columns.map(|c| Field::new(c.name.as_str(), arrow_type(&c.data_type), true)).collect();
    fields.push(Field::new(RECORD_COLUMN, ArrowType::Int64, true));
    Arc::new(Schema::new(fields))
}

fn child_schema(contract: &Contract, child: &ChildTable) -> SchemaRef {
    let parent_type = |name: &str| contract.parent.column(name).map(|column| &column.data_type);
    let mut fields = Vec::with_capacity(child.copied.len() + 3);
    for (name, parent) in &child.copied {
        let data_type = parent_type(parent.as_str()).expect("a valid contract copies columns of the parent");
        fields.push(Field::new(name.as_str(), arrow_type(data_type), true));
    }
    let item = match parent_type(child.list.as_str()) {
        Some(DataType::List(item)) => arrow_type(item),
        _ => unreachable!("a valid contract makes child tables of list columns"),
    };
    fields.push(Field::new(child.item.as_str(), item, true));
    fields.push(Field::new(RECORD_COLUMN, ArrowType::Int64, true));
    fields.push(Field::new(ITEM_COLUMN, ArrowType::Int64, true));
    Arc::new(Schema::new(fields))
}

/// What a type of ours is in Arrow, such that Delta takes it unchanged.
pub(crate) fn arrow_type(data_type: &DataType) -> ArrowType {
    match data_type {
        DataType::String | DataType::Time | DataType::Json => ArrowType::Utf8,
        DataType::Int64 => ArrowType::Int64,
        DataType::Float64 => ArrowType::Float64,
        DataType::Decimal { precision, scale } => {
            ArrowType::Decimal128(*precision, i8::try_from(*scale).expect("a scale is at most 38"))
        }
        DataType::Bool => ArrowType::Boolean,
        DataType::Date => ArrowType::Date32,
        DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::List(item) => ArrowType::List(Arc::new(item_field(item))),
    }
}

/// Delta calls the items of an array `element`.
pub(crate) fn item_field(item: &DataType) -> Field {
    Field::new("element", arrow_type(item), true)
}
