//! How far unpacking may go.

use crate::error::Error;
use crate::shown::count;

/// 1 TiB. A packed file of 100 GB that honestly grows tenfold passes; a small bomb meets [`RATIO_MAX`] long before.
pub const BYTES_MAX: u64 = 1 << 40;

/// 1,000 bytes for one. Deflate cannot do more than 1,032 for one, and comes near only with one byte repeated; CSV whose
/// rows repeat reaches several hundred.
pub const RATIO_MAX: u64 = 1_000;

/// 64 MiB, up to which no ratio is asked for: a file that small hurts nobody, however well it was packed.
pub const RATIO_FREE_BYTES: u64 = 64 << 20;

/// 128 MiB: what `zstd` itself unpacks unless it is told otherwise, so everything up to `-19`, `--ultra -22` and `--long`.
pub const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// Members of a zip archive, folders and ignored ones included.
pub const MEMBERS_MAX: u64 = 10_000;

/// Bytes of the name of a member: as many as the key of an object in a bucket may have.
pub const NAME_BYTES_MAX: u64 = 1_024;

/// What one object may take before it is refused with [`Kind::OverLimit`](crate::Kind::OverLimit).
///
/// Memory is bounded without them, by the window of zstd and by [`members_max`](Self::members_max) names; these limits
/// bound time and what the caller has to put somewhere. Packings inside each other (a member that is a gzip file) count
/// one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that come out of one object, and of all members of an archive together.
    pub bytes_max: u64,
    /// Most bytes that come out for one that went in, once more than [`ratio_free_bytes`](Self::ratio_free_bytes) came out.
    pub ratio_max: u64,
    /// Bytes that may come out before [`ratio_max`](Self::ratio_max) counts.
    pub ratio_free_bytes: u64,
    /// Largest window of a zstd frame, in bytes; so much memory may be taken.
    pub window_bytes_max: u64,
    /// Most entries of a zip archive, whatever they are.
    pub members_max: u64,
    /// Longest name of an entry, in bytes.
    pub name_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: BYTES_MAX,
            ratio_max: RATIO_MAX,
            ratio_free_bytes: RATIO_FREE_BYTES,
            window_bytes_max: WINDOW_BYTES_MAX,
            members_max: MEMBERS_MAX,
            name_bytes_max: NAME_BYTES_MAX,
        }
    }
}

impl Limits {
    /// Whether `out` bytes may come of `packed` ones.
    pub(crate) fn check(&self, packed: u64, out: u64) -> Result<(), Error> {
        if out > self.bytes_max {
            let message = format!("unpacks to more than {} bytes", count(self.bytes_max));
            return Err(Error::limit(
                message,
                "raise `max_unpacked_bytes` in the source file if it is meant to be that large",
            ));
        }
        if out > self.ratio_free_bytes && out > packed.saturating_mul(self.ratio_max) {
            let message = format!(
                "{} packed bytes unpack to {} and more: over {} for one, as no honest file does",
                count(packed),
                count(out),
                count(self.ratio_max)
            );
            return Err(Error::limit(message, "if it is to be trusted, unpack it by hand and load what comes out"));
        }
        Ok(())
    }
}
