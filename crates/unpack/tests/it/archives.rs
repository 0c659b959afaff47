//! Zip archives: members as they should be, and archives that lie.

use proptest::prelude::*;
use stillhouse_unpack::{Archive, Cause, Error, Kind, Limits, Packing, ReadAt, recognise, unpack};

use crate::common::{Entry, broken, claims_only_what_is_true, crc, gzip, random, rows, zip, zip_saying, zip64};

const METHODS: [u16; 5] = [0, 8, 9, 12, 93];

fn open(bytes: &[u8]) -> Result<Archive, Error> {
    Archive::open(&bytes, &Limits::default())
}

fn refused(bytes: &[u8]) -> String {
    let error = open(bytes).unwrap_err();
    assert_eq!(error.kind(), Kind::FixData);
    assert!(error.hint().is_some());
    error.message().to_owned()
}

/// What comes out of the only member, and how it ends.
fn only(bytes: &[u8]) -> (Vec<u8>, Result<stillhouse_unpack::Unpacked, Error>) {
    let archive = open(bytes).unwrap();
    let mut out = Vec::new();
    let result = archive.members()[0].unpack(&bytes, &Limits::default(), &mut out);
    (out, result)
}

/// Gives a few bytes at a time, as a bucket may.
struct Trickle<'a>(&'a [u8]);

impl ReadAt for Trickle<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let most = buf.len().min(7);
        self.0.read_at(offset, &mut buf[..most])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn members_come_out_again(contents in prop::collection::vec((any::<Vec<u8>>(), prop::sample::select(&METHODS[..]), 1_usize..200), 0..6)) {
        let contents: Vec<_> = contents.into_iter().map(|(bytes, method, times)| (bytes.repeat(times), method)).collect();
        let mut entries: Vec<Entry> = contents
            .iter()
            .enumerate()
            .map(|(at, (content, method))| Entry::new(&format!("{}/{at}.csv", 9 - at), content, *method))
            .collect();
        entries.iter_mut().step_by(2).for_each(|entry| entry.flags |= 8);
        entries.iter_mut().step_by(3).for_each(|entry| entry.local_extra = vec![1, 2, 3]);
        for bytes in [zip(&entries), zip64(&entries, entries.len() as u64)] {
            let source = Trickle(&bytes);
            let archive = Archive::open(&source, &Limits::default()).unwrap();
            prop_assert_eq!(archive.members().len(), contents.len());
            prop_assert!(archive.members().is_sorted_by_key(|member| member.name().to_owned()));
            for (at, (content, _)) in contents.iter().enumerate() {
                let member = archive.member(&format!("{}/{at}.csv", 9 - at)).unwrap();
                let mut out = Vec::new();
                let unpacked = member.unpack(&source, &Limits::default(), &mut out).unwrap();
                prop_assert!(unpacked.is_whole(), "{:?}", unpacked);
                prop_assert!(&out == content);
                prop_assert_eq!((member.crc32(), member.unpacked_bytes()), (crc(content), content.len() as u64));
                prop_assert_eq!(unpacked.bytes_in, member.packed_bytes());
            }
        }
    }
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let bytes = zip(&[Entry::new("a.csv", &rows(20), 8), Entry::stored("b.csv", b"1\n")]);
    for end in 0..bytes.len() {
        assert_eq!(refused(&bytes[..end]), "the zip archive has no directory at its end");
    }
    assert_eq!(refused(&[&bytes[..], b"\n"].concat()), "the zip archive has no directory at its end");
}

#[test]
fn a_flipped_byte_is_never_taken_for_content() {
    let contents = [("a.csv", 20), ("b/c.csv", 30), ("d.csv", 8)];
    let contents = contents.map(|(name, count)| (name, [name.as_bytes(), &rows(count)].concat()));
    for method in METHODS {
        let entries: Vec<_> = contents.iter().map(|(name, content)| Entry::new(name, content, method)).collect();
        let bytes = zip(&entries);
        for (at, mask) in (0..bytes.len()).flat_map(|at| [(at, 0x01), (at, 0xFF)]) {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            let Ok(archive) = open(&flipped) else { continue };
            let mut members = 0;
            for member in archive.members() {
                // A name may become another name, and a file an ignored one, but only of the same content.
                let mut out = Vec::new();
                let Ok(unpacked) = member.unpack(&&flipped[..], &Limits::default(), &mut out) else { continue };
                members += usize::from(unpacked.is_whole());
                let content = contents.iter().find(|(_, content)| content.starts_with(&out[..out.len().min(5)]));
                let content = content.map_or(&[][..], |(_, content)| content);
                claims_only_what_is_true(&out, &unpacked, content);
            }
            assert!(members <= contents.len());
        }
    }
}

#[test]
fn sizes_that_lie_are_noticed() {
    let content = rows(50);
    for method in METHODS {
        let honest = Entry::new("a.csv", &content, method);
        for (said, why) in [
            (honest.unpacked_bytes - 1, "the member has more than the 854 bytes that the directory says"),
            (honest.unpacked_bytes + 1, "the member has 855 bytes, and the directory says 856"),
            (u32::MAX - 1, "the member has 855 bytes, and the directory says 4,294,967,294"),
        ] {
            let bytes = zip(&[Entry { unpacked_bytes: said, ..honest.clone() }]);
            // So much of so little is refused before anything is unpacked.
            let limits = Limits { ratio_max: u64::MAX, ..Limits::default() };
            let archive = Archive::open(&&bytes[..], &limits).unwrap();
            let mut out = Vec::new();
            let unpacked = archive.members()[0].unpack(&&bytes[..], &limits, &mut out).unwrap();
            let broken = broken(&unpacked);
            assert_eq!((broken.cause, broken.at_unpacked, broken.why.as_str()), (Cause::Damaged, 0, why), "{method}");
            assert!(out.len() as u64 <= u64::from(said), "no more than was announced: {}", out.len());
        }
        let mut short = honest.clone();
        short.packed.pop();
        short.packed_bytes -= 1;
        let (_, unpacked) = only(&zip(&[short]));
        assert_eq!((broken(&unpacked.unwrap()).cause, method), (Cause::Damaged, method));
    }
}

/// Windows writes Deflate64, and no program at hand does: a literal and a match longer than deflate has.
#[test]
fn matches_of_deflate64_may_be_long() {
    let mut bits = Bits::default();
    // The last block, with fixed codes.
    bits.low_first(0b1 | 0b01 << 1, 3);
    bits.high_first(0x30 + u32::from(b'a'), 8);
    // Length code 285 with 16 bits of its own, from 3 on; distance code 0.
    bits.high_first(0b1100_0101, 8);
    bits.low_first(50_000 - 3, 16);
    bits.high_first(0, 5);
    bits.high_first(0, 7);
    let content = vec![b'a'; 50_001];
    let mut entry = Entry::stored("a.csv", &content);
    entry.method = 9;
    entry.packed = bits.bytes;
    entry.packed_bytes = u32::try_from(entry.packed.len()).unwrap();
    let (out, unpacked) = only(&zip(&[entry]));
    let unpacked = unpacked.unwrap();
    assert!(unpacked.is_whole() && out == content, "{unpacked:?}");
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        *self.bytes.last_mut().unwrap() |= u8::try_from(bit & 1).unwrap() << (self.count % 8);
        self.count += 1;
    }

    fn low_first(&mut self, bits: u32, count: u32) {
        (0..count).for_each(|at| self.bit(bits >> at));
    }

    fn high_first(&mut self, bits: u32, count: u32) {
        (0..count).rev().for_each(|at| self.bit(bits >> at));
    }
}

#[test]
fn a_wrong_checksum_is_noticed() {
    for method in METHODS {
        let bytes = zip(&[Entry { crc: 1, ..Entry::new("a.csv", &rows(50), method) }]);
        let (out, unpacked) = only(&bytes);
        let unpacked = unpacked.unwrap();
        let broken = broken(&unpacked);
        assert_eq!(out, rows(50));
        assert_eq!((broken.cause, broken.at_unpacked, broken.checked), (Cause::Damaged, 0, 0));
        assert_eq!(broken.why, "the checksum of the member does not fit its content");
    }
}

#[test]
fn bytes_behind_the_content_are_noticed() {
    for method in [8, 12, 93] {
        let mut entry = Entry::new("a.csv", &rows(50), method);
        entry.packed.push(b'x');
        entry.packed_bytes += 1;
        let (out, unpacked) = only(&zip(&[entry]));
        let unpacked = unpacked.unwrap();
        assert_eq!(out, rows(50));
        assert!(!unpacked.is_whole(), "{method}");
    }
}

#[test]
fn the_local_header_has_to_say_what_the_directory_says() {
    let honest = zip(&[Entry::new("a.csv", &rows(5), 8)]);
    for (at, what) in
        [(0, "place"), (6, "packing"), (8, "packing"), (18, "size"), (22, "size"), (26, "name"), (30, "name")]
    {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        let error = only(&bytes).1.unwrap_err();
        assert_eq!(error.kind(), Kind::FixData);
        assert_eq!(error.message(), format!("\"a.csv\" in the zip archive has another {what} than the directory says"));
    }
    // The local header takes more room than the directory can tell.
    let mut entries = [Entry::stored("a.csv", b"1"), Entry::stored("b.csv", b"2")];
    entries[0].local_extra = vec![0; 10];
    let mut bytes = zip(&entries);
    bytes[28] += 1;
    assert_eq!(only(&bytes).1.unwrap_err().message(), "\"a.csv\" in the zip archive overlaps what comes next");
}

#[test]
fn end_records_that_contradict_are_refused() {
    let entries = [Entry::stored("a.csv", b"1"), Entry::stored("b.csv", b"2")];
    assert_eq!(
        refused(&zip_saying(&entries, Some(1))),
        "the directory of the zip archive has more members than its end record says"
    );
    assert_eq!(
        refused(&zip_saying(&entries, Some(3))),
        "the directory of the zip archive has fewer members than its end record says"
    );
    let honest = zip(&entries);
    let end = honest.len() - 22;
    let with = |at: usize, byte: u8| {
        let mut bytes = honest.clone();
        bytes[end + at] = byte;
        bytes
    };
    let split = "is a zip archive that is split over several files, which is not unpacked";
    assert_eq!(refused(&with(4, 1)), split);
    assert_eq!(refused(&with(6, 1)), split);
    assert_eq!(refused(&with(8, 1)), split);
    let elsewhere = "the directory of the zip archive is not where its end record says";
    assert_eq!(refused(&with(12, 1)), elsewhere);
    assert_eq!(refused(&with(19, 0xFF)), elsewhere);
    assert_eq!(refused(&[b"PK\x03\x04 in front", &honest[..]].concat()), elsewhere);
    let mut commented = honest.clone();
    commented[end + 20] = 22;
    commented.extend_from_slice(&honest[end..]);
    assert_eq!(refused(&commented), "the zip archive has two end records, one in the comment of the other");
}

#[test]
fn end_records_of_64_bits_are_held_against_the_others() {
    let entries = [Entry::stored("a.csv", b"1")];
    let honest = zip64(&entries, 1);
    assert!(open(&honest).is_ok());
    let end = honest.len() - 22;
    let with = |at: usize, byte: u8| {
        let mut bytes = honest.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(refused(&with(end + 11, 0)), "the two end records of the zip archive contradict each other");
    let elsewhere = "the end record of 64 bits of the zip archive is not where it should be";
    assert_eq!(refused(&with(end - 12, 0)), elsewhere);
    assert_eq!(refused(&with(end - 5, 0xFF)), elsewhere);
    assert_eq!(refused(&with(end - 76, 0)), "the end record of 64 bits of the zip archive is none");
    assert_eq!(refused(&with(end - 72, 45)), "the end record of 64 bits of the zip archive is none");
    assert_eq!(refused(&with(end - 29, 0xFF)), "the directory of the zip archive is not where its end record says");
}

#[test]
fn sizes_of_64_bits_are_read_from_their_field() {
    let mut entry = Entry::new("a.csv", &rows(50), 8);
    let (packed, unpacked) = (u64::from(entry.packed_bytes), u64::from(entry.unpacked_bytes));
    (entry.packed_bytes, entry.unpacked_bytes) = (u32::MAX, u32::MAX);
    let field = |numbers: &[u64]| {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        [&[1, 0, u8::try_from(bytes.len()).unwrap(), 0], &bytes[..]].concat()
    };
    entry.extra = field(&[unpacked, packed]);
    let (out, result) = only(&zip(&[entry.clone()]));
    assert!(result.unwrap().is_whole() && out == rows(50));
    entry.extra = field(&[unpacked]);
    assert_eq!(refused(&zip(&[entry.clone()])), "sizes of \"a.csv\" in the zip archive are missing");
    entry.extra = field(&[unpacked, packed]).repeat(2);
    assert_eq!(refused(&zip(&[entry.clone()])), "\"a.csv\" in the zip archive has its sizes twice");
    entry.extra = field(&[unpacked, u64::MAX]);
    assert_eq!(
        refused(&zip(&[entry.clone()])),
        "\"a.csv\" in the zip archive overlaps something else, or the directory"
    );
    entry.extra = field(&[unpacked, packed])[..19].to_vec();
    assert_eq!(refused(&zip(&[entry])), "the extra fields of \"a.csv\" in the zip archive are damaged");
}

#[test]
fn what_is_encrypted_or_packed_otherwise_refuses_the_archive() {
    let with = |change: fn(&mut Entry)| {
        let mut entry = Entry::stored("b.csv", b"2");
        change(&mut entry);
        refused(&zip(&[Entry::stored("a.csv", b"1"), entry]))
    };
    for change in [|e: &mut Entry| e.flags = 1, |e: &mut Entry| e.flags = 1 << 6, |e: &mut Entry| e.method = 99] {
        assert_eq!(with(change), "\"b.csv\" in the zip archive is encrypted");
    }
    assert_eq!(with(|e| e.flags = 1 << 5), "\"b.csv\" in the zip archive is a patch to other data");
    assert_eq!(with(|e| e.method = 14), "\"b.csv\" in the zip archive is packed by LZMA");
    assert_eq!(with(|e| e.method = 7), "\"b.csv\" in the zip archive is packed by a method without a name");
    let unix = |mode: u32| Entry { made_by: 3 << 8, attributes: mode << 16, ..Entry::stored("b.csv", b"/etc/passwd") };
    assert_eq!(refused(&zip(&[unix(0o120_777)])), "\"b.csv\" in the zip archive is a link");
    assert_eq!(refused(&zip(&[unix(0o020_777)])), "\"b.csv\" in the zip archive is not a file");
    assert!(open(&zip(&[unix(0o100_644)])).is_ok());
}

#[test]
fn a_member_that_is_packed_again_is_unpacked_again() {
    let content = rows(5_000);
    let bytes = zip(&[Entry::stored("a.csv.gz", &gzip(&content)), Entry::new("b.zip", &zip(&[]), 8)]);
    let (source, limits) = (&bytes[..], Limits::default());
    let archive = open(&bytes).unwrap();
    let mut outer = archive.members()[0].reader(&source, &limits).unwrap();
    let mut out = Vec::new();
    assert!(unpack(Packing::Gzip, &mut outer, &limits, &mut out).unwrap().is_whole());
    assert!(outer.finish().unwrap().is_whole());
    assert_eq!(out, content);
    // A zip in a zip is seen by its first bytes.
    let mut inner = Vec::new();
    assert!(archive.members()[1].unpack(&source, &limits, &mut inner).unwrap().is_whole());
    assert_eq!(recognise(&inner), Ok(Packing::Zip));
}

#[test]
fn a_source_that_ends_early_is_its_own_fault() {
    struct Shorter<'a>(&'a [u8]);
    impl ReadAt for Shorter<'_> {
        fn len(&self) -> u64 {
            self.0.len() as u64 + 10
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(offset, buf)
        }
    }
    let bytes = zip(&[Entry::stored("a.csv", &rows(100))]);
    let error = Archive::open(&Shorter(&bytes), &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Source);
    let archive = open(&bytes).unwrap();
    let error = archive.members()[0].unpack(&Shorter(&bytes[..500]), &Limits::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), Kind::Source);
    assert!(error.message().contains("ended although its length is 510 bytes"), "{error}");
}

#[test]
fn bytes_that_are_no_archive_are_refused() {
    use proptest::prelude::RngExt as _;
    let mut random = random(3);
    for _ in 0..2_000 {
        let mut bytes: Vec<u8> = (0..random.random_range(0..300)).map(|_| random.random()).collect();
        if random.random() {
            // So far that there is an end record.
            bytes.extend_from_slice(&zip(&[])[..]);
        }
        let _ = open(&bytes).map(|archive| assert!(archive.members().is_empty()));
    }
}
