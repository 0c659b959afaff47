//! A source that changes its columns: what each policy makes of it. docs/guide/drift.md has the same table.

use insta::assert_snapshot;
use serde_json::{Value, json};
use stillhouse_testkit::TempProject;

use super::{ask, object, sources};
use crate::{assert_balanced, run};

const FIRST: &str = "id,name,amount\n1,Ann,10.5\n2,Bo,20\n";

/// The source with these settings of the table.
fn source(settings: &str, columns: &str) -> TempProject {
    let text = format!(
        "[source]\npath = 'data/*.csv'\ntype = 'csv'\n[table]\nname = 'sales'\n{settings}\n[table.columns]\n{columns}"
    );
    let project = sources(&[("sales", &text)]);
    project.write("data/1.csv", FIRST);
    run(&project, &["ingest"]).succeeded();
    project
}

const COLUMNS: &str = "id = 'int64'\nname = 'string'\namount = 'decimal(12,2)'\n";

/// What becomes of a second file.
fn second(project: &TempProject, text: &str) -> Value {
    second_of(project, "data/2.csv", text)
}

fn second_of(project: &TempProject, key: &str, text: &str) -> Value {
    project.write(key, text);
    object(&run(project, &["--json", "ingest"]), key)
}

fn assert_held(found: &Value, word: &str) {
    assert_eq!(found["status"], "held", "{found:#}");
    let why = found["reason"].as_str().unwrap();
    assert!(why.contains(word), "{why}");
    assert!(found["hint"].is_string());
}

const ADDED: &str = "id,name,amount,shop\n3,Cy,5,north\n4,Di,6,\n";

#[test]
fn a_column_that_is_added() {
    assert_held(&second(&source("", COLUMNS), ADDED), "`shop`");
    let project = source("unknown_columns = 'ignore'", COLUMNS);
    assert_eq!(second(&project, ADDED)["status"], "loaded");
    assert_eq!(ask(&project, "select count(*) from sales"), json!([[4]]));
    let project = source("unknown_columns = 'json'", COLUMNS);
    assert_eq!(second(&project, ADDED)["status"], "loaded");
    let kept = ask(&project, "select id, _unknown from sales order by id");
    assert_eq!(kept, json!([[1, null], [2, null], [3, "{\"shop\":\"north\"}"], [4, null]]));
    let project = source("unknown_columns = 'add'", COLUMNS);
    assert_eq!(second(&project, ADDED)["status"], "loaded");
    assert_eq!(
        ask(&project, "select id, shop from sales order by id"),
        json!([[1, null], [2, null], [3, "north"], [4, ""]])
    );
    assert_balanced(&project, "sales");
    run(&project, &["receipts", "verify"]).succeeded();
    // A later file without it loads as well.
    project.write("data/3.csv", "id,name,amount\n5,Ed,7\n");
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select count(*), count(shop) from sales"), json!([[5, 2]]));
}

#[test]
fn a_field_that_is_added_inside_of_arrays() {
    let project = sources(&[(
        "orders",
        "[source]\npath = 'data/*.jsonl'\ntype = 'json'\n[table]\nname = 'orders'\nunknown_columns = 'add'\n\
         [table.columns]\nid = 'int64'\n\
         [[child]]\nname = 'items'\nfrom = 'orders.items[]'\ncopy = { order_id = 'id' }\n[child.columns]\nsku = 'string'\n",
    )]);
    project.write("data/1.jsonl", "{\"id\":1,\"items\":[{\"sku\":\"a\"}]}\n");
    run(&project, &["ingest"]).succeeded();
    // In an item, in an object of an item, and in the record itself.
    project.write(
        "data/2.jsonl",
        "{\"id\":2,\"shop\":\"north\",\"items\":[{\"sku\":\"b\",\"size\":{\"cm\":5}},{\"sku\":\"c\",\"gift\":true}]}\n",
    );
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&answer, "data/2.jsonl")["status"], "loaded");
    assert_eq!(ask(&project, "select id, shop from orders order by id"), json!([[1, null], [2, "\"north\""]]));
    assert_eq!(
        ask(&project, "select order_id, sku, size, gift from items order by sku"),
        json!([[1, "a", null, null], [2, "b", "{\"cm\":5}", null], [2, "c", null, "true"]])
    );
    assert_balanced(&project, "orders");
    run(&project, &["receipts", "verify"]).succeeded();
    // Names with dots in them are names like others.
    let dots = "{\"id\":9,\"items\":[{\"sku\":\"z\",\"geo.point\":{\"lat\":1,\"lon\":2},\"a\\\"b.c\":3}]}\n";
    project.write("data/9.jsonl", dots);
    run(&project, &["ingest"]).succeeded();
    let found = ask(&project, "select geo_point, a_b_c from items where order_id = 9");
    assert_eq!(found, json!([["{\"lat\":1,\"lon\":2}", "3"]]));
    // Where the contract looks into an object, what else that has gets a column as well.
    let project_with_size = |text: &str| {
        text.replace("sku = 'string'", "sku = 'string'\ncm = { type = 'int64', from = 'size.cm' }\nlat = { type = 'int64', from = '\"geo.point\".lat' }")
    };
    let source = std::fs::read_to_string(project.path("sources/orders.toml")).unwrap();
    project.write("sources/orders.toml", project_with_size(&source));
    project.write(
        "data/3.jsonl",
        "{\"id\":3,\"items\":[{\"sku\":\"d\",\"size\":{\"cm\":6,\"inch\":2.4},\"geo.point\":{\"lat\":1,\"lon\":2}}]}\n",
    );
    run(&project, &["ingest"]).succeeded();
    let found = ask(&project, "select sku, cm, size_inch, lat, geo_point_lon from items where order_id = 3");
    assert_eq!(found, json!([["d", 6, "2.4", 1, "2"]]));
    run(&project, &["receipts", "verify"]).succeeded();
}

#[test]
fn a_column_that_is_removed() {
    let removed = "id,name\n3,Cy\n";
    assert_held(&second(&source("", COLUMNS), removed), "`amount`");
    let project = source("missing_columns = 'null'", COLUMNS);
    assert_eq!(second(&project, removed)["status"], "loaded");
    assert_eq!(ask(&project, "select amount from sales where id = 3"), json!([[null]]));
    let required = COLUMNS.replace("'decimal(12,2)'", "{ type = 'decimal(12,2)', required = true }");
    assert_held(&second(&source("missing_columns = 'null'", &required), removed), "`amount`");
    let default = COLUMNS.replace("'decimal(12,2)'", "{ type = 'decimal(12,2)', default = 0 }");
    let project = source("", &default);
    assert_eq!(second(&project, removed)["status"], "loaded");
    assert_eq!(ask(&project, "select amount from sales where id = 3"), json!([["0.00"]]));
}

#[test]
fn a_column_that_is_renamed() {
    let renamed = "id,customer,amount\n3,Cy,5\n";
    let project = source("", COLUMNS);
    assert_held(&second(&project, renamed), "`name`");
    // The new name in `from`, and the held file loads; nothing else is loaded again.
    project.edit("sources/sales.toml", "name = 'string'", "name = { type = 'string', from = 'customer' }");
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&answer, "data/1.csv")["status"], "unchanged");
    assert_eq!(object(&answer, "data/2.csv")["status"], "loaded");
    assert_eq!(ask(&project, "select name from sales order by id"), json!([["Ann"], ["Bo"], ["Cy"]]));
    // Names that differ in case, blanks and signs only are the same.
    project.write("data/3.csv", "ID,Customer ,AMOUNT\n4,Di,6\n");
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select count(name) from sales"), json!([[4]]));
}

#[test]
fn a_type_that_is_changed() {
    let texts = "id,name,amount\n3,Cy,5 EUR\n4,Di,many\n";
    assert_held(&second(&source("", COLUMNS), texts), "2 of 2 records were refused");
    let project = source("max_rejected = '100%'", COLUMNS);
    let found = second(&project, texts);
    assert_eq!((&found["status"], &found["counts"]["quarantined"]), (&json!("loaded"), &json!(2)));
    assert_balanced(&project, "sales");
}

/// Two files are loaded, and the contract says something else about `amount` then.
fn retyped(to: &str) -> TempProject {
    let project = source("unknown_columns = 'ignore'", COLUMNS);
    project.write("data/2.csv", "id,name,amount,shop\n3,Cy,5,north\n");
    run(&project, &["ingest"]).succeeded();
    project.edit("sources/sales.toml", "'decimal(12,2)'", to);
    project
}

#[test]
fn a_type_that_the_contract_changes() {
    let project = retyped("'float64'");
    // What is there stays, a new file is held, and both say what to do.
    let found = second_of(&project, "data/3.csv", "id,name,amount\n4,Di,0.125\n");
    assert_held(&found, "table `sales`, column `amount`: expected decimal(12,2), found float64");
    assert_snapshot!(found["hint"].as_str().unwrap(), @"all rows of a table change their type together: `stillhouse ingest --reload sales`; or change the type back, or give the column a new name");
    let checked = run(&project, &["check"]).ended_with(2);
    assert!(checked.stderr.contains("`stillhouse ingest --reload sales`"), "{}", checked.stderr);
    assert_eq!(ask(&project, "select sum(amount) from sales"), json!([["35.50"]]));
    // One file alone cannot change the type of all.
    let alone = run(&project, &["ingest", "--reload", "data/1.csv"]).ended_with(2);
    assert_snapshot!(alone.stderr, @r"
    error: table `sales`, column `amount`: decimal(12,2) becomes float64, for all rows together; but `data/2.csv` would keep the old type

    hint: load all files of the source again: `stillhouse ingest --reload sales`
    ");
    let planned = run(&project, &["--json", "ingest", "--dry-run", "--reload", "sales"]).succeeded().json();
    assert_snapshot!(planned["notes"][0].as_str().unwrap(), @"source `sales`: table `sales`, column `amount`: decimal(12,2) becomes float64; 2 files are loaded again, as one batch");

    let answer = run(&project, &["--json", "ingest", "--reload", "sales"]).succeeded();
    for key in ["data/1.csv", "data/2.csv", "data/3.csv"] {
        assert_eq!(object(&answer, key)["status"], "loaded", "{key}");
    }
    assert_eq!(
        ask(&project, "select id, amount from sales order by id"),
        json!([[1, 10.5], [2, 20.0], [3, 5.0], [4, 0.125]])
    );
    assert_balanced(&project, "sales");
    run(&project, &["receipts", "verify"]).succeeded();
    run(&project, &["audit"]).succeeded();
    let shown = run(&project, &["tables", "sales"]).succeeded();
    assert!(shown.stdout.contains("amount: decimal(12,2) → float64"), "{}", shown.stdout);
    // The two that were loaded before came in one batch.
    let receipts = run(&project, &["--json", "receipts", "list"]).succeeded().json();
    let batch = |key: &str| {
        let receipts = receipts["receipts"].as_array().unwrap().iter();
        receipts.filter(|receipt| receipt["object"]["key"] == key).map(|receipt| receipt["batch"].clone()).next_back()
    };
    assert_eq!(batch("data/1.csv"), batch("data/2.csv"));
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select count(*) from sales"), json!([[4]]));
}

#[test]
fn a_change_of_type_is_whole_or_not_at_all() {
    // `name` has no number in it: neither file loads as one, and nothing changes.
    let project = retyped("'decimal(12,2)'");
    project.edit("sources/sales.toml", "name = 'string'", "name = 'int64'");
    let answer = run(&project, &["--json", "ingest", "--reload", "sales"]).ended_with(3);
    assert_held(&object(&answer, "data/1.csv"), "2 of 2 records were refused");
    assert_eq!(ask(&project, "select name from sales order by id"), json!([["Ann"], ["Bo"], ["Cy"]]));
    // One good file does not go alone.
    let project = retyped("'int64'");
    let answer = run(&project, &["--json", "ingest", "--reload", "sales"]).ended_with(3);
    assert_held(&object(&answer, "data/1.csv"), "1 of 2 records were refused");
    assert_held(&object(&answer, "data/2.csv"), "but not `data/1.csv`");
    assert_eq!(ask(&project, "select sum(amount) from sales"), json!([["35.50"]]));
    // By another policy the record that does not fit is refused, and kept.
    project.edit("sources/sales.toml", "unknown_columns", "max_rejected = '100%'\nunknown_columns");
    run(&project, &["ingest", "--reload", "sales"]).succeeded();
    assert_eq!(ask(&project, "select sum(amount) from sales"), json!([[25]]));
    assert_balanced(&project, "sales");
}

#[test]
fn files_that_are_gone_keep_the_old_type() {
    let project = retyped("'float64'");
    std::fs::remove_file(project.path("data/2.csv")).unwrap();
    let refused = run(&project, &["ingest", "--reload", "sales"]).ended_with(2);
    assert_snapshot!(refused.stderr, @r#"
    error: table `sales`, column `amount`: decimal(12,2) becomes float64, for all rows together; but `data/2.csv` would keep the old type

    hint: put the files back, or set `on_missing = "remove"` in the source file and run `stillhouse ingest` first, or give the column a new name
    "#);
    assert_eq!(ask(&project, "select sum(amount) from sales"), json!([["35.50"]]));
    project.edit("sources/sales.toml", "type = 'csv'", "type = 'csv'\non_missing = 'remove'");
    run(&project, &["ingest"]).succeeded();
    run(&project, &["ingest", "--reload", "sales"]).succeeded();
    assert_eq!(ask(&project, "select sum(amount) from sales"), json!([[30.5]]));
}

#[test]
fn versions_that_came_one_to_the_other_keep_the_old_type() {
    let project = source("", COLUMNS);
    project.edit("sources/sales.toml", "type = 'csv'", "type = 'csv'\non_change = 'append'");
    project.write("data/1.csv", "id,name,amount\n3,Cy,5\n");
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, "select count(*) from sales"), json!([[3]]));
    project.edit("sources/sales.toml", "'decimal(12,2)'", "'float64'");
    let refused = run(&project, &["ingest", "--reload", "sales"]).ended_with(2);
    assert!(refused.stderr.contains("`data/1.csv` has rows of versions that are there no more"), "{}", refused.stderr);
}

#[test]
fn an_order_that_is_changed() {
    let moved = "amount,id,name\n5,3,Cy\n";
    let project = source("", COLUMNS);
    assert_eq!(second(&project, moved)["status"], "loaded");
    assert_eq!(ask(&project, "select name, amount from sales where id = 3"), json!([["Cy", "5.00"]]));
}

#[test]
fn a_condition_and_a_derived_column() {
    let columns = format!(
        "{COLUMNS}net = {{ type = 'decimal(12,2)', derive = 'amount / 2' }}\nshout = {{ type = 'string', derive = \"upper(name)\" }}\n"
    );
    let project = source("where = \"name <> 'Bo'\"", &columns);
    assert_eq!(ask(&project, "select id, net, shout from sales"), json!([[1, "5.25", "ANN"]]));
    let answer = run(&project, &["--json", "receipts", "list"]).succeeded().json();
    assert_eq!(
        answer["receipts"][0]["counts"],
        json!({"read": 2, "loaded": 1, "quarantined": 0, "filtered": 1, "blank": 0})
    );
    assert_balanced(&project, "sales");
    run(&project, &["receipts", "verify"]).succeeded();
}

#[test]
fn a_reference_file_is_replaced_whole_and_joined() {
    let project = source("", COLUMNS);
    project.write(
        "sources/shops.toml",
        "format = 1\n[source]\npath = 'reference/shops.csv'\ntype = 'csv'\nsettle = \"0s\"\n[table]\nname = 'shops'\n[table.columns]\nname = 'string'\ncity = 'string'\n",
    );
    project.write("reference/shops.csv", "name,city\nAnn,Oslo\nBo,Rome\n");
    run(&project, &["ingest"]).succeeded();
    let joined = "select s.id, r.city from sales s left join shops r on r.name = s.name order by s.id";
    assert_eq!(ask(&project, joined), json!([[1, "Oslo"], [2, "Rome"]]));
    project.write("reference/shops.csv", "name,city\nBo,Paris\n");
    run(&project, &["ingest"]).succeeded();
    assert_eq!(ask(&project, joined), json!([[1, null], [2, "Paris"]]));
}

#[test]
fn a_table_tells_which_columns_came_when() {
    let project = source("unknown_columns = 'add'", COLUMNS);
    second(&project, ADDED);
    let answer = run(&project, &["--json", "tables", "sales"]).succeeded().json();
    let changes = answer["schema_changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["added"]), (1, &json!(["shop"])), "{answer:#}");
    let shown = run(&project, &["tables", "sales"]).succeeded();
    assert!(shown.stdout.contains("columns that came") && shown.stdout.contains("shop"), "{}", shown.stdout);
}
