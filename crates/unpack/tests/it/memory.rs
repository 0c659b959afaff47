//! Memory follows neither the file nor what a header in it claims.

use stillhouse_unpack::{Archive, Limits, Packing, unpack};

use crate::common::{Counter, Entry, STREAMS, pack, zip};

/// The most that the process has had, in KiB; nothing where the system does not say, and where other tests share the
/// process.
fn peak() -> Option<u64> {
    std::env::var_os("NEXTEST")?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn memory_stays_small_whatever_comes() {
    const PIECE_BYTES: usize = 10 << 20;
    const PIECES: usize = 60;
    const GROWTH_KIB_MAX: u64 = 16 << 10;
    let limits = Limits { ratio_max: u64::MAX, ..Limits::default() };
    let bombs: Vec<_> =
        STREAMS.iter().map(|packing| (*packing, pack(*packing, &vec![0; PIECE_BYTES]).repeat(PIECES))).collect();
    // A size of 2^40 bytes, in the field of 64 bits.
    let mut lying = Entry::new("lying.csv", &[0; 1_000], 8);
    let mut extra = vec![1, 0, 8, 0];
    extra.extend_from_slice(&(1_u64 << 40).to_le_bytes());
    (lying.unpacked_bytes, lying.extra) = (u32::MAX, extra);
    // Names, extra fields and comments of the largest size, or nearly so.
    let long = |at: usize| Entry {
        name: format!("{at:01000}.csv").into_bytes(),
        extra: [&[9, 9, 0xF0, 0xFF][..], &[0; 0xFFF0]].concat(),
        comment: vec![b'x'; 0xFFFF],
        ..Entry::stored("", b"")
    };
    let archive = zip(&[lying].into_iter().chain((0..500).map(long)).collect::<Vec<_>>());
    let lying_frame = b"\x28\xb5\x2f\xfd\xc0\x38\0\0\0\0\0\0\0\x10\x05\0\0ab";
    // Packing took memory as well; from here on the peak counts anew.
    if std::fs::write("/proc/self/clear_refs", "5").is_err() {
        return;
    }
    let Some(before) = peak() else { return };

    for (packing, packed) in &bombs {
        let mut sink = Counter::default();
        assert!(unpack(*packing, &packed[..], &limits, &mut sink).unwrap().is_whole());
        assert_eq!(sink.0, (PIECES * PIECE_BYTES) as u64);
    }
    assert!(!unpack(Packing::Zstd, &lying_frame[..], &limits, &mut Counter::default()).unwrap().is_whole());
    let members = Archive::open(&&archive[..], &limits).unwrap();
    let lying = members.member("lying.csv").unwrap();
    assert_eq!(lying.unpacked_bytes(), 1 << 40);
    assert!(!lying.unpack(&&archive[..], &limits, &mut Counter::default()).unwrap().is_whole());

    let grown = peak().map_or(0, |after| after - before);
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more than before");
}
