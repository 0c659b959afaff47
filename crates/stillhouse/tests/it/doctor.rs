//! `doctor`: what is fine, what is not, what to do; and nothing stays behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;
use stillhouse_testkit::{Events, Finished, TempProject};

use super::{program, project, run};

/// Every file below a folder, with its time and content. What SQLite keeps beside a ledger goes into it whenever somebody
/// opens it, so these files may change, and what they say does not.
fn files(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), (SystemTime::UNIX_EPOCH, Vec::new()));
            found.extend(files(&path));
        } else if !path.to_string_lossy().contains("ledger.db") {
            found.insert(path.clone(), (path.metadata().unwrap().modified().unwrap(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// Runs it and sees that it left everything as it was.
fn doctor(project: &TempProject, code: i32) -> Value {
    let before = files(&project.path("."));
    let answer = run(project, &["--json", "doctor"]).ended_with(code).json();
    assert_eq!(before, files(&project.path(".")));
    assert_eq!(answer["ok"], code == 0);
    answer
}

/// The findings of an area as `state: text`, one a line.
fn of(answer: &Value, area: &str) -> String {
    let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["area"] == area);
    let line = |finding: &Value| {
        let (state, found) = (finding["state"].as_str().unwrap(), finding["found"].as_str().unwrap());
        let next = finding["next"].as_str().map(|next| format!(" -> {next}")).unwrap_or_default();
        format!("{state}: {found}{next}")
    };
    findings.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_new_project_and_a_loaded_one() {
    let project = project("events");
    let new = doctor(&project, 0);
    assert!(of(&new, "lake").contains("ok: `lake` is not there yet; the first load makes it"), "{new:#}");
    assert!(of(&new, "ledger").contains("there is none yet"), "{new:#}");
    assert!(
        of(&new, "sources").starts_with("note: events: no file matches `data/{yyyy}/{MM}/events.csv` -> "),
        "{new:#}"
    );
    Events::new(91).write_months(&project.path("."), 2021, 2, 50);
    project.edit("sources/events.toml", "[table]\n", "[table]\npublish = { to = \"sqlite://out/w.db\" }\n");
    run(&project, &["ingest"]).succeeded();
    let loaded = doctor(&project, 0);
    assert_eq!(of(&loaded, "project"), "ok: events: 1 source, 1 report");
    assert!(
        of(&loaded, "lake").contains("files are made only if absent; files and folders are synchronised"),
        "{loaded:#}"
    );
    assert!(of(&loaded, "lake").contains("ok: batch 1 is the newest; 2 tables can be read"), "{loaded:#}");
    assert!(of(&loaded, "ledger").ends_with("ok: it is whole and speaks for this lake (epoch 1)"), "{loaded:#}");
    assert_eq!(of(&loaded, "sources"), "ok: events: 2 files for `data/{yyyy}/{MM}/events.csv`");
    assert_eq!(of(&loaded, "publish"), "ok: `sqlite://out/w.db`: 1 table");
    for area in ["memory", "clock", "processor", "limits", "terminal"] {
        assert!(!of(&loaded, area).is_empty(), "{area}: {loaded:#}");
    }
}

#[test]
fn a_ledger_that_is_lost_old_damaged_or_another_s() {
    let project = project("events");
    let mut events = Events::new(92);
    events.write_months(&project.path("."), 2021, 1, 50);
    run(&project, &["ingest"]).succeeded();
    let ledger = project.path(".stillhouse/ledger.db");
    // After a look everything is in the one file.
    doctor(&project, 0);
    let old = std::fs::read(&ledger).unwrap();
    events.write_months(&project.path("."), 2022, 1, 50);
    run(&project, &["ingest"]).succeeded();
    doctor(&project, 0);
    let new = std::fs::read(&ledger).unwrap();

    std::fs::write(&ledger, &old).unwrap();
    let answer = doctor(&project, 1);
    assert!(of(&answer, "ledger").contains("problem: lake and ledger do not belong together"), "{answer:#}");
    assert!(of(&answer, "ledger").contains("stillhouse ledger rebuild"), "{answer:#}");

    std::fs::remove_file(&ledger).unwrap();
    let answer = doctor(&project, 1);
    assert!(of(&answer, "ledger").contains("problem: there is none, and the lake has receipts -> "), "{answer:#}");

    let mut damaged = new.clone();
    let pages = damaged.len() / 4096;
    for page in 4..pages {
        damaged[page * 4096..(page + 1) * 4096].fill(0x5a);
    }
    std::fs::write(&ledger, &damaged).unwrap();
    let answer = doctor(&project, 1);
    assert!(of(&answer, "ledger").contains("problem: "), "{answer:#}");

    std::fs::write(&ledger, &new).unwrap();
    doctor(&project, 0);
    std::fs::rename(project.path("lake"), project.path("elsewhere")).unwrap();
    let answer = doctor(&project, 1);
    assert!(
        of(&answer, "ledger").contains("it knows of files that were loaded, and the lake has no receipts"),
        "{answer:#}"
    );
}

#[test]
fn a_project_that_is_not_valid_is_one_finding() {
    let project = project("events");
    project.edit("sources/events.toml", "max_rejected", "max_rejectd");
    let answer = doctor(&project, 1);
    assert!(of(&answer, "project").starts_with("problem: sources/events.toml:"), "{answer:#}");
    assert!(of(&answer, "project").contains("did you mean `max_rejected`?"), "{answer:#}");
    assert!(of(&answer, "memory").contains("loads and queries take up to 300.0 MB"), "{answer:#}");
    let nothing = doctor(&TempProject::new(), 1);
    assert!(of(&nothing, "project").contains("is no project"), "{nothing:#}");
}

#[test]
fn settings_that_ask_too_much_and_secrets() {
    let project = project("events");
    let settings = "\n[limits]\nquery_memory = \"900 TB\"\nspill = \"9000 TB\"\nworkers = 1000\n[lake]\npath = \"${LAKE_PLACE}/x\"\n";
    let text = std::fs::read_to_string(project.path("stillhouse.toml")).unwrap();
    let kept: String = text.split("[lake]").next().unwrap().to_owned();
    project.write("stillhouse.toml", format!("{kept}{settings}"));
    project.write("secret-place", "a file where a folder should be");
    let finished: Finished = program()
        .in_folder(project.path("."))
        .with_variable("LAKE_PLACE", "secret-place")
        .run(&["--json", "doctor"])
        .ended_with(1);
    assert!(!finished.stdout.contains("secret-place"), "{}", finished.stdout);
    let answer = finished.json();
    assert!(of(&answer, "memory").starts_with("problem: "), "{answer:#}");
    assert!(of(&answer, "limits").contains("note: queries may spill "), "{answer:#}");
    assert!(of(&answer, "limits").contains("note: 1000 workers on "), "{answer:#}");
}
