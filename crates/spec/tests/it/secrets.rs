//! What the environment says never shows.

use std::collections::BTreeMap;

use stillhouse_spec::{Project, ProjectFiles};

use super::{SETTINGS, env, parse, template};

#[test]
fn settings_print_as_written() {
    let text = "format = 1\n[project]\nname = 'a ${SECRET}'\n[lake]\npath = 's3://user:${SECRET}@host/lake'\n";
    let project = parse(&[("stillhouse.toml", text)]).unwrap();
    assert_eq!(project.lake.path.expose(), "s3://user:hunter2-very-secret@host/lake");
    for shown in [format!("{project:?}"), format!("{project:#?}"), project.lake.path.to_string()] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("s3://user:${SECRET}@host/lake"), "{shown}");
    }
    assert_eq!(project.mask("no route to hunter2-very-secret@host"), "no route to ${SECRET}@host");
    assert_eq!(project.mask("nothing to hide"), "nothing to hide");
}

#[test]
fn odd_secrets_are_masked_in_debug() {
    let secret = "pass\"word\\\n'x'";
    let text = "format = 1\n[project]\nname = '${SECRET}'\n";
    let files = BTreeMap::from([("stillhouse.toml".to_owned(), text.to_owned())]);
    let project = Project::parse(&ProjectFiles { files }, &|_| Some(secret.to_owned())).unwrap();
    assert_eq!(project.name, secret);
    assert!(!format!("{project:?}").contains("word"), "{project:?}");
    assert!(!format!("{project:#?}").contains("word"), "{project:#?}");
}

#[test]
fn a_fingerprint_is_over_the_text_as_written() {
    let source =
        "format = 1\n[source]\npath = '${DIR}/x.csv'\ntype = 'csv'\n[table]\nname = 't'\ncolumns = { a = 'string' }\n";
    let fingerprint = |value: &str| {
        let files = [("stillhouse.toml", SETTINGS), ("sources/s.toml", source)];
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let project = Project::parse(&ProjectFiles { files }, &|_| Some(value.to_owned())).unwrap();
        (project.sources[0].path.to_string(), project.sources[0].fingerprint.clone())
    };
    let ((one, first), (other, second)) = (fingerprint("one"), fingerprint("other"));
    assert_ne!(one, other);
    assert_eq!(first, second);
}

/// Every text of every file of the templates is a secret once: whether it fits there or not, it does not show.
#[test]
fn no_setting_tells_a_secret() {
    for name in ["events", "transactions"] {
        let files = template(name);
        let mut tried = 0;
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
            let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
            for pair in quotes.chunks_exact(2) {
                let changed = format!("{}${{SECRET}}{}", &text[..=pair[0]], &text[pair[1]..]);
                let mut files = files.clone();
                files.insert(path.clone(), changed);
                let shown = match Project::parse(&ProjectFiles { files }, &env) {
                    Ok(project) => format!("{project:?}\n{project:#?}"),
                    Err(problems) => format!("{problems}\n{problems:?}"),
                };
                assert!(!shown.contains("hunter2"), "{path} at {}: {shown}", pair[0]);
                tried += 1;
            }
        }
        assert!(tried > 40, "{name}: only {tried}");
    }
}
