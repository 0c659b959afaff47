//! Batches of each kind: loads that replace some generations, amendments, compactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt as _;
use insta::assert_snapshot;
use stillhouse_lake::{
    CompactionPlan, CompactionSettings, Kind, Lake, ManifestKind, NoObserver, QuarantineQuery, QuarantineRow,
    ReceiptQuery, RecordsOut, Staged, TableChange, delta_schema, quarantine_batch, quarantine_schema,
};
use stillhouse_spec::{RejectPlace, object_id};

use crate::kit::{House, LEDGER, NOW, change, expect, id, load, manifest, member, rows};

pub const SETTINGS: CompactionSettings =
    CompactionSettings { target_bytes: 1 << 20, small_bytes: 1 << 19, files_min: 2, rows_max: None };

impl House {
    /// An amendment of a loaded object version: takes records out of some tables, brings rows into others.
    pub async fn stage_amend(
        &self,
        seq: i64,
        (key, generation, revision): (i64, i64, i64),
        out: &[(&str, u64, u64)],
        into: &[(&str, i64)],
    ) -> Staged {
        let mut staged = self.stage(seq, &[load(key, generation, &[])]).await;
        let mut tables: BTreeMap<String, TableChange> = BTreeMap::new();
        for (table, first, last) in out {
            let out = RecordsOut { object: object_id(key, generation), records: vec![(*first, *last)] };
            tables.entry((*table).to_owned()).or_insert_with(|| change(vec![])).out.push(out);
        }
        for (table, first) in into {
            let stem = format!("{}-{}", staged.manifest.batch_id, tables.len());
            let mut writer = self.lake.writer(&table.parse().unwrap(), crate::kit::schema(), &stem);
            let all = rows(key, generation, first + 1);
            writer.write(&all.slice(usize::try_from(*first).unwrap(), 1)).await.unwrap();
            let file = writer.finish(NOW).await.unwrap().unwrap();
            tables.entry((*table).to_owned()).or_insert_with(|| change(vec![])).files.push(file);
        }
        staged.manifest.kind = ManifestKind::Amend;
        staged.manifest.tables = tables;
        staged.revisions = vec![(key, revision)];
        staged
    }

    pub async fn plan(&self, table: &str) -> Option<CompactionPlan> {
        self.lake.plan_compaction(table, &SETTINGS).await.unwrap()
    }

    pub async fn stage_compact(&self, seq: i64, plan: &CompactionPlan) -> Staged {
        let batch_id = id().to_string();
        let merged = self.lake.merge(plan, &format!("{batch_id}-0"), NOW).await.unwrap();
        let tables = [(plan.table.clone(), merged)].into();
        let manifest = manifest(ManifestKind::Compact, batch_id, tables, vec![]);
        assert!(self.lake.check(&manifest).await.unwrap().is_ok());
        Staged { seq, manifest, revisions: vec![] }
    }

    pub async fn files(&self, table: &str) -> usize {
        self.lake.snapshot().await.unwrap().tables[table].files.len()
    }
}

#[tokio::test]
async fn a_load_replaces_only_the_generations_it_says() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)]), load(2, 1, &[("events", 2)])]).await;
    let mut appended = house.stage(2, &[load(1, 2, &[("events", 2)])]).await;
    appended.manifest.members[0].replaces_from = 2;
    house.publish(&appended).await;
    let both = expect(&[("events", &[(1, 1, 1), (1, 2, 2), (2, 1, 2)])]);
    assert_eq!(house.shown().await, both);
    // The third takes the second's place, and leaves the first alone.
    let mut third = house.stage(3, &[load(1, 3, &[("events", 3)])]).await;
    third.manifest.members[0].replaces_from = 2;
    house.publish(&third).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 1), (1, 3, 3), (2, 1, 2)])]));
    let receipts = house.lake.receipts(&ReceiptQuery { whole: true, ..ReceiptQuery::default() }).await.unwrap();
    let from: Vec<i64> = receipts.iter().map(|row| row.receipt.as_ref().unwrap().replaces_from).collect();
    assert_eq!(from, [0, 0, 2, 2]);
    house.run(4, &[load(1, 4, &[("events", 4)])]).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 4, 4), (2, 1, 2)])]));
    assert_eq!(house.newest().await, house.shown().await);
}

#[tokio::test]
async fn an_appended_version_leaves_other_tables_alone() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1), ("event_tags", 1)])]).await;
    let mut appended = house.stage(2, &[load(1, 2, &[("events", 2)])]).await;
    appended.manifest.members[0].replaces_from = 2;
    let published = house.publish(&appended).await;
    assert_eq!(published.vector, [("event_tags".to_owned(), 1), ("events".to_owned(), 2)].into());
}

#[tokio::test]
async fn an_amendment_moves_records_and_keeps_the_generation() {
    let house = House::new().await;
    let tables = [("_quarantine", 5), ("events", 3), ("event_tags", 1)];
    house.run(1, &[load(1, 1, &tables), load(2, 1, &[("_quarantine", 2)])]).await;
    house.run(2, &[load(1, 2, &tables)]).await;
    // Records 1 to 3 leave; record 7 comes into `events`. `event_tags` is not looked at.
    let amended = house.stage_amend(3, (1, 2, 3), &[("_quarantine", 1, 3)], &[("events", 7)]).await;
    assert!(house.lake.check(&amended.manifest).await.unwrap().is_ok());
    let published = house.publish(&amended).await;
    assert_eq!(published.vector["event_tags"], 2);
    let expected =
        expect(&[("_quarantine", &[(1, 2, 2), (2, 1, 2)]), ("event_tags", &[(1, 2, 1)]), ("events", &[(1, 2, 4)])]);
    assert_eq!(house.shown().await, expected);
    let query = ReceiptQuery { batches: Some([amended.manifest.batch_id.clone()].into()), ..ReceiptQuery::default() };
    let receipts = house.lake.receipts(&query).await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert_eq!((receipts[0].generation, receipts[0].revision, receipts[0].seq), (2, 3, 3));
    // All that is left of the object, and a record that is not there.
    let last = house.stage_amend(4, (1, 2, 4), &[("_quarantine", 0, 100)], &[("_quarantine", 4)]).await;
    house.publish(&last).await;
    assert_eq!(house.shown().await["_quarantine"], [((1, 2), 1), ((2, 1), 2)].into());
    assert_eq!(house.newest().await["events"], house.shown().await["events"]);
}

#[tokio::test]
async fn a_compaction_changes_files_and_no_rows() {
    let house = House::new().await;
    for key in 1..=5 {
        house.run(key, &[load(key, 1, &[("events", key), ("event_tags", 1)])]).await;
    }
    let before = house.shown().await;
    let plan = house.plan("events").await.unwrap();
    assert_eq!((plan.sources.len(), plan.rows), (5, 15));
    let staged = house.stage_compact(6, &plan).await;
    let published = house.publish(&staged).await;
    assert_eq!(published.vector, [("event_tags".to_owned(), 5), ("events".to_owned(), 6)].into());
    assert_eq!((house.files("events").await, house.files("event_tags").await), (1, 5));
    assert_eq!(house.shown().await, before);
    assert_eq!(house.newest().await, before);
    assert_eq!(house.lake.snapshot().await.unwrap().seq, 6);
    assert_eq!(house.lake.receipts(&ReceiptQuery::default()).await.unwrap().len(), 5, "it is no receipt of an object");
    assert_eq!(house.plan("events").await, None);
    // Again, by one who knows nothing: the same batch.
    assert_eq!(house.another().await.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap(), published);
    // A correction after it: the mixed file is rewritten.
    house.run(7, &[load(3, 2, &[("events", 1)])]).await;
    assert_eq!(house.shown().await["events"][&(3, 2)], 1);
    assert_eq!(house.shown().await["events"].len(), 5);
    assert_eq!(house.newest().await, house.shown().await);
}

#[tokio::test]
async fn a_compaction_whose_source_is_gone_is_void() {
    let house = House::new().await;
    for key in 1..=3 {
        house.run(key, &[load(key, 1, &[("events", key)])]).await;
    }
    let plan = house.plan("events").await.unwrap();
    let staged = house.stage_compact(5, &plan).await;
    house.run(4, &[load(2, 2, &[("events", 9)])]).await;
    let published = house.publish(&staged).await;
    assert_eq!(published.vector["events"], 4, "nothing was committed there");
    assert_eq!(house.lake.snapshot().await.unwrap().seq, 5);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 1), (2, 2, 9), (3, 1, 3)])]));
    // The queue goes on.
    house.run(6, &[load(4, 1, &[("events", 1)])]).await;
    assert_eq!(house.shown().await["events"].len(), 4);
}

#[tokio::test]
async fn merged_files_have_the_columns_of_the_table() {
    use arrow::array::AsArray as _;
    use arrow::datatypes::{DataType, Field, Schema};
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    let mut wider = house.stage(2, &[load(2, 1, &[])]).await;
    let mut fields: Vec<Field> = crate::kit::schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("new", DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields));
    let mut columns = crate::kit::written_out(&rows(2, 1, 1)).columns().to_vec();
    columns.push(Arc::new(arrow::array::StringArray::from(vec!["x"])));
    let batch = arrow::array::RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let mut writer = house.lake.writer(&"events".parse().unwrap(), Arc::clone(&schema), "wider-0");
    writer.write(&batch).await.unwrap();
    let files = writer.finish(NOW).await.unwrap().into_iter().collect();
    let change = TableChange { schema: delta_schema(&schema).unwrap(), files, ..TableChange::default() };
    wider.manifest.tables.insert("events".into(), change);
    house.publish(&wider).await;
    let plan = house.plan("events").await.unwrap();
    house.publish(&house.stage_compact(3, &plan).await).await;
    let stream = house.lake.rows("events", 3, i64::MIN..=i64::MAX, Some(&["new", "_record"])).await.unwrap();
    let batches: Vec<_> = stream.batches.try_collect().await.unwrap();
    let read = arrow::compute::concat_batches(&stream.schema, &batches).unwrap();
    let new: Vec<_> = read.column_by_name("new").unwrap().as_string::<i32>().iter().collect();
    assert_eq!(new, [None, None, Some("x")]);
    assert_eq!(read.num_columns(), 2);
}

#[tokio::test]
async fn rows_and_counts_of_objects() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)]), load(2, 1, &[("events", 9000)])]).await;
    house.run(2, &[load(3, 1, &[("events", 4)])]).await;
    let counts = house.lake.object_counts("events", 2).await.unwrap();
    let of = |key| object_id(key, 1);
    assert_eq!(counts, [(of(1), 3), (of(2), 9000), (of(3), 4)].into());
    for (objects, expected) in [(of(2)..=of(2), 9000), (of(1)..=of(2), 9003), (of(3)..=i64::MAX, 4), (5..=9, 0)] {
        let stream = house.lake.rows("events", 2, objects, Some(&["name"])).await.unwrap();
        let batches: Vec<_> = stream.batches.try_collect().await.unwrap();
        assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), expected);
        assert!(batches.iter().all(|batch| batch.num_columns() == 1));
    }
    assert_eq!(house.lake.object_counts("events", 1).await.unwrap().len(), 2, "as of a version");
}

#[tokio::test]
async fn refused_records_are_read_back_as_they_were() {
    let house = House::new().await;
    let reject = |record: u64, reason: &str| QuarantineRow {
        place: RejectPlace {
            record,
            part: String::new(),
            line: record + 2,
            offset: record * 10,
            bytes: 10,
            column: (record > 0).then(|| "at".to_owned()),
            reason: reason.to_owned(),
            expected: "date".to_owned(),
            found: "x".to_owned(),
        },
        raw: (record != 1).then(|| vec![0xff, b'0', u8::try_from(record).unwrap()]),
        pii: record == 2,
    };
    let mut staged = house.stage(1, &[load(1, 1, &[]), load(2, 1, &[])]).await;
    let mut writer = house.lake.writer(&"_quarantine".parse().unwrap(), quarantine_schema(), "q-0");
    let first = [reject(0, "short"), reject(1, "date"), reject(2, "date")];
    writer.write(&quarantine_batch(("s", "a.zip", "m.csv"), object_id(1, 1), NOW, &first).unwrap()).await.unwrap();
    writer.write(&quarantine_batch(("t", "b.csv", ""), object_id(2, 1), NOW + 1, &first[1..]).unwrap()).await.unwrap();
    let files = writer.finish(NOW).await.unwrap().into_iter().collect();
    let schema = delta_schema(&quarantine_schema()).unwrap();
    let change = TableChange { schema, files, ..TableChange::default() };
    staged.manifest.tables.insert("_quarantine".into(), change);
    house.publish(&staged).await;

    let read = async |query: QuarantineQuery| -> Vec<String> {
        let pieces: Vec<_> = house.lake.quarantine(&query).await.unwrap().try_collect().await.unwrap();
        let line = |q: &stillhouse_lake::Quarantined| {
            let (raw, pii) = (&q.row.raw, q.row.pii);
            let place = &q.row.place;
            format!("{} {}!{} {} {:?} {raw:?} {pii}", q.source, q.key, q.member, place.record, place.column)
        };
        pieces.concat().iter().map(line).collect()
    };
    assert_snapshot!(read(QuarantineQuery::default()).await.join("\n"), @r#"
    s a.zip!m.csv 0 None Some([255, 48, 0]) false
    s a.zip!m.csv 1 Some("at") None false
    s a.zip!m.csv 2 Some("at") Some([255, 48, 2]) true
    t b.csv! 1 Some("at") None false
    t b.csv! 2 Some("at") Some([255, 48, 2]) true
    "#);
    let count = async |query: QuarantineQuery| read(query).await.len();
    let all = QuarantineQuery::default;
    assert_eq!(count(QuarantineQuery { source: Some("t".into()), ..all() }).await, 2);
    assert_eq!(count(QuarantineQuery { key_suffix: Some("zip!m.csv".into()), ..all() }).await, 3);
    assert_eq!(count(QuarantineQuery { key_suffix: Some("csv".into()), ..all() }).await, 5);
    assert_eq!(count(QuarantineQuery { reason: Some("short".into()), ..all() }).await, 1);
    assert_eq!(count(QuarantineQuery { column: Some("at".into()), ..all() }).await, 4);
    assert_eq!(count(QuarantineQuery { objects: Some([object_id(2, 1)].into()), ..all() }).await, 2);
    assert_eq!(count(QuarantineQuery { objects: Some([7].into()), ..all() }).await, 0);
    let without = read(QuarantineQuery { without_raw: true, version: Some(1), ..all() }).await;
    assert_eq!(without.len(), 5);
    assert!(without.iter().all(|line| line.contains("None false") || line.contains("None true")), "{without:?}");
    assert!(Lake::open_to_read(Arc::clone(&house.store)).quarantine(&all()).await.is_ok());
}

#[tokio::test]
async fn batches_of_a_wrong_form_are_refused() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let good = house.stage(2, &[load(2, 2, &[("events", 1)])]).await;
    let out = RecordsOut { object: 1, records: vec![(3, 2)] };
    let edits: [fn(&mut Staged, RecordsOut); 8] = [
        |staged, _| staged.manifest.batch_id = "a/b".into(),
        |staged, _| staged.manifest.members.clear(),
        |staged, _| staged.manifest.members[0].replaces_from = 3,
        |staged, _| staged.manifest.members.push(staged.manifest.members[0].clone()),
        |staged, out| staged.manifest.tables.get_mut("events").unwrap().out.push(out),
        |staged, out| {
            staged.manifest.kind = ManifestKind::Amend;
            staged.manifest.tables.get_mut("events").unwrap().out.push(out);
        },
        |staged, _| staged.manifest.kind = ManifestKind::Compact,
        |staged, _| staged.manifest.tables.get_mut("events").unwrap().merged.push("x.parquet".into()),
    ];
    let mut messages = String::new();
    for edit in edits {
        let mut staged = good.clone();
        edit(&mut staged, out.clone());
        let error = house.lake.check(&staged.manifest).await.unwrap_err();
        assert_eq!(error.kind, Kind::Bug);
        assert_eq!(house.lake.publish(&staged, 1, LEDGER, NOW, &NoObserver).await.unwrap_err().kind, Kind::Bug);
        messages.push_str(&error.message.replace(&good.manifest.batch_id, "B"));
        messages.push('\n');
    }
    assert_snapshot!(messages, @r"
    batch `a/b`: expected an id of letters, digits, `-`, `_` and `.`
    batch `B`: expected members, found none
    batch `B`, key 2: generation 2 cannot replace from 3 on
    batch `B`, key 2: expected one version of it, found two
    batch `B`, table `events`: only an amendment takes records out
    batch `B`, table `events`: records of object 1: expected ranges, first and last
    batch `B`: a compaction has no members
    batch `B`, table `events`: a compaction, and nothing else, names the files that it merges
    ");
    assert_eq!(member(&load(2, 1, &[])).replaces_from, 0);
}

#[tokio::test]
async fn a_manifest_of_format_1_is_a_load_that_replaces_all() {
    let house = House::new().await;
    let staged = house.stage(1, &[load(1, 2, &[("events", 1)])]).await;
    let mut text: serde_json::Value = serde_json::from_str(&staged.manifest.to_json().unwrap()).unwrap();
    text["format"] = 1.into();
    text.as_object_mut().unwrap().remove("kind");
    text["members"][0].as_object_mut().unwrap().remove("replaces_from");
    let read = stillhouse_lake::Manifest::from_json(&text.to_string()).unwrap();
    assert_eq!((read.kind, read.members[0].replaces_from), (ManifestKind::Load, 0));
    text["format"] = 3.into();
    let error = stillhouse_lake::Manifest::from_json(&text.to_string()).unwrap_err();
    assert_eq!(error.kind, Kind::FixSettings);
}
