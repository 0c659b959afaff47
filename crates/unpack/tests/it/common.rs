//! What the tests share: packers, sinks, and an archive builder that can lie.

use std::io::{self, Read, Write};

use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stillhouse_unpack::{Broken, Cause, End, Limits, Packing, Unpacked, unpack};

pub(crate) const STREAMS: [Packing; 3] = [Packing::Gzip, Packing::Zstd, Packing::Bzip2];

/// Numbers that are the same for the same seed.
pub(crate) fn random(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// Rows that look like CSV and do not pack too well.
pub(crate) fn rows(count: usize) -> Vec<u8> {
    let mut random = random(7);
    let mut text = Vec::new();
    for row in 0..count {
        let value: u32 = random.random_range(0..1_000_000);
        writeln!(text, "{row},name {},{value}", value % 17).unwrap();
    }
    text
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Deflate without matches, which Deflate64 writes in the same way.
fn stored_deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as the program writes it.
pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(content: &[u8]) -> Vec<u8> {
    bzip2_level(content, 9)
}

pub(crate) fn bzip2_level(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn pack(packing: Packing, content: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => gzip(content),
        Packing::Zstd => zstd(content),
        Packing::Bzip2 => bzip2(content),
        Packing::None | Packing::Zip => content.to_vec(),
    }
}

/// What comes out, and the account of it.
pub(crate) fn taken(packing: Packing, packed: &[u8]) -> (Vec<u8>, Unpacked) {
    let mut out = Vec::new();
    let unpacked = unpack(packing, packed, &Limits::default(), &mut out).unwrap();
    assert_eq!(unpacked.bytes_out, out.len() as u64);
    (out, unpacked)
}

pub(crate) fn broken(unpacked: &Unpacked) -> &Broken {
    match &unpacked.end {
        End::Broken(broken) => broken,
        End::Whole => panic!("is whole: {unpacked:?}"),
    }
}

/// A whole file has all of the content. A broken one claims no more than what is a beginning of it.
pub(crate) fn claims_only_what_is_true(out: &[u8], unpacked: &Unpacked, content: &[u8]) {
    match &unpacked.end {
        End::Whole => assert!(out == content, "whole, and not what was packed"),
        End::Broken(broken) => {
            // Damage that makes the rest look cut off is found by nothing but the checksum that is not there.
            let claimed = if broken.cause == Cause::Cut { broken.checked } else { broken.at_unpacked };
            let claimed = usize::try_from(claimed).unwrap();
            assert!(content.starts_with(&out[..claimed]), "claims what was not packed: {broken}");
            assert!(broken.checked <= broken.at_unpacked && broken.at_unpacked <= unpacked.bytes_out, "{broken:?}");
        }
    }
}

/// Gives its bytes in pieces of random sizes.
pub(crate) struct Pieces<'a> {
    pub bytes: &'a [u8],
    pub random: TestRng,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.random.random_ratio(1, 8) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = self.random.random_range(1..=self.bytes.len().clamp(1, 1000)).min(buf.len());
        self.bytes.read(&mut buf[..most])
    }
}

/// Counts, and keeps nothing.
#[derive(Default)]
pub(crate) struct Counter(pub u64);

impl Write for Counter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0 += buf.len() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An entry of an archive, and what is said about it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub name: Vec<u8>,
    /// What the local header says, if that is something else.
    pub local_name: Option<Vec<u8>>,
    pub packed: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub crc: u32,
    pub packed_bytes: u32,
    pub unpacked_bytes: u32,
    pub extra: Vec<u8>,
    pub local_extra: Vec<u8>,
    pub made_by: u16,
    pub attributes: u32,
    pub comment: Vec<u8>,
    /// Where the directory says that it is, if that is a lie.
    pub at: Option<u32>,
}

impl Entry {
    pub(crate) fn new(name: &str, content: &[u8], method: u16) -> Self {
        let packed = match method {
            0 => content.to_vec(),
            8 => deflate(content),
            9 => stored_deflate(content),
            12 => bzip2(content),
            93 => zstd(content),
            _ => panic!("method {method}"),
        };
        Self {
            name: name.as_bytes().to_vec(),
            local_name: None,
            method,
            flags: 0,
            crc: crc(content),
            packed_bytes: u32::try_from(packed.len()).unwrap(),
            unpacked_bytes: u32::try_from(content.len()).unwrap(),
            packed,
            extra: Vec::new(),
            local_extra: Vec::new(),
            made_by: 20,
            attributes: 0,
            comment: Vec::new(),
            at: None,
        }
    }

    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self::new(name, content, 0)
    }

    fn local(&self) -> Vec<u8> {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        shorts(&mut out, &[self.flags, self.method, 0, 0]);
        let sized = self.flags & 8 == 0;
        let said = [self.crc, self.packed_bytes, self.unpacked_bytes];
        longs(&mut out, &said.map(|number| if sized { number } else { 0 }));
        shorts(&mut out, &[u16::try_from(name.len()).unwrap(), u16::try_from(self.local_extra.len()).unwrap()]);
        out.extend_from_slice(name);
        out.extend_from_slice(&self.local_extra);
        out.extend_from_slice(&self.packed);
        if !sized {
            out.extend_from_slice(b"PK\x07\x08");
            longs(&mut out, &said);
        }
        out
    }

    fn central(&self, at: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        shorts(&mut out, &[self.made_by, 20, self.flags, self.method, 0, 0]);
        longs(&mut out, &[self.crc, self.packed_bytes, self.unpacked_bytes]);
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap();
        shorts(&mut out, &[length(&self.name), length(&self.extra), length(&self.comment), 0, 0]);
        longs(&mut out, &[self.attributes, self.at.unwrap_or(at)]);
        for part in [&self.name, &self.extra, &self.comment] {
            out.extend_from_slice(part);
        }
        out
    }
}

pub(crate) fn crc(content: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    crc.sum()
}

fn shorts(out: &mut Vec<u8>, numbers: &[u16]) {
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

fn longs(out: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    zip_saying(entries, None)
}

/// `count`: how many entries the end record says to have.
pub(crate) fn zip_saying(entries: &[Entry], count: Option<u16>) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = u32::try_from(out.len()).unwrap();
        out.extend(entry.local());
        directory.extend(entry.central(at));
    }
    let (at, bytes) = (u32::try_from(out.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let count = count.unwrap_or_else(|| u16::try_from(entries.len() % 65_536).unwrap());
    out.extend(directory);
    out.extend_from_slice(b"PK\x05\x06");
    shorts(&mut out, &[0, 0, count, count]);
    longs(&mut out, &[bytes, at]);
    shorts(&mut out, &[0]);
    out
}

/// The same archive with end records of 64 bits.
pub(crate) fn zip64(entries: &[Entry], count: u64) -> Vec<u8> {
    let mut out = zip(entries);
    let end = out.split_off(out.len() - 22);
    let number = |at: usize| u64::from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap()));
    let (bytes, offset, at) = (number(12), number(16), out.len() as u64);
    out.extend_from_slice(b"PK\x06\x06");
    out.extend_from_slice(&44_u64.to_le_bytes());
    shorts(&mut out, &[45, 45]);
    longs(&mut out, &[0, 0]);
    for number in [count, count, bytes, offset] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    out.extend_from_slice(&at.to_le_bytes());
    longs(&mut out, &[1]);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    out
}
