//! The `comments` template on files that others wrote: nested JSON, Parquet of Spark, CSV in both quote styles.

use serde_json::{Value, json};
use stillhouse_testkit::{TempProject, shared_data};

use crate::{program, rows};

fn project() -> TempProject {
    let project = TempProject::new();
    let folder = project.path("p");
    let made = ["init", folder.to_str().unwrap(), "--template", "comments", "--no-data"];
    program().run(&made).succeeded();
    for source in ["comment_info", "comment_text", "post_meta"] {
        project.edit(format!("p/sources/{source}.toml"), "[source]\n", "[source]\nsettle = \"0s\"\n");
    }
    for (from, to) in
        [("comment_info", "comment_info"), ("post_meta", "post_meta"), ("comment_text_generated", "comment_text")]
    {
        for entry in std::fs::read_dir(shared_data("paramount").join(from)).unwrap() {
            let path = entry.unwrap().path();
            project.copy(&path, format!("p/data/{to}/{}", path.file_name().unwrap().to_str().unwrap()));
        }
    }
    project
}

fn run_in(project: &TempProject, arguments: &[&str]) -> stillhouse_testkit::Finished {
    let folder = project.path("p");
    let mut all = vec!["-C", folder.to_str().unwrap()];
    all.extend(arguments);
    program().run(&all)
}

#[test]
fn the_published_files_come_to_the_expected_figures() {
    let facts: Value =
        serde_json::from_slice(&std::fs::read(shared_data("paramount").join("facts.json")).unwrap()).unwrap();
    let project = project();
    let answer = run_in(&project, &["run", "all", "--json"]).succeeded().json();
    let one = |sql: &str| run_in(&project, &["--json", "sql", sql]).succeeded().json()["rows"][0][0].clone();
    for (fact, sql) in [
        ("lines", "select count(*) from pages"),
        ("pages", "select count(distinct h_id) from pages"),
        ("post_rows", "select count(*) from posts"),
        ("distinct_posts", "select count(distinct h_id) from posts"),
        ("top_rows", "select count(*) from comments where parent_id is null"),
        ("top_distinct", "select count(*) from comments_current where parent_id is null"),
        ("reply_rows", "select count(*) from comments where parent_id is not null"),
        ("reply_distinct", "select count(*) from comments_current where parent_id is not null"),
        ("post_meta_rows", "select count(*) from post_meta"),
        ("post_meta_distinct", "select count(*) from post_meta_current"),
        ("text_rows", "select count(*) from texts"),
        ("text_distinct_ids", "select count(*) from texts_current"),
        ("text_characters_total", "select sum(character_length(message)) from texts"),
    ] {
        assert_eq!(one(sql), facts[fact], "{fact}");
    }
    let matches = rows(&answer, "matches").remove(0);
    assert_eq!(matches["comments_in_all_three"], facts["comments_matching_all_three"]);
    let days = rows(&answer, "busiest_days");
    let days: Vec<Value> = days.iter().map(|row| json!([row["day"], row["comments"]])).collect();
    assert_eq!(days[..3], facts["q1_all"].as_array().unwrap()[..]);
    let kinds = rows(&answer, "likes_by_type");
    assert_eq!(kinds.len(), facts["q2_from_2018_01_11"].as_object().unwrap().len());
    for row in kinds {
        let fact = &facts["q2_from_2018_01_11"][row["type"].as_str().unwrap()];
        let found = json!({"comments": row["comments"], "up_likes": row["likes"], "top": row["top_comments"], "reply": row["replies"]});
        assert_eq!(&found, fact, "{}", row["type"]);
    }
    let answered = rows(&answer, "most_answered");
    for (row, fact) in answered.iter().zip(facts["q4_top_by_replies_found"].as_array().unwrap()) {
        let found = json!({"comment": row["comment"], "replies": row["replies"], "stated_comment_count": row["stated"],
            "post": row["post"], "post_in_meta": row["post_in_meta"]});
        assert_eq!(&found, fact);
    }
}

#[test]
fn nul_characters_survive_to_every_output_that_can_hold_them() {
    let project = project();
    run_in(&project, &["ingest"]).succeeded();
    let count =
        |sql: &str| run_in(&project, &["--json", "sql", sql]).succeeded().json()["rows"][0][0].as_i64().unwrap();
    let with_nul = count("select count(*) from texts where strpos(message, chr(0)) > 0");
    assert!(with_nul > 0);
    let nul = "select h_id, message from texts where strpos(message, chr(0)) > 0 order by h_id, message";
    let json = run_in(&project, &["--json", "sql", nul]).succeeded().json();
    let texts = json["rows"].as_array().unwrap().iter().map(|row| row[1].as_str().unwrap().to_owned());
    assert!(texts.clone().all(|text| text.contains('\0')));
    for format in ["csv", "jsonl", "parquet"] {
        let file = project.path(format!("out.{format}"));
        run_in(&project, &["export", "texts", "--to", file.to_str().unwrap()]).succeeded();
        let bytes = std::fs::read(&file).unwrap();
        let written = match format {
            "jsonl" => bytes.windows(6).filter(|part| *part == b"\\u0000").count(),
            _ => bytes.iter().filter(|byte| **byte == 0).count(),
        };
        assert!(written >= usize::try_from(with_nul).unwrap(), "{format}: {written}");
    }
}

#[test]
fn the_template_itself_runs() {
    let project = TempProject::new();
    let folder = project.path("p");
    program().run(&["init", folder.to_str().unwrap(), "--template", "comments"]).succeeded();
    let answer = run_in(&project, &["run", "all", "--json"]).succeeded().json();
    assert_eq!(rows(&answer, "matches")[0]["comments"], 133);
    assert_eq!(rows(&answer, "most_answered")[0]["replies"], 3);
}
