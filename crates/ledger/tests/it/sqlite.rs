//! The conformance suites on SQLite, one test for each case.

use crate::place::Place;
use crate::{conformance, copies, corrections};

macro_rules! cases {
    ($suite:ident, $names:ident: $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $suite::$case(&Place::sqlite()).await;
            }
        )*

        /// The names of the cases above, for the test that none is forgotten.
        const $names: &[&str] = &[$(stringify!($case)),*];
    };
}

conformance::all_cases!(cases, conformance, CONFORMANCE);
corrections::all_cases!(cases, corrections, CORRECTIONS);
copies::all_cases!(cases, copies, COPIES);

#[test]
fn no_case_is_forgotten() {
    let suites = [
        (include_str!("conformance.rs"), CONFORMANCE),
        (include_str!("corrections.rs"), CORRECTIONS),
        (include_str!("copies.rs"), COPIES),
    ];
    for (text, names) in suites {
        let written = text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        assert_eq!(written.collect::<Vec<_>>(), names);
    }
}
