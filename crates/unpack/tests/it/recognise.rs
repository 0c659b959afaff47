//! Packings by their first bytes.

use stillhouse_unpack::{Error, Packing, Refused, recognise};

use crate::common::{Entry, STREAMS, pack, zip};

#[test]
fn packed_files_are_recognised_even_when_they_are_short() {
    for packing in STREAMS {
        let packed = pack(packing, b"a,b\n1,2\n");
        for bytes in 4..packed.len() {
            assert_eq!(recognise(&packed[..bytes]), Ok(packing), "{bytes} bytes");
        }
    }
    assert_eq!(recognise(&[0x1F, 0x8B]), Ok(Packing::Gzip));
    assert_eq!(recognise(&[0x1F, 0x8B, 9]), Ok(Packing::Gzip));
    assert_eq!(recognise(&pack(Packing::Bzip2, b"")), Ok(Packing::Bzip2));
    assert_eq!(recognise(b"\x53\x2a\x4d\x18\0\0\0\0"), Ok(Packing::Zstd));
    assert_eq!(recognise(&zip(&[])), Ok(Packing::Zip));
    assert_eq!(recognise(&zip(&[Entry::stored("a", b"")])), Ok(Packing::Zip));
}

#[test]
fn texts_are_not_packed() {
    let texts: [&[u8]; 8] = [b"", b"a", b"PK,name\n", b"BZh9 is a name\n", b"BZh0", b"P*M\n", b"7z\n", b"Rar!\n"];
    for text in texts {
        assert_eq!(recognise(text), Ok(Packing::None), "{text:?}");
    }
}

#[test]
fn what_is_refused_has_a_name() {
    let mut tar = vec![b'a'; 512];
    tar[257..263].copy_from_slice(b"ustar\0");
    let mut gnu = tar.clone();
    gnu[262] = b' ';
    let mut encrypted = Entry::stored("a", b"");
    encrypted.flags = 1;
    let cases: [(&[u8], Refused); 12] = [
        (b"\xfd7zXZ\0", Refused::Xz),
        (b"\x04\x22\x4d\x18", Refused::Lz4),
        (b"\x02\x21\x4c\x18", Refused::Lz4),
        (b"7z\xbc\xaf\x27\x1c", Refused::SevenZip),
        (b"Rar!\x1a\x07\0", Refused::Rar),
        (b"Rar!\x1a\x07\x01\0", Refused::Rar),
        (b"\x1f\x9d\x90", Refused::Compress),
        (b"\xff\x06\0\0sNaPpY", Refused::Snappy),
        (&tar, Refused::Tar),
        (&gnu, Refused::Tar),
        (&zip(&[encrypted]), Refused::EncryptedZip),
        (b"PK\x07\x08PK\x03\x04", Refused::SplitZip),
    ];
    for (head, refused) in cases {
        assert_eq!(recognise(head), Err(refused));
    }
    let error = Error::from(Refused::Xz);
    assert_eq!(error.message(), "is an xz file, which is not unpacked");
    assert_eq!(error.hint(), Some("unpack the file, or pack it as gzip, zstd, bzip2 or zip"));
}
