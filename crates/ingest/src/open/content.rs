//! An object as the decoder wants it: its one file, or the parts of a folder, each of them plain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stillhouse_decode::{PartFiles, SharedSource, SourceError};
use stillhouse_spec::{Choice, ObjectVersion, Source};

use super::plain::{Facts, Opening, Partial, Plain, Settings};
use super::raw::{OnBytes, OpenError, OpenObject};
use crate::context::Ingest;
use crate::folder::{Folder, part_name};

/// What is to be read. A part is unpacked when its turn comes, and forgotten when the next one has it.
pub(crate) struct Content<'a> {
    ingest: &'a Ingest,
    source: &'a Source,
    object: &'a ObjectVersion,
    runtime: tokio::runtime::Handle,
    opening: Opening<'a>,
    files: Vec<StoredFile>,
    state: Mutex<State<'a>>,
}

/// A file of the object as it is stored.
struct StoredFile {
    /// Empty where it is the object.
    name: String,
    bytes: Arc<OpenObject>,
}

#[derive(Default)]
struct State<'a> {
    /// The file that was opened last.
    last: Option<(usize, Arc<Plain<'a, OpenObject>>)>,
    /// What was found out about files, of those about which there is something to say.
    facts: BTreeMap<usize, Facts>,
}

/// What was found out about an object while it was read.
#[derive(Default)]
pub(crate) struct Found {
    /// `packing`, `encoding`, `parts`.
    pub(crate) decided: Vec<(String, Choice<String>)>,
    pub(crate) warnings: Vec<String>,
    /// What is left where packed files break off and the records before are wanted.
    pub(crate) partials: Vec<Partial>,
}

impl<'a> Content<'a> {
    /// Opens an object of `source`, and the first of its files. `on_bytes` hears of every byte that is read for the first
    /// time. Blocks on store and disk.
    pub(crate) fn open(
        ingest: &'a Ingest,
        source: &'a Source,
        object: &'a ObjectVersion,
        runtime: &tokio::runtime::Handle,
        on_bytes: &OnBytes,
    ) -> Result<Self, OpenError> {
        let runtime = runtime.clone();
        let state = Mutex::default();
        let settings = Settings::of(source);
        let opening = Opening { settings, member: None, folder: &ingest.spill, name: ingest.new_id() };
        let mut content = Self { ingest, source, object, runtime, opening, files: Vec::new(), state };
        let parts = if content.is_folder() { content.listed()? } else { vec![object.clone()] };
        for part in &parts {
            let (store, runtime, stop) = (&content.ingest.store, &content.runtime, &content.ingest.stop);
            let bytes = OpenObject::new(Arc::clone(store), part, runtime.clone(), stop.clone(), Arc::clone(on_bytes))?;
            let name = if content.is_folder() { part_name(part).to_owned() } else { String::new() };
            content.files.push(StoredFile { name, bytes: Arc::new(bytes) });
        }
        if !object.member.is_empty() {
            let (bytes, limits) = (&*content.files[0].bytes, &content.opening.settings.limits);
            content.opening.member = Some((ingest.archives.of(object, bytes, limits)?, object.member.as_str()));
        }
        content.plain(0)?;
        Ok(content)
    }

    fn is_folder(&self) -> bool {
        self.source.path.is_of_folders()
    }

    /// The parts of the folder, if it is the listed version.
    fn listed(&self) -> Result<Vec<ObjectVersion>, OpenError> {
        if self.ingest.stop.is_cancelled() {
            return Err(OpenError::Cancelled);
        }
        let listing = Folder::list(&self.ingest.store, self.source, &self.object.key);
        let folder = match self.runtime.block_on(listing) {
            Ok(folder) => folder,
            Err(object_store::Error::NotFound { .. }) => return Err(OpenError::Removed),
            Err(error) => return Err(OpenError::Store(error)),
        };
        match folder.problem() {
            _ if !folder.is_object() => Err(OpenError::Removed),
            _ if folder.writing.is_some() || folder.version().etag != self.object.etag => Err(OpenError::Changed),
            Some(problem) => Err(OpenError::Held { message: problem.message, hint: Some(problem.hint) }),
            None => Ok(folder.parts),
        }
    }

    /// Checks that the object is still the listed version, and gives the digest of its bytes (BLAKE3, hex): of those that
    /// are stored, or of a member. Of a folder it is the digest of the digests of its parts, which does not depend on their
    /// names: programs that write the same rows again give them new ones.
    pub(crate) fn finish(self) -> Result<String, OpenError> {
        if self.is_folder() {
            let mut hasher = blake3::Hasher::new();
            for file in &self.files {
                hasher.update(file.bytes.digest()?.as_bytes());
                file.bytes.rest();
            }
            self.listed()?;
            return Ok(hasher.finalize().to_hex().to_string());
        }
        let member = self.lock().facts.get(&0).and_then(|facts| facts.digest.clone());
        let [file] = self.files.as_slice() else { return Err(OpenError::Removed) };
        match member {
            Some(digest) => file.bytes.check().map(|()| digest),
            None => file.bytes.finish(),
        }
    }

    /// Bytes of a file of the object, unpacked; fewer, if it ends before or is not there.
    pub(crate) fn range(&self, part: &str, offset: u64, bytes: u64) -> Result<Vec<u8>, OpenError> {
        match self.files.iter().position(|file| file.name == part) {
            Some(number) => self.plain(number)?.range(offset, bytes),
            None => Ok(Vec::new()),
        }
    }

    /// What was found out about all files that have been read.
    pub(crate) fn found(&self) -> Found {
        let mut found = Found::default();
        let mut decided: BTreeMap<String, Vec<&Choice<String>>> = BTreeMap::new();
        let state = self.lock();
        for (number, facts) in &state.facts {
            let name = &self.files[*number].name;
            facts.decided.iter().for_each(|(what, choice)| decided.entry(what.clone()).or_default().push(choice));
            let of =
                |warning: &String| if name.is_empty() { warning.clone() } else { format!("part `{name}`: {warning}") };
            found.warnings.extend(facts.warnings.iter().map(of));
            found
                .partials
                .extend(facts.partial.iter().map(|partial| Partial { part: name.clone(), ..partial.clone() }));
        }
        let count = self.files.len();
        found.decided = decided.into_iter().map(|(what, choices)| (what, together(&choices, count))).collect();
        if self.is_folder() {
            found.decided.push(("parts".to_owned(), Choice::detected(count.to_string())));
        }
        found
    }

    /// A file out of its packing.
    fn plain(&self, number: usize) -> Result<Arc<Plain<'a, OpenObject>>, OpenError> {
        let mut state = self.lock();
        match state.last.take() {
            Some((last, plain)) if last == number => {
                state.last = Some((last, Arc::clone(&plain)));
                return Ok(plain);
            }
            Some((last, _)) => self.files[last].bytes.rest(),
            None => {}
        }
        let name = format!("{}.{number}", self.opening.name);
        let (plain, facts) =
            Plain::open(Arc::clone(&self.files[number].bytes), &Opening { name, ..self.opening.clone() })
                .map_err(|error| self.of_part(number, error))?;
        if !facts.is_empty() {
            state.facts.insert(number, facts);
        }
        let plain = Arc::new(plain);
        state.last = Some((number, Arc::clone(&plain)));
        Ok(plain)
    }

    /// The error says of which part it is.
    fn of_part(&self, number: usize, error: OpenError) -> OpenError {
        match (error, self.files[number].name.as_str()) {
            (OpenError::Held { message, hint }, name) if !name.is_empty() => {
                OpenError::Held { message: format!("part `{name}`: {message}"), hint }
            }
            (error, _) => error,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartFiles for Content<'_> {
    fn count(&self) -> usize {
        self.files.len()
    }

    fn name(&self, part: usize) -> &str {
        &self.files[part].name
    }

    fn open(&self, part: usize) -> Result<Arc<dyn SharedSource + '_>, SourceError> {
        Ok(self.plain(part)?)
    }
}

/// What was decided about so many files: once, where it is the same for all of them.
fn together(choices: &[&Choice<String>], count: usize) -> Choice<String> {
    let first = choices[0];
    if choices.len() == count && choices.iter().all(|choice| *choice == first) {
        return first.clone();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    choices.iter().for_each(|choice| *counts.entry(&choice.value).or_default() += 1);
    let words: Vec<String> = counts.iter().map(|(value, of)| format!("{value} in {of} of {count} parts")).collect();
    Choice { value: words.join(", "), origin: first.origin }
}
