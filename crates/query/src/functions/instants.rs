//! Comparing days with instants, without nanoseconds.
//!
//! DataFusion compares a `date` with a `timestamp` in nanoseconds, which begin in 1677 and end in 2262: a day such as
//! 9999-12-31, or the bounds of the period `all`, would make the query fail. Here the day becomes the instant at which it
//! begins (in UTC), in microseconds, before DataFusion looks for a common type.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, Operator, cast};

/// The rewrite; it is applied before types are coerced.
#[derive(Debug)]
pub(crate) struct DaysAsInstants;

impl FunctionRewrite for DaysAsInstants {
    fn name(&self) -> &str {
        "days_as_instants"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _config: &ConfigOptions) -> Result<Transformed<Expr>> {
        let expr = match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
                let [left, right] = common([*left, *right], schema);
                Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
            }
            Expr::Between(Between { expr, negated, low, high }) => {
                let [expr, low, high] = common([*expr, *low, *high], schema);
                Expr::Between(Between::new(Box::new(expr), negated, Box::new(low), Box::new(high)))
            }
            Expr::InList(InList { expr, list, negated }) => {
                let mut parts = list;
                parts.insert(0, *expr);
                let mut parts = common_all(parts, schema);
                let expr = parts.remove(0);
                Expr::InList(InList::new(Box::new(expr), parts, negated))
            }
            other => return Ok(Transformed::no(other)),
        };
        Ok(Transformed::yes(expr))
    }
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn common<const N: usize>(parts: [Expr; N], schema: &DFSchema) -> [Expr; N] {
    let parts = common_all(parts.into(), schema);
    parts.try_into().expect("as many parts come out as go in")
}

/// Casts the days among `parts` to the type of the instants among them, if there are both and the instants are in
/// microseconds.
fn common_all(parts: Vec<Expr>, schema: &DFSchema) -> Vec<Expr> {
    // A part whose type is not known is none of ours.
    let types: Vec<Option<DataType>> = parts.iter().map(|part| part.get_type(schema).ok()).collect();
    let micros = |kind: &&DataType| matches!(kind, DataType::Timestamp(TimeUnit::Microsecond, _));
    let Some(instant) = types.iter().flatten().find(micros).cloned() else { return parts };
    let day = |kind: &Option<DataType>| matches!(kind, Some(DataType::Date32 | DataType::Date64));
    let each = parts.into_iter().zip(&types);
    each.map(|(part, kind)| if day(kind) { cast(part, instant.clone()) } else { part }).collect()
}
