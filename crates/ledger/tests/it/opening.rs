//! Files, versions and places of a ledger.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::{Connection, SqliteConnection};
use stillhouse_ledger::{Kind, Ledger, Phase};

use crate::place::{Place, check_kind, object, offer_one};

async fn run(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn ask(path: &Path, question: &'static str) -> String {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query_scalar::<_, String>(question).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_ledger_keeps_its_id_and_its_contents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open_sqlite(&path, "first", 1).await.unwrap();
    let status = ledger.status().await.unwrap();
    assert_eq!((ledger.ledger_id(), status.phase, status.epoch, status.next_seq), ("first", Phase::New, 0, 1));
    ledger.open_for_work(1, 1, 1).await.unwrap();
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;
    ledger.close().await;

    let ledger = Ledger::open_sqlite(&path, "second", 2).await.unwrap();
    assert_eq!(ledger.ledger_id(), "first");
    assert_eq!(offer_one(&ledger, object("a.csv", "1", 1), 3).await.version().generation, 1);
    assert_eq!(ledger.status().await.unwrap().phase, Phase::Open);
    assert_eq!(ask(&path, "PRAGMA journal_mode").await, "wal");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    Ledger::open_sqlite(&path, "first", 1).await.unwrap().close().await;
    run(&path, "INSERT INTO ledger_schema (version, applied_at) VALUES (99, 1)").await;
    let error = Ledger::open_sqlite(&path, "second", 2).await.unwrap_err();
    assert_eq!(error.kind(), Kind::FixSettings);
    let text = error.to_string().replace(&path.display().to_string(), "[path]");
    insta::assert_snapshot!(text, @"ledger `[path]`: expected schema version 4 or older, found version 99");
    insta::assert_snapshot!(error.hint().unwrap(), @"a newer Stillhouse has worked with this ledger; use that one");
}

/// Once released, a migration is never changed: databases that ran it would differ from those that run it now.
#[test]
fn released_migrations_have_not_changed() {
    let first = include_str!("../../migrations/0001_first.sql");
    let tables: Vec<_> = first.lines().filter(|line| line.starts_with("CREATE")).collect();
    insta::assert_snapshot!(tables.join("\n"), @"
    CREATE TABLE ledger_meta (
    CREATE TABLE ledger_keys (
    CREATE TABLE ledger_versions (
    CREATE INDEX ledger_versions_ready ON ledger_versions (offered_at, key_number) WHERE ready_at IS NOT NULL;
    CREATE INDEX ledger_versions_token ON ledger_versions (token) WHERE token IS NOT NULL;
    CREATE INDEX ledger_versions_state ON ledger_versions (state, offered_at);
    CREATE TABLE ledger_attempts (
    CREATE TABLE ledger_queue (
    CREATE TABLE ledger_members (
    ");
}

#[tokio::test]
async fn a_damaged_file_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(&path, "this is no database, and long enough to be taken for one if one did not look. ".repeat(20))
        .unwrap();
    let error = Ledger::open_sqlite(&path, "first", 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::FixSettings, "{error}");
    assert!(error.to_string().contains("the ledger file is damaged"), "{error}");
    assert!(error.hint().unwrap().contains("ledger rebuild"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/ledger.db");
    let opened = Ledger::open_sqlite(&path, "first", 1).await;
    check_kind(opened.map(drop), Kind::FixSettings, "missing/ledger.db");
}

#[tokio::test]
async fn odd_names_of_folders_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a b", "100%25", "what?mode=ro", "#1", "..dots", "ünï", "a+b&c=d", ":memory:"] {
        let path = folder.path().join(name).join("ledger.db");
        fs::create_dir(path.parent().unwrap()).unwrap();
        Ledger::open_sqlite(&path, name, 1).await.unwrap().close().await;
        assert!(path.exists(), "{}", path.display());
        assert_eq!(Ledger::open_sqlite(&path, "other", 1).await.unwrap().ledger_id(), name);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 8, "nothing was made beside them");
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused() {
    let opened = Ledger::open_url("mysql://user:secret@host/db", "x", 1).await;
    let error = opened.map(drop).unwrap_err();
    insta::assert_snapshot!(error, @"address of the ledger: expected `sqlite://` or `postgres://`, found `mysql:`");
}

#[tokio::test]
async fn a_password_is_in_no_message() {
    let opened = Ledger::open_url("postgres://user:secret@127.0.0.1:1/db", "x", 1).await;
    let error = opened.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Retry, "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::create_dir(&path).unwrap();
    let opened = Ledger::open_sqlite(&path, "first", 1).await;
    check_kind(opened.map(drop), Kind::FixSettings, "cannot be opened");
}

#[tokio::test]
async fn others_may_not_write_what_the_owner_made() {
    let place = Place::sqlite();
    place.open().await;
    let path = place.url.strip_prefix("sqlite://").unwrap();
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o022, 0, "{mode:o}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_make_the_same_ledger_at_once() {
    let place = Place::sqlite();
    let opening = (0..8).map(|number| {
        let url = place.url.clone();
        tokio::spawn(async move {
            let ledger = Ledger::open_url(&url, &format!("ledger-{number}"), 1).await.unwrap();
            ledger.open_for_work(1, 1, 1).await.unwrap();
            offer_one(&ledger, object(&format!("{number}.csv"), "1", 1), 1).await;
            ledger.ledger_id().to_owned()
        })
    });
    let mut ids = Vec::new();
    for opening in opening.collect::<Vec<_>>() {
        ids.push(opening.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(place.open().await.counts().await.unwrap().into_values().sum::<u64>(), 8);
}
