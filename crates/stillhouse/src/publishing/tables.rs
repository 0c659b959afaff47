//! Tables of the lake, into one database.

use futures::StreamExt as _;
use stillhouse_publish::{Database, RowBatches, TableCopy, is_published, replace_table};
use stillhouse_query::Params;
use stillhouse_spec::{Lineage, Publication, Published, PublishedRows, TableName};

use super::outcome::{Done, Status};
use crate::app::App;
use crate::failure::Failure;
use crate::foreign_now::Foreign;
use crate::surroundings;
use crate::tables_now::{Ceilings, TablesNow};

/// Brings the tables up to date; what became of each.
pub async fn publish(
    app: &App,
    database: &mut dyn Database,
    group: &[&Publication],
    again: bool,
) -> Result<Vec<Done>, Failure> {
    let tables = TablesNow::open_with(app, Ceilings::WholeTables, Foreign::None).await?;
    let entries = database.entries().await?;
    let there = |copy: &TableCopy| !again && is_published(&entries, copy);
    if group.iter().all(|publication| there(&copy(app, &tables, publication))) {
        return Ok(group.iter().map(|_| Done::unchanged()).collect());
    }
    let mut writing = database.begin().await?;
    // Only now that nobody else writes: the newest state is to be the last that is published.
    let tables = TablesNow::open_with(app, Ceilings::WholeTables, Foreign::None).await?;
    let entries = writing.entries().await?;
    let mut done = Vec::with_capacity(group.len());
    for publication in group {
        let copy = copy(app, &tables, publication);
        if !again && is_published(&entries, &copy) {
            done.push(Done::unchanged());
            continue;
        }
        let rows = rows(app, &tables, &copy, &publication.what).await?;
        let written = replace_table(writing.as_mut(), &copy, rows, surroundings::now_micros()).await?;
        done.push(Done { status: Status::Published, rows: Some(written.rows), remarks: written.remarks });
    }
    writing.commit().await?;
    Ok(done)
}

/// What is to be there: columns as `select *` shows them, rows as the files of the snapshot hold them.
fn copy(app: &App, tables: &TablesNow, publication: &Publication) -> TableCopy {
    let Published::Table { table, rows, lineage } = &publication.what else {
        unreachable!("only tables are grouped here");
    };
    let version = tables.versions.get(table.as_str());
    let rule = match rows {
        PublishedRows::All => None,
        PublishedRows::Current => view(tables, table).map(|(_, rule)| rule),
    };
    let files = version.into_iter().flat_map(|version| version.files.iter().map(String::as_str));
    TableCopy {
        name: publication.name.clone(),
        project: app.project().name.clone(),
        shows: publication.what.to_string(),
        schema: tables.schema(table.as_str(), *lineage == Lineage::Kept),
        fingerprint: stillhouse_publish::fingerprint(rule.as_deref(), files),
        version: version.map(|version| version.version),
    }
}

/// The view of a table's current state: its name and its rule.
fn view(tables: &TablesNow, table: &TableName) -> Option<(String, String)> {
    let mut views = tables.views.iter();
    let (name, (_, rule)) = views.find(|(_, (of, _))| of == table.as_str())?;
    Some((name.clone(), serde_json::json!(rule).to_string()))
}

async fn rows<'a>(
    app: &App,
    tables: &'a TablesNow,
    copy: &TableCopy,
    what: &Published,
) -> Result<RowBatches<'a>, Failure> {
    let Published::Table { table, rows, .. } = what else { unreachable!("only tables are grouped here") };
    let names: Vec<&str> = copy.schema.fields().iter().map(|field| field.name().as_str()).collect();
    if let (PublishedRows::Current, Some((view, _))) = (rows, view(tables, table)) {
        let columns = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let rows = tables.session.stream(&format!("select {columns} from \"{view}\""), &Params::new()).await?;
        return Ok(rows.map(|batch| batch.map_err(Into::into)).boxed());
    }
    let Some(version) = copy.version else { return Ok(futures::stream::empty().boxed()) };
    let rows = app.lake.rows(table.as_str(), version, i64::MIN..=i64::MAX, Some(&names)).await?;
    Ok(rows.batches.map(|batch| batch.map_err(Into::into)).boxed())
}
