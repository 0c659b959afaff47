//! `[tables.NAME]` of stillhouse.toml.

use insta::assert_snapshot;
use stillhouse_spec::Project;

use super::{SETTINGS, parse};

const ORDERS: &str = "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 'orders'\nkey = 'id'\nkeep = 'latest by at'\n\
    columns = { id = { type = 'string', required = true }, at = { type = 'timestamp', required = true } }\n";

fn project(tables: &str) -> Result<Project, String> {
    let settings = format!("{SETTINGS}{tables}");
    let files = [("stillhouse.toml", settings.as_str()), ("sources/s.toml", ORDERS)];
    parse(&files).map_err(|problems| problems.to_string())
}

fn problems(tables: &str) -> String {
    let text = project(tables).map(|project| format!("{project:?}")).unwrap_err();
    assert!(!text.contains("hunter2"), "a secret shows: {text}");
    text
}

#[test]
fn foreign_tables_are_named_with_their_folders() {
    let tables = "[tables.plans]\ndelta = '../warehouse/plans'\n\
        [tables.Old_Plans]\ndelta = '/srv/${SECRET}/plans'\nversion = 12\npii = ['e-mail', 'name']\n";
    let project = project(tables).unwrap();
    let [plans, old] = &project.foreign[..] else { panic!("{:?}", project.foreign) };
    assert_eq!((plans.name.as_str(), plans.folder.expose(), plans.version), ("plans", "../warehouse/plans", None));
    assert!(plans.pii.is_empty());
    assert_eq!((old.name.as_str(), old.version), ("Old_Plans", Some(12)));
    assert_eq!(
        (old.folder.expose(), old.folder.to_string()),
        ("/srv/hunter2-very-secret/plans", "/srv/${SECRET}/plans".into())
    );
    assert_eq!(old.pii, ["e-mail", "name"]);
    assert!(!format!("{project:?}").contains("hunter2"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    assert_snapshot!(problems("[tables.plans]\n[tables.b]\ndelta = ''\n[tables.c]\ndelta = 5\nversoin = 1\n"), @r#"
    stillhouse.toml:4:9: `delta` is missing in [tables.plans]
      hint: write `delta = "../warehouse/plans"`, the folder of a Delta table
    stillhouse.toml:6:9: `delta` in [tables.b]: expected a folder, found nothing
    stillhouse.toml:8:9: `delta` in [tables.c]: expected text, found integer 5
    stillhouse.toml:9:1: unknown key `versoin` in [tables.c]
      hint: did you mean `version`?
    "#);
    assert_snapshot!(problems("[tables.a]\ndelta = 's3://${SECRET}/plans'\nversion = -1\n[tables.b]\ndelta = 'x'\nversion = '3'\n"), @r"
    stillhouse.toml:5:9: `delta` in [tables.a]: expected a folder, found the address `s3://${SECRET}/plans`
      hint: only tables in folders of this machine are read; copy or mount it, and name the folder
    stillhouse.toml:6:11: `version` in [tables.a]: expected a whole number of at least 0, found -1
    stillhouse.toml:9:11: `version` in [tables.b]: expected a whole number, found text `3`
    ");
    assert_snapshot!(problems("[tables._plans]\ndelta = 'x'\n[tables.'a-b']\ndelta = 'x'\n[tables]\nplans = 'x'\n"), @r"
    stillhouse.toml:4:9: table `_plans`: names that begin with `_` are kept for Stillhouse's own tables
    stillhouse.toml:6:9: table name `a-b` holds something other than letters, digits and `_`
    stillhouse.toml:9:9: `plans` in [tables]: expected a table, found text `x`
    ");
    assert_snapshot!(problems("[[tables]]\n"), @"stillhouse.toml:4:1: `tables`: expected a table, found an array");
}

#[test]
fn a_name_belongs_to_one_table() {
    assert_snapshot!(problems("[tables.Orders]\ndelta = 'x'\n[tables.orders_current]\ndelta = 'y'\n"), @r"
    stillhouse.toml:4:9: table `Orders` is already a table of sources/s.toml
      hint: give it another name; case does not count
    stillhouse.toml:6:9: table `orders_current` is already a view of sources/s.toml
      hint: give it another name; case does not count
    ");
    assert_snapshot!(problems("[tables.plans]\ndelta = 'x'\n[tables.PLANS]\ndelta = 'y'\n"), @r"
    stillhouse.toml:6:9: table `PLANS` is already a table of this file
      hint: give it another name; case does not count
    ");
}
