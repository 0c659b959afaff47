//! The conformance suite and the model on a real PostgreSQL: one server, one database for each case.

use stillhouse_testkit::Postgres;

use crate::place::Place;
use crate::{conformance, copies, corrections, steps};

macro_rules! cases {
    ($suite:ident, $run:ident: $($case:ident),* $(,)?) => {
        async fn $run(server: &Postgres) {
            $(
                eprintln!("{}", stringify!($case));
                $suite::$case(&Place::postgres(server.create_database(stringify!($case)))).await;
            )*
        }
    };
}

conformance::all_cases!(cases, conformance, run_conformance);
corrections::all_cases!(cases, corrections, run_corrections);
copies::all_cases!(cases, copies, run_copies);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_passes_the_conformance_suites() {
    let server = Postgres::start();
    run_conformance(&server).await;
    run_corrections(&server).await;
    run_copies(&server).await;
}

#[test]
fn postgres_follows_the_model() {
    let server = Postgres::start();
    let mut number = 0;
    steps::check(12, || {
        number += 1;
        Place::postgres(server.create_database(&format!("model_{number}")))
    });
}

/// Somebody else's transaction holds what the ledger wants and wants what the ledger holds. PostgreSQL undoes one of the
/// two; the ledger's runs again and nobody sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_postgres_undid_runs_again() {
    use crate::place::{object, offer_one};
    use sqlx::{Connection, Executor, PgConnection};

    let server = Postgres::start();
    let place = Place::postgres(server.create_database("deadlock"));
    let mut other = PgConnection::connect(&place.url).await.unwrap();
    // Who looks for a circle first is the one that is undone: the ledger, long after the circle is closed.
    other.execute("SET deadlock_timeout = '1h'").await.unwrap();
    other.execute("ALTER DATABASE deadlock SET deadlock_timeout = '3s'").await.unwrap();
    let ledger = place.working().await;
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;

    other.execute("BEGIN; SELECT 1 FROM ledger_keys WHERE key_number = 1 FOR UPDATE").await.unwrap();
    let offer = tokio::spawn({
        let ledger = ledger.clone();
        async move { offer_one(&ledger, object("a.csv", "2", 1), 2).await }
    });
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    let mut watcher = PgConnection::connect(&place.url).await.unwrap();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // Closes the circle; answers once the ledger's transaction is undone.
    other.execute("SELECT 1 FROM ledger_meta FOR UPDATE").await.unwrap();
    other.execute("COMMIT").await.unwrap();
    assert_eq!(offer.await.unwrap().version().generation, 2);
    let deadlocks = "SELECT pg_stat_get_db_deadlocks(oid) FROM pg_database WHERE datname = 'deadlock'";
    // The statistics come a moment later.
    for _ in 0..400 {
        if sqlx::query_scalar::<_, i64>(deadlocks).fetch_one(&mut watcher).await.unwrap() > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no transaction was undone: the test has tested nothing");
}
