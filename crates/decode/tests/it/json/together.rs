//! Several threads come to the same as one.

use proptest::prelude::*;
use stillhouse_decode::Threads;

use super::json;
use crate::common::Case;
use crate::shared::{promised, run};

fn case() -> Case {
    let mut case = json(
        "[table]\nname = 'a'\nmax_rejected = '100%'\ntime = 'day'\n[table.columns]\nid = 'int64'\nday = { type = 'date', format = ['%d.%m.%Y', 'iso8601'] }\ntags = 'list<string>'\n\
         [[child]]\nname = 'tags'\nfrom = 'a.tags[]'\nitem = 'tag'\ncopy = { id = 'id' }\n\
         [[child]]\nname = 'b'\nfrom = 'a.b[]'\ncopy = { a = 'id' }\n[child.columns]\nx = 'string'\n\
         [[child]]\nname = 'b'\nfrom = 'b.b[]'\ncopy = { a = 'a' }",
    );
    case.batch_rows = 3;
    case
}

fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => prop::sample::select(vec![
            "{\"id\":1,\"day\":\"2024-01-02\",\"tags\":[\"a\",\"b\"]}",
            "{\"id\":2,\"b\":[{\"x\":\"p\",\"b\":[{\"x\":\"q\"},{\"b\":[{\"x\":\"r\"}]}]},{}]}",
            "{\"id\":3,\"b\":[],\"tags\":[]} ",
            "{\"day\":\"1.2.2024\",\"id\":4}\r",
        ]),
        2 => prop::sample::select(vec!["", " ", "{}", "null", "{\"id\":\"x\"}", "{\"id\":5", "[1]", "{\"id\":6}{\"id\":7}", "\u{feff}", "{\"b\":[{\"x\":[]}]}"]),
    ];
    (prop::collection::vec(line, 0..40), any::<bool>())
        .prop_map(|(lines, ends)| lines.join("\n") + if ends { "\n" } else { "" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn regions_come_to_the_same(text in lines(), region_bytes in 1_u64..200) {
        let case = case();
        let expected = promised(case.run(&text));
        for count in [1, 3] {
            let got = promised(run(&case, &text.as_bytes(), Threads { count, region_bytes }));
            prop_assert_eq!(&got, &expected, "{} threads", count);
        }
    }

    #[test]
    fn where_the_bytes_are_cut_makes_no_difference(text in lines(), piece in 1_usize..50) {
        let case = case();
        let mut pieces = crate::common::Pieces { bytes: text.as_bytes(), piece, read: 0 };
        prop_assert_eq!(promised(case.run_source(&mut pieces)), promised(case.run(&text)));
    }

    #[test]
    fn any_bytes_are_accounted_for(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ \n\r0a1tn\xc3\xa9id".to_vec()), 0..200), layout in 0..3_usize) {
        let mut case = case();
        let layouts = [stillhouse_spec::JsonLayout::Lines, stillhouse_spec::JsonLayout::Array, stillhouse_spec::JsonLayout::Values];
        case.format = stillhouse_spec::InputFormat::Json(stillhouse_spec::JsonOptions { layout: Some(layouts[layout]), year: None });
        // `run` checks that the counts balance.
        if let Ok(got) = case.run(&bytes) {
            for reject in &got.rejects {
                let from = usize::try_from(reject.place.offset).unwrap();
                let to = from + usize::try_from(reject.place.bytes).unwrap();
                prop_assert_eq!(reject.raw.as_deref(), Some(&bytes[from..to]));
            }
        }
    }
}
