//! Files that somebody names to have them looked at: out of their packing, in UTF-8, and archives by their members.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use stillhouse_decode::{ByteSource, SharedSource as _, SourceError};
use stillhouse_ingest::{FileMembers, LocalFile, Look, LookedAt, OpenError};
use stillhouse_sniff::{Input, Opened, Unopened, Wrapping, inside};
use stillhouse_spec::TextEncoding;

use crate::failure::Failure;
use crate::surroundings;
use crate::text::plural;

/// A file, or a member of an archive.
#[derive(Debug, Clone)]
pub struct NamedFile {
    /// Where it is.
    place: PathBuf,
    /// The member of the archive there; empty for a file that is none.
    member: String,
    /// Its path as a source names it.
    path: String,
    /// Its path as the user named it.
    pub shown: String,
    /// It lies outside of the project.
    outside: bool,
    /// The year of its last change.
    pub modified_year: i16,
    /// How many bytes are stored; of a member of an archive, how many the archive has.
    stored_bytes: u64,
    /// The first member of its archive, or a file that is none.
    is_first: bool,
}

impl NamedFile {
    /// Its path as a source names it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes that are stored, of an archive with its first member.
    pub fn own_bytes(&self) -> u64 {
        if self.is_first { self.stored_bytes } else { 0 }
    }

    /// The files that a user's path means: itself, or the members of an archive. `directory` is the folder of the project,
    /// and `root` the same as an absolute path, if it is one.
    pub fn all(named: &Path, directory: &Path, root: Option<&Path>) -> Result<Vec<Self>, Failure> {
        let shown = named.display().to_string();
        let place = if named.exists() { named.to_owned() } else { directory.join(named) };
        let unreadable = |error: std::io::Error| {
            let failure = Failure::usage(format!("`{shown}` cannot be opened")).because(&error);
            match error.kind() {
                std::io::ErrorKind::NotFound => failure.hint("name a file, relative to here or to the project folder"),
                _ => failure,
            }
        };
        let metadata = place.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Failure::usage(format!("`{shown}` is a folder"))
                .hint(format!("name files in it, for example `stillhouse sniff {shown}/*.csv`")));
        }
        let opened = LocalFile::open(&place).map_err(unreadable)?;
        let modified = metadata.modified().map_err(unreadable)?;
        let modified = jiff::Timestamp::try_from(modified).unwrap_or_default();
        let (path, outside) = key(named, &place, root);
        let modified_year = modified.to_zoned(jiff::tz::TimeZone::UTC).year();
        let (member, stored_bytes) = (String::new(), opened.length());
        let file = Self { place, member, path, shown, outside, modified_year, stored_bytes, is_first: true };
        file.with_members(&opened)
    }

    /// The members in place of an archive.
    fn with_members(self, opened: &LocalFile) -> Result<Vec<Self>, Failure> {
        let Some(FileMembers { names, ignored }) = FileMembers::of(opened, &self.path) else { return Ok(vec![self]) };
        if names.is_empty() {
            let passed = match ignored {
                0 => "it is empty".to_owned(),
                some => format!("it has {}: folders, hidden files, markers", plural(some, "entry")),
            };
            return Err(Failure::failed(format!(
                "`{}`: the archive has no member that would be loaded; {passed}",
                self.shown
            ))
            .hint("name another file, or pack the files once more"));
        }
        let member = |(number, name): (usize, String)| Self {
            shown: format!("{}!{name}", self.shown),
            member: name,
            is_first: number == 0,
            ..self.clone()
        };
        Ok(names.into_iter().enumerate().map(member).collect())
    }
}

/// The path of a file as a source names it, and whether the file lies elsewhere.
fn key(named: &Path, place: &Path, root: Option<&Path>) -> (String, bool) {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    if let Some(root) = root {
        let absolute = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        return match absolute.strip_prefix(root) {
            Ok(inner) => (text(inner), false),
            Err(_) => (inside(&text(named)), true),
        };
    }
    let plain: PathBuf = named.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    let below = plain.is_relative() && !plain.components().any(|part| part == std::path::Component::ParentDir);
    if below { (text(&plain), false) } else { (inside(&text(named)), false) }
}

/// Where unpacked files lie while they are looked at: in the project, else where this machine has temporary files.
pub fn spill_folder(root: Option<&Path>) -> PathBuf {
    root.map_or_else(surroundings::temporary_folder, |root| root.join(".stillhouse/spill"))
}

/// Opens files. What was unpacked last is kept, because it is looked at several times.
pub struct Desk<'a> {
    folder: &'a Path,
    enough: Option<u64>,
    last: RefCell<Option<Kept<'a>>>,
}

struct Kept<'a> {
    shown: &'a str,
    encoding: TextEncoding,
    file: Rc<LookedAt<'a>>,
}

impl<'a> Desk<'a> {
    /// Unpacks into `folder`, of texts no more than so many bytes.
    pub fn new(folder: &'a Path, enough: Option<u64>) -> Self {
        Self { folder, enough, last: RefCell::new(None) }
    }

    /// A file as `sniff` takes it.
    pub fn input<'d>(&'d self, file: &'a NamedFile) -> Input<'d> {
        Input {
            path: file.path.clone(),
            member: file.member.clone(),
            shown: file.shown.clone(),
            outside: file.outside,
            modified_year: file.modified_year,
            open: Box::new(move |encoding| self.open(file, encoding)),
        }
    }

    /// Opens a file, with its text in that encoding.
    pub fn open<'d>(&'d self, file: &'a NamedFile, encoding: TextEncoding) -> Result<Opened<'d>, Unopened> {
        let looked_at = self.looked_at(file, encoding)?;
        let wrapping = Wrapping {
            packing: looked_at.packing().map(str::to_owned),
            encoding: looked_at.encoding(),
            stored_bytes: file.stored_bytes,
            is_cut: looked_at.is_cut(),
        };
        Ok(Opened { bytes: Box::new(Reader(looked_at)), wrapping })
    }

    fn looked_at(&self, file: &'a NamedFile, encoding: TextEncoding) -> Result<Rc<LookedAt<'a>>, Unopened> {
        let mut last = self.last.borrow_mut();
        if let Some(kept) = last.as_ref().filter(|kept| kept.shown == file.shown && kept.encoding == encoding) {
            return Ok(Rc::clone(&kept.file));
        }
        // Room for the next one: both could be large.
        *last = None;
        let stored = LocalFile::open(&file.place).map_err(|error| unopened(OpenError::Disk(error)))?;
        let (enough, folder, name) = (self.enough, self.folder, surroundings::new_id());
        let look = Look { member: &file.member, encoding, enough, folder, name };
        let looked_at = Rc::new(LookedAt::open(stored, look).map_err(unopened)?);
        *last = Some(Kept { shown: &file.shown, encoding, file: Rc::clone(&looked_at) });
        Ok(looked_at)
    }
}

fn unopened(error: OpenError) -> Unopened {
    match error {
        OpenError::Held { message, hint } => {
            Unopened { message, hint: Some(hint.unwrap_or_else(|| "send the file again".to_owned())) }
        }
        other => Unopened { message: other.to_string(), hint: None },
    }
}

/// Reads a file that others may be reading as well.
struct Reader<'a>(Rc<LookedAt<'a>>);

impl ByteSource for Reader<'_> {
    fn len(&self) -> u64 {
        self.0.reader().len()
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        self.0.reader().read_at(offset, buf)
    }
}
