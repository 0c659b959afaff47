//! The guard: one statement, and only one that reads.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use crate::error::{Error, Kind};
use crate::functions;
use crate::sql_error::{Scope, explain};
use crate::table::LakeTable;

/// What a plan reads and names.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(crate) tables: BTreeSet<String>,
    /// Names in the statement that may be views; the plan does not tell.
    pub(crate) views: BTreeSet<String>,
    pub(crate) parameters: BTreeSet<String>,
    pub(crate) unstable: BTreeSet<String>,
}

/// The one statement of the text; a `;` behind it is put up with.
pub(crate) fn parse(scope: Scope<'_>) -> Result<Statement, Error> {
    let parser =
        DFParserBuilder::new(scope.sql).with_dialect(&GenericDialect {}).with_recursion_limit(DEPTH_MAX).build();
    let mut statements =
        parser.and_then(|mut parser| parser.parse_statements()).map_err(|error| explain(error, scope))?;
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(Error::new(Kind::FixData, "expected one query, found no statement")
            .with_hint("write a query such as `select count(*) from TABLE`")),
        (Some(_), more) => Err(Error::new(Kind::FixData, format!("expected one query, found {} statements", more + 1))
            .with_hint("run them one by one; `with NAME as (…)` joins several steps into one query")),
    }
}

/// How deep a query may be nested; DataFusion's default.
const DEPTH_MAX: usize = 50;

/// Refuses plans that do anything but read the session's tables, and tells what the others use.
pub(crate) fn inspect(plan: &LogicalPlan) -> Result<Uses, Error> {
    let mut uses = Uses::default();
    let mut refused = None;
    let walked = plan.apply_with_subqueries(|node| {
        if let Some(what) = refusal(node) {
            refused = Some(what);
            return Ok(TreeNodeRecursion::Stop);
        }
        if let LogicalPlan::TableScan(scan) = node
            && is_lake_table(scan)
        {
            uses.tables.insert(scan.table_name.table().to_owned());
        }
        note_expressions(node, &mut uses)?;
        Ok(TreeNodeRecursion::Continue)
    });
    if let Some(what) = refused {
        return Err(Error::new(Kind::FixData, format!("{what} is refused: queries only read"))
            .with_hint("start with `select`, `with`, `values` or `explain`; tables change by `stillhouse run`"));
    }
    walked.map_err(|error| Error::new(Kind::Bug, "a plan cannot be walked").with_source(error))?;
    Ok(uses)
}

/// What a node does that reading does not need. New kinds of nodes are refused until somebody has looked at them.
fn refusal(node: &LogicalPlan) -> Option<String> {
    match node {
        LogicalPlan::Ddl(ddl) => Some(in_words(ddl.name())),
        LogicalPlan::Dml(dml) => Some(format!("`{}`", dml.op.to_string().to_lowercase())),
        LogicalPlan::Copy(_) => Some("`copy`".to_owned()),
        LogicalPlan::Statement(statement) => Some(in_words(statement.name())),
        LogicalPlan::Extension(extension) => Some(format!("`{}`", extension.node.name())),
        LogicalPlan::TableScan(scan) if !is_lake_table(scan) && !is_computed(scan) => {
            Some(format!("reading `{}`, which is no table of the lake,", scan.table_name))
        }
        _ => None,
    }
}

/// `DropTable` as `` `drop table` ``.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    format!("`{words}`")
}

pub(crate) fn is_lake_table(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| provider.is::<LakeTable>())
}

/// Rows that come from the query itself: `generate_series`, `range`, and the work table of a recursive query.
fn is_computed(scan: &TableScan) -> bool {
    use datafusion::catalog::cte_worktable::CteWorkTable;
    use datafusion::functions_table::generate_series::GenerateSeriesTable;
    source_as_provider(&scan.source)
        .is_ok_and(|provider| provider.is::<CteWorkTable>() || provider.is::<GenerateSeriesTable>())
}

fn note_expressions(node: &LogicalPlan, uses: &mut Uses) -> Result<(), datafusion::error::DataFusionError> {
    node.apply_expressions(|expression| {
        expression.apply(|part| {
            match part {
                Expr::Placeholder(placeholder) => {
                    uses.parameters.insert(placeholder.id.trim_start_matches('$').to_owned());
                }
                Expr::ScalarFunction(call) if !functions::is_repeatable(&call.func) => {
                    uses.unstable.insert(call.func.name().to_owned());
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}
