//! No text makes the loader panic, and what it refuses it explains.

use proptest::prelude::*;
use stillhouse_spec::{Project, ProjectFiles};

use super::{env, template};

/// Every problem names a place that exists.
fn check(files: &ProjectFiles) {
    if let Err(problems) = Project::parse(files, &env) {
        assert!(problems.iter().count() > 0);
        for problem in &problems {
            let text = files.files.get(&problem.file).map_or("", String::as_str);
            assert!(problem.line >= 1 && problem.line <= text.matches('\n').count() + 1, "{problem}");
            assert!(problem.column >= 1, "{problem}");
            assert!(!problem.message.contains('\n'), "{problem}");
        }
    }
}

/// A file of a template in which a stretch is replaced by something.
fn damaged() -> impl Strategy<Value = ProjectFiles> {
    let pieces = prop_oneof![
        "\\PC{0,12}",
        prop::sample::select(vec![
            "",
            "\n",
            "\"",
            "'",
            "[",
            "]",
            "[[",
            "{",
            "}",
            "=",
            "= 1\n",
            "= true",
            "1e400",
            "${SECRET}",
            "${",
            "$${DIR}",
            "0x",
            "99999999999999999999",
            "-1",
            "1979-05-27",
            "[child]",
            "[[child]]",
            "[csv]\n",
            "\u{feff}",
            "\0",
            "list<",
            ">",
            "%",
            "{MM}",
            "year of date",
            "a.b.c = 2\n",
        ])
        .prop_map(str::to_owned),
    ];
    let edit = (any::<prop::sample::Index>(), 0usize..30, pieces);
    (prop::bool::ANY, any::<prop::sample::Index>(), prop::collection::vec(edit, 1..5)).prop_map(
        |(which, file, edits)| {
            let mut files = template(if which { "events" } else { "transactions" });
            let names: Vec<String> = files.keys().filter(|name| name.ends_with(".toml")).cloned().collect();
            let text = files.get_mut(&names[file.index(names.len())]).unwrap();
            for (at, length, piece) in edits {
                let start = text.floor_char_boundary(at.index(text.len() + 1));
                let end = text.ceil_char_boundary((start + length).min(text.len()));
                text.replace_range(start..end, &piece);
            }
            ProjectFiles { files }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files(files in damaged()) {
        check(&files);
    }

    #[test]
    fn any_text(settings in any::<String>(), source in any::<String>(), report in any::<String>()) {
        let files = [("stillhouse.toml", settings), ("sources/s.toml", source), ("reports/r/report.toml", report)];
        check(&ProjectFiles { files: files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect() });
    }
}

#[test]
fn deep_nesting() {
    for (open, close) in [("[", "]"), ("{a=", "}"), ("list<", ">")] {
        let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        let quote = if open == "list<" { "'" } else { "" };
        let text = format!(
            "format = 1\n[source]\npath = 'x'\ntype = 'csv'\n[table]\nname = 't'\ncolumns.a = {quote}{deep}{quote}\n"
        );
        let files = [("stillhouse.toml".to_owned(), super::SETTINGS.to_owned()), ("sources/s.toml".to_owned(), text)];
        let files = ProjectFiles { files: files.into_iter().collect() };
        assert!(Project::parse(&files, &env).is_err());
        check(&files);
    }
}
