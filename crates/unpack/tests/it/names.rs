//! Names in archives: what is refused, and what is ignored.

use stillhouse_unpack::{Archive, Ignored, Kind, Limits};

use crate::common::{Entry, crc, zip};

fn refused(entries: &[Entry]) -> String {
    let error = Archive::open(&&zip(entries)[..], &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::FixData, "{error}");
    error.message().to_owned()
}

fn names(entries: &[Entry]) -> Vec<String> {
    let archive = Archive::open(&&zip(entries)[..], &Limits::default()).unwrap();
    archive.members().iter().map(|member| member.name().to_owned()).collect()
}

#[test]
fn names_that_lead_astray_refuse_the_archive() {
    for (name, what) in [
        ("../a.csv", "leads out of the archive"),
        ("a/../../b.csv", "leads out of the archive"),
        ("../", "leads out of the archive"),
        ("__MACOSX/../a.csv", "leads out of the archive"),
        ("/etc/passwd", "begins with a slash"),
        ("C:/a.csv", "begins with a drive letter"),
        ("a\\b.csv", "has backslashes"),
        ("\\\\server\\a.csv", "has backslashes"),
        ("a\u{1b}[31m.csv", "has control characters"),
        ("a\0.csv", "has control characters"),
        ("a//b.csv", "has an empty part or one that is only a full stop"),
        ("./a.csv", "has an empty part or one that is only a full stop"),
        ("", "has an empty part or one that is only a full stop"),
    ] {
        let message = refused(&[Entry::stored("fine.csv", b"1"), Entry::stored(name, b"")]);
        assert_eq!(message, format!("the name \"{}\" in the zip archive {what}", name.escape_debug()));
    }
    assert_eq!(
        refused(&[Entry::stored("a!b.csv", b"1")]),
        "the name \"a!b.csv\" in the zip archive has an exclamation mark"
    );
    // Nobody names what is ignored.
    assert!(names(&[Entry::stored(".a!b", b"1")]).is_empty());
}

#[test]
fn a_name_may_appear_once() {
    let a = Entry::stored("a.csv", b"1");
    assert_eq!(refused(&[a.clone(), Entry::stored("b", b""), a.clone()]), "the zip archive has \"a.csv\" twice");
    let hidden = Entry::stored("x/", b"");
    assert_eq!(refused(&[hidden.clone(), hidden]), "the zip archive has \"x/\" twice");
    assert_eq!(names(&[Entry::stored("A.csv", b"2"), a]), ["A.csv", "a.csv"]);
}

#[test]
fn names_are_utf_8_or_say_what_they_are() {
    let mut entry = Entry::stored("", b"1");
    entry.name = b"gr\x94\xe1e.csv".to_vec();
    assert_eq!(refused(&[entry.clone()]), "the name \"gr\\x94\\xe1e.csv\" in the zip archive is not UTF-8");
    let field = |crc: u32| {
        let name = "größe.csv".as_bytes();
        let size = u8::try_from(name.len() + 5).unwrap();
        [&[0x75, 0x70, size, 0, 1], &crc.to_le_bytes()[..], name].concat()
    };
    entry.extra = field(crc(&entry.name));
    assert_eq!(names(&[entry.clone()]), ["größe.csv"]);
    // The local header has the raw name.
    let bytes = zip(&[entry.clone()]);
    let archive = Archive::open(&&bytes[..], &Limits::default()).unwrap();
    assert!(archive.members()[0].unpack(&&bytes[..], &Limits::default(), &mut Vec::new()).unwrap().is_whole());
    entry.extra = field(7);
    assert_eq!(refused(&[entry]), "the name \"gr\\x94\\xe1e.csv\" in the zip archive is not UTF-8");
}

#[test]
fn a_long_name_is_refused_and_shown_cut() {
    let limits = Limits { name_bytes_max: 100, ..Limits::default() };
    let long = format!("{}.csv", "x".repeat(200));
    let error = Archive::open(&&zip(&[Entry::stored(&long, b"")])[..], &limits).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::OverLimit, "a name in the zip archive has 204 bytes, and 100 are allowed")
    );
    let message = refused(&[Entry::stored(&format!("../{long}"), b"")]);
    assert_eq!(message, format!("the name \"../{}…\" in the zip archive leads out of the archive", "x".repeat(77)));
}

#[test]
fn what_is_nobodys_data_is_counted() {
    let folder = Entry { made_by: 3 << 8, attributes: 0o040_755 << 16, ..Entry::stored("folder", b"") };
    let entries: Vec<Entry> =
        ["2024/", "2024/a.csv", "__MACOSX/2024/._a.csv", "2024/.DS_Store", "Thumbs.db", "out/_SUCCESS"]
            .iter()
            .chain(&["out/.part-0.csv.crc", "out/part-0.csv", ".git/config", "out/.hidden.csv"])
            .map(|name| Entry::stored(name, if name.ends_with('/') { b"" } else { b"1" }))
            .chain([folder])
            .collect();
    let archive = Archive::open(&&zip(&entries)[..], &Limits::default()).unwrap();
    let expected = Ignored { folders: 2, system: 3, markers: 1, checksums: 1, hidden: 2 };
    assert_eq!((archive.ignored(), archive.members().len()), (expected, 2));
    assert!(archive.member("out/part-0.csv").is_some() && archive.member("out/_SUCCESS").is_none());
    assert_eq!(refused(&[Entry::stored("a/", b"1")]), "the folder \"a/\" in the zip archive has bytes");
}
