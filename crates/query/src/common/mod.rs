//! What several queries ask for in common is computed once.
//!
//! The queries of a report group the same rows by the same key again and again: users by e-mail for the most active ones,
//! for their companies, for their domains. [`shared`] looks at all of them before one runs. Aggregations that have table,
//! conditions and group keys in common become one that computes the aggregates of all of them ([`grouping`]). Its groups
//! stay in memory until the last of these queries has read them ([`groups`]). Aggregations of one table that differ in
//! more are computed in one pass over its rows, where a tally can do them ([`of_table`]).
//!
//! **Invariant:** a query gives the same rows as it would alone. Only what is equal is shared, nothing that is similar.
//! **Invariant:** sharing never makes a query fail: groups that do not fit are not kept, and what fails with a shared plan
//! runs alone.

mod budget;
mod grouping;
mod groups;
mod of_table;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableSource};

use self::budget::Budget;
use self::grouping::{Grouping, grouping, over_table};
use self::groups::SharedGroups;
pub(crate) use self::of_table::OfTable;

/// A plan that shares parts with those of other queries, and what is to be computed before it runs.
#[derive(Debug)]
pub(crate) struct Sharing {
    pub(crate) plan: LogicalPlan,
    pub(crate) tables: Vec<Arc<OfTable>>,
}

/// Plans of several queries, rewritten so that they share what they have in common. `None` for a query that shares
/// nothing. `memory_bytes` is what all queries may use.
pub(crate) fn shared(plans: &[LogicalPlan], memory_bytes: usize) -> Result<Vec<Option<Sharing>>> {
    let mut groupings: Vec<(Grouping, Members)> = Vec::new();
    for plan in plans {
        plan.apply(|node| {
            if let Some((grouping, source)) = grouping(node)? {
                let LogicalPlan::Aggregate(aggregate) = node else { return Ok(TreeNodeRecursion::Continue) };
                match groupings.iter_mut().find(|(known, _)| *known == grouping) {
                    Some((_, members)) => members.add(aggregate)?,
                    None => {
                        let mut members = Members::new(source);
                        members.add(aggregate)?;
                        groupings.push((grouping, members));
                    }
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let tables = Tables::new(groupings, &Budget::of(memory_bytes))?;
    plans.iter().map(|plan| tables.rewritten(plan)).collect()
}

/// The aggregations of a grouping.
struct Members {
    source: Arc<dyn TableSource>,
    count: usize,
    /// Those of all members, over the columns of the table.
    aggregates: Vec<Expr>,
}

impl Members {
    fn new(source: Arc<dyn TableSource>) -> Self {
        Self { source, count: 0, aggregates: Vec::new() }
    }

    fn add(&mut self, aggregate: &Aggregate) -> Result<()> {
        self.count += 1;
        for expression in over_table(aggregate)?.aggregates {
            if !self.aggregates.contains(&expression) {
                self.aggregates.push(expression);
            }
        }
        Ok(())
    }
}

/// The groupings that are shared, as tables.
struct Tables {
    groupings: HashMap<Grouping, Table>,
}

struct Table {
    name: TableReference,
    groups: Arc<SharedGroups>,
    aggregates: Vec<Expr>,
    of_table: Arc<OfTable>,
}

impl Tables {
    /// Those that several aggregations have in common, and those of a table that has more than one.
    fn new(groupings: Vec<(Grouping, Members)>, budget: &Arc<Budget>) -> Result<Self> {
        let mut by_table: Vec<Vec<(Grouping, Members)>> = Vec::new();
        for one in groupings {
            match by_table.iter_mut().find(|others| others[0].0.table == one.0.table) {
                Some(others) => others.push(one),
                None => by_table.push(vec![one]),
            }
        }
        by_table.retain(|of_table| of_table.iter().map(|(_, members)| members.count).sum::<usize>() > 1);
        let mut tables = HashMap::new();
        for of_table in by_table {
            let groups = of_table.iter().map(|(grouping, members)| SharedGroups::new(grouping, members));
            let groups = groups.collect::<Result<Vec<_>>>()?.into_iter().map(Arc::new).collect::<Vec<_>>();
            let all = Arc::new(OfTable::new(groups.iter().map(Arc::downgrade).collect(), Arc::clone(budget)));
            for ((grouping, members), groups) in of_table.into_iter().zip(groups) {
                let name = TableReference::bare(format!("_shared_{}", tables.len()));
                let (aggregates, of_table) = (members.aggregates, Arc::clone(&all));
                tables.insert(grouping, Table { name, groups, aggregates, of_table });
            }
        }
        Ok(Self { groupings: tables })
    }

    /// The plan with shared groups in the place of its aggregations, if it has such.
    fn rewritten(&self, plan: &LogicalPlan) -> Result<Option<Sharing>> {
        let mut tables: Vec<Arc<OfTable>> = Vec::new();
        let new = plan.clone().transform_up(|node| {
            let Some((grouping, _)) = grouping(&node)? else { return Ok(Transformed::no(node)) };
            let (Some(table), LogicalPlan::Aggregate(aggregate)) = (self.groupings.get(&grouping), &node) else {
                return Ok(Transformed::no(node));
            };
            let Some(read) = table.read(&grouping, aggregate)? else { return Ok(Transformed::no(node)) };
            if !tables.iter().any(|known| Arc::ptr_eq(known, &table.of_table)) {
                tables.push(Arc::clone(&table.of_table));
            }
            Ok(Transformed::yes(read))
        })?;
        Ok(new.transformed.then_some(Sharing { plan: new.data, tables }))
    }
}

impl Table {
    /// What `aggregate` gives, read from the groups.
    fn read(&self, grouping: &Grouping, aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
        let wanted = over_table(aggregate)?.aggregates;
        let places = wanted.iter().map(|one| self.aggregates.iter().position(|other| other == one));
        let Some(places) = places.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let columns = (0..grouping.keys.len()).chain(places.into_iter().map(|place| grouping.keys.len() + place));
        let fields = aggregate.schema.iter();
        let columns = columns.zip(fields).map(|(column, (qualifier, field))| {
            let column = Expr::Column(Column::new(Some(self.name.clone()), groups::column_name(column)));
            column.alias_qualified(qualifier.cloned(), field.name())
        });
        let source = provider_as_source(Arc::clone(&self.groups) as Arc<_>);
        let read = LogicalPlanBuilder::scan(self.name.clone(), source, None)?.project(columns.collect::<Vec<_>>())?;
        read.build().map(Some)
    }
}
