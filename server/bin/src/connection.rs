//! The part of a server that serves one connection to Systems Manager: services that keep to its rows, pages and streams at an
//! address of its own, and what it does by itself. People, the audit log and the policies are those of the whole server.

use crate::endpoint::{self, Nudges};
use crate::forms::Forms;
use crate::pages;
use crate::start::StartError;
use axum::Router;
use muster_app::keep::KeptForms;
use muster_control_plane::OUTPUT_BUCKET;
use muster_domain::Backend;
use muster_domain::audit::AuditTrail;
use muster_domain::ids::ConnectionId;
use muster_server::access::AccessService;
use muster_server::access::session_store::DatabaseSessions;
use muster_server::audit::{AtConnection, AuditLog, AuditService};
use muster_server::aws::{Connection, Known, Ssm};
use muster_server::config::{Config, Further, SsmMode};
use muster_server::door::Door;
use muster_server::http::finish_render::{self, Renders};
use muster_server::http::layers::{Edge, around};
use muster_server::http::sign_in::SignInState;
use muster_server::http::{health, sign_in, static_files};
use muster_server::services::{Ground, Services};
use muster_server::sessions::sweep::Sweep;
use muster_store::Db;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The embedded endpoint as connections reach it.
pub(crate) struct Embedded {
    /// Its address.
    pub(crate) address: String,
    /// The portal's own keys for it.
    pub(crate) keys: (String, String),
}

/// The connection that the settings describe, to the embedded endpoint where there is one.
pub(crate) fn first(config: &Config, endpoint: Option<&Embedded>) -> Connection {
    let keys = config.access_key_id.clone().zip(config.secret_access_key.clone());
    let is_ours = endpoint.is_some() || config.ssm_endpoint.is_some();
    Connection {
        id: ConnectionId::new(config.connection_name.clone()),
        name: config.connection_name.clone(),
        account: if endpoint.is_some() {
            config.account.clone()
        } else {
            String::new()
        },
        region: config.region.clone(),
        embedded: is_ours,
        endpoint: endpoint
            .map(|endpoint| endpoint.address.clone())
            .or_else(|| config.ssm_endpoint.clone()),
        role_arn: config.role_arn.clone(),
        activation_role: if is_ours {
            "MusterNode".to_owned()
        } else {
            config.activation_role.clone()
        },
        output_bucket: config
            .output_bucket
            .clone()
            .or_else(|| is_ours.then(|| OUTPUT_BUCKET.to_owned())),
        s3_endpoint: config.s3_endpoint.clone(),
        keys: endpoint.map(|endpoint| endpoint.keys.clone()).or(keys),
        url: String::new(),
        is_production: config.is_production,
    }
}

/// A further connection; `embedded` is there where the server has an endpoint of its own.
pub(crate) fn further(config: &Config, one: &Further, embedded: Option<&Embedded>) -> Connection {
    let endpoint = embedded.filter(|_| one.ssm_mode == SsmMode::Embedded);
    let is_ours = endpoint.is_some() || one.ssm_endpoint.is_some();
    Connection {
        id: ConnectionId::new(one.name.clone()),
        name: one.name.clone(),
        account: if endpoint.is_some() {
            config.account.clone()
        } else {
            String::new()
        },
        region: one.region.clone(),
        embedded: is_ours,
        endpoint: endpoint
            .map(|endpoint| endpoint.address.clone())
            .or_else(|| one.ssm_endpoint.clone()),
        role_arn: one.role_arn.clone(),
        activation_role: if is_ours {
            "MusterNode".to_owned()
        } else {
            one.activation_role.clone()
        },
        output_bucket: one
            .output_bucket
            .clone()
            .or_else(|| is_ours.then(|| OUTPUT_BUCKET.to_owned())),
        s3_endpoint: one.s3_endpoint.clone(),
        keys: endpoint
            .map(|endpoint| endpoint.keys.clone())
            .or_else(|| one.access_key_id.clone().zip(one.secret_access_key.clone())),
        url: one.public_url.clone().unwrap_or_default(),
        is_production: one.is_production,
    }
}

/// What the parts of a server share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) db: Db,
    pub(crate) audit: Arc<AuditLog>,
    pub(crate) audit_service: AuditService,
    pub(crate) access: AccessService,
    pub(crate) sessions: DatabaseSessions,
    pub(crate) edge: Edge,
    /// The ground of the first connection.
    pub(crate) ground: Ground,
}

/// A part that is ready to be served.
pub(crate) struct Part {
    pub(crate) backend: Backend,
    edge: Edge,
    routes: Router,
    services: Services,
    sweep: Sweep,
}

impl Shared {
    /// The ground of one connection among `known`.
    fn ground_of(&self, ssm: &Ssm, known: &Arc<[Known]>, is_first: bool) -> Ground {
        let mut ground = self.ground.clone();
        ground.ssm = ssm.clone();
        ground.connections = Arc::clone(known);
        if known.len() > 1 {
            let trail: Arc<dyn AuditTrail> = Arc::new(AtConnection::new(
                Arc::clone(&self.audit) as _,
                &ssm.connection.name,
            ));
            ground.door = Door::new(Arc::clone(&trail)).telling(ground.bus.clone());
            ground.trail = trail;
        }
        if !is_first {
            ground.channels = Arc::new(ground.channels.reading_at(&ssm.connection.url));
        }
        ground
    }

    /// Makes the part of one connection.
    ///
    /// # Errors
    /// When a client cannot be built, or the database does not answer.
    pub(crate) async fn part(
        &self,
        ssm: &Ssm,
        known: &Arc<[Known]>,
        is_first: bool,
    ) -> Result<Part, StartError> {
        let ground = self.ground_of(ssm, known, is_first);
        let services = Services::new(&ground, Arc::new(self.audit_service.clone()))
            .map_err(|e| StartError::Client(e.to_string()))?;
        // Who somebody is depends on where: a role may hold at one connection alone.
        let mut access = self.access.clone();
        access.db = self.db.of_connection(ssm.connection.id.as_str());
        let mut edge = self.edge.clone();
        edge.session.access = access.clone();
        let backend = Backend {
            access: Arc::new(access.clone()),
            fleet: Arc::new(services.fleet.clone()),
            commands: Arc::new(services.commands.clone()),
            runbooks: Arc::new(services.runbooks.clone()),
            templates: Arc::new(services.runbooks.clone()),
            schedules: Arc::new(services.runbooks.clone()),
            parameters: Arc::new(services.parameters.clone()),
            patching: Arc::new(services.patching.clone()),
            deployments: Arc::new(services.deployments.clone()),
            windows: Arc::new(services.windows.clone()),
            sessions: Arc::new(services.sessions.clone()),
            approvals: Arc::new(services.approvals.clone()),
            calendar: Arc::new(services.approvals.clone()),
            audit: Arc::new(self.audit_service.clone()),
            overview: Arc::new(services.overview.clone()),
        };
        services.announce().await?;
        services.sessions.restore().await?;
        let sweep = Sweep {
            service: services.sessions.clone(),
            sign_ins: self.sessions.clone(),
            idle_ms: self.edge.session.idle_ms,
        };
        let site = &self.config.site_root;
        let rendered = pages::routes(
            pages::options(site),
            backend.clone(),
            Forms {
                kept: KeptForms::default(),
                clock: Arc::clone(&ground.clock),
                random: Arc::clone(&ground.random),
            },
        )
        .layer(axum::middleware::from_fn_with_state(
            Renders::default(),
            finish_render::layer,
        ));
        let signing_in = SignInState {
            access,
            clock: Arc::clone(&ground.clock),
            session_ms: i64::from(self.config.session_hours) * 3_600_000,
            tls: self.config.is_tls(),
        };
        let routes = rendered
            .merge(services.routes())
            .merge(muster_server::approvals::http::routes(
                services.approvals.clone(),
                Arc::clone(&self.audit),
            ))
            .merge(muster_server::audit::service::routes(self.audit_service.clone()))
            .merge(sign_in::routes(signing_in))
            .merge(health::routes(self.db.clone()))
            .merge(static_files::routes(site));
        Ok(Part {
            backend,
            edge,
            routes,
            services,
            sweep,
        })
    }
}

impl Part {
    /// Serves it, and begins what it does by itself; gives the tasks, which end with `stop`.
    pub(crate) fn serve(
        self,
        listener: TcpListener,
        nudges: Nudges,
        stop: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let mut tasks = vec![
            tokio::spawn(self.sweep.run(stop.clone())),
            endpoint::serve(listener, around(self.routes, self.edge), stop.clone()),
        ];
        tasks.extend(self.services.spawn(nudges.commands, nudges.executions, stop));
        tasks
    }
}
