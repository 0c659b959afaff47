//! Files that are packed, or whose text is not UTF-8: the proposal says so, and loads them as they are.

use std::io::Write as _;

use stillhouse_sniff::{Kind, Options, Proposal, propose};

use crate::common::{doubts, input, types};

const TEXT: &str = "id,name\n1,Zo\u{eb}\n2,M\u{fc}ller\n3,Andr\u{e9}\n";

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// The bytes of Latin-1, which Windows-1252 shares.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn sniff(path: &str, bytes: &[u8]) -> Proposal {
    propose(&[input(path, bytes)], &Options::default()).unwrap()
}

/// What is said about packing and encoding.
fn said(proposal: &Proposal) -> Vec<String> {
    let about = |about: &str| about.starts_with("packing") || about.starts_with("encoding");
    let notes = proposal.notes.iter().filter(|note| about(&note.about));
    notes.map(|note| format!("{}: {}", note.about, note.text)).collect()
}

#[test]
fn what_is_detected_is_said_and_not_set() {
    let packed = gzip(&utf16(TEXT));
    let long = TEXT.repeat(20);
    for (path, bytes, records, words) in [
        (
            "data/people.csv.gz",
            &packed,
            3,
            ["packing: gzip, as its first bytes say", "encoding: utf-16le: a byte order mark"],
        ),
        ("data/people.csv", &utf16(TEXT)[2..].to_vec(), 3, ["encoding: utf-16le, detected", "letters are zero"]),
        ("data/people.csv", &windows_1252(&long), 79, ["encoding: windows-1252, detected", "no UTF-8"]),
    ] {
        let proposal = sniff(path, bytes);
        let said = said(&proposal).join("\n");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!proposal.source.contains("encoding ="), "{}", proposal.source);
        assert!(proposal.source.contains(&format!("path = \"{path}\"")), "{}", proposal.source);
        assert_eq!((proposal.files[0].loaded, proposal.files[0].refused), (records, 0), "{}", proposal.source);
        assert_eq!(proposal.name, "people");
        assert_eq!(types(&proposal)[1], "name string");
    }
}

#[test]
fn an_encoding_that_the_beginning_does_not_tell_is_set_and_doubted() {
    let plain: String = (0..9000).map(|nr| format!("{nr},Bonn\n")).collect();
    let late: String = (0..1000).map(|nr| format!("{nr},K\u{f6}ln\n")).collect();
    let csv = format!("nr,city\n{plain}{late}");
    let json: String = csv
        .lines()
        .skip(1)
        .map(|line| {
            let (nr, city) = line.split_once(',').unwrap();
            format!("{{\"nr\": {nr}, \"city\": \"{city}\"}}\n")
        })
        .collect();
    for (path, text) in [("data/cities.csv", &csv), ("data/cities.json", &json)] {
        let bytes = windows_1252(text);
        let proposal = sniff(path, &bytes);
        assert!(proposal.source.contains("\nencoding = \"windows-1252\"\n"), "{}", proposal.source);
        let doubt = doubts(&proposal).join("\n");
        assert!(
            doubt.contains("encoding: the text is not UTF-8") && doubt.contains("any bytes can be read so"),
            "{doubt}"
        );
        let file = &proposal.files[0];
        assert_eq!((file.loaded, file.refused, file.encoding), (10_000, 0, Some("windows-1252")));
    }
}

#[test]
fn files_of_two_encodings_have_no_source_in_common() {
    let late = format!("nr,city\n{}{}", "1,Bonn\n".repeat(20_000), "2,K\u{f6}ln\n".repeat(1000));
    let files = [input("data/a.csv", windows_1252(&late)), input("data/b.csv", "nr,city\n3,K\u{f6}ln\n")];
    let error = propose(&files, &Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::FixData);
    assert!(error.to_string().starts_with("`data/a.csv`: expected UTF-8"), "{error}");
    assert!(error.hint().unwrap().contains("`data/b.csv` is utf-8"), "{:?}", error.hint());
    // Files that tell their encodings belong together whatever these are.
    let files =
        [input("data/a.csv", utf16(TEXT)), input("data/b.csv", TEXT), input("data/c.csv.gz", gzip(TEXT.as_bytes()))];
    let proposal = propose(&files, &Options::default()).unwrap();
    assert_eq!(proposal.files.iter().map(|file| file.loaded).sum::<u64>(), 9);
    assert!(proposal.source.contains("path = \"data/*.csv*\"\n"), "{}", proposal.source);
}
