//! A portal without its pages and without Systems Manager: people, policies, and requests for roles, which need neither.

use async_trait::async_trait;
use muster_domain::access::{Access, CreateUser, Password};
use muster_domain::actor::Origin;
use muster_domain::approvals::{Approvals, Ask, Decide, ProposedAct, RequestDetail, RequestState, Verdict};
use muster_domain::audit::{AuditEntryView, AuditQuery};
use muster_domain::ids::{ConnectionId, RequestId};
use muster_domain::permission::{Role, Scope};
use muster_domain::system::{ManualClock, SeededRandom, SystemClock};
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_server::access::AccessService;
use muster_server::access::passwords::Passwords;
use muster_server::approvals::{ApprovalService, PolicyBook};
use muster_server::audit::log::AuditLog;
use muster_server::aws::{Connection, Known, Ssm};
use muster_server::door::Door;
use muster_server::events::EventBus;
use muster_server::notifications::Channels;
use muster_server::overview::service::RecentActs;
use muster_server::services::{Ground, Services};
use muster_server::sessions::{SessionPolicy, Store, storage};
use muster_store::Db;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(crate) const SECRET: &str = "two grey geese fly south";

/// Two approvers of the group sre; who may break the glass is named.
pub(crate) const POLICIES: &str = r#"
[groups]
sre = ["bob", "eve", "rita", "rita-admin"]

[people]
Rita = ["rita", "rita-admin"]

[[policy]]
name = "Roles"
acts = ["access.hold_role"]
reason = true
ticket = "OPS-[0-9]+"
expires_minutes = 60
usable_minutes = 30
break_glass = ["user:rita"]
review_hours = 2

[[policy.levels]]
approvals = 2
of = ["group:sre"]
"#;

struct Nobody;

#[async_trait]
impl RecentActs for Nobody {
    async fn recent(&self, _: u32) -> Result<Vec<AuditEntryView>, PortalError> {
        Ok(Vec::new())
    }
}

pub(crate) struct World {
    pub(crate) service: ApprovalService,
    pub(crate) access: AccessService,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) db: Db,
    pub(crate) log: Arc<AuditLog>,
    _dir: tempfile::TempDir,
}

fn origin() -> Origin {
    Origin {
        address: "192.0.2.7".into(),
        user_agent: "test".into(),
        via: "browser".into(),
    }
}

/// A world at this moment: limits of time also hold by the database's own clock, which no test moves.
pub(crate) async fn world(db: &Db, policies: &str) -> World {
    world_at(db, policies, SystemClock.now()).await
}

pub(crate) async fn world_at(db: &Db, policies: &str, now: Timestamp) -> World {
    // Nobody answers there.
    world_with(db, policies, now, "http://127.0.0.1:9").await
}

/// A world whose Systems Manager is at an address.
pub(crate) async fn world_with(db: &Db, policies: &str, now: Timestamp, endpoint: &str) -> World {
    world_telling(db, policies, now, endpoint, Arc::default()).await
}

/// A world that tells people by these channels.
pub(crate) async fn world_telling(
    db: &Db,
    policies: &str,
    now: Timestamp,
    endpoint: &str,
    channels: Arc<Channels>,
) -> World {
    // As the program does; who was first does not matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
    let log = AuditLog::open(
        db.clone(),
        clock.clone(),
        random.clone(),
        dir.path().join("audit"),
        None,
    )
    .unwrap();
    let door = Door::new(log.clone());
    let ssm = Ssm::connect(Connection {
        id: ConnectionId::new("default"),
        name: "default".into(),
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        embedded: true,
        endpoint: Some(endpoint.into()),
        role_arn: None,
        activation_role: String::new(),
        output_bucket: None,
        s3_endpoint: None,
        keys: Some(("AKIAEXAMPLE".into(), "secret".into())),
        url: String::new(),
        is_production: false,
    })
    .await;
    let passwords = Passwords::new(random.clone());
    let ground = Ground {
        db: db.clone(),
        door: door.clone(),
        clock: clock.clone(),
        random: random.clone(),
        ssm: ssm.clone(),
        connections: [Known::from(ssm.connection.as_ref())].into(),
        bus: EventBus::default(),
        trail: log.clone(),
        sessions: Arc::new(SessionPolicy::default()),
        recordings: {
            let folder = dir.path().join("recordings");
            Store::open(&folder, storage(&folder, None).unwrap(), clock.clone()).unwrap()
        },
        policies: PolicyBook::open(db.clone(), None).unwrap(),
        passwords: passwords.clone(),
        channels,
        data_dir: dir.path().to_owned(),
        stop: CancellationToken::new(),
    };
    let services = Services::new(&ground, Arc::new(Nobody)).unwrap();
    let empty = services
        .approvals
        .policies(&Actor::server())
        .await
        .unwrap()
        .sha256;
    services
        .approvals
        .change_policies(&Actor::server(), policies.to_owned(), empty)
        .await
        .unwrap();
    World {
        service: services.approvals,
        access: AccessService {
            db: db.clone(),
            door,
            clock: clock.clone(),
            random,
            passwords,
        },
        clock,
        db: db.clone(),
        log,
        _dir: dir,
    }
}

impl World {
    pub(crate) async fn add(&self, name: &str, role: Role) -> Actor {
        let input = CreateUser {
            name: name.into(),
            display_name: String::new(),
            password: Password(SECRET.into()),
            role,
            scope: Scope::All,
        };
        self.access.create_user(&Actor::server(), input).await.unwrap();
        self.actor(name).await
    }

    /// Somebody as they are now.
    pub(crate) async fn actor(&self, name: &str) -> Actor {
        let row = muster_server::access::queries::by_name(&self.db, name)
            .await
            .unwrap()
            .unwrap();
        self.access
            .actor(&row.id, &format!("session-of-{name}"), origin())
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn role_for(&self, name: &str, role: Role) {
        let user = self.actor(name).await.user_id.unwrap();
        self.access
            .grant_role(&Actor::server(), user, role, Scope::All)
            .await
            .unwrap();
    }

    /// Asks for the role of an administrator, for an hour.
    pub(crate) async fn ask(&self, by: &Actor) -> RequestId {
        self.service.ask(by, wish(false)).await.unwrap()
    }

    pub(crate) async fn get(&self, request: &RequestId) -> RequestDetail {
        self.service.get(&Actor::server(), request.clone()).await.unwrap()
    }

    pub(crate) async fn state(&self, request: &RequestId) -> RequestState {
        self.get(request).await.summary.state
    }

    pub(crate) async fn decide(
        &self,
        by: &Actor,
        request: &RequestId,
        verdict: Verdict,
    ) -> Result<RequestState, PortalError> {
        self.decide_for(by, "", request, verdict).await
    }

    /// Decides for somebody for whom `by` stands in.
    pub(crate) async fn decide_for(
        &self,
        by: &Actor,
        other: &str,
        request: &RequestId,
        verdict: Verdict,
    ) -> Result<RequestState, PortalError> {
        let digest = self.get(request).await.digest;
        let input = Decide {
            request: request.clone(),
            digest,
            verdict,
            comment: "looked at it".into(),
            on_behalf_of: other.into(),
            password: Password(SECRET.into()),
        };
        self.service.decide(by, input).await.map(|summary| summary.state)
    }

    pub(crate) async fn approve(&self, by: &Actor, request: &RequestId) -> Result<RequestState, PortalError> {
        self.decide(by, request, Verdict::Approve).await
    }

    /// Whether somebody holds a role now.
    pub(crate) async fn holds(&self, name: &str, role: Role) -> bool {
        let actor = self.actor(name).await;
        actor.grants.iter().any(|grant| grant.role == role)
    }

    /// What the audit log says of an action, newest first.
    pub(crate) async fn acts(&self, action: &str) -> Vec<AuditEntryView> {
        let query = AuditQuery {
            action: Some(action.into()),
            ..AuditQuery::default()
        };
        muster_server::audit::queries::list(&self.db, &query)
            .await
            .unwrap()
            .items
    }
}

pub(crate) fn wish(break_glass: bool) -> Ask {
    Ask {
        act: ProposedAct::Role {
            role: Role::Administrator,
            scope: "*".into(),
            minutes: 60,
        },
        reason: "the certificate has to be renewed tonight".into(),
        ticket: "OPS-7".into(),
        not_before: None,
        break_glass,
    }
}

/// Somebody who asks, and two who decide.
pub(crate) async fn people(world: &World) -> (Actor, Actor, Actor) {
    let rita = world.add("rita", Role::Operator).await;
    let bob = world.add("bob", Role::Approver).await;
    let eve = world.add("eve", Role::Approver).await;
    (rita, bob, eve)
}
