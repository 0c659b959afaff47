//! Columns that come, and columns that do not fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use insta::assert_snapshot;
use stillhouse_lake::{
    Kind, ManifestKind, NoObserver, Snapshot, Staged, TableChange, TypeChange, arrow_schema, delta_schema,
    quarantine_schema, receipts_schema, runs_schema,
};

use crate::kit::{House, LEDGER, NOW, change, expect, id, load, manifest, rows, schema, write_file};

fn list(name: &str, item: DataType) -> Field {
    Field::new(name, DataType::List(Arc::new(Field::new("item", item, true))), true)
}

#[tokio::test]
async fn new_columns_come_with_the_batch_that_has_them() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    let mut fields: Vec<Field> = schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.insert(1, list("tags", DataType::Utf8));
    fields.retain(|field| field.name() != "name");
    let mut staged = house.stage(2, &[load(2, 1, &[("events", 1)])]).await;
    let change = staged.manifest.tables.get_mut("events").unwrap();
    change.schema = delta_schema(&Schema::new(fields)).unwrap();
    house.lake.check(&staged.manifest).await.unwrap().unwrap();
    house.publish(&staged).await;
    let events = &house.lake.snapshot().await.unwrap().tables["events"];
    let names: Vec<&str> = events.schema.fields().iter().map(|field| field.name().as_str()).collect();
    // A column that the batch lacks stays, a new one comes last.
    assert_eq!(names, ["name", "amount", "_object", "_record", "_ingested_at", "tags"]);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 1, 2), (2, 1, 1)])]));
    let delta = house.delta("events").await;
    assert_eq!(delta.snapshot().unwrap().schema().fields().count(), 6);
    assert_eq!(house.lake.snapshot().await.unwrap().tables["events"].version, 2);
}

#[tokio::test]
async fn other_differences_are_refused_before_anything_is_staged() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    let check = async |field: Field| house.lake.check_schema("events", &Schema::new(vec![field])).await.unwrap();
    let refusal = async |name: &str, kind: DataType| {
        let error = check(Field::new(name, kind, true)).await.unwrap_err();
        assert_eq!(error.kind, Kind::FixData);
        assert!(error.hint.is_some());
        error.message
    };
    assert_snapshot!(refusal("amount", DataType::Decimal128(12, 2)).await, @"table `events`, column `amount`: expected int64, found decimal(12,2)");
    assert_snapshot!(refusal("Amount", DataType::Int64).await, @"table `events`, column `Amount`: expected `amount`, found `Amount`");
    let texts = list("name", DataType::Utf8).data_type().clone();
    assert_snapshot!(refusal("name", texts).await, @"table `events`, column `name`: expected string, found list<string>");
    check(Field::new("name", DataType::Utf8View, false)).await.unwrap();
    let twice = Schema::new(vec![Field::new("x", DataType::Int64, true), Field::new("X", DataType::Int64, true)]);
    let error = delta_schema(&twice).unwrap_err();
    assert_snapshot!(error.message, @"expected columns with different names, found `x` and `X`");
}

/// The batch brings `amount` as a text.
pub fn as_texts(staged: &mut Staged) {
    let retyped = |field: &Arc<Field>| match field.name().as_str() {
        "amount" => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
        _ => Arc::clone(field),
    };
    let fields: Vec<_> = schema().fields().iter().map(retyped).collect();
    staged.manifest.tables.get_mut("events").unwrap().schema = delta_schema(&Schema::new(fields)).unwrap();
}

fn type_of(house_snapshot: &Snapshot, column: &str) -> DataType {
    house_snapshot.tables["events"].schema.field_with_name(column).unwrap().data_type().clone()
}

#[tokio::test]
async fn a_type_changes_only_when_no_row_of_before_stays() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)]), load(2, 1, &[("events", 3)])]).await;
    house.run(2, &[load(3, 1, &[("events", 1)])]).await;
    let texts = Schema::new(vec![Field::new("amount", DataType::Utf8, true), Field::new("new", DataType::Utf8, true)]);
    let changes = house.lake.type_changes("events", &texts).await.unwrap();
    let change = TypeChange { column: "amount".into(), from: "int64".into(), to: "string".into() };
    assert_eq!(changes, std::slice::from_ref(&change));
    assert_eq!(house.lake.type_changes("others", &texts).await.unwrap(), []);

    // Rows of key 2 would stay.
    let mut some = house.stage(3, &[load(1, 2, &[("events", 2)]), load(3, 2, &[("events", 1)])]).await;
    as_texts(&mut some);
    let error = house.lake.check(&some.manifest).await.unwrap().unwrap_err();
    assert_snapshot!(error.message, @"table `events`, column `amount`: expected int64, found string");
    let error = house.lake.publish(&some, 1, LEDGER, NOW, &NoObserver).await.unwrap_err();
    assert_eq!(error.kind, Kind::FixData);
    let before = expect(&[("events", &[(1, 1, 2), (2, 1, 3), (3, 1, 1)])]);
    assert_eq!(house.shown().await, before);

    let all = [load(1, 2, &[("events", 2)]), load(2, 2, &[("events", 3)]), load(3, 2, &[])];
    let mut staged = house.stage(3, &all).await;
    as_texts(&mut staged);
    house.lake.check(&staged.manifest).await.unwrap().unwrap();
    house.publish(&staged).await;
    // The rows of the test are numbers all the same; what they are called is the table's matter here.
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 2), (2, 2, 3)])]));
    let snapshot = house.lake.snapshot().await.unwrap();
    assert_eq!(type_of(&snapshot, "amount"), DataType::Utf8);
    let history: Vec<_> = snapshot.tables["events"].history.iter().map(|one| one.retyped.clone()).collect();
    assert_eq!(history, [vec![change]]);
    // Whoever comes late with the old type is refused before any table has it.
    let late = house.stage(4, &[load(4, 1, &[("events", 1)])]).await;
    assert_eq!(house.lake.check(&late.manifest).await.unwrap().unwrap_err().kind, Kind::FixData);
}

#[tokio::test]
async fn a_table_without_rows_takes_any_type() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    house.run(2, &[load(1, 2, &[])]).await;
    let mut staged = house.stage(3, &[load(2, 1, &[("events", 1)])]).await;
    as_texts(&mut staged);
    house.lake.check(&staged.manifest).await.unwrap().unwrap();
    house.publish(&staged).await;
    assert_eq!(type_of(&house.lake.snapshot().await.unwrap(), "amount"), DataType::Utf8);
}

#[tokio::test]
async fn a_compaction_of_what_a_change_of_type_took_out_is_void() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 2)])]).await;
    house.run(2, &[load(2, 1, &[("events", 2)])]).await;
    let merged: Vec<String> =
        house.lake.snapshot().await.unwrap().tables["events"].files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(merged.len(), 2);
    let mut staged = house.stage(3, &[load(1, 2, &[("events", 2)]), load(2, 2, &[("events", 2)])]).await;
    as_texts(&mut staged);
    house.publish(&staged).await;
    let file = write_file(&house, &[rows(1, 1, 2), rows(2, 1, 2)]).await;
    let compaction = TableChange { merged, ..change(vec![file]) };
    let tables = BTreeMap::from([("events".to_owned(), compaction)]);
    let manifest = manifest(ManifestKind::Compact, id().to_string(), tables, Vec::new());
    house.publish(&Staged { seq: 4, manifest, revisions: Vec::new() }).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 2), (2, 2, 2)])]));
    assert_eq!(type_of(&house.lake.snapshot().await.unwrap(), "amount"), DataType::Utf8);
}

#[tokio::test]
async fn manifests_that_are_not_well_formed_are_bugs() {
    let house = House::new().await;
    let mut staged = house.stage(1, &[load(1, 1, &[("events", 2)])]).await;
    let change = TableChange::default();
    staged.manifest.tables.insert("../other".into(), change);
    assert_eq!(house.lake.check(&staged.manifest).await.unwrap_err().kind, Kind::Bug);
    staged.manifest.tables.remove("../other");
    house.lake.check(&staged.manifest).await.unwrap().unwrap();
    let members = std::mem::take(&mut staged.manifest.members);
    assert_eq!(house.lake.check(&staged.manifest).await.unwrap_err().kind, Kind::Bug);
    staged.manifest.members = members;
    staged.manifest.batch_id = "a/b".into();
    assert_eq!(house.lake.check(&staged.manifest).await.unwrap_err().kind, Kind::Bug);
}

#[test]
fn every_type_goes_to_delta_and_back() {
    let all = Schema::new(vec![
        Field::new("text", DataType::Utf8, false),
        Field::new("view", DataType::Utf8View, true),
        Field::new("int", DataType::Int64, true),
        Field::new("float", DataType::Float64, true),
        Field::new("money", DataType::Decimal128(38, 4), true),
        Field::new("yes", DataType::Boolean, true),
        Field::new("day", DataType::Date32, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("raw", DataType::Binary, true),
        list("tags", DataType::Utf8View),
        list("prices", DataType::Decimal128(9, 2)),
    ]);
    let delta = delta_schema(&all).unwrap();
    assert_eq!(delta_schema(&arrow_schema(&delta).unwrap()).unwrap(), delta);
    let back = arrow_schema(&delta).unwrap();
    let kinds: Vec<String> = back.fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_snapshot!(kinds.join("\n"), @r#"
    Utf8
    Utf8
    Int64
    Float64
    Decimal128(38, 4)
    Boolean
    Date32
    Timestamp(µs, "UTC")
    Binary
    List(Utf8, field: 'element')
    List(Decimal128(9, 2), field: 'element')
    "#);
    for own in [receipts_schema(), quarantine_schema(), runs_schema()] {
        assert_eq!(arrow_schema(&delta_schema(&own).unwrap()).unwrap(), own);
    }
}
