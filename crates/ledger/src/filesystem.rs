//! SQLite's locks do not hold on network file systems; two hosts would both believe to be the only writer.

use std::path::Path;

use crate::error::{Error, Kind};

/// Refuses a ledger at `path` if that is on a network file system.
#[cfg(target_os = "linux")]
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = rustix::fs::statfs(folder).map_err(|error| {
        Error::new(Kind::FixSettings, format!("ledger `{}`: its folder cannot be looked at: {error}", path.display()))
            .with_hint("see that the folder exists and may be entered")
            .with_source(error)
    })?;
    // The field is signed on some machines and narrower on others; the magic numbers are 32 bits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the magic numbers have 32 bits")]
    refuse(path, found.f_type as u32)
}

/// Other systems do not tell the kind of a file system in this way.
#[cfg(not(target_os = "linux"))]
pub(crate) fn check(_path: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn refuse(path: &Path, magic: u32) -> Result<(), Error> {
    let name = match magic {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB/CIFS",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x0bd0_0bd0 => "Lustre",
        0x7375_7245 => "Coda",
        _ => return Ok(()),
    };
    let message = format!("ledger `{}`: expected a local disk, found the network file system {name}", path.display());
    Err(Error::new(Kind::FixSettings, message)
        .with_hint("SQLite's locks do not hold there; set `ledger` in `stillhouse.toml` to a path on a local disk"))
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
            let error = refuse(path, magic).unwrap_err();
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
            refuse(Path::new("ledger.db"), magic).unwrap();
        }
        check(Path::new("Cargo.toml")).unwrap();
    }
}
