//! Files for which there is no proposal: why, and what to do.

use stillhouse_sniff::{Kind, Options, propose};

use crate::common::{doubts, input, sniff, sniff_all};

fn refused(bytes: &[u8]) -> String {
    let error = propose(&[input("x.csv", bytes)], &Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::FixData, "{error}");
    format!("{error} / {}", error.hint().unwrap())
}

#[test]
fn other_than_csv_is_refused_with_the_next_step() {
    for (bytes, words) in [
        (&b""[..], ["empty file", "header alone"]),
        (b"\xef\xbb\xbf \n\n", ["empty file", "header alone"]),
        (b"PAR1\x15\x04", ["Parquet", "cut off"]),
        (b"\xfd7zXZ\0", ["an xz file", "gzip, zstd"]),
        (b"a\0,\0\0\0b\0\n\x001\0,\x002\0\n\0", ["UTF-16 without", "iconv"]),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08abc", ["binary", "text file"]),
        (b"{}\n", ["objects of JSON", "records are objects"]),
        (b"<?xml version='1.0'?>", ["XML", "CSV"]),
        (b"name,city\nAnn,\x81\x8d\nBo,\x90\x9d\n", ["line 2", "UTF-8, UTF-16 or Windows-1252"]),
    ] {
        let said = refused(bytes);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn a_record_in_ten_thousand_that_is_no_utf8_is_refused_and_named() {
    let mut text = b"nr,city\n".to_vec();
    for nr in 0..1000 {
        text.extend(format!("{nr},Bonn\n").bytes());
    }
    text.extend(b"1000,K\x81ln\n");
    let proposal = sniff(&text);
    assert_eq!((proposal.files[0].loaded, proposal.files[0].refused), (1000, 1));
    assert!(doubts(&proposal).iter().any(|doubt| doubt.contains("invalid_utf8") && doubt.contains("line 1002")));
}

#[test]
fn files_of_different_kinds_and_names_that_are_none_are_refused() {
    let error = sniff_all(&[("a.csv", "id,day\n1,2021-01-01\n"), ("b.csv", "x,y,z\n1,2,3\n")]).unwrap_err();
    assert_eq!(error.kind(), Kind::FixSettings);
    assert!(error.to_string().contains("do not belong together"), "{error}");
    let options = Options { name: Some("9 lives".to_owned()), ..Options::default() };
    let error = propose(&[input("a.csv", "id\n1\n")], &options).unwrap_err();
    assert!(error.to_string().contains("9 lives"), "{error}");
    assert_eq!(propose(&[], &Options::default()).unwrap_err().kind(), Kind::FixSettings);
}

#[test]
fn only_the_beginning_of_a_long_file_is_looked_at_and_that_is_said() {
    let mut text = "nr,day\n".to_owned();
    for nr in 0..1000 {
        text.push_str(&format!("{nr},2021-03-05\n"));
    }
    let proposal = propose(&[input("x.csv", &text)], &Options { bytes_max: 1000, ..Options::default() }).unwrap();
    let file = &proposal.files[0];
    assert!(file.read_bytes < 1100 && file.bytes == text.len() as u64 && file.refused == 0, "{file:?}");
    assert!(doubts(&proposal)[0].contains("only the first"), "{:?}", doubts(&proposal));
}

#[test]
fn a_header_alone_is_a_proposal_of_texts() {
    let proposal = sniff("id,day,amount\n");
    assert_eq!(proposal.files[0].loaded, 0);
    assert_eq!(proposal.columns.len(), 3);
}
