//! The conformance suite on SQLite, one test for each case.

use crate::conformance;
use crate::place::Place;

macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                conformance::$case(&Place::sqlite()).await;
            }
        )*

        /// The names of the cases above, for the test that none is forgotten.
        const NAMES: &[&str] = &[$(stringify!($case)),*];
    };
}

conformance::all_cases!(cases);

#[test]
fn no_case_is_forgotten() {
    let text = include_str!("conformance.rs");
    let written = text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
    assert_eq!(written.collect::<Vec<_>>(), NAMES);
}
