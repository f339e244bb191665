//! Several portals on one database, and portals that died: one carries out, and what was begun is found again.

use crate::world::{POLICIES, World, people, world};
use muster_domain::approvals::RequestState;
use muster_domain::ids::RequestId;
use muster_domain::permission::Role;
use muster_server::approvals::{ApprovalService, rows};
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};

/// Another portal on the same database.
fn another(world: &World, name: &str) -> ApprovalService {
    let mut service = world.service.clone();
    service.gate.desk.owner = name.into();
    service
}

async fn approved(world: &World) -> RequestId {
    let (rita, bob, eve) = (
        world.actor("rita").await,
        world.actor("bob").await,
        world.actor("eve").await,
    );
    let request = world.ask(&rita).await;
    world.approve(&bob, &request).await.unwrap();
    world.approve(&eve, &request).await.unwrap();
    request
}

/// A request that the portal `owner` has begun to carry out, under this id; its time is over `ms` from now.
async fn begun(db: &Db, request: &RequestId, owner: &str, outcome: &str, ms: i64) {
    let mut sql = Sql::new("update approval_requests set state = 'running', runs_at = null, outcome_id = ");
    sql.text(outcome)
        .push(", version = version + 1, held_by = ")
        .text(owner)
        .push(", held_until = ")
        .push(db.clock_sql())
        .push(" + ")
        .int(ms)
        .push(" where request_id = ")
        .text(request.as_str());
    assert_eq!(sql.run(db.writer()).await.unwrap(), 1);
}

async fn holder(db: &Db, request: &RequestId) -> Option<String> {
    let mut sql = Sql::new("select held_by from approval_requests where request_id = ");
    sql.text(request.as_str());
    sql.one(db.reader())
        .await
        .unwrap()
        .text_or_none("held_by")
        .unwrap()
}

async fn grants(db: &Db) -> Vec<String> {
    let rows = Sql::new("select grant_id from user_grants where expires_at is not null")
        .all(db.reader())
        .await
        .unwrap();
    rows.iter().map(|row| row.text("grant_id").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_portals_at_once_carry_out_what_is_due_once() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        people(&world).await;
        let other = another(&world, "the other one");
        for at in 1..=4 {
            let request = approved(&world).await;
            let (a, b, c, d) = tokio::join!(
                world.service.round(),
                other.round(),
                world.service.round(),
                other.round()
            );
            assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
            assert_eq!(world.state(&request).await, RequestState::Done);
            assert_eq!(world.acts("access.hold_role").await.len(), at);
            assert_eq!(holder(&db, &request).await, None, "nobody holds what is done");
        }
    })
    .await;
}

#[tokio::test]
async fn what_another_portal_is_at_work_on_is_left_alone_until_its_time_is_over() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        people(&world).await;
        let request = approved(&world).await;
        begun(&db, &request, "the other one", "grant-of-the-other", 20_000).await;
        world.service.round().await.unwrap();
        assert_eq!(
            world.state(&request).await,
            RequestState::Running,
            "the other one is at work on it"
        );
        assert_eq!(holder(&db, &request).await.as_deref(), Some("the other one"));
        assert!(grants(&db).await.is_empty());
        let outcome = world.get(&request).await.outcome;
        assert_eq!(outcome, None, "there is nothing to look at before it is done");
        // It died, and its time is over: it had done nothing. Now it is done, under the same id.
        begun(&db, &request, "the other one", "grant-of-the-other", -1).await;
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
        assert_eq!(grants(&db).await, ["grant-of-the-other"]);
        assert_eq!(world.acts("access.hold_role").await.len(), 1);
        assert!(world.get(&request).await.outcome.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_due_request_that_another_portal_looks_at_is_not_looked_at_twice() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        people(&world).await;
        let request = approved(&world).await;
        let hold = async |ms: i64| {
            let mut sql = Sql::new("update approval_requests set held_by = 'the other one', held_until = ");
            sql.push(db.clock_sql()).push(" + ").int(ms);
            sql.run(db.writer()).await.unwrap();
        };
        hold(20_000).await;
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Approved);
        hold(-1).await;
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
    })
    .await;
}

#[tokio::test]
async fn a_role_that_was_given_before_the_portal_died_is_found_though_it_was_held_before() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        people(&world).await;
        // Held for an hour already, by an earlier request.
        let first = approved(&world).await;
        world.service.round().await.unwrap();
        let second = approved(&world).await;
        world.service.round().await.unwrap();
        let of = async |id: &RequestId| rows::get(&db, id).await.unwrap().unwrap().outcome_id;
        let (before, after) = (of(&first).await, of(&second).await);
        assert_ne!(before, after);
        assert_eq!(
            grants(&db).await,
            std::slice::from_ref(&after),
            "one grant, known by what was done last"
        );
        // The portal had died between giving the role and writing down that it had.
        begun(&db, &second, "who died", &after, -1).await;
        world.service.round().await.unwrap();
        let detail = world.get(&second).await;
        assert_eq!(detail.summary.state, RequestState::Done);
        let said = &detail.history.last().unwrap().what;
        assert!(said.contains("had been done when the portal stopped"), "{said}");
        assert_eq!(
            world.acts("access.hold_role").await.len(),
            2,
            "it was not done again"
        );

        // One without an end stays as it is, and there is nothing to do.
        world.role_for("rita", Role::Administrator).await;
        let third = approved(&world).await;
        begun(&db, &third, "who died", "grant-that-changes-nothing", -1).await;
        world.service.round().await.unwrap();
        assert_eq!(world.state(&third).await, RequestState::Done);
        assert_eq!(world.acts("access.hold_role").await.len(), 2);
        assert!(grants(&db).await.is_empty());
    })
    .await;
}
