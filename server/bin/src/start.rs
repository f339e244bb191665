//! Starts everything in the order in which it depends on each other, and stops it in the other.

use crate::connection::{self, Embedded, Shared};
use crate::data_dir::{self, Hold, Whereabouts};
pub use crate::start_error::StartError;
use crate::{bucket_store, endpoint, local_node, master_seal, recordings};
use muster_control_plane::{ControlPlane, ControlPlaneConfig};
use muster_domain::action::Action;
use muster_domain::audit::{AuditTrail as _, Intent, Outcome};
use muster_domain::system::{SystemClock, SystemRandom};
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, Backend};
use muster_server::access::AccessService;
use muster_server::access::passwords::Passwords;
use muster_server::access::session_store::DatabaseSessions;
use muster_server::approvals::PolicyBook;
use muster_server::audit::{AuditLog, AuditService};
use muster_server::aws::{Known, Ssm};
use muster_server::config::{Config, SsmMode};
use muster_server::door::Door;
use muster_server::events::EventBus;
use muster_server::http::layers::Edge;
use muster_server::http::rate_limit::RateLimit;
use muster_server::http::session::SessionLayer;
use muster_server::notifications::Deliverer;
use muster_server::services::Ground;
use muster_store::Db;
use muster_store::db::Address;
use muster_store::migrate::migrate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server that runs.
pub struct Running {
    /// Where the portal listens.
    pub addr: SocketAddr,
    /// Where the embedded endpoint listens, when there is one.
    pub ssm_addr: Option<SocketAddr>,
    /// How people reach it.
    pub url: String,
    /// The one-time link for the first administrator, while there is no user.
    pub setup_link: Option<String>,
    /// What pages of the first connection are given.
    pub backend: Option<Backend>,
    /// The names of the other connections, and where their pages are.
    pub further: Vec<(String, String)>,
    /// The region.
    pub region: String,
    audit: Arc<AuditLog>,
    db: Db,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    node: Option<JoinHandle<()>>,
    _hold: Hold,
}

/// The database of these settings, brought to this program's schema.
///
/// # Errors
/// When it cannot be reached, or was made by a newer program.
pub async fn database(config: &Config, clock: &dyn Clock) -> Result<Db, StartError> {
    data_dir::make(&config.data_dir)?;
    let db = Db::open(&Address::parse(&config.database())?).await?;
    for version in migrate(&db, &clock.now().rfc3339()).await? {
        tracing::info!(version, "the database was brought to a new version");
    }
    Ok(db)
}

/// The audit log of these settings.
///
/// # Errors
/// When its folder or key cannot be used.
pub fn audit_log(
    config: &Config,
    db: &Db,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Arc<AuditLog>, StartError> {
    let folder = config.data_dir.join("audit");
    Ok(AuditLog::open(
        db.clone(),
        clock,
        random,
        folder,
        config.audit_key_path.clone(),
    )?)
}

/// The embedded endpoint of these settings.
///
/// # Errors
/// When its keys or folders cannot be used.
pub async fn control_plane(
    config: &Config,
    db: &Db,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    audit: Arc<AuditLog>,
) -> Result<Arc<ControlPlane>, StartError> {
    let buckets =
        match config.bucket_store.as_deref() {
            None => None,
            Some(setting) => Some(bucket_store::open(setting, &config.region).await.map_err(|why| {
                StartError::Buckets {
                    setting: setting.to_owned(),
                    why,
                }
            })?),
        };
    let seal = match config.kms_master_key.as_deref() {
        None => None,
        Some(uri) => Some(
            master_seal::open(uri, &config.region).map_err(|why| StartError::MasterKey {
                setting: uri.to_owned(),
                why,
            })?,
        ),
    };
    let settings = ControlPlaneConfig {
        buckets,
        master_seal: seal,
        account: config.account.clone(),
        default_region: config.region.clone(),
        data_dir: config.data_dir.clone(),
        connection_lost_after_ms: i64::from(config.connection_lost_seconds) * 1_000,
        ..ControlPlaneConfig::default()
    };
    Ok(ControlPlane::open(db.clone(), clock, random, audit, settings).await?)
}

/// The embedded endpoint as it runs.
pub(crate) struct Endpoint {
    addr: SocketAddr,
    keys: (String, String),
    plane: Arc<ControlPlane>,
    tasks: Vec<JoinHandle<()>>,
}

async fn start_endpoint(
    config: &Config,
    plane: &Arc<ControlPlane>,
    clock: Arc<dyn Clock>,
    stop: &CancellationToken,
) -> Result<Endpoint, StartError> {
    let (listener, addr) = endpoint::listen(config.ssm_addr).await?;
    let mut tasks = vec![endpoint::serve(listener, plane.router(), stop.clone())];
    for extra in &config.ssm_extra_addr {
        let (listener, extra) = endpoint::listen(*extra).await?;
        tracing::info!(%extra, "the embedded endpoint listens here too");
        tasks.push(endpoint::serve(listener, plane.router(), stop.clone()));
    }
    if let Some((addr, task)) = endpoint::serve_over_tls(config, plane, clock, stop).await? {
        tracing::info!(%addr, "the embedded endpoint listens with TLS");
        tasks.push(task);
    }
    tasks.push(tokio::spawn(Arc::clone(plane).run_background(stop.clone())));
    let keys = plane.portal_credentials();
    Ok(Endpoint {
        addr,
        keys: (keys.access_key_id, keys.secret_access_key),
        plane: Arc::clone(plane),
        tasks,
    })
}

/// Starts a server. It runs until [`Running::stop`].
///
/// # Errors
/// The first thing that is in the way, as a sentence that says what to do.
pub async fn start(mut config: Config) -> Result<Running, StartError> {
    // Other libraries ask for the provider; who was first does not matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    crate::files::raise_limit();
    let hold = data_dir::hold(&config.data_dir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let db = database(&config, clock.as_ref()).await?;
    let audit = audit_log(&config, &db, Arc::clone(&clock), Arc::clone(&random))?;
    // Before anything is written: the first row replaces the signed head that shows it.
    let behind = audit.behind().await?;
    if let Some(finding) = &behind {
        tracing::error!(
            row = finding.sequence,
            "the audit log is not the one that was signed. {} The server starts all the same; `muster audit verify` checks the whole log",
            finding.message
        );
    }
    let intent = Intent::new(Action::ServerLifecycle, "server")
        .with("event", "started")
        .with("version", env!("CARGO_PKG_VERSION"));
    audit
        .record(&Actor::server(), &intent, Outcome::Success, "")
        .await
        .map_err(StartError::AuditWrite)?;
    let stop = CancellationToken::new();
    let mut tasks = Vec::new();

    let mut embedded = None;
    if config.ssm_mode == SsmMode::Embedded {
        let plane = control_plane(
            &config,
            &db,
            Arc::clone(&clock),
            Arc::clone(&random),
            Arc::clone(&audit),
        )
        .await?;
        embedded = Some(start_endpoint(&config, &plane, Arc::clone(&clock), &stop).await?);
    }
    if config.region.is_empty() {
        config.region = Ssm::region_of_profile().await.ok_or(StartError::NoRegion)?;
    }
    let reached = embedded.as_ref().map(|endpoint| Embedded {
        address: format!("http://{}", endpoint.addr),
        keys: endpoint.keys.clone(),
    });
    // Listening comes first: pages of one connection lead to those of another by its address.
    let (listener, addr) = endpoint::listen(config.addr).await?;
    let mut places = vec![(listener, connection::first(&config, reached.as_ref()))];
    for one in &config.further {
        let (listener, addr) = endpoint::listen(one.addr).await?;
        let mut further = connection::further(&config, one, reached.as_ref());
        if further.url.is_empty() {
            further.url = format!("http://{addr}");
        }
        places.push((listener, further));
    }
    let url = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{addr}"));
    if let Some((_, first)) = places.first_mut() {
        first.url.clone_from(&url);
    }
    let known: Arc<[Known]> = places.iter().map(|(_, one)| Known::from(one)).collect();
    let mut parts = Vec::new();
    for (listener, one) in places {
        parts.push((listener, Ssm::connect(one).await));
    }
    let Some((_, ssm)) = parts.first() else {
        return Err(StartError::NoRegion);
    };
    let ssm = ssm.clone();

    let bus = EventBus::default();
    let door = Door::new(Arc::clone(&audit) as _).telling(bus.clone());
    let passwords = Passwords::new(Arc::clone(&random));
    let ground = Ground {
        db: db.clone(),
        door: door.clone(),
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
        ssm: ssm.clone(),
        connections: Arc::clone(&known),
        bus,
        trail: Arc::clone(&audit) as _,
        sessions: Arc::new(config.sessions.clone()),
        recordings: recordings::store(&config, &ssm, Arc::clone(&clock)).await?,
        policies: PolicyBook::open(db.clone(), config.approval_policies.clone())
            .map_err(StartError::Policies)?,
        passwords: passwords.clone(),
        channels: Arc::new(config.notifications.clone()),
        data_dir: config.data_dir.clone(),
        stop: stop.clone(),
    };
    let access = AccessService {
        db: db.clone(),
        door: door.clone(),
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
        passwords,
    };
    let deliverer = Deliverer::new(
        db.clone(),
        Arc::clone(&clock),
        Arc::clone(&ground.channels),
        url.clone(),
    )?;
    tasks.push(tokio::spawn(deliverer.run(stop.clone())));
    let setup_link = access
        .setup_token()
        .await?
        .map(|token| format!("{url}/setup?token={token}"));
    let sessions = DatabaseSessions::new(db.clone(), Arc::clone(&clock));
    let idle_ms = i64::from(config.idle_timeout_minutes) * 60_000;
    let edge = Edge {
        db: db.clone(),
        clock: Arc::clone(&clock),
        session: SessionLayer {
            access: access.clone(),
            sessions: sessions.clone(),
            idle_ms,
            trusted_proxies: Arc::new(config.trusted_proxies.clone()),
            bus: ground.bus.clone(),
        },
        limit: RateLimit::default(),
        tls: config.is_tls(),
    };
    let shared = Shared {
        audit_service: AuditService {
            log: Arc::clone(&audit),
            door,
            behind,
        },
        audit: Arc::clone(&audit),
        config,
        db: db.clone(),
        access,
        sessions: sessions.clone(),
        edge,
        ground,
    };
    let ssm_addr = embedded.as_ref().map(|endpoint| endpoint.addr);
    let mut backend = None;
    for (listener, ssm) in parts {
        let part = shared.part(&ssm, &known, backend.is_none()).await?;
        backend.get_or_insert_with(|| part.backend.clone());
        let is_nudged =
            ssm.connection.endpoint.as_deref() == reached.as_ref().map(|one| one.address.as_str());
        let nudges = match &embedded {
            Some(endpoint) if is_nudged => endpoint::pass_on(&endpoint.plane, stop.clone()),
            _ => endpoint::no_nudges(&stop),
        };
        tasks.extend(part.serve(listener, nudges, &stop));
    }
    let config = shared.config;
    if let Some(endpoint) = embedded {
        tasks.extend(endpoint.tasks);
    }
    tasks.push(tokio::spawn(clean_sessions(sessions, idle_ms, stop.clone())));
    let node = (config.local_node && ssm_addr.is_some()).then(|| {
        let program = std::env::current_exe().unwrap_or_else(|_| "muster".into());
        tokio::spawn(local_node::run(
            program,
            config.data_dir.clone(),
            ssm,
            clock.now(),
            stop.clone(),
        ))
    });
    data_dir::tell(&config.data_dir, &Whereabouts { addr, ssm_addr })?;
    Ok(Running {
        addr,
        ssm_addr,
        url,
        setup_link,
        backend,
        further: known
            .iter()
            .skip(1)
            .map(|one| (one.id.to_string(), one.url.clone()))
            .collect(),
        region: config.region,
        audit,
        db,
        stop,
        tasks,
        node,
        _hold: hold,
    })
}

async fn clean_sessions(sessions: DatabaseSessions, idle_ms: i64, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(600)) => {}
        }
        if let Err(error) = sessions.clean(idle_ms).await {
            tracing::warn!(%error, "ended sessions could not be cleaned away");
        }
    }
}

impl Running {
    /// Stops: the agent of this machine first, then what listens, then the audit log.
    pub async fn stop(self) {
        let intent = Intent::new(Action::ServerLifecycle, "server").with("event", "stopped");
        if let Err(error) = self
            .audit
            .record(&Actor::server(), &intent, Outcome::Success, "")
            .await
        {
            tracing::error!(%error, "the stop could not be written to the audit log");
        }
        self.stop.cancel();
        if let Some(node) = self.node {
            let _ = tokio::time::timeout(Duration::from_secs(5), node).await;
        }
        for mut task in self.tasks {
            // Streams do not end by themselves: those who follow come back to the next server.
            if tokio::time::timeout(Duration::from_millis(500), &mut task)
                .await
                .is_err()
            {
                task.abort();
            }
        }
        drop(self.backend);
        self.audit.close().await;
        self.db.close().await;
    }
}
