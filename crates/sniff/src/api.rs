//! What a caller passes in and gets back.

use serde::Serialize;
use stillhouse_decode::ByteSource;
use stillhouse_spec::TextEncoding;
use stillhouse_unpack::Detected;

/// A file to look at.
pub struct Input<'a> {
    /// Its path relative to the project folder, with `/` between folders: what the path of the source is made of.
    pub path: String,
    /// The member of the archive at that path; empty for a file that is none.
    pub member: String,
    /// Its path as messages name it.
    pub shown: String,
    /// It lies elsewhere, and has to be put at `path` before it can be loaded.
    pub outside: bool,
    /// The year of its last change: dates without a year take it from there.
    pub modified_year: i16,
    /// Opens it, with its text in that encoding; asked for several times, one after the other.
    pub open: Box<dyn Fn(TextEncoding) -> Result<Opened<'a>, Unopened> + 'a>,
}

impl<'a> Input<'a> {
    /// The same file. With an encoding it is read under that and no other.
    pub(crate) fn again<'i>(&'i self, encoding: Option<TextEncoding>) -> Input<'i>
    where
        'a: 'i,
    {
        Input {
            path: self.path.clone(),
            member: self.member.clone(),
            shown: self.shown.clone(),
            outside: self.outside,
            modified_year: self.modified_year,
            open: Box::new(move |asked| (self.open)(encoding.unwrap_or(asked))),
        }
    }
}

/// A file out of its packing, and its text in UTF-8.
pub struct Opened<'a> {
    /// What is in it.
    pub bytes: Box<dyn ByteSource + 'a>,
    /// What was taken off.
    pub wrapping: Wrapping,
}

/// What a file was in before its records could be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrapping {
    /// What it is packed in, in words: `gzip`, `zip`, `gzip in zip`.
    pub packing: Option<String>,
    /// What its text says about its encoding; nothing where that was asked for, or there is no text.
    pub encoding: Option<Detected>,
    /// How many bytes are stored; of a member of an archive, how many the archive has.
    pub stored_bytes: u64,
    /// Only the beginning was unpacked, because more is not looked at.
    pub is_cut: bool,
}

/// Why a file cannot be opened.
#[derive(Debug)]
pub struct Unopened {
    /// What is wrong.
    pub message: String,
    /// The next step, where a person has to mend the file.
    pub hint: Option<String>,
}

/// How to look.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the source; without one it is made of the file's.
    pub name: Option<String>,
    /// So many bytes of a file are looked at.
    pub bytes_max: u64,
}

/// So many bytes of a file are looked at, unless the caller says otherwise.
pub const BYTES_MAX_DEFAULT: u64 = 1 << 30;

impl Default for Options {
    fn default() -> Self {
        Self { name: None, bytes_max: BYTES_MAX_DEFAULT }
    }
}

/// A source that loads the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The name of the source, and of its table.
    pub name: String,
    /// The text of `sources/NAME.toml`.
    pub source: String,
    /// What was looked at.
    pub files: Vec<FileFacts>,
    /// The columns, in the order of the source file.
    pub columns: Vec<ColumnFacts>,
    /// What was decided and why; doubts first.
    pub notes: Vec<Note>,
}

impl Proposal {
    /// What only a person can know.
    pub fn doubts(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.doubt)
    }
}

/// What a trial with the proposal came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// Its path as messages name it.
    pub path: String,
    /// What it is packed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packing: Option<String>,
    /// How its text is encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// Its length: unpacked, and in UTF-8. Of a long file that is packed, of as much as was unpacked.
    pub bytes: u64,
    /// How much of it was looked at.
    pub read_bytes: u64,
    /// Records and blank lines.
    pub read: u64,
    /// Records that the proposal loads.
    pub loaded: u64,
    /// Records that it refuses.
    pub refused: u64,
    /// Blank lines.
    pub blank: u64,
}

/// A proposed column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnFacts {
    /// The table of the objects of an array, if it is a column of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Its name in the table.
    pub name: String,
    /// What the header calls it, or the way to it inside of a record; empty without a header.
    pub header: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Records without a value are refused.
    pub required: bool,
    /// It seems to hold personal data.
    pub pii: bool,
    /// Values that were looked at.
    pub values: u64,
    /// Records without a value.
    pub missing: u64,
}

/// Where in the source file a note belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The files as a whole.
    Files,
    /// `[source]`: the path.
    Path,
    /// `[source]`: the encoding.
    Encoding,
    /// `[csv]` or `[json]`
    Csv,
    /// `[table]`
    Table,
    /// A column, by its number among the columns of all tables.
    Column(usize),
    /// `[[child]]`
    Child,
    /// `[[child]]` with columns, by its number.
    Nested(usize),
}

/// A decision with its evidence, or a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Only a person can know whether it is right.
    pub doubt: bool,
    /// What it is about: `delimiter`, `type of date`.
    pub about: String,
    /// What was decided, and why.
    pub text: String,
    /// Where it belongs.
    #[serde(skip)]
    pub place: Place,
    /// It stands in the source file as a comment.
    #[serde(skip)]
    pub commented: bool,
}

/// Notes under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(pub(crate) Vec<Note>);

impl Notes {
    fn push(&mut self, place: Place, about: impl Into<String>, text: impl Into<String>, doubt: bool, commented: bool) {
        self.0.push(Note { doubt, about: about.into(), text: text.into(), place, commented });
    }

    /// What only a person can know; it stands in the source file, too.
    pub(crate) fn doubt(&mut self, place: Place, about: impl Into<String>, text: impl Into<String>) {
        self.push(place, about, text, true, true);
    }

    /// A decision that is worth a comment in the source file.
    pub(crate) fn remark(&mut self, place: Place, about: impl Into<String>, text: impl Into<String>) {
        self.push(place, about, text, false, true);
    }

    /// A decision that only an explanation tells.
    pub(crate) fn found(&mut self, place: Place, about: impl Into<String>, text: impl Into<String>) {
        self.push(place, about, text, false, false);
    }

    /// Doubts first, then in the order of the source file.
    pub(crate) fn finish(mut self) -> Vec<Note> {
        self.0.sort_by_key(|note| (!note.doubt, note.place.clone()));
        self.0
    }
}
