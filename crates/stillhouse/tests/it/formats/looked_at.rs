//! `sniff` and `profile` read every shape that loading reads: what is proposed loads as it is, and a profile has the figures
//! that SQL finds.

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use stillhouse_testkit::{TempProject, shared_data};

use super::packed::{piped, python};
use super::{ask, object};
use crate::{assert_balanced, run};

/// A project with settings and nothing else.
fn fresh() -> TempProject {
    let project = TempProject::new();
    project.write("stillhouse.toml", "format = 1\n[project]\nname = \"fresh\"\n");
    project
}

/// A file that was written long ago, so that nobody waits for it.
fn put(project: &TempProject, path: &str, bytes: impl AsRef<[u8]>) {
    let path = project.write(path, bytes.as_ref());
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_685_577_600);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

const CITIES: [&str; 3] = ["K\u{f6}ln", "M\u{fc}nchen", "Bad T\u{f6}lz"];

/// Ids from `first` on, cities with umlauts, and amounts of 1.25 for each.
fn csv(first: usize, rows: usize) -> String {
    let row = |nr: usize| format!("{nr},{},1.25\n", CITIES[nr % 3]);
    format!("id,city,amount\n{}", (first..first + rows).map(row).collect::<String>())
}

fn json_lines(rows: usize) -> String {
    let row =
        |nr: usize| json!({"id": nr, "city": CITIES[nr % 3], "amount": "1.25", "tags": [{"tag": "x"}, {"tag": "y"}]});
    (0..rows).map(|nr| format!("{}\n", row(nr))).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

/// A zip archive with these members.
fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let folder = TempProject::new();
    for (number, (_, bytes)) in members.iter().enumerate() {
        folder.write(number.to_string(), bytes);
    }
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let script = format!(
        "import zipfile\nz = zipfile.ZipFile('all', 'w', zipfile.ZIP_DEFLATED)\n\
         for number, name in enumerate({}): z.write(str(number), name)\nz.close()\n",
        json!(names)
    );
    python(&script, &folder.path("."));
    std::fs::read(folder.path("all")).unwrap()
}

/// Everything that loading reads, by its path in a project, and the records in it.
fn shapes() -> Vec<(&'static str, Vec<u8>, i64)> {
    let (text, records) = (csv(0, 500), 500);
    let packed = |program: &str| piped(program, &["-c"], text.as_bytes());
    let two = [("in/a.csv", csv(0, 300).into_bytes()), ("in/b.csv", csv(300, 200).into_bytes())];
    vec![
        ("data/2021/04/sales.csv.gz", packed("gzip"), records),
        ("data/sales.csv.zst", packed("zstd"), records),
        ("data/sales.json.bz2", piped("bzip2", &["-c"], json_lines(500).as_bytes()), records),
        ("data/sales.zip", zip(&two), records),
        ("data/sales.zip", zip(&[("a.csv.gz", packed("gzip"))]), records),
        ("data/sales.csv", utf16(&text), records),
        ("data/sales.csv.gz", piped("gzip", &["-c"], &utf16(&text)), records),
        ("data/sales.csv", windows_1252(&text), records),
        ("data/sales.csv", windows_1252(&format!("{}{}", "id,city,amount\n", late())), 9_000),
    ]
}

/// Its first umlauts stand where nobody looks for an encoding.
fn late() -> String {
    let city = |nr: usize| if nr < 8_000 { "Bonn" } else { CITIES[nr % 3] };
    (0..9_000).map(|nr| format!("{nr},{},1.25\n", city(nr))).collect()
}

#[test]
fn what_is_proposed_loads_as_it_is() {
    for (path, bytes, records) in shapes() {
        let project = fresh();
        put(&project, path, &bytes);
        let proposal = run(&project, &["--json", "sniff", path, "--write"]).succeeded().json();
        let source = proposal["source"].as_str().unwrap();
        let template = path.replace("2021/04", "{yyyy}/{MM}");
        assert!(source.contains(&format!("path = \"{template}\"\n")), "{source}");
        assert_eq!(source.contains("encoding = "), records == 9_000, "{source}");
        assert!(source.contains("city = \"string\""), "{source}");
        run(&project, &["ingest"]).succeeded();
        let cents = records * 125;
        let exact = format!("{}.{:02}", cents / 100, cents % 100);
        let found = ask(&project, "select count(*), count(distinct id), sum(amount) from sales");
        assert_eq!(found[0], json!([records, records, exact]), "{source}");
        let last = usize::try_from(records).unwrap() - 1;
        let of_last = ask(&project, "select id, city from sales order by id desc limit 1");
        assert_eq!(of_last[0], json!([last, CITIES[last % 3]]), "{source}");
        assert_balanced(&project, "sales");
    }
}

#[test]
fn members_of_another_shape_are_named_and_held() {
    let project = fresh();
    let members = [
        ("README.txt", b"How to read this.\n".to_vec()),
        ("orders/1.csv", csv(0, 40).into_bytes()),
        ("orders/2.csv", csv(40, 2).into_bytes()),
        ("people.json", b"{\"name\": \"a\"}\n".to_vec()),
    ];
    put(&project, "data/all.zip", zip(&members));
    let printed = run(&project, &["sniff", "data/all.zip", "--name", "orders"]).succeeded();
    insta::assert_snapshot!("sniff_members", printed.stdout);
    let written = run(&project, &["sniff", "data/all.zip", "--name", "orders", "--write"]).succeeded();
    insta::assert_snapshot!("sniff_members_written", written.stdout);
    let answer = run(&project, &["--json", "ingest"]).ended_with(3);
    for (member, status) in
        [("README.txt", "held"), ("orders/1.csv", "loaded"), ("orders/2.csv", "loaded"), ("people.json", "held")]
    {
        assert_eq!(object(&answer, &format!("data/all.zip!{member}"))["status"], status, "{member}");
    }
    assert_eq!(ask(&project, "select count(*) from orders"), json!([[42]]));
}

/// How small a file gets is the packer's to say, and differs from one version to the next.
fn without_packed_sizes(text: &str) -> String {
    let sizes = regex::Regex::new(r"packed it has \d+|packed byte [\d,]+; [\d,]+|[\d,]+ packed bytes").unwrap();
    sizes.replace_all(text, "(packed)").into_owned()
}

#[test]
fn the_explanation_says_what_was_taken_off() {
    let project = fresh();
    put(&project, "data/sales.csv.gz", piped("gzip", &["-nc"], &windows_1252(&csv(0, 60))));
    let told = run(&project, &["sniff", "--explain", "data/sales.csv.gz"]).succeeded().stdout;
    insta::assert_snapshot!("sniff_explain_packed", without_packed_sizes(&told));
}

#[test]
fn what_cannot_be_unpacked_is_refused_with_the_next_step() {
    let project = fresh();
    let packed = piped("gzip", &["-nc"], csv(0, 5000).as_bytes());
    put(&project, "data/cut.csv.gz", &packed[..packed.len() / 2]);
    put(&project, "data/x.csv.xz", b"\xfd7zXZ\x00\x00\x04");
    put(&project, "data/sheet.xlsx", zip(&[("[Content_Types].xml", b"<x/>".to_vec())]));
    put(&project, "data/sales.dat", zip(&[("a.csv", b"id\n1\n".to_vec())]));
    put(&project, "data/inner.zip", zip(&[("a.zip", zip(&[("a.csv", b"id\n1\n".to_vec())]))]));
    put(&project, "data/nothing.zip", zip(&[(".hidden", b"x".to_vec())]));
    python(
        "import zipfile\n\
         z = zipfile.ZipFile('data/out.zip', 'w')\n\
         z.writestr('../../etc/passwd.csv', 'id,name\\n1,a\\n')\n\
         z.close()\n\
         z = zipfile.ZipFile('data/bomb.zip', 'w', zipfile.ZIP_DEFLATED)\n\
         block = b'0' * (1 << 20)\n\
         with z.open('zeros.csv', 'w', force_zip64=True) as f:\n\
         \x20   for _ in range(300): f.write(block)\n\
         z.close()\n",
        &project.path("."),
    );
    let names =
        ["cut.csv.gz", "x.csv.xz", "sheet.xlsx", "sales.dat", "inner.zip", "nothing.zip", "out.zip", "bomb.zip"];
    let told = |command: &str, name: &str| {
        let finished = run(&project, &[command, &format!("data/{name}")]).ended_with(1);
        assert_eq!(finished.stdout, "");
        finished.stderr
    };
    let all: Vec<String> = names.iter().map(|name| told("sniff", name)).collect();
    insta::assert_snapshot!("sniff_refusals_packed", without_packed_sizes(&all.join("\n")));
    assert!(told("profile", "bomb.zip").contains("1,000 for one"));
}

fn profile(project: &TempProject, file: &str) -> Value {
    run(project, &["--json", "profile", file, "--show-personal"]).succeeded().json()
}

#[test]
fn a_packed_file_has_the_profile_of_what_is_in_it() {
    let project = fresh();
    put(&project, "plain.csv", csv(0, 500));
    let plain = profile(&project, "plain.csv");
    assert_eq!((&plain["rows"], &plain["tables"]), (&json!(500), &json!([])));
    for (path, bytes, records) in shapes().into_iter().filter(|(path, ..)| !path.contains("json")) {
        put(&project, path, &bytes);
        let found = profile(&project, path);
        assert_eq!(found["rows"], records, "{path}");
        if records == 500 {
            assert_eq!(found["columns"], plain["columns"], "{path}");
        }
    }
    let notes = profile(&project, "data/sales.csv.gz")["notes"].clone();
    assert_eq!(notes[0], "data/sales.csv.gz: gzip, utf-16be");
}

#[test]
fn members_of_an_archive_are_profiled_together_whatever_their_formats() {
    let project = fresh();
    let dates = |format: fn(u32) -> String, first: u32| {
        let rows = (0..200).map(|nr| format!("{},{}\n", first + nr, format(nr % 28 + 1)));
        format!("id,day\n{}", rows.collect::<String>()).into_bytes()
    };
    let members = [
        ("a.csv", dates(|day| format!("2021-03-{day:02}"), 0)),
        ("b.csv", dates(|day| format!("{day:02}.04.2021"), 200)),
        ("c.csv", dates(|day| format!("2021-05-{day:02}"), 400)),
    ];
    put(&project, "days.zip", zip(&members));
    let found = profile(&project, "days.zip");
    assert_eq!(found["rows"], 600, "{found:#}");
    let (id, day) = (&found["columns"][0], &found["columns"][1]);
    assert_eq!((&id["distinct"], &id["min"], &id["max"]), (&json!(600), &json!(0), &json!(599)));
    assert_eq!(
        (&day["values"], &day["distinct"], &day["min"], &day["max"]),
        (&json!(600), &json!(84), &json!("2021-03-01"), &json!("2021-05-28")),
        "{found:#}"
    );
}

/// Each column of a profile against what SQL says of the table that the file becomes.
fn assert_figures(project: &TempProject, table: &str, profile: &Value) {
    assert_eq!(ask(project, &format!("select count(*) from {table}"))[0][0], profile["rows"], "{table}");
    for column in profile["columns"].as_array().unwrap() {
        let name = column["name"].as_str().unwrap();
        let has_order = column.get("min").is_some();
        let bounds = if has_order { format!(", min(\"{name}\"), max(\"{name}\")") } else { String::new() };
        let sql = format!(
            "select count(\"{name}\"), count(*) - count(\"{name}\"), count(distinct \"{name}\"){bounds} from {table}"
        );
        let wanted = ask(project, &sql)[0].clone();
        assert_eq!((&column["values"], &column["nulls"]), (&wanted[0], &wanted[1]), "{table}.{name}");
        if column["distinct_exact"] == true {
            assert_eq!(column["distinct"], wanted[2], "{table}.{name}");
        }
        if has_order {
            assert_eq!((&column["min"], &column["max"]), (&wanted[3], &wanted[4]), "{table}.{name}");
        }
    }
}

#[test]
fn tables_inside_of_records_have_a_profile_each() {
    let facts: Value =
        serde_json::from_slice(&std::fs::read(shared_data("paramount").join("facts.json")).unwrap()).unwrap();
    let project = fresh();
    let mut all = Vec::new();
    for part in 10..=16 {
        all.extend(std::fs::read(shared_data("paramount").join(format!("comment_info/part-000{part}.json"))).unwrap());
    }
    put(&project, "data/pages.json.gz", piped("gzip", &["-nc"], &all));
    run(&project, &["sniff", "data/pages.json.gz", "--write"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    let found = profile(&project, "data/pages.json.gz");
    assert_eq!(found["rows"], facts["lines"]);
    let tables = found["tables"].as_array().unwrap();
    let rows: Vec<_> =
        tables.iter().map(|table| (table["name"].as_str().unwrap(), table["rows"].as_i64().unwrap())).collect();
    let comments = facts["top_rows"].as_i64().unwrap() + facts["reply_rows"].as_i64().unwrap();
    assert_eq!(rows, [("posts", facts["post_rows"].as_i64().unwrap()), ("comments", comments)]);
    assert_figures(&project, "pages", &found);
    for table in tables {
        assert_figures(&project, table["name"].as_str().unwrap(), table);
    }
    let some =
        run(&project, &["profile", "data/pages.json.gz", "--columns", "comments.up_likes,posts.page_h_id"]).succeeded();
    insta::assert_snapshot!("profile_nested", some.stdout);
    let wrong = run(&project, &["profile", "data/pages.json.gz", "--columns", "comments.uplikes"]).ended_with(2);
    assert!(wrong.stderr.contains("did you mean `comments.up_likes`"), "{}", wrong.stderr);
}

#[test]
fn objects_in_a_parquet_file_are_tables_as_well() {
    let project = fresh();
    put(&project, "data/sales.json", json_lines(500));
    run(&project, &["sniff", "data/sales.json", "--write"]).succeeded();
    run(&project, &["ingest"]).succeeded();
    let sql = "select id, named_struct('name', city, 'sum', amount) as place, make_array(named_struct('tag', 'x')) as tags from sales";
    run(&project, &["export", "--query", sql, "--to", project.path("nested.parquet").to_str().unwrap()]).succeeded();
    let found = profile(&project, "nested.parquet");
    let names: Vec<_> = found["columns"].as_array().unwrap().iter().map(|column| column["name"].clone()).collect();
    assert_eq!(
        (&found["rows"], names),
        (&json!(500), vec![json!("id"), json!("place_name"), json!("sum")]),
        "{found:#}"
    );
    assert_eq!((&found["tables"][0]["name"], &found["tables"][0]["rows"]), (&json!("tags"), &json!(500)));
    // The same, packed.
    let bytes = std::fs::read(project.path("nested.parquet")).unwrap();
    put(&project, "nested.parquet.gz", piped("gzip", &["-nc"], &bytes));
    let packed = profile(&project, "nested.parquet.gz");
    assert_eq!((&packed["columns"], &packed["tables"]), (&found["columns"], &found["tables"]));
}
