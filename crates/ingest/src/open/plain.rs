//! One stored file as the decoder wants it: out of its packing, and in UTF-8.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use stillhouse_decode::{ByteSource, SharedSource};
use stillhouse_spec::{Choice, InputFormat, OnBroken, Source, TextEncoding};
use stillhouse_unpack::{
    Archive, Broken, Cause, Confidence, Detected, Encoding, End, Limits, Packing, Transcoder, Unpacked, Unpacker,
    detect, recognise,
};

use super::archive::{Stored, Stream};
use super::raw::OpenError;
use super::spill::Spill;

/// So many bytes tell the encoding.
const HEAD_BYTES: usize = 64 << 10;
/// How a Parquet file begins.
const PARQUET_MARK: &[u8] = b"PAR1";
/// What every office document has in it, which is a zip archive besides.
const OFFICE_MEMBER: &str = "[Content_Types].xml";
/// Texts are made UTF-8 in pieces of this size.
const PIECE_BYTES: usize = 512 << 10;

/// How an object is opened.
#[derive(Clone)]
pub(crate) struct Opening<'a> {
    pub(crate) settings: Settings,
    /// It is a member of this archive, by this name.
    pub(crate) member: Option<(Arc<Archive>, &'a str)>,
    /// Where files without a name may be made, …
    pub(crate) folder: &'a Path,
    /// … and the beginning of the names that they have for a moment.
    pub(crate) name: String,
}

/// What a source says about opening its objects.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) encoding: TextEncoding,
    pub(crate) on_broken: OnBroken,
    /// Whether its records are text; `None`: as it begins.
    pub(crate) is_text: Option<bool>,
    /// It is a part of a folder.
    pub(crate) is_part: bool,
    /// So many bytes of a text are enough, because somebody only looks at it; `None`: all of them are wanted.
    pub(crate) enough: Option<u64>,
}

impl Settings {
    /// For loading.
    pub(crate) fn of(source: &Source) -> Self {
        Self {
            limits: limits(source),
            encoding: source.encoding,
            on_broken: source.on_broken,
            is_text: Some(source.format != InputFormat::Parquet),
            is_part: source.path.is_of_folders(),
            enough: None,
        }
    }
}

/// The bytes for the decoder.
pub(super) struct Plain<'a, O> {
    object: Arc<O>,
    unpacked: Option<Spill<'a>>,
}

/// What was found out about a file on the way.
#[derive(Default)]
pub(super) struct Facts {
    /// Of a member of an archive: the digest of its bytes.
    pub(super) digest: Option<String>,
    /// `packing`, `encoding`.
    pub(super) decided: Vec<(String, Choice<String>)>,
    pub(super) warnings: Vec<String>,
    /// What is left where a packed object breaks off and the records before are wanted.
    pub(super) partial: Option<Partial>,
    /// What the text says about its encoding, if it was asked.
    pub(super) encoding: Option<Detected>,
    /// There is more, but this was enough.
    pub(super) is_cut: bool,
}

impl Facts {
    /// There is nothing to say about what was loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.digest.is_none() && self.decided.is_empty() && self.warnings.is_empty() && self.partial.is_none()
    }
}

/// The beginning of a record whose end is missing.
#[derive(Clone)]
pub(crate) struct Partial {
    /// The part of a folder that breaks off; else empty.
    pub(crate) part: String,
    /// Where it begins in the unpacked file, …
    pub(crate) offset: u64,
    /// … and on which line, from 1.
    pub(crate) line: u64,
    pub(crate) bytes: Vec<u8>,
    /// Why it ends.
    pub(crate) why: String,
}

/// A file that is being looked at.
struct Looking<'a, O> {
    plain: Plain<'a, O>,
    facts: Facts,
    /// Its packing breaks off here, and what comes before is wanted.
    broken: Option<Broken>,
}

impl<'a, O: SharedSource + Send> Plain<'a, O> {
    /// Looks what the file is packed in and how its text is encoded, and unpacks it. Blocks on store and disk.
    pub(super) fn open(object: Arc<O>, opening: &Opening<'a>) -> Result<(Self, Facts), OpenError> {
        let plain = Self { object, unpacked: None };
        let mut looking = Looking { plain, facts: Facts::default(), broken: None };
        looking.unpack(opening)?;
        let is_text = match opening.settings.is_text {
            Some(is_text) => is_text,
            None => looking.plain.range(0, PARQUET_MARK.len() as u64)? != PARQUET_MARK,
        };
        if is_text {
            looking.transcode(opening)?;
        }
        looking.cut()?;
        Ok((looking.plain, looking.facts))
    }

    /// Bytes of the unpacked file; fewer, if it ends before.
    pub(super) fn range(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, OpenError> {
        let mut into = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let mut reader = self.reader();
        let mut filled = 0;
        while filled < into.len() {
            match reader.read_at(offset + filled as u64, &mut into[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => return Err(OpenError::of(error)),
            }
        }
        into.truncate(filled);
        Ok(into)
    }

    fn length(&self) -> u64 {
        self.reader().len()
    }
}

impl<O: SharedSource + Send> SharedSource for Plain<'_, O> {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        match &self.unpacked {
            Some(spill) => spill.reader(),
            None => self.object.reader(),
        }
    }
}

impl<'a, O: SharedSource + Send> Looking<'a, O> {
    fn unpack(&mut self, opening: &Opening<'a>) -> Result<(), OpenError> {
        let settings = &opening.settings;
        let mut spill = Spill::new(opening.folder, format!("{}.unpacked", opening.name));
        let (packing, unpacked) = if let Some((archive, name)) = &opening.member {
            let (packing, unpacked, digest) = member(&*self.plain.object, (archive, name), settings, &mut spill)?;
            self.facts.digest = Some(digest);
            (packing, unpacked)
        } else {
            let head = self.plain.range(0, stillhouse_unpack::HEAD_BYTES as u64)?;
            let packing = recognise(&head).map_err(|refused| OpenError::unpack(refused.into()))?;
            match packing {
                Packing::None => return Ok(()),
                Packing::Zip => return Err(self.zip_without_member(settings)),
                _ => (packing.to_string(), stream(&*self.plain.object, packing, settings, &mut spill)?),
            }
        };
        self.facts.decided.push(("packing".to_owned(), Choice::detected(packing)));
        self.facts.is_cut = unpacked.is_none();
        if let Some(Unpacked { end: End::Broken(broken), .. }) = unpacked {
            self.broken(broken, settings, &mut spill)?;
        }
        self.plain.unpacked = Some(spill);
        Ok(())
    }

    /// An archive that is not listed by its members: what is wrong with it, or with its name.
    fn zip_without_member(&self, settings: &Settings) -> OpenError {
        if settings.is_part {
            return OpenError::Held {
                message: "the file is a zip archive: parts of a folder are not read out of archives".to_owned(),
                hint: Some("unpack it into the folder, or pack it with gzip, zstd or bzip2".to_owned()),
            };
        }
        match Archive::open(&Stored::new(&*self.plain.object), &settings.limits) {
            Err(error) => OpenError::unpack(error),
            Ok(archive) if archive.member(OFFICE_MEMBER).is_some() => OpenError::Held {
                message: "the file is an office document".to_owned(),
                hint: Some("save the sheet in it as CSV".to_owned()),
            },
            Ok(_) => OpenError::Held {
                message: "the file is a zip archive: archives are read by their members".to_owned(),
                hint: Some("give the file a name that ends with `.zip`".to_owned()),
            },
        }
    }

    /// By policy the object is held, or what is certain is taken.
    fn broken(&mut self, broken: Broken, settings: &Settings, spill: &mut Spill<'_>) -> Result<(), OpenError> {
        let by_lines = settings.is_text != Some(false);
        if settings.on_broken == OnBroken::Hold || !by_lines {
            let hint =
                "send the file again, or set `on_broken = \"load\"` in the source file to load what comes before";
            return Err(OpenError::Held {
                message: broken.to_string(),
                hint: Some(if by_lines { hint.to_owned() } else { "send the file again".to_owned() }),
            });
        }
        self.facts.warnings.push(broken.to_string());
        if broken.cause == Cause::Follows {
            return Ok(());
        }
        spill.truncate(broken.at_unpacked);
        self.broken = Some(broken);
        Ok(())
    }

    /// Of what breaks off, all lines that are whole are taken. Looked for in UTF-8, where a line end is one byte and no part of
    /// anything else.
    fn cut(&mut self) -> Result<(), OpenError> {
        let (Some(broken), Some(spill)) = (self.broken.take(), &mut self.plain.unpacked) else { return Ok(()) };
        let whole = last_line_end(spill).map_err(OpenError::disk)?;
        let mut bytes = vec![0; usize::try_from(spill.length() - whole).unwrap_or(usize::MAX)];
        spill.read_at(whole, &mut bytes).map_err(OpenError::disk)?;
        spill.truncate(whole);
        self.facts.partial = Some(Partial {
            part: String::new(),
            offset: whole,
            line: line_ends(spill).map_err(OpenError::disk)? + 1,
            bytes,
            why: broken.to_string(),
        });
        Ok(())
    }

    /// Writes the text anew where it is not UTF-8.
    fn transcode(&mut self, opening: &Opening<'a>) -> Result<(), OpenError> {
        let (encoding, choice) = match stated(opening.settings.encoding) {
            Some(encoding) => (encoding, Choice::set(encoding.to_string())),
            None => {
                let length = self.plain.length();
                let head = self.plain.range(0, length.min(HEAD_BYTES as u64))?;
                let found = detect(&head, head.len() as u64 == length);
                self.facts.encoding = Some(found);
                if found.confidence == Confidence::Guess {
                    return Ok(());
                }
                (found.encoding, Choice::detected(found.encoding.to_string()))
            }
        };
        if matches!(encoding, Encoding::Utf8 | Encoding::Utf8Bom) {
            return Ok(());
        }
        let mut spill = Spill::new(opening.folder, format!("{}.utf8", opening.name));
        let mut transcoder = Transcoder::new(encoding);
        let (mut at, mut text) = (0, Vec::new());
        loop {
            let piece = self.plain.range(at, PIECE_BYTES as u64)?;
            if piece.is_empty() {
                break;
            }
            if opening.settings.enough.is_some_and(|enough| spill.length() >= enough) {
                self.facts.is_cut = true;
                break;
            }
            at += piece.len() as u64;
            transcoder.push(&piece, &mut text).map_err(OpenError::unpack)?;
            spill.write_all(&text).map_err(OpenError::disk)?;
            text.clear();
        }
        let done = transcoder.finish(&mut text).map_err(OpenError::unpack)?;
        spill.write_all(&text).map_err(OpenError::disk)?;
        if let Some(first) = &done.first {
            let more = if done.faults > 1 { format!(" and {} more", done.faults - 1) } else { String::new() };
            self.facts.warnings.push(format!("byte {}{more}: no character of {encoding}", first.offset));
        }
        self.facts.decided.push(("encoding".to_owned(), choice));
        self.plain.unpacked = Some(spill);
        Ok(())
    }
}

/// What a source allows.
pub(crate) fn limits(source: &Source) -> Limits {
    Limits { bytes_max: source.max_unpacked_bytes, ..Limits::default() }
}

/// What came out; `None` where there is more than was wanted.
type Poured = Option<Unpacked>;

/// Unpacks an object that is one stream.
fn stream(
    object: &dyn SharedSource,
    packing: Packing,
    settings: &Settings,
    into: &mut Spill<'_>,
) -> Result<Poured, OpenError> {
    let stored = Stream { reader: object.reader(), at: 0 };
    let unpacker = Unpacker::new(packing, stored, &settings.limits).map_err(OpenError::unpack)?;
    pour(unpacker, settings.enough, into)
}

/// Everything that comes out, or as much of a text as is enough.
fn pour<R: Read>(mut unpacker: Unpacker<R>, enough: Option<u64>, into: &mut dyn Write) -> Result<Poured, OpenError> {
    let (mut poured, mut is_text) = (0, None);
    while let Some(chunk) = unpacker.next_chunk().map_err(OpenError::unpack)? {
        // A Parquet file says at its end where everything is.
        let is_text = *is_text.get_or_insert(!chunk.starts_with(PARQUET_MARK));
        if is_text && enough.is_some_and(|enough| poured >= enough) {
            return Ok(None);
        }
        into.write_all(chunk).map_err(OpenError::disk)?;
        poured += chunk.len() as u64;
    }
    unpacker.finish().map(Some).map_err(OpenError::unpack)
}

/// Unpacks a member of an archive, and what that is packed in itself. Gives the packing in words and the digest of the member.
fn member(
    object: &dyn SharedSource,
    (archive, name): (&Archive, &str),
    settings: &Settings,
    into: &mut Spill<'_>,
) -> Result<(String, Poured, String), OpenError> {
    let (stored, limits) = (Stored::new(object), &settings.limits);
    let Some(member) = archive.member(name) else { return Err(OpenError::Removed) };
    let mut digested = Digested { into, hasher: blake3::Hasher::new() };
    let unpacker = member.reader(&stored, limits).map_err(OpenError::unpack)?;
    let unpacked = pour(unpacker, settings.enough, &mut digested)?;
    let digest = digested.hasher.finalize().to_hex().to_string();
    let mut head = vec![0; stillhouse_unpack::HEAD_BYTES];
    let count = into.read_at(0, &mut head).map_err(OpenError::disk)?;
    let inner = recognise(&head[..count]).map_err(|refused| OpenError::unpack(refused.into()))?;
    match inner {
        Packing::None => Ok(("zip".to_owned(), unpacked, digest)),
        Packing::Zip => Err(OpenError::Held {
            message: "a zip archive in a zip archive is not read".to_owned(),
            hint: Some("unpack the outer one".to_owned()),
        }),
        inner => {
            let outer = std::mem::replace(into, into.again());
            let bytes = Stream { reader: outer.reader(), at: 0 };
            let again = Unpacker::new(inner, bytes, limits).map_err(OpenError::unpack)?;
            let again = pour(again, settings.enough, into)?;
            // What was broken or cut outside is so inside.
            let is_whole = unpacked.as_ref().is_some_and(Unpacked::is_whole);
            Ok((format!("{inner} in zip"), if is_whole { again } else { unpacked }, digest))
        }
    }
}

/// Hashes what it hands on.
struct Digested<'s, 'd> {
    into: &'s mut Spill<'d>,
    hasher: blake3::Hasher,
}

impl Write for Digested<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.into.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.into.flush()
    }
}

/// Where the last line that has an end does end.
fn last_line_end(spill: &Spill<'_>) -> std::io::Result<u64> {
    let mut end = spill.length();
    let mut piece = vec![0; PIECE_BYTES];
    while end > 0 {
        let begin = end.saturating_sub(PIECE_BYTES as u64);
        let count = spill.read_at(begin, &mut piece[..usize::try_from(end - begin).unwrap_or(0)])?;
        if let Some(at) = piece[..count].iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// How many lines have an end.
fn line_ends(spill: &Spill<'_>) -> std::io::Result<u64> {
    let (mut at, mut ends) = (0, 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = spill.read_at(at, &mut piece)?;
        if count == 0 {
            return Ok(ends);
        }
        at += count as u64;
        ends += piece[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

fn stated(encoding: TextEncoding) -> Option<Encoding> {
    Some(match encoding {
        TextEncoding::Auto => return None,
        TextEncoding::Utf8 => Encoding::Utf8,
        TextEncoding::Utf16 => Encoding::Utf16,
        TextEncoding::Utf16le => Encoding::Utf16Le,
        TextEncoding::Utf16be => Encoding::Utf16Be,
        TextEncoding::Windows1252 => Encoding::Windows1252,
    })
}
