//! A source that changes its columns: what each policy makes of it. docs/guide/drift.md has the same table.

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
    project.write("data/2.csv", text);
    object(&run(project, &["--json", "ingest"]), "data/2.csv")
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
