//! `publish` of tables and reports.

use insta::assert_snapshot;
use stillhouse_spec::{Lineage, Published, PublishedRows};

use super::{SETTINGS, parse};

const REPORT: &str = "format = 1\ntitle = 't'\nperiod = { type = 'any' }\nqueries.q = {}\nqueries.top = {}\n";

fn source(publish: &str, of_child: &str) -> String {
    format!(
        "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 'shops'\nkey = 'id'\nkeep = 'latest by n'\n\
         {publish}\n[table.columns]\nid = {{ type = 'string', required = true }}\nn = 'int64'\ntags = 'list<string>'\n\
         [[child]]\nname = 'shop_tags'\nfrom = 'shops.tags[]'\nitem = 'tag'\n{of_child}\n"
    )
}

/// What is published: one line each, or what is wrong.
fn published(source: &str, report: &str) -> String {
    let report = format!("{REPORT}{report}\n");
    let files = [
        ("stillhouse.toml", SETTINGS),
        ("sources/s.toml", source),
        ("reports/by-month/report.toml", &report),
        ("reports/by-month/q.sql", "SELECT 1"),
        ("reports/by-month/top.sql", "SELECT 1"),
    ];
    let project = match parse(&files) {
        Ok(project) => project,
        Err(problems) => return problems.to_string(),
    };
    let shown = format!("{project:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let one = |publication: &stillhouse_spec::Publication| {
        let (to, name) = (&publication.to, &publication.name);
        let lineage = match &publication.what {
            Published::Table { lineage: Lineage::LeftOut, .. } => ", without lineage",
            _ => "",
        };
        format!("{}: {name} in {to}{lineage}", publication.what)
    };
    project.publications.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_is_published_unasked() {
    assert_eq!(published(&source("", ""), ""), "");
}

#[test]
fn tables_children_and_reports() {
    let table =
        "publish = [{ to = 'sqlite://out/w.db' }, { to = 'sqlite:///var/w.db', rows = 'current', lineage = false }]";
    let child = "publish = { to = 'sqlite://out/w.db', table = 'tags' }";
    assert_snapshot!(published(&source(table, child), "publish = { to = 'sqlite://${SECRET}.db' }"), @r"
    table `shops`: shops in sqlite://out/w.db
    current rows of table `shops`: shops_current in sqlite:///var/w.db, without lineage
    table `shop_tags`: tags in sqlite://out/w.db
    query `q` of report `by-month`: by_month_q in sqlite://${SECRET}.db
    query `top` of report `by-month`: by_month_top in sqlite://${SECRET}.db
    ");
    let report = "publish = { to = 'sqlite://w.db', prefix = 'monthly' }";
    assert_snapshot!(published(&source("", ""), report), @r"
    query `q` of report `by-month`: monthly_q in sqlite://w.db
    query `top` of report `by-month`: monthly_top in sqlite://w.db
    ");
}

#[test]
fn a_secret_is_used_and_not_shown() {
    let text = source("publish = { to = 'sqlite://${SECRET}.db' }", "");
    let project = parse(&[("stillhouse.toml", SETTINGS), ("sources/s.toml", &text)]).unwrap();
    assert_eq!(project.publications[0].to.expose_path(), "hunter2-very-secret.db");
    assert_eq!(
        project.publications[0].what,
        Published::Table { table: "shops".parse().unwrap(), rows: PublishedRows::All, lineage: Lineage::Kept }
    );
}

#[test]
fn mistakes() {
    let table = |publish: &str| published(&source(publish, ""), "");
    assert_snapshot!(table("publish = {}"), @r#"
    sources/s.toml:9:1: `to` is missing in [table.publish]
      hint: write `to = "sqlite://out/warehouse.db"`
    "#);
    assert_snapshot!(table("publish = { to = 'postgres://u:p@h/d' }"), @r"
    sources/s.toml:9:18: `to` in [table.publish]: expected the address of a database, `sqlite://PATH`, found `postgres://u:p@h/d`
      hint: PostgreSQL is not offered here yet; write `sqlite://` and a path
    ");
    assert_snapshot!(table("publish = { to = '${SECRET}', tabel = 'x', rows = 'newest' }"), @r"
    sources/s.toml:9:18: `to` in [table.publish]: expected the address of a database, `sqlite://PATH`, found `${SECRET}`
      hint: write `sqlite://` and a path that is relative to the project folder, or absolute: `sqlite:///var/lib/x.db`
    sources/s.toml:9:31: unknown key `tabel` in [table.publish]
      hint: did you mean `table`?
    sources/s.toml:9:51: `rows` in [table.publish]: expected `all` or `current`, found `newest`
    ");
    assert_snapshot!(table("publish = { to = 'sqlite://out/' }"), @r#"
    sources/s.toml:9:18: `to` in [table.publish]: expected the path of a file after `sqlite://`, found `sqlite://out/`
      hint: write `to = "sqlite://out/warehouse.db"`
    "#);
    assert_snapshot!(table("publish = { to = 'sqlite://x.db?mode=ro', table = '_x' }"), @r"
    sources/s.toml:9:18: `to` in [table.publish]: expected a path without `?` and settings behind it, found `sqlite://x.db?mode=ro`
    sources/s.toml:9:51: `table` in [table.publish]: names that begin with `_` are kept for Stillhouse's own tables and columns
    ");
    assert_snapshot!(table("publish = 'sqlite://x.db'"), @r"sources/s.toml:9:11: `publish` in [table]: expected a table, found text `sqlite://x.db`");
    assert_snapshot!(table("publish = { to = 'sqlite://.stillhouse/ledger.db' }"), @r"
    sources/s.toml:9:18: `to` is the ledger of this project
      hint: name a file of its own
    ");
    let plain = "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\ncolumns.a = 'string'\n";
    assert_snapshot!(published(&format!("{plain}publish = {{ to = 'sqlite://x.db', rows = 'current' }}\n"), ""), @r"
    sources/s.toml:8:42: `rows` in [table.publish]: the table has no view of its current state
      hint: give the table a `key` and say what to `keep`, or leave `rows` out
    ");
}

#[test]
fn two_in_one_table() {
    let table = "publish = { to = 'sqlite://x.db', table = 'By_Month_Q' }";
    let child = "publish = { to = 'sqlite://./x.db', table = 'by_month_q' }";
    assert_snapshot!(published(&source(table, child), "publish = { to = 'sqlite://x.db' }"), @r"
    reports/by-month/report.toml:6:18: query `q` of report `by-month` goes into the same table `by_month_q` as table `shop_tags` of sources/s.toml
      hint: give one of them another name with `table` (`prefix` in a report), or another database
    sources/s.toml:18:18: table `shop_tags` goes into the same table `by_month_q` as table `shops` of sources/s.toml
      hint: give one of them another name with `table` (`prefix` in a report), or another database
    ");
}

/// Who verifies a receipt reads the source file of then: where it was published to is of no importance.
#[test]
fn an_old_source_file_needs_no_address() {
    let text = source("publish = { to = 'sqlite://${NOT_SET_ANY_MORE}' }", "");
    stillhouse_spec::Source::parse("s", &text, &|_| None).unwrap();
}
