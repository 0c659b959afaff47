//! Members of zip archives: which there are, and the bytes of one.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stillhouse_decode::{ByteSource, SharedSource};
use stillhouse_spec::ObjectVersion;
use stillhouse_unpack::{Archive, Ignored, Limits, ReadAt};

use super::raw::OpenError;

/// What an archive holds.
pub(crate) struct Members {
    /// A version for each member: the archive's, with name and size of the member.
    pub(crate) versions: Vec<ObjectVersion>,
    /// What was passed over: folders, hidden files, markers.
    pub(crate) ignored: Ignored,
}

/// Whether an object is listed by its members: by its name, so that listing a folder reads no other file.
pub(crate) fn is_archive(key: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("zip"))
}

/// Lists the members of an archive. Blocks on the store.
pub(crate) fn members(
    object: &dyn SharedSource,
    version: &ObjectVersion,
    limits: &Limits,
) -> Result<Members, OpenError> {
    let bytes = Stored::new(object);
    let archive = Archive::open(&bytes, limits).map_err(OpenError::unpack)?;
    let of = |member: &stillhouse_unpack::Member| ObjectVersion {
        member: member.name().to_owned(),
        size: member.unpacked_bytes(),
        ..version.clone()
    };
    Ok(Members { versions: archive.members().iter().map(of).collect(), ignored: archive.ignored() })
}

/// The directory of the archive that was opened last: its members are mostly loaded one after the other.
#[derive(Default)]
pub struct Archives(Mutex<Option<(ObjectVersion, Arc<Archive>)>>);

impl Archives {
    /// The directory of an object version, which `object` is. Blocks on the store.
    pub(super) fn of(
        &self,
        version: &ObjectVersion,
        object: &dyn SharedSource,
        limits: &Limits,
    ) -> Result<Arc<Archive>, OpenError> {
        let whole = ObjectVersion { member: String::new(), size: 0, ..version.clone() };
        if let Some((_, archive)) = self.lock().as_ref().filter(|(known, _)| *known == whole) {
            return Ok(Arc::clone(archive));
        }
        let archive = Arc::new(Archive::open(&Stored::new(object), limits).map_err(OpenError::unpack)?);
        *self.lock() = Some((whole, Arc::clone(&archive)));
        Ok(archive)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(ObjectVersion, Arc<Archive>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of an object, for whoever reads them in any order.
pub(super) struct Stored<'o> {
    reader: Mutex<Box<dyn ByteSource + Send + 'o>>,
    length: u64,
}

impl<'o> Stored<'o> {
    pub(super) fn new(object: &'o dyn SharedSource) -> Self {
        let reader = object.reader();
        Self { length: reader.len(), reader: Mutex::new(reader) }
    }
}

impl ReadAt for Stored<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.read_at(offset, buf).map_err(io::Error::other)
    }
}

/// Bytes that may be read in any order, from the first to the last.
pub(super) struct Stream<'o> {
    pub(super) reader: Box<dyn ByteSource + Send + 'o>,
    pub(super) at: u64,
}

impl io::Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read_at(self.at, buf).map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}
