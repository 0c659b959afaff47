//! SQLite's locks do not hold on network file systems; two hosts would both believe to be the only writer.

use std::path::Path;

use crate::error::{Error, Kind};

/// Refuses a ledger at `path` if that is on a network file system.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = network_file_system(folder).map_err(|error| {
        Error::new(Kind::FixSettings, format!("ledger `{}`: its folder cannot be looked at: {error}", path.display()))
            .with_hint("see that the folder exists and may be entered")
            .with_source(error)
    })?;
    found.map_or(Ok(()), |name| Err(refused(path, name)))
}

/// The name of the network file system that a folder is on; `None` on a local disk.
///
/// # Errors
/// When the folder is not there or cannot be looked at.
#[cfg(target_os = "linux")]
pub fn network_file_system(folder: &Path) -> std::io::Result<Option<&'static str>> {
    let found = rustix::fs::statfs(folder)?;
    // The field is signed on some machines and narrower on others; the magic numbers are 32 bits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the magic numbers have 32 bits")]
    Ok(name(found.f_type as u32))
}

/// Other systems do not tell the kind of a file system in this way.
#[cfg(not(target_os = "linux"))]
pub fn network_file_system(_folder: &Path) -> std::io::Result<Option<&'static str>> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn name(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB/CIFS",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x0bd0_0bd0 => "Lustre",
        0x7375_7245 => "Coda",
        _ => return None,
    })
}

fn refused(path: &Path, name: &str) -> Error {
    let message = format!("ledger `{}`: expected a local disk, found the network file system {name}", path.display());
    Error::new(Kind::FixSettings, message).with_hint(
        "SQLite's locks do not hold there; set `path` in [ledger] of `stillhouse.toml` to one on a local disk",
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn network_file_systems_are_refused_by_name() {
        let path = Path::new("/mnt/share/ledger.db");
        for (magic, name) in
            [(0x6969, "NFS"), (0xff53_4d42, "SMB/CIFS"), (0xfe53_4d42, "SMB/CIFS"), (0x6573_5546, "FUSE")]
        {
            let error = refused(path, super::name(magic).unwrap());
            assert_eq!(error.kind(), Kind::FixSettings);
            assert!(error.to_string().ends_with(name), "{error}");
            assert!(error.hint().unwrap().contains("local disk"));
        }
    }

    #[test]
    fn local_file_systems_are_taken() {
        for magic in [
            0xef53,      /* ext4 */
            0x5846_5342, /* XFS */
            0x9123_683e, /* Btrfs */
            0x0102_1994, /* tmpfs */
        ] {
            assert_eq!(name(magic), None);
        }
        check(Path::new("Cargo.toml")).unwrap();
    }
}
