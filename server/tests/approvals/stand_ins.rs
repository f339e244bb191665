//! Delegations: who stands in decides as whoever they stand in for, once, while that holds, and never for who asked.

use crate::world::{POLICIES, World, people, world};
use muster_domain::access::Access;
use muster_domain::approvals::{Approvals, HandOver, RequestQuery, RequestState, Verdict};
use muster_domain::ids::{DelegationId, RequestId};
use muster_domain::permission::Role;
use muster_domain::{Actor, PortalError};
use muster_server::approvals::evidence::verify;
use muster_store::Db;
use muster_store::test_database::on_both;

const HOUR: i64 = 3_600_000;

async fn hand_over(world: &World, from: &Actor, to: &str, hours: i64) -> Result<DelegationId, PortalError> {
    use muster_domain::time::Clock;
    let input = HandOver {
        to: to.into(),
        until: world.clock.now().plus_ms(hours * HOUR),
        reason: "on leave".into(),
    };
    world.service.hand_over(from, input).await
}

async fn approve_for(
    world: &World,
    by: &Actor,
    other: &str,
    request: &RequestId,
) -> Result<RequestState, PortalError> {
    world.decide_for(by, other, request, Verdict::Approve).await
}

fn refused(result: &Result<RequestState, PortalError>, why: &str) {
    let said = result.as_ref().err().map(ToString::to_string);
    assert!(said.is_some_and(|said| said.contains(why)), "{why}: {result:?}");
}

async fn waits(world: &World, actor: &Actor) -> usize {
    let page = world.service.list(actor, RequestQuery::default()).await.unwrap();
    assert_eq!(
        page.items.len(),
        world.service.waiting(actor).await.unwrap().count as usize
    );
    page.items.len()
}

#[tokio::test]
async fn who_stands_in_decides_as_the_other_one_and_it_is_said_everywhere() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        // No approver herself, and in no group.
        let carol = world.add("carol", Role::Viewer).await;
        let request = world.ask(&rita).await;
        refused(&world.approve(&carol, &request).await, "approver");
        refused(
            &approve_for(&world, &carol, "eve", &request).await,
            "do not stand in",
        );
        assert_eq!(waits(&world, &carol).await, 0);
        let delegation = hand_over(&world, &eve, "carol", 8).await.unwrap();
        assert_eq!(waits(&world, &carol).await, 1, "it waits for her now");
        let seen = world.service.get(&carol, request.clone()).await.unwrap();
        assert!(!seen.why_not_decide.is_empty(), "not for herself");
        assert_eq!(seen.stands_in.len(), 1);
        assert_eq!(seen.stands_in[0].account, "eve");
        assert_eq!(seen.deciders, ["bob", "eve", "carol on behalf of eve"]);
        refused(
            &approve_for(&world, &carol, "bob", &request).await,
            "do not stand in",
        );
        assert_eq!(
            approve_for(&world, &carol, "eve", &request).await.unwrap(),
            RequestState::Waiting
        );
        refused(&world.approve(&eve, &request).await, "One person is one voice");
        assert_eq!(waits(&world, &carol).await, 0);
        assert_eq!(
            world.approve(&bob, &request).await.unwrap(),
            RequestState::Approved
        );
        world.service.round().await.unwrap();
        let done = world.get(&request).await;
        assert_eq!(done.summary.state, RequestState::Done);
        assert_eq!(
            (
                done.decisions[0].account.as_str(),
                done.decisions[0].on_behalf_of.as_str()
            ),
            ("carol", "eve")
        );
        assert!(
            done.history
                .iter()
                .any(|one| one.what.contains("on behalf of eve")),
            "{:?}",
            done.history
        );
        // In the audit log, and in the evidence with how she came to it.
        let acts = world.acts("approvals.decide_for_another").await;
        assert!(
            acts.iter()
                .any(|act| act.actor == "carol" && act.detail.contains("eve"))
        );
        assert!(
            world.acts("access.hold_role").await[0]
                .detail
                .contains("carol on behalf of eve")
        );
        let root = world.add("root", Role::Administrator).await;
        let bundle = world.service.evidence(&root, &world.log, &request).await.unwrap();
        assert_eq!(verify(&bundle, None).findings, Vec::<String>::new());
        let text = bundle["content"].to_string();
        assert!(text.contains(&format!("delegation:{delegation}")), "{text}");
        assert_eq!(bundle["content"]["decisions"][0]["on_behalf_of"], "eve");
        let mut forged = bundle;
        forged["content"]["decisions"][0]["on_behalf_of_person"] = "person:Rita".into();
        let found = verify(&forged, None).findings.join(" ");
        assert!(found.contains("for whoever asked"), "{found}");
    })
    .await;
}

#[tokio::test]
async fn it_ends_by_time_by_being_taken_back_and_when_either_is_disabled() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        world.add("root", Role::Administrator).await;
        let carol = world.add("carol", Role::Operator).await;
        let dave = world.add("dave", Role::Operator).await;
        // By time: what was decided before still counts.
        hand_over(&world, &eve, "carol", 1).await.unwrap();
        let again = hand_over(&world, &eve, "dave", 1).await;
        assert!(matches!(again, Err(PortalError::Conflict { .. })), "{again:?}");
        let early = world.ask(&rita).await;
        approve_for(&world, &carol, "eve", &early).await.unwrap();
        world.clock.advance(HOUR);
        let late = world.ask(&rita).await;
        refused(
            &approve_for(&world, &carol, "eve", &late).await,
            "do not stand in",
        );
        // Taken back: what was decided before does not count.
        let second = hand_over(&world, &eve, "carol", 1).await.unwrap();
        approve_for(&world, &carol, "eve", &late).await.unwrap();
        world.approve(&bob, &late).await.unwrap();
        let other = world.service.end_delegation(&dave, second.clone()).await;
        assert!(matches!(other, Err(PortalError::NotFound { .. })), "{other:?}");
        world.service.end_delegation(&eve, second.clone()).await.unwrap();
        let twice = world.service.end_delegation(&eve, second).await;
        assert!(matches!(twice, Err(PortalError::NotFound { .. })), "{twice:?}");
        world.service.round().await.unwrap();
        let detail = world.get(&late).await;
        assert_eq!(detail.summary.state, RequestState::Waiting);
        assert_eq!(detail.summary.given, 1);
        assert!(detail.decisions[0].void_because.contains("carol"), "{detail:?}");
        // Either is disabled; being let in again brings nothing back.
        for gone in ["eve", "dave"] {
            hand_over(&world, &world.actor("eve").await, "dave", 1)
                .await
                .unwrap();
            let user = world.actor(gone).await.user_id.unwrap();
            let server = Actor::server();
            world.access.disable_user(&server, user.clone()).await.unwrap();
            if gone == "eve" {
                refused(&approve_for(&world, &dave, "eve", &late).await, "do not stand in");
            }
            world.access.enable_user(&server, user).await.unwrap();
            let dave = world.actor("dave").await;
            refused(&approve_for(&world, &dave, "eve", &late).await, "do not stand in");
        }
        let all = world.service.delegations(&dave).await.unwrap();
        assert_eq!(all.len(), 4, "everybody sees all of them: {all:?}");
        assert!(
            all.iter()
                .all(|one| !one.may_end && one.delegation.ended_at.is_some())
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_decided_while_it_held_counts_when_its_time_is_over() {
    on_both(async |db: Db| {
        let text = POLICIES.replace("usable_minutes = 30", "usable_minutes = 600");
        let world = world(&db, &text).await;
        let (rita, bob, eve) = people(&world).await;
        world.add("carol", Role::Operator).await;
        let carol = world.actor("carol").await;
        hand_over(&world, &eve, "carol", 1).await.unwrap();
        let request = world.ask(&rita).await;
        approve_for(&world, &carol, "eve", &request).await.unwrap();
        world.approve(&bob, &request).await.unwrap();
        world.clock.advance(2 * HOUR);
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
    })
    .await;
}

#[tokio::test]
async fn never_for_who_asked_nor_by_who_asked_nor_in_chains() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (_, bob, eve) = people(&world).await;
        world.role_for("rita", Role::Approver).await;
        let rita = world.actor("rita").await;
        let admin = world.add("rita-admin", Role::Approver).await;
        let carol = world.add("carol", Role::Approver).await;
        // To whom it can be handed over.
        for (to, why) in [
            ("nobody-here", "no account"),
            ("eve", "yourself"),
            (" ", "Write the name"),
        ] {
            let said = hand_over(&world, &eve, to, 1).await.unwrap_err();
            assert!(
                said.about("to").is_some_and(|text| text.contains(why)),
                "{to}: {said}"
            );
        }
        let other_account = hand_over(&world, &rita, "rita-admin", 1).await.unwrap_err();
        assert!(other_account.about("to").is_some(), "{other_account}");
        let olga = world.add("olga", Role::Operator).await;
        let no_approver = hand_over(&world, &olga, "bob", 1).await;
        assert!(
            matches!(no_approver, Err(PortalError::Forbidden { .. })),
            "{no_approver:?}"
        );
        // Who asked hands over to bob, and eve to who asked.
        hand_over(&world, &rita, "bob", 8).await.unwrap();
        hand_over(&world, &eve, "rita-admin", 8).await.unwrap();
        let request = world.ask(&rita).await;
        refused(
            &approve_for(&world, &bob, "rita", &request).await,
            "asked for this",
        );
        refused(&approve_for(&world, &admin, "eve", &request).await, "yourself");
        // Bob is away as well: nobody hands over to him, and carol, who stands in for bob, does not for rita or eve.
        let others = world.ask(&olga).await;
        hand_over(&world, &bob, "carol", 8).await.unwrap();
        let chain = hand_over(&world, &world.actor("carol").await, "bob", 8)
            .await
            .unwrap_err();
        assert!(
            chain
                .about("to")
                .is_some_and(|text| text.contains("handed their own part")),
            "{chain}"
        );
        refused(
            &approve_for(&world, &carol, "rita", &others).await,
            "do not stand in",
        );
        assert_eq!(
            approve_for(&world, &carol, "bob", &others).await.unwrap(),
            RequestState::Waiting
        );
        // Both at the same level: bob himself, and bob for rita, whose voice is hers.
        refused(&world.approve(&bob, &others).await, "One person is one voice");
        refused(
            &approve_for(&world, &bob, "rita", &others).await,
            "One person is one voice",
        );
        assert_eq!(
            approve_for(&world, &admin, "eve", &others).await.unwrap(),
            RequestState::Approved
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_voice_that_two_use_at_the_same_moment_counts_once() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, _, eve) = people(&world).await;
        let carol = world.add("carol", Role::Viewer).await;
        hand_over(&world, &eve, "carol", 8).await.unwrap();
        for _ in 0..5 {
            let request = world.ask(&rita).await;
            let (own, other) = tokio::join!(
                world.approve(&eve, &request),
                approve_for(&world, &carol, "eve", &request)
            );
            assert_eq!(
                usize::from(own.is_ok()) + usize::from(other.is_ok()),
                1,
                "{own:?} {other:?}"
            );
            assert_eq!(world.get(&request).await.summary.given, 1);
        }
    })
    .await;
}
