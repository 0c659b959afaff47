//! An archive: its members, without those that are nobody's data.

use super::directory::{ENTRY_BYTES, Entry, LOCAL_BYTES, Method, entry_bytes};
use super::member::{Member, MemberBytes};
use super::name::{self, Ignored};
use super::{ReadAt, end, wrong};
use crate::error::Error;
use crate::limits::Limits;
use crate::shown::name as shown;
use crate::window::Window;

/// The fixed part of an entry, and the longest name, extra fields and comment.
const ENTRY_BYTES_MAX: usize = ENTRY_BYTES + 3 * 65_535;

/// A zip archive whose directory was read and holds together.
///
/// It does not keep the source: each [`Member`] is unpacked from one that the caller gives, so that several can be
/// unpacked side by side.
#[derive(Debug, Clone)]
pub struct Archive {
    members: Vec<Member>,
    ignored: Ignored,
}

impl Archive {
    /// Reads the directory at the end of `source`. Memory is bounded by [`Limits::members_max`] names.
    ///
    /// # Errors
    ///
    /// The archive is refused as a whole when it has more members than allowed; when its members say to be larger than
    /// the limits together; when it is cut, encrypted, or split; when members overlap; when a name leads out of the
    /// archive, is absolute, is no UTF-8, has backslashes, control characters or `!`, or appears twice; when a member is
    /// a link, or packed in a way that is not known; and when it contradicts itself.
    pub fn open<S: ReadAt + ?Sized>(source: &S, limits: &Limits) -> Result<Self, Error> {
        let directory = end::find(source, limits)?;
        let bytes = MemberBytes::new(source, directory.offset, directory.bytes);
        let mut window = Window::new(bytes, ENTRY_BYTES_MAX);
        let mut found = Found::default();
        for _ in 0..directory.entries {
            window.fill(ENTRY_BYTES)?;
            let damaged = || wrong("the directory of the zip archive has fewer members than its end record says");
            let fixed = window.bytes().get(..ENTRY_BYTES).ok_or_else(damaged)?;
            let bytes = entry_bytes(fixed, limits)?;
            window.fill(bytes)?;
            let entry = window.bytes().get(..bytes).ok_or_else(damaged)?;
            found.add(&Entry::read(entry)?)?;
            window.take(bytes);
        }
        window.fill(1)?;
        if !window.bytes().is_empty() {
            return Err(wrong("the directory of the zip archive has more members than its end record says"));
        }
        found.into_archive(directory.offset, source.len(), limits)
    }

    /// The members that are data, sorted by name.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let at = self.members.binary_search_by(|member| member.name().cmp(name)).ok()?;
        Some(&self.members[at])
    }

    /// What is not data.
    pub fn ignored(&self) -> Ignored {
        self.ignored
    }
}

/// What was found in the directory so far.
#[derive(Default)]
struct Found {
    members: Vec<Member>,
    ignored: Ignored,
    /// Names of what is ignored, because they may not appear twice either.
    ignored_names: Vec<String>,
    /// Where each entry begins, and the least that it takes from there, by its index among all of them.
    extents: Vec<Extent>,
}

struct Extent {
    from: u64,
    to: u64,
    /// Index of the member, if it is one.
    member: Option<usize>,
}

impl Found {
    fn add(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let name = name::text(entry.raw_name, entry.unicode_path)?;
        name::check(&name)?;
        if entry.is_folder() && entry.unpacked_bytes > 0 {
            return Err(wrong(format!("the folder {} in the zip archive has bytes", shown(entry.raw_name))));
        }
        let least = (LOCAL_BYTES + entry.raw_name.len()) as u64;
        let to = entry.local_at.checked_add(least).and_then(|to| to.checked_add(entry.packed_bytes));
        let Some(to) = to else { return Err(overlap(&name)) };
        let mut extent = Extent { from: entry.local_at, to, member: None };
        if self.ignored.takes(&name, entry.is_folder()) {
            self.ignored_names.push(name);
        } else {
            name::check_mark(&name)?;
            let method = Method::of(entry.method).map_err(|method| {
                let message = format!("{} in the zip archive is packed by {method}", shown(entry.raw_name));
                Error::data(message, "make the archive with deflate, zstd or bzip2")
            })?;
            extent.member = Some(self.members.len());
            self.members.push(Member::new(name, entry, method));
        }
        self.extents.push(extent);
        Ok(())
    }

    fn into_archive(mut self, directory_at: u64, length: u64, limits: &Limits) -> Result<Archive, Error> {
        self.check_names()?;
        self.give_room(directory_at)?;
        let mut unpacked = 0_u64;
        for member in &self.members {
            unpacked = unpacked.saturating_add(member.unpacked_bytes());
        }
        limits.check(length, unpacked)?;
        self.members.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        Ok(Archive { members: self.members, ignored: self.ignored })
    }

    fn check_names(&self) -> Result<(), Error> {
        let mut names: Vec<&str> = self.members.iter().map(Member::name).collect();
        names.extend(self.ignored_names.iter().map(String::as_str));
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(wrong(format!("the zip archive has {} twice", shown(pair[0].as_bytes())))),
            None => Ok(()),
        }
    }

    /// Each entry has the room up to the next one. One that needs more would unpack the same bytes again, which is how
    /// small archives become very large.
    fn give_room(&mut self, directory_at: u64) -> Result<(), Error> {
        self.extents.sort_unstable_by_key(|extent| extent.from);
        let ends = self.extents.iter().skip(1).map(|extent| extent.from).chain([directory_at]).collect::<Vec<_>>();
        for (extent, end) in self.extents.iter().zip(ends) {
            let member = extent.member.map(|at| &mut self.members[at]);
            if extent.to > end {
                let name = member.map_or_else(|| "an ignored entry".to_owned(), |member| member.name().to_owned());
                return Err(overlap(&name));
            }
            if let Some(member) = member {
                member.set_room_end(end);
            }
        }
        Ok(())
    }
}

fn overlap(name: &str) -> Error {
    wrong(format!("{} in the zip archive overlaps something else, or the directory", shown(name.as_bytes())))
}
