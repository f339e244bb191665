//! Who can decide on what, what runs when, and what voids an approval.

use crate::world::{POLICIES, SECRET, people, wish, world, world_at};
use muster_domain::access::{Access, Password};
use muster_domain::approvals::{
    Approvals, Ask, Decide, ProposedAct, RequestQuery, RequestState, Tab, Verdict,
};
use muster_domain::audit::Outcome;
use muster_domain::permission::Role;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::Db;
use muster_store::test_database::on_both;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn what_two_others_approved_is_done_once_and_ends_by_itself() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        assert_eq!(request.as_str(), "CR-1001");
        assert_eq!(
            world.approve(&bob, &request).await.unwrap(),
            RequestState::Waiting
        );
        world.service.round().await.unwrap();
        assert!(
            !world.holds("rita", Role::Administrator).await,
            "one of two is not enough"
        );
        assert_eq!(
            world.approve(&eve, &request).await.unwrap(),
            RequestState::Approved
        );
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Done, "{detail:?}");
        assert_eq!((detail.summary.given, detail.summary.needed), (2, 2));
        assert!(world.holds("rita", Role::Administrator).await);
        let acts = world.acts("access.hold_role").await;
        assert_eq!(acts.len(), 1);
        assert_eq!(
            (acts[0].actor.as_str(), acts[0].outcome),
            ("rita", Outcome::Success)
        );
        for said in [request.as_str(), "bob", "eve", &detail.digest] {
            assert!(acts[0].detail.contains(said), "{said}: {}", acts[0].detail);
        }
        world.clock.advance(60 * MINUTE);
        assert!(
            !world.holds("rita", Role::Administrator).await,
            "the hour is over"
        );
        world.service.round().await.unwrap();
        assert_eq!(
            world.acts("access.hold_role").await.len(),
            1,
            "and it is not done again"
        );
    })
    .await;
}

#[tokio::test]
async fn who_asked_never_decides_whatever_they_become() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, _) = people(&world).await;
        let request = world.ask(&rita).await;
        let refused = |result: Result<RequestState, PortalError>, why: &str| match result {
            Err(PortalError::Forbidden { message }) => assert!(message.contains(why), "{message}"),
            other => panic!("{other:?}"),
        };
        refused(world.approve(&rita, &request).await, "approver");
        world.role_for("rita", Role::Approver).await;
        world.role_for("rita", Role::Administrator).await;
        refused(
            world.approve(&world.actor("rita").await, &request).await,
            "yourself",
        );
        // The same person's other account.
        world.add("rita-admin", Role::Approver).await;
        refused(
            world.approve(&world.actor("rita-admin").await, &request).await,
            "yourself",
        );
        // Whom no policy names.
        let mallory = world.add("mallory", Role::Approver).await;
        refused(world.approve(&mallory, &request).await, "not among those");
        assert_eq!(
            world.approve(&bob, &request).await.unwrap(),
            RequestState::Waiting
        );
        let twice = world.approve(&bob, &request).await;
        assert!(
            matches!(&twice, Err(PortalError::Conflict { message }) if message.contains("already")),
            "{twice:?}"
        );
        assert_eq!(world.get(&request).await.summary.given, 1);
    })
    .await;
}

#[tokio::test]
async fn a_decision_takes_the_password_and_what_was_looked_at() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, _) = people(&world).await;
        let request = world.ask(&rita).await;
        let digest = world.get(&request).await.digest;
        let decide = async |digest: &str, password: &str| {
            let input = Decide {
                request: request.clone(),
                digest: digest.to_owned(),
                verdict: Verdict::Approve,
                comment: String::new(),
                on_behalf_of: String::new(),
                password: Password(password.into()),
            };
            world.service.decide(&bob, input).await
        };
        let wrong = decide(&digest, "guess").await.unwrap_err();
        assert!(wrong.about("password").is_some(), "{wrong}");
        let other = decide("0000", SECRET).await.unwrap_err();
        assert!(
            matches!(&other, PortalError::Conflict { message } if message.contains("changed")),
            "{other}"
        );
        assert_eq!(world.get(&request).await.summary.given, 0);
        // Guessing is limited as at signing in.
        for _ in 0..10 {
            let _ = decide(&digest, "guess").await;
        }
        let limited = decide(&digest, SECRET).await.unwrap_err();
        assert!(
            matches!(limited, PortalError::TooManyRequests { .. }),
            "{limited}"
        );
        let reject = Decide {
            request: request.clone(),
            digest,
            verdict: Verdict::Reject,
            comment: " ".into(),
            on_behalf_of: String::new(),
            password: Password(SECRET.into()),
        };
        let why = world.service.decide(&bob, reject).await.unwrap_err();
        assert!(why.about("comment").is_some(), "a rejection says why: {why}");
    })
    .await;
}

#[tokio::test]
async fn what_was_rejected_withdrawn_or_expired_is_over() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let rejected = world.ask(&rita).await;
        assert_eq!(
            world.decide(&bob, &rejected, Verdict::Reject).await.unwrap(),
            RequestState::Rejected
        );
        let late = world.approve(&eve, &rejected).await;
        assert!(matches!(late, Err(PortalError::Conflict { .. })), "{late:?}");

        let withdrawn = world.ask(&rita).await;
        let other = world.service.withdraw(&bob, withdrawn.clone()).await;
        assert!(matches!(other, Err(PortalError::Forbidden { .. })), "{other:?}");
        world.service.withdraw(&rita, withdrawn.clone()).await.unwrap();
        assert_eq!(world.state(&withdrawn).await, RequestState::Withdrawn);

        let expired = world.ask(&rita).await;
        world.approve(&bob, &expired).await.unwrap();
        world.clock.advance(30 * MINUTE);
        world.service.extend(&rita, expired.clone()).await.unwrap();
        let again = world.service.extend(&rita, expired.clone()).await;
        assert!(
            matches!(again, Err(PortalError::Conflict { .. })),
            "once: {again:?}"
        );
        world.clock.advance(59 * MINUTE);
        assert_eq!(world.state(&expired).await, RequestState::Waiting);
        world.clock.advance(MINUTE);
        assert_eq!(
            world.state(&expired).await,
            RequestState::Expired,
            "before it is swept"
        );
        assert!(world.approve(&eve, &expired).await.is_err());
        world.service.round().await.unwrap();
        assert_eq!(world.state(&expired).await, RequestState::Expired);

        let unused = world.ask(&rita).await;
        world.approve(&bob, &unused).await.unwrap();
        world.approve(&eve, &unused).await.unwrap();
        world.clock.advance(30 * MINUTE);
        world.service.round().await.unwrap();
        assert_eq!(
            world.state(&unused).await,
            RequestState::Expired,
            "the approval was not used in time"
        );
        assert!(!world.holds("rita", Role::Administrator).await);
    })
    .await;
}

#[tokio::test]
async fn the_databases_clock_ends_it_whatever_the_portals_says() {
    on_both(async |db: Db| {
        // This portal's clock is two hours slow.
        let slow = SystemClock.now().plus_ms(-120 * MINUTE);
        let world = world_at(&db, POLICIES, slow).await;
        let (rita, bob, _) = people(&world).await;
        let request = world.ask(&rita).await;
        assert_eq!(
            world.state(&request).await,
            RequestState::Waiting,
            "by this clock it waits"
        );
        let late = world.approve(&bob, &request).await;
        assert!(
            matches!(&late, Err(PortalError::Conflict { message }) if message.contains("expired")),
            "{late:?}"
        );
        assert_eq!(world.get(&request).await.summary.given, 0);
    })
    .await;
}

#[tokio::test]
async fn an_approver_who_is_gone_does_not_count_any_more() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        let user = bob.user_id.clone().unwrap();
        // Somebody stays who administers.
        world.add("root", Role::Administrator).await;
        world.access.disable_user(&Actor::server(), user).await.unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Waiting, "{detail:?}");
        assert_eq!(detail.summary.given, 1);
        assert!(!detail.decisions[0].void_because.is_empty());
        assert!(!world.holds("rita", Role::Administrator).await);
        let ann = world.add("ann", Role::Approver).await;
        assert!(
            world.approve(&ann, &request).await.is_err(),
            "no policy names her"
        );
    })
    .await;
}

#[tokio::test]
async fn policies_that_became_stricter_void_an_approval() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        let was = world.service.policies(&Actor::server()).await.unwrap().sha256;
        let stricter = POLICIES.replace("approvals = 2", "approvals = 3");
        world
            .service
            .change_policies(&Actor::server(), stricter, was)
            .await
            .unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Waiting);
        assert_eq!(
            (detail.generation, detail.summary.given, detail.summary.needed),
            (2, 0, 3)
        );
        assert!(
            detail.changed.iter().any(|what| what.contains("policies")),
            "{:?}",
            detail.changed
        );
        assert!(!world.holds("rita", Role::Administrator).await);
    })
    .await;
}

#[tokio::test]
async fn who_asked_and_may_not_any_more_gets_nothing() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        world.add("root", Role::Administrator).await;
        let user = rita.user_id.clone().unwrap();
        world.access.disable_user(&Actor::server(), user).await.unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Failed);
        assert!(detail.problem.contains("rita"), "{}", detail.problem);
    })
    .await;
}

#[tokio::test]
async fn what_is_approved_for_a_window_runs_in_it() {
    on_both(async |db: Db| {
        let minutes = SystemClock.now().0 / MINUTE;
        // A window that opens at a full hour, two hours from now or a little more.
        let opens = (minutes / 60 + 3) * 60;
        let hour = opens / 60 % 24;
        let window =
            format!("windows = [{{ schedule = \"cron(0 {hour} * * ? *)\", hours = 1 }}]\nreview_hours = 2");
        let world = world(&db, &POLICIES.replace("review_hours = 2", &window)).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Approved);
        assert_eq!(detail.runs_at.map(|at| at.0 / MINUTE), Some(opens));
        world
            .clock
            .advance(detail.runs_at.unwrap().since_ms(world.clock.now()));
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
    })
    .await;
}

#[tokio::test]
async fn what_is_approved_in_a_freeze_lives_until_it_has_ended() {
    on_both(async |db: Db| {
        let now = SystemClock.now();
        let ends_at = Timestamp((now.0 / MINUTE + 180) * MINUTE);
        let freeze = format!(
            "{POLICIES}\n[[freeze]]\nname = \"year's end\"\nfrom = \"{}\"\nuntil = \"{}\"\n",
            now.plus_ms(-MINUTE).rfc3339(),
            ends_at.rfc3339()
        );
        let world = world(&db, &freeze).await;
        let (rita, bob, eve) = people(&world).await;
        let request = world.ask(&rita).await;
        let waiting = world.get(&request).await;
        assert_eq!(waiting.runs_at, Some(ends_at), "said before anybody decides");
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Approved);
        assert_eq!(detail.runs_at, Some(ends_at));
        assert_eq!(
            detail.summary.usable_until,
            Some(ends_at.plus_ms(30 * MINUTE)),
            "its time begins when the freeze has ended"
        );
        world.clock.advance(ends_at.since_ms(world.clock.now()) - 1);
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Approved);
        world.clock.advance(1);
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
        assert!(world.holds("rita", Role::Administrator).await);
    })
    .await;
}

#[tokio::test]
async fn policies_can_themselves_need_approval() {
    on_both(async |db: Db| {
        let text = POLICIES.replace(
            "access.hold_role\"",
            "access.hold_role\", \"approvals.change_policies\"",
        );
        let world = world(&db, &text).await;
        let (_, bob, eve) = people(&world).await;
        let root = world.add("root", Role::Administrator).await;
        let was = world.service.policies(&root).await.unwrap().sha256;
        let lax = String::new();
        let at_once = world
            .service
            .change_policies(&root, lax.clone(), was.clone())
            .await;
        assert!(
            matches!(at_once, Err(PortalError::ApprovalNeeded { .. })),
            "{at_once:?}"
        );
        let ask = |text: &str| Ask {
            act: ProposedAct::Policies {
                text: text.into(),
                was: was.clone(),
            },
            ..wish(false)
        };
        let bad = world.service.ask(&root, ask("[[policy]]")).await.unwrap_err();
        assert!(bad.about("text").is_some(), "{bad}");
        let request = world.service.ask(&root, ask("# none\n")).await.unwrap();
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
        assert_eq!(world.service.policies(&root).await.unwrap().text, "# none\n");
    })
    .await;
}

#[tokio::test]
async fn lists_show_each_what_is_theirs() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let mut asked = Vec::new();
        for _ in 0..7 {
            asked.push(world.ask(&rita).await);
            world.clock.advance(1_000);
        }
        world.approve(&bob, &asked[0]).await.unwrap();
        world.decide(&eve, &asked[1], Verdict::Reject).await.unwrap();
        let list = async |actor: &Actor, tab: Tab| {
            let mut found = Vec::new();
            let mut query = RequestQuery {
                tab,
                limit: Some(2),
                ..RequestQuery::default()
            };
            loop {
                let page = world.service.list(actor, query.clone()).await.unwrap();
                assert!(page.items.len() <= 2);
                found.extend(page.items.into_iter().map(|row| row.request_id.to_string()));
                query.cursor = page.next;
                if query.cursor.is_none() {
                    return found;
                }
            }
        };
        let numbers = |numbers: &[i64]| numbers.iter().map(|n| format!("CR-{n}")).collect::<Vec<_>>();
        assert_eq!(
            list(&bob, Tab::Waiting).await,
            numbers(&[1003, 1004, 1005, 1006, 1007])
        );
        assert_eq!(
            list(&eve, Tab::Waiting).await,
            numbers(&[1001, 1003, 1004, 1005, 1006, 1007])
        );
        assert_eq!(list(&rita, Tab::Waiting).await, numbers(&[]));
        assert_eq!(
            list(&rita, Tab::Mine).await,
            numbers(&[1007, 1006, 1005, 1004, 1003, 1002, 1001])
        );
        assert_eq!(list(&bob, Tab::Mine).await, numbers(&[]));
        assert_eq!(list(&bob, Tab::History).await, numbers(&[1002]));
        assert_eq!(list(&rita, Tab::All).await.len(), 6);
        assert_eq!(world.service.waiting(&bob).await.unwrap().count, 5);
        assert_eq!(world.service.waiting(&rita).await.unwrap().count, 0);
        let detail = world.service.get(&bob, asked[2].clone()).await.unwrap();
        assert_eq!(detail.deciders, ["bob", "eve"]);
        assert_eq!(detail.why_not_decide, "");
        let query = RequestQuery {
            tab: Tab::All,
            text: "1004".into(),
            ..RequestQuery::default()
        };
        assert_eq!(world.service.list(&bob, query).await.unwrap().items.len(), 1);
    })
    .await;
}
