//! Files that other programs have made: gzip, bzip2, zstd, pzstd, Info-ZIP, Python's zipfile, tar, xz, lz4.

use std::path::PathBuf;

use stillhouse_unpack::{Archive, HEAD_BYTES, Limits, Packing, Refused, recognise};

use crate::common::taken;

fn corpus(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn streams_of_other_programs_are_whole() {
    let (events, orders) = (corpus("events.csv"), corpus("orders.csv"));
    for (name, packing, content) in [
        ("events.csv.gz", Packing::Gzip, events.clone()),
        ("events.csv.bz2", Packing::Bzip2, events.clone()),
        ("events-orders.csv.zst", Packing::Zstd, [&events[..], &orders].concat()),
        ("pzstd.csv.zst", Packing::Zstd, orders),
    ] {
        let packed = corpus(name);
        assert_eq!(recognise(&packed), Ok(packing), "{name}");
        let (out, unpacked) = taken(packing, &packed);
        assert!(unpacked.is_whole() && out == content, "{name}: {unpacked:?}");
    }
}

#[test]
fn archives_of_other_programs_are_read() {
    for (name, expected) in [
        ("infozip.zip", "2024/01/events.csv 3158, 2024/01/größe.csv 270, orders.csv 47; ignored 3"),
        ("infozip-bzip2.zip", "2024/01/events.csv 3158, orders.csv 47; ignored 0"),
        ("infozip-stream.zip", "- 47; ignored 0"),
        ("python-stream.zip", "events.csv 3158, größe.csv 8; ignored 0"),
        ("python-zip64.zip", "events.csv 3158, packed.csv 160, stored.csv 8; ignored 0"),
    ] {
        let bytes = corpus(name);
        assert_eq!(recognise(&bytes), Ok(Packing::Zip), "{name}");
        let (source, limits) = (&bytes[..], Limits::default());
        let archive = Archive::open(&source, &limits).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut shown = Vec::new();
        for member in archive.members() {
            let mut out = Vec::new();
            let unpacked = member.unpack(&source, &limits, &mut out).unwrap();
            assert!(unpacked.is_whole(), "{name}: {unpacked:?}");
            assert_eq!(out.len() as u64, member.unpacked_bytes());
            if member.name().ends_with("events.csv") {
                assert_eq!(out, corpus("events.csv"));
            }
            shown.push(format!("{} {}", member.name(), out.len()));
        }
        assert_eq!(format!("{}; ignored {}", shown.join(", "), archive.ignored().total()), expected, "{name}");
    }
}

#[test]
fn what_is_refused_is_named() {
    assert_eq!(recognise(&corpus("orders.csv.xz")), Err(Refused::Xz));
    assert_eq!(recognise(&corpus("orders.csv.lz4")), Err(Refused::Lz4));
    let (tar, unpacked) = taken(Packing::Gzip, &corpus("orders.tar.gz"));
    assert!(unpacked.is_whole());
    assert_eq!(recognise(&tar[..HEAD_BYTES]), Err(Refused::Tar));
}
