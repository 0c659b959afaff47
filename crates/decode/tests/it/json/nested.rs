//! Arrays inside of records, as tables.

use super::json;

const PAGES: &str = r#"
[table]
name = "pages"
max_rejected = "100%"
[table.columns]
h_id = "string"

[[child]]
name = "posts"
from = "pages.posts.data[]"
copy = { page = "h_id" }
[child.columns]
h_id = { type = "string", required = true }
likes = { type = "int64", from = "stats.up.count" }

[[child]]
name = "comments"
from = "posts.comments.data[]"
copy = { page = "page", post = "h_id" }
[child.columns]
h_id = "string"
parent = { type = "string", from = "parent.h_id" }

[[child]]
name = "comments"
from = "comments.comments.data[]"
copy = { page = "page", post = "post" }
"#;

#[test]
fn arrays_become_tables_by_their_paths() {
    let got = json(PAGES)
        .run(
            r#"{"posts":{"data":[{"h_id":"p1","comments":{"data":[{"h_id":"c1"},{"h_id":"c2"}]},"stats":{"up":{"count":3}}},{"stats":{},"h_id":"p2"}]},"h_id":"a"}
{"h_id":"b","posts":{"data":[]}}
{"h_id":"c","posts":null}
{"h_id":"d","posts":{"data":[{"h_id":"p3","comments":{"data":[{"h_id":"c3"}]}}]}}
"#,
        )
        .unwrap();
    assert_eq!(got.table(0), "a,0\nb,1\nc,2\nd,3");
    assert_eq!(got.table(1), "a,p1,3,0,0\na,p2,∅,0,1\nd,p3,∅,3,0");
    assert_eq!(got.table(2), "a,p1,c1,∅,0,0\na,p1,c2,∅,0,1\nd,p3,c3,∅,3,0");
}

#[test]
fn rows_inside_rows_of_the_same_table_follow_them() {
    // A reply stands before the other fields of its comment, and has a reply itself.
    let got = json(PAGES)
        .run(
            r#"{"h_id":"a","posts":{"data":[{"h_id":"p","comments":{"data":[
{"comments":{"data":[{"h_id":"r1","parent":{"h_id":"c1"}},{"comments":{"data":[{"h_id":"rr","parent":{"h_id":"r2"}}]},"parent":{"h_id":"c1"},"h_id":"r2"}]},"h_id":"c1"},
{"h_id":"c2"}]}}]}}"#,
        )
        .unwrap();
    assert_eq!(got.table(2), "a,p,c1,∅,0,0\na,p,r1,c1,0,1\na,p,r2,c1,0,2\na,p,rr,r2,0,3\na,p,c2,∅,0,4");
}

#[test]
fn a_bad_value_deep_inside_refuses_the_record_and_leaves_nothing_of_it() {
    let mut case = json(PAGES);
    case.batch_rows = 2;
    let lines = [
        r#"{"h_id":"a","posts":{"data":[{"h_id":"p1","comments":{"data":[{"h_id":"c1"}]}}]}}"#,
        r#"{"h_id":"b","posts":{"data":[{"h_id":"p2","comments":{"data":[{"h_id":"c2"}]}},{"h_id":"p3","stats":{"up":{"count":"many"}}}]}}"#,
        r#"{"h_id":"c","posts":{"data":[{"comments":{"data":[{"h_id":"c3"}]}}]}}"#,
        r#"{"h_id":"d","posts":{"data":[{"h_id":"p4","comments":{"data":{"h_id":"c4"}}}]}}"#,
        r#"{"h_id":"e","posts":[{"h_id":"p5"}]}"#,
        r#"{"h_id":"f","posts":{"data":[7]}}"#,
        r#"{"h_id":"g","posts":{"data":[{"h_id":"p6"}],"data":[{"h_id":"p7"}]}}"#,
        r#"{"h_id":"h","posts":{"data":[{"h_id":"p8"}]}}"#,
    ];
    let got = case.run(lines.join("\n")).unwrap();
    assert_eq!(got.table(0), "a,0\nh,7");
    assert_eq!(got.table(1), "a,p1,∅,0,0\nh,p8,∅,7,0");
    assert_eq!(got.table(2), "a,p1,c1,∅,0,0");
    assert_eq!(
        got.refused(),
        "line 2 (bytes 82+127) column posts.likes: unreadable_int64, expected int64, found many\n\
         line 3 (bytes 210+69) column posts.h_id: missing_value, expected a value, found \n\
         line 4 (bytes 280+79): not_an_array, expected an array as comments.data, found `{\"h_id\":\"c4\"}`\n\
         line 5 (bytes 360+36): not_an_object, expected an object as posts, found `[{\"h_id\":\"p5\"}]`\n\
         line 6 (bytes 397+33): not_an_object, expected an object as a row of `posts`, found `7`\n\
         line 7 (bytes 431+68): not_an_array, expected one array, not two, of a row of `posts`, found `another one`"
    );
    assert_eq!(got.rejects[0].raw.as_deref(), Some(lines[1].as_bytes()));
}

#[test]
fn a_list_column_may_be_a_table_too() {
    let case = json(
        "[table]\nname = 'events'\n[table.columns]\nid = 'int64'\ntags = 'list<string>'\n\
         [[child]]\nname = 'event_tags'\nfrom = 'events.tags[]'\nitem = 'tag'\ncopy = { id = 'id' }",
    );
    let got = case.run("{\"id\":1,\"tags\":[\"a\",\"b\"]}\n{\"id\":2,\"tags\":[]}\n{\"tags\":null,\"id\":3}\n{\"id\":4}\n{\"id\":5,\"tags\":[null]}").unwrap();
    assert_eq!(got.rows(), "1,[a|b]\n2,[]\n3,∅\n4,∅\n5,[∅]");
    assert_eq!(got.table(1), "1,a,0,0\n1,b,0,1\n5,∅,4,0");
}

#[test]
fn items_that_are_no_objects_are_rows_by_the_path_of_themselves() {
    let case = json(
        "[table]\nname = 'a'\n[table.columns]\nid = 'int64'\n\
         [[child]]\nname = 'b'\nfrom = 'a.deep.list[]'\ncopy = { id = 'id' }\n[child.columns]\nvalue = { type = 'int64', from = '$' }\nwhole = { type = 'json', from = '$' }",
    );
    let got = case.run(r#"{"id":1,"deep":{"list":[3, null, 4]}}"#).unwrap();
    assert_eq!(got.table(1), "1,3,3,0,0\n1,∅,∅,0,1\n1,4,4,0,2");
}
