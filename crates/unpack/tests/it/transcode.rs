//! Texts of other encodings as UTF-8, without loss.

use proptest::prelude::*;
use stillhouse_unpack::{Encoding, Error, Fault, Flaw, Kind, Transcoded, Transcoder};

const ALL: [Encoding; 7] = [
    Encoding::Utf8,
    Encoding::Utf8Bom,
    Encoding::Utf16,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
    Encoding::Latin1,
];

fn transcode_in(encoding: Encoding, chunks: &[&[u8]]) -> Result<(Vec<u8>, Transcoded), Error> {
    let mut transcoder = Transcoder::new(encoding);
    let mut out = Vec::new();
    for chunk in chunks {
        let before = out.len();
        transcoder.push(chunk, &mut out)?;
        assert!(out.len() - before <= 3 * (chunk.len() + 3), "up to three bytes for one");
    }
    let account = transcoder.finish(&mut out)?;
    assert_eq!(account.bytes_out, out.len() as u64);
    assert_eq!(account.bytes_in, chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>());
    Ok((out, account))
}

fn transcode(encoding: Encoding, bytes: &[u8]) -> (Vec<u8>, Transcoded) {
    transcode_in(encoding, &[bytes]).unwrap()
}

fn le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

proptest! {
    #[test]
    fn texts_come_out_as_they_were(text: String, padding in "[a-z,\n]{0,40}", mark: bool, cut in 0_usize..200) {
        let text = format!("{padding}{text}{padding}").replace('\u{feff}', "");
        let mark = if mark { "\u{feff}" } else { "" };
        for (encoding, bytes) in [
            (Encoding::Utf16Le, le(&format!("{mark}{text}"))),
            (Encoding::Utf16Be, be(&format!("{mark}{text}"))),
            (Encoding::Utf16, le(&format!("\u{feff}{text}"))),
            (Encoding::Utf16, be(&format!("\u{feff}{text}"))),
            (Encoding::Utf8Bom, format!("{mark}{text}").into_bytes()),
            (Encoding::Utf8, text.clone().into_bytes()),
        ] {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let (out, account) = transcode_in(encoding, &[first, second]).unwrap();
            prop_assert_eq!(std::str::from_utf8(&out), Ok(&text[..]));
            prop_assert_eq!((account.faults, account.first), (0, None));
        }
    }

    #[test]
    fn where_chunks_are_cut_makes_no_difference(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0xD7_u8..0xE0, Just(0)], 0..80), sizes in prop::collection::vec(0_usize..5, 1..20)) {
        for encoding in ALL {
            let whole = transcode_in(encoding, &[&bytes]).map_err(|error| error.to_string());
            let mut chunks = Vec::new();
            let mut rest = &bytes[..];
            for size in sizes.iter().cycle().chain(&[usize::MAX]).take(100) {
                let (chunk, behind) = rest.split_at(rest.len().min(*size));
                chunks.push(chunk);
                rest = behind;
            }
            chunks.push(rest);
            prop_assert_eq!(transcode_in(encoding, &chunks).map_err(|error| error.to_string()), whole);
        }
    }

    #[test]
    fn what_was_there_can_be_made_again(units: Vec<u16>, odd: Option<u8>) {
        // Without what would be taken for a byte order mark.
        let units: Vec<u16> = [b'x'.into()].into_iter().chain(units).collect();
        let mut bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        bytes.extend(odd);
        let (out, account) = transcode(Encoding::Utf16Le, &bytes);
        prop_assert_eq!(wtf8_units(&out, odd), units);
        prop_assert_eq!(account.faults == 0, std::str::from_utf8(&out).is_ok());
    }
}

/// The units that such bytes were made from.
fn wtf8_units(bytes: &[u8], odd: Option<u8>) -> Vec<u16> {
    let bytes = match odd {
        Some(odd) => bytes.strip_suffix(&[&[0xFF], format!("{odd:02X}").as_bytes()].concat()[..]).unwrap(),
        None => bytes,
    };
    let mut units = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = match rest[0] {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        match std::str::from_utf8(&rest[..length]) {
            Ok(text) => units.extend(text.encode_utf16()),
            Err(_) => units.push(0xD000 | u16::from(rest[1] & 0x3F) << 6 | u16::from(rest[2] & 0x3F)),
        }
        rest = &rest[length..];
    }
    units
}

#[test]
fn every_cut_of_a_text_is_transcoded_as_far_as_it_goes() {
    let text = "id,größe\r\n1,😀€\r\n2,日本\r\n";
    let bytes = le(text);
    for end in 0..=bytes.len() {
        let (out, account) = transcode(Encoding::Utf16Le, &bytes[..end]);
        let valid = out.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        assert!(text.as_bytes().starts_with(&out[..valid]));
        assert!(account.faults <= 2 && (account.faults > 0) == (valid < out.len()), "{end}: {account:?}");
        assert!(end % 2 == 0 || account.faults > 0);
    }
}

#[test]
fn lone_surrogates_and_odd_bytes_are_said_and_kept() {
    let units = [0x61, 0xD83D, 0x0A, 0xDE00, 0x62, 0xD83D];
    let mut bytes: Vec<u8> = units.iter().flat_map(|unit: &u16| unit.to_be_bytes()).collect();
    bytes.push(0x0A);
    let (out, account) = transcode(Encoding::Utf16Be, &bytes);
    assert_eq!(out, b"a\xed\xa0\xbd\n\xed\xb8\x80b\xed\xa0\xbd\xff0A");
    assert_eq!((account.faults, account.first), (4, Some(Fault { offset: 2, flaw: Flaw::LoneSurrogate })));
    let (out, account) = transcode(Encoding::Utf16Le, b"a\0\n");
    assert_eq!(out, b"a\xff0A");
    assert_eq!(account.first, Some(Fault { offset: 2, flaw: Flaw::OddByte }));
    // Two first halves: the second one may still find its other half.
    let pair: Vec<u8> = [0xD83D, 0xD83D, 0xDE00].iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
    assert_eq!(transcode(Encoding::Utf16Le, &pair).0, [b"\xed\xa0\xbd", "😀".as_bytes()].concat());
}

#[test]
fn single_bytes_become_their_characters() {
    let words = b"Stra\xdfe,M\xfcller,Pe\xf1a,\xc6r\xf8,fa\xe7ade\n";
    for encoding in [Encoding::Latin1, Encoding::Windows1252] {
        assert_eq!(transcode(encoding, words).0, "Straße,Müller,Peña,Ærø,façade\n".as_bytes());
    }
    assert_eq!(transcode(Encoding::Windows1252, b"\x80 \x93a\x94 \x8a\x9e\x9f").0, "€ “a” ŠžŸ".as_bytes());
    assert_eq!(transcode(Encoding::Latin1, b"\x80\x9f").0, "\u{80}\u{9f}".as_bytes());
    let all: Vec<u8> = (0..=255).collect();
    let (out, account) = transcode(Encoding::Latin1, &all);
    assert_eq!(out, (0..=255_u8).map(char::from).collect::<String>().into_bytes());
    assert_eq!(account.faults, 0);
    let (_, account) = transcode(Encoding::Windows1252, &all);
    assert_eq!((account.faults, account.first), (5, Some(Fault { offset: 0x81, flaw: Flaw::Undefined })));
    let (out, _) = transcode(Encoding::Windows1252, b"a\xfc\x81\xe9\x9d");
    assert_eq!(out, b"a\xc3\xbc\x81\xc3\xa9\x9d");
    assert!(std::str::from_utf8(&out).is_err());
}

#[test]
fn long_texts_pass_in_blocks() {
    let text = format!("{}€{}", "abc,1\n".repeat(50_000), "ä,日\n".repeat(50_000));
    for (encoding, bytes) in [(Encoding::Utf16Le, le(&text)), (Encoding::Utf16Be, be(&text))] {
        assert!(transcode(encoding, &bytes).0 == text.as_bytes());
    }
    let latin = "Müller,1\n".repeat(50_000);
    let bytes: Vec<u8> = latin.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    for encoding in [Encoding::Latin1, Encoding::Windows1252] {
        assert!(transcode(encoding, &bytes).0 == latin.as_bytes());
    }
}

#[test]
fn marks_that_contradict_or_are_missing_are_settings_to_be_corrected() {
    for (encoding, bytes, message) in [
        (Encoding::Utf16, le("id"), "the text has no byte order mark, and utf-16 does not tell the order"),
        (Encoding::Utf16, vec![0xFF], "the text has no byte order mark, and utf-16 does not tell the order"),
        (
            Encoding::Utf16Le,
            be("\u{feff}id"),
            "the encoding is set to utf-16le, and the byte order mark of the text says utf-16be",
        ),
        (
            Encoding::Utf16Be,
            le("\u{feff}id"),
            "the encoding is set to utf-16be, and the byte order mark of the text says utf-16le",
        ),
    ] {
        let error = transcode_in(encoding, &[&bytes]).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::FixSettings, message));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(transcode_in(encoding, &single).unwrap_err().message(), message);
    }
    for encoding in ALL {
        assert_eq!(transcode(encoding, b"").0, b"");
    }
    assert_eq!(transcode(Encoding::Utf8Bom, b"\xef\xbb").0, b"\xef\xbb");
    assert_eq!(transcode(Encoding::Utf8, b"\xef\xbb\xbfa").0, b"\xef\xbb\xbfa");
}

#[test]
fn names_are_read_as_people_write_them() {
    for (name, encoding) in [
        ("utf-8", Encoding::Utf8),
        ("UTF8", Encoding::Utf8),
        ("utf-8-sig", Encoding::Utf8Bom),
        ("utf-16", Encoding::Utf16),
        ("utf-16le", Encoding::Utf16Le),
        ("UTF-16BE", Encoding::Utf16Be),
        ("utf_16_be", Encoding::Utf16Be),
        ("latin-1", Encoding::Latin1),
        ("latin1", Encoding::Latin1),
        ("iso-8859-1", Encoding::Latin1),
        ("ISO_8859-1", Encoding::Latin1),
        ("windows-1252", Encoding::Windows1252),
        ("cp1252", Encoding::Windows1252),
    ] {
        assert_eq!(name.parse::<Encoding>().unwrap(), encoding, "{name}");
    }
    for encoding in ALL {
        assert_eq!(encoding.to_string().parse::<Encoding>().unwrap(), encoding);
    }
    let error = "ebcdic".parse::<Encoding>().unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::FixSettings, "the encoding \"ebcdic\" is not known"));
}
