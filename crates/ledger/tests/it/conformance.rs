//! What a ledger does, whatever the database. Each case gets an empty one.

use std::collections::BTreeSet;
use std::time::Duration;

use stillhouse_ledger::{
    BatchKind, ClaimLimits, ImportedReceipt, Kind, Ledger, Offered, Phase, Staged, StagedMember, State, VersionId,
    WithdrawTo,
};

use crate::place::{
    ALL, LEASE, ONE, Place, amend, check_kind, check_states, claim, complete_one, gone, log_line, object, object_of,
    offer_one, offers, receipt, refused, request, stage_one, versions,
};

/// Calls a macro with the names of all cases.
macro_rules! all_cases {
    ($macro:ident, $suite:ident, $names:ident) => {
        $macro!(
            $suite, $names:
            an_object_version_is_one_row_however_often_it_is_offered,
            many_versions_are_looked_up_in_their_order,
            a_changed_object_is_the_next_generation,
            one_offer_may_name_a_key_twice,
            an_object_without_an_etag_is_told_apart_by_its_time,
            what_cannot_be_kept_is_refused,
            reoffer_makes_a_new_generation_of_the_same_content,
            ten_thousand_offers_take_less_than_a_second,
            large_objects_are_claimed_alone_and_small_ones_in_groups,
            groups_keep_to_their_limits,
            a_cohort_is_claimed_whole,
            a_claim_takes_only_the_newest_generation,
            a_lease_that_ran_out_can_be_taken,
            a_heartbeat_keeps_a_claim,
            release_gives_everything_back,
            a_failed_object_is_tried_again_when_it_is_time,
            a_held_object_waits_for_a_person,
            a_stale_token_changes_nothing,
            stage_gives_places_in_order_and_revisions_by_key,
            stage_refuses_a_group_with_an_overtaken_member,
            staging_twice_is_staging_once,
            stage_wants_sound_requests,
            only_one_publisher_has_the_lease,
            finish_wants_the_head_the_seq_and_the_lease,
            a_finished_generation_supersedes_the_lower_ones,
            epochs_never_decrease,
            a_withdrawn_batch_comes_back_under_a_new_generation,
            withdraw_wants_the_head_and_a_new_epoch,
            a_ledger_that_is_not_open_takes_no_work,
            every_write_of_an_older_ledger_is_fenced,
            a_rebuilt_ledger_knows_what_the_lake_knows,
            a_rebuild_restores_half_published_batches,
            a_rebuild_refuses_receipts_that_contradict_each_other,
            history_and_search_answer_by_key,
            two_processes_never_claim_the_same,
            two_processes_never_publish_the_same,
            a_dropped_call_leaves_all_or_nothing,
            every_call_can_move_between_threads,
        );
    };
}
pub(crate) use all_cases;

pub async fn an_object_version_is_one_row_however_often_it_is_offered(place: &Place) {
    let ledger = place.working().await;
    let offer = [object("a.csv", "1", 10), object("b.csv", "1", 10)];
    let first = ledger.offer(&offers(&offer), 5).await.unwrap();
    assert_eq!(first, [Offered::New(VersionId::new(1, 1)), Offered::New(VersionId::new(2, 1))]);

    let again = ledger.offer(&offers(&offer), 6).await.unwrap();
    let known = |key| Offered::Known { version: VersionId::new(key, 1), state: State::Offered, reason: None };
    assert_eq!(again, [known(1), known(2)]);

    // A new time alone is no new version.
    let touched = stillhouse_spec::ObjectVersion { modified_at: 99, ..object("a.csv", "1", 10) };
    assert_eq!(offer_one(&ledger, touched, 7).await, known(1));

    // The same key in another source, and a member of an archive, are other keys.
    assert_eq!(offer_one(&ledger, object_of("orders", "a.csv", "1", 10), 8).await.version().key_number, 3);
    let member = stillhouse_spec::ObjectVersion { member: "x".into(), ..object("a.csv", "1", 10) };
    assert_eq!(offer_one(&ledger, member, 8).await.version().key_number, 4);

    let row = ledger.version(VersionId::new(1, 1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.offered_at, row.ready_at), (State::Offered, 5, Some(5)));
    assert_eq!(row.object, object("a.csv", "1", 10));
    assert!(ledger.offer(&[], 9).await.unwrap().is_empty());
}

pub async fn many_versions_are_looked_up_in_their_order(place: &Place) {
    let ledger = place.working().await;
    // More than one statement takes.
    let keys: Vec<String> = (0..60).map(|key| format!("{key}.csv")).collect();
    let objects: Vec<_> = keys.iter().map(|key| object(key, "1", 10)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    offer_one(&ledger, object("7.csv", "2", 11), 2).await;
    let asked: Vec<_> = (0..=60).rev().map(|key| VersionId::new(key + 1, 1)).collect();
    let found = ledger.versions(&asked).await.unwrap();
    assert_eq!(found[0], None);
    for (version, row) in asked.iter().zip(&found).skip(1) {
        let (row, key) = (row.as_ref().unwrap(), usize::try_from(version.key_number).unwrap() - 1);
        assert_eq!((row.version, &row.object.key), (*version, &keys[key]));
    }
    let mut asked: Vec<_> = keys.iter().rev().map(|key| ("events", key.as_str(), "")).collect();
    asked.extend([("orders", "7.csv", ""), ("events", "7.csv", "x"), ("events", "7", "")]);
    let found = ledger.newest_of(&asked).await.unwrap();
    assert_eq!(found[60..], [None, None, None]);
    for ((_, key, _), row) in asked.iter().zip(&found).take(60) {
        let row = row.as_ref().unwrap();
        let generation = if *key == "7.csv" { 2 } else { 1 };
        assert_eq!((row.object.key.as_str(), row.version.generation), (*key, generation));
    }
    assert!(ledger.versions(&[]).await.unwrap().is_empty() && ledger.newest_of(&[]).await.unwrap().is_empty());
}

pub async fn a_changed_object_is_the_next_generation(place: &Place) {
    let ledger = place.working().await;
    assert_eq!(offer_one(&ledger, object("a.csv", "1", 10), 1).await.version(), VersionId::new(1, 1));
    assert_eq!(offer_one(&ledger, object("a.csv", "2", 10), 2).await, Offered::New(VersionId::new(1, 2)));
    assert_eq!(offer_one(&ledger, object("a.csv", "2", 11), 3).await, Offered::New(VersionId::new(1, 3)));
    // Back to a former content: it must load again, the tables would have the other one by then.
    assert_eq!(offer_one(&ledger, object("a.csv", "1", 10), 4).await, Offered::New(VersionId::new(1, 4)));
    check_states(&ledger, "a.csv", &[State::Superseded, State::Superseded, State::Superseded, State::Offered]).await;
    assert_eq!(versions(&claim(&ledger, ALL, "t", 5).await), [VersionId::new(1, 4)]);
}

pub async fn one_offer_may_name_a_key_twice(place: &Place) {
    let ledger = place.working().await;
    let twice = [object("a.csv", "1", 1), object("a.csv", "1", 1), object("a.csv", "2", 1), object("b.csv", "1", 1)];
    let offered = ledger.offer(&offers(&twice), 1).await.unwrap();
    let versions: Vec<_> =
        offered.iter().map(|offered| (offered.version(), matches!(offered, Offered::New(_)))).collect();
    let id = VersionId::new;
    assert_eq!(versions, [(id(1, 1), true), (id(1, 1), false), (id(1, 2), true), (id(2, 1), true)]);
    check_states(&ledger, "a.csv", &[State::Superseded, State::Offered]).await;
}

pub async fn an_object_without_an_etag_is_told_apart_by_its_time(place: &Place) {
    let ledger = place.working().await;
    let at = |modified_at| stillhouse_spec::ObjectVersion { modified_at, ..object("a.csv", "", 10) };
    assert_eq!(offer_one(&ledger, at(1), 1).await.version().generation, 1);
    assert_eq!(offer_one(&ledger, at(1), 1).await.version().generation, 1);
    assert_eq!(offer_one(&ledger, at(2), 1).await.version().generation, 2);
}

pub async fn what_cannot_be_kept_is_refused(place: &Place) {
    let ledger = place.working().await;
    let both = [object("good.csv", "1", 1), object("bad\0.csv", "1", 1)];
    check_kind(ledger.offer(&offers(&both), 1).await, Kind::FixData, "without NUL");
    check_kind(ledger.offer(&offers(&[object("big.csv", "1", 1 << 63)]), 1).await, Kind::FixData, "below 2^63");
    assert!(ledger.counts().await.unwrap().is_empty(), "refused as a whole");

    // Every other text is kept as it is.
    let odd = "ü/'; DROP TABLE ledger_keys; --/$1/%/\u{1F980}/\"\\\u{1}\n.csv";
    offer_one(&ledger, object(odd, "\"quoted-etag\"", 1), 1).await;
    assert_eq!(claim(&ledger, ONE, "t", 1).await[0].object, object(odd, "\"quoted-etag\"", 1));
    // A message with a NUL in it (found in a file, say) must not get lost for that.
    assert!(ledger.fail("t", VersionId::new(1, 1), "found `\0`", None, 2).await.unwrap());
    assert_eq!(ledger.version(VersionId::new(1, 1)).await.unwrap().unwrap().reason.unwrap(), "found `\u{2400}`");
}

pub async fn reoffer_makes_a_new_generation_of_the_same_content(place: &Place) {
    let ledger = place.working().await;
    assert_eq!(ledger.reoffer("events", "a.csv", "", 1).await.unwrap(), None);
    let first = complete_one(&ledger, object("a.csv", "1", 10), "b1", 1).await;
    let second = ledger.reoffer("events", "a.csv", "", 5).await.unwrap().unwrap();
    assert_eq!(second, VersionId::new(first.key_number, 2));
    // Asked twice before it is taken: still one job.
    assert_eq!(ledger.reoffer("events", "a.csv", "", 6).await.unwrap().unwrap(), second);
    // Discovery takes it for the known content.
    assert_eq!(offer_one(&ledger, object("a.csv", "1", 10), 7).await.version(), second);
    check_states(&ledger, "a.csv", &[State::Complete, State::Offered]).await;
    let jobs = claim(&ledger, ONE, "t", 8).await;
    assert_eq!(jobs[0].object, object("a.csv", "1", 10));
    assert_eq!(jobs[0].version, second);
}

pub async fn ten_thousand_offers_take_less_than_a_second(place: &Place) {
    let ledger = place.working().await;
    let objects: Vec<_> =
        (0..10_000).map(|number| object(&format!("2021/04/part-{number:05}.csv"), "e", number)).collect();
    let started = tokio::time::Instant::now();
    let offered = ledger.offer(&offers(&objects), 1).await.unwrap();
    let new = started.elapsed();
    assert!(offered.iter().all(|offered| matches!(offered, Offered::New(_))));
    let started = tokio::time::Instant::now();
    ledger.offer(&offers(&objects), 2).await.unwrap();
    let known = started.elapsed();
    let changed: Vec<_> =
        (0..10_000).map(|number| object(&format!("2021/04/part-{number:05}.csv"), "f", number)).collect();
    let started = tokio::time::Instant::now();
    ledger.offer(&offers(&changed), 3).await.unwrap();
    let raised = started.elapsed();
    eprintln!("10,000 offers: new {new:?}, known {known:?}, changed {raised:?}");
    assert_eq!(ledger.counts().await.unwrap()[&State::Superseded], 10_000);

    let started = tokio::time::Instant::now();
    let limits = ClaimLimits { small_bytes: 1 << 20, group_count_max: 1_000, group_bytes_max: 1 << 30 };
    let jobs = claim(&ledger, limits, "t", 4).await;
    assert_eq!(jobs.len(), 1_000);
    let staged = ledger.stage(&request("b", "t", &versions(&jobs)), 5).await.unwrap();
    assert!(matches!(staged, Staged::Done { seq: 1, .. }));
    assert!(ledger.take_publish_lease("p", 5, LEASE).await.unwrap());
    assert!(ledger.finish("b", 1, "p", 6).await.unwrap());
    eprintln!("a group of 1,000: {:?}", started.elapsed());
    eprintln!("a group of 1,000: {:?}", started.elapsed());
}

pub async fn large_objects_are_claimed_alone_and_small_ones_in_groups(place: &Place) {
    let ledger = place.working().await;
    let limits = ClaimLimits { small_bytes: 100, group_count_max: 10, group_bytes_max: 1_000 };
    let objects = [
        object("1.csv", "e", 100),
        object("2.csv", "e", 101),
        object_of("orders", "3.csv", "e", 5),
        object("4.csv", "e", 0),
    ];
    ledger.offer(&offers(&objects), 1).await.unwrap();
    let keys = |jobs: Vec<stillhouse_ledger::Job>| jobs.into_iter().map(|job| job.object.key).collect::<Vec<_>>();
    assert_eq!(keys(claim(&ledger, limits, "t1", 2).await), ["1.csv", "4.csv"]);
    assert_eq!(keys(claim(&ledger, limits, "t2", 2).await), ["2.csv"]);
    assert_eq!(keys(claim(&ledger, limits, "t3", 2).await), ["3.csv"]);
    assert!(claim(&ledger, limits, "t4", 2).await.is_empty());
    assert_eq!(ledger.counts().await.unwrap()[&State::Claimed], 4);
    assert_eq!(ledger.unfinished().await.unwrap(), 4);
}

pub async fn groups_keep_to_their_limits(place: &Place) {
    let ledger = place.working().await;
    let objects: Vec<_> = (0..6).map(|number| object(&format!("{number}.csv"), "e", 40)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    let limits = ClaimLimits { small_bytes: 50, group_count_max: 4, group_bytes_max: 100 };
    assert_eq!(claim(&ledger, limits, "bytes", 2).await.len(), 2);
    let limits = ClaimLimits { small_bytes: 50, group_count_max: 3, group_bytes_max: 1_000 };
    assert_eq!(claim(&ledger, limits, "count", 2).await.len(), 3);
    // An object above the limit of a group goes alone, and does not block.
    let limits = ClaimLimits { small_bytes: 50, group_count_max: 0, group_bytes_max: 1 };
    assert_eq!(claim(&ledger, limits, "least", 2).await.len(), 1);
}

pub async fn a_cohort_is_claimed_whole(place: &Place) {
    let ledger = place.working().await;
    for (number, key) in (1..).zip(["a.csv", "b.csv", "c.csv"]) {
        complete_one(&ledger, object(key, "1", number * 1_000), &format!("b{number}"), 1).await;
    }
    complete_one(&ledger, object_of("orders", "other.csv", "1", 1), "b4", 1).await;
    let with_rows = ledger.with_rows("events").await.unwrap();
    let mut keys: Vec<&str> = with_rows.iter().map(|object| object.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a.csv", "b.csv", "c.csv"]);

    offer_one(&ledger, object("new.csv", "1", 5), 2).await;
    let together: Vec<_> = keys.iter().map(|key| ("events", *key, "")).collect();
    let offered = ledger.reoffer_together(&together, "cohort", 3).await.unwrap();
    assert!(offered.iter().all(|version| version.generation == 2), "{offered:?}");
    // Limits of groups are not for cohorts, and nobody else joins.
    let limits = ClaimLimits { small_bytes: 10, group_count_max: 1, group_bytes_max: 10 };
    let jobs = claim(&ledger, limits, "t", 4).await;
    assert_eq!(versions(&jobs), offered);
    assert!(jobs.iter().all(|job| job.cohort.as_deref() == Some("cohort") && job.asked));
    let alone = claim(&ledger, limits, "u", 4).await;
    assert_eq!((alone[0].object.key.as_str(), alone[0].cohort.as_deref()), ("new.csv", None));
    // What is given back is claimed whole again, also after it was held.
    ledger.release("t", 5).await.unwrap();
    let again = claim(&ledger, limits, "v", 6).await;
    assert_eq!(versions(&again), offered);
    for version in &offered {
        assert!(ledger.hold("v", *version, "{}", 7).await.unwrap());
    }
    assert!(claim(&ledger, limits, "w", 8).await.is_empty());
    assert_eq!(ledger.retry_held("events", None, 9).await.unwrap(), 3);
    assert_eq!(versions(&claim(&ledger, limits, "x", 10).await), offered);
    // Offered anew, each is by itself again.
    ledger.reoffer("events", "b.csv", "", 11).await.unwrap().unwrap();
    let jobs = claim(&ledger, limits, "y", 12).await;
    assert_eq!((jobs.len(), jobs[0].version.generation, jobs[0].cohort.as_deref()), (1, 3, None));
    check_states(&ledger, "a.csv", &[State::Complete, State::Claimed]).await;
}

pub async fn a_claim_takes_only_the_newest_generation(place: &Place) {
    let ledger = place.working().await;
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;
    let old = claim(&ledger, ONE, "old", 2).await;
    offer_one(&ledger, object("a.csv", "2", 1), 3).await;
    check_states(&ledger, "a.csv", &[State::Claimed, State::Offered]).await;
    // Both are worked on at once; which one is staged first decides.
    let new = claim(&ledger, ONE, "new", 4).await;
    assert_eq!(new[0].version.generation, 2);
    // The older one runs out: nobody gets it, whatever the lease says.
    assert!(claim(&ledger, ALL, "late", 3 + LEASE).await.is_empty());
    check_states(&ledger, "a.csv", &[State::Superseded, State::Claimed]).await;
    assert!(!ledger.heartbeat("old", 4, LEASE).await.unwrap());
    let staged = ledger.stage(&request("b", "old", &versions(&old)), 5).await.unwrap();
    assert_eq!(staged, refused(&[], &versions(&old)));
}

pub async fn a_lease_that_ran_out_can_be_taken(place: &Place) {
    let ledger = place.working().await;
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;
    let first = claim(&ledger, ONE, "first", 10).await;
    assert!(claim(&ledger, ONE, "early", 9 + LEASE).await.is_empty());
    let second = claim(&ledger, ONE, "second", 10 + LEASE).await;
    assert_eq!(second[0].version, first[0].version);
    assert_eq!((first[0].attempts_count, second[0].attempts_count), (1, 2));

    let history = ledger.history("events", "a.csv").await.unwrap().remove(0);
    let attempts: Vec<_> =
        history.attempts.iter().map(|attempt| (&*attempt.attempt, attempt.outcome.as_deref())).collect();
    assert_eq!(attempts, [("attempt-first", Some("lost")), ("attempt-second", None)]);
    let staged = ledger.stage(&request("b1", "first", &versions(&first)), 20).await.unwrap();
    assert_eq!(staged, refused(&[], &versions(&first)));
    let staged = ledger.stage(&request("b2", "second", &versions(&second)), 20).await.unwrap();
    assert!(matches!(staged, Staged::Done { seq: 1, .. }));
}

pub async fn a_heartbeat_keeps_a_claim(place: &Place) {
    let ledger = place.working().await;
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;
    claim(&ledger, ONE, "mine", 10).await;
    assert!(ledger.heartbeat("mine", 10 + LEASE / 2, LEASE).await.unwrap());
    assert!(claim(&ledger, ONE, "other", 10 + LEASE).await.is_empty());
    // Late, but nobody took it: still mine, and safe for another lease.
    assert!(ledger.heartbeat("mine", 10 + 3 * LEASE, LEASE).await.unwrap());
    assert!(claim(&ledger, ONE, "other", 9 + 4 * LEASE).await.is_empty());
    assert!(!ledger.heartbeat("never", 10, LEASE).await.unwrap());
}

pub async fn release_gives_everything_back(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1)]), 1).await.unwrap();
    let jobs = claim(&ledger, ALL, "t", 2).await;
    offer_one(&ledger, object("b.csv", "2", 1), 3).await;
    assert_eq!(ledger.release("t", 4).await.unwrap(), 2);
    assert_eq!(ledger.release("t", 4).await.unwrap(), 0);
    check_states(&ledger, "a.csv", &[State::Offered]).await;
    check_states(&ledger, "b.csv", &[State::Superseded, State::Offered]).await;
    assert!(!ledger.heartbeat("t", 4, LEASE).await.unwrap());
    let staged = ledger.stage(&request("b", "t", &versions(&jobs)), 5).await.unwrap();
    assert_eq!(staged, refused(&[], &versions(&jobs)));
    assert_eq!(claim(&ledger, ALL, "t2", 5).await.len(), 2);
}

pub async fn a_failed_object_is_tried_again_when_it_is_time(place: &Place) {
    let ledger = place.working().await;
    let version = offer_one(&ledger, object("a.csv", "1", 1), 1).await.version();
    claim(&ledger, ONE, "t1", 2).await;
    assert!(ledger.fail("t1", version, "connection reset", Some(100), 3).await.unwrap());
    let row = ledger.version(version).await.unwrap().unwrap();
    assert_eq!((row.state, row.ready_at, row.reason.as_deref()), (State::Offered, Some(100), Some("connection reset")));
    assert!(claim(&ledger, ONE, "t2", 99).await.is_empty());
    assert_eq!(claim(&ledger, ONE, "t3", 100).await[0].attempts_count, 2);
    assert!(ledger.fail("t3", version, "gone", None, 101).await.unwrap());
    assert!(claim(&ledger, ONE, "t4", i64::MAX / 2).await.is_empty());
    let known = offer_one(&ledger, object("a.csv", "1", 1), 102).await;
    assert_eq!(known, Offered::Known { version, state: State::Failed, reason: Some("gone".into()) });
    assert_eq!(ledger.retry_held("events", Some("other.csv"), 103).await.unwrap(), 0);
    assert_eq!(ledger.retry_held("events", Some("a.csv"), 103).await.unwrap(), 1);
    assert_eq!(claim(&ledger, ONE, "t5", 103).await[0].version, version);
}

pub async fn a_held_object_waits_for_a_person(place: &Place) {
    let ledger = place.working().await;
    ledger
        .offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1), object("c.csv", "1", 1)]), 1)
        .await
        .unwrap();
    let jobs = claim(&ledger, ALL, "t", 2).await;
    let reason = r#"{"reason":"ambiguous_format"}"#;
    for job in &jobs[..2] {
        assert!(ledger.hold("t", job.version, reason, 3).await.unwrap());
    }
    // The rest of the claim is still held under the token.
    assert!(ledger.heartbeat("t", 4, LEASE).await.unwrap());
    let held = ledger.list(State::Held, 10).await.unwrap();
    assert_eq!(held.iter().map(|row| &*row.object.key).collect::<Vec<_>>(), ["a.csv", "b.csv"]);
    assert_eq!(held[0].reason.as_deref(), Some(reason));
    assert!(claim(&ledger, ALL, "t2", 5).await.is_empty());
    // A new version takes the place of a held one by itself; the other waits for a person.
    offer_one(&ledger, object("a.csv", "2", 1), 6).await;
    assert_eq!(ledger.retry_held("events", None, 7).await.unwrap(), 1);
    check_states(&ledger, "a.csv", &[State::Superseded, State::Offered]).await;
    check_states(&ledger, "b.csv", &[State::Offered]).await;
}

pub async fn a_stale_token_changes_nothing(place: &Place) {
    let ledger = place.working().await;
    let version = offer_one(&ledger, object("a.csv", "1", 1), 1).await.version();
    claim(&ledger, ONE, "stale", 2).await;
    claim(&ledger, ONE, "new", 3 + LEASE).await;
    let before = ledger.history("events", "a.csv").await.unwrap();
    assert!(!ledger.heartbeat("stale", 4, LEASE).await.unwrap());
    assert!(!ledger.fail("stale", version, "x", None, 4).await.unwrap());
    assert!(!ledger.fail("stale", version, "x", Some(5), 4).await.unwrap());
    assert!(!ledger.hold("stale", version, "x", 4).await.unwrap());
    assert_eq!(ledger.release("stale", 4).await.unwrap(), 0);
    let staged = ledger.stage(&request("b", "stale", &[version]), 4).await.unwrap();
    assert_eq!(staged, refused(&[], &[version]));
    assert_eq!(ledger.history("events", "a.csv").await.unwrap(), before);
    assert_eq!(ledger.queue_head().await.unwrap(), None);
    // A token in use is not taken for a new one.
    check_kind(ledger.claim(ONE, "new", "attempt", 5, LEASE).await, Kind::Bug, "new token");
    // A version that is not in the claim is not the claim's to hold.
    let other = offer_one(&ledger, object("b.csv", "1", 1), 5).await.version();
    assert!(!ledger.hold("new", other, "x", 5).await.unwrap());
    assert!(!ledger.hold("new", VersionId::new(99, 1), "x", 5).await.unwrap());
}

pub async fn stage_gives_places_in_order_and_revisions_by_key(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1)]), 1).await.unwrap();
    let mut jobs = versions(&claim(&ledger, ALL, "t1", 2).await);
    jobs.reverse();
    let staged = ledger.stage(&request("b1", "t1", &jobs), 3).await.unwrap();
    let member = |version, revision| StagedMember { version, revision };
    assert_eq!(staged, Staged::Done { seq: 1, members: vec![member(jobs[0], 1), member(jobs[1], 1)] });

    // A higher generation may be staged while the lower one waits in the queue.
    let (second, seq) = stage_one(&ledger, object("a.csv", "2", 1), "b2", 4).await;
    assert_eq!((second, seq), (VersionId::new(1, 2), 2));
    assert_eq!(ledger.status().await.unwrap().next_seq, 3);
    let head = ledger.queue_head().await.unwrap().unwrap();
    assert_eq!((head.seq, &*head.batch_id, &*head.manifest, head.staged_at), (1, "b1", "manifest of b1", 3));
    assert_eq!(head.members, [member(VersionId::new(1, 1), 1), member(VersionId::new(2, 1), 1)]);
    let history = ledger.history("events", "a.csv").await.unwrap().remove(0);
    assert_eq!(history.revision, 2);
    assert_eq!(history.attempts[0].outcome.as_deref(), Some("staged"));
    assert_eq!(ledger.queue_count().await.unwrap(), 2);
}

pub async fn stage_refuses_a_group_with_an_overtaken_member(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1)]), 1).await.unwrap();
    let slow = versions(&claim(&ledger, ALL, "slow", 2).await);
    // That a newer version is only offered is no reason to refuse.
    offer_one(&ledger, object("b.csv", "2", 1), 3).await;
    let fast = versions(&claim(&ledger, ONE, "fast", 4).await);
    ledger.stage(&request("b2", "fast", &fast), 5).await.unwrap();

    let staged = ledger.stage(&request("b1", "slow", &slow), 6).await.unwrap();
    assert_eq!(staged, refused(&[VersionId::new(2, 1)], &[]));
    check_states(&ledger, "a.csv", &[State::Claimed]).await;
    check_states(&ledger, "b.csv", &[State::Superseded, State::Staged]).await;
    assert_eq!(ledger.status().await.unwrap().next_seq, 2, "a refused batch takes no place");
    // Formed again without that member.
    let staged = ledger.stage(&request("b3", "slow", &slow[..1]), 7).await.unwrap();
    assert!(matches!(staged, Staged::Done { seq: 2, .. }));

    // The same once the higher one is complete.
    let old = versions(&{
        offer_one(&ledger, object("c.csv", "1", 1), 8).await;
        claim(&ledger, ONE, "old", 8).await
    });
    let new = stage_one(&ledger, object("c.csv", "2", 1), "b4", 9).await;
    assert!(ledger.take_publish_lease("p", 10, LEASE).await.unwrap());
    for (batch, seq) in [("b2", 1), ("b3", 2), ("b4", new.1)] {
        assert!(ledger.finish(batch, seq, "p", 10).await.unwrap());
    }
    let staged = ledger.stage(&request("b5", "old", &old), 11).await.unwrap();
    assert_eq!(staged, refused(&[], &old), "finish has superseded the claim");
}

pub async fn staging_twice_is_staging_once(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1)]), 1).await.unwrap();
    let jobs = versions(&claim(&ledger, ALL, "t", 2).await);
    let first = ledger.stage(&request("b", "t", &jobs), 3).await.unwrap();
    assert_eq!(ledger.stage(&request("b", "t", &jobs), 4).await.unwrap(), first);
    check_kind(ledger.stage(&request("b", "t", &jobs[..1]), 4).await, Kind::Bug, "other members");
    assert_eq!(ledger.status().await.unwrap().next_seq, 2);
}

pub async fn stage_wants_sound_requests(place: &Place) {
    let ledger = place.working().await;
    let version = offer_one(&ledger, object("a.csv", "1", 1), 1).await.version();
    claim(&ledger, ONE, "t", 2).await;
    check_kind(ledger.stage(&request("b", "t", &[]), 3).await, Kind::Bug, "found none");
    check_kind(ledger.stage(&request("b", "t", &[version, version]), 3).await, Kind::Bug, "found one twice");
    check_kind(ledger.stage(&request("b", "t", &[VersionId::new(9, 9)]), 3).await, Kind::Bug, "no such version");
    assert_eq!(ledger.queue_count().await.unwrap(), 0);
}

pub async fn only_one_publisher_has_the_lease(place: &Place) {
    let ledger = place.working().await;
    assert!(ledger.take_publish_lease("one", 10, 100).await.unwrap());
    assert!(!ledger.take_publish_lease("two", 109, 100).await.unwrap());
    assert!(ledger.take_publish_lease("one", 50, 100).await.unwrap(), "one's own is renewed");
    assert!(ledger.renew_publish_lease("one", 60, 100).await.unwrap());
    assert!(!ledger.renew_publish_lease("two", 60, 100).await.unwrap());
    assert!(!ledger.take_publish_lease("two", 159, 100).await.unwrap());
    assert!(ledger.take_publish_lease("two", 160, 100).await.unwrap(), "run out");
    assert!(!ledger.renew_publish_lease("one", 161, 100).await.unwrap());
    assert!(!ledger.release_publish_lease("one").await.unwrap());
    assert!(ledger.release_publish_lease("two").await.unwrap());
    assert!(ledger.take_publish_lease("one", 162, 100).await.unwrap());
}

pub async fn finish_wants_the_head_the_seq_and_the_lease(place: &Place) {
    let ledger = place.working().await;
    stage_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    stage_one(&ledger, object("b.csv", "1", 1), "b2", 2).await;
    check_kind(ledger.finish("b1", 1, "p", 3).await, Kind::Fenced, "publish lease");
    assert!(ledger.take_publish_lease("stale", 3, 10).await.unwrap());
    assert!(ledger.take_publish_lease("p", 13, LEASE).await.unwrap());
    check_kind(ledger.finish("b1", 1, "stale", 14).await, Kind::Fenced, "another publisher");
    check_kind(ledger.finish("b2", 2, "p", 14).await, Kind::Bug, "head of the queue");
    check_kind(ledger.finish("b1", 2, "p", 14).await, Kind::Bug, "expected seq 2");
    assert_eq!(ledger.queue_count().await.unwrap(), 2);
    assert_eq!(ledger.unfinished().await.unwrap(), 2);

    assert!(ledger.finish("b1", 1, "p", 15).await.unwrap());
    assert!(!ledger.finish("b1", 1, "p", 15).await.unwrap(), "done before");
    assert_eq!(ledger.queue_head().await.unwrap().unwrap().batch_id, "b2");
    // Late but taken by nobody: the work is done all the same.
    assert!(ledger.finish("b2", 2, "p", 13 + 2 * LEASE).await.unwrap());
    assert_eq!(ledger.queue_head().await.unwrap(), None);
    assert_eq!((ledger.counts().await.unwrap()[&State::Complete], ledger.unfinished().await.unwrap()), (2, 0));
}

pub async fn a_finished_generation_supersedes_the_lower_ones(place: &Place) {
    let ledger = place.working().await;
    complete_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    offer_one(&ledger, object("a.csv", "2", 1), 2).await;
    let second = versions(&claim(&ledger, ONE, "slow", 2).await);
    let (third, seq) = stage_one(&ledger, object("a.csv", "3", 1), "b3", 3).await;
    offer_one(&ledger, object("a.csv", "4", 1), 4).await;
    assert!(ledger.finish("b3", seq, "publisher", 5).await.unwrap());
    check_states(&ledger, "a.csv", &[State::Superseded, State::Superseded, State::Complete, State::Offered]).await;
    assert_eq!(third.generation, 3);
    assert!(!ledger.heartbeat("slow", 6, LEASE).await.unwrap());
    assert!(!ledger.hold("slow", second[0], "x", 6).await.unwrap());
    let history = ledger.history("events", "a.csv").await.unwrap().remove(0);
    assert_eq!(history.attempts[1].outcome.as_deref(), Some("superseded"));
}

pub async fn epochs_never_decrease(place: &Place) {
    let ledger = place.working().await;
    check_kind(ledger.adopt_epoch(2, "p").await, Kind::Fenced, "publish lease");
    assert!(ledger.take_publish_lease("p", 1, LEASE).await.unwrap());
    ledger.adopt_epoch(3, "p").await.unwrap();
    ledger.adopt_epoch(3, "p").await.unwrap();
    check_kind(ledger.adopt_epoch(2, "p").await, Kind::Bug, "epoch 3 or a higher one");
    assert_eq!(ledger.epoch().await.unwrap(), 3);
}

pub async fn a_withdrawn_batch_comes_back_under_a_new_generation(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object("b.csv", "1", 1)]), 1).await.unwrap();
    let jobs = versions(&claim(&ledger, ALL, "t", 2).await);
    ledger.stage(&request("b1", "t", &jobs), 3).await.unwrap();
    // Of one member a newer version is known: it goes its own way.
    offer_one(&ledger, object("b.csv", "2", 1), 4).await;
    assert!(ledger.take_publish_lease("p", 5, LEASE).await.unwrap());
    ledger.adopt_epoch(2, "p").await.unwrap();
    let to = WithdrawTo::Held { reason: r#"{"reason":"schema"}"#.into() };
    assert_eq!(ledger.withdraw("b1", "p", &to, 6).await.unwrap(), [VersionId::new(1, 2)]);
    check_states(&ledger, "a.csv", &[State::Superseded, State::Held]).await;
    check_states(&ledger, "b.csv", &[State::Superseded, State::Offered]).await;
    assert_eq!(ledger.queue_head().await.unwrap(), None);
    let held = ledger.list(State::Held, 9).await.unwrap().remove(0);
    assert_eq!((held.object, held.reason.as_deref()), (object("a.csv", "1", 1), Some(r#"{"reason":"schema"}"#)));
    assert_eq!(held.attempts_count, 1, "attempts count on");

    // Discovery knows it; a person may let it try again; the next seq is a new one, the revision is the one that was given back.
    assert!(matches!(offer_one(&ledger, object("a.csv", "1", 1), 7).await, Offered::Known { state: State::Held, .. }));
    assert_eq!(ledger.retry_held("events", Some("a.csv"), 8).await.unwrap(), 1);
    let jobs = claim(&ledger, ONE, "t2", 8).await;
    let staged = ledger.stage(&request("b2", "t2", &versions(&jobs)), 9).await.unwrap();
    let member = StagedMember { version: VersionId::new(1, 2), revision: 1 };
    assert_eq!(staged, Staged::Done { seq: 2, members: vec![member] });

    ledger.adopt_epoch(3, "p").await.unwrap();
    assert_eq!(ledger.withdraw("b2", "p", &WithdrawTo::Offered, 10).await.unwrap(), [VersionId::new(1, 3)]);
    assert_eq!(claim(&ledger, ALL, "t3", 11).await[0].version, VersionId::new(1, 3));
}

pub async fn withdraw_wants_the_head_and_a_new_epoch(place: &Place) {
    let ledger = place.working().await;
    stage_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    stage_one(&ledger, object("b.csv", "1", 1), "b2", 2).await;
    check_kind(ledger.withdraw("b1", "p", &WithdrawTo::Offered, 3).await, Kind::Fenced, "publish lease");
    assert!(ledger.take_publish_lease("p", 3, LEASE).await.unwrap());
    check_kind(ledger.withdraw("b1", "p", &WithdrawTo::Offered, 3).await, Kind::Bug, "an epoch above 1");
    ledger.adopt_epoch(2, "p").await.unwrap();
    check_kind(ledger.withdraw("b2", "p", &WithdrawTo::Offered, 3).await, Kind::Bug, "head of the queue");
    check_kind(ledger.withdraw("b9", "p", &WithdrawTo::Offered, 3).await, Kind::Bug, "not in the queue");
    assert_eq!(ledger.queue_count().await.unwrap(), 2);
    assert_eq!(ledger.withdraw("b1", "p", &WithdrawTo::Offered, 3).await.unwrap().len(), 1);
}

pub async fn a_ledger_that_is_not_open_takes_no_work(place: &Place) {
    let ledger = place.open().await;
    assert_eq!(ledger.status().await.unwrap().phase, Phase::New);
    check_closed(&ledger, "is new").await;
    let ledger = ledger.begin_rebuild("ledger-2", 2).await.unwrap();
    assert_eq!(ledger.status().await.unwrap().phase, Phase::Rebuilding);
    check_closed(&ledger, "is being rebuilt").await;
    // Another process sees the same.
    let other = place.open().await;
    assert_eq!((other.ledger_id(), other.status().await.unwrap().phase), ("ledger-2", Phase::Rebuilding));

    check_kind(ledger.open_for_work(0, 1, 3).await, Kind::Bug, "found epoch 0");
    ledger.open_for_work(5, 8, 3).await.unwrap();
    other.open_for_work(5, 8, 3).await.unwrap();
    check_kind(other.open_for_work(6, 8, 3).await, Kind::Bug, "cannot be opened with epoch 6");
    let status = ledger.status().await.unwrap();
    assert_eq!((status.phase, status.epoch, status.next_seq), (Phase::Open, 5, 8));
    check_kind(ledger.import_receipts(&[], 4).await, Kind::Bug, "one that is open");
    check_kind(ledger.restore_batch(1, "b", BatchKind::Load, "m", &[], 4).await, Kind::Bug, "one that is open");
}

async fn check_closed(ledger: &Ledger, words: &str) {
    let version = VersionId::new(1, 1);
    let kind = Kind::FixSettings;
    check_kind(ledger.offer(&offers(&[object("a.csv", "1", 1)]), 1).await, kind, words);
    check_kind(ledger.reoffer("events", "a.csv", "", 1).await, kind, words);
    check_kind(ledger.retry_held("events", None, 1).await, kind, words);
    check_kind(ledger.offer_removed(&[gone("a.csv")], 1).await, kind, words);
    check_kind(ledger.stage_amend(&amend("m", &[(version, 1)]), 1).await, kind, words);
    check_kind(ledger.stage_compact("c", "m", 1).await, kind, words);
    check_kind(ledger.log("attempt", &[log_line(1, "x")]).await, kind, words);
    check_kind(ledger.trim(1, 1).await, kind, words);
    check_kind(ledger.claim(ONE, "t", "a", 1, LEASE).await, kind, words);
    check_kind(ledger.heartbeat("t", 1, LEASE).await, kind, words);
    check_kind(ledger.release("t", 1).await, kind, words);
    check_kind(ledger.fail("t", version, "x", None, 1).await, kind, words);
    check_kind(ledger.hold("t", version, "x", 1).await, kind, words);
    check_kind(ledger.stage(&request("b", "t", &[version]), 1).await, kind, words);
    check_kind(ledger.take_publish_lease("p", 1, LEASE).await, kind, words);
    check_kind(ledger.renew_publish_lease("p", 1, LEASE).await, kind, words);
    check_kind(ledger.release_publish_lease("p").await, kind, words);
    check_kind(ledger.finish("b", 1, "p", 1).await, kind, words);
    check_kind(ledger.adopt_epoch(2, "p").await, kind, words);
    check_kind(ledger.withdraw("b", "p", &WithdrawTo::Offered, 1).await, kind, words);
    let hint = ledger.heartbeat("t", 1, LEASE).await.unwrap_err();
    assert!(hint.hint().unwrap().contains("ledger rebuild"), "{hint}");
}

pub async fn every_write_of_an_older_ledger_is_fenced(place: &Place) {
    let old = place.working().await;
    let version = offer_one(&old, object("a.csv", "1", 1), 1).await.version();
    claim(&old, ONE, "t", 2).await;
    assert!(old.take_publish_lease("p", 2, LEASE).await.unwrap());
    let new = place.open().await.begin_rebuild("ledger-2", 3).await.unwrap();
    new.open_for_work(2, 1, 3).await.unwrap();
    let (kind, words) = (Kind::Fenced, "expected ledger id ledger-1, found ledger-2");
    check_kind(old.offer(&offers(&[object("a.csv", "1", 1)]), 4).await, kind, words);
    check_kind(old.reoffer("events", "a.csv", "", 4).await, kind, words);
    check_kind(old.retry_held("events", None, 4).await, kind, words);
    check_kind(old.offer_removed(&[gone("a.csv")], 4).await, kind, words);
    check_kind(old.reoffer_orphans(4).await, kind, words);
    check_kind(old.stage_amend(&amend("m", &[(version, 1)]), 4).await, kind, words);
    check_kind(old.stage_compact("c", "m", 4).await, kind, words);
    check_kind(old.log("attempt", &[log_line(1, "x")]).await, kind, words);
    check_kind(old.trim(1, 4).await, kind, words);
    check_kind(old.same_content("events", &[]).await, kind, words);
    check_kind(old.live_attempts().await, kind, words);
    check_kind(old.claim(ONE, "t2", "a", 4, LEASE).await, kind, words);
    check_kind(old.heartbeat("t", 4, LEASE).await, kind, words);
    check_kind(old.release("t", 4).await, kind, words);
    check_kind(old.fail("t", version, "x", None, 4).await, kind, words);
    check_kind(old.hold("t", version, "x", 4).await, kind, words);
    check_kind(old.stage(&request("b", "t", &[version]), 4).await, kind, words);
    check_kind(old.take_publish_lease("p", 4, LEASE).await, kind, words);
    check_kind(old.renew_publish_lease("p", 4, LEASE).await, kind, words);
    check_kind(old.release_publish_lease("p").await, kind, words);
    check_kind(old.queue_head().await, kind, words);
    check_kind(old.finish("b", 1, "p", 4).await, kind, words);
    check_kind(old.adopt_epoch(2, "p").await, kind, words);
    check_kind(old.withdraw("b", "p", &WithdrawTo::Offered, 4).await, kind, words);
    check_kind(old.begin_rebuild("ledger-3", 4).await, kind, words);
    check_kind(old.import_receipts(&[], 4).await, kind, words);
    check_kind(old.restore_batch(1, "b", BatchKind::Load, "m", &[], 4).await, kind, words);
    check_kind(old.open_for_work(9, 9, 4).await, kind, words);
    check_kind(old.status().await, kind, words);
    assert!(new.counts().await.unwrap().is_empty(), "nothing of the old one is left");
    check_kind(new.begin_rebuild("ledger-2", 4).await, Kind::Bug, "a new ledger id");
}

pub async fn a_rebuilt_ledger_knows_what_the_lake_knows(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    // In no order, some twice, over several calls; key 3 never got a receipt, key 4 was forgotten.
    let forgotten = ImportedReceipt { forgotten: true, ..receipt("d.csv", "1", (4, 2), 2) };
    let first = [receipt("a.csv", "3", (1, 3), 4), receipt("d.csv", "1", (4, 1), 1), receipt("a.csv", "1", (1, 1), 1)];
    ledger.import_receipts(&first, 3).await.unwrap();
    let second = [
        receipt("b.csv", "1", (2, 1), 1),
        receipt("a.csv", "1", (1, 1), 2),
        receipt("a.csv", "1", (1, 1), 1),
        forgotten,
    ];
    ledger.import_receipts(&second, 3).await.unwrap();
    ledger.import_receipts(&second, 3).await.unwrap();
    ledger.import_receipts(&[], 3).await.unwrap();
    ledger.open_for_work(7, 41, 4).await.unwrap();

    check_states(&ledger, "a.csv", &[State::Superseded, State::Complete]).await;
    check_states(&ledger, "b.csv", &[State::Complete]).await;
    check_states(&ledger, "d.csv", &[State::Superseded, State::Forgotten]).await;
    assert_eq!(ledger.history("events", "a.csv").await.unwrap()[0].revision, 4);

    let offered = ledger
        .offer(&offers(&[object("a.csv", "3", 1), object("d.csv", "1", 1), object("new.csv", "1", 1)]), 5)
        .await
        .unwrap();
    let states: Vec<_> = offered.iter().map(|offered| matches!(offered, Offered::Known { .. })).collect();
    assert_eq!(states, [true, true, false]);
    assert_eq!(offered[2].version(), VersionId::new(5, 1), "key numbers go on above the largest");
    let (fourth, seq) = stage_one(&ledger, object("new.csv", "1", 1), "b", 6).await;
    assert_eq!((fourth.key_number, seq), (5, 41));
    let (next, _) = stage_one(&ledger, object("a.csv", "4", 1), "c", 7).await;
    assert_eq!(next, VersionId::new(1, 4));
    assert_eq!(ledger.history("events", "a.csv").await.unwrap()[0].revision, 5);
}

pub async fn a_rebuild_restores_half_published_batches(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    ledger.import_receipts(&[receipt("a.csv", "1", (1, 1), 1)], 3).await.unwrap();
    let members = [receipt("a.csv", "2", (1, 2), 2), receipt("b.csv", "1", (2, 1), 1)];
    ledger.restore_batch(9, "half", BatchKind::Load, "its manifest", &members, 3).await.unwrap();
    check_kind(ledger.open_for_work(2, 9, 4).await, Kind::Bug, "a seq above 9");
    ledger.open_for_work(2, 10, 4).await.unwrap();

    let head = ledger.queue_head().await.unwrap().unwrap();
    assert_eq!((head.seq, &*head.batch_id, &*head.manifest), (9, "half", "its manifest"));
    assert_eq!(head.members.iter().map(|member| member.revision).collect::<Vec<_>>(), [2, 1]);
    check_states(&ledger, "a.csv", &[State::Complete, State::Staged]).await;
    assert!(ledger.take_publish_lease("p", 5, LEASE).await.unwrap());
    check_kind(ledger.withdraw("half", "p", &WithdrawTo::Offered, 5).await, Kind::Bug, "an epoch above 2");
    assert!(ledger.finish("half", 9, "p", 5).await.unwrap());
    check_states(&ledger, "a.csv", &[State::Superseded, State::Complete]).await;
    check_states(&ledger, "b.csv", &[State::Complete]).await;
    assert_eq!(stage_one(&ledger, object("a.csv", "3", 1), "b", 6).await, (VersionId::new(1, 3), 10));
    assert_eq!(ledger.history("events", "a.csv").await.unwrap()[0].revision, 3);
}

pub async fn a_rebuild_refuses_receipts_that_contradict_each_other(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    ledger.import_receipts(&[receipt("a.csv", "1", (1, 1), 1)], 3).await.unwrap();
    check_kind(ledger.import_receipts(&[receipt("b.csv", "1", (1, 2), 1)], 3).await, Kind::Bug, "stands for two keys");
    check_kind(ledger.import_receipts(&[receipt("a.csv", "1", (2, 1), 1)], 3).await, Kind::Bug, "has two key numbers");
    check_kind(ledger.import_receipts(&[receipt("c.csv", "1", (0, 1), 1)], 3).await, Kind::Bug, "in their range");
    check_kind(
        ledger.restore_batch(1, "b", BatchKind::Load, "m", &[receipt("a.csv", "1", (1, 1), 1)], 3).await,
        Kind::Bug,
        "half published",
    );
    assert_eq!(ledger.queue_count().await.unwrap(), 0);
    assert_eq!(ledger.counts().await.unwrap().into_iter().collect::<Vec<_>>(), [(State::Complete, 1)]);
}

pub async fn history_and_search_answer_by_key(place: &Place) {
    let ledger = place.working().await;
    let objects = ["2021/04/events.csv", "2021/05/events.csv", "events.csv", "EVENTS.csv", "100%_a.csv", "1001_a.csv"];
    let objects: Vec<_> = objects.iter().map(|key| object(key, "1", 1)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    let member = stillhouse_spec::ObjectVersion { member: "b".into(), ..object("events.csv", "1", 1) };
    offer_one(&ledger, member, 2).await;

    let keys = async |part: &str, limit| {
        let found = ledger.find_keys(part, limit).await.unwrap();
        found.into_iter().map(|found| format!("{}!{}", found.key, found.member)).collect::<Vec<_>>()
    };
    assert_eq!(
        keys("events.csv", 9).await,
        ["events.csv!", "events.csv!b", "2021/04/events.csv!", "2021/05/events.csv!"]
    );
    assert_eq!(keys("events.csv", 1).await, ["events.csv!"]);
    assert_eq!(keys("04/", 9).await, ["2021/04/events.csv!"]);
    assert_eq!(keys("0%_a", 9).await, ["100%_a.csv!"]);
    assert!(keys("nothing", 9).await.is_empty());

    let histories = ledger.history("events", "events.csv").await.unwrap();
    assert_eq!(histories.iter().map(|history| &*history.member).collect::<Vec<_>>(), ["", "b"]);
    assert!(ledger.history("orders", "events.csv").await.unwrap().is_empty());
    assert_eq!(ledger.version(VersionId::new(99, 1)).await.unwrap(), None);
    assert_eq!(ledger.list(State::Offered, 3).await.unwrap().len(), 3);
    assert!(ledger.list(State::Complete, 3).await.unwrap().is_empty());
}

pub async fn two_processes_never_claim_the_same(place: &Place) {
    let first = place.working().await;
    let ledgers = [first.clone(), place.open().await];
    let objects: Vec<_> = (0..60).map(|number| object(&format!("{number}.csv"), "e", 10)).collect();
    first.offer(&offers(&objects), 1).await.unwrap();
    let limits = ClaimLimits { small_bytes: 10, group_count_max: 3, group_bytes_max: 100 };
    let workers = (0..6).map(|worker| {
        let ledger = ledgers[worker % 2].clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for turn in 0.. {
                let name = format!("w{worker}-{turn}");
                let jobs = versions(&claim(&ledger, limits, &name, 2).await);
                if jobs.is_empty() {
                    break;
                }
                let staged = ledger.stage(&request(&name, &name, &jobs), 3).await.unwrap();
                let Staged::Done { seq, .. } = staged else { panic!("{staged:?}") };
                mine.push((seq, jobs));
            }
            mine
        })
    });
    let mut batches = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        batches.extend(worker.await.unwrap());
    }
    let claimed: Vec<_> = batches.iter().flat_map(|(_, jobs)| jobs.clone()).collect();
    assert_eq!(claimed.len(), 60);
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 60, "each once");
    let mut places: Vec<_> = batches.iter().map(|(seq, _)| *seq).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=20).collect::<Vec<_>>(), "places without holes");
}

pub async fn two_processes_never_publish_the_same(place: &Place) {
    let first = place.working().await;
    let ledgers = [first.clone(), place.open().await];
    for number in 0..12 {
        stage_one(&first, object(&format!("{number}.csv"), "e", 1), &format!("b{number}"), 1).await;
    }
    let publishers = (0..4).map(|publisher| {
        let ledger = ledgers[publisher % 2].clone();
        tokio::spawn(async move {
            let token = format!("p{publisher}");
            let mut mine = Vec::new();
            while let Some(head) = ledger.queue_head().await.unwrap() {
                if !ledger.take_publish_lease(&token, 2, LEASE).await.unwrap() {
                    tokio::task::yield_now().await;
                    continue;
                }
                // Another may have finished it before this one got the lease; it then must not be finished again.
                if ledger.finish(&head.batch_id, head.seq, &token, 3).await.unwrap() {
                    mine.push(head.seq);
                }
                assert!(ledger.release_publish_lease(&token).await.unwrap());
            }
            mine
        })
    });
    let mut finished = Vec::new();
    for publisher in publishers.collect::<Vec<_>>() {
        finished.extend(publisher.await.unwrap());
    }
    finished.sort_unstable();
    assert_eq!(finished, (1..=12).collect::<Vec<_>>());
    assert_eq!(first.counts().await.unwrap()[&State::Complete], 12);
}

pub async fn a_dropped_call_leaves_all_or_nothing(place: &Place) {
    let ledger = place.working().await;
    let mut offered = 0;
    for round in 0..25_u64 {
        let objects: Vec<_> = (0..200).map(|number| object(&format!("{round}/{number}.csv"), "e", 1)).collect();
        // From "before it began" to "after it was done".
        let patience = Duration::from_micros(round * round * 40);
        let _ = tokio::time::timeout(patience, ledger.offer(&offers(&objects), 1)).await;
        let before = offered;
        offered = place.open().await.counts().await.unwrap().get(&State::Offered).copied().unwrap_or(0);
        assert!(offered == before || offered == before + 200, "round {round}: {before} and then {offered}");
    }
    // The connections that were dropped in the middle of it still work.
    let objects: Vec<_> = (0..8).map(|number| object(&format!("last/{number}.csv"), "e", 1)).collect();
    let calls = objects.iter().map(|object| {
        tokio::spawn({
            let (ledger, object) = (ledger.clone(), object.clone());
            async move { offer_one(&ledger, object, 2).await }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(matches!(call.await.unwrap(), Offered::New(_)));
    }
}

pub async fn every_call_can_move_between_threads(place: &Place) {
    fn check<T: Send>(_: &T) {}
    let ledger = place.open().await;
    let (id, to) = (VersionId::new(1, 1), WithdrawTo::Offered);
    let request = request("b", "t", &[id]);
    check(&Ledger::open_url(&place.url, "x", 1));
    check(&ledger.status());
    check(&ledger.offer(&[], 1));
    check(&ledger.reoffer("s", "k", "m", 1));
    check(&ledger.retry_held("s", None, 1));
    check(&ledger.claim(ONE, "t", "a", 1, 1));
    check(&ledger.heartbeat("t", 1, 1));
    check(&ledger.release("t", 1));
    check(&ledger.fail("t", id, "x", None, 1));
    check(&ledger.hold("t", id, "x", 1));
    check(&ledger.stage(&request, 1));
    check(&ledger.take_publish_lease("p", 1, 1));
    check(&ledger.queue_head());
    check(&ledger.finish("b", 1, "p", 1));
    check(&ledger.adopt_epoch(1, "p"));
    check(&ledger.withdraw("b", "p", &to, 1));
    check(&ledger.begin_rebuild("x", 1));
    check(&ledger.import_receipts(&[], 1));
    check(&ledger.restore_batch(1, "b", BatchKind::Load, "m", &[], 1));
    check(&ledger.open_for_work(1, 1, 1));
    check(&ledger.history("s", "k"));
    check(&ledger.find_keys("k", 1));
    check(&ledger.list(State::Held, 1));
    check(&ledger.counts());
    check(&ledger.unfinished());
    check(&ledger.version(id));
    check(&ledger.versions(&[id]));
    check(&ledger.newest_of(&[("s", "k", "")]));
    let backup = std::path::Path::new("no-file");
    let removed = [gone("a.csv")];
    let amend = amend("m", &[(id, 1)]);
    check(&ledger.offer_removed(&removed, 1));
    check(&ledger.reoffer_orphans(1));
    check(&ledger.with_rows("s"));
    check(&ledger.reoffer_together(&[("s", "k", "")], "c", 1));
    check(&ledger.same_content("s", &[]));
    check(&ledger.stage_amend(&amend, 1));
    check(&ledger.stage_compact("c", "m", 1));
    check(&ledger.live_attempts());
    check(&ledger.newest("s"));
    check(&ledger.attempts(1, Some(("s", "k"))));
    check(&ledger.log("a", &[]));
    check(&ledger.attempt_log("a"));
    check(&ledger.trim(1, 1));
    check(&ledger.backup(backup, 1));
    check(&Ledger::open_backup(backup, 1));
    check(&ledger.take_history(&ledger));
    check(&ledger.announce("b", 1));
    check(&ledger.give_up_announced(1));
    check(&ledger.take_back("b"));
    check(&ledger.move_to(&ledger, 1));
}
