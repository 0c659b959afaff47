//! What is counted in one pass over the rows, as expressions over the batches that are read.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::scan::Read;
use super::wanted::Wanted;

/// What one pass over the rows gives.
#[derive(Debug, Clone)]
pub(super) struct TallyPlan {
    /// What holds for every row that counts anywhere: all of these.
    pub(super) conditions: Vec<Arc<dyn PhysicalExpr>>,
    /// Conditions that some ask for and others do not, each once.
    pub(super) questions: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) groupings: Vec<Grouping>,
}

/// What rows are grouped by, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Grouping {
    pub(super) key: Key,
    pub(super) members: Vec<Member>,
}

/// What rows are grouped by: an expression over one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    /// Over a text, read as a dictionary; gives a dictionary where it can.
    Text(Arc<dyn PhysicalExpr>),
    /// Over a number or a moment.
    Number {
        /// Sees the column alone.
        key: Arc<dyn PhysicalExpr>,
        /// The place of the column in the batches.
        column: usize,
    },
}

impl Key {
    pub(super) fn expression(&self) -> &Arc<dyn PhysicalExpr> {
        match self {
            Key::Text(key) | Key::Number { key, .. } => key,
        }
    }
}

/// The aggregates of one aggregation.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The questions to which all rows say yes that count here.
    pub(super) conditions: Vec<usize>,
    pub(super) aggregates: Vec<Counted>,
    /// The key, and the states of the aggregates.
    pub(super) schema: SchemaRef,
}

/// An aggregate over the columns of the batches.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) function: Arc<AggregateFunctionExpr>,
    pub(super) arguments: Vec<Arc<dyn PhysicalExpr>>,
    /// The question to which the rows say yes that it counts.
    pub(super) filter: Option<usize>,
}

impl TallyPlan {
    /// For all that is wanted, each with the schema of its states. The places tell in which grouping a member stands, and
    /// where in it.
    pub(super) fn new(wanted: &[(&Wanted, SchemaRef)], read: &Read<'_>) -> Result<(Self, Vec<(usize, usize)>)> {
        let is_common =
            |condition: &Arc<dyn PhysicalExpr>| wanted.iter().all(|(wanted, _)| wanted.conditions.contains(condition));
        let common = wanted.first().into_iter().flat_map(|(wanted, _)| &wanted.conditions);
        let conditions = common.filter(|condition| is_common(condition)).map(|condition| read.one(condition));
        let mut plan =
            Self { conditions: conditions.collect::<Result<_>>()?, questions: Vec::new(), groupings: Vec::new() };
        let mut places = Vec::with_capacity(wanted.len());
        for (wanted, schema) in wanted {
            let key = read.key(&wanted.key)?;
            let own = wanted.conditions.iter().filter(|condition| !is_common(condition));
            let conditions = own.map(|condition| Ok(plan.question(read.one(condition)?))).collect::<Result<_>>()?;
            let mut aggregates = Vec::with_capacity(wanted.aggregates.len());
            for aggregate in &wanted.aggregates {
                let filter = aggregate.filter.as_ref().map(|filter| read.one(filter)).transpose()?;
                let arguments = aggregate.arguments.iter().map(|argument| read.one(argument));
                let (function, arguments) = (Arc::clone(&aggregate.function), arguments.collect::<Result<_>>()?);
                aggregates.push(Counted { function, arguments, filter: filter.map(|filter| plan.question(filter)) });
            }
            places.push(plan.add(key, Member { conditions, aggregates, schema: Arc::clone(schema) }));
        }
        Ok((plan, places))
    }

    fn question(&mut self, condition: Arc<dyn PhysicalExpr>) -> usize {
        let known = self.questions.iter().position(|known| known.as_ref() == condition.as_ref());
        known.unwrap_or_else(|| {
            self.questions.push(condition);
            self.questions.len() - 1
        })
    }

    fn add(&mut self, key: Key, member: Member) -> (usize, usize) {
        let known = self.groupings.iter().position(|grouping| grouping.key == key);
        let place = known.unwrap_or_else(|| {
            self.groupings.push(Grouping { key, members: Vec::new() });
            self.groupings.len() - 1
        });
        let members = &mut self.groupings[place].members;
        members.push(member);
        (place, members.len() - 1)
    }

    /// All expressions.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let members = self.groupings.iter().flat_map(|grouping| &grouping.members);
        let arguments = members.flat_map(|member| &member.aggregates).flat_map(|aggregate| &aggregate.arguments);
        let keys = self.groupings.iter().map(|grouping| grouping.key.expression());
        self.conditions.iter().chain(&self.questions).chain(keys).chain(arguments)
    }
}

impl fmt::Display for TallyPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for grouping in &self.groupings {
            let aggregates = grouping.members.iter().flat_map(|member| &member.aggregates);
            let names: Vec<&str> = aggregates.map(|aggregate| aggregate.function.name()).collect();
            write!(f, "by=[{}], aggr=[{}], ", grouping.key.expression(), names.join(", "))?;
        }
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        write!(f, "predicate=[{}]", conditions.join(" AND "))
    }
}
