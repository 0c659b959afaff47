//! Small files that would become large, and headers that ask for what is not there.

use std::cell::Cell;
use std::io::{Read, Write};

use stillhouse_unpack::{Archive, Error, Kind, Limits, Packing, ReadAt, Unpacker, unpack};

use crate::common::{Counter, Entry, STREAMS, bzip2, deflate, pack, rows, taken, zip, zip_saying, zip64, zstd};

const MIB: usize = 1 << 20;

fn over_limit(error: &Error) -> &str {
    assert_eq!(error.kind(), Kind::OverLimit, "{error}");
    assert!(error.hint().is_some());
    error.message()
}

#[test]
fn ten_megabytes_of_zeros_are_honest() {
    for packing in STREAMS {
        let (out, unpacked) = taken(packing, &pack(packing, &vec![0; 10 * MIB]));
        assert!(unpacked.is_whole() && out.len() == 10 * MIB);
    }
}

#[test]
fn what_grows_a_thousandfold_ends_soon() {
    for packing in STREAMS {
        // Of gzip 1 MB for 1 GB; the others reach it with less.
        let piece = pack(packing, &vec![0; 100 * MIB]);
        let endless = std::iter::repeat_n(piece, 100).map(std::io::Cursor::new);
        let mut sink = Counter::default();
        let source: Box<dyn Read> = endless.fold(Box::new(std::io::empty()), |all, piece| Box::new(all.chain(piece)));
        let error = unpack(packing, source, &Limits::default(), &mut sink).unwrap_err();
        assert!(over_limit(&error).ends_with(" and more: over 1,000 for one, as no honest file does"), "{error}");
        assert!(sink.0 <= 65 * MIB as u64, "{} bytes were handed over", sink.0);
    }
}

#[test]
fn a_limit_of_bytes_holds_for_every_packing() {
    let content = rows(10_000);
    let limits = Limits { bytes_max: content.len() as u64 - 1, ..Limits::default() };
    for packing in [Packing::None, Packing::Gzip, Packing::Zstd, Packing::Bzip2] {
        let mut sink = Counter::default();
        let error = unpack(packing, &pack(packing, &content)[..], &limits, &mut sink).unwrap_err();
        assert!(over_limit(&error).starts_with("unpacks to more than "), "{error}");
        assert!(sink.0 < content.len() as u64);
        let enough = Limits { bytes_max: content.len() as u64, ..Limits::default() };
        assert!(unpack(packing, &pack(packing, &content)[..], &enough, &mut sink).unwrap().is_whole());
    }
}

#[test]
fn the_reader_of_a_bomb_gets_the_error() {
    let limits = Limits { bytes_max: 100, ..Limits::default() };
    let packed = pack(Packing::Gzip, &[b'x'; 1_000]);
    let mut unpacker = Unpacker::new(Packing::Gzip, &packed[..], &limits).unwrap();
    let error = unpacker.read_to_end(&mut Vec::new()).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(over_limit(&error), "unpacks to more than 100 bytes");
}

#[test]
fn a_window_beyond_the_limit_is_refused_before_it_is_made() {
    // 2^60 bytes of content in a single segment; then a window of 2^41 bytes.
    let single = b"\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x10\0\0\0";
    let window = b"\x28\xb5\x2f\xfd\x00\xf8\0\0\0";
    for (header, bytes) in [(&single[..], "1,152,921,504,606,846,976"), (window, "2,199,023,255,552")] {
        let error = unpack(Packing::Zstd, header, &Limits::default(), &mut Counter::default()).unwrap_err();
        let message = format!("a zstd frame asks for a window of {bytes} bytes, and 134,217,728 are allowed");
        assert_eq!(over_limit(&error), message);
    }
    // A size that lies costs nothing, as long as the window is small.
    let lying = b"\x28\xb5\x2f\xfd\xc0\x00\0\0\0\0\0\0\0\x10\0\0\0";
    assert!(!taken(Packing::Zstd, lying).1.is_whole());
    let dictionary = b"\x28\xb5\x2f\xfd\x21\x07\x00\x00\x00\x00";
    let error = unpack(Packing::Zstd, &dictionary[..], &Limits::default(), &mut Counter::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::FixData, "a zstd frame needs the dictionary 7, which is not in the file")
    );
}

#[test]
fn windows_up_to_the_limit_are_unpacked() {
    let content = rows(20_000);
    for (log, fits) in [(27, true), (28, false)] {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&content).unwrap();
        let packed = encoder.finish().unwrap();
        let result = unpack(Packing::Zstd, &packed[..], &Limits::default(), &mut Counter::default());
        assert_eq!(result.is_ok_and(|unpacked| unpacked.is_whole()), fits, "{log}");
        let limits = Limits { window_bytes_max: 1 << log, ..Limits::default() };
        assert!(unpack(Packing::Zstd, &packed[..], &limits, &mut Counter::default()).unwrap().is_whole());
    }
}

/// Counts what is read of an archive.
struct Metered<'a>(&'a [u8], Cell<u64>);

impl ReadAt for Metered<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read_at(offset, buf)?;
        self.1.set(self.1.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn a_hundred_thousand_members_are_refused_unread() {
    let entries: Vec<Entry> = (0..100_000).map(|at| Entry::stored(&format!("{at}.csv"), b"")).collect();
    let honest = zip64(&entries, 100_000);
    let source = Metered(&honest, Cell::new(0));
    let error = Archive::open(&source, &Limits::default()).unwrap_err();
    assert_eq!(over_limit(&error), "the zip archive has 100,000 members, and 10,000 are allowed");
    assert!(source.1.get() < 70_000, "{} bytes were read", source.1.get());
    // The end record may lie about it.
    for lying in [zip64(&entries, 10_000), zip_saying(&entries, Some(10_000))] {
        let source = Metered(&lying, Cell::new(0));
        let error = Archive::open(&source, &Limits::default()).unwrap_err();
        assert_eq!(error.message(), "the directory of the zip archive has more members than its end record says");
        assert!(source.1.get() < 1_000_000, "{} bytes were read", source.1.get());
    }
    // And about more than 64 bits have room for.
    let lying = zip64(&entries[..1], u64::MAX);
    assert!(
        over_limit(&Archive::open(&&lying[..], &Limits::default()).unwrap_err()).contains("18,446,744,073,709,551,615")
    );
    let enough = Limits { members_max: 100_000, ..Limits::default() };
    assert_eq!(Archive::open(&&honest[..], &enough).unwrap().members().len(), 100_000);
}

#[test]
fn members_that_overlap_refuse_the_archive() {
    // The same bytes under many names.
    let kernel = Entry::new("0.csv", &vec![0; MIB], 8);
    let mut entries = vec![kernel.clone()];
    for at in 1..1_000 {
        entries.push(Entry {
            name: format!("{at}.csv").into_bytes(),
            at: Some(0),
            packed: Vec::new(),
            ..kernel.clone()
        });
    }
    let error = Archive::open(&&zip(&entries)[..], &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::FixData);
    assert!(error.message().ends_with(" in the zip archive overlaps something else, or the directory"), "{error}");
    // A member whose content has another one inside.
    let inner = Entry::new("b.csv", b"1", 0);
    let quoted = zip(std::slice::from_ref(&inner));
    let mut outer = Entry::stored("a.csv", &quoted[..36]);
    outer.local_extra = Vec::new();
    let entries = [outer, Entry { at: Some(35), packed: Vec::new(), ..inner }];
    let error = Archive::open(&&zip(&entries)[..], &Limits::default()).unwrap_err();
    assert!(error.message().starts_with("\"a.csv\" in the zip archive overlaps"), "{error}");
    // A member beyond the directory.
    let beyond = Entry { at: Some(1_000_000), ..Entry::stored("a.csv", b"1") };
    assert!(Archive::open(&&zip(&[beyond])[..], &Limits::default()).is_err());
}

#[test]
fn members_that_say_to_be_too_large_are_refused_unread() {
    let large = Entry { unpacked_bytes: u32::MAX - 1, ..Entry::stored("0.csv", b"1") };
    let entries: Vec<_> =
        (0..9_000).map(|at| Entry { name: format!("{at}.csv").into_bytes(), ..large.clone() }).collect();
    let error = Archive::open(&&zip(&entries)[..], &Limits::default()).unwrap_err();
    assert_eq!(over_limit(&error), "unpacks to more than 1,099,511,627,776 bytes");
    let error = Archive::open(&&zip(&entries[..1])[..], &Limits::default()).unwrap_err();
    assert!(
        over_limit(&error).contains(" packed bytes unpack to 4,294,967,294 and more: over 1,000 for one"),
        "{error}"
    );
}

#[test]
fn a_member_that_grows_beyond_what_it_says_ends_there() {
    for method in [8, 12, 93] {
        let bomb = Entry { unpacked_bytes: 1_000, ..Entry::new("a.csv", &vec![0; 50 * MIB], method) };
        let bytes = zip(&[bomb]);
        let archive = Archive::open(&&bytes[..], &Limits::default()).unwrap();
        let mut sink = Counter::default();
        let unpacked = archive.members()[0].unpack(&&bytes[..], &Limits::default(), &mut sink).unwrap();
        assert!(!unpacked.is_whole());
        assert_eq!((sink.0, unpacked.bytes_out), (1_000, 1_000));
    }
}

#[test]
fn a_member_of_zeros_meets_the_ratio() {
    let content = vec![0; 200 * MIB];
    for packed in [bzip2(&content), zstd(&content), deflate(&content)] {
        let method = match packed[..2] {
            [b'B', _] => 12,
            [0x28, _] => 93,
            _ => 8,
        };
        let mut entry = Entry::new("a.csv", b"", method);
        entry.packed_bytes = u32::try_from(packed.len()).unwrap();
        entry.unpacked_bytes = u32::try_from(content.len()).unwrap();
        entry.packed = packed;
        let error = Archive::open(&&zip(&[entry])[..], &Limits::default()).unwrap_err();
        over_limit(&error);
    }
}
