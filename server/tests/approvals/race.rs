//! Everything at once: whoever comes second sees what the first one did, on both databases.

use crate::world::{POLICIES, people, world};
use muster_domain::PortalError;
use muster_domain::approvals::{Approvals, RequestState, Verdict};
use muster_domain::permission::Role;
use muster_store::Db;
use muster_store::test_database::on_both;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn decisions_at_the_same_moment_count_once_each() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        for _ in 0..5 {
            let request = world.ask(&rita).await;
            let (a, b, c, d) = tokio::join!(
                world.approve(&bob, &request),
                world.approve(&bob, &request),
                world.approve(&eve, &request),
                world.approve(&eve, &request),
            );
            let well = [&a, &b, &c, &d].iter().filter(|result| result.is_ok()).count();
            assert_eq!(well, 2, "{a:?} {b:?} {c:?} {d:?}");
            let detail = world.get(&request).await;
            assert_eq!(detail.summary.state, RequestState::Approved);
            assert_eq!(detail.decisions.len(), 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_carried_out_by_several_is_done_once() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        let (a, b, c, withdrawn) = tokio::join!(
            world.service.round(),
            world.service.round(),
            world.service.round(),
            world.service.withdraw(&rita, request.clone()),
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        let acts = world.acts("access.hold_role").await.len();
        match world.state(&request).await {
            RequestState::Done => {
                assert_eq!(acts, 1);
                assert!(
                    matches!(withdrawn, Err(PortalError::Conflict { .. })),
                    "{withdrawn:?}"
                );
            }
            RequestState::Withdrawn => {
                assert_eq!(acts, 0);
                assert!(withdrawn.is_ok());
                assert!(!world.holds("rita", Role::Administrator).await);
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_and_a_no_at_the_same_moment_do_not_both_win() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        let ann = {
            let ann = world.add("rita-admin", Role::Approver).await;
            assert!(world.approve(&ann, &request).await.is_err());
            eve
        };
        let (yes, no) = tokio::join!(
            world.decide(&ann, &request, Verdict::Approve),
            world.decide(&ann, &request, Verdict::Reject),
        );
        assert_eq!(
            usize::from(yes.is_ok()) + usize::from(no.is_ok()),
            1,
            "{yes:?} {no:?}"
        );
        let state = world.state(&request).await;
        assert!(
            matches!(state, RequestState::Approved | RequestState::Rejected),
            "{state:?}"
        );
    })
    .await;
}
