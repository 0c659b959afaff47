//! Views of the current state: of each key the latest row, as a plan over the table's own scan.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit};
use stillhouse_spec::{CurrentView, DeleteMarker, DeleteValues};

use crate::table::LakeTable;

/// The columns that tell rows apart which are equally late. Only nested tables have the last one.
const TIE_BREAKERS: [&str; 3] = ["_object", "_record", "_item"];
/// The place of a row among those of its key, from 1. No column of a contract begins with `_`.
const PLACE: &str = "_place";

/// The view over `table`, whose name is `name`.
///
/// DataFusion puts the plan in the place of the view's name, so everything that looks at plans sees the table below it.
/// A filter on key columns goes through the window to the scan, because the window is partitioned by them.
///
/// A window sorts, and its sort spills, so memory is bounded whatever the number of keys. Measured on a million rows of
/// 100,000 keys, other plans were slower: `first_value` of each column 4 times for three columns and 15 times for ten,
/// `first_value` or `max` of a struct 50 times, and a join back to the latest rows 2 to 5 times, with a hash table that
/// does not spill.
pub(crate) fn view(name: &str, table: &Arc<LakeTable>, rule: &CurrentView) -> Result<ViewTable> {
    let provider = provider_as_source(Arc::clone(table) as Arc<_>);
    let scan = LogicalPlanBuilder::scan(TableReference::bare(name), provider, None)?;
    let columns = Columns { table: name, lake: table };
    let key: Vec<Expr> = rule.key.iter().map(|column| columns.named(column.as_str())).collect();
    let breakers = TIE_BREAKERS.into_iter().filter(|name| columns.has(name));
    let latest = rule.latest_by.iter().map(|column| column.as_str()).chain(breakers);
    // Latest first; no value is older than any.
    let order = latest.map(|column| columns.named(column).sort(false, false)).collect();
    let whole = key.iter().map(|column| column.clone().is_not_null()).reduce(Expr::and).unwrap_or_else(|| lit(true));
    let place = row_number().partition_by(key).order_by(order).build()?.alias(PLACE);
    let latest = scan.filter(whole)?.window([place])?.filter(Expr::Column(Column::from_name(PLACE)).eq(lit(1_u64)))?;
    let there = match &rule.deleted {
        Some(marker) => latest.filter(not_deleted(&columns, marker))?,
        None => latest,
    };
    let plan = there.project(columns.all())?.build()?;
    Ok(ViewTable::new(plan, Some(rule.to_string())))
}

/// What a row says whose thing is there. A marker without a value marks nothing.
fn not_deleted(columns: &Columns<'_>, marker: &DeleteMarker) -> Expr {
    let column = columns.named(marker.column.as_str());
    let is_one_of = |values: Vec<Expr>| column.clone().in_list(values, false);
    match &marker.values {
        DeleteValues::Texts(texts) => is_one_of(texts.iter().map(|text| lit(text.as_str())).collect()).is_not_true(),
        DeleteValues::Numbers(numbers) => is_one_of(numbers.iter().map(|number| lit(*number)).collect()).is_not_true(),
        DeleteValues::True => column.is_not_true(),
        DeleteValues::Any => column.is_null(),
    }
}

/// The columns of a table, as the lake writes their names.
struct Columns<'a> {
    table: &'a str,
    lake: &'a LakeTable,
}

impl Columns<'_> {
    /// The lake may write a name in another case than the contract does by now.
    fn named(&self, name: &str) -> Expr {
        let fields = self.lake.fields();
        let found = fields.iter().find(|field| field.name().eq_ignore_ascii_case(name));
        self.column(found.map_or(name, |field| field.name()))
    }

    fn has(&self, name: &str) -> bool {
        self.lake.fields().iter().any(|field| field.name() == name)
    }

    fn all(&self) -> Vec<Expr> {
        self.lake.fields().iter().map(|field| self.column(Field::name(field))).collect()
    }

    fn column(&self, name: &str) -> Expr {
        Expr::Column(Column::new(Some(TableReference::bare(self.table)), name))
    }
}
