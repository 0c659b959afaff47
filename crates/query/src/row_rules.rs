//! Conditions and expressions over the rows of one table, outside of any query: what a contract says in SQL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::{Expr, cast};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;

use crate::error::{Error, Kind};
use crate::functions;

/// A condition and derived columns, ready to be asked about rows.
#[derive(Debug)]
pub struct RowRules {
    filter: Option<Arc<dyn PhysicalExpr>>,
    /// Which column, and what it becomes.
    derived: Vec<(usize, Arc<dyn PhysicalExpr>)>,
}

impl RowRules {
    /// Over rows of this schema. `derived`: names of its columns with their expressions, which may name all other columns.
    ///
    /// # Errors
    /// A text is no expression over these columns, or its result is not decided by them.
    pub fn new(schema: &SchemaRef, filter: Option<&str>, derived: &[(String, String)]) -> Result<Self, Error> {
        let context = SessionContext::new();
        for function in functions::all() {
            context.register_udf(function);
        }
        let columns = DFSchema::try_from(schema.as_ref().clone()).map_err(|error| wrong("the columns", &error))?;
        let filter = filter.map(|sql| compiled(&context, &columns, "where", sql, &DataType::Boolean)).transpose()?;
        let derive = |(name, sql): &(String, String)| {
            let what = format!("derive of `{name}`");
            let at = schema.index_of(name).map_err(|error| wrong(&what, &error.into()))?;
            Ok((at, compiled(&context, &columns, &what, sql, schema.field(at).data_type())?))
        };
        Ok(Self { filter, derived: derived.iter().map(derive).collect::<Result<_, Error>>()? })
    }

    /// Which rows meet the condition; `None` if there is none. No answer is an answer of its own, as in SQL.
    ///
    /// # Errors
    /// The condition fails on a row, as a division by zero does.
    pub fn kept(&self, rows: &RecordBatch) -> Result<Option<BooleanArray>, Error> {
        let Some(filter) = &self.filter else { return Ok(None) };
        let array = evaluated(filter, rows)?;
        let kept = array.as_any().downcast_ref::<BooleanArray>().cloned();
        kept.map(Some).ok_or_else(|| Error::new(Kind::Bug, "a condition that is neither true nor false"))
    }

    /// The rows with their derived columns.
    ///
    /// # Errors
    /// An expression fails on a row.
    pub fn derived(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        for (at, expression) in &self.derived {
            columns[*at] = evaluated(expression, rows)?;
        }
        RecordBatch::try_new(rows.schema(), columns).map_err(|error| wrong("derive", &error.into()))
    }
}

fn evaluated(expression: &Arc<dyn PhysicalExpr>, rows: &RecordBatch) -> Result<ArrayRef, Error> {
    let value = expression.evaluate(rows).and_then(|value| value.into_array(rows.num_rows()));
    value.map_err(|error| Error::new(Kind::FixData, error.strip_backtrace()))
}

/// The expression, as a value of that type.
fn compiled(
    context: &SessionContext,
    columns: &DFSchema,
    what: &str,
    sql: &str,
    data_type: &DataType,
) -> Result<Arc<dyn PhysicalExpr>, Error> {
    let expression = context.parse_sql_expr(sql, columns).map_err(|error| wrong(what, &error))?;
    check(&expression).map_err(|found| {
        Error::new(Kind::FixSettings, format!("`{what}`: {found} does not follow from the row alone"))
            .with_hint("a row must be the same whenever it is loaded: use its columns, and functions of them")
    })?;
    let typed = cast(expression, data_type.clone());
    context.create_physical_expr(typed, columns).map_err(|error| wrong(what, &error))
}

/// What of it is not decided by the columns of the row.
fn check(expression: &Expr) -> Result<(), String> {
    let mut found = None;
    let walked = expression.apply(|part| {
        found = match part {
            Expr::ScalarFunction(call) if !functions::is_repeatable(&call.func) => {
                Some(format!("`{}`", call.func.name()))
            }
            Expr::AggregateFunction(call) => Some(format!("`{}`", call.func.name())),
            Expr::WindowFunction(_) => Some("a window".to_owned()),
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) => Some("a query".to_owned()),
            Expr::Placeholder(placeholder) => Some(format!("`{}`", placeholder.id)),
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (walked, found) {
        (Ok(_), None) => Ok(()),
        (_, found) => Err(found.unwrap_or_else(|| "something".to_owned())),
    }
}

fn wrong(what: &str, error: &DataFusionError) -> Error {
    Error::new(Kind::FixSettings, format!("`{what}`: {}", error.strip_backtrace()))
        .with_hint("write an expression in SQL over the columns of the table")
}
