//! Deciding on several requests at once that ask for the same: each is a decision of its own, and nothing else goes with them.

use crate::world::{POLICIES, SECRET, World, people, wish, world};
use muster_domain::access::Password;
use muster_domain::approvals::{
    Approvals, Ask, DecideTogether, HandOver, OneOfSeveral, ProposedAct, RequestQuery, RequestState, Verdict,
};
use muster_domain::ids::RequestId;
use muster_domain::permission::Role;
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use muster_store::test_database::on_both;

/// The policies of all others, with one approval that can be given to several at once.
fn policies() -> String {
    POLICIES
        .replace("review_hours = 2", "review_hours = 2\nbulk = true")
        .replace("approvals = 2", "approvals = 1")
}

async fn together(
    world: &World,
    by: &Actor,
    requests: &[&RequestId],
    password: &str,
) -> Result<Vec<OneOfSeveral>, PortalError> {
    let mut ticked = Vec::new();
    for id in requests {
        ticked.push(((*id).clone(), world.get(id).await.digest));
    }
    let input = DecideTogether {
        requests: ticked,
        verdict: Verdict::Approve,
        comment: "all the same".into(),
        on_behalf_of: String::new(),
        password: Password(password.into()),
    };
    world.service.decide_together(by, input).await
}

fn for_minutes(minutes: u32) -> Ask {
    Ask {
        act: ProposedAct::Role {
            role: Role::Administrator,
            scope: "*".into(),
            minutes,
        },
        ..wish(false)
    }
}

#[tokio::test]
async fn what_asks_for_the_same_is_approved_with_the_password_once_and_written_down_one_by_one() {
    on_both(async |db: Db| {
        let world = world(&db, &policies()).await;
        let (rita, bob, eve) = people(&world).await;
        let olga = world.add("olga", Role::Operator).await;
        let (one, two) = (world.ask(&rita).await, world.ask(&olga).await);
        let (taken, longer) = (
            world.ask(&olga).await,
            world.service.ask(&olga, for_minutes(90)).await.unwrap(),
        );
        let rows = world
            .service
            .list(&bob, RequestQuery::default())
            .await
            .unwrap()
            .items;
        let key = |id: &RequestId| {
            let row = rows.iter().find(|row| row.request_id == *id).unwrap();
            row.alike.as_ref().unwrap().key.clone()
        };
        assert_eq!(key(&one), key(&two));
        assert_ne!(key(&one), key(&longer));
        let mixed = together(&world, &bob, &[&one, &longer], SECRET)
            .await
            .unwrap_err();
        assert!(
            mixed
                .about("requests")
                .is_some_and(|text| text.contains("the same")),
            "{mixed}"
        );
        let wrong = together(&world, &bob, &[&one, &two], "guess").await.unwrap_err();
        assert!(wrong.about("password").is_some(), "{wrong}");
        assert_eq!(
            world.state(&one).await,
            RequestState::Waiting,
            "nothing was decided"
        );
        // Of what was ticked somebody else has decided on one, and one is not there.
        world.decide(&eve, &taken, Verdict::Reject).await.unwrap();
        let mut input = DecideTogether {
            requests: vec![(RequestId::new("CR-1"), "00".into())],
            verdict: Verdict::Approve,
            comment: "all the same".into(),
            on_behalf_of: String::new(),
            password: Password(SECRET.into()),
        };
        for id in [&one, &taken, &two] {
            input.requests.push((id.clone(), world.get(id).await.digest));
        }
        let said = world.service.decide_together(&bob, input.clone()).await.unwrap();
        let done: Vec<bool> = said.iter().map(|one| one.is_done).collect();
        assert_eq!(done, [false, true, false, true], "{said:?}");
        assert!(said[2].said.contains("rejected"), "{said:?}");
        assert_eq!(world.state(&one).await, RequestState::Approved);
        assert_eq!(world.state(&longer).await, RequestState::Waiting);
        let acts = world.acts("approvals.decide").await;
        for id in [&one, &two] {
            let resource = format!("request:{id}");
            let own: Vec<_> = acts.iter().filter(|act| act.resource == resource).collect();
            assert_eq!(own.len(), 1, "{id}");
            assert!(own[0].detail.contains("together"), "{}", own[0].detail);
        }
        // The mixed ones, those with a wrong password, and these.
        assert_eq!(world.acts("approvals.decide_together").await.len(), 3);
        // Once more is said of each, and changes nothing.
        let again = world.service.decide_together(&bob, input).await.unwrap();
        assert!(again.iter().all(|one| !one.is_done), "{again:?}");
        world.service.round().await.unwrap();
        assert!(
            world.holds("rita", Role::Administrator).await && world.holds("olga", Role::Administrator).await
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_goes_together_that_the_policies_do_not_let_or_that_is_ones_own() {
    on_both(async |db: Db| {
        let world = world(&db, &policies()).await;
        let (rita, bob, _) = people(&world).await;
        let olga = world.add("olga", Role::Operator).await;
        let (one, two) = (world.ask(&rita).await, world.ask(&olga).await);
        world.role_for("rita", Role::Approver).await;
        let rita = world.actor("rita").await;
        let own = together(&world, &rita, &[&one, &two], SECRET).await.unwrap();
        assert_eq!(
            own.iter().map(|one| one.is_done).collect::<Vec<_>>(),
            [false, true],
            "her own is not: {own:?}"
        );
        let viewer = together(&world, &olga, &[&one], SECRET).await;
        assert!(matches!(viewer, Err(PortalError::Forbidden { .. })), "{viewer:?}");
        // What was looked at is what is decided.
        let input = DecideTogether {
            requests: vec![(one.clone(), "00".into())],
            verdict: Verdict::Approve,
            comment: String::new(),
            on_behalf_of: String::new(),
            password: Password(SECRET.into()),
        };
        let other = world.service.decide_together(&bob, input).await.unwrap();
        assert!(
            !other[0].is_done && other[0].said.contains("changed"),
            "{other:?}"
        );
        // A glass that was broken is reviewed, and never approved.
        let glass = world.service.ask(&rita, wish(true)).await.unwrap();
        let rows = world
            .service
            .list(&bob, RequestQuery::default())
            .await
            .unwrap()
            .items;
        let alike = |id: &RequestId| {
            let row = rows.iter().find(|row| row.request_id == *id).unwrap();
            row.alike.is_some()
        };
        assert!(alike(&one) && !alike(&glass));
        let broken = together(&world, &bob, &[&glass], SECRET).await.unwrap();
        assert!(!broken[0].is_done, "{broken:?}");
        // Policies that let it no more hold for what waits already; and those that let it now, not for what was asked before.
        let was = world.service.policies(&Actor::server()).await.unwrap().sha256;
        let stricter = policies().replace("bulk = true", "bulk = false");
        world
            .service
            .change_policies(&Actor::server(), stricter, was)
            .await
            .unwrap();
        let refused = together(&world, &bob, &[&one], SECRET).await.unwrap_err();
        assert!(refused.about("requests").is_some(), "{refused}");
        let strict = world.ask(&olga).await;
        let was = world.service.policies(&Actor::server()).await.unwrap().sha256;
        world
            .service
            .change_policies(&Actor::server(), policies(), was)
            .await
            .unwrap();
        let refused = together(&world, &bob, &[&strict], SECRET).await.unwrap_err();
        assert!(refused.about("requests").is_some(), "{refused}");
        assert!(together(&world, &bob, &[&one], SECRET).await.unwrap()[0].is_done);
    })
    .await;
}

#[tokio::test]
async fn several_are_rejected_with_one_reason_each_by_itself() {
    on_both(async |db: Db| {
        let world = world(&db, &policies()).await;
        let (rita, bob, eve) = people(&world).await;
        let olga = world.add("olga", Role::Operator).await;
        let (one, two, taken) = (
            world.ask(&rita).await,
            world.ask(&olga).await,
            world.ask(&olga).await,
        );
        let input = |ids: &[&RequestId], digests: &[String], comment: &str| DecideTogether {
            requests: ids
                .iter()
                .zip(digests)
                .map(|(id, digest)| ((*id).clone(), digest.clone()))
                .collect(),
            verdict: Verdict::Reject,
            comment: comment.into(),
            on_behalf_of: String::new(),
            password: Password(SECRET.into()),
        };
        let mut digests = Vec::new();
        for id in [&one, &taken, &two] {
            digests.push(world.get(id).await.digest);
        }
        let ids = [&one, &taken, &two];
        let silent = world
            .service
            .decide_together(&bob, input(&ids, &digests, " "))
            .await;
        let silent = silent.unwrap_err();
        assert!(silent.about("comment").is_some(), "{silent}");
        assert_eq!(world.state(&one).await, RequestState::Waiting);
        world.decide(&eve, &taken, Verdict::Approve).await.unwrap();
        let said = world
            .service
            .decide_together(&bob, input(&ids, &digests, "not this week"))
            .await
            .unwrap();
        let done: Vec<bool> = said.iter().map(|one| one.is_done).collect();
        assert_eq!(done, [true, false, true], "{said:?}");
        for id in [&one, &two] {
            assert_eq!(world.state(id).await, RequestState::Rejected);
            let decisions = world.get(id).await.decisions;
            assert_eq!(decisions[0].comment, "not this week");
        }
        assert_eq!(world.state(&taken).await, RequestState::Approved);
        let acts = world.acts("approvals.decide").await;
        let rejected = acts
            .iter()
            .filter(|act| act.detail.contains("\"verdict\": \"reject\""));
        let outcomes: Vec<bool> = rejected.map(|act| act.message.is_empty()).collect();
        assert_eq!(outcomes.len(), 3, "each is an act: {outcomes:?}");
        assert_eq!(
            outcomes.iter().filter(|is_done| **is_done).count(),
            2,
            "{outcomes:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_stands_in_decides_on_several_for_the_other_one() {
    use muster_domain::time::Clock;
    on_both(async |db: Db| {
        let world = world(&db, &policies()).await;
        let (rita, _, eve) = people(&world).await;
        let carol = world.add("carol", Role::Viewer).await;
        let olga = world.add("olga", Role::Operator).await;
        let (one, two) = (world.ask(&rita).await, world.ask(&olga).await);
        let mut input = DecideTogether {
            requests: Vec::new(),
            verdict: Verdict::Approve,
            comment: "for her".into(),
            on_behalf_of: "eve".into(),
            password: Password(SECRET.into()),
        };
        for id in [&one, &two] {
            input.requests.push((id.clone(), world.get(id).await.digest));
        }
        let early = world.service.decide_together(&carol, input.clone()).await;
        assert!(matches!(early, Err(PortalError::Forbidden { .. })), "{early:?}");
        let over = HandOver {
            to: "carol".into(),
            until: world.clock.now().plus_ms(3_600_000),
            reason: "on leave".into(),
        };
        world.service.hand_over(&eve, over).await.unwrap();
        let listed = world
            .service
            .list(&carol, RequestQuery::default())
            .await
            .unwrap()
            .items;
        assert!(
            listed.iter().all(|row| row.alike.is_some()),
            "they have boxes: {listed:?}"
        );
        // Not for herself: she is no approver.
        let own = DecideTogether {
            on_behalf_of: String::new(),
            ..input.clone()
        };
        let own = world.service.decide_together(&carol, own).await;
        assert!(matches!(own, Err(PortalError::Forbidden { .. })), "{own:?}");
        let said = world.service.decide_together(&carol, input).await.unwrap();
        assert!(said.iter().all(|one| one.is_done), "{said:?}");
        for id in [&one, &two] {
            let decisions = world.get(id).await.decisions;
            assert_eq!(
                (decisions[0].account.as_str(), decisions[0].on_behalf_of.as_str()),
                ("carol", "eve")
            );
        }
        // Each is a decision of its own in the audit log, and so is that they were decided on together.
        assert_eq!(world.acts("approvals.decide_for_another").await.len(), 4);
    })
    .await;
}
