//! What people see.

use crate::common::{sniff, sniff_all};

#[test]
fn a_file_without_years_and_with_short_rows() {
    let proposal = sniff("Id,Date,Transaction\n0,7/15,+60.5\n1,7/28,-10.3\n2,8/2\n3,8/13,+10\n");
    insta::assert_snapshot!("short_rows", proposal.source);
}

#[test]
fn months_of_events() {
    let april = "id,timestamp,email,tags\n\
                 a1,2021-04-01,ann@mail.example,\"['walk', 'run']\"\n\
                 a1,2021-03-31,,['run']\n";
    let may = "id,timestamp,email,tags\nb1,2021-05-03T10:00:00Z,bo@mail.example,[]\n";
    let proposal = sniff_all(&[("data/2021/04/events.csv", april), ("data/2021/05/events.csv", may)]).unwrap();
    insta::assert_snapshot!("months_of_events", proposal.source);
}

/// The tour in README.md shows this one.
#[test]
fn the_sample_month() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/events/data/2021/04/events.csv");
    let sample = std::fs::read_to_string(path).unwrap();
    let proposal = sniff_all(&[("data/2021/04/events.csv", &sample)]).unwrap();
    insta::assert_snapshot!("the_sample_month", proposal.source);
}
