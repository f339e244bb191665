//! Builds every service once, and the tasks behind them.

use crate::access::passwords::Passwords;
use crate::approvals::{ApprovalService, Desk, Gate, PolicyBook};
use crate::aws::output::OutputReader;
use crate::aws::{Known, Ssm};
use crate::commands::CommandService;
use crate::commands::dispatch::Dispatcher;
use crate::commands::follow::Follower;
use crate::deployments::DeploymentService;
use crate::door::Door;
use crate::events::EventBus;
use crate::fleet::{Figures, FleetService};
use crate::notifications::Channels;
use crate::overview::OverviewService;
use crate::overview::http::LiveState;
use crate::overview::service::RecentActs;
use crate::parameters::{Gone, ParameterService, Seal};
use crate::patching::PatchingService;
use crate::runbooks::RunbookService;
use crate::sessions::live::{Connector, Live, LiveGround};
use crate::sessions::{SessionPolicy, SessionService, Store};
use crate::sync::commands::{CommandSync, Nudge};
use crate::sync::executions::ExecutionSync;
use crate::sync::fleet::FleetSync;
use crate::sync::parameters::ParameterSync;
use crate::sync::patching::PatchingSync;
use crate::sync::windows::WindowSync;
use crate::windows::WindowService;
use muster_domain::audit::AuditTrail;
use muster_domain::time::{Clock, Random};
use muster_store::Db;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// What all services stand on.
#[derive(Clone)]
pub struct Ground {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// The way to Systems Manager. What services read and write is of its connection.
    pub ssm: Ssm,
    /// All connections of this server.
    pub connections: Arc<[Known]>,
    /// Wakes streams.
    pub bus: EventBus,
    /// Where what the server does unasked is recorded.
    pub trail: Arc<dyn AuditTrail>,
    /// What holds for sessions.
    pub sessions: Arc<SessionPolicy>,
    /// Where recordings are written and read.
    pub recordings: Store,
    /// What the approval policies say.
    pub policies: PolicyBook,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Where notices go; what tells something writes it with `notifications::enqueue`.
    pub channels: Arc<Channels>,
    /// Everything that Muster keeps is in here.
    pub data_dir: PathBuf,
    /// The server stops.
    pub stop: CancellationToken,
}

/// The services of the fleet, of commands and of the Overview, and the tasks that feed them.
pub struct Services {
    /// Nodes.
    pub fleet: FleetService,
    /// Run Command.
    pub commands: CommandService,
    /// Runbooks.
    pub runbooks: RunbookService,
    /// Parameter Store.
    pub parameters: ParameterService,
    /// Patch Manager.
    pub patching: PatchingService,
    /// Maintenance windows.
    pub windows: WindowService,
    /// Applications, releases, and what runs where.
    pub deployments: DeploymentService,
    /// Sessions on nodes.
    pub sessions: SessionService,
    /// What needs a second pair of eyes.
    pub approvals: ApprovalService,
    /// The Overview.
    pub overview: OverviewService,
    /// The live state of connections.
    pub live: LiveState,
    fleet_sync: FleetSync,
    command_sync: CommandSync,
    execution_sync: ExecutionSync,
    parameter_sync: ParameterSync,
    patching_sync: PatchingSync,
    window_sync: WindowSync,
}

/// Where sessions write down how far they have come. Each connection has a folder of its own: at its start it clears away what
/// belongs to no session that it knows.
fn journals(data_dir: &Path, ssm: &Ssm, connections: &[Known]) -> PathBuf {
    let id = &ssm.connection.id;
    if connections.first().is_none_or(|first| first.id == *id) {
        data_dir.join("sessions")
    } else {
        data_dir.join("sessions-of").join(id.as_str())
    }
}

impl Services {
    /// Builds them.
    ///
    /// # Errors
    /// When the HTTP client for output cannot be built.
    pub fn new(ground: &Ground, recent: Arc<dyn RecentActs>) -> Result<Self, reqwest::Error> {
        let Ground {
            db,
            door,
            clock,
            random,
            ssm,
            connections,
            bus,
            trail,
            sessions,
            recordings,
            policies,
            passwords,
            channels,
            data_dir,
            stop,
        } = ground.clone();
        let db = db.of_connection(ssm.connection.id.as_str());
        let gate = Gate {
            book: policies.clone(),
            desk: Desk {
                db: db.clone(),
                channels,
                book: policies,
                owner: random.uuid().into(),
            },
            clock: Arc::clone(&clock),
        };
        let figures = Figures::default();
        let (queued, sent) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let started = Arc::new(Notify::new());
        let dispatcher = Dispatcher::new(
            db.clone(),
            ssm.clone(),
            Arc::clone(&clock),
            bus.clone(),
            Arc::clone(&sent),
        );
        let output = OutputReader::new(ssm.clone())?;
        let follower = Follower::new(db.clone(), ssm.clone(), output, Arc::clone(&clock), bus.clone());
        let sessions = SessionService {
            gate: gate.clone(),
            ground: LiveGround {
                db: db.clone(),
                door: door.clone(),
                trail,
                clock: Arc::clone(&clock),
                random: Arc::clone(&random),
                connector: Connector {
                    ssm: ssm.clone(),
                    clock: Arc::clone(&clock),
                },
                policy: sessions,
                live: Live::default(),
                stop,
            },
            recordings,
            folder: journals(&data_dir, &ssm, &connections),
            opened: Arc::default(),
        };
        let commands = CommandService {
            db: db.clone(),
            door: door.clone(),
            gate: gate.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            ssm: ssm.clone(),
            bus: bus.clone(),
            dispatcher: dispatcher.clone(),
            queued: Arc::clone(&queued),
        };
        let runbooks = RunbookService {
            db: db.clone(),
            door: door.clone(),
            gate: gate.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            ssm: ssm.clone(),
            bus: bus.clone(),
            queued: Arc::clone(&started),
        };
        let parameters = ParameterService {
            db: db.clone(),
            door: door.clone(),
            clock: Arc::clone(&clock),
            ssm: ssm.clone(),
            passwords: passwords.clone(),
            gone: Gone::default(),
            gate: gate.clone(),
            seal: Seal::open_or_make(&data_dir.join("parameters.key"), Arc::clone(&random)),
        };
        let patching = PatchingService {
            db: db.clone(),
            door: door.clone(),
            clock: Arc::clone(&clock),
            ssm: ssm.clone(),
            figures: figures.clone(),
            gate: gate.clone(),
            random: Arc::clone(&random),
        };
        let windows = WindowService {
            db: db.clone(),
            door: door.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            ssm: ssm.clone(),
            gate: gate.clone(),
            seal: parameters.seal.clone(),
        };
        let deployments = DeploymentService {
            db: db.clone(),
            door: door.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            gate: gate.clone(),
            runbooks: runbooks.clone(),
        };
        Ok(Self {
            approvals: ApprovalService {
                db: db.clone(),
                door: door.clone(),
                clock: Arc::clone(&clock),
                random: Arc::clone(&random),
                bus: bus.clone(),
                gate,
                passwords,
                commands: commands.clone(),
                runbooks: runbooks.clone(),
                parameters: parameters.clone(),
                patching: patching.clone(),
                windows: windows.clone(),
                deployments: deployments.clone(),
                sessions: sessions.clone(),
                wake: Arc::default(),
            },
            sessions,
            deployments,
            fleet: FleetService {
                db: db.clone(),
                door: door.clone(),
                clock: Arc::clone(&clock),
                random: Arc::clone(&random),
                ssm: ssm.clone(),
                bus: bus.clone(),
                figures: figures.clone(),
            },
            commands,
            runbooks: runbooks.clone(),
            window_sync: WindowSync {
                db: db.clone(),
                ssm: ssm.clone(),
                clock: Arc::clone(&clock),
            },
            windows,
            parameter_sync: ParameterSync {
                db: db.clone(),
                ssm: ssm.clone(),
                clock: Arc::clone(&clock),
                gone: parameters.gone.clone(),
            },
            parameters,
            patching_sync: PatchingSync {
                service: patching.clone(),
            },
            patching,
            execution_sync: ExecutionSync {
                db: db.clone(),
                ssm: ssm.clone(),
                clock: Arc::clone(&clock),
                follower: crate::runbooks::follow::Follower {
                    db: db.clone(),
                    ssm: ssm.clone(),
                    clock: Arc::clone(&clock),
                    bus: bus.clone(),
                },
                runbooks,
                queued: started,
            },
            overview: OverviewService {
                db: db.clone(),
                door: door.clone(),
                clock: Arc::clone(&clock),
                figures: figures.clone(),
                connection: Arc::clone(&ssm.connection),
                connections: Arc::clone(&connections),
                recent,
            },
            live: LiveState {
                db: db.clone(),
                connection: ssm.connection.id.clone(),
                connections,
                door,
                bus: bus.clone(),
                clock: Arc::clone(&clock),
            },
            fleet_sync: FleetSync {
                db: db.clone(),
                ssm: ssm.clone(),
                clock: Arc::clone(&clock),
                figures: figures.clone(),
                account: Arc::default(),
                bus: bus.clone(),
            },
            command_sync: CommandSync {
                db,
                ssm,
                clock,
                bus,
                dispatcher,
                follower,
                queued,
                sent,
            },
        })
    }

    /// The routes that are no pages.
    pub fn routes(&self) -> axum::Router {
        crate::commands::http::routes(self.commands.clone())
            .merge(crate::runbooks::http::routes(self.runbooks.clone()))
            .merge(crate::parameters::http::routes(self.parameters.clone()))
            .merge(crate::fleet::http::routes(self.fleet.clone()))
            .merge(crate::sessions::http::routes(self.sessions.clone()))
            .merge(crate::overview::http::routes(self.live.clone()))
    }

    /// The state of the connection before anything was copied.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn announce(&self) -> Result<(), muster_store::StoreError> {
        self.fleet_sync.write_state("Starting", "", None).await
    }

    /// Starts the tasks; they end with `stop`. What has news is told by the embedded endpoint: commands with the node, and
    /// automation executions.
    pub fn spawn(
        self,
        commands: mpsc::Receiver<Nudge>,
        executions: mpsc::Receiver<String>,
        stop: &CancellationToken,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        vec![
            tokio::spawn(self.approvals.run(stop.clone())),
            tokio::spawn(self.fleet_sync.run(stop.clone())),
            tokio::spawn(self.command_sync.run(commands, stop.clone())),
            tokio::spawn(self.execution_sync.clone().follow(executions, stop.clone())),
            tokio::spawn(self.execution_sync.clone().schedules(stop.clone())),
            tokio::spawn(self.execution_sync.copy(stop.clone())),
            tokio::spawn(self.parameter_sync.run(stop.clone())),
            tokio::spawn(self.patching_sync.clone().exceptions(stop.clone())),
            tokio::spawn(self.patching_sync.run(stop.clone())),
            tokio::spawn(self.window_sync.run(stop.clone())),
        ]
    }
}
