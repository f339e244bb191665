//! Approving several requests at once that ask for the same: each is a decision of its own, and nothing else goes with them.

use crate::world::{POLICIES, SECRET, World, people, wish, world};
use muster_domain::access::Password;
use muster_domain::approvals::{
    Approvals, ApproveTogether, Ask, OneOfSeveral, ProposedAct, RequestQuery, RequestState, Verdict,
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
    let input = ApproveTogether {
        requests: ticked,
        comment: "all the same".into(),
        password: Password(password.into()),
    };
    world.service.approve_together(by, input).await
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
        let mut input = ApproveTogether {
            requests: vec![(RequestId::new("CR-1"), "00".into())],
            comment: "all the same".into(),
            password: Password(SECRET.into()),
        };
        for id in [&one, &taken, &two] {
            input.requests.push((id.clone(), world.get(id).await.digest));
        }
        let said = world.service.approve_together(&bob, input.clone()).await.unwrap();
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
        let again = world.service.approve_together(&bob, input).await.unwrap();
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
        let input = ApproveTogether {
            requests: vec![(one.clone(), "00".into())],
            comment: String::new(),
            password: Password(SECRET.into()),
        };
        let other = world.service.approve_together(&bob, input).await.unwrap();
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
