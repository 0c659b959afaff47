//! Archives by their members.

use stillhouse_sniff::{Options, propose};

use crate::common::{doubts, input, types};

#[test]
fn members_of_one_shape_are_one_source() {
    let files = [
        input("data/2021/04/all.zip!in/one.csv", "id,name\n1,a\n"),
        input("data/2021/04/all.zip!in/two.csv", "name,id\nb,2\nc,3\n"),
    ];
    let proposal = propose(&files, &Options::default()).unwrap();
    assert!(proposal.source.contains("path = \"data/{yyyy}/{MM}/all.zip\"\n"), "{}", proposal.source);
    assert!(proposal.source.contains("# One file does not say how often"), "{}", proposal.source);
    let shown: Vec<_> = proposal.files.iter().map(|file| (file.path.as_str(), file.loaded)).collect();
    assert_eq!(shown, [("data/2021/04/all.zip!in/one.csv", 1), ("data/2021/04/all.zip!in/two.csv", 2)]);
    assert_eq!(doubts(&proposal), Vec::<String>::new());
}

#[test]
fn of_members_of_several_shapes_the_largest_are_proposed_and_the_others_named() {
    let files = [
        input("data/x.zip!README.txt", "How to read this.\n"),
        input("data/x.zip!empty.csv", ""),
        input("data/x.zip!orders.csv", "id,day\n1,2021-03-05\n2,2021-03-06\n"),
        input("data/x.zip!people.json", "{\"name\": \"a\"}\n"),
        input("data/x.zip!shops.csv", "shop,city\n7,Bonn\n"),
    ];
    let proposal = propose(&files, &Options::default()).unwrap();
    assert_eq!(types(&proposal), ["id int64", "day date"]);
    insta::assert_snapshot!(doubts(&proposal)[0], @"other members: this source is for 1 member of the archive; 4 of another shape will be held when it is loaded: `README.txt` (text without fields); `empty.csv` (expected CSV, found an empty file: 0 bytes and no record); `people.json` (JSON with the fields name); `shops.csv` (CSV with the columns shop, city). Put these into an archive of their own");
    let error =
        propose(&[input("x.zip!a", ""), input("x.zip!b", "\x01\x02\x03\x04")], &Options::default()).unwrap_err();
    assert!(error.to_string().starts_with("`x.zip!a`: expected CSV, found an empty file"), "{error}");
    // A file beside the archive was named, and is not left out.
    let both = [input("x.zip!a.csv", "id,day\n1,2021-03-05\n"), input("y.csv", "shop,city\n7,Bonn\n")];
    let error = propose(&both, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("do not belong together"), "{error}");
}
