//! Lists in a field, and the child tables made of them.

use crate::common::{Case, NULL};

fn check(column: &str, text: &str, expected: &str) {
    let quoted = text.replace('"', "\"\"");
    let got = Case::new(&format!("n int64; v {column}")).run(format!("n,v\n1,\"{quoted}\"\n")).unwrap();
    let found = match got.rejects.as_slice() {
        [] => got.tables[0][0][1].clone(),
        rejects => format!("!{}", rejects[0].place.reason),
    };
    assert_eq!(found, expected, "{text:?} as {column}");
}

#[test]
fn python_lists() {
    for (text, expected) in [
        ("['Mr', 'eat', 'PM']", "[Mr|eat|PM]"),
        ("[]", "[]"),
        ("[ 'a' ,\"b's\", ]", "[a|b's]"),
        (r#"['it\'s', '\\ \n \x41\u00e9\U0001F600']"#, "[it's|\\ \n Aé😀]"),
        ("['tea, green', ']']", "[tea, green|]]"),
        ("[None, 3, -1.5, True]", "[∅|3|-1.5|True]"),
        ("['a'", "!unreadable_list"),
        ("['a' 'b']", "!unreadable_list"),
        ("['a'] x", "!unreadable_list"),
        ("[['a']]", "!unreadable_list"),
        ("[a]", "!unreadable_list"),
        (r"['\ud83d']", "!unreadable_list"),
        ("", NULL),
    ] {
        check("list<string> list=python", text, expected);
    }
}

#[test]
fn json_lists() {
    for (text, expected) in [
        (r#"["a", "b\"\u00e9\/", null, 1.50, true]"#, "[a|b\"é/|∅|1.50|true]"),
        ("[ ]", "[]"),
        (r#"["\ud83d\ude00"]"#, "[😀]"),
        (r#"[["a"]]"#, "!unreadable_list"),
        (r#"{"a":1}"#, "!unreadable_list"),
        ("['a']", "!unreadable_list"),
        (r#"["a",]"#, "!unreadable_list"),
        ("", NULL),
    ] {
        check("list<string> list=json", text, expected);
    }
    check("list<json> list=json", r#"[{"a": [1, "]"]}, [2 , 3], "x"]"#, "!unreadable_list");
    check("list<json> list=json", r#"[{"a": [1, "]"]}, [2 , 3], 4]"#, r#"[{"a":[1,"]"]}|[2,3]|4]"#);
}

#[test]
fn lists_between_delimiters() {
    check("list<string> list=|", "a|b||c ", "[a|b||c]");
    check("list<int64> list=,", "1, 2,3", "[1|2|3]");
    check("list<int64> list=,", "1,x", "!unreadable_list");
    check("list<string> list=|", "", "[]");
}

#[test]
fn lists_of_either_kind() {
    for (text, expected) in [
        ("['a', \"b\"]", "[a|b]"),
        (r#"["a", null]"#, "[a|∅]"),
        (r#"["\/"]"#, "[/]"),
        ("plain, text", "[plain, text]"),
        ("", "[]"),
        ("[x", "!unreadable_list"),
    ] {
        check("list<string>", text, expected);
    }
    check("list<int64>", "['1', 2, None]", "[1|2|∅]");
    check("list<decimal(6,2)>", "[1.5, '2']", "[1.50|2.00]");
    check("list<date>", "['2021-04-01']", "[2021-04-01]");
    check("list<date> fmt=%d.%m.%Y", "['1.4.2021']", "[2021-04-01]");
}

#[test]
fn a_child_table_has_a_row_for_each_item() {
    let case = Case::new("id string; tags list<string>; n int64").child("tags_of", "tags", "tag", &["id", "n"]);
    let got = case.run("id,tags,n\na,\"['x','y']\",1\n\nb,[],2\nc,\"['z']\",x\nd,\"['w',None]\",\n").unwrap();
    assert_eq!(got.table(0), "a,[x|y],1,0\nb,[],2,2\nd,[w|∅],∅,4");
    assert_eq!(got.table(1), "a,1,x,0,0\na,1,y,0,1\nd,∅,w,4,0\nd,∅,∅,4,1");
}

#[test]
fn one_long_list_makes_several_batches() {
    let case = Case::new("id string; tags list<int64> list=,").child("tags_of", "tags", "tag", &["id"]);
    let case = case.with(|case| case.batch_rows = 100);
    let items: Vec<String> = (0..1050).map(|item| item.to_string()).collect();
    let got = case.run(format!("id;tags\nlong;{}\n", items.join(","))).unwrap();
    assert_eq!(got.tables[1].len(), 1050);
    assert!(got.tables[1].iter().enumerate().all(|(at, row)| row[1] == at.to_string() && row[3] == at.to_string()));
    assert_eq!(got.batches, 12);
}
