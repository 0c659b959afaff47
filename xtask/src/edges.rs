//! Which of our crates may use which. A new edge is a change of design: it is made here, in a commit of its own.

use crate::files::File;

/// Our crates and what each may depend on. Tests may use `testkit` as well.
const ALLOWED: &[(&str, &[&str])] = &[
    ("safeguard", &[]),
    ("spec", &[]),
    ("decode", &["spec"]),
    ("unpack", &[]),
    ("generate", &[]),
    ("chart", &[]),
    ("sniff", &["spec", "decode", "unpack"]),
    ("ledger", &["safeguard", "spec"]),
    ("lake", &["safeguard", "spec"]),
    ("query", &["spec", "lake"]),
    ("ingest", &["safeguard", "spec", "decode", "unpack", "ledger", "lake"]),
    ("report", &["spec", "lake", "query", "chart"]),
    ("publish", &[]),
    (
        "stillhouse",
        &[
            "spec", "decode", "unpack", "ledger", "lake", "query", "ingest", "report", "publish", "generate", "sniff",
            "chart",
        ],
    ),
    ("testkit", &["safeguard", "spec", "ledger", "lake", "ingest"]),
];

/// Every edge that is not allowed, and every crate that the list does not know.
pub fn check(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        let folder = file.path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        let Some(folder) = folder else { continue };
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == folder) else {
            problems.push(format!("{}: crate `{folder}` is not in the list of xtask/src/edges.rs", file.path));
            continue;
        };
        let manifest: toml::Table = match file.text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                problems.push(format!("{}: {error}", file.path));
                continue;
            }
        };
        for (section, used) in own_dependencies(&manifest) {
            let in_tests = section == "dev-dependencies" && (used == "testkit" || allowed.contains(&used.as_str()));
            if !(in_tests || allowed.contains(&used.as_str())) {
                let rule = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
                problems.push(format!("{}: [{section}] `{folder}` must not use `{used}`, only {rule}", file.path));
            }
        }
    }
    problems
}

/// Section and short name of each of our crates that a manifest names, those of `[target.…]` included.
fn own_dependencies(manifest: &toml::Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for name in manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys) {
            if let Some(short) = name.strip_prefix("stillhouse-").or((name == "stillhouse").then_some(name)) {
                found.push((section.to_owned(), short.to_owned()));
            }
        }
    }
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    for target in targets.filter_map(toml::Value::as_table) {
        found.extend(own_dependencies(target));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(folder: &str, text: &str) -> Vec<String> {
        check(&[File { path: format!("crates/{folder}/Cargo.toml"), text: text.to_owned() }])
    }

    #[test]
    fn allowed_edges_pass() {
        let manifest = "[dependencies]\nstillhouse-spec.workspace = true\nserde = \"1\"\n\
                        [dev-dependencies]\nstillhouse-testkit.workspace = true\n";
        assert_eq!(problems("decode", manifest), Vec::<String>::new());
    }

    #[test]
    fn an_edge_against_the_direction_is_an_error() {
        let found = problems("lake", "[dependencies]\nstillhouse-query = { path = \"../query\" }\n");
        assert_eq!(found, ["crates/lake/Cargo.toml: [dependencies] `lake` must not use `query`, only safeguard, spec"]);
    }

    #[test]
    fn testkit_stays_in_tests_and_targets_count() {
        assert_eq!(problems("decode", "[dependencies]\nstillhouse-testkit.workspace = true\n").len(), 1);
        assert_eq!(problems("spec", "[target.'cfg(unix)'.dependencies.stillhouse-lake]\nworkspace = true\n").len(), 1);
    }

    #[test]
    fn an_unknown_crate_is_an_error() {
        assert_eq!(problems("novel", "[package]\nname = \"stillhouse-novel\"\n").len(), 1);
    }
}
