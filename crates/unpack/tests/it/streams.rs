//! Gzip, zstd and bzip2: whole, cut, damaged, and with more behind them.

use std::io::Read as _;

use proptest::prelude::*;
use stillhouse_unpack::{Cause, End, Kind, Limits, Packing, Unpacker, unpack};

use crate::common::{
    Pieces, STREAMS, broken, bzip2, bzip2_level, claims_only_what_is_true, gzip, pack, random, rows, taken, zstd,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_comes_out_again(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5_000), 1..5),
        repeat in 1_usize..40,
        seed: u64,
        packing in prop::sample::select(&STREAMS[..]),
    ) {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.repeat(repeat)).collect();
        let packed: Vec<u8> = parts.iter().flat_map(|part| pack(packing, part)).collect();
        let mut out = Vec::new();
        let source = Pieces { bytes: &packed, random: random(seed) };
        let unpacked = unpack(packing, source, &Limits::default(), &mut out).unwrap();
        prop_assert!(out == parts.concat());
        prop_assert_eq!(unpacked.end, End::Whole);
        prop_assert_eq!((unpacked.bytes_in, unpacked.bytes_out), (packed.len() as u64, out.len() as u64));
    }

    #[test]
    fn what_is_not_packed_passes(bytes: Vec<u8>, seed: u64) {
        let mut out = Vec::new();
        let source = Pieces { bytes: &bytes, random: random(seed) };
        prop_assert!(unpack(Packing::None, source, &Limits::default(), &mut out).unwrap().is_whole());
        prop_assert!(out == bytes);
    }
}

#[test]
fn a_file_cut_anywhere_gives_its_beginning_and_says_so() {
    let (first, second) = (rows(40), rows(60));
    let content = [&first[..], &second].concat();
    for packing in STREAMS {
        let one = pack(packing, &first);
        let packed = [&one[..], &pack(packing, &second)].concat();
        for bytes in 0..packed.len() {
            let (out, unpacked) = taken(packing, &packed[..bytes]);
            assert!(content.starts_with(&out), "{packing}, {bytes} bytes");
            if bytes == one.len() {
                // Nothing tells that there was another one.
                assert!(unpacked.is_whole() && out == first);
                continue;
            }
            let broken = broken(&unpacked);
            assert_eq!(
                (broken.cause, broken.at_unpacked),
                (Cause::Cut, out.len() as u64),
                "{packing}, {bytes}: {broken}"
            );
            let checked = if bytes > one.len() { first.len() } else { 0 };
            // Blocks of bzip2 have checksums, so all that comes out of a file that was cut is checked.
            let checked = if packing == Packing::Bzip2 { out.len() } else { checked };
            assert_eq!(broken.checked, checked as u64, "{packing}, {bytes} bytes");
        }
    }
}

#[test]
fn a_flipped_byte_is_never_taken_for_content() {
    let (first, second) = (rows(30), rows(50));
    let content = [&first[..], &second].concat();
    for packing in STREAMS {
        let packed = [pack(packing, &first), pack(packing, &second)].concat();
        for at in 0..packed.len() {
            for mask in [0x01, 0x80, 0xFF] {
                let mut flipped = packed.clone();
                flipped[at] ^= mask;
                let mut out = Vec::new();
                match unpack(packing, &flipped[..], &Limits::default(), &mut out) {
                    Ok(unpacked) => claims_only_what_is_true(&out, &unpacked, &content),
                    // A header may ask for a window or a dictionary.
                    Err(error) => assert!(error.is_held(), "{error}"),
                }
            }
        }
    }
}

#[test]
fn people_are_told_how_much_is_whole() {
    let content = rows(100_000);
    let packed = [gzip(&rows(1)), gzip(&content)].concat();
    let (out, unpacked) = taken(Packing::Gzip, &packed[..packed.len() / 2]);
    let broken = broken(&unpacked);
    let whole = out.len().to_string();
    let (thousands, rest) = whole.split_at(whole.len() - 3);
    assert_eq!(whole.len(), 7, "the test expects seven digits");
    let (millions, thousands) = thousands.split_at(1);
    assert!(
        broken.to_string().starts_with("the file ends in the middle of a gzip member, at packed byte "),
        "{broken}"
    );
    let end =
        format!("; {millions},{thousands},{rest} unpacked bytes came before it, and a checksum covers 16 of them");
    assert!(broken.to_string().ends_with(&end), "{broken}");
}

#[test]
fn a_wrong_checksum_or_length_at_the_end_is_noticed() {
    let (first, second) = (rows(10), rows(20));
    for (packing, from_end, why) in [
        (Packing::Gzip, 8, "a gzip member is damaged: its checksum does not fit its content"),
        (Packing::Gzip, 4, "a gzip member is damaged: its length does not fit its content"),
        (Packing::Zstd, 4, "a zstd frame is damaged: restored data doesn't match checksum"),
        (Packing::Bzip2, 4, "a bzip2 stream is damaged: a checksum is wrong, or its packed bytes make no sense"),
    ] {
        let mut packed = [pack(packing, &first), pack(packing, &second)].concat();
        let at = packed.len() - from_end;
        packed[at] ^= 0x10;
        let (out, unpacked) = taken(packing, &packed);
        let broken = broken(&unpacked);
        assert_eq!((broken.cause, broken.why.as_str()), (Cause::Damaged, why));
        if packing != Packing::Zstd {
            assert_eq!(out, [&first[..], &second].concat(), "handed over before the end is known");
        }
        if packing != Packing::Bzip2 {
            assert_eq!((broken.at_unpacked, broken.checked), (first.len() as u64, first.len() as u64));
        }
    }
}

#[test]
fn zeros_behind_the_end_are_padding() {
    let content = rows(10);
    for packing in STREAMS {
        let packed = [pack(packing, &content), vec![0; 200_000]].concat();
        let (out, unpacked) = taken(packing, &packed);
        assert!(unpacked.is_whole() && out == content, "{packing}: {unpacked:?}");
        assert_eq!(unpacked.bytes_in, packed.len() as u64);
    }
}

#[test]
fn what_follows_the_end_is_said() {
    let content = rows(10);
    for packing in STREAMS {
        let packed = pack(packing, &content);
        for (behind, why) in [
            (&b"id,name\n"[..], format!("something follows the last {}, and is none", unit(packing))),
            (b"\0\0\0x", format!("something follows the zeros behind the last {}", unit(packing))),
            // Another member behind padding would be another file on a tape.
            (b"\0\x1f\x8b\x08", format!("something follows the zeros behind the last {}", unit(packing))),
        ] {
            let (out, unpacked) = taken(packing, &[&packed[..], behind].concat());
            let broken = broken(&unpacked);
            assert_eq!((broken.cause, broken.why.as_str()), (Cause::Follows, why.as_str()));
            assert_eq!((broken.at_unpacked, broken.checked), (content.len() as u64, content.len() as u64));
            assert_eq!(out, content);
        }
    }
}

fn unit(packing: Packing) -> &'static str {
    match packing {
        Packing::Gzip => "gzip member",
        Packing::Zstd => "zstd frame",
        _ => "bzip2 stream",
    }
}

#[test]
fn headers_of_gzip_may_have_all_fields() {
    let content = rows(3);
    let plain = gzip(&content);
    let header = |flags: u8, fields: &[u8]| [&[0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 3], fields, &plain[10..]].concat();
    let fields = *b"\x04\0abcdname\0comment\0";
    let mut all = header(0b1_1111, &fields);
    let checksum = crate::common::crc(&all[..10 + fields.len()]) & 0xFFFF;
    let at = 10 + fields.len();
    all.splice(at..at, u16::try_from(checksum).unwrap().to_le_bytes());
    let (out, unpacked) = taken(Packing::Gzip, &all);
    assert!(unpacked.is_whole() && out == content, "{unpacked:?}");
    for bytes in 0..all.len() {
        assert_eq!(broken(&taken(Packing::Gzip, &all[..bytes]).1).cause, Cause::Cut, "{bytes}");
    }
    all[at] ^= 1;
    assert_eq!(
        broken(&taken(Packing::Gzip, &all).1).why,
        "a gzip member is damaged: the checksum of its header is wrong"
    );
    // The longest extra field, and a name that is longer than what is in memory.
    let long = header(0b1100, &[&[0xFF; 2][..], &[7; 65_535], &[b'n'; 300_000], &[0]].concat());
    assert!(taken(Packing::Gzip, &long).1.is_whole());
    let reserved = header(0b10_0000, b"");
    assert_eq!(
        broken(&taken(Packing::Gzip, &reserved).1).why,
        "a gzip member is damaged: its header has reserved bits"
    );
}

#[test]
fn frames_to_be_skipped_are_no_content() {
    let content = rows(5);
    let skipped = [&b"\x5f\x2a\x4d\x18\x40\x0d\x03\0"[..], &[9; 200_000]].concat();
    let packed = [&skipped[..], &zstd(&content), &skipped, &zstd(&content)].concat();
    let (out, unpacked) = taken(Packing::Zstd, &packed);
    assert!(unpacked.is_whole() && out == content.repeat(2));
    let (out, unpacked) = taken(Packing::Zstd, &packed[..100_000]);
    assert_eq!((out.len(), broken(&unpacked).cause), (0, Cause::Cut));
}

#[test]
fn frames_without_a_checksum_say_so() {
    let content = rows(50);
    let bare = zstd::encode_all(&content[..], 3).unwrap();
    let packed = [&bare[..], &zstd(&content), b"x"].concat();
    let (_, unpacked) = taken(Packing::Zstd, &packed);
    let broken = broken(&unpacked);
    assert_eq!((broken.at_unpacked, broken.checked), (2 * content.len() as u64, content.len() as u64));
}

#[test]
fn blocks_of_bzip2_before_the_damage_are_certain() {
    let content = rows(60_000);
    // Blocks of 100 kB.
    let mut packed = bzip2_level(&content, 1);
    let at = packed.len() * 3 / 4;
    packed[at] ^= 0xFF;
    let (out, unpacked) = taken(Packing::Bzip2, &packed);
    claims_only_what_is_true(&out, &unpacked, &content);
    let broken = broken(&unpacked);
    let whole = usize::try_from(broken.at_unpacked).unwrap();
    assert!(whole > content.len() / 2 && whole < content.len() * 3 / 4 + 100_000, "{broken}");
    assert_eq!(broken.checked, broken.at_unpacked);
}

#[test]
fn an_empty_file_is_no_packed_one() {
    for packing in STREAMS {
        let (_, unpacked) = taken(packing, b"");
        assert_eq!(broken(&unpacked).why, format!("the file is empty, without a {}", unit(packing)));
        let (_, unpacked) = taken(packing, b"id,name\n");
        assert_eq!(broken(&unpacked).why, format!("the file does not begin with a {}", unit(packing)));
    }
}

#[test]
fn packings_inside_each_other_come_off_one_by_one() {
    let content = rows(5_000);
    let packed = gzip(&zstd(&bzip2(&content)));
    let limits = Limits::default();
    let mut outer = Unpacker::new(Packing::Gzip, &packed[..], &limits).unwrap();
    let mut middle = Unpacker::new(Packing::Zstd, &mut outer, &limits).unwrap();
    let mut out = Vec::new();
    assert!(unpack(Packing::Bzip2, &mut middle, &limits, &mut out).unwrap().is_whole());
    assert!(middle.finish().unwrap().is_whole());
    assert!(outer.finish().unwrap().is_whole());
    assert_eq!(out, content);
}

#[test]
fn an_error_comes_through_packings_as_it_was() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the bucket is gone"))
        }
    }
    let source = gzip(&zstd(&rows(10)))[..50].to_vec();
    let limits = Limits::default();
    let outer = Unpacker::new(Packing::Gzip, source.chain(Failing), &limits).unwrap();
    let error = unpack(Packing::Zstd, outer, &limits, &mut Vec::new()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Source, "reading at byte 50: the bucket is gone"));
    assert_eq!(error.into_source().unwrap().to_string(), "the bucket is gone");
}

#[test]
fn a_sink_that_fails_ends_it() {
    let error = unpack(Packing::None, &rows(10)[..], &Limits::default(), &mut &mut [0; 5][..]).unwrap_err();
    assert_eq!(error.kind(), Kind::Sink);
}

#[test]
fn an_archive_is_no_stream() {
    let error = unpack(Packing::Zip, &b"PK"[..], &Limits::default(), &mut Vec::new()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::FixData, "is a zip archive where a stream is expected"));
}
