//! Several processes on one project.

use stillhouse_testkit::{Answers, Events};

use super::{assert_balanced, number, program, project};

#[test]
fn two_runs_at_once_share_the_work_and_double_nothing() {
    let project = project("events");
    let files = Events::new(21).write_months(&project.path("."), 2000, 60, 400);
    let folder = project.path(".");
    let folder = folder.to_str().unwrap();
    let runs: Vec<_> = (0..2).map(|_| program().spawn(&["-C", folder, "run", "all", "--json"])).collect();
    for running in runs {
        let answer = running.wait().succeeded().json();
        assert_eq!(answer["objects"].as_array().unwrap().len(), 60);
    }
    let mut answers = Answers::default();
    files.iter().for_each(|file| answers += &file.answers);
    assert_eq!(number(&project, "select count(*) from events") as u64, answers.rows);
    assert_eq!(number(&project, "select count(distinct id) from events") as u64, answers.rows);
    assert_eq!(number(&project, "select count(*) from event_tags") as u64, answers.tags);
    assert_eq!(number(&project, "select count(*) from _receipts where kind = 'load'"), 60);
    assert_balanced(&project, "events");
}
