//! A store that fails on plan, as one process sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use serde_json::Value;

use super::process::{Gone, Process};
use super::world::{Folder, Late, joined, lock};
use crate::random::Random;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct FaultStore {
    pub process: Arc<Process>,
    pub folder: Arc<Folder>,
    /// What it is called in the trace.
    pub name: &'static str,
}

/// What goes wrong with a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PutFault {
    /// It does not take place.
    Before,
    /// It takes place, and the answer is an error.
    After,
    /// It takes place, and the client below repeats it: the answer says that the object was there already.
    OwnConflict,
    /// It takes place, and no answer comes in time.
    TimeOut,
    /// No answer comes in time, and it takes place later, if it still can.
    Late,
    /// A part of it takes place. Never with a log entry: without a true put-if-absent there is no protocol.
    Torn,
}

fn failure(text: &str) -> Error {
    Error::Generic { store: "simulation", source: text.to_owned().into() }
}

/// The answer to everything that a dead process asks for: nobody tries that again.
fn dead(Gone: Gone) -> Error {
    Error::PermissionDenied { path: "everything".to_owned(), source: "the process is dead".into() }
}

fn as_zeros(length: u64) -> Bytes {
    vec![0; usize::try_from(length).expect("the files of a history are small")].into()
}

fn is_log_entry(path: &Path) -> bool {
    path.as_ref().contains("/_delta_log/") && path.as_ref().ends_with(".json")
}

fn is_data_file(path: &Path) -> bool {
    !path.as_ref().contains("/_delta_log/") && path.as_ref().ends_with(".parquet")
}

/// How often puts of such an object fail, in tenths of the usual.
fn put_weight(path: &Path) -> u64 {
    match () {
        () if path.as_ref().starts_with("_probe/") => 0, // a process that does not even begin
        () if is_log_entry(path) => 40,
        () => 15,
    }
}

impl FaultStore {
    fn put_fault(&self, path: &Path, mode: &PutMode) -> Option<(PutFault, Random)> {
        let mut random = self.process.draw(&format!("{} put {path}", self.name), put_weight(path))?;
        use PutFault::{After, Before, Late, OwnConflict, TimeOut, Torn};
        let kinds: &[&PutFault] = match mode {
            PutMode::Create => &[&Before, &After, &OwnConflict, &TimeOut, &Late],
            _ if is_data_file(path) => &[&Before, &After, &TimeOut, &Late, &Torn],
            _ => &[&Before, &After, &TimeOut, &Late],
        };
        Some((*random.pick(kinds), random))
    }

    async fn faulty_put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
        fault: PutFault,
        mut random: Random,
    ) -> Result<PutResult> {
        let now = self.process.world.clock.now();
        let word = match fault {
            PutFault::Before => "put fails",
            PutFault::After => "put done, answer an error",
            PutFault::OwnConflict => "put done, answer a conflict",
            PutFault::TimeOut => "put done, time-out",
            PutFault::Late => "put later, time-out",
            PutFault::Torn => "put torn",
        };
        self.process.fault(word);
        let outcome = match fault {
            PutFault::Before => "not done".to_owned(),
            PutFault::Late => {
                let after = 1 + random.next_u64() % 80;
                let put = Some((payload, options.mode));
                self.process.world.add_late(Late { folder: Arc::clone(&self.folder), path: path.clone(), put, after });
                format!("after {after}")
            }
            PutFault::Torn => {
                let whole = joined(&payload);
                let half = whole.slice(..whole.len() / 2);
                outcome(&self.folder.put(path, half.into(), options, now).await)
            }
            PutFault::After | PutFault::OwnConflict | PutFault::TimeOut => {
                outcome(&self.folder.put(path, payload, options, now).await)
            }
        };
        self.process.trace(&format!("{}/{path}: {word}: {outcome}", self.name));
        Err(match fault {
            PutFault::OwnConflict if random.below(2) == 0 => {
                Error::Precondition { path: path.to_string(), source: "412".into() }
            }
            PutFault::OwnConflict => Error::AlreadyExists { path: path.to_string(), source: "409".into() },
            PutFault::TimeOut | PutFault::Late => failure("operation timed out"),
            _ => failure("connection reset"),
        })
    }

    async fn pass(&self, what: &str, path: &Path) -> Result<()> {
        let point = format!("{what} {}/{path}", self.name);
        // Who writes a checkpoint blocks the only thread until it is there.
        let passed = if path.as_ref().contains("checkpoint") {
            self.process.pass_on(&point, None)
        } else {
            self.process.pass(&point).await
        };
        passed.map_err(dead)
    }

    /// Before every operation: effects that are due, and whether the process lives.
    async fn tick(&self) -> Result<()> {
        self.process.alive().map_err(dead)?;
        self.process.world.tick().await;
        Ok(())
    }

    /// What goes wrong with a reading: it fails, or (`true`) the answer is zeros, as after a power cut. Only of files that
    /// nobody can take for whole then.
    async fn read_fault(&self, path: &Path, what: &str) -> Result<bool> {
        let is_detected = self.name == "lake" && (is_log_entry(path) || is_data_file(path));
        let may_be_zeros = is_detected && self.folder.has(path).await;
        let mut drawn = self.process.draw(&format!("{} {what} {path}", self.name), 1);
        let zeros =
            may_be_zeros && (self.process.reads_zeros() || drawn.as_mut().is_some_and(|random| random.below(3) == 0));
        if zeros {
            self.process.mislead();
            self.process.trace(&format!("{}/{path}: {what} answers zeros", self.name));
        } else if drawn.is_some() {
            self.process.fault("get fails");
            self.process.trace(&format!("{}/{path}: get fails", self.name));
            return Err(failure("connection reset"));
        }
        Ok(zeros)
    }

    fn with_time(&self, mut meta: ObjectMeta) -> ObjectMeta {
        let micros = u64::try_from(self.folder.time(&meta.location)).unwrap_or_default();
        meta.last_modified = std::convert::identity(Default::default());
        meta.last_modified += Duration::from_micros(micros);
        meta
    }

    /// What a listing shows: everything there is, or what was there a few changes ago.
    async fn listed(&self, prefix: Option<&Path>) -> Result<Vec<ObjectMeta>> {
        self.tick().await?;
        let name = prefix.map(Path::to_string).unwrap_or_default();
        let mut listed: Vec<ObjectMeta> = self.folder.objects.list(prefix).try_collect().await?;
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        if let Some(mut random) = self.process.draw(&format!("{} list {name}", self.name), self.list_weight()) {
            match random.below(3) {
                0 => {
                    self.process.fault("list fails");
                    self.process.trace(&format!("{}/{name}: list fails", self.name));
                    return Err(failure("connection reset"));
                }
                1 => self.omit(&name, &mut listed),
                _ => self.show_deleted(prefix, &name, &mut listed),
            }
        }
        Ok(listed.into_iter().map(|meta| self.with_time(meta)).collect())
    }

    fn list_weight(&self) -> u64 {
        if self.name == "files" { 15 } else { 8 }
    }

    fn omit(&self, name: &str, listed: &mut Vec<ObjectMeta>) {
        let put: BTreeSet<Path> = self.folder.changes().put.into_iter().collect();
        let before = listed.len();
        listed.retain(|meta| !put.contains(&meta.location));
        if listed.len() < before {
            self.process.fault("list omits new objects");
            self.process.trace(&format!("{}/{name}: list omits {}", self.name, before - listed.len()));
        }
    }

    fn show_deleted(&self, prefix: Option<&Path>, name: &str, listed: &mut Vec<ObjectMeta>) {
        let deleted = self.folder.changes().deleted;
        let mut shown = 0;
        for path in deleted.into_iter().filter(|path| prefix.is_none_or(|prefix| path.prefix_matches(prefix))) {
            if listed.iter().all(|meta| meta.location != path) {
                let last_modified = Default::default();
                let e_tag = Some("deleted".to_owned());
                listed.push(ObjectMeta { location: path, last_modified, size: 1, e_tag, version: None });
                shown += 1;
            }
        }
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        if shown > 0 {
            self.process.fault("list shows deleted objects");
            self.process.trace(&format!("{}/{name}: list shows {shown} deleted", self.name));
        }
    }

    async fn delete(&self, path: Path) -> Result<Path> {
        self.tick().await?;
        self.pass("delete-before", &path).await?;
        let weight = if path.as_ref().starts_with("_probe/") { 0 } else { 80 };
        let Some(mut random) = self.process.draw(&format!("{} delete {path}", self.name), weight) else {
            let outcome = self.folder.delete(&path).await;
            self.process.trace(&format!("{}/{path}: delete: {}", self.name, outcome.is_ok()));
            self.pass("delete-after", &path).await?;
            return outcome.map(|()| path);
        };
        let word = *random.pick(&[&"delete fails", &"delete done, answer an error", &"delete later, time-out"]);
        self.process.fault(word);
        self.process.trace(&format!("{}/{path}: {word}", self.name));
        match word {
            "delete done, answer an error" => drop(self.folder.delete(&path).await),
            "delete later, time-out" => {
                let after = 1 + random.next_u64() % 80;
                self.process.world.add_late(Late { folder: Arc::clone(&self.folder), path, put: None, after });
            }
            _ => {}
        }
        Err(failure("connection reset"))
    }
}

/// Of bytes that follow from the seed. The libraries below write the fields of some objects in any order.
fn digest(path: &Path, bytes: &[u8]) -> String {
    if path.as_ref().contains("checkpoint") {
        return "(a checkpoint)".to_owned();
    }
    let mut hasher = blake3::Hasher::new();
    if is_log_entry(path) {
        for line in bytes.split(|byte| *byte == b'\n') {
            let line: Value = serde_json::from_slice(line).unwrap_or_default();
            hasher.update(sorted(line).to_string().as_bytes());
        }
    } else {
        hasher.update(bytes);
    }
    hasher.finalize().to_hex()[..8].to_owned()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn outcome(done: &Result<PutResult>) -> String {
    match done {
        Ok(_) => "done".to_owned(),
        Err(Error::AlreadyExists { .. }) => "was there".to_owned(),
        Err(Error::Precondition { .. }) => "was there".to_owned(),
        Err(error) => error.to_string(),
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.name)
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.tick().await?;
        self.pass("put-before", path).await?;
        if let Some((fault, random)) = self.put_fault(path, &options.mode) {
            let done = self.faulty_put(path, payload, options, fault, random).await;
            self.pass("put-after", path).await?;
            return done;
        }
        let digest = digest(path, &joined(&payload));
        let done = self.folder.put(path, payload, options, self.process.world.clock.now()).await;
        self.process.trace(&format!("{}/{path}: put {digest}: {}", self.name, outcome(&done)));
        self.pass("put-after", path).await?;
        done
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        drop(options);
        self.tick().await?;
        Ok(Box::new(Upload { store: self.clone(), path: path.clone(), parts: Arc::default() }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.tick().await?;
        let zeros = self.read_fault(path, "get").await?;
        let mut found = self.folder.objects.get_opts(path, options).await?;
        found.meta = self.with_time(found.meta);
        if zeros {
            let bytes = as_zeros(found.range.end - found.range.start);
            found.payload = GetResultPayload::Stream(futures::stream::iter([Ok(bytes)]).boxed());
        }
        Ok(found)
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.tick().await?;
        if self.read_fault(path, "ranges").await? {
            return Ok(ranges.iter().map(|range| as_zeros(range.end - range.start)).collect());
        }
        self.folder.objects.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        paths
            .then(move |path| {
                let store = store.clone();
                async move { store.delete(path?).await }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listed = async move { store.listed(prefix.as_ref()).await.map(|all| futures::stream::iter(all).map(Ok)) };
        listed.try_flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let folder = prefix.unwrap_or(&root);
        let (mut objects, mut common) = (Vec::new(), BTreeSet::new());
        for meta in self.listed(prefix).await? {
            let Some(parts) = meta.location.prefix_match(folder) else { continue };
            let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
            match parts.as_slice() {
                [] => {}
                [_] => objects.push(meta),
                [first, ..] => {
                    common.insert(folder.clone().join(first.as_str()));
                }
            }
        }
        Ok(ListResult { common_prefixes: common.into_iter().collect(), objects })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        drop((to, options));
        Err(Error::NotImplemented { operation: format!("copy of {from}"), implementer: self.to_string() })
    }
}

/// An upload in parts: one put when it is complete.
#[derive(Debug)]
struct Upload {
    store: FaultStore,
    path: Path,
    parts: Arc<Mutex<Vec<PutPayload>>>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let (store, parts) = (self.store.clone(), Arc::clone(&self.parts));
        Box::pin(async move {
            store.process.alive().map_err(dead)?;
            lock(&parts).push(part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = std::mem::take(&mut *lock(&self.parts));
        let whole: PutPayload = parts.into_iter().flat_map(|part| part.into_iter().collect::<Vec<_>>()).collect();
        self.store.put_opts(&self.path, whole, PutOptions::default()).await
    }

    async fn abort(&mut self) -> Result<()> {
        lock(&self.parts).clear();
        Ok(())
    }
}
