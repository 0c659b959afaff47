//! Vacuum deletes what nobody needs, and never what somebody does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use proptest::prelude::*;
use stillhouse_lake::{Lake, NoObserver, Vacuum, Vacuumed, Why};

use crate::epochs::publish_half;
use crate::history::{Step, World, steps};
use crate::kit::{House, NOW, StopAt, expect, id, load};

async fn vacuum(house: &House, live: &[&str]) -> Vacuum {
    Vacuum {
        listing: house.lake.list_files().await.unwrap(),
        live: live.iter().map(|id| (*id).to_owned()).collect(),
        pinned: BTreeMap::new(),
        keep_after: i64::MAX,
        folder: None,
        dry_run: false,
        now: i64::MAX,
    }
}

async fn run(house: &House, live: &[&str]) -> Vacuumed {
    house.lake.vacuum(&vacuum(house, live).await, &NoObserver).await.unwrap()
}

impl World {
    async fn vacuum(&mut self, back: usize) {
        let listing = self.house.lake.list_files().await.unwrap();
        let mut live = self.live.clone();
        live.extend(self.waiting.as_ref().map(|staged| staged.manifest.batch_id.clone()));
        let keep_after = self.vectors.len().checked_sub(back + 1).map_or(NOW, |index| self.vectors[index].0);
        self.kept_after = self.kept_after.max(keep_after);
        let vacuum = Vacuum {
            listing,
            live,
            pinned: self.pinned.clone(),
            keep_after,
            folder: Some(self.house.path("")),
            dry_run: false,
            now: self.now,
        };
        let lake = self.house.another().await;
        let vacuumed = lake.vacuum(&vacuum, &NoObserver).await.unwrap();
        assert_eq!((vacuumed.problems.len(), vacuumed.unknown.len()), (0, 0), "{vacuumed:?}");
        for file in self.dead_files.drain(..) {
            assert!(!self.house.path(&file).exists(), "{file} is nobody's");
        }
        // What was shown at that time or later is there for whoever reads it, as far as the log tells what that was.
        let reader = Lake::open_to_read(Arc::clone(&self.house.store));
        for pair in self.vectors.windows(2) {
            for (table, version) in pair[0].1.iter().filter(|_| pair[1].0 > self.kept_after) {
                if let Ok(problems) = reader.check_files(table, *version).await {
                    assert_eq!(problems, [], "{table} {version}");
                }
            }
        }
        // Nothing that should go stays: a second one finds nothing.
        let again = Vacuum { listing: lake.list_files().await.unwrap(), ..vacuum };
        assert_eq!(lake.vacuum(&again, &NoObserver).await.unwrap().files, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_nothing_that_is_kept_goes(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.step(step).await;
                if let Step::Vacuum { back } = step {
                    world.vacuum(*back).await;
                    world.check().await;
                }
            }
            // Whoever waited has its turn all the same.
            world.step(&Step::Load { key: 1, events: 1, tags: 0, replaces: 0 }).await;
            world.vacuum(0).await;
            world.check().await;
        });
    }
}

#[tokio::test]
async fn files_are_judged_by_their_names() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)]), load(2, 1, &[("events", 3)])]).await;
    house.run(2, &[load(1, 2, &[("events", 2)])]).await;
    let (live, dead) = (id().to_string(), id().to_string());
    let names = [
        format!("{live}-0.parquet"),
        format!("{dead}-0.parquet"),
        format!("{}-3.parquet", id().simple()),
        // For a version that another commit has taken, and for one that is still to come.
        format!("{dead}-events-v2-0123456789abcdef-7.parquet"),
        format!("{dead}-events-v3-0123456789abcdef-7.parquet"),
        "export-2021.parquet".to_owned(),
        "part-00000-5b3c.snappy.parquet".to_owned(),
        format!("{dead}-0.csv"),
    ];
    for name in &names {
        std::fs::write(house.path("events").join(name), "x").unwrap();
    }
    std::fs::create_dir_all(house.path("of_somebody")).unwrap();
    std::fs::write(house.path("of_somebody").join(format!("{dead}-0.parquet")), "x").unwrap();
    let dry = Vacuum { dry_run: true, ..vacuum(&house, &[&live]).await };
    let planned = house.lake.vacuum(&dry, &NoObserver).await.unwrap();
    let vacuumed = run(&house, &[&live]).await;
    assert_eq!(planned, vacuumed);
    let mut why: BTreeMap<Why, usize> = BTreeMap::new();
    vacuumed.files.iter().for_each(|file| *why.entry(file.why).or_default() += 1);
    // Of the first batch one file was rewritten; three are of dead attempts, one in a folder that is no table yet.
    assert_eq!(why, [(Why::Unreferenced, 4), (Why::Overtaken, 1)].into());
    let unknown: Vec<&str> = vacuumed.unknown.iter().map(|(path, _)| path.as_str()).collect();
    let unknown = unknown.join(" ").replace(&dead, "DEAD");
    assert_snapshot!(unknown, @"events/DEAD-0.csv events/export-2021.parquet events/part-00000-5b3c.snappy.parquet");
    let left = |name: &String| house.path("events").join(name).exists();
    assert_eq!(names.iter().map(left).collect::<Vec<_>>(), [true, false, false, false, true, true, true, true]);
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 2), (2, 1, 3)])]));
    let unreferenced = house.lake.unreferenced("events").await.unwrap();
    assert_eq!(unreferenced.len(), 5);
}

#[tokio::test]
async fn a_vacuum_stopped_before_it_deletes_has_deleted_nothing() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    house.run(2, &[load(1, 2, &[("events", 3)])]).await;
    let before = house.lake.sizes("events").await.unwrap();
    let stop = StopAt { stop: Some(0), ..StopAt::default() };
    house.lake.vacuum(&vacuum(&house, &[]).await, &stop).await.unwrap_err();
    assert_eq!(stop.passed.into_inner().unwrap(), ["vacuum-listed"]);
    assert_eq!(house.lake.sizes("events").await.unwrap(), before);
    // Between list and deletion, a staged batch is published: its files are not on the list.
    assert_eq!(run(&house, &[]).await.files.len(), 1);
}

/// Between the list and the deletion the live attempt is published, and a new one begins.
#[tokio::test]
async fn what_began_after_the_listing_is_not_touched() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 3)])]).await;
    let staged = house.stage(2, &[load(1, 2, &[("events", 4)])]).await;
    let plan = vacuum(&house, &[&staged.manifest.batch_id]).await;
    house.publish(&staged).await;
    let later = house.stage(3, &[load(2, 1, &[("events", 5)])]).await;
    let vacuumed = house.lake.vacuum(&plan, &NoObserver).await.unwrap();
    assert_eq!(vacuumed.files.len(), 1, "the first generation");
    house.publish(&later).await;
    assert_eq!(house.shown().await, expect(&[("events", &[(1, 2, 4), (2, 1, 5)])]));
}

#[tokio::test]
async fn a_half_published_batch_keeps_its_files_without_a_ledger() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let staged = house.stage(2, &[load(2, 1, &[("event_tags", 1), ("events", 1), ("sessions", 1)])]).await;
    publish_half(&house, &staged, 1, "put:event_tags").await;
    assert_eq!(run(&house, &[]).await.files, []);
    let pending = house.another().await.pending_manifests().await.unwrap();
    house.publish(&pending[0]).await;
    assert_eq!(house.shown().await["sessions"], [((2, 1), 1)].into());
}

#[tokio::test]
async fn pinned_versions_that_cannot_be_read_stop_the_vacuum_of_their_table() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1), ("event_tags", 1)])]).await;
    house.run(2, &[load(1, 2, &[("events", 1), ("event_tags", 1)])]).await;
    house.lake.checkpoint("events").await.unwrap();
    house.lake.clean_log("events", i64::MAX, false).await.unwrap();
    let pinned = BTreeMap::from([("events".to_owned(), BTreeSet::from([1_i64])), ("event_tags".into(), [1].into())]);
    let plan = Vacuum { pinned, ..vacuum(&house, &[]).await };
    let vacuumed = house.lake.vacuum(&plan, &NoObserver).await.unwrap();
    assert_eq!(vacuumed.files, [], "`event_tags` needs its old file");
    assert_snapshot!(vacuumed.problems.join("\n"), @"table `events`: expected version 1, found only later entries of its log");
}

#[tokio::test]
async fn half_written_files_and_probes_go_when_they_are_old() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    let paths = ["events/a.parquet#10000000000", "events/_delta_log/00000000000000000009.json#7", "_probe/left"];
    for path in paths {
        std::fs::create_dir_all(house.path(path).parent().unwrap()).unwrap();
        std::fs::write(house.path(path), "half").unwrap();
    }
    std::fs::write(house.path("events/b#c"), "not ours").unwrap();
    let young = Vacuum { folder: Some(house.path("")), now: NOW, ..vacuum(&house, &[]).await };
    assert_eq!(house.lake.vacuum(&young, &NoObserver).await.unwrap().files, [], "an hour has not passed");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    for path in paths {
        std::fs::File::options().write(true).open(house.path(path)).unwrap().set_modified(old).unwrap();
    }
    let plan = Vacuum { dry_run: true, listing: house.lake.list_files().await.unwrap(), ..young };
    let planned = house.lake.vacuum(&plan, &NoObserver).await.unwrap();
    let vacuumed = house.lake.vacuum(&Vacuum { dry_run: false, ..plan }, &NoObserver).await.unwrap();
    assert_eq!((&planned, vacuumed.bytes()), (&vacuumed, 12));
    let mut found: Vec<&str> = vacuumed.files.iter().map(|file| file.path.as_str()).collect();
    found.sort_unstable();
    let mut expected = paths.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(paths.iter().all(|path| !house.path(path).exists()) && house.path("events/b#c").exists());
}

#[tokio::test]
async fn missing_and_changed_files_are_named() {
    let house = House::new().await;
    house.run(1, &[load(1, 1, &[("events", 1)])]).await;
    house.run(2, &[load(2, 1, &[("events", 1)])]).await;
    house.run(3, &[load(3, 1, &[("events", 1)])]).await;
    assert_eq!(house.lake.check_files("events", 3).await.unwrap(), []);
    let files = house.lake.files("events", 3).await.unwrap();
    std::fs::remove_file(house.path("events").join(&files[0].path)).unwrap();
    std::fs::write(house.path("events").join(&files[2].path), "short").unwrap();
    let problems = house.lake.check_files("events", 3).await.unwrap();
    let found: Vec<_> = problems.iter().map(|problem| (problem.expected == files[0].size, problem.found)).collect();
    assert_eq!(found, [(true, None), (files[2].size == files[0].size, Some(5))]);
    assert_eq!(problems[0].path, format!("events/{}", files[0].path));
}
