//! A session: queries over one set of tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{FunctionRegistry, SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use futures::{Stream, StreamExt};
use stillhouse_spec::CurrentView;
use tokio::time::Sleep;

use crate::booking::book;
use crate::current;
use crate::error::{Error, Kind};
use crate::foreign::{ForeignInput, Unreadable};
use crate::functions;
use crate::guard::{self, Uses};
use crate::options::{EngineOptions, Shared};
use crate::params::{Params, bind};
use crate::sql_error::{self, Names, Scope};
use crate::table::{LakeTable, TableInput};
use crate::tally::ByDictionary;
use crate::together::Together;

/// Queries over one set of tables.
pub struct Session {
    shared: Shared,
    context: SessionContext,
    names: Arc<Names>,
    views: BTreeMap<String, CurrentView>,
    /// Foreign tables that cannot be read, and why.
    unreadable: BTreeMap<String, Unreadable>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("tables", &self.names.tables).finish_non_exhaustive()
    }
}

/// What planning a statement told.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The columns of the result.
    pub schema: SchemaRef,
    /// The tables that it reads, those below a view among them.
    pub tables: BTreeSet<String>,
    /// The views that it names, with their rules: the same tables give another result under another rule.
    pub views: BTreeMap<String, CurrentView>,
    /// The parameters that it names, without `$`.
    pub parameters: BTreeSet<String>,
    /// Functions whose result is not decided by their arguments: `now`, `random`, … Such a query cannot be reproduced.
    pub unstable: BTreeSet<String>,
}

/// A whole result.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// How many rows there are.
    pub rows: u64,
}

/// A result as it is made. Dropping it stops the query and frees what it holds.
pub struct RowStream {
    first: Option<RecordBatch>,
    inner: SendableRecordBatchStream,
    deadline: Pin<Box<Sleep>>,
    shared: Shared,
    rows: u64,
    ended: bool,
    sql: String,
    names: Arc<Names>,
}

impl Session {
    pub(crate) fn new(
        shared: Shared,
        runtime: Arc<RuntimeEnv>,
        config: SessionConfig,
        inputs: Vec<TableInput>,
        foreign: Vec<ForeignInput>,
    ) -> Result<Self, Error> {
        let mut state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_physical_optimizer_rule(Arc::new(ByDictionary))
            .build();
        let rewrite = Arc::new(functions::DaysAsInstants);
        state.register_function_rewrite(rewrite).map_err(|error| {
            Error::new(Kind::Bug, "the rewrite of comparisons cannot be registered").with_source(error)
        })?;
        let context = SessionContext::new_with_state(state);
        for function in functions::all() {
            context.register_udf(function);
        }
        let mut tables = BTreeSet::new();
        let mut views = BTreeMap::new();
        for input in inputs {
            let table = Arc::new(LakeTable::new(&input));
            if let Some(rule) = &input.current {
                register(&context, &mut tables, rule.name.as_str(), view(&input, &table, rule)?)?;
                views.insert(rule.name.to_string(), rule.clone());
            }
            register(&context, &mut tables, &input.name, table)?;
        }
        let unreadable = register_foreign(&context, &mut tables, foreign)?;
        let names = Names { tables: tables.into_iter().collect(), functions: function_names(&context) };
        Ok(Self { shared, context, names: Arc::new(names), views, unreadable })
    }

    /// The tables and views, sorted.
    pub fn tables(&self) -> &[String] {
        &self.names.tables
    }

    /// Whether there is a table or view of that name.
    ///
    /// # Errors
    /// When there is none; the hint offers the nearest. When it is a foreign table that cannot be read.
    pub fn expect_table(&self, name: &str) -> Result<(), Error> {
        self.expect_readable(name)?;
        if self.names.tables.iter().any(|table| table == name) {
            return Ok(());
        }
        Err(Error::new(Kind::FixSettings, format!("there is no table `{name}`")).with_hint(sql_error::nearest(
            "tables",
            name,
            &self.names.tables,
        )))
    }

    fn expect_readable(&self, name: &str) -> Result<(), Error> {
        self.unreadable.get(name).map_or(Ok(()), |unreadable| Err(unreadable.error()))
    }

    /// The functions that queries can call, sorted.
    pub fn functions(&self) -> &[String] {
        &self.names.functions
    }

    /// Plans a statement without running it.
    ///
    /// # Errors
    /// When it is no query, names what is not there, or a parameter is missing.
    pub async fn plan(&self, sql: &str, params: &Params) -> Result<Planned, Error> {
        let (plan, uses) = self.logical(sql, params).await?;
        // Optimizing finds what planning leaves open: types that do not fit, functions without such a form.
        let optimized = self.context.state().optimize(&plan).map_err(|error| self.explain(error, sql))?;
        let schema = Arc::new(optimized.schema().as_arrow().clone());
        let Uses { tables, views, parameters, unstable } = uses;
        let views = self.views.iter().filter(|(name, _)| views.contains(*name));
        let views = views.map(|(name, rule)| (name.clone(), rule.clone())).collect();
        Ok(Planned { schema, tables, views, parameters, unstable })
    }

    /// Runs a statement and collects its result.
    ///
    /// # Errors
    /// As [`Session::plan`], and when a limit is reached (the whole result has to fit the query memory) or a file cannot
    /// be read.
    pub async fn query(&self, sql: &str, params: &Params) -> Result<QueryResult, Error> {
        let mut stream = self.stream(sql, params).await?;
        let reservation = MemoryConsumer::new("result").register(&self.context.runtime_env().memory_pool);
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            book(&reservation, &batch).map_err(|error| self.explain(error, sql))?;
            batches.push(batch);
        }
        Ok(QueryResult { schema: stream.schema(), batches, rows: stream.rows })
    }

    /// Runs a statement and hands out its result as it is made.
    ///
    /// # Errors
    /// As [`Session::query`]; what goes wrong later comes out of the stream.
    pub async fn stream(&self, sql: &str, params: &Params) -> Result<RowStream, Error> {
        self.stream_sharing(sql, params, None).await
    }

    /// Looks for what these statements have in common, so that it is computed once.
    pub async fn together(&self, statements: &[&str], params: &Params) -> Together<'_> {
        // Statements that cannot be planned say so when they are run.
        let mut plans = Vec::with_capacity(statements.len());
        for sql in statements {
            let planned = self.logical(sql, params).await.ok();
            plans.push(planned.and_then(|(plan, _)| self.context.state().optimize(&plan).ok()));
        }
        let memory = usize::try_from(self.shared.options.memory_bytes).unwrap_or(usize::MAX);
        Together::new(self, statements, params, &plans, memory)
    }

    /// How queries are planned and run.
    pub(crate) fn state(&self) -> SessionState {
        self.context.state()
    }

    /// How long one query may take.
    pub(crate) fn longest(&self) -> Duration {
        Duration::from_secs(self.shared.options.query_seconds)
    }

    /// The same as [`Session::stream`]; `sharing` gives the same rows, with parts that other queries use, too.
    pub(crate) async fn stream_sharing(
        &self,
        sql: &str,
        params: &Params,
        sharing: Option<LogicalPlan>,
    ) -> Result<RowStream, Error> {
        let mut deadline = Box::pin(tokio::time::sleep(self.longest()));
        let (first, inner) = tokio::select! {
            started = Box::pin(self.start(sql, params, sharing)) => started?,
            () = deadline.as_mut() => return Err(too_long(&self.shared.options)),
        };
        let (shared, names) = (self.shared.clone(), self.names.clone());
        Ok(RowStream { first, inner, deadline, shared, rows: 0, ended: false, sql: sql.to_owned(), names })
    }

    /// Starts the query and waits for its first rows.
    ///
    /// Joins by hash are fast, but their tables have to fit the memory; joins by sorting spill. Sorts spill, but several
    /// at once, one for each partition, may leave each other too little to merge what they spilled. Both turn out before
    /// the query gives a row, so it can start again in a way that needs less.
    async fn start(&self, sql: &str, params: &Params, sharing: Option<LogicalPlan>) -> Result<Started, Error> {
        // Whatever is wrong with a plan that shares is no reason to fail: the query runs alone, and tells itself.
        if let Some(plan) = sharing
            && let Ok(started) = first_rows(self.context.state(), plan).await
        {
            return Ok(started);
        }
        let (plan, _) = self.logical(sql, params).await?;
        let reserved = self.reserved();
        let mut started = first_rows(self.context.state(), plan.clone()).await;
        if matches!(&started, Err(error) if is_hash_join_full(error)) {
            let partitions = self.shared.options.partitions.max(1);
            self.wait_for_memory(reserved).await;
            started = first_rows(self.frugal(partitions), plan.clone()).await;
        }
        if matches!(&started, Err(error) if is_exhausted(error)) {
            self.wait_for_memory(reserved).await;
            started = first_rows(self.frugal(1), plan).await;
        }
        started.map_err(|error| self.explain(error, sql))
    }

    /// Memory that queries have taken.
    fn reserved(&self) -> usize {
        self.context.runtime_env().memory_pool.reserved()
    }

    /// Waits until no more memory is taken than that. The parts of a query that was given up run in tasks of their own, which
    /// stop a moment later, and until then they leave nothing to the next attempt. Other queries may take more meanwhile.
    async fn wait_for_memory(&self, reserved: usize) {
        const STEP: Duration = Duration::from_millis(5);
        const STEPS_MAX: usize = 400;
        for _ in 0..STEPS_MAX {
            if self.reserved() <= reserved {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Joins by sorting, and as many partitions as that.
    fn frugal(&self, partitions: usize) -> SessionState {
        let state = self.context.state();
        // The two states share their catalogs; a new default catalog would take the place of the one with the tables.
        let config = state.config().clone().with_create_default_catalog_and_schema(false);
        let config = config.with_target_partitions(partitions);
        let config = config.set_bool("datafusion.optimizer.prefer_hash_join", false);
        SessionStateBuilder::new_from_existing(state).with_config(config).build()
    }

    /// The plan with its parameters bound, once the guard has looked at it.
    async fn logical(&self, sql: &str, params: &Params) -> Result<(LogicalPlan, Uses), Error> {
        let statement = guard::parse(self.scope(sql))?;
        let state = self.context.state();
        let named = state.resolve_table_references(&statement).map_err(|error| self.explain(error, sql))?;
        named.iter().try_for_each(|name| self.expect_readable(name.table()))?;
        let plan = state.statement_to_plan(statement).await.map_err(|error| self.explain(error, sql))?;
        let mut uses = guard::inspect(&plan)?;
        // In the plan, a view is nothing but the table below it.
        uses.views = named.iter().map(|name| name.table().to_owned()).collect();
        for name in &uses.parameters {
            if !params.contains_key(name) {
                return Err(missing(name, sql, params));
            }
        }
        let bound = plan.with_param_values(bind(params)).map_err(|error| self.explain(error, sql))?;
        Ok((bound, uses))
    }

    fn scope<'a>(&'a self, sql: &'a str) -> Scope<'a> {
        Scope { sql, names: &self.names }
    }

    fn explain(&self, error: DataFusionError, sql: &str) -> Error {
        sql_error::explain(error, self.scope(sql))
    }
}

/// The first rows of a query, if it has any, and the others.
type Started = (Option<RecordBatch>, SendableRecordBatchStream);

async fn first_rows(state: SessionState, plan: LogicalPlan) -> Result<Started, DataFusionError> {
    let mut stream = DataFrame::new(state, plan).execute_stream().await?;
    let first = stream.next().await.transpose()?;
    Ok((first, stream))
}

fn is_exhausted(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

fn is_hash_join_full(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(message) if message.contains("HashJoinInput"))
}

/// Makes a table or view known by a name that no other one has.
fn register(
    context: &SessionContext,
    names: &mut BTreeSet<String>,
    name: &str,
    provider: Arc<dyn TableProvider>,
) -> Result<(), Error> {
    if !names.insert(name.to_owned()) {
        return Err(Error::new(Kind::FixSettings, format!("two tables are named `{name}`"))
            .with_hint("give one of them another name in its contract; that of a view is `current`"));
    }
    let registered = context.register_table(TableReference::bare(name), provider);
    let failed = |error| Error::new(Kind::Bug, format!("table `{name}` cannot be registered")).with_source(error);
    registered.map(|_| ()).map_err(failed)
}

/// Makes foreign tables known; answers those that cannot be read, whose names nothing else can have either.
fn register_foreign(
    context: &SessionContext,
    names: &mut BTreeSet<String>,
    foreign: Vec<ForeignInput>,
) -> Result<BTreeMap<String, Unreadable>, Error> {
    let mut unreadable = BTreeMap::new();
    for ForeignInput { name, files } in foreign {
        if names.contains(&name) {
            return Err(Error::new(Kind::FixSettings, format!("the lake has a table `{name}` of its own"))
                .with_hint(format!("give `[tables.{name}]` in stillhouse.toml another name")));
        }
        match files {
            Ok(files) => {
                let failed = |error| Error::new(Kind::Bug, format!("table `{name}` cannot be made")).with_source(error);
                let table = LakeTable::foreign(&name, &files).map_err(failed)?;
                register(context, names, &name, Arc::new(table))?;
            }
            Err(reason) => {
                names.insert(name.clone());
                unreadable.insert(name, reason);
            }
        }
    }
    Ok(unreadable)
}

fn view(input: &TableInput, table: &Arc<LakeTable>, rule: &CurrentView) -> Result<Arc<dyn TableProvider>, Error> {
    let made = current::view(&input.name, table, rule);
    let failed = |error| Error::new(Kind::Bug, format!("view `{}` cannot be made", rule.name)).with_source(error);
    made.map(|view| Arc::new(view) as Arc<_>).map_err(failed)
}

fn function_names(context: &SessionContext) -> Vec<String> {
    let state = context.state();
    let names = state.scalar_functions().keys();
    let names = names.chain(state.aggregate_functions().keys()).chain(state.window_functions().keys());
    names.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

fn missing(name: &str, sql: &str, params: &Params) -> Error {
    let place = sql_error::find_word(sql, name);
    let place = place.map_or(String::new(), |(line, column)| format!("line {line}, column {}: ", column.max(2) - 1));
    let names: Vec<String> = params.keys().map(|name| format!("${name}")).collect();
    Error::new(Kind::FixData, format!("{place}parameter `${name}` has no value")).with_hint(sql_error::nearest(
        "parameters",
        &format!("${name}"),
        &names,
    ))
}

fn too_long(options: &EngineOptions) -> Error {
    let seconds = options.query_seconds;
    Error::new(Kind::FixSettings, format!("the query was stopped after {seconds} s, as `limits.query_seconds` says"))
        .with_hint("raise `limits.query_seconds` in stillhouse.toml, or let the query read less")
}

fn too_many(options: &EngineOptions) -> Error {
    let rows = options.result_rows;
    Error::new(Kind::FixSettings, format!("the result has more rows than `limits.result_rows` allows: {rows}"))
        .with_hint("add `limit`, group the rows, or raise `limits.result_rows` in stillhouse.toml")
}

impl RowStream {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn check(&mut self, batch: RecordBatch) -> Result<RecordBatch, Error> {
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        if self.rows > self.shared.options.result_rows { Err(too_many(&self.shared.options)) } else { Ok(batch) }
    }
}

impl fmt::Debug for RowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").field("rows", &self.rows).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = if self.deadline.as_mut().poll(context).is_ready() {
            Some(Err(too_long(&self.shared.options)))
        } else {
            let next = match self.first.take() {
                Some(first) => Poll::Ready(Some(Ok(first))),
                None => self.inner.poll_next_unpin(context),
            };
            match next {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => None,
                Poll::Ready(Some(Ok(batch))) => Some(self.check(batch)),
                Poll::Ready(Some(Err(error))) => {
                    Some(Err(sql_error::explain(error, Scope { sql: &self.sql, names: &self.names })))
                }
            }
        };
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}
