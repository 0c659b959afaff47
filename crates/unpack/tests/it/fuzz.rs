//! Hostile bytes: packed files that were changed at random.

use std::time::Duration;

use proptest::prelude::RngExt as _;
use proptest::test_runner::TestRng;
use stillhouse_unpack::{Archive, Encoding, End, HEAD_BYTES, Limits, Packing, Transcoder, detect, recognise, unpack};

use crate::common::{Counter, Entry, bzip2_level, gzip, random, rows, zip, zip64, zstd};

/// How many inputs an ordinary run makes: a few seconds.
const RUNS: u64 = 20_000;

/// Seconds that it runs instead, if it is set.
const SECONDS: &str = "STILLHOUSE_FUZZ_SECONDS";

/// So little that hostile inputs meet the limits.
fn limits() -> Limits {
    Limits {
        bytes_max: 1 << 20,
        ratio_max: 200,
        ratio_free_bytes: 1 << 16,
        window_bytes_max: 1 << 20,
        members_max: 50,
        name_bytes_max: 100,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let content = rows(60);
    let zeros = vec![0; 100_000];
    let entries: Vec<Entry> = [0, 8, 9, 12, 93]
        .iter()
        .map(|method| Entry::new(&format!("{method}/a.csv"), &content, *method))
        .chain([Entry::stored("__MACOSX/._a", b"x"), Entry::new("zeros", &zeros, 8), Entry::new("f/", b"", 0)])
        .collect();
    let one = |method| zip(&[Entry::new("a", &content, method)]);
    vec![
        gzip(&content),
        [gzip(&content), gzip(b""), gzip(&zeros)].concat(),
        zstd(&content),
        [zstd(&zeros), b"\x50\x2a\x4d\x18\x02\0\0\0ab".to_vec(), zstd::encode_all(&content[..], 19).unwrap()].concat(),
        bzip2_level(&content, 1),
        [bzip2_level(&zeros, 1), bzip2_level(b"", 1), bzip2_level(&content, 9)].concat(),
        zip(&entries),
        zip64(&entries, entries.len() as u64),
        one(8),
        one(9),
        zip(&[Entry { method: 9, ..Entry::new("a", &content, 8) }]),
        zip(&[Entry { method: 9, unpacked_bytes: 1 << 19, ..Entry::new("a", &zeros, 8) }]),
        one(12),
        one(93),
        "id,größe\n1,😀\n".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        b"id,name\n1,M\xfcller\n".to_vec(),
    ]
}

/// One of the seeds, changed in one to six ways.
fn mutate(seeds: &[Vec<u8>], random: &mut TestRng) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].clone();
    for _ in 0..random.random_range(1..=6) {
        let at = random.random_range(0..=bytes.len());
        let end = bytes.len().min(at + random.random_range(0..20));
        match random.random_range(0..7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.random()),
            3 => {
                let other = &seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..=other.len());
                let to = other.len().min(from + random.random_range(0..200));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            4 => bytes.splice(at..end, std::iter::repeat_n(if random.random() { 0 } else { 0xFF }, 4)).for_each(drop),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes
}

#[test]
fn nothing_hostile_panics_or_goes_beyond_the_limits() {
    let until = std::env::var(SECONDS).ok().map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let began = now();
    let seeds = seeds();
    let mut run = 0;
    while until.map_or(run < RUNS, |until| now() - began < until) {
        let bytes = mutate(&seeds, &mut random(run));
        let caught = std::panic::catch_unwind(|| try_everything(&bytes));
        assert!(caught.is_ok(), "input {run} fails: {}", bytes.escape_ascii());
        run += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs has no influence on what it finds in one input")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn try_everything(bytes: &[u8]) {
    let _ = recognise(&bytes[..bytes.len().min(HEAD_BYTES)]);
    for packing in [Packing::None, Packing::Gzip, Packing::Zstd, Packing::Bzip2] {
        let mut sink = Counter::default();
        let result = unpack(packing, bytes, &limits(), &mut sink);
        check(result, sink.0, bytes.len() as u64);
    }
    if let Ok(archive) = Archive::open(&bytes, &limits()) {
        for member in archive.members() {
            let mut sink = Counter::default();
            let result = member.unpack(&bytes, &limits(), &mut sink);
            assert!(sink.0 <= member.unpacked_bytes(), "more than the directory says");
            check(result, sink.0, bytes.len() as u64);
        }
    }
    let encoding = detect(bytes, true).encoding;
    for encoding in [encoding, Encoding::Utf16Le, Encoding::Windows1252] {
        let mut out = Vec::new();
        let mut transcoder = Transcoder::new(encoding);
        if bytes.chunks(13).all(|chunk| transcoder.push(chunk, &mut out).is_ok()) {
            let account = transcoder.finish(&mut out).unwrap();
            assert_eq!((account.bytes_in, account.bytes_out), (bytes.len() as u64, out.len() as u64));
            let others = matches!(encoding, Encoding::Utf8 | Encoding::Utf8Bom);
            assert!(others || (account.faults == 0) == std::str::from_utf8(&out).is_ok());
        }
    }
}

fn check(result: Result<stillhouse_unpack::Unpacked, stillhouse_unpack::Error>, handed: u64, packed: u64) {
    match result {
        Ok(unpacked) => {
            assert_eq!(unpacked.bytes_out, handed);
            assert!(unpacked.bytes_in <= packed);
            match unpacked.end {
                End::Whole => assert!(handed <= limits().bytes_max),
                End::Broken(broken) => {
                    assert!(broken.checked <= broken.at_unpacked && broken.at_unpacked <= handed);
                    assert!(!broken.why.contains("does not go on"), "{broken}");
                }
            }
        }
        Err(error) => assert!(error.is_held(), "{error}"),
    }
    assert!(handed <= limits().bytes_max + (1 << 18));
}
