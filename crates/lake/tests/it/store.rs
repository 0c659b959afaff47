//! The local store: put-if-absent, nothing half there, nothing left over.

use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};
use stillhouse_lake::{Kind, Lake, durable_local};
use stillhouse_spec::Durability;

use crate::kit::id;

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.file_name().unwrap().to_string_lossy().into_owned()),
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn puts_create_once_and_overwrite() {
    for durability in [Durability::Fsync, Durability::Os] {
        let folder = tempfile::tempdir().unwrap();
        let store = durable_local(&folder.path().join("a/b"), durability).unwrap();
        let path = StorePath::from("t/_delta_log/0.json");
        let create = async |text: &'static str| store.put_opts(&path, text.into(), PutMode::Create.into()).await;
        create("first").await.unwrap();
        assert!(matches!(create("second").await, Err(object_store::Error::AlreadyExists { .. })));
        let read = async || store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(read().await, "first");
        store.put(&path, "third".into()).await.unwrap();
        assert_eq!(read().await, "third");
        assert_eq!(files(folder.path()), ["0.json"]);
    }
}

/// Long enough to be synchronised several times before its end.
#[tokio::test]
async fn a_long_file_comes_in_parts() {
    const PART: usize = 20 << 20;
    for durability in [Durability::Fsync, Durability::Os] {
        let folder = tempfile::tempdir().unwrap();
        let store = durable_local(folder.path(), durability).unwrap();
        let path = StorePath::from("t/long.parquet");
        let mut upload = store.put_multipart(&path).await.unwrap();
        for part in 1..=5 {
            upload.put_part(vec![part; PART].into()).await.unwrap();
            assert_ne!(files(folder.path()), ["long.parquet"], "not there before its end");
        }
        upload.complete().await.unwrap();
        assert_eq!(files(folder.path()), ["long.parquet"]);
        let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len(), 5 * PART);
        assert!(bytes.chunks(PART).zip(1..).all(|(chunk, part)| chunk.iter().all(|byte| *byte == part)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_creates_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = durable_local(folder.path(), Durability::Os).unwrap();
    for round in 0..20 {
        let path = StorePath::from(format!("log/{round}.json"));
        let tasks: Vec<_> = (0..8)
            .map(|writer| {
                let (store, path) = (Arc::clone(&store), path.clone());
                tokio::spawn(async move {
                    store.put_opts(&path, format!("{writer}").into(), PutMode::Create.into()).await.is_ok()
                })
            })
            .collect();
        let mut won = Vec::new();
        for (writer, task) in tasks.into_iter().enumerate() {
            won.extend(task.await.unwrap().then(|| writer.to_string()));
        }
        assert_eq!(won.len(), 1);
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), won[0]);
    }
    assert_eq!(files(folder.path()).len(), 20);
}

#[tokio::test]
async fn an_upload_is_there_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let store = durable_local(folder.path(), Durability::Fsync).unwrap();
    let path = StorePath::from("t/data.parquet");
    let mut upload = store.put_multipart(&path).await.unwrap();
    let parts = [
        upload.put_part("hello ".into()),
        upload.put_part(PutPayload::from_iter(["wor", "ld"].map(str::to_owned).map(bytes::Bytes::from))),
    ];
    // Parts may arrive in any order.
    for part in parts.into_iter().rev() {
        part.await.unwrap();
    }
    assert!(store.head(&path).await.is_err());
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert!(listed.is_empty(), "a file in the making is not listed");
    assert_eq!(files(folder.path()).len(), 1, "it has a temporary name");
    upload.complete().await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "hello world");

    let mut given_up = store.put_multipart(&StorePath::from("t/other.parquet")).await.unwrap();
    given_up.put_part("x".into()).await.unwrap();
    given_up.abort().await.unwrap();
    let dropped = store.put_multipart(&StorePath::from("t/third.parquet")).await.unwrap();
    drop(dropped);
    assert_eq!(files(folder.path()), ["data.parquet"]);
}

#[tokio::test]
async fn temporary_files_of_a_crash_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = durable_local(folder.path(), Durability::Os).unwrap();
    std::fs::create_dir_all(folder.path().join("events/_delta_log")).unwrap();
    let process = std::process::id();
    for number in 0..200 {
        let name = format!("events/_delta_log/00000000000000000000.json#{process}{number:08}");
        std::fs::write(folder.path().join(name), "half").unwrap();
    }
    let path = StorePath::from("events/_delta_log/00000000000000000000.json");
    store.put_opts(&path, "whole".into(), PutMode::Create.into()).await.unwrap();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_store_without_put_if_absent_is_refused() {
    #[derive(Debug)]
    struct Overwriting(Arc<dyn ObjectStore>);
    impl std::fmt::Display for Overwriting {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("overwriting")
        }
    }
    #[async_trait::async_trait]
    impl ObjectStore for Overwriting {
        async fn put_opts(
            &self,
            location: &StorePath,
            payload: PutPayload,
            _: object_store::PutOptions,
        ) -> object_store::Result<object_store::PutResult> {
            self.0.put(location, payload).await
        }
        async fn put_multipart_opts(
            &self,
            path: &StorePath,
            opts: object_store::PutMultipartOptions,
        ) -> object_store::Result<Box<dyn object_store::MultipartUpload>> {
            self.0.put_multipart_opts(path, opts).await
        }
        async fn get_opts(
            &self,
            path: &StorePath,
            options: object_store::GetOptions,
        ) -> object_store::Result<object_store::GetResult> {
            self.0.get_opts(path, options).await
        }
        fn delete_stream(
            &self,
            paths: futures::stream::BoxStream<'static, object_store::Result<StorePath>>,
        ) -> futures::stream::BoxStream<'static, object_store::Result<StorePath>> {
            self.0.delete_stream(paths)
        }
        fn list(
            &self,
            prefix: Option<&StorePath>,
        ) -> futures::stream::BoxStream<'static, object_store::Result<object_store::ObjectMeta>> {
            self.0.list(prefix)
        }
        async fn list_with_delimiter(
            &self,
            prefix: Option<&StorePath>,
        ) -> object_store::Result<object_store::ListResult> {
            self.0.list_with_delimiter(prefix).await
        }
        async fn copy_opts(
            &self,
            from: &StorePath,
            to: &StorePath,
            options: object_store::CopyOptions,
        ) -> object_store::Result<()> {
            self.0.copy_opts(from, to, options).await
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = durable_local(folder.path(), Durability::Os).unwrap();
    let error = Lake::open(Arc::new(Overwriting(Arc::clone(&store))), id()).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixSettings);
    insta::assert_snapshot!(error.message, @"the store overwrites an object that was to be put only if absent");
    Lake::open(Arc::clone(&store), id()).await.unwrap();
    assert!(files(folder.path()).is_empty(), "the probe is taken away");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = durable_local(&file.join("lake"), Durability::Os).unwrap_err();
    assert_eq!(error.kind, Kind::FixSettings);
    assert!(error.message.contains("file/lake"), "{error}");
}

/// Whoever finds no folder may find it a moment later, made by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_be_the_first_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = durable_local(folder.path(), Durability::Os).unwrap();
    for round in 0..200 {
        let puts = (0..8).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.put(&format!("a{round}/b/{number}").into(), "x".into()).await })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap().unwrap();
        }
    }
}
