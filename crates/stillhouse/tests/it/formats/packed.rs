//! Packed files and other encodings: what is whole is loaded, what is not is held with a word.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use stillhouse_testkit::TempProject;

use super::{ask, object, sources};
use crate::{assert_balanced, run};

const ROWS: &str = "
[source]
path = 'data/*'
type = 'csv'
[table]
name = 'rows'
[table.columns]
id = 'int64'
name = 'string'
";

const CSV: &str = "id,name\n1,Zoë\n2,\"a, b\"\n3,c\n";

/// What a program of the system makes of bytes.
pub(super) fn piped(command: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let child = Command::new(command).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command}: {error}"));
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output.stdout
}

/// Runs a script of Python, which has zip archives and compressions.
pub(super) fn python(script: &str, folder: &std::path::Path) {
    let done = Command::new("python3").args(["-c", script]).current_dir(folder).status().unwrap();
    assert!(done.success());
}

fn rows_project() -> TempProject {
    let project = sources(&[("rows", ROWS)]);
    std::fs::create_dir_all(project.path("data")).unwrap();
    project
}

#[test]
fn every_packing_and_encoding_comes_off() {
    let project = rows_project();
    project.write("data/a.csv.gz", piped("gzip", &["-c"], CSV.as_bytes()));
    let two = [piped("gzip", &["-c"], CSV.as_bytes()), piped("gzip", &["-c"], b"4,d\n")].concat();
    project.write("data/b.csv.gz", two);
    python(
        "import bz2, zipfile\n\
         text = 'id,name\\n5,e\\n'.encode()\n\
         open('data/c.csv.bz2', 'wb').write(bz2.compress(text))\n\
         z = zipfile.ZipFile('data/d.zip', 'w', zipfile.ZIP_DEFLATED)\n\
         z.writestr('in/one.csv', 'id,name\\n6,f\\n')\n\
         z.writestr('in/two.csv', 'id,name\\n7,g\\n8,h\\n')\n\
         z.writestr('__MACOSX/._one.csv', 'x')\n\
         z.close()\n\
         open('data/e.csv', 'wb').write('id,name\\n9,Zoë\\n'.encode('utf-16'))\n\
         open('data/f.csv', 'wb').write('id,name\\n10,Zoë Müller, naïve café\\n'.replace(', ', ' ').encode('cp1252'))\n",
        &project.path("."),
    );
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    for (key, loaded, decided) in [
        ("data/a.csv.gz", 3, "gzip (detected)"),
        ("data/b.csv.gz", 4, "gzip (detected)"),
        ("data/c.csv.bz2", 1, "bzip2 (detected)"),
        ("data/d.zip!in/one.csv", 1, "zip (detected)"),
        ("data/d.zip!in/two.csv", 2, "zip (detected)"),
    ] {
        let found = object(&answer, key);
        assert_eq!(
            (&found["counts"]["loaded"], &found["decided"]["packing"]),
            (&json!(loaded), &json!(decided)),
            "{key}"
        );
    }
    assert_eq!(object(&answer, "data/e.csv")["decided"]["encoding"], "utf-16le (detected)");
    assert_eq!(object(&answer, "data/f.csv")["decided"]["encoding"], "windows-1252 (detected)");
    assert_eq!(
        ask(&project, "select name from rows where id in (9, 10) order by id"),
        json!([["Zoë"], ["Zoë Müller naïve café"]])
    );
    assert_balanced(&project, "rows");
    run(&project, &["receipts", "verify"]).succeeded();
    run(&project, &["audit"]).succeeded();
    // Nothing to do a second time, and one member of an archive that changes is one object that changes.
    let again = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&again, "data/d.zip!in/one.csv")["status"], "unchanged");
    python(
        "import zipfile\n\
         z = zipfile.ZipFile('data/d.zip', 'w', zipfile.ZIP_DEFLATED)\n\
         z.writestr('in/one.csv', 'id,name\\n6,f\\n')\n\
         z.writestr('in/two.csv', 'id,name\\n77,g\\n')\n\
         z.close()\n",
        &project.path("."),
    );
    let changed = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&changed, "data/d.zip!in/one.csv")["status"], "same");
    assert_eq!(object(&changed, "data/d.zip!in/two.csv")["status"], "loaded");
    assert_eq!(ask(&project, "select id from rows where id in (6, 7, 8, 77) order by id"), json!([[6], [77]]));
}

/// Why a file is held.
fn held(project: &TempProject, key: &str) -> String {
    let answer = run(project, &["--json", "ingest"]).ended_with(3);
    let found = object(&answer, key);
    assert_eq!(found["status"], "held", "{found:#}");
    format!("{}\nhint: {}", found["reason"].as_str().unwrap(), found["hint"].as_str().unwrap_or("none"))
}

#[test]
fn a_stream_that_is_not_whole_is_held_or_gives_what_is() {
    let many: String = (0..5000).map(|id| format!("{id},name {id}\n")).collect();
    let packed = piped("gzip", &["-c"], format!("id,name\n{many}").as_bytes());
    let project = rows_project();
    project.write("data/cut.csv.gz", &packed[..packed.len() * 9 / 10]);
    let why = held(&project, "data/cut.csv.gz");
    assert!(why.contains("on_broken = \"load\""), "{why}");
    project.edit("sources/rows.toml", "type = 'csv'\n", "type = 'csv'\non_broken = 'load'\n");
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    let found = object(&answer, "data/cut.csv.gz");
    assert_eq!((&found["status"], &found["counts"]["quarantined"]), (&json!("loaded"), &json!(1)), "{found:#}");
    assert_eq!(found["rejects"][0]["reason"], "broken_stream");
    let loaded = found["counts"]["loaded"].as_i64().unwrap();
    assert!(loaded > 3000, "{loaded}");
    assert_eq!(ask(&project, "select count(*), max(id) from rows"), json!([[loaded, loaded - 1]]));
    assert_balanced(&project, "rows");
    run(&project, &["receipts", "verify"]).succeeded();
    // A checksum that is wrong at the very end is no end that is whole.
    let mut wrong = packed.clone();
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    let project = rows_project();
    project.write("data/wrong.csv.gz", wrong);
    let why = held(&project, "data/wrong.csv.gz");
    assert!(why.contains("checksum"), "{why}");
}

#[test]
fn utf_16_that_breaks_off_is_cut_between_lines() {
    // The character of the names has a byte in it that is a line end elsewhere, in one of the two orders or in the other.
    let text: String = (0..5000).map(|id| format!("{id},\u{4e0a}\u{0a4e}{id}\n")).collect();
    let text = format!("\u{feff}id,name\n{text}");
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let packed = piped("gzip", &["-c"], &bytes);
        let project = rows_project();
        project.edit("sources/rows.toml", "type = 'csv'\n", "type = 'csv'\non_broken = 'load'\n");
        project.write("data/cut.csv.gz", &packed[..packed.len() * 9 / 10]);
        let answer = run(&project, &["--json", "ingest"]).succeeded();
        let found = object(&answer, "data/cut.csv.gz");
        assert_eq!((&found["status"], &found["counts"]["quarantined"]), (&json!("loaded"), &json!(1)), "{found:#}");
        let loaded = found["counts"]["loaded"].as_i64().unwrap();
        assert!(loaded > 3000, "{loaded}");
        let whole = "select count(*) from rows where name = concat(chr(19978), chr(2638), cast(id as varchar))";
        assert_eq!(ask(&project, whole), json!([[loaded]]));
        run(&project, &["receipts", "verify"]).succeeded();
    }
}

#[test]
fn archives_that_want_to_do_harm_are_held() {
    let project = rows_project();
    python(
        "import zipfile\n\
         z = zipfile.ZipFile('data/out.zip', 'w')\n\
         z.writestr('../../etc/passwd.csv', 'id,name\\n1,a\\n')\n\
         z.close()\n\
         z = zipfile.ZipFile('data/bomb.zip', 'w', zipfile.ZIP_DEFLATED)\n\
         block = b'0' * (1 << 20)\n\
         with z.open('zeros.csv', 'w', force_zip64=True) as f:\n\
         \x20   for _ in range(3000): f.write(block)\n\
         z.close()\n\
         z = zipfile.ZipFile('data/many.zip', 'w')\n\
         for n in range(100000): z.writestr('m%d.csv' % n, '')\n\
         z.close()\n",
        &project.path("."),
    );
    let answer = run(&project, &["--json", "ingest"]).ended_with(3);
    for (key, word) in [("data/out.zip", ".."), ("data/bomb.zip", "1,000 for one"), ("data/many.zip", "100,000")] {
        let found = object(&answer, key);
        assert_eq!(found["status"], "held", "{found:#}");
        assert!(found["reason"].as_str().unwrap().contains(word), "{key}: {}", found["reason"]);
        assert!(found["hint"].is_string(), "{key}");
    }
    assert_eq!(ask(&project, "select count(*) from rows"), json!([[0]]));
    // Mended, they are read by their members, and nothing is held any more.
    python(
        "import zipfile, os\n\
         os.remove('data/bomb.zip'); os.remove('data/many.zip')\n\
         z = zipfile.ZipFile('data/out.zip', 'w')\n\
         z.writestr('passwd.csv', 'id,name\\n1,a\\n')\n\
         z.close()\n",
        &project.path("."),
    );
    let answer = run(&project, &["--json", "ingest"]).succeeded();
    assert_eq!(object(&answer, "data/out.zip!passwd.csv")["status"], "loaded");
}

#[test]
fn files_of_another_kind_are_held_with_a_word() {
    let project = sources(&[(
        "rows",
        "[source]\npath = 'data/*.parquet'\ntype = 'parquet'\n[table]\nname = 'rows'\n[table.columns]\nid = 'int64'\n",
    )]);
    project.write("data/text.parquet", CSV);
    let why = held(&project, "data/text.parquet");
    assert!(why.starts_with("expected a Parquet file, which begins with `PAR1`, found `id,name"), "{why}");
    let project = rows_project();
    project.write("data/x.csv.xz", b"\xfd7zXZ\x00\x00\x04");
    assert!(held(&project, "data/x.csv.xz").contains("xz"));
}
