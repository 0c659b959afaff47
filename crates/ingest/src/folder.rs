//! A folder that is one object: its files are the parts, and its version changes with each of them.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore};
use stillhouse_spec::{FOLDER_TAG, ObjectVersion, Source};

use crate::text::and_more;
use crate::version::version;

/// A folder with more parts is held: what is known of each part is in memory while the object is read.
pub(crate) const PARTS_MAX: usize = 100_000;

/// What stands in a folder that a source calls an object.
pub(crate) struct Folder {
    source: String,
    key: String,
    /// In the order of their names.
    pub(crate) parts: Vec<ObjectVersion>,
    /// What was passed over: markers, checksums, hidden files and folders.
    pub(crate) ignored: u64,
    /// `_SUCCESS` says that all of it is there.
    is_finished: bool,
    /// The entry that says that somebody is still writing, such as `_temporary`.
    pub(crate) writing: Option<String>,
    /// Folders that are no objects of the source, and are not read.
    inner: Vec<String>,
    /// The entry by which another format keeps the account of the files, such as `_delta_log`.
    log: Option<String>,
    /// The last change of whatever is in it.
    changed_at: i64,
}

/// Why a folder is not loaded, and what to do.
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Folder {
    /// Lists the folder of that key.
    pub(crate) async fn list(
        store: &Arc<dyn ObjectStore>,
        source: &Source,
        key: &str,
    ) -> Result<Self, object_store::Error> {
        let path = Path::parse(key)?;
        Ok(Self::of(source, key, &store.list_with_delimiter(Some(&path)).await?))
    }

    /// What a listing of the folder says.
    pub(crate) fn of(source: &Source, key: &str, level: &ListResult) -> Self {
        let mut folder = Self {
            source: source.name.to_string(),
            key: key.to_owned(),
            parts: Vec::new(),
            ignored: 0,
            is_finished: false,
            writing: None,
            inner: Vec::new(),
            log: None,
            changed_at: 0,
        };
        for meta in &level.objects {
            folder.add_file(meta);
        }
        for prefix in level.common_prefixes.iter().filter(|prefix| source.path.values(prefix.as_ref()).is_none()) {
            folder.add_folder(prefix.filename().unwrap_or_default());
        }
        folder.parts.sort_by(|a, b| a.key.cmp(&b.key));
        folder.inner.sort();
        folder
    }

    fn add_file(&mut self, meta: &ObjectMeta) {
        let name = meta.location.filename().unwrap_or_default();
        self.changed_at = self.changed_at.max(meta.last_modified.timestamp_micros());
        self.is_finished |= name == FINISHED;
        if name.ends_with(COPYING) {
            self.writing = Some(name.to_owned());
        } else if is_nobodys(name) {
            self.ignored += 1;
        } else {
            self.parts.push(version(&self.source, meta));
        }
    }

    fn add_folder(&mut self, name: &str) {
        if WRITING.iter().any(|writing| name.starts_with(writing)) {
            self.writing = Some(name.to_owned());
        } else if LOGS.contains(&name) {
            self.log = Some(name.to_owned());
        } else if is_nobodys(name) {
            self.ignored += 1;
        } else {
            self.inner.push(name.to_owned());
        }
    }

    /// Whether there is an object, or the beginning of one. An empty folder is none, and neither is one on the way to others.
    pub(crate) fn is_object(&self) -> bool {
        let has_more = !self.inner.is_empty() || self.writing.is_some() || self.log.is_some();
        !self.parts.is_empty() || self.is_finished || has_more
    }

    /// The version of the object: another one as soon as a part comes, goes or is changed.
    pub(crate) fn version(&self) -> ObjectVersion {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| _ = hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        for part in &self.parts {
            add(part_name(part));
            add(&part.etag);
            add(&part.size.to_string());
            // A store with tags may know the time of the same version more exactly at another time.
            add(&if part.etag.is_empty() { part.modified_at.to_string() } else { String::new() });
        }
        self.inner.iter().chain(&self.log).for_each(|name| add(name));
        ObjectVersion {
            source: self.source.clone(),
            key: self.key.clone(),
            member: String::new(),
            etag: format!("{FOLDER_TAG}{}-{}", self.parts.len(), &hasher.finalize().to_hex()[..32]),
            size: self.parts.iter().map(|part| part.size).sum(),
            modified_at: self.parts.iter().map(|part| part.modified_at).max().unwrap_or(self.changed_at),
        }
    }

    /// Why it is to be held, if it is: to load a part of what is there would look like all of it.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let problem = |message: String, hint: String| Some(Problem { message, hint });
        if let Some(log) = &self.log {
            return problem(
                format!("the folder is a table of another program: `{log}` in it says which of its files count"),
                "export the table into a folder of plain files, and load that".to_owned(),
            );
        }
        if let Some(first) = self.inner.first() {
            let more = and_more(self.inner.len());
            let of = first.split_once('=').map_or("part", |(name, _)| name);
            return problem(
                format!("the folder has folders in it, which are not read: `{first}`{more}"),
                format!(
                    "let the path of the source name the inner folders, each is an object then: `{}`; the value between the \
                     braces may fill a column",
                    match first.split_once('=') {
                        Some(_) => format!("{}/{of}={{{of}}}/", self.key),
                        None => format!("{}/{{{of}}}/", self.key),
                    }
                ),
            );
        }
        if self.parts.is_empty() {
            return problem(
                "the folder has no part: it holds only markers and hidden files".to_owned(),
                "write the export again; a table without rows has a part with a header, or one without records"
                    .to_owned(),
            );
        }
        if self.parts.len() > PARTS_MAX {
            return problem(
                format!("the folder has {} parts, at most {PARTS_MAX} are read as one object", self.parts.len()),
                "write the export again with fewer parts".to_owned(),
            );
        }
        None
    }
}

/// The name of a part in its folder.
pub(crate) fn part_name(part: &ObjectVersion) -> &str {
    part.key.rsplit('/').next().unwrap_or(&part.key)
}

/// Says that a job is done.
const FINISHED: &str = "_SUCCESS";
/// Folders in which Spark, Hadoop and Hive have what is not finished.
const WRITING: &[&str] = &["_temporary", "__magic", ".spark-staging", ".hive-staging"];
/// How the name of a file ends that Hadoop is copying.
const COPYING: &str = "._COPYING_";
/// By these, a table keeps the account of its own files.
const LOGS: &[&str] = &["_delta_log", ".hoodie"];

/// Markers, checksums and hidden entries: what programs that read such folders pass over, too.
pub(crate) fn is_nobodys(name: &str) -> bool {
    name.starts_with('_') || stillhouse_unpack::is_nobodys(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn source() -> Source {
        let text =
            "format = 1\n[source]\npath = 'out/'\ntype = 'csv'\n[table]\nname = 't'\n[table.columns]\na = 'int64'\n";
        Source::parse("s", text, &|_: &str| None).unwrap()
    }

    fn listed(files: &[(&str, u64, &str)], folders: &[&str]) -> Folder {
        let objects = files.iter().map(|(name, size, etag)| ObjectMeta {
            location: Path::parse(format!("out/{name}")).unwrap(),
            last_modified: (UNIX_EPOCH + Duration::from_secs(*size)).into(),
            size: *size,
            e_tag: Some((*etag).to_owned()),
            version: None,
        });
        let common_prefixes = folders.iter().map(|name| Path::parse(format!("out/{name}")).unwrap()).collect();
        Folder::of(&source(), "out", &ListResult { objects: objects.collect(), common_prefixes })
    }

    #[test]
    fn parts_are_told_from_what_lies_beside_them() {
        let files = [
            ("part-1.csv", 7, "b"),
            ("_SUCCESS", 0, "x"),
            (".part-0.csv.crc", 1, "x"),
            ("part-0.csv", 5, "a"),
            ("part-0.csv.crc", 1, "x"),
            ("._part-0.csv", 1, "x"),
            ("_metadata", 99, "x"),
            ("Thumbs.db", 1, "x"),
        ];
        let folder = listed(&files, &["__MACOSX"]);
        let names: Vec<&str> = folder.parts.iter().map(part_name).collect();
        assert_eq!((names, folder.ignored), (vec!["part-0.csv", "part-1.csv"], 7));
        assert!(folder.is_object() && folder.writing.is_none() && folder.problem().is_none());
        let version = folder.version();
        assert_eq!((version.key.as_str(), version.size, version.modified_at), ("out", 12, 7_000_000));
    }

    #[test]
    fn every_change_of_a_part_is_another_version_and_a_marker_is_none() {
        let tag = |files: &[(&str, u64, &str)], folders: &[&str]| listed(files, folders).version().etag;
        let files = [("a", 1, "x"), ("b", 2, "y")];
        let before = tag(&files, &[]);
        assert!(before.starts_with("parts-2-"), "{before}");
        assert_eq!(tag(&[("b", 2, "y"), ("_SUCCESS", 0, "z"), ("a", 1, "x")], &[]), before);
        let others: [&[(&str, u64, &str)]; 6] = [
            &[("a", 1, "x")],
            &[("a", 1, "x"), ("b", 2, "z")],
            &[("a", 1, "x"), ("b", 3, "y")],
            &[("a", 1, "x"), ("c", 2, "y")],
            &[("a", 1, "x"), ("b", 2, "y"), ("c", 0, "z")],
            &[("ax", 1, ""), ("b", 2, "y")],
        ];
        for other in others {
            assert_ne!(tag(other, &[]), before, "{other:?}");
        }
        assert_ne!(tag(&files, &["inner"]), before);
    }

    #[test]
    fn what_must_not_be_loaded_says_why() {
        let why = |files: &[(&str, u64, &str)], folders: &[&str]| {
            let problem = listed(files, folders).problem().unwrap();
            format!("{}\nhint: {}", problem.message, problem.hint)
        };
        insta::assert_snapshot!(why(&[("_SUCCESS", 0, "x")], &[]), @r"
        the folder has no part: it holds only markers and hidden files
        hint: write the export again; a table without rows has a part with a header, or one without records
        ");
        insta::assert_snapshot!(why(&[], &["country=DE", "country=FR"]), @r"
        the folder has folders in it, which are not read: `country=DE` and 1 more
        hint: let the path of the source name the inner folders, each is an object then: `out/country={country}/`; the value between the braces may fill a column
        ");
        insta::assert_snapshot!(why(&[("a.parquet", 1, "x")], &["_delta_log"]), @r"
        the folder is a table of another program: `_delta_log` in it says which of its files count
        hint: export the table into a folder of plain files, and load that
        ");
    }

    #[test]
    fn somebody_writes_as_long_as_there_is_something_temporary() {
        assert_eq!(listed(&[], &["_temporary"]).writing.unwrap(), "_temporary");
        assert_eq!(listed(&[("a.csv._COPYING_", 1, "x")], &[]).writing.unwrap(), "a.csv._COPYING_");
        assert_eq!(listed(&[("a.csv", 1, "x")], &[".spark-staging-7"]).writing.unwrap(), ".spark-staging-7");
        assert!(!listed(&[], &[]).is_object() && !listed(&[(".hidden", 1, "x")], &[]).is_object());
        assert!(listed(&[], &["inner"]).is_object() && listed(&[("_SUCCESS", 0, "x")], &[]).is_object());
    }
}
