//! The control plane as a whole: what all its parts share, how it is opened, and its background work.

use crate::automation::under_way::UnderWay;
use crate::buckets::{Buckets, FolderBuckets};
use crate::commands::output_store::OutputStore;
use crate::commands::reports::Reports;
use crate::config::ControlPlaneConfig;
use crate::errors::{ApiError, ApiResult};
use crate::gateway::registry::Registry;
use crate::gateway::relay::hub::Hub;
use crate::keys::{Holder, Keys, KeysError};
use crate::kms::master;
use crate::kms::resolve::Kms;
use crate::paging::PageTokens;
use crate::turns::Turns;
use muster_agent_protocol::signing::Credentials;
use muster_domain::audit::AuditTrail;
use muster_domain::time::{Clock, Random};
use muster_store::{Db, StoreError};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// The folder of buckets that are folders.
const BUCKETS: &str = "buckets";

/// Something that has news. What they are is asked through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A command.
    Command {
        /// Which.
        command_id: String,
        /// The node that the news is of; none for the command as a whole.
        node_id: Option<String>,
    },
    /// An automation execution.
    Execution {
        /// Which.
        execution_id: String,
    },
}

/// How much sessions hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionLoad {
    /// Sessions that go on.
    pub sessions: usize,
    /// Data channels that are open.
    pub legs: usize,
    /// Bytes that wait to be written to them.
    pub queued_bytes: usize,
}

/// Why the control plane cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its keys cannot be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The folder for command output cannot be made.
    #[error("the folder for command output in {path} cannot be used: {cause}")]
    Output {
        /// Which folder.
        path: std::path::PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The keys in the database are under another master key.
    #[error(
        "the keys in the database do not open under the master key in {path}: restore that file from the backup of the \
         data directory that the database belongs to"
    )]
    MasterKey {
        /// Which file.
        path: std::path::PathBuf,
    },
    /// What was going on cannot be read.
    #[error("what was going on cannot be read from the database; the log says why")]
    Database,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The embedded Systems Manager endpoint.
pub struct ControlPlane {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) audit: Arc<dyn AuditTrail>,
    pub(crate) config: ControlPlaneConfig,
    pub(crate) keys: Keys,
    pub(crate) kms: Kms,
    /// Of those who change a parameter.
    pub(crate) parameter_turns: Turns,
    pub(crate) tokens: PageTokens,
    pub(crate) registry: Registry,
    pub(crate) hub: Hub,
    pub(crate) output: OutputStore,
    pub(crate) reports: Reports,
    pub(crate) wake: Arc<Notify>,
    /// What steps of runbooks do beside the rounds.
    pub(crate) under_way: UnderWay,
    /// Something may be due to be delivered to a webhook.
    pub(crate) letters: Notify,
    /// Object storage that is written to for others.
    pub(crate) buckets: Arc<dyn Buckets>,
    /// What speaks to webhooks, from the first time on.
    pub(crate) webhooks: OnceLock<reqwest::Client>,
    /// Whether nodes or their tags may have changed since associations were matched with them.
    pub(crate) nodes_changed: AtomicBool,
    pub(crate) changes: broadcast::Sender<Change>,
}

impl ControlPlane {
    /// Opens it on a migrated database; at the first start it makes its access keys.
    ///
    /// # Errors
    /// When keys, folders or the database cannot be used.
    pub async fn open(
        db: Db,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        audit: Arc<dyn AuditTrail>,
        config: ControlPlaneConfig,
    ) -> Result<Arc<Self>, OpenError> {
        let keys = Keys::load_or_make(&config.data_dir, random.as_ref())?;
        let seal = config.master_seal.as_deref();
        let is_in_use = crate::kms::queries::any_key(db.reader())
            .await
            .map_err(|_| OpenError::Database)?
            .is_some();
        let kms = Kms::new(master::load_or_make(&config.data_dir, random.as_ref(), seal, is_in_use).await?);
        let folder = config.data_dir.join("command-output");
        let output = OutputStore::open(folder.clone(), config.max_output_bytes)
            .map_err(|cause| OpenError::Output { path: folder, cause })?;
        let buckets = config
            .buckets
            .clone()
            .unwrap_or_else(|| Arc::new(FolderBuckets::new(config.data_dir.join(BUCKETS))));
        let plane = Self {
            tokens: PageTokens::new(keys.master()),
            registry: Registry::default(),
            hub: Hub::default(),
            reports: Reports::default(),
            wake: Arc::new(Notify::new()),
            under_way: UnderWay::default(),
            letters: Notify::new(),
            webhooks: OnceLock::new(),
            buckets,
            nodes_changed: AtomicBool::new(true),
            changes: broadcast::channel(1_024).0,
            db,
            clock,
            random,
            audit,
            config,
            keys,
            kms,
            parameter_turns: Turns::default(),
            output,
        };
        let fits = crate::kms::resolve::fits(&plane).await;
        if !fits.map_err(|_| OpenError::Database)? {
            return Err(OpenError::MasterKey {
                path: plane.config.data_dir.join(if plane.config.master_seal.is_some() {
                    master::SEALED_FILE
                } else {
                    master::FILE
                }),
            });
        }
        // A fault of the database's is in the log by now.
        crate::sessions::rounds::take_up(&plane)
            .await
            .map_err(|_| OpenError::Database)?;
        Ok(Arc::new(plane))
    }

    /// Everything on one port: the API, the message gateway and the bucket of command output.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        crate::router::router(Arc::clone(self))
    }

    /// The same for a listener with TLS: the addresses in its answers say so.
    pub fn router_over_tls(self: &Arc<Self>) -> axum::Router {
        self.router()
            .layer(axum::Extension(crate::json_protocol::OverTls))
    }

    /// The key that the portal signs with; its calls are not audited a second time.
    #[must_use]
    pub fn portal_credentials(&self) -> Credentials {
        self.keys.credentials(Holder::Portal)
    }

    /// The key for people and scripts, as `muster keys` shows it.
    #[must_use]
    pub fn operator_credentials(&self) -> Credentials {
        self.keys.credentials(Holder::Operator)
    }

    /// Nudges whenever a command or an automation execution changes. A receiver that lags loses nudges, never state.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether somebody has written to a bucket that is a folder here: asking for one makes none.
    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.config.data_dir.join(BUCKETS).join(bucket).is_dir()
    }

    /// Nodes or their tags have changed: associations that wait for nodes look for them.
    pub(crate) fn nodes_have_changed(&self) {
        self.nodes_changed
            .store(true, std::sync::atomic::Ordering::Release);
        self.wake.notify_one();
    }

    pub(crate) fn changed(&self, command_id: &str, node_id: Option<&str>) {
        // No receiver is no fault.
        let _ = self.changes.send(Change::Command {
            command_id: command_id.to_owned(),
            node_id: node_id.map(str::to_owned),
        });
    }

    pub(crate) fn execution_changed(&self, execution_id: &str) {
        let _ = self.changes.send(Change::Execution {
            execution_id: execution_id.to_owned(),
        });
    }

    /// How much the sessions hold at this moment.
    #[must_use]
    pub fn session_load(&self) -> SessionLoad {
        let mut load = SessionLoad::default();
        for live in self.hub.all() {
            let (legs, bytes) = live.weight();
            load.sessions += usize::from(live.ending().is_none());
            load.legs += legs;
            load.queued_bytes += bytes;
        }
        load
    }

    /// One round of background work: time-outs, then sending within the rate limits, then policies of parameters, then
    /// maintenance windows and associations. Public so that tests with a clock of their own decide when it happens;
    /// [`Self::run_background`] does it otherwise.
    pub async fn tick(&self) {
        if let Err(ApiError { code, message, .. }) = crate::commands::delivery::round(self).await {
            tracing::warn!(
                code,
                message,
                "a round of command delivery did not end well; it is tried again"
            );
        }
        crate::sessions::rounds::round(self).await;
        crate::parameters::rounds::round(self).await;
        crate::windows::rounds::round(self).await;
        crate::associations::rounds::round(self).await;
        crate::automation::rounds::round(self).await;
    }

    /// Waits until no script and no webhook of a runbook is under way; what they came to is looked at in the next
    /// [`Self::tick`].
    pub async fn settled(&self) {
        self.under_way.settled().await;
    }

    /// Delivers what is due to webhooks, once. Beside [`Self::tick`], which must not wait for them.
    pub async fn deliver(&self) {
        while or_later(crate::topics::delivery::round(self).await, "messages to webhooks") {}
    }

    /// Writes what is new of inventory to buckets, once. Beside [`Self::tick`] for the same reason.
    pub async fn sync_data(&self) {
        while or_later(crate::data_sync::rounds::round(self).await, "resource data syncs") {}
    }

    /// Copies output to buckets, once. Beside the others, for it may be much.
    pub async fn copy_output(&self) {
        while or_later(
            crate::commands::output_copies::round(self).await,
            "output for buckets",
        ) {}
    }

    /// Does the background work every second and whenever something happened, until `stop`.
    pub async fn run_background(self: Arc<Self>, stop: CancellationToken) {
        // What is under way to others is dropped where it is: it goes on after the next start.
        let letters = stop.run_until_cancelled(Arc::clone(&self).deliver_always());
        let syncs = stop.run_until_cancelled(Arc::clone(&self).sync_data_always());
        let copies = stop.run_until_cancelled(Arc::clone(&self).copy_output_always());
        tokio::join!(Arc::clone(&self).tick_until(stop.clone()), letters, syncs, copies);
        self.registry.close_all();
        self.hub.drop_legs();
    }

    async fn tick_until(self: Arc<Self>, stop: CancellationToken) {
        loop {
            self.tick().await;
            if stop.run_until_cancelled(pause(&self.wake)).await.is_none() {
                return;
            }
        }
    }

    async fn deliver_always(self: Arc<Self>) {
        loop {
            self.deliver().await;
            pause(&self.letters).await;
        }
    }

    async fn copy_output_always(self: Arc<Self>) {
        loop {
            self.copy_output().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn sync_data_always(self: Arc<Self>) {
        loop {
            self.sync_data().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Waits a second, or until something happens.
async fn pause(wake: &Notify) {
    tokio::select! {
        () = wake.notified() => {}
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
}

/// Whether a round of work wants another at once; a round that failed wants none.
fn or_later(round: ApiResult<bool>, what: &str) -> bool {
    round.unwrap_or_else(|ApiError { code, .. }| {
        tracing::warn!(code, "{what} could not be taken care of; it is tried again");
        false
    })
}
