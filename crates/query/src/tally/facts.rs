//! What the footer of a data file tells before a query runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};

/// What is known of a file: its columns, which of them lie in dictionaries, and between which bounds numbers lie.
#[derive(Debug)]
pub(crate) struct FileFacts {
    schema: SchemaRef,
    dictionaries: HashSet<String>,
    bounds: HashMap<String, Bounds>,
}

/// The smallest and the greatest value of a column without nulls.
#[derive(Debug, PartialEq)]
struct Bounds {
    min: ScalarValue,
    max: ScalarValue,
}

impl FileFacts {
    pub(crate) fn new(metadata: &ParquetMetaData) -> Result<Self> {
        let file = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
        let texts = schema.fields().iter().filter(|field| field.data_type() == &DataType::Utf8);
        let dictionaries = texts.filter(|field| is_in_dictionaries(metadata, field.name()));
        let dictionaries = dictionaries.map(|field| field.name().clone()).collect();
        let mut bounds = HashMap::new();
        for field in schema.fields().iter().filter(|field| has_exact_bounds(field.data_type())) {
            if let Some(found) = bounds_of(metadata, &schema, field.name())? {
                bounds.insert(field.name().clone(), found);
            }
        }
        Ok(Self { schema: Arc::new(schema), dictionaries, bounds })
    }

    /// Whether all texts of the column lie in dictionaries, or there is no such column.
    pub(crate) fn is_in_dictionaries(&self, column: &str) -> bool {
        self.dictionaries.contains(column) || self.schema.field_with_name(column).is_err()
    }

    /// The columns of the file, as they are to be read: the named ones as the dictionaries that they are.
    pub(crate) fn schema_with_dictionaries(&self, columns: &HashSet<String>) -> SchemaRef {
        let fields = self.schema.fields().iter().map(|field| match columns.contains(field.name()) {
            true => Arc::new(Field::clone(field).with_data_type(dictionary_type())),
            false => Arc::clone(field),
        });
        Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), self.schema.metadata().clone()))
    }

    /// Whether `condition`, a comparison of a column with a constant, holds for every row of the file.
    pub(crate) fn proves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        comparison(condition).is_some_and(|(column, operator, constant)| self.holds(column, operator, &constant))
    }

    /// Whether it holds for none.
    pub(crate) fn disproves(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        let Some((column, operator, constant)) = comparison(condition) else { return false };
        operator.negate().is_some_and(|operator| self.holds(column, operator, &constant))
    }

    /// A column that has bounds has no nulls, so that each row either fulfils a comparison or its opposite.
    fn holds(&self, column: &str, operator: Operator, constant: &ScalarValue) -> bool {
        let Some(bounds) = self.bounds.get(column) else { return false };
        if bounds.min.data_type() != constant.data_type() || constant.is_null() {
            return false;
        }
        match operator {
            Operator::Lt => &bounds.max < constant,
            Operator::LtEq => &bounds.max <= constant,
            Operator::Gt => &bounds.min > constant,
            Operator::GtEq => &bounds.min >= constant,
            _ => false,
        }
    }
}

/// How texts of a dictionary are read.
pub(super) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn is_in_dictionaries(metadata: &ParquetMetaData, column: &str) -> bool {
    let schema = metadata.file_metadata().schema_descr();
    let Some(index) = schema.columns().iter().position(|leaf| leaf.path().parts() == [column]) else { return false };
    metadata.row_groups().iter().all(|group| is_dictionary(group.column(index)))
}

/// Wrong answers cost time only: the reader makes a dictionary of what is none.
fn is_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let is_one = |encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    let pages = chunk.page_encoding_stats_mask();
    chunk.dictionary_page_offset().is_some() && pages.is_none_or(|pages| pages.encodings().all(is_one))
}

/// Types whose statistics every writer keeps whole. Bounds of texts may be cut, those of floats leave out NaN.
fn has_exact_bounds(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Date32 | DataType::Timestamp(..))
}

fn bounds_of(metadata: &ParquetMetaData, schema: &Schema, column: &str) -> Result<Option<Bounds>> {
    let converter = StatisticsConverter::try_new(column, schema, metadata.file_metadata().schema_descr())?;
    let converter = converter.with_missing_null_counts_as_zero(false);
    let groups = metadata.row_groups();
    let (mins, maxes) = (converter.row_group_mins(groups)?, converter.row_group_maxes(groups)?);
    let nulls = converter.row_group_null_counts(groups)?;
    let mut bounds: Option<Bounds> = None;
    for group in 0..groups.len() {
        let min = ScalarValue::try_from_array(&mins, group)?;
        let max = ScalarValue::try_from_array(&maxes, group)?;
        let no_nulls = nulls.iter().nth(group).flatten() == Some(0);
        if !no_nulls || min.is_null() || max.is_null() {
            return Ok(None);
        }
        bounds = Some(match bounds {
            None => Bounds { min, max },
            Some(all) => Bounds {
                min: if min < all.min { min } else { all.min },
                max: if max > all.max { max } else { all.max },
            },
        });
    }
    Ok(bounds)
}

/// `column operator constant`, whichever side the constant stands on.
fn comparison(condition: &Arc<dyn PhysicalExpr>) -> Option<(&str, Operator, ScalarValue)> {
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (binary.left(), binary.right());
    if let (Some(column), Some(constant)) = (left.downcast_ref::<Column>(), right.downcast_ref::<Literal>()) {
        return Some((column.name(), *binary.op(), constant.value().clone()));
    }
    let (constant, column) = (left.downcast_ref::<Literal>()?, right.downcast_ref::<Column>()?);
    Some((column.name(), binary.op().swap()?, constant.value().clone()))
}
