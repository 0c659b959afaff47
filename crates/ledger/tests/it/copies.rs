//! Backups, the way back, and moves to another database. Each case gets an empty ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use stillhouse_ledger::{
    Error, Hook, HookFuture, Kind, LINES_PER_ATTEMPT_MAX, Ledger, Phase, StageRequest, Staged, State,
};
use tempfile::TempDir;

use crate::place::{
    ALL, LEASE, ONE, Place, amend, check_kind, check_states, claim, complete_one, gone, log_line, member, object,
    offer_one, offers, request, stage_amend, stage_compact, versions,
};

/// Calls a macro with the names of all cases.
macro_rules! all_cases {
    ($macro:ident, $suite:ident, $names:ident) => {
        $macro!(
            $suite, $names:
            a_backup_has_every_row,
            a_backup_is_whole_or_not_there,
            a_backup_is_of_one_moment,
            a_rebuilt_ledger_takes_over_the_history_of_a_backup,
            only_a_backup_is_opened_as_one,
            a_move_takes_everything_along,
            a_move_back_takes_everything_along,
            a_stopped_move_is_finished_by_the_same_call,
            a_move_wants_a_new_ledger_to_move_to,
            a_ledger_that_was_moved_can_be_rebuilt,
        );
    };
}
pub(crate) use all_cases;

/// A file in a folder of its own.
struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join(name), _folder: folder }
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    fn neighbours(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.path.parent().unwrap()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Something of everything that a ledger can hold. The publish lease is held under `p`, a claim under `claimed`.
async fn fill(ledger: &Ledger) {
    let first = complete_one(ledger, object("a.csv", "1", 10), "b1", 1).await;
    let odd = "ü/'; --/$1/%/\u{1F980}/\"\\\u{1}\n.csv";
    let objects: Vec<_> = [odd, "held", "failed", "gone", "claimed"].iter().map(|key| object(key, "e", 1)).collect();
    ledger.offer(&offers(&objects), 2).await.unwrap();
    let jobs = claim(ledger, ALL, "t", 3).await;
    ledger.log("attempt-t", &vec![log_line(3, "a line"); LINES_PER_ATTEMPT_MAX + 5]).await.unwrap();
    let staging = StageRequest { members: vec![member(jobs[0].version, "one", None)], ..request("b2", "t", &[]) };
    assert!(matches!(ledger.stage(&staging, 4).await.unwrap(), Staged::Done { .. }));
    ledger.hold("t", jobs[1].version, r#"{"reason":"x"}"#, 5).await.unwrap();
    ledger.fail("t", jobs[2].version, odd, None, 5).await.unwrap();
    let twin = StageRequest {
        members: vec![member(jobs[3].version, "one", Some(jobs[0].version))],
        manifest: "m".repeat(100_000),
        ..request("b3", "t", &[])
    };
    assert!(matches!(ledger.stage(&twin, 6).await.unwrap(), Staged::Done { .. }));
    ledger.release("t", 6).await.unwrap();
    ledger.offer_removed(&[gone("gone")], 7).await.unwrap();
    ledger.reoffer("events", "a.csv", "", 8).await.unwrap();
    claim(ledger, ONE, "claimed", 9).await;
    stage_amend(ledger, &amend("m1", &[(first, 1)]), 9).await.unwrap();
    stage_compact(ledger, "c1", "merge", 9).await.unwrap();
    ledger.announce("coming", 9).await.unwrap();
    assert!(ledger.release_publish_lease("publisher").await.unwrap());
    assert!(ledger.take_publish_lease("p", 9, LEASE).await.unwrap());
    // More rows than are copied at once.
    let many: Vec<_> = (0..4_500).map(|number| object(&format!("many/{number}.csv"), "e", 1)).collect();
    ledger.offer(&offers(&many), 10).await.unwrap();
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

/// Each table but `ledger_meta` and `ledger_schema` with all its columns, from a ledger that the program has just made: so
/// a column that is added later and not copied is noticed.
async fn tables() -> BTreeMap<String, Vec<String>> {
    let made = File::new("ledger.db");
    Ledger::open_url(&made.url(), "x", 1).await.unwrap().close().await;
    let mut connection = connect(&made.url()).await;
    let columns = "SELECT t.name AS table_name, c.name AS column_name FROM sqlite_master t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT IN ('ledger_meta', 'ledger_schema') ORDER BY t.name, c.cid";
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in sqlx::query(columns).fetch_all(&mut connection).await.unwrap() {
        tables.entry(row.get("table_name")).or_default().push(row.get("column_name"));
    }
    assert_eq!(tables.len(), 7, "{tables:?}");
    tables
}

/// Every value of every row, as text.
async fn dump(url: &str) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
    let mut connection = connect(url).await;
    let mut dumped = BTreeMap::new();
    for (table, columns) in tables().await {
        let texts: Vec<_> = columns.iter().map(|column| format!("CAST({column} AS TEXT) AS {column}")).collect();
        let text = format!("SELECT {} FROM {table}", texts.join(", "));
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
        let values = |row: &sqlx::any::AnyRow| (0..columns.len()).map(|column| row.get(column)).collect::<Vec<_>>();
        let mut rows: Vec<_> = rows.iter().map(values).collect();
        rows.sort();
        assert!(!rows.is_empty(), "{table}: a case that tests nothing");
        dumped.insert(table, rows);
    }
    connection.close().await.unwrap();
    dumped
}

pub async fn a_backup_has_every_row(place: &Place) {
    let ledger = place.working().await;
    fill(&ledger).await;
    let file = File::new("a backup?.db");
    ledger.backup(&file.path, 20).await.unwrap();
    assert_eq!(file.neighbours(), ["a backup?.db"], "one file, that stands for itself");
    let copied = File::new("copy.db");
    std::fs::copy(&file.path, &copied.path).unwrap();
    assert_eq!(dump(&copied.url()).await, dump(&place.url).await);

    // It takes no work, whoever opens it: it would be a second ledger for the same lake.
    let backup = Ledger::open_backup(&file.path, 21).await.unwrap();
    assert_eq!(backup.ledger_id(), ledger.ledger_id());
    let (old, new) = (ledger.status().await.unwrap(), backup.status().await.unwrap());
    assert_eq!((new.phase, new.epoch, new.next_seq), (Phase::Rebuilding, old.epoch, old.next_seq));
    check_kind(backup.claim(ONE, "t2", "a", 22, LEASE).await, Kind::FixSettings, "is being rebuilt");
    assert_eq!(old.phase, Phase::Open);
}

pub async fn a_backup_is_whole_or_not_there(place: &Place) {
    let ledger = place.working().await;
    fill(&ledger).await;
    let file = File::new("backup.db");
    // What a backup left that was killed.
    std::fs::write(file.path.with_file_name("backup.db.part"), "half a file").unwrap();
    ledger.backup(&file.path, 20).await.unwrap();
    assert_eq!(file.neighbours(), ["backup.db"]);
    let before = std::fs::read(&file.path).unwrap();
    let again = ledger.backup(&file.path, 21).await;
    check_kind(again, Kind::FixSettings, "expected no file there yet");
    assert_eq!(std::fs::read(&file.path).unwrap(), before);
    let nowhere = ledger.backup(&file.path.with_file_name("missing").join("backup.db"), 21).await;
    check_kind(nowhere, Kind::FixSettings, "missing/backup.db");
}

pub async fn a_backup_is_of_one_moment(place: &Place) {
    let ledger = place.working().await;
    fill(&ledger).await;
    let writer = tokio::spawn({
        let ledger = place.open().await;
        async move {
            for round in 0..40 {
                let objects: Vec<_> = (0..50).map(|number| object(&format!("{round}/{number}.csv"), "e", 1)).collect();
                ledger.offer(&offers(&objects), 30).await.unwrap();
            }
        }
    });
    let mut before = ledger.newest("events").await.unwrap().len();
    for number in 0..3 {
        let file = File::new(&format!("{number}.db"));
        ledger.backup(&file.path, 31).await.unwrap();
        let backup = Ledger::open_backup(&file.path, 32).await.unwrap();
        let newest = backup.newest("events").await.unwrap().len();
        assert!(newest >= before && (newest - before).is_multiple_of(50), "{before} and then {newest}");
        before = newest;
    }
    writer.await.unwrap();
}

pub async fn a_rebuilt_ledger_takes_over_the_history_of_a_backup(place: &Place) {
    let source = Place::sqlite();
    let old = source.working().await;
    complete_one(&old, object("a.csv", "1", 10), "b1", 1).await;
    offer_one(&old, object("b.csv", "1", 10), 2).await;
    let job = claim(&old, ONE, "t", 3).await.remove(0);
    old.log("attempt-t", &[log_line(3, "begins")]).await.unwrap();
    let file = File::new("backup.db");
    old.backup(&file.path, 20).await.unwrap();
    let backup = Ledger::open_backup(&file.path, 21).await.unwrap();

    // The other one numbers the keys otherwise, and knows nothing of `b.csv` yet.
    let rebuilt = place.working().await;
    offer_one(&rebuilt, object("other.csv", "1", 1), 22).await;
    let a = offer_one(&rebuilt, object("a.csv", "1", 10), 22).await.version();
    assert_eq!(a.key_number, 2);
    assert_eq!(rebuilt.take_history(&backup).await.unwrap(), 1);
    let history = rebuilt.history("events", "a.csv").await.unwrap().remove(0);
    assert_eq!(history.attempts.len(), 1);
    assert_eq!((history.attempts[0].version, history.attempts[0].outcome.as_deref()), (a, Some("staged")));
    assert_eq!(rebuilt.take_history(&backup).await.unwrap(), 0, "taken once");
    offer_one(&rebuilt, job.object, 23).await;
    assert_eq!(rebuilt.take_history(&backup).await.unwrap(), 1);
    let attempt = rebuilt.attempts(1, Some(("events", "b.csv"))).await.unwrap().remove(0);
    assert_eq!(attempt.outcome.as_deref(), Some("lost"), "it had not ended");
    assert_eq!(rebuilt.attempt_log("attempt-t").await.unwrap()[0].text, "begins");
}

pub async fn only_a_backup_is_opened_as_one(_place: &Place) {
    let file = File::new("backup.db");
    check_kind(Ledger::open_backup(&file.path, 1).await.map(drop), Kind::FixSettings, "found none");
    assert!(file.neighbours().is_empty(), "nothing was made");
    std::fs::write(&file.path, "").unwrap();
    check_kind(Ledger::open_backup(&file.path, 1).await.map(drop), Kind::FixSettings, "found another file");
    assert_eq!(std::fs::metadata(&file.path).unwrap().len(), 0, "it was left alone");
    std::fs::write(&file.path, "this is no database, and long enough to be taken for one ".repeat(20)).unwrap();
    check_kind(Ledger::open_backup(&file.path, 1).await.map(drop), Kind::FixSettings, "damaged");
}

/// Moves a full ledger from one place to the other, and looks at both.
async fn check_move(from: &Place, to: &Place) {
    let source = from.working().await;
    fill(&source).await;
    let before = dump(&from.url).await;
    let status = source.status().await.unwrap();
    let target = Ledger::open_url(&to.url, "unused", 20).await.unwrap();
    let moved = source.move_to(&target, 20).await.unwrap();
    assert_eq!(moved.ledger_id(), source.ledger_id());
    assert_eq!(dump(&to.url).await, before);
    assert_eq!(moved.status().await.unwrap(), status);
    // The same command again.
    let again = Ledger::open_url(&to.url, "unused", 21).await.unwrap();
    from.open().await.move_to(&again, 21).await.unwrap();
    assert_eq!(dump(&to.url).await, before);

    // Where it was, nobody works, new or old; the message says where to go, and no password.
    for old in [source, from.open().await] {
        let error = old.counts().await.unwrap_err();
        assert_eq!(error.kind(), Kind::FixSettings);
        let at = error.to_string();
        assert!(at.contains("the ledger was moved to ") && at.contains("ledger") && !at.contains('@'), "{at}");
        assert!(error.hint().unwrap().contains("[ledger] of `stillhouse.toml`"));
        check_kind(old.offer(&offers(&[object("x", "1", 1)]), 22).await, Kind::FixSettings, "was moved to");
        check_kind(old.open_for_work(9, 99, 22).await, Kind::FixSettings, "was moved to");
        check_kind(old.backup(&File::new("b").path, 22).await, Kind::FixSettings, "was moved to");
        let third = Place::sqlite();
        check_kind(old.move_to(&third.open().await, 22).await.map(drop), Kind::FixSettings, "was moved to");
    }
    // Where it is now, claims and the queue go on; the publish lease must be taken anew.
    let ledger = to.open().await;
    assert!(ledger.heartbeat("claimed", 22, LEASE).await.unwrap());
    check_kind(ledger.finish("b2", 2, "p", 22).await, Kind::Fenced, "publish lease");
    assert!(ledger.take_publish_lease("p2", 22, LEASE).await.unwrap());
    while let Some(head) = ledger.queue_head().await.unwrap() {
        assert!(ledger.finish(&head.batch_id, head.seq, "p2", 23).await.unwrap());
    }
    check_states(&ledger, "gone", &[State::Complete, State::Offered]).await;
    assert_eq!(offer_one(&ledger, object("new.csv", "1", 1), 24).await.version().key_number, 4_507);
}

pub async fn a_move_takes_everything_along(place: &Place) {
    check_move(&Place::sqlite(), place).await;
}

pub async fn a_move_back_takes_everything_along(place: &Place) {
    check_move(place, &Place::sqlite()).await;
}

/// Stops at the n-th call.
#[derive(Default)]
struct StopAt {
    n: usize,
    calls: AtomicUsize,
}

impl StopAt {
    fn call(&self, place: &str) -> Result<(), String> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if call == self.n { Err(format!("stopped {place}")) } else { Ok(()) }
    }
}

impl Hook for StopAt {
    fn before(&self, name: &'static str) -> HookFuture<'_> {
        Box::pin(async move { self.call(&format!("before {name}")) })
    }

    fn after(&self, name: &'static str) -> HookFuture<'_> {
        Box::pin(async move { self.call(&format!("after {name}")) })
    }
}

async fn takes_work(ledger: &Ledger) -> bool {
    ledger.heartbeat("claimed", 21, LEASE).await.is_ok()
}

pub async fn a_stopped_move_is_finished_by_the_same_call(place: &Place) {
    let mut stops = Vec::new();
    // The source is new for each stop. The target is the same place, which a move leaves closed until it is finished.
    for n in 0.. {
        let from = Place::sqlite();
        fill(&from.working().await).await;
        let hook = Arc::new(StopAt { n, ..StopAt::default() }) as Arc<dyn Hook>;
        let to = Place::sqlite();
        let to = if n == 2 { place } else { &to };
        let source = from.open().await.with_hook(Arc::clone(&hook));
        let target = Ledger::open_url(&to.url, "unused", 20).await.unwrap().with_hook(hook);
        let Err(error) = source.move_to(&target, 20).await else { break };
        let message = error.to_string();
        stops.push(message.rsplit("stopped ").next().unwrap().to_owned());

        let (source, target) = (from.open().await, Ledger::open_url(&to.url, "unused", 21).await.unwrap());
        let here = takes_work(&source).await;
        assert!(!(here && takes_work(&target).await), "{message}: never both");
        if here && target.ledger_id() == source.ledger_id() {
            let error = target.counts().await.unwrap_err();
            insta::allow_duplicates!(insta::assert_snapshot!(
                error.hint().unwrap(), @"run the same `stillhouse ledger move` again"));
        }
        // Work that is done in between is not lost.
        if here {
            complete_between(&source).await;
        }
        let before = dump(&from.url).await;
        let moved = source.move_to(&target, 22).await.unwrap();
        assert_eq!(dump(&to.url).await, before, "{message}");
        assert!(takes_work(&moved).await && !takes_work(&source).await);
    }
    let expected =
        ["copy", "leave", "arrive"].map(|step| [format!("before move_to.{step}"), format!("after move_to.{step}")]);
    assert_eq!(stops, expected.as_flattened());
}

async fn complete_between(ledger: &Ledger) {
    let held = versions(&claim(ledger, ALL, "between", 21).await);
    assert!(ledger.hold("between", held[0], "{}", 21).await.unwrap());
    ledger.log("attempt-between", &[log_line(21, "held")]).await.unwrap();
}

pub async fn a_move_wants_a_new_ledger_to_move_to(place: &Place) {
    let (from, used) = (Place::sqlite(), place.working().await);
    let source = from.working().await;
    fill(&source).await;
    offer_one(&used, object("a.csv", "1", 1), 1).await;
    let refuse = async |target: &Ledger| -> Result<(), Error> { source.move_to(target, 20).await.map(drop) };
    // (Both have the id `ledger-1`, as no two ledgers have outside of tests but after a move.)
    check_kind(refuse(&used).await, Kind::FixSettings, "expected a new ledger to move to");
    let rebuilding = used.begin_rebuild("ledger-7", 2).await.unwrap();
    check_kind(refuse(&rebuilding).await, Kind::FixSettings, "expected a new ledger to move to");
    let file = File::new("backup.db");
    source.backup(&file.path, 3).await.unwrap();
    let backup = Ledger::open_backup(&file.path, 4).await.unwrap();
    check_kind(refuse(&backup).await, Kind::FixSettings, "expected a new ledger to move to");
    assert!(takes_work(&source).await);

    // One that does not work itself cannot be moved.
    let new = Place::sqlite().open().await;
    check_kind(Place::sqlite().open().await.move_to(&new, 5).await.map(drop), Kind::FixSettings, "is new");
    check_kind(rebuilding.move_to(&new, 5).await.map(drop), Kind::FixSettings, "is being rebuilt");
}

pub async fn a_ledger_that_was_moved_can_be_rebuilt(place: &Place) {
    let to = Place::sqlite();
    place.working().await.move_to(&Ledger::open_url(&to.url, "unused", 2).await.unwrap(), 2).await.unwrap();
    // The other place is lost. The lake is not.
    let ledger = place.open().await.begin_rebuild("ledger-2", 3).await.unwrap();
    ledger.open_for_work(2, 1, 3).await.unwrap();
    offer_one(&ledger, object("a.csv", "1", 1), 4).await;
}
