//! Users, signing in, roles and sessions, on both databases, with a clock that stands still.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what cannot be done"
)]

use muster_domain::access::{Access, ChangePassword, CreateUser, Password};
use muster_domain::actor::Origin;
use muster_domain::audit::{AuditQuery, Outcome};
use muster_domain::permission::{Role, Scope};
use muster_domain::system::{ManualClock, SeededRandom};
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_server::access::passwords::Passwords;
use muster_server::access::session_store::{AUTH, Auth, DatabaseSessions};
use muster_server::access::{AccessService, queries, users};
use muster_server::audit::log::AuditLog;
use muster_server::door::Door;
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt, Sql};
use std::sync::Arc;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

const START: Timestamp = Timestamp(1_795_000_000_000);
const SECRET: &str = "seven grey geese fly";

struct World {
    service: AccessService,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

fn world(db: &Db) -> World {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
    let log = AuditLog::open(
        db.clone(),
        clock.clone(),
        random.clone(),
        dir.path().to_owned(),
        None,
    )
    .unwrap();
    World {
        service: AccessService {
            db: db.clone(),
            door: Door::new(log),
            clock: clock.clone(),
            random: random.clone(),
            passwords: Passwords::new(random),
        },
        clock,
        _dir: dir,
    }
}

fn origin() -> Origin {
    Origin {
        address: "192.0.2.7".into(),
        user_agent: "test".into(),
        via: "browser".into(),
    }
}

fn secret() -> Password {
    Password(SECRET.into())
}

async fn set_up(world: &World) -> Actor {
    let token = world.service.setup_token().await.unwrap().unwrap();
    let done = world.service.setup(origin(), token, "Ada".into(), secret()).await;
    done.unwrap().actor
}

async fn add(world: &World, by: &Actor, name: &str, role: Role, scope: &str) -> Actor {
    let input = CreateUser {
        name: name.into(),
        display_name: String::new(),
        password: secret(),
        role,
        scope: Scope::parse(scope).unwrap(),
    };
    let id = world.service.create_user(by, input).await.unwrap();
    world
        .service
        .actor(&id, &format!("session-of-{name}"), origin())
        .await
        .unwrap()
        .unwrap()
}

async fn sign_in(world: &World, name: &str, password: &str) -> Result<Actor, PortalError> {
    let done = world
        .service
        .sign_in(origin(), name.into(), Password(password.into()))
        .await;
    done.map(|done| done.actor)
}

fn record(user: &Actor, id: i128, session: &str) -> Record {
    let auth = Auth {
        user_id: user.user_id.as_ref().unwrap().to_string(),
        session_id: session.into(),
        address: "192.0.2.7".into(),
        user_agent: "test".into(),
        signed_in_at: START.0,
    };
    Record {
        id: Id(id),
        data: [(AUTH.to_owned(), serde_json::to_value(auth).unwrap())].into(),
        expiry_date: time::OffsetDateTime::from_unix_timestamp(START.0 / 1_000 + 3_600).unwrap(),
    }
}

/// Everything that a table holds, as one text.
async fn dump(db: &Db, sql: &'static str) -> String {
    let rows = Sql::new(sql).all(db.reader()).await.unwrap();
    rows.iter()
        .map(|row| row.text("line").unwrap() + "\n")
        .collect::<String>()
}

#[tokio::test]
async fn setup_works_once_and_of_two_at_once_one_wins() {
    on_both(async |db: Db| {
        let world = world(&db);
        let service = &world.service;
        assert!(service.needs_setup().await.unwrap());
        let token = service.setup_token().await.unwrap().unwrap();
        let wrong = service.setup(origin(), "no".into(), "ada".into(), secret()).await;
        assert!(matches!(wrong, Err(PortalError::Conflict { .. })), "{wrong:?}");
        world.clock.advance(24 * 3_600_000 + 1);
        let late = service
            .setup(origin(), token.clone(), "ada".into(), secret())
            .await;
        assert!(matches!(late, Err(PortalError::Conflict { .. })), "{late:?}");

        let newer = service.setup_token().await.unwrap().unwrap();
        let old = service.setup(origin(), token, "ada".into(), secret()).await;
        assert!(old.is_err());
        let weak = service
            .setup(origin(), newer.clone(), "ada".into(), Password("short".into()))
            .await;
        assert!(weak.unwrap_err().about("password").is_some());
        let (one, two) = tokio::join!(
            service.setup(origin(), newer.clone(), "ada".into(), secret()),
            service.setup(origin(), newer.clone(), "bob".into(), secret()),
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        assert_eq!(queries::count(&db).await.unwrap(), 1);
        assert!(!service.needs_setup().await.unwrap());
        assert_eq!(service.setup_token().await.unwrap(), None);
        let again = service.setup(origin(), newer, "mal".into(), secret()).await;
        assert!(matches!(again, Err(PortalError::Conflict { .. })));
        let kept = dump(&db, "select body as line from audit_log").await;
        assert!(!kept.contains(SECRET) && !kept.contains("short"), "{kept}");
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_and_tells_nothing() {
    on_both(async |db: Db| {
        let world = world(&db);
        set_up(&world).await;
        let typed = "my password where the name belongs";
        let unknown = sign_in(&world, typed, "wrong wrong wrong").await.unwrap_err();
        for _ in 0..5 {
            let known = sign_in(&world, "ada", "wrong wrong wrong").await.unwrap_err();
            assert_eq!(known, unknown);
        }
        let locked = sign_in(&world, "ADA ", SECRET).await.unwrap_err();
        assert_eq!(
            locked,
            PortalError::TooManyRequests {
                retry_after_seconds: 30
            }
        );
        world.clock.advance(30_001);
        assert_eq!(
            sign_in(&world, "ada", "wrong wrong wrong").await.unwrap_err(),
            unknown
        );
        let longer = sign_in(&world, "ada", SECRET).await.unwrap_err();
        assert_eq!(
            longer,
            PortalError::TooManyRequests {
                retry_after_seconds: 60
            }
        );
        world.clock.advance(60_001);
        assert_eq!(sign_in(&world, " Ada", SECRET).await.unwrap().name, "ada");
        // A sign that PostgreSQL cannot store is a wrong name like others, not a fault of ours.
        assert_eq!(
            sign_in(&world, "a\0da", "wrong wrong wrong").await.unwrap_err(),
            unknown
        );

        let kept = dump(&db, "select body as line from audit_log").await
            + &dump(&db, "select subject as line from sign_in_failures").await;
        for secret in [SECRET, "wrong wrong wrong", typed] {
            assert!(!kept.contains(secret), "{secret} in {kept}");
        }
        assert!(kept.contains("\"outcome\":\"failure\"") && kept.contains("\"outcome\":\"success\""));
    })
    .await;
}

#[tokio::test]
async fn somebody_stays_administrator_and_the_disabled_stay_out() {
    on_both(async |db: Db| {
        let world = world(&db);
        let service = &world.service;
        let ada = set_up(&world).await;
        let ada_id = ada.user_id.clone().unwrap();
        let conflict = |result: Result<(), PortalError>| {
            assert!(matches!(result, Err(PortalError::Conflict { .. })), "{result:?}");
        };
        conflict(service.disable_user(&ada, ada_id.clone()).await);
        let grant = queries::grants(&db, &ada_id).await.unwrap()[0].id.clone();
        conflict(service.revoke_role(&ada, grant.clone()).await);
        // An administrator of a part does not count.
        let part = add(&world, &ada, "part", Role::Administrator, "Environment=Staging").await;
        conflict(service.revoke_role(&ada, grant.clone()).await);

        let store = DatabaseSessions::new(db.clone(), world.clock.clone());
        let mut live = record(&part, 11, "part-live");
        store.create(&mut live).await.unwrap();
        let part_id = part.user_id.clone().unwrap();
        service.disable_user(&ada, part_id.clone()).await.unwrap();
        assert!(store.load(&live.id).await.unwrap().is_none());
        assert!(service.actor(&part_id, "x", origin()).await.unwrap().is_none());
        let refused = sign_in(&world, "part", SECRET).await.unwrap_err();
        assert_eq!(
            refused,
            sign_in(&world, "nobody", SECRET).await.unwrap_err(),
            "a disabled account reads like none"
        );
        service.enable_user(&ada, part_id).await.unwrap();
        assert!(sign_in(&world, "part", SECRET).await.is_ok());

        // Two administrators who disable each other at once: one stays.
        let bob = add(&world, &ada, "bob", Role::Administrator, "*").await;
        let bob_id = bob.user_id.clone().unwrap();
        let (one, two) = tokio::join!(
            users::disable(&db, &ada_id, START),
            users::disable(&db, &bob_id, START)
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(
            (one == users::Kept::Last) != (two == users::Kept::Last),
            "{one:?} {two:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_role_in_a_part_of_the_fleet_manages_no_users() {
    on_both(async |db: Db| {
        let world = world(&db);
        let service = &world.service;
        let ada = set_up(&world).await;
        let operator = add(&world, &ada, "olga", Role::Operator, "Environment=Staging").await;
        let part = add(&world, &ada, "part", Role::Administrator, "Environment=Staging").await;
        let ada_id = ada.user_id.clone().unwrap();
        let input = CreateUser {
            name: "mal".into(),
            display_name: String::new(),
            password: secret(),
            role: Role::Administrator,
            scope: Scope::All,
        };
        let forbidden = |what: &str, result: Result<(), PortalError>| {
            assert!(
                matches!(result, Err(PortalError::Forbidden { .. })),
                "{what}: {result:?}"
            );
        };
        let made = service.create_user(&operator, input.clone()).await;
        forbidden("operator", made.map(|_| ()));
        let made = service.create_user(&part, input).await;
        forbidden("create", made.map(|_| ()));
        let own = part.user_id.clone().unwrap();
        let granted = service
            .grant_role(&part, own, Role::Administrator, Scope::All)
            .await;
        forbidden("grant", granted.map(|_| ()));
        forbidden(
            "reset",
            service.reset_password(&part, ada_id.clone(), secret()).await,
        );
        forbidden("disable", service.disable_user(&part, ada_id.clone()).await);
        let grant = queries::grants(&db, &ada_id).await.unwrap()[0].id.clone();
        forbidden("revoke", service.revoke_role(&part, grant).await);
        forbidden("list", service.users(&part).await.map(|_| ()));
        assert_eq!(queries::count(&db).await.unwrap(), 3);

        let query = AuditQuery {
            outcome: Some(Outcome::Denied),
            ..AuditQuery::default()
        };
        let denied = muster_server::audit::queries::list(&db, &query)
            .await
            .unwrap()
            .items;
        assert_eq!(denied.len(), 7);
        let first = denied.last().unwrap();
        assert_eq!(
            (
                first.actor.as_str(),
                first.action.as_str(),
                first.resource.as_str()
            ),
            ("olga", "users.create", "user:mal")
        );
        assert_eq!(first.address, "192.0.2.7");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    on_both(async |db: Db| {
        let world = world(&db);
        let service = &world.service;
        let mut ada = set_up(&world).await;
        let store = DatabaseSessions::new(db.clone(), world.clock.clone());
        let (mut here, mut there) = (record(&ada, 1, "here"), record(&ada, 2, "there"));
        store.create(&mut here).await.unwrap();
        store.create(&mut there).await.unwrap();
        ada.session = Some(muster_domain::ids::SessionId::new("here"));
        let shown = service.sessions(&ada).await.unwrap();
        assert_eq!(shown.len(), 2);
        assert_eq!(shown.iter().filter(|session| session.current).count(), 1);
        let mut input = ChangePassword {
            current: Password("not this one at all".into()),
            new: Password("nine green frogs jump".into()),
            repeat: Password("nine green frogs jump".into()),
        };
        let wrong = service.change_password(&ada, input.clone()).await.unwrap_err();
        assert!(wrong.about("current").is_some());
        input.current = secret();
        service.change_password(&ada, input).await.unwrap();
        assert!(store.load(&here.id).await.unwrap().is_some());
        assert!(store.load(&there.id).await.unwrap().is_none());
        assert!(sign_in(&world, "ada", SECRET).await.is_err());
        assert!(sign_in(&world, "ada", "nine green frogs jump").await.is_ok());
        let kept = dump(&db, "select body as line from audit_log").await;
        assert!(
            !kept.contains("frogs") && !kept.contains("not this one"),
            "{kept}"
        );
    })
    .await;
}

#[tokio::test]
async fn sessions_end_in_time_and_their_cookies_are_not_kept() {
    on_both(async |db: Db| {
        let world = world(&db);
        let ada = set_up(&world).await;
        let store = DatabaseSessions::new(db.clone(), world.clock.clone());
        let mut live = record(&ada, 0x1234_5678_9abc_def0_1234, "live");
        store.create(&mut live).await.unwrap();
        assert_eq!(store.load(&live.id).await.unwrap(), Some(live.clone()));
        let kept = dump(&db, "select session_key as line from web_sessions").await;
        assert!(!kept.contains(&live.id.to_string()));
        assert_eq!(kept.trim().len(), 64, "a hash");
        let data = dump(&db, "select data as line from web_sessions").await;
        assert!(!data.contains(&live.id.to_string()) && !data.contains(&live.id.0.to_string()));

        // Used in time it lives on; the idle time starts anew.
        world.clock.advance(20 * 60_000);
        assert!(store.touch("live", 30 * 60_000).await.unwrap());
        world.clock.advance(20 * 60_000);
        assert!(store.touch("live", 30 * 60_000).await.unwrap());
        // However it is used, it ends when its time is over.
        world.clock.advance(20 * 60_000);
        assert!(store.load(&live.id).await.unwrap().is_none());

        let mut idle = record(&ada, 5, "idle");
        idle.expiry_date += time::Duration::hours(9);
        store.create(&mut idle).await.unwrap();
        world.clock.advance(30 * 60_000 + 1);
        assert!(!store.touch("idle", 30 * 60_000).await.unwrap());
        assert!(store.load(&idle.id).await.unwrap().is_none());
        assert!(!store.touch("never there", 30 * 60_000).await.unwrap());

        // A request that ends after its session was ended does not bring it back.
        store.save(&idle).await.unwrap();
        assert!(store.load(&idle.id).await.unwrap().is_none());
        assert!(world.clock.now() > START);
        assert_eq!(store.clean(30 * 60_000).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_question_finds_out_who_a_session_is() {
    on_both(async |db: Db| {
        const IDLE: i64 = 30 * 60_000;
        let world = world(&db);
        let ada = set_up(&world).await;
        let bob = add(&world, &ada, "bob", Role::Viewer, "tag:Team=web").await;
        let store = DatabaseSessions::new(db.clone(), world.clock.clone());
        let mut of_bob = record(&bob, 7, "of-bob");
        of_bob.expiry_date += time::Duration::hours(9);
        store.create(&mut of_bob).await.unwrap();
        let mut of_nobody = Record {
            id: Id(8),
            data: std::collections::HashMap::new(),
            ..of_bob.clone()
        };
        store.create(&mut of_nobody).await.unwrap();
        let ask = async |id: i128| {
            let found = store.signed_in(&Id(id), IDLE).await.unwrap()?;
            let session = muster_domain::ids::SessionId::new(found.session_id);
            world
                .service
                .actor_of(found.user, found.grants, Some(session), origin())
        };

        // The same person as by asking for the account, and all that the frame of a page shows comes along.
        let found = ask(7).await.unwrap();
        let asked = world
            .service
            .actor(bob.user_id.as_ref().unwrap(), "of-bob", origin());
        assert_eq!(Some(found.clone()), asked.await.unwrap());
        let profile = world.service.profile(&found).await.unwrap();
        let mut unknown = found.clone();
        unknown.account = None;
        assert_eq!(profile, world.service.profile(&unknown).await.unwrap());
        assert_eq!((profile.name.as_str(), profile.grants.len()), ("bob", 1));
        assert!(ask(8).await.is_none(), "nobody is signed in with it");
        assert!(ask(9).await.is_none(), "there is no such session");

        // A grant that was taken back is gone with the next question; so is somebody who is disabled.
        let grant = profile.grants[0].id.clone();
        world.service.revoke_role(&ada, grant).await.unwrap();
        let without = ask(7).await.unwrap();
        assert!(without.grants.is_empty() && without.account.unwrap().grants.is_empty());
        db_disable(&db, "bob", 1).await;
        assert!(ask(7).await.is_none());
        db_disable(&db, "bob", 0).await;

        // Asking is use: it is noted, and a session that is not used ends and is deleted.
        world.clock.advance(20 * 60_000);
        assert!(ask(7).await.is_some());
        world.clock.advance(20 * 60_000);
        assert!(ask(7).await.is_some());
        world.clock.advance(IDLE + 1);
        assert!(ask(7).await.is_none());
        assert!(store.load(&Id(7)).await.unwrap().is_none());

        // However it is used, it ends when its time is over.
        let mut short = record(&bob, 10, "short");
        short.expiry_date =
            time::OffsetDateTime::from_unix_timestamp(world.clock.now().0 / 1_000 + 60).unwrap();
        store.create(&mut short).await.unwrap();
        assert!(ask(10).await.is_some());
        world.clock.advance(60_001);
        assert!(ask(10).await.is_none());
    })
    .await;
}

async fn db_disable(db: &Db, name: &str, disabled: i64) {
    let mut sql = Sql::new("update users set disabled = ");
    sql.int(disabled).push(" where name = ").text(name);
    sql.run(db.writer()).await.unwrap();
}
