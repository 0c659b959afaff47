//! What changed, repeated and missing files do, batches that amend and merge, and logs. Each case gets an empty ledger.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stillhouse_ledger::{
    BatchKind, Change, Hook, HookFuture, ImportedReceipt, Kind, LINE_BYTES_MAX, LINES_PER_ATTEMPT_MAX, Ledger, Level,
    LogLine, Offered, StageMember, StageRequest, Staged, StagedAmend, StagedMember, State, Trimmed, VersionId,
    WithdrawTo,
};

use crate::place::{
    ALL, LEASE, ONE, Place, amend, check_kind, check_states, claim, complete_one, gone, log_line, member, object,
    object_of, offer_as, offer_one, offers, receipt, request, stage_amend, stage_compact, stage_one, versions,
};

/// Calls a macro with the names of all cases.
macro_rules! all_cases {
    ($macro:ident, $suite:ident, $names:ident) => {
        $macro!(
            $suite, $names:
            an_appended_version_leaves_the_older_ones_alone,
            a_version_that_replaces_after_appended_ones_replaces_all,
            a_change_that_is_to_be_held_waits_for_a_person,
            a_missing_file_is_removed_once,
            a_withdrawn_removal_stays_a_removal,
            a_twin_is_found_named_and_kept,
            a_twin_must_have_rows_that_stay,
            a_touched_file_is_the_twin_of_its_older_version,
            a_twin_of_another_key_replaces_its_own_older_rows,
            equal_members_of_one_batch_are_seen,
            what_was_asked_for_is_loaded_though_it_is_known,
            orphans_are_offered_again,
            amendments_go_by_the_revision_of_the_key,
            a_withdrawn_amendment_changes_nothing,
            a_withdrawn_correction_gives_its_revision_back,
            what_was_given_up_cannot_be_staged,
            a_compaction_is_a_batch_without_members,
            a_rebuild_follows_what_receipts_say,
            a_rebuild_restores_batches_of_every_kind,
            live_attempts_are_those_that_may_still_count,
            the_newest_of_each_key_are_listed_in_pages,
            look_ups_do_not_read_the_whole_ledger,
            attempts_keep_bounded_logs,
            old_attempts_are_trimmed,
            attempts_are_listed_newest_first,
            a_hook_stops_before_or_breaks_after,
        );
    };
}
pub(crate) use all_cases;

const HOLD: &str = r#"{"reason":"changed"}"#;

fn hold() -> Change {
    Change::Hold { reason: HOLD.to_owned() }
}

/// Claims one job and stages it with this content.
async fn stage_with(ledger: &Ledger, content: &str, twin: Option<VersionId>, batch: &str, now: i64) -> Staged {
    let jobs = claim(ledger, ONE, batch, now).await;
    ledger.stage(&staging(batch, vec![member(jobs[0].version, content, twin)]), now).await.unwrap()
}

fn staging(batch: &str, members: Vec<StageMember>) -> StageRequest {
    StageRequest { members, ..request(batch, batch, &[]) }
}

/// Publishes everything that is staged.
async fn publish(ledger: &Ledger, now: i64) {
    assert!(ledger.take_publish_lease("publisher", now, LEASE).await.unwrap());
    while let Some(head) = ledger.queue_head().await.unwrap() {
        assert!(ledger.finish(&head.batch_id, head.seq, "publisher", now).await.unwrap());
    }
}

/// Offers, stages and publishes an object with this content; it must be loaded.
async fn load(ledger: &Ledger, key: &str, etag: &str, change: Change, content: &str, now: i64) -> VersionId {
    let offered = offer_as(ledger, object(key, etag, 1), change, now).await;
    let staged = stage_with(ledger, content, None, &format!("{key}-{etag}"), now).await;
    assert!(matches!(staged, Staged::Done { .. }), "{staged:?}");
    publish(ledger, now).await;
    offered.version()
}

fn same(pairs: &[(VersionId, VersionId)]) -> Staged {
    Staged::Refused { superseded: vec![], lost: vec![], same: pairs.to_vec(), orphaned: vec![] }
}

fn orphaned(versions: &[VersionId]) -> Staged {
    Staged::Refused { superseded: vec![], lost: vec![], same: vec![], orphaned: versions.to_vec() }
}

async fn withdraw(ledger: &Ledger, batch: &str, to: &WithdrawTo, now: i64) -> Vec<VersionId> {
    assert!(ledger.take_publish_lease("publisher", now, LEASE).await.unwrap());
    let epoch = ledger.epoch().await.unwrap();
    ledger.adopt_epoch(epoch + 1, "publisher").await.unwrap();
    ledger.withdraw(batch, "publisher", to, now).await.unwrap()
}

pub async fn an_appended_version_leaves_the_older_ones_alone(place: &Place) {
    let ledger = place.working().await;
    load(&ledger, "a.csv", "1", Change::Append, "one", 1).await;
    load(&ledger, "a.csv", "2", Change::Append, "two", 2).await;
    check_states(&ledger, "a.csv", &[State::Complete, State::Complete]).await;

    // Loaded again at a person's request, the newest takes the place of itself.
    let third = ledger.reoffer("events", "a.csv", "", 3).await.unwrap().unwrap();
    let job = claim(&ledger, ONE, "t3", 3).await.remove(0);
    assert_eq!((job.version, job.replaces_from, job.asked), (third, 2, true));
    assert!(matches!(
        ledger.stage(&staging("t3", vec![member(third, "two", None)]), 4).await.unwrap(),
        Staged::Done { .. }
    ));
    // Withdrawn, its copy still does, and still was asked for.
    assert_eq!(withdraw(&ledger, "t3", &WithdrawTo::Offered, 5).await, [VersionId::new(1, 4)]);
    let job = claim(&ledger, ONE, "t4", 6).await.remove(0);
    assert_eq!((job.version.generation, job.replaces_from, job.asked), (4, 2, true));
    ledger.stage(&staging("t4", vec![member(job.version, "two", None)]), 6).await.unwrap();
    publish(&ledger, 7).await;
    let states = [State::Complete, State::Superseded, State::Superseded, State::Complete];
    check_states(&ledger, "a.csv", &states).await;

    // An older one that is still worked on comes too late, as ever.
    offer_as(&ledger, object("a.csv", "5", 1), Change::Append, 8).await;
    claim(&ledger, ONE, "slow", 8).await;
    load(&ledger, "a.csv", "6", Change::Append, "six", 9).await;
    let row = ledger.version(VersionId::new(1, 5)).await.unwrap().unwrap();
    assert_eq!(row.state, State::Superseded);
    assert_eq!(ledger.version(VersionId::new(1, 1)).await.unwrap().unwrap().state, State::Complete);
}

pub async fn a_version_that_replaces_after_appended_ones_replaces_all(place: &Place) {
    let ledger = place.working().await;
    load(&ledger, "a.csv", "1", Change::Append, "one", 1).await;
    load(&ledger, "a.csv", "2", Change::Append, "two", 2).await;
    load(&ledger, "a.csv", "3", Change::Replace, "three", 3).await;
    check_states(&ledger, "a.csv", &[State::Superseded, State::Superseded, State::Complete]).await;
}

pub async fn a_change_that_is_to_be_held_waits_for_a_person(place: &Place) {
    let ledger = place.working().await;
    // There is nothing to protect before the first version is on its way into the tables.
    assert!(matches!(offer_as(&ledger, object("a.csv", "1", 1), hold(), 1).await, Offered::New(_)));
    assert!(matches!(offer_as(&ledger, object("a.csv", "2", 1), hold(), 1).await, Offered::New(_)));
    let staged = stage_with(&ledger, "two", None, "b2", 2).await;
    assert!(matches!(staged, Staged::Done { .. }));
    let held = |generation| {
        let version = VersionId::new(1, generation);
        Offered::Known { version, state: State::Held, reason: Some(HOLD.to_owned()) }
    };
    assert_eq!(offer_as(&ledger, object("a.csv", "3", 1), hold(), 3).await, held(3));
    publish(&ledger, 4).await;
    assert_eq!(offer_as(&ledger, object("a.csv", "3", 1), hold(), 5).await, held(3));
    // It changed again while it was held.
    assert_eq!(offer_as(&ledger, object("a.csv", "4", 1), hold(), 6).await, held(4));
    check_states(&ledger, "a.csv", &[State::Superseded, State::Complete, State::Superseded, State::Held]).await;
    assert!(claim(&ledger, ALL, "t", 7).await.is_empty());

    // A person lets it in: it replaces.
    assert_eq!(ledger.retry_held("events", Some("a.csv"), 8).await.unwrap(), 1);
    assert!(matches!(stage_with(&ledger, "four", None, "b4", 8).await, Staged::Done { .. }));
    publish(&ledger, 9).await;
    let states = [State::Superseded, State::Superseded, State::Superseded, State::Complete];
    check_states(&ledger, "a.csv", &states).await;

    // Nothing is there after a removal, so a file that comes back is no change.
    ledger.offer_removed(&[gone("a.csv")], 10).await.unwrap();
    stage_with(&ledger, "", None, "b5", 10).await;
    assert!(matches!(offer_as(&ledger, object("a.csv", "6", 1), hold(), 11).await, Offered::New(_)));
}

pub async fn a_missing_file_is_removed_once(place: &Place) {
    let ledger = place.working().await;
    assert!(ledger.offer_removed(&[], 1).await.unwrap().is_empty());
    assert!(ledger.offer_removed(&[gone("a.csv")], 1).await.unwrap().is_empty(), "no such key");
    offer_one(&ledger, object("a.csv", "1", 1), 1).await;
    assert!(ledger.offer_removed(&[gone("a.csv")], 1).await.unwrap().is_empty(), "nothing of it is anywhere");
    stage_with(&ledger, "one", None, "b1", 1).await;
    load(&ledger, "b.csv", "1", Change::Replace, "other", 1).await;
    offer_one(&ledger, object("a.csv", "2", 1), 2).await;

    let removal = VersionId::new(1, 3);
    let twice = [gone("a.csv"), gone("a.csv"), gone("c.csv")];
    assert_eq!(ledger.offer_removed(&twice, 3).await.unwrap(), [removal]);
    assert!(ledger.offer_removed(&[gone("a.csv")], 4).await.unwrap().is_empty(), "it is on its way");
    check_states(&ledger, "a.csv", &[State::Complete, State::Superseded, State::Offered]).await;
    let job = claim(&ledger, ALL, "t", 5).await.remove(0);
    assert_eq!((job.version, job.removed, job.replaces_from, job.object.size), (removal, true, 0, 0));
    assert_eq!(ledger.reoffer("events", "a.csv", "", 5).await.unwrap(), None, "there is nothing to read again");
    ledger.stage(&staging("t", vec![member(removal, "", None)]), 6).await.unwrap();
    publish(&ledger, 6).await;
    check_states(&ledger, "a.csv", &[State::Superseded, State::Superseded, State::Complete]).await;
    assert!(ledger.version(removal).await.unwrap().unwrap().removed);
    assert!(ledger.offer_removed(&[gone("a.csv")], 7).await.unwrap().is_empty(), "it is removed");
    check_kind(ledger.offer_removed(&[gone("a\0.csv")], 7).await, Kind::FixData, "without NUL");

    // It appears again as it was, and even if it had the etag of a removal.
    assert_eq!(offer_one(&ledger, object("a.csv", "removed", 0), 8).await, Offered::New(VersionId::new(1, 4)));
    assert_eq!(offer_one(&ledger, object("a.csv", "1", 1), 9).await, Offered::New(VersionId::new(1, 5)));
    assert!(!claim(&ledger, ONE, "t5", 9).await[0].removed);
}

pub async fn a_withdrawn_removal_stays_a_removal(place: &Place) {
    let ledger = place.working().await;
    load(&ledger, "a.csv", "1", Change::Append, "one", 1).await;
    ledger.offer_removed(&[gone("a.csv")], 2).await.unwrap();
    stage_with(&ledger, "", None, "b2", 2).await;
    let to = WithdrawTo::Held { reason: "{}".to_owned() };
    assert_eq!(withdraw(&ledger, "b2", &to, 3).await, [VersionId::new(1, 3)]);
    // Nobody but us can do anything about a removal: it is offered again, as long as the file is gone.
    assert_eq!(ledger.offer_removed(&[gone("a.csv")], 4).await.unwrap(), [VersionId::new(1, 4)]);
    check_states(&ledger, "a.csv", &[State::Complete, State::Superseded, State::Superseded, State::Offered]).await;
    let job = claim(&ledger, ONE, "t", 4).await.remove(0);
    assert_eq!((job.removed, job.replaces_from), (true, 0));
}

pub async fn a_twin_is_found_named_and_kept(place: &Place) {
    let ledger = place.working().await;
    let first = load(&ledger, "a.csv", "1", Change::Replace, "one", 1).await;
    let second = offer_one(&ledger, object("b.csv", "1", 1), 2).await.version();
    let other = offer_one(&ledger, object_of("orders", "a.csv", "1", 1), 3).await.version();
    let jobs = claim(&ledger, ONE, "t", 4).await;
    let ask = async |source: &str, version, content: &str| {
        ledger.same_content(source, &[(version, content.to_owned())]).await.unwrap().remove(0)
    };
    assert_eq!(ask("events", second, "one").await, Some(first));
    assert_eq!(ask("events", second, "two").await, None);
    assert_eq!(ask("events", second, "").await, None, "nothing is equal to what is not known");
    assert_eq!(ask("orders", other, "one").await, None, "each source by itself");
    check_kind(
        ledger.same_content("events", &[(VersionId::new(9, 9), "x".into())]).await,
        Kind::Bug,
        "no such version",
    );

    // Not named: refused, and still claimed. Named: kept. Not to be skipped: loaded.
    let refused = ledger.stage(&staging("t", vec![member(second, "one", None)]), 5).await.unwrap();
    assert_eq!(refused, same(&[(second, first)]));
    assert!(ledger.heartbeat("t", 5, LEASE).await.unwrap());
    let named = staging("t", vec![member(second, "one", Some(first))]);
    let staged = ledger.stage(&named, 6).await.unwrap();
    assert!(matches!(staged, Staged::Done { .. }));
    assert_eq!(ledger.stage(&named, 6).await.unwrap(), staged, "staging twice is staging once");
    let row = ledger.version(second).await.unwrap().unwrap();
    assert_eq!((row.content.as_deref(), row.twin, row.state), (Some("one"), Some(first), State::Staged));
    assert_eq!(jobs[0].replaces_from_as_twin(first), row.replaces_from);
    let third = claim(&ledger, ONE, "orders", 6).await;
    assert_eq!(third[0].version, other);
    assert!(matches!(
        ledger.stage(&staging("orders", vec![member(other, "one", None)]), 6).await.unwrap(),
        Staged::Done { .. }
    ));
    let fourth = offer_one(&ledger, object("d.csv", "1", 1), 7).await.version();
    claim(&ledger, ONE, "t4", 7).await;
    let loaded = StageMember { skip_same: false, ..member(fourth, "one", None) };
    assert!(matches!(ledger.stage(&staging("t4", vec![loaded]), 7).await.unwrap(), Staged::Done { .. }));
    publish(&ledger, 8).await;
    assert_eq!(ledger.counts().await.unwrap()[&State::Complete], 4);
}

pub async fn a_twin_must_have_rows_that_stay(place: &Place) {
    let ledger = place.working().await;
    let first = load(&ledger, "a.csv", "1", Change::Replace, "one", 1).await;
    let second = offer_one(&ledger, object("b.csv", "1", 1), 2).await.version();
    assert!(matches!(stage_with(&ledger, "one", Some(first), "b2", 2).await, Staged::Done { .. }));
    let third = offer_one(&ledger, object("c.csv", "1", 1), 3).await.version();
    claim(&ledger, ONE, "t3", 3).await;
    let stage = async |twin| ledger.stage(&staging("t3", vec![member(third, "one", twin)]), 4).await.unwrap();
    assert_eq!(stage(Some(second)).await, orphaned(&[third]), "a twin has no rows");
    assert_eq!(stage(Some(VersionId::new(9, 9))).await, orphaned(&[third]), "no such version");
    assert_eq!(stage(Some(third)).await, orphaned(&[third]), "not itself");
    let other = ledger.stage(&staging("t3", vec![member(third, "two", Some(first))]), 4).await.unwrap();
    assert_eq!(other, orphaned(&[third]), "another content");
    let unknown = ledger.stage(&staging("t3", vec![member(third, "", Some(first))]), 4).await;
    check_kind(unknown, Kind::Bug, "the content that it has in common");

    // The first one is about to be replaced: it neither counts nor may be named.
    offer_one(&ledger, object("a.csv", "2", 1), 5).await;
    assert!(matches!(stage_with(&ledger, "new", None, "b1", 5).await, Staged::Done { .. }));
    assert_eq!(stage(Some(first)).await, orphaned(&[third]));
    assert!(matches!(stage(None).await, Staged::Done { .. }));
}

pub async fn a_touched_file_is_the_twin_of_its_older_version(place: &Place) {
    let ledger = place.working().await;
    let first = load(&ledger, "a.csv", "1", Change::Replace, "one", 1).await;
    let second = offer_one(&ledger, object("a.csv", "2", 1), 2).await.version();
    let job = claim(&ledger, ONE, "t", 2).await.remove(0);
    assert_eq!(ledger.same_content("events", &[(second, "one".into())]).await.unwrap(), [Some(first)]);
    assert!(matches!(
        ledger.stage(&staging("t", vec![member(second, "one", Some(first))]), 3).await.unwrap(),
        Staged::Done { .. }
    ));
    publish(&ledger, 3).await;
    // The rows of the first one stay.
    check_states(&ledger, "a.csv", &[State::Complete, State::Complete]).await;
    let row = ledger.version(second).await.unwrap().unwrap();
    assert_eq!((row.replaces_from, job.replaces_from_as_twin(first)), (2, 2));

    // Loaded again, it takes the place of both.
    ledger.reoffer("events", "a.csv", "", 4).await.unwrap().unwrap();
    let job = claim(&ledger, ONE, "t3", 4).await.remove(0);
    assert_eq!((job.version.generation, job.replaces_from), (3, 1));
    assert_eq!(ledger.same_content("events", &[(job.version, "one".into())]).await.unwrap(), [None]);
    ledger.stage(&staging("t3", vec![member(job.version, "one", None)]), 4).await.unwrap();
    publish(&ledger, 5).await;
    check_states(&ledger, "a.csv", &[State::Superseded, State::Superseded, State::Complete]).await;
    // And a change takes the place of whatever there is.
    offer_one(&ledger, object("a.csv", "4", 1), 6).await;
    stage_with(&ledger, "one", Some(job.version), "t4", 6).await;
    load(&ledger, "a.csv", "5", Change::Replace, "five", 7).await;
    check_states(
        &ledger,
        "a.csv",
        &[State::Superseded, State::Superseded, State::Superseded, State::Superseded, State::Complete],
    )
    .await;
}

pub async fn a_twin_of_another_key_replaces_its_own_older_rows(place: &Place) {
    let ledger = place.working().await;
    load(&ledger, "a.csv", "1", Change::Replace, "old", 1).await;
    let other = load(&ledger, "b.csv", "1", Change::Replace, "new", 2).await;
    let changed = offer_one(&ledger, object("a.csv", "2", 1), 3).await.version();
    let job = claim(&ledger, ONE, "t", 3).await.remove(0);
    assert_eq!(job.replaces_from_as_twin(other), 0);
    ledger.stage(&staging("t", vec![member(changed, "new", Some(other))]), 3).await.unwrap();
    publish(&ledger, 4).await;
    check_states(&ledger, "a.csv", &[State::Superseded, State::Complete]).await;
}

pub async fn equal_members_of_one_batch_are_seen(place: &Place) {
    let ledger = place.working().await;
    let objects: Vec<_> = ["a.csv", "b.csv", "c.csv"].iter().map(|key| object(key, "1", 1)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    let ids = versions(&claim(&ledger, ALL, "t", 1).await);
    let contents: Vec<_> = ids.iter().map(|version| (*version, "one".to_owned())).collect();
    let found = ledger.same_content("events", &contents).await.unwrap();
    assert_eq!(found, [None, Some(ids[0]), Some(ids[0])]);
    let members = |twins: [Option<VersionId>; 3]| {
        let members = ids.iter().zip(twins).map(|(version, twin)| member(*version, "one", twin));
        staging("t", members.collect())
    };
    let refused = ledger.stage(&members([None; 3]), 2).await.unwrap();
    assert_eq!(refused, same(&[(ids[1], ids[0]), (ids[2], ids[0])]));
    let chain = ledger.stage(&members([None, Some(ids[0]), Some(ids[1])]), 2).await.unwrap();
    assert_eq!(chain, orphaned(&[ids[2]]), "a twin has no rows");
    let staged = ledger.stage(&members([None, Some(ids[0]), Some(ids[0])]), 2).await.unwrap();
    assert!(matches!(staged, Staged::Done { .. }));
}

pub async fn what_was_asked_for_is_loaded_though_it_is_known(place: &Place) {
    let ledger = place.working().await;
    let first = load(&ledger, "a.csv", "1", Change::Replace, "one", 1).await;
    // Offered by discovery, and asked for before anybody took it.
    let second = offer_one(&ledger, object("a.csv", "2", 1), 2).await.version();
    assert_eq!(ledger.reoffer("events", "a.csv", "", 3).await.unwrap(), Some(second));
    assert!(claim(&ledger, ONE, "t", 3).await[0].asked);
    let stage =
        async |content: &str, twin| ledger.stage(&staging("t", vec![member(second, content, twin)]), 4).await.unwrap();
    assert_eq!(stage("one", Some(first)).await, orphaned(&[second]), "it is to be loaded");
    assert!(matches!(stage("one", None).await, Staged::Done { .. }));
    publish(&ledger, 5).await;
    check_states(&ledger, "a.csv", &[State::Superseded, State::Complete]).await;

    // Of appended versions, those that it does not replace count all the same.
    let ledger_key = "b.csv";
    load(&ledger, ledger_key, "1", Change::Append, "b-one", 6).await;
    load(&ledger, ledger_key, "2", Change::Append, "b-two", 6).await;
    offer_as(&ledger, object(ledger_key, "3", 1), Change::Append, 6).await;
    let old = VersionId::new(2, 1);
    assert!(matches!(stage_with(&ledger, "b-one", Some(old), "b3", 6).await, Staged::Done { .. }));
    publish(&ledger, 7).await;
    let fourth = ledger.reoffer("events", ledger_key, "", 8).await.unwrap().unwrap();
    let job = claim(&ledger, ONE, "b4", 8).await.remove(0);
    assert_eq!((job.version, job.replaces_from), (fourth, 3));
    assert_eq!(ledger.same_content("events", &[(fourth, "b-one".into())]).await.unwrap(), [Some(old)]);
}

pub async fn orphans_are_offered_again(place: &Place) {
    let ledger = place.working().await;
    assert!(ledger.reoffer_orphans(1).await.unwrap().is_empty());
    let first = load(&ledger, "a.csv", "1", Change::Replace, "one", 1).await;
    for key in ["b.csv", "c.csv", "d.csv"] {
        offer_one(&ledger, object(key, "1", 1), 2).await;
        stage_with(&ledger, "one", Some(first), key, 2).await;
    }
    publish(&ledger, 3).await;
    assert!(ledger.reoffer_orphans(4).await.unwrap().is_empty(), "its rows are there");
    // One of the twins has a newer version, another one is removed.
    offer_one(&ledger, object("c.csv", "2", 1), 4).await;
    ledger.offer_removed(&[gone("d.csv"), gone("a.csv")], 4).await.unwrap();
    let jobs = claim(&ledger, ALL, "t", 5).await;
    let removals: Vec<_> = jobs.iter().filter(|job| job.removed).map(|job| member(job.version, "", None)).collect();
    assert_eq!(removals.len(), 2);
    ledger.stage(&staging("t", removals), 5).await.unwrap();
    let orphan = VersionId::new(2, 2);
    assert_eq!(ledger.reoffer_orphans(6).await.unwrap(), [orphan], "its rows are about to go");
    assert!(ledger.reoffer_orphans(6).await.unwrap().is_empty());
    publish(&ledger, 7).await;
    assert!(ledger.reoffer_orphans(7).await.unwrap().is_empty());
    let job = claim(&ledger, ONE, "t2", 8).await.remove(0);
    assert_eq!((job.version, job.asked, &*job.object.key), (orphan, false, "b.csv"));
    let staged = ledger.stage(&staging("t2", vec![member(orphan, "one", None)]), 8).await.unwrap();
    assert!(matches!(staged, Staged::Done { .. }));
    publish(&ledger, 9).await;
    check_states(&ledger, "b.csv", &[State::Superseded, State::Complete]).await;
}

pub async fn amendments_go_by_the_revision_of_the_key(place: &Place) {
    let ledger = place.working().await;
    let first = complete_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    let second = complete_one(&ledger, object("b.csv", "1", 1), "b2", 1).await;
    check_kind(stage_amend(&ledger, &amend("m", &[]), 2).await, Kind::Bug, "found none");
    check_kind(stage_amend(&ledger, &amend("m", &[(first, 1), (first, 1)]), 2).await, Kind::Bug, "found one twice");
    let refused = |overtaken: &[VersionId]| StagedAmend::Refused { overtaken: overtaken.to_vec() };
    let both = amend("m1", &[(second, 1), (first, 1)]);
    let wrong = amend("m1", &[(second, 2), (first, 1), (VersionId::new(9, 1), 1)]);
    assert_eq!(stage_amend(&ledger, &wrong, 2).await.unwrap(), refused(&[second, VersionId::new(9, 1)]));
    let done = stage_amend(&ledger, &both, 2).await.unwrap();
    let revised = |version| StagedMember { version, revision: 2 };
    assert_eq!(done, StagedAmend::Done { seq: 3, members: vec![revised(second), revised(first)] });
    assert_eq!(stage_amend(&ledger, &both, 3).await.unwrap(), done, "staging twice is staging once");
    check_kind(stage_amend(&ledger, &amend("m1", &[(first, 2)]), 3).await, Kind::Bug, "with other members");
    check_kind(stage_compact(&ledger, "m1", "m", 3).await, Kind::Bug, "as another kind");
    assert_eq!(
        stage_amend(&ledger, &amend("m2", &[(first, 1)]), 3).await.unwrap(),
        refused(&[first]),
        "overtaken by m1"
    );

    // A new version of one of them may be staged behind it, and comes later.
    let (third, seq) = stage_one(&ledger, object("a.csv", "2", 1), "b3", 4).await;
    let head = ledger.queue_head().await.unwrap().unwrap();
    assert_eq!((head.kind, head.members), (BatchKind::Amend, vec![revised(first), revised(second)]));
    assert_eq!(
        stage_amend(&ledger, &amend("m3", &[(first, 2)]), 4).await.unwrap(),
        refused(&[first]),
        "overtaken by b3"
    );
    assert_eq!(stage_amend(&ledger, &amend("m3", &[(third, 3)]), 4).await.unwrap(), refused(&[third]), "not complete");
    assert!(ledger.finish("m1", 3, "publisher", 5).await.unwrap());
    check_states(&ledger, "a.csv", &[State::Complete, State::Staged]).await;
    check_states(&ledger, "b.csv", &[State::Complete]).await;
    assert!(ledger.finish("b3", seq, "publisher", 5).await.unwrap());
    assert_eq!(stage_amend(&ledger, &amend("m4", &[(first, 3)]), 6).await.unwrap(), refused(&[first]), "superseded");
    let done = stage_amend(&ledger, &amend("m4", &[(third, 3)]), 6).await.unwrap();
    assert_eq!(done, StagedAmend::Done { seq: 5, members: vec![StagedMember { version: third, revision: 4 }] });
}

pub async fn a_withdrawn_amendment_changes_nothing(place: &Place) {
    let ledger = place.working().await;
    let first = complete_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    stage_amend(&ledger, &amend("m1", &[(first, 1)]), 2).await.unwrap();
    check_kind(ledger.withdraw("m1", "publisher", &WithdrawTo::Offered, 3).await, Kind::Bug, "an epoch above");
    assert!(withdraw(&ledger, "m1", &WithdrawTo::Offered, 3).await.is_empty());
    check_states(&ledger, "a.csv", &[State::Complete]).await;
    assert_eq!(ledger.queue_count().await.unwrap(), 0);
    assert_eq!(ledger.history("events", "a.csv").await.unwrap()[0].revision, 1, "as the receipts say");
    let again = stage_amend(&ledger, &amend("m2", &[(first, 1)]), 4).await.unwrap();
    assert!(matches!(again, StagedAmend::Done { seq: 3, .. }), "planned from the receipts, it is not overtaken");
}

/// A correction that is withdrawn leaves what is in the tables as it was: it can be amended, as planned from the receipts.
pub async fn a_withdrawn_correction_gives_its_revision_back(place: &Place) {
    let ledger = place.working().await;
    let first = complete_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    stage_one(&ledger, object("a.csv", "2", 2), "b2", 2).await;
    stage_one(&ledger, object("a.csv", "3", 3), "b3", 3).await;
    let to = WithdrawTo::Held { reason: "{}".to_owned() };
    withdraw(&ledger, "b2", &to, 4).await;
    let head = ledger.queue_head().await.unwrap().unwrap();
    assert_eq!((&*head.batch_id, head.members[0].revision), ("b3", 2), "what comes after it moves up");
    withdraw(&ledger, "b3", &to, 5).await;
    let done = stage_amend(&ledger, &amend("m1", &[(first, 1)]), 6).await.unwrap();
    assert!(matches!(done, StagedAmend::Done { .. }), "{done:?}");
}

pub async fn what_was_given_up_cannot_be_staged(place: &Place) {
    let ledger = place.working().await;
    ledger.announce("c1", 5).await.unwrap();
    assert!(ledger.live_attempts().await.unwrap().contains("c1"));
    assert_eq!(ledger.give_up_announced(5).await.unwrap(), 0, "only older ones");
    assert_eq!(ledger.give_up_announced(6).await.unwrap(), 1);
    assert!(!ledger.live_attempts().await.unwrap().contains("c1"));
    check_kind(ledger.stage_compact("c1", "m", 7).await, Kind::Retry, "was given up");
    assert_eq!(ledger.queue_count().await.unwrap(), 0);
}

pub async fn a_compaction_is_a_batch_without_members(place: &Place) {
    let ledger = place.working().await;
    stage_one(&ledger, object("a.csv", "1", 1), "b1", 1).await;
    assert_eq!(stage_compact(&ledger, "c1", "merge these", 2).await.unwrap(), 2);
    assert_eq!(stage_compact(&ledger, "c1", "merge these", 3).await.unwrap(), 2);
    check_kind(stage_compact(&ledger, "b1", "m", 3).await, Kind::Bug, "as another kind");
    check_kind(stage_compact(&ledger, "c2", "\0", 3).await, Kind::FixData, "without NUL");
    assert!(ledger.take_publish_lease("publisher", 4, LEASE).await.unwrap());
    assert!(ledger.finish("b1", 1, "publisher", 4).await.unwrap());
    let head = ledger.queue_head().await.unwrap().unwrap();
    assert_eq!((head.seq, head.kind, &*head.manifest, head.members.len()), (2, BatchKind::Compact, "merge these", 0));
    assert!(ledger.finish("c1", 2, "publisher", 4).await.unwrap());
    assert_eq!(stage_compact(&ledger, "c2", "m", 5).await.unwrap(), 3);
    assert!(withdraw(&ledger, "c2", &WithdrawTo::Offered, 6).await.is_empty());
    assert_eq!(ledger.queue_count().await.unwrap(), 0);
    assert_eq!(ledger.counts().await.unwrap().into_iter().collect::<Vec<_>>(), [(State::Complete, 1)]);
}

pub async fn a_rebuild_follows_what_receipts_say(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    let of = |receipt: ImportedReceipt, replaces_from| ImportedReceipt { replaces_from, ..receipt };
    let first = ImportedReceipt { content: "one".into(), ..receipt("a.csv", "1", (1, 1), 1) };
    let twin = ImportedReceipt {
        content: "one".into(),
        twin: Some(VersionId::new(1, 1)),
        ..of(receipt("a.csv", "2", (1, 2), 2), 2)
    };
    let other =
        ImportedReceipt { content: "one".into(), twin: Some(VersionId::new(3, 1)), ..receipt("b.csv", "1", (2, 1), 1) };
    let removed = ImportedReceipt { removed: true, ..of(receipt("c.csv", "removed", (3, 2), 2), 0) };
    let receipts = [
        twin,
        removed,
        other,
        // Appended, replaced by one that another one replaced in turn, and appended again.
        of(receipt("d.csv", "5", (4, 5), 5), 5),
        of(receipt("d.csv", "4", (4, 4), 4), 3),
        of(receipt("d.csv", "3", (4, 3), 3), 2),
        of(receipt("d.csv", "2", (4, 2), 2), 2),
        of(receipt("d.csv", "1", (4, 1), 1), 1),
        receipt("c.csv", "1", (3, 1), 1),
        first,
    ];
    for receipt in receipts {
        ledger.import_receipts(&[receipt], 3).await.unwrap();
    }
    ledger.open_for_work(2, 10, 4).await.unwrap();
    check_states(&ledger, "a.csv", &[State::Complete, State::Complete]).await;
    check_states(&ledger, "c.csv", &[State::Superseded, State::Complete]).await;
    let states = [State::Complete, State::Superseded, State::Superseded, State::Complete, State::Complete];
    check_states(&ledger, "d.csv", &states).await;
    let row = ledger.version(VersionId::new(1, 2)).await.unwrap().unwrap();
    assert_eq!((row.replaces_from, row.twin, row.content.as_deref()), (2, Some(VersionId::new(1, 1)), Some("one")));
    assert_eq!(ledger.version(VersionId::new(1, 1)).await.unwrap().unwrap().twin, None);
    assert!(ledger.version(VersionId::new(3, 2)).await.unwrap().unwrap().removed);

    // What depends on it: known contents, orphans, removals, held changes.
    assert_eq!(ledger.reoffer_orphans(5).await.unwrap(), [VersionId::new(2, 2)]);
    claim(&ledger, ONE, "t", 6).await;
    let found = ledger.same_content("events", &[(VersionId::new(2, 2), "one".into())]).await.unwrap();
    assert_eq!(found, [Some(VersionId::new(1, 1))]);
    assert!(ledger.offer_removed(&[gone("c.csv")], 6).await.unwrap().is_empty());
    assert_eq!(ledger.offer_removed(&[gone("d.csv")], 6).await.unwrap(), [VersionId::new(4, 6)]);
    let held = offer_as(&ledger, object("a.csv", "3", 1), hold(), 7).await;
    assert!(matches!(held, Offered::Known { state: State::Held, .. }));
}

pub async fn a_rebuild_restores_batches_of_every_kind(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    ledger.import_receipts(&[receipt("a.csv", "1", (1, 1), 1)], 3).await.unwrap();
    let amended = [receipt("a.csv", "1", (1, 1), 2)];
    ledger.restore_batch(7, "amends", BatchKind::Amend, "m7", &amended, 3).await.unwrap();
    ledger.restore_batch(8, "merges", BatchKind::Compact, "m8", &[], 3).await.unwrap();
    let appended = ImportedReceipt { replaces_from: 2, ..receipt("a.csv", "2", (1, 2), 3) };
    ledger.restore_batch(9, "loads", BatchKind::Load, "m9", &[appended], 3).await.unwrap();
    ledger.open_for_work(2, 10, 4).await.unwrap();
    check_states(&ledger, "a.csv", &[State::Complete, State::Staged]).await;
    assert!(ledger.take_publish_lease("p", 5, LEASE).await.unwrap());
    let expected = [
        (7, "amends", BatchKind::Amend, Some((VersionId::new(1, 1), 2))),
        (8, "merges", BatchKind::Compact, None),
        (9, "loads", BatchKind::Load, Some((VersionId::new(1, 2), 3))),
    ];
    for (seq, batch, kind, member) in expected {
        let head = ledger.queue_head().await.unwrap().unwrap();
        let members: Vec<_> = head.members.iter().map(|member| (member.version, member.revision)).collect();
        assert_eq!((head.seq, &*head.batch_id, head.kind, members), (seq, batch, kind, Vec::from_iter(member)));
        assert!(ledger.finish(batch, seq, "p", 5).await.unwrap());
    }
    check_states(&ledger, "a.csv", &[State::Complete, State::Complete]).await;
    assert_eq!(ledger.history("events", "a.csv").await.unwrap()[0].revision, 3);
}

pub async fn live_attempts_are_those_that_may_still_count(place: &Place) {
    let ledger = place.working().await;
    let live = async || Vec::from_iter(ledger.live_attempts().await.unwrap());
    assert!(live().await.is_empty());
    stage_one(&ledger, object("a.csv", "1", 1), "t1", 1).await;
    offer_one(&ledger, object("b.csv", "1", 1), 1).await;
    claim(&ledger, ONE, "t2", 1).await;
    stage_compact(&ledger, "c1", "m", 1).await.unwrap();
    // A lease that ran out still counts: what it stages may still succeed.
    assert_eq!(live().await, ["attempt-t1", "attempt-t2", "c1", "t1"]);
    claim(&ledger, ONE, "t3", 2 + LEASE).await;
    assert_eq!(live().await, ["attempt-t1", "attempt-t3", "c1", "t1"]);
    publish(&ledger, 3 + LEASE).await;
    assert_eq!(live().await, ["attempt-t3"]);
    ledger.release("t3", 4 + LEASE).await.unwrap();
    assert!(live().await.is_empty());
}

pub async fn the_newest_of_each_key_are_listed_in_pages(place: &Place) {
    let ledger = place.working().await;
    // More than a page of them; names whose order differs by database; members of archives.
    let mut objects: Vec<_> = (0..5_200).map(|number| object(&format!("{number}.csv"), "1", number)).collect();
    objects.extend(["B.csv", "a.csv", "Ä.csv", "a b.csv"].map(|key| object(key, "1", 1)));
    objects.extend(["y", "x"].map(|name| {
        let member = name.to_owned();
        stillhouse_spec::ObjectVersion { member, ..object("a.csv", "1", 1) }
    }));
    objects.push(object_of("orders", "1.csv", "1", 1));
    ledger.offer(&offers(&objects), 1).await.unwrap();
    let changed = offer_one(&ledger, object("17.csv", "2", 3), 2).await.version();
    let newest = ledger.newest("events").await.unwrap();
    let keys: Vec<_> = newest.iter().map(|row| (row.object.key.clone(), row.object.member.clone())).collect();
    let expected: BTreeSet<_> = objects.iter().filter(|object| object.source == "events").collect();
    let mut expected: Vec<_> = expected.iter().map(|object| (object.key.clone(), object.member.clone())).collect();
    expected.sort();
    assert_eq!(keys, expected);
    let row = newest.iter().find(|row| row.object.key == "17.csv").unwrap();
    assert_eq!((row.version, &*row.object.etag, row.state), (changed, "2", State::Offered));
    assert!(ledger.newest("nothing").await.unwrap().is_empty());
}

pub async fn look_ups_do_not_read_the_whole_ledger(place: &Place) {
    let ledger = place.open().await.begin_rebuild("ledger-2", 2).await.unwrap();
    let receipts: Vec<_> = (1..=20_000)
        .map(|number| ImportedReceipt {
            content: format!("content {}", if number % 2 == 0 { number } else { 0 }),
            twin: (number % 2 == 1 && number > 1).then_some(VersionId::new(1, 1)),
            ..receipt(&format!("{number}.csv"), "1", (number, 1), 1)
        })
        .collect();
    for piece in receipts.chunks(5_000) {
        ledger.import_receipts(piece, 3).await.unwrap();
    }
    ledger.open_for_work(2, 1, 4).await.unwrap();
    let objects: Vec<_> = (0..500).map(|number| object(&format!("new {number}.csv"), "1", 1)).collect();
    ledger.offer(&offers(&objects), 5).await.unwrap();
    let ids = versions(&claim(&ledger, ALL, "t", 6).await);
    let contents: Vec<_> = (0..).zip(&ids).map(|(number, id)| (*id, format!("content {}", number * 2))).collect();

    let timed = tokio::time::Instant::now();
    let found = ledger.same_content("events", &contents).await.unwrap();
    let same_content = timed.elapsed();
    let expected = |number: i64| Some(VersionId::new(if number == 0 { 1 } else { number * 2 }, 1));
    assert_eq!(found, (0..500).map(expected).collect::<Vec<_>>());
    let members = ids.iter().zip(&contents).zip(&found);
    let members = members.map(|((id, (_, content)), twin)| member(*id, content, *twin)).collect();
    let timed = tokio::time::Instant::now();
    let staged = ledger.stage(&staging("t", members), 7).await.unwrap();
    let stage = timed.elapsed();
    assert!(matches!(staged, Staged::Done { .. }));
    let timed = tokio::time::Instant::now();
    assert!(ledger.reoffer_orphans(8).await.unwrap().is_empty());
    let orphans = timed.elapsed();
    eprintln!("of 20,000 versions: same_content {same_content:?}, stage {stage:?}, orphans {orphans:?}");
    let limit = Duration::from_secs(2);
    assert!(same_content < limit && stage < limit && orphans < limit, "{same_content:?}, {stage:?}, {orphans:?}");
}

pub async fn attempts_keep_bounded_logs(place: &Place) {
    let ledger = place.working().await;
    assert!(ledger.attempt_log("a").await.unwrap().is_empty());
    ledger.log("a", &[]).await.unwrap();
    let first = LogLine { at: 1, level: Level::Warn, text: "odd \0 text, ü, 'quoted'".into() };
    ledger.log("a", std::slice::from_ref(&first)).await.unwrap();
    ledger.log("b", &[LogLine { level: Level::Error, ..log_line(2, "of another") }]).await.unwrap();
    let kept = LogLine { text: "odd \u{2400} text, ü, 'quoted'".into(), ..first };
    assert_eq!(ledger.attempt_log("a").await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(ledger.attempt_log("b").await.unwrap()[0].level, Level::Error);

    // As many as are kept, then one more, then many; at once and one after the other.
    let lines = |from: usize, to: usize| {
        let lines = (from..to).map(|number| log_line(i64::try_from(number).unwrap(), &format!("line {number}")));
        lines.collect::<Vec<_>>()
    };
    let max = LINES_PER_ATTEMPT_MAX;
    ledger.log("a", &lines(1, max)).await.unwrap();
    assert_eq!(ledger.attempt_log("a").await.unwrap().len(), max);
    ledger.log("a", &lines(max, max + 1)).await.unwrap();
    let log = ledger.attempt_log("a").await.unwrap();
    assert_eq!((log.len(), &*log[max / 2].text), (max + 1, "(1 lines are left out here)"));
    ledger.log("a", &lines(max + 1, 5 * max)).await.unwrap();
    ledger.log("a", &lines(5 * max, 5 * max + 3)).await.unwrap();
    let log = ledger.attempt_log("a").await.unwrap();
    assert_eq!(log[0], kept);
    assert_eq!(log[max / 2 - 1].text, format!("line {}", max / 2 - 1));
    let left_out =
        log_line(i64::try_from(4 * max + max / 2 + 3).unwrap(), &format!("({} lines are left out here)", 4 * max + 3));
    assert_eq!(log[max / 2], left_out);
    assert_eq!(log[max / 2 + 1..], lines(4 * max + max / 2 + 3, 5 * max + 3));
    ledger.log("c", &lines(0, 3 * max)).await.unwrap();
    assert_eq!(ledger.attempt_log("c").await.unwrap().len(), max + 1);

    // A long line, cut between two characters.
    let long = format!("x{}", "ü".repeat(LINE_BYTES_MAX));
    ledger.log("long", &[log_line(1, &long)]).await.unwrap();
    let text = ledger.attempt_log("long").await.unwrap().remove(0).text;
    let left_out = long.len() - (LINE_BYTES_MAX - 1);
    assert!(text.ends_with(&format!("ü… ({left_out} bytes are left out here)")), "{text}");
}

pub async fn old_attempts_are_trimmed(place: &Place) {
    let ledger = place.working().await;
    let objects: Vec<_> = (0..1_500).map(|number| object(&format!("{number:04}.csv"), "e", 1)).collect();
    ledger.offer(&offers(&objects), 1).await.unwrap();
    claim(&ledger, ALL, "old", 10).await;
    ledger.log("attempt-old", &[log_line(10, "one"), log_line(30, "two")]).await.unwrap();
    ledger.release("old", 20).await.unwrap();
    let running = versions(&claim(&ledger, ALL, "running", 21).await);
    ledger.log("attempt-running", &[log_line(21, "one")]).await.unwrap();
    ledger.log("no attempt at all", &[log_line(15, "one")]).await.unwrap();
    assert!(ledger.fail("running", running[0], "x", None, 40).await.unwrap());

    assert_eq!(ledger.trim(20, 50).await.unwrap(), Trimmed { attempts: 0, lines: 1 });
    assert_eq!(ledger.trim(100, 20).await.unwrap(), Trimmed::default(), "nothing that is not past");
    assert_eq!(ledger.trim(21, 50).await.unwrap(), Trimmed { attempts: 1_500, lines: 2 });
    // Of an attempt with several members, the log stays as long as one of them.
    assert_eq!(ledger.trim(50, 50).await.unwrap(), Trimmed { attempts: 1, lines: 0 });
    assert_eq!(ledger.attempt_log("attempt-running").await.unwrap().len(), 1);
    assert!(ledger.attempt_log("attempt-old").await.unwrap().is_empty());
    // Versions, claims and counts are what they were.
    let staged = ledger.stage(&request("b", "running", &running[1..]), 51).await.unwrap();
    assert!(matches!(staged, Staged::Done { .. }));
    assert_eq!(ledger.version(running[1]).await.unwrap().unwrap().attempts_count, 2);
}

pub async fn attempts_are_listed_newest_first(place: &Place) {
    let ledger = place.working().await;
    ledger.offer(&offers(&[object("a.csv", "1", 1), object_of("orders", "a.csv", "1", 1)]), 1).await.unwrap();
    for (now, token) in [(2, "t1"), (3, "t2"), (4, "t3")] {
        let jobs = claim(&ledger, ONE, token, now).await;
        ledger.fail(token, jobs[0].version, "x", Some(now), now).await.unwrap();
    }
    let member = stillhouse_spec::ObjectVersion { member: "m".into(), ..object("z.zip", "1", 1) };
    offer_one(&ledger, member, 0).await;
    claim(&ledger, ONE, "t4", 5).await;
    let listed = async |limit, key| {
        let rows = ledger.attempts(limit, key).await.unwrap();
        let name = |row: &stillhouse_ledger::AttemptRow| {
            let member = &row.member;
            format!("{} {} {}{member}", row.attempt, row.source, row.key)
        };
        rows.iter().map(name).collect::<Vec<_>>()
    };
    let all = listed(9, None).await;
    assert_eq!(all[0], "attempt-t4 events z.zipm");
    assert_eq!(all[1..], ["attempt-t3 events a.csv", "attempt-t2 events a.csv", "attempt-t1 events a.csv"]);
    assert_eq!(listed(2, None).await, all[..2]);
    assert_eq!(listed(2, Some(("events", "a.csv"))).await, all[1..3]);
    assert!(listed(2, Some(("orders", "a.csv"))).await.is_empty());
}

/// Fails before or after the transactions with one name.
struct Breaks {
    name: &'static str,
    before: bool,
    on: AtomicBool,
}

impl Breaks {
    fn answer(&self, name: &str, before: bool) -> Result<(), String> {
        let breaks = self.on.load(Ordering::SeqCst) && self.name == name && self.before == before;
        if breaks { Err(format!("stopped at {name}")) } else { Ok(()) }
    }
}

impl Hook for Breaks {
    fn before(&self, transaction: &'static str) -> HookFuture<'_> {
        Box::pin(async move { self.answer(transaction, true) })
    }

    fn after(&self, transaction: &'static str) -> HookFuture<'_> {
        Box::pin(async move { self.answer(transaction, false) })
    }
}

pub async fn a_hook_stops_before_or_breaks_after(place: &Place) {
    place.working().await;
    let ledger = place.open().await;
    for (name, before, offered) in [("offer", true, 0), ("offer", false, 1), ("counts", true, 1), ("counts", false, 1)]
    {
        let hook = Arc::new(Breaks { name, before, on: AtomicBool::new(true) });
        let hooked = ledger.clone().with_hook(Arc::clone(&hook) as Arc<dyn Hook>);
        let offer = offers(&[object("a.csv", "1", 1)]);
        if name == "offer" {
            check_kind(hooked.offer(&offer, 1).await, Kind::Retry, "stopped at offer");
        } else {
            check_kind(hooked.counts().await, Kind::Retry, "stopped at counts");
        }
        hook.on.store(false, Ordering::SeqCst);
        let counts = hooked.counts().await.unwrap();
        assert_eq!(counts.get(&State::Offered).copied().unwrap_or(0), offered, "{name}, before: {before}");
    }
    // A ledger that is rebuilt keeps its hook.
    let hook = Arc::new(Breaks { name: "open_for_work", before: true, on: AtomicBool::new(true) });
    let rebuilt = ledger.with_hook(hook).begin_rebuild("ledger-2", 2).await.unwrap();
    check_kind(rebuilt.open_for_work(2, 1, 3).await, Kind::Retry, "stopped at open_for_work");
}
