//! The portal's copy of baselines, and what each of them said before, on both databases.

use super::*;
use crate::patching::baseline_keep::{self as keep, By, Holds};
use crate::patching::baseline_ssm::Live;
use muster_store::test_database::on_both;

const HERE: &str = "here";

fn live(id: &str, rejected: &[&str], at: i64) -> Live {
    let content = BaselineContent {
        name: format!("name-of-{id}"),
        operating_system: "DEBIAN".into(),
        rejected_patches: rejected.iter().map(|&patch| patch.to_owned()).collect(),
        ..BaselineContent::default()
    };
    Live::of(id, content, Timestamp(at))
}

async fn kept(db: &Db, live: &Live, by: By<'_>, now: i64) {
    let holds = Holds {
        is_default: true,
        groups: vec!["Web".into()],
    };
    keep::keep(db, HERE, live, &holds, by, Timestamp(now))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_baseline_said_is_kept_with_who_changed_it_where_that_was_done_here() {
    on_both(async |db: Db| {
        let found = By::default();
        kept(&db, &live("pb-1", &[], 10), found, 10).await;
        kept(&db, &live("pb-1", &[], 10), found, 20).await;
        assert_eq!(versions(&db, HERE, "pb-1").await.unwrap().len(), 1, "the same");
        // The copy in rounds was faster than the portal's own act.
        kept(&db, &live("pb-1", &["a"], 30), found, 30).await;
        let by = By {
            who: "bertha",
            request: "CR-7",
        };
        kept(&db, &live("pb-1", &["a"], 30), by, 31).await;
        // What was answered before that undoes nothing.
        kept(&db, &live("pb-1", &[], 10), found, 32).await;
        let all = versions(&db, HERE, "pb-1").await.unwrap();
        let said: Vec<_> = all
            .iter()
            .map(|one| (one.number, one.changed_by.as_str(), one.request_id.as_str()))
            .collect();
        assert_eq!(said, [(2, "bertha", "CR-7"), (1, "", "")]);
        let one = get(&db, HERE, "pb-1").await.unwrap().unwrap();
        assert_eq!(one.content.rejected_patches, ["a"]);
        assert_eq!(one.sha256, all[0].sha256);
        let first = version(&db, HERE, "pb-1", 1).await.unwrap().unwrap();
        assert!(first.rejected_patches.is_empty());
        let same = version_of(&db, HERE, "pb-1", &all[0].sha256).await.unwrap();
        assert_eq!(same.unwrap().rejected_patches, ["a"]);
        assert!(version(&db, HERE, "pb-1", 9).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn baselines_are_found_by_what_people_know_of_them_and_forgotten_when_they_are_gone() {
    on_both(async |db: Db| {
        let given = "arn:aws:ssm:eu:aws:patchbaseline/pb-9";
        kept(&db, &live("pb-1", &[], 1), By::default(), 10).await;
        kept(&db, &live(given, &[], 1), By::default(), 20).await;
        let one = get(&db, HERE, "pb-9").await.unwrap().unwrap();
        assert_eq!((one.baseline_id.as_str(), one.is_given), (given, true));
        let query = |text: &str, own| BaselineQuery {
            operating_system: "DEBIAN".into(),
            own,
            text: text.into(),
        };
        assert!(matches(&one, &query("WEB", Some(false))), "by its group");
        assert!(!matches(&one, &query("", Some(true))));
        assert!(!matches(&one, &query("database", None)));
        let names = found(&db, HERE, "name-of", 1).await.unwrap();
        assert_eq!(names[0].baseline_id, "pb-1", "one's own come first");
        keep::holds(&db, HERE, given, &Holds::default(), Timestamp(21))
            .await
            .unwrap();
        let one = get(&db, HERE, "pb-9").await.unwrap().unwrap();
        assert!(!one.is_default && one.groups.is_empty());
        keep::copied(&db, HERE, Timestamp(15)).await.unwrap();
        let left = all(&db, HERE).await.unwrap();
        assert_eq!(left.len(), 1, "what was not seen since is gone");
        assert_eq!(synced_at(&db, HERE).await.unwrap(), Some(Timestamp(15)));
        assert_eq!(
            versions(&db, HERE, "pb-1").await.unwrap().len(),
            1,
            "what it said stays"
        );
        keep::forget(&db, HERE, given).await.unwrap();
        assert!(all(&db, HERE).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_two_who_change_the_same_one_may_at_a_time() {
    on_both(async |db: Db| {
        kept(&db, &live("pb-1", &[], 1), By::default(), 10).await;
        let claim = async |now: i64| {
            let times = (Timestamp(now), Timestamp(now + 50));
            keep::claim(&db, HERE, "pb-1", times).await.unwrap()
        };
        assert!(claim(100).await);
        assert!(!claim(120).await, "somebody else has it");
        keep::release(&db, HERE, "pb-1").await.unwrap();
        assert!(claim(121).await);
        assert!(claim(200).await, "it runs out by itself");
        assert!(
            !keep::claim(&db, HERE, "pb-2", (Timestamp(1), Timestamp(2)))
                .await
                .unwrap()
        );
    })
    .await;
}
