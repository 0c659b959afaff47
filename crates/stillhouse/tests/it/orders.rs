//! A small project whose every row can be told apart, for tests that change files after they were loaded.

use stillhouse_testkit::TempProject;

use super::run;

const SETTINGS: &str = "format = 1\n[project]\nname = \"shop\"\ntime_zone = \"UTC\"\n[lake]\npath = \"lake\"\n";

/// Orders with a child table of tags; `[source]` ends with `more`.
pub fn orders(more: &str) -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", SETTINGS);
    project.write("sources/orders.toml", source(more, "day = { type = \"date\", format = \"%Y-%m-%d\" }"));
    project
}

/// The source file with this column for the day.
pub fn source(more: &str, day: &str) -> String {
    format!(
        "format = 1\n[source]\npath = \"data/*.csv\"\ntype = \"csv\"\nsettle = \"0 s\"\n{more}\n[table]\nname = \"orders\"\n\
         time = \"day\"\nmax_rejected = \"50%\"\n[table.columns]\nid = {{ type = \"int64\", required = true }}\n{day}\n\
         tags = {{ type = \"list<string>\", list = {{ delimiter = \"|\" }} }}\n[[child]]\nname = \"order_tags\"\n\
         from = \"orders.tags[]\"\nitem = \"tag\"\n"
    )
}

/// A file of these ids; even ones have two tags.
pub fn file(ids: impl IntoIterator<Item = u32>) -> String {
    let row = |id: u32| {
        let tags = if id.is_multiple_of(2) { "a|b" } else { "" };
        format!("{id},2024-05-{:02},{tags}\n", id % 28 + 1)
    };
    "id,day,tags\n".to_owned() + &ids.into_iter().map(row).collect::<String>()
}

/// The ids in `orders`, in order, and the ids of the orders that have rows in `order_tags`.
pub fn ids(project: &TempProject) -> (Vec<i64>, Vec<i64>) {
    let column = |sql: &str| -> Vec<i64> {
        let answer = run(project, &["--json", "sql", sql]).succeeded().json();
        answer["rows"].as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect()
    };
    let tagged =
        "select o.id from order_tags t join orders o on o._object = t._object and o._record = t._record order by 1";
    (column("select id from orders order by id"), column(tagged))
}

/// Ids with the tags that [`file`] gives them: what [`ids`] answers when all is right.
pub fn expected(ids: impl IntoIterator<Item = u32>) -> (Vec<i64>, Vec<i64>) {
    let ids: Vec<i64> = ids.into_iter().map(i64::from).collect();
    let tagged = ids.iter().filter(|id| *id % 2 == 0).flat_map(|id| [*id, *id]).collect();
    (ids, tagged)
}

/// Everything that can be proved is: receipts against files and tables.
pub fn assert_proved(project: &TempProject) {
    let audit = run(project, &["--json", "audit"]).json();
    assert_eq!(audit["clean"], true, "{audit:#}");
    let verified = run(project, &["--json", "receipts", "verify"]).succeeded().json();
    for receipt in verified["receipts"].as_array().unwrap() {
        assert_ne!(receipt["proof"], "failed", "{receipt:#}");
    }
}
