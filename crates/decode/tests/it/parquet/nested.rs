//! Lists of structs, as tables; and row groups side by side.

use std::sync::Arc;

use arrow::array::{Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use stillhouse_decode::Threads;
use stillhouse_spec::NewField;

use super::{array, file, parquet};
use crate::shared::{promised, run};

fn list(items: StructArray, lengths: &[usize], valid: &[bool]) -> ListArray {
    use arrow::array::Array as _;
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    ListArray::new(
        field,
        OffsetBuffer::from_lengths(lengths.iter().copied()),
        Arc::new(items),
        Some(NullBuffer::from(valid.to_vec())),
    )
}

fn fields(of: Vec<(&str, arrow::array::ArrayRef)>) -> StructArray {
    let fields: Vec<_> = of.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    StructArray::new(fields.into(), of.into_iter().map(|(_, values)| values).collect(), None)
}

fn pages() -> Vec<u8> {
    let comments = fields(vec![("id", array(StringArray::from(vec!["c1", "c2", "c3"])))]);
    let comments = list(comments, &[2, 0, 0, 1], &[true, true, false, true]);
    let stats = fields(vec![("likes", array(Int64Array::from(vec![Some(5), None, Some(7), Some(-1)])))]);
    let posts = fields(vec![
        ("id", array(StringArray::from(vec!["p1", "p2", "p3", "p4"]))),
        ("stats", array(stats)),
        ("comments", array(comments)),
    ]);
    let data = fields(vec![("data", array(list(posts, &[2, 0, 1, 1], &[true, false, true, true])))]);
    file(vec![("id", array(StringArray::from(vec!["a", "b", "c", "d"]))), ("posts", array(data))], 2)
}

const PAGES: &str = "[table]\nname = 'pages'\nmax_rejected = '100%'\n[table.columns]\nid = 'string'\n\
    [[child]]\nname = 'posts'\nfrom = 'pages.posts.data[]'\ncopy = { page = 'id' }\n[child.columns]\nid = 'string'\nlikes = { type = 'int64', from = 'stats.likes', min = 0 }\n\
    [[child]]\nname = 'comments'\nfrom = 'posts.comments[]'\ncopy = { page = 'page', post = 'id' }\n[child.columns]\nid = 'string'";

#[test]
fn fields_of_items_that_nobody_knows_follow_the_policies() {
    let less = PAGES.replace("likes = { type = 'int64', from = 'stats.likes', min = 0 }\n", "");
    let with = |policy: &str| parquet(&less.replace("[table]", &format!("[table]\nunknown_columns = '{policy}'")));
    let error = with("hold").run(pages()).unwrap_err();
    assert_eq!(error.message(), "no column for `stats` of `posts`");
    let error = with("add").run(pages()).unwrap_err();
    let posts = Some("posts".parse().unwrap());
    assert_eq!(error.columns(), [NewField { table: posts, path: "stats".to_owned() }]);
    let got = with("ignore").run(pages()).unwrap();
    assert_eq!(got.table(1), "a,p1,0,0\na,p2,0,1\nc,p3,2,0\nd,p4,3,0");
    assert_eq!(got.outcome.warnings, ["columns that the contract does not know are left out: `stats` of `posts`"]);
}

#[test]
fn lists_of_structs_become_tables_by_their_paths() {
    let got = parquet(PAGES).run(pages()).unwrap();
    assert_eq!(got.table(0), "a,0\nb,1\nc,2");
    assert_eq!(got.table(1), "a,p1,5,0,0\na,p2,∅,0,1\nc,p3,7,2,0");
    assert_eq!(got.table(2), "a,p1,c1,0,0\na,p1,c2,0,1");
    assert_eq!(got.refused(), "line 4 (bytes 0+87) column posts.likes: outside_limits, expected at least 0, found -1");
    let raw = got.rejects[0].raw.as_deref().unwrap();
    assert_eq!(
        String::from_utf8_lossy(raw),
        r#"{"id":"d","posts":{"data":[{"id":"p4","stats":{"likes":-1},"comments":[{"id":"c3"}]}]}}"#
    );
}

#[test]
fn a_whole_struct_may_be_one_column() {
    let case = parquet("[table]\nname = 'pages'\n[table.columns]\nid = 'string'\nposts = 'json'");
    let rows = case.rows(pages());
    assert!(
        rows.starts_with(r#"a,{"data":[{"id":"p1","stats":{"likes":5},"comments":[{"id":"c1"},{"id":"c2"}]}"#),
        "{rows}"
    );
}

#[test]
fn row_groups_side_by_side_come_to_the_same() {
    let ids: Vec<i64> = (0..1000).collect();
    let texts: Vec<Option<String>> = ids.iter().map(|id| (id % 7 > 0).then(|| format!("{}", id % 50))).collect();
    let bytes = file(vec![("id", array(Int64Array::from(ids))), ("text", array(StringArray::from(texts)))], 64);
    let mut case = parquet(
        "[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\nid = 'int64'\ntext = { type = 'int64', max = 45 }",
    );
    case.batch_rows = 50;
    let expected = promised(case.run(&bytes));
    assert_eq!(expected.as_ref().unwrap().0.counts.read, 1000);
    for count in [1, 3] {
        assert_eq!(promised(run(&case, &bytes.as_slice(), Threads { count, region_bytes: 1 })), expected);
    }
}
