//! docs/reference/project-files.md says what the loader does.

use super::parse;

fn reference() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/project-files.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_examples_are_right() {
    let text = reference();
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [settings, source, report] = blocks[..] else { panic!("{} examples", blocks.len()) };
    let settings = settings.replace("LAKE_FOLDER", "DIR");
    let files = [
        ("stillhouse.toml", settings.as_str()),
        ("sources/events.toml", source),
        ("reports/r/report.toml", report),
        ("reports/r/top_users.sql", "SELECT 1"),
        ("reports/r/sales_by_day.sql", "SELECT 1"),
    ];
    let project = parse(&files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((project.sources.len(), project.reports.len()), (1, 1));
}

/// The loader lists the keys that it knows when one is unknown: each of them is explained.
#[test]
fn every_key_is_explained() {
    let text = reference();
    let unknown = "x_y_z = 1\n";
    let settings = format!(
        "format = 1\n{unknown}[project]\n{unknown}[lake]\n{unknown}[ledger]\n{unknown}[limits]\n{unknown}[tables.t]\n{unknown}"
    );
    let source = format!(
        "format = 1\n{unknown}[source]\n{unknown}[csv]\n{unknown}[json]\n{unknown}[table]\n{unknown}[table.columns.a]\n{unknown}[[child]]\n{unknown}"
    );
    let view = format!(
        "format = 1\n[table]\nkey = 'a'\ncolumns.a = {{ type = 'string', required = true }}\n[table.deleted]\n{unknown}"
    );
    let report = format!(
        "format = 1\n{unknown}[period]\n{unknown}[queries.q]\n{unknown}[queries.q.columns.c]\n{unknown}[queries.q.chart]\n{unknown}[queries.q.chart.format]\n{unknown}"
    );
    let publish = format!(
        "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\n[table.publish]\n{unknown}\
         [table.columns]\na = 'list<string>'\n[[child]]\nname = 'c'\nfrom = 't.a[]'\nitem = 'i'\n[child.publish]\n{unknown}"
    );
    let files = [
        ("stillhouse.toml", &*settings),
        ("sources/publish.toml", &*publish),
        ("sources/s.toml", &*source),
        ("sources/view.toml", &*view),
        ("reports/r/report.toml", &*report),
    ];
    let problems = parse(&files).unwrap_err();
    let lists: Vec<&str> =
        problems.iter().filter_map(|problem| problem.hint.as_deref()?.strip_prefix("allowed here: ")).collect();
    assert_eq!(lists.len(), 22, "{problems}");
    for key in lists.iter().flat_map(|list| list.split(", ")).map(|key| key.trim_matches('`')) {
        let places =
            [format!("`{key}`"), format!(" {key}`"), format!("[{key}]"), format!("{key}."), format!("{key} = ")];
        assert!(places.iter().any(|place| text.contains(place)), "`{key}` is not in the reference");
    }
}
