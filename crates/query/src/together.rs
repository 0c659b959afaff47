//! Several statements over one session, one after the other, that share what they have in common.

use std::fmt;

use datafusion::logical_expr::LogicalPlan;

use crate::common::{self, Sharing};
use crate::error::Error;
use crate::params::Params;
use crate::session::{RowStream, Session};

/// Several statements that share what they have in common; made by [`Session::together`].
pub struct Together<'s> {
    session: &'s Session,
    params: Params,
    statements: Vec<Statement>,
}

struct Statement {
    sql: String,
    /// The plan with shared parts. It is given away with the first run, so that the parts go when nobody reads them.
    sharing: Option<Sharing>,
}

impl<'s> Together<'s> {
    /// `plans` are those of the statements, as far as they could be planned.
    pub(crate) fn new(
        session: &'s Session,
        statements: &[&str],
        params: &Params,
        plans: &[Option<LogicalPlan>],
        memory_bytes: usize,
    ) -> Self {
        let planned: Vec<LogicalPlan> = plans.iter().flatten().cloned().collect();
        let mut sharing = common::shared(&planned, memory_bytes).unwrap_or_default().into_iter();
        let each = statements.iter().zip(plans);
        let statements = each.map(|(sql, plan)| {
            let sharing = plan.as_ref().and_then(|_| sharing.next().flatten());
            Statement { sql: (*sql).to_owned(), sharing }
        });
        Self { session, params: params.clone(), statements: statements.collect() }
    }

    /// Runs the statement at that place and hands out its result as it is made, as [`Session::stream`] does.
    ///
    /// # Errors
    /// As [`Session::stream`].
    ///
    /// # Panics
    /// When there is no statement at that place.
    pub async fn stream(&mut self, place: usize) -> Result<RowStream, Error> {
        let statement = &mut self.statements[place];
        let sharing = statement.sharing.take();
        for table in sharing.iter().flat_map(|sharing| &sharing.tables) {
            table.compute(&self.session.state(), self.session.longest()).await;
        }
        let plan = sharing.map(|sharing| sharing.plan);
        self.session.stream_sharing(&statement.sql, &self.params, plan).await
    }

    /// How many of the statements that were not run yet share something with another one.
    pub fn sharing(&self) -> usize {
        self.statements.iter().filter(|statement| statement.sharing.is_some()).count()
    }
}

impl fmt::Debug for Together<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}
