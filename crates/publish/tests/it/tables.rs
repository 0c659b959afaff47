//! Tables of the lake: replaced as a whole, or as they were.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use futures::StreamExt as _;
use stillhouse_publish::{Kind, fingerprint, is_published, replace_table};

use super::kit::{Kit, batch, copy, people, stream};

#[tokio::test]
async fn a_table_is_there_with_its_entry_and_is_replaced() {
    let kit = Kit::new();
    let first = people(&[(1, "ann"), (2, "bob")]);
    let copy_1 = copy("people", 1, &first);
    let mut database = kit.open();
    assert_eq!(database.entries().await.unwrap(), []);
    assert!(!kit.path().exists(), "looking makes no file");
    assert_eq!(kit.publish(&copy_1, &[first.clone(), first.slice(0, 1)]).await.unwrap().rows, 3);
    let entries = kit.open().entries().await.unwrap();
    assert!(is_published(&entries, &copy_1));
    let expected = "int 1|text ann, int 2|text bob, int 1|text ann";
    let rows = kit.rows("SELECT * FROM people ORDER BY rowid").await;
    assert_eq!(rows.iter().map(|row| row.join("|")).collect::<Vec<_>>().join(", "), expected);
    let entry = kit.rows("SELECT table_name, version, row_count, published_at, format FROM _stillhouse").await;
    assert_eq!(entry, [["text people", "int 1", "int 3", "text 2021-04-05T12:30:15Z", "int 1"]]);

    let second = people(&[(3, "cid")]);
    let copy_2 = copy("people", 2, &second);
    assert!(!is_published(&entries, &copy_2));
    kit.publish(&copy_2, &[second]).await.unwrap();
    assert_eq!(kit.rows("SELECT * FROM people").await, [["int 3", "text cid"]]);
    assert_eq!(kit.number("SELECT count(*) FROM _stillhouse").await, 1);
}

#[tokio::test]
async fn indexes_and_views_of_other_people_stay() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    kit.publish(&copy("people", 1, &rows), std::slice::from_ref(&rows)).await.unwrap();
    kit.run("CREATE INDEX by_name ON people (name); CREATE VIEW names AS SELECT name FROM people").await;
    let rows = people(&[(2, "bob")]);
    kit.publish(&copy("people", 2, &rows), &[rows]).await.unwrap();
    assert_eq!(kit.rows("SELECT * FROM names").await, [["text bob"]]);
    assert_eq!(kit.number("SELECT count(*) FROM sqlite_master WHERE name = 'by_name'").await, 1);
}

#[tokio::test]
async fn new_columns_make_a_new_table() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    kit.publish(&copy("people", 1, &rows), &[rows]).await.unwrap();
    let one: ArrayRef = Arc::new(Int64Array::from(vec![5]));
    let wider = batch(vec![("id", one.clone()), ("age", one)]);
    // A batch that was written before there was a column has no value there.
    let older = batch(vec![("id", Arc::new(Int64Array::from(vec![4])))]);
    kit.publish(&copy("people", 2, &wider), &[wider.clone(), older]).await.unwrap();
    assert_eq!(kit.rows("SELECT * FROM people ORDER BY id DESC").await, [["int 5", "int 5"], ["int 4", "NULL"]]);
}

#[tokio::test]
async fn tables_of_others_are_not_touched() {
    let kit = Kit::new();
    kit.run("CREATE TABLE People (x); INSERT INTO People VALUES (7)").await;
    let rows = people(&[(1, "ann")]);
    let error = kit.publish(&copy("people", 1, &rows), std::slice::from_ref(&rows)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::FixSettings);
    assert_eq!(error.to_string(), "the database has a table `people` that stillhouse has not made");
    assert_eq!(kit.rows("SELECT * FROM People").await, [["int 7"]]);

    kit.publish(&copy("mine", 1, &rows), std::slice::from_ref(&rows)).await.unwrap();
    let mut theirs = copy("MINE", 1, &rows);
    theirs.project = "other".to_owned();
    let error = kit.publish(&theirs, &[rows]).await.unwrap_err();
    assert_eq!(error.to_string(), "the table `MINE` of the database shows table `mine` of project `shop`");
    assert_eq!(kit.number("SELECT count(*) FROM mine").await, 1);
}

#[tokio::test]
async fn a_dropped_table_is_missing() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    let copy = copy("people", 1, &rows);
    kit.publish(&copy, std::slice::from_ref(&rows)).await.unwrap();
    kit.run("DROP TABLE people").await;
    assert!(!is_published(&kit.open().entries().await.unwrap(), &copy));
    kit.publish(&copy, &[rows]).await.unwrap();
    assert_eq!(kit.number("SELECT count(*) FROM people").await, 1);
}

/// Rows that end in an error, a transaction that is dropped: what was there stays.
#[tokio::test]
async fn nothing_half_is_ever_seen() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    kit.publish(&copy("people", 1, &rows), std::slice::from_ref(&rows)).await.unwrap();
    let many = people(&vec![(2, "bob"); 5_000]);
    let copy_2 = copy("people", 2, &many);
    let mut database = kit.open();
    let mut writing = database.begin().await.unwrap();
    let broken =
        stream(std::slice::from_ref(&many)).chain(futures::stream::iter([Err("a file is gone".into())])).boxed();
    let error = replace_table(writing.as_mut(), &copy_2, broken, 0).await.unwrap_err();
    assert_eq!(error.to_string(), "the rows of table `people` cannot be read");
    assert_eq!(kit.rows("SELECT * FROM people").await, [["int 1", "text ann"]], "while it is written");
    drop(writing);
    database.close().await.unwrap();
    assert_eq!(kit.rows("SELECT * FROM people").await, [["int 1", "text ann"]], "after it was given up");
    assert!(is_published(&kit.open().entries().await.unwrap(), &copy("people", 1, &rows)));
}

#[tokio::test]
async fn a_reader_keeps_its_state_and_does_not_wait() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    kit.publish(&copy("people", 1, &rows), std::slice::from_ref(&rows)).await.unwrap();
    let mut reader = kit.other().await;
    sqlx::raw_sql("BEGIN; SELECT * FROM people").execute(&mut reader).await.unwrap();
    let count = async |reader: &mut sqlx::SqliteConnection| {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM people").fetch_one(reader).await.unwrap()
    };
    assert_eq!(count(&mut reader).await, 1);
    let many = people(&vec![(2, "bob"); 100_000]);
    kit.publish(&copy("people", 2, &many), &[many]).await.unwrap();
    assert_eq!(count(&mut reader).await, 1, "the transaction of the reader began before");
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    assert_eq!(count(&mut reader).await, 100_000);
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    let kit = Kit::new();
    std::fs::create_dir_all(kit.path().parent().unwrap()).unwrap();
    std::fs::write(kit.path(), "a letter to the manager, long enough to be no header of a database".repeat(100))
        .unwrap();
    let error = kit.open().entries().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::FixSettings, "the file is there, and is no SQLite database")
    );
}

#[tokio::test]
async fn an_entry_of_a_newer_program_is_refused() {
    let kit = Kit::new();
    let rows = people(&[(1, "ann")]);
    kit.publish(&copy("people", 1, &rows), &[rows]).await.unwrap();
    kit.run("UPDATE _stillhouse SET format = 2").await;
    let error = kit.open().entries().await.unwrap_err();
    assert_eq!(error.to_string(), "a newer stillhouse has published here: format 2, this one knows 1");
}

#[tokio::test]
async fn tables_of_many_columns_fit() {
    let kit = Kit::new();
    let names: Vec<String> = (0..1_900).map(|number| format!("c{number}")).collect();
    let ones: ArrayRef = Arc::new(Int64Array::from_iter_values(0..40));
    let rows: RecordBatch = batch(names.iter().map(|name| (name.as_str(), ones.clone())).collect());
    kit.publish(&copy("wide", 1, &rows), &[rows]).await.unwrap();
    assert_eq!(kit.number("SELECT sum(c0 + c1899) FROM wide").await, 39 * 40);
}

#[test]
fn a_fingerprint_is_of_files_in_any_order() {
    let of = |rule, files: &[&str]| fingerprint(rule, files.iter().copied());
    assert_eq!(of(None, &["a", "b"]), of(None, &["b", "a"]));
    assert_ne!(of(None, &["a", "b"]), of(None, &["a"]));
    assert_ne!(of(None, &["a"]), of(Some("latest"), &["a"]));
}
