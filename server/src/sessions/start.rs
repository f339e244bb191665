//! Starting a session. Going on with those that a portal before this one had is in `restore`.

use crate::access::queries as access;
use crate::error::store;
use crate::fleet::queries as fleet;
use crate::sessions::documents::{Chosen, RUN_AS_USER};
use crate::sessions::live::{Begin, Journal, Opening, Shared, Task};
use crate::sessions::policy::RecordingPolicy;
use crate::sessions::queries::{self, SessionRow};
use crate::sessions::service::SessionService;
use crate::sessions::ssm::{self, Wanted};
use muster_domain::fleet::{NodeSummary, PingStatus};
use muster_domain::ids::{NodeId, NodeSessionId};
use muster_domain::permission::Scope;
use muster_domain::sessions::{
    EndReason, OpenTunnel, RecordingState, SessionKind, SessionStatus, SessionSummary, StartSession,
};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_recording::Recorder;
use muster_session_channel::body::Size;
use muster_session_channel::{ClientChannel, ClientConfig, Limits, Setup};
use uuid::Uuid;

/// What we are to agents: four numbers, new enough for everything that they decide by it.
pub(super) const CLIENT_VERSION: &str = "1.2.835.0";

fn minutes(count: u32) -> i64 {
    i64::from(count) * 60_000
}

impl SessionService {
    /// A node on which the actor may have sessions.
    pub(crate) async fn node(&self, node: &NodeId, scopes: &[Scope]) -> Result<NodeSummary, PortalError> {
        fleet::by_ids(&self.ground.db, std::slice::from_ref(node), scopes)
            .await
            .map_err(store)?
            .pop()
            .ok_or_else(|| {
                PortalError::invalid(
                    "node",
                    format!("There is no node {node}, or you may not open sessions on it."),
                )
            })
    }

    fn check_room(&self, actor: &Actor) -> Result<(), PortalError> {
        let (all, own) = self.ground.live.count(&actor.name);
        let policy = &self.ground.policy;
        let full = |message: String| Err(PortalError::Conflict { message });
        if own >= policy.per_person as usize {
            return full(format!(
                "You have {own} sessions open, and nobody may have more. End one of them first."
            ));
        }
        if all >= policy.at_most as usize {
            return full(format!(
                "{all} sessions go on, and this portal holds no more. Try again when some have ended."
            ));
        }
        Ok(())
    }

    /// The client's end of a new data channel.
    pub(super) fn channel_config(&self, size: Size) -> ClientConfig {
        let random = self.ground.random.as_ref();
        let uuid = || Uuid::parse_str(&random.uuid()).unwrap_or_default();
        ClientConfig {
            client_id: uuid(),
            client_version: CLIENT_VERSION.to_owned(),
            size,
            setup: Setup {
                id_seed: uuid(),
                started_unix_ms: u64::try_from(self.ground.clock.now().0).unwrap_or(1),
                limits: Limits {
                    attempts: Some(300),
                    ..Limits::default()
                },
            },
        }
    }

    /// The account as the settings say it, or as it was found out when nodes were copied.
    async fn account(&self) -> Result<String, PortalError> {
        let connection = &self.ground.connector.ssm.connection;
        if !connection.account.is_empty() {
            return Ok(connection.account.clone());
        }
        queries::account(&self.ground.db, connection.id.as_str())
            .await
            .map_err(store)
    }

    /// The row of a session that is asked for.
    async fn new_row(
        &self,
        actor: &Actor,
        id: &NodeSessionId,
        node: &NodeSummary,
        kind: SessionKind,
        now: Timestamp,
    ) -> Result<SessionRow, PortalError> {
        let policy = &self.ground.policy;
        let connection = &self.ground.connector.ssm.connection;
        Ok(SessionRow {
            summary: SessionSummary {
                session_id: id.clone(),
                ssm_session_id: String::new(),
                kind,
                status: SessionStatus::Connecting,
                node_id: node.node_id.clone(),
                node_name: node.name.clone(),
                account: self.account().await?,
                region: connection.region.clone(),
                document: String::new(),
                document_version: String::new(),
                os_user: String::new(),
                owner_id: actor.user_id.clone(),
                owner: actor.name.clone(),
                reason: String::new(),
                is_production: policy.is_production(&node.tags),
                started_at: now,
                ended_at: None,
                ends_at: Some(now.plus_ms(minutes(policy.max_minutes))),
                active_at: now,
                bytes_out: 0,
                bytes_in: 0,
                end_reason: None,
                end_message: String::new(),
                ended_by: String::new(),
                recording: RecordingState::None,
                watchers: Vec::new(),
                is_own: true,
                request: None,
            },
            connection_id: connection.id.to_string(),
            document_sha256: String::new(),
            document_idle_minutes: 0,
            document_max_minutes: 0,
            address: actor.origin.address.clone(),
            recording_sha256: String::new(),
        })
    }

    /// Begins a recording, as policy says.
    pub(super) async fn begin_recording(
        &self,
        row: &mut SessionRow,
        size: Size,
    ) -> Result<Option<Recorder>, PortalError> {
        if self.ground.policy.recording == RecordingPolicy::Off {
            return Ok(None);
        }
        match self
            .recordings
            .begin(row, size, self.ground.policy.keeps_input)
            .await
        {
            Ok(recorder) => {
                row.summary.recording = RecordingState::Recording;
                Ok(Some(recorder))
            }
            Err(error) if self.ground.policy.recording == RecordingPolicy::BestEffort => {
                tracing::error!(session.id = %row.summary.session_id, %error, "a session is not recorded");
                row.summary.recording = RecordingState::Broken;
                Ok(None)
            }
            Err(error) => {
                tracing::error!(session.id = %row.summary.session_id, %error, "no recorder, no session");
                let full = if error.is_full() {
                    " (the portal's disk is full)"
                } else {
                    ""
                };
                Err(PortalError::Unavailable {
                    message: format!(
                        "The session cannot be recorded now{full}, and no session is opened unrecorded here. Tell \
                         whoever runs Muster."
                    ),
                })
            }
        }
    }

    /// Starts a session: written down, recorded, asked for at Systems Manager, then on its own.
    pub(super) async fn begin(
        &self,
        actor: &Actor,
        id: NodeSessionId,
        input: StartSession,
        node: NodeSummary,
        chosen: Chosen,
        minutes_approved: Option<u32>,
    ) -> Result<(), PortalError> {
        if node.ping_status != PingStatus::Online {
            return Err(PortalError::invalid(
                "node",
                format!(
                    "{} does not report, so no session can be opened on it now.",
                    node.name
                ),
            ));
        }
        self.check_room(actor)?;
        let size = Size {
            cols: u32::from(input.cols),
            rows: u32::from(input.rows),
        };
        let now = self.ground.clock.now();
        let mut row = self.new_row(actor, &id, &node, SessionKind::Shell, now).await?;
        row.summary.os_user.clone_from(&input.os_user);
        row.summary.reason = input.reason.trim().to_owned();
        if let (Some(approved), Some(ends_at)) = (minutes_approved, row.summary.ends_at) {
            row.summary.request.clone_from(&input.request);
            let limit = approved.min(self.ground.policy.limit_minutes);
            let until = self.ground.clock.now().plus_ms(minutes(limit));
            // A short approval ends a session early; a long one lets it go on longer than it would without asking.
            row.summary.ends_at = Some(if approved > self.ground.policy.max_minutes {
                until
            } else {
                ends_at.min(until)
            });
        }
        let document = chosen.shown;
        row.document_sha256 = chosen.sha256;
        row.document_idle_minutes = document.idle_minutes;
        row.document_max_minutes = document.max_minutes;
        if document.max_minutes > 0 {
            let until = row.summary.started_at.plus_ms(minutes(document.max_minutes));
            row.summary.ends_at = row.summary.ends_at.map(|ends_at| ends_at.min(until));
        }
        let by_default = document.is_default();
        row.summary.document = document.name;
        row.summary.document_version = document.version;
        let recorder = self.begin_recording(&mut row, size).await?;
        let wanted = Wanted {
            target: node.node_id.to_string(),
            // An account that has saved no preferences has no document of that name either.
            document: (!by_default).then(|| row.summary.document.clone()),
            parameters: if input.os_user.is_empty() {
                Vec::new()
            } else {
                vec![(RUN_AS_USER.to_owned(), input.os_user.clone())]
            },
            reason: row.summary.reason.clone(),
        };
        let needs_watcher = self.ground.policy.needs_watcher(&node.tags);
        self.open(row, &wanted, size, recorder, needs_watcher).await
    }

    /// Starts a session that carries connections to a port.
    pub(super) async fn begin_tunnel(
        &self,
        actor: &Actor,
        id: NodeSessionId,
        input: OpenTunnel,
        node: NodeSummary,
    ) -> Result<(), PortalError> {
        self.check_room(actor)?;
        let now = self.ground.clock.now();
        let mut row = self.new_row(actor, &id, &node, SessionKind::Port, now).await?;
        row.summary.reason = input.reason.trim().to_owned();
        let mut parameters = vec![("portNumber".to_owned(), input.port.to_string())];
        row.summary.document = if input.host.is_empty() {
            "AWS-StartPortForwardingSession"
        } else {
            parameters.push(("host".to_owned(), input.host.clone()));
            "AWS-StartPortForwardingSessionToRemoteHost"
        }
        .to_owned();
        let wanted = Wanted {
            target: node.node_id.to_string(),
            document: Some(row.summary.document.clone()),
            parameters,
            reason: row.summary.reason.clone(),
        };
        self.open(row, &wanted, Size::WITHOUT_TERMINAL, None, false).await
    }

    /// Writes a session down, asks for it at Systems Manager, and lets it run.
    async fn open(
        &self,
        mut row: SessionRow,
        wanted: &Wanted,
        size: Size,
        recorder: Option<Recorder>,
        needs_watcher: bool,
    ) -> Result<(), PortalError> {
        let opened = Journal::open(&self.folder, row.summary.session_id.as_str());
        let (journal, _) = opened.map_err(|error| {
            tracing::error!(%error, "a session's position cannot be written");
            PortalError::Unavailable {
                message: "The portal's disk cannot be written, so no session can be opened. Tell whoever runs Muster."
                    .into(),
            }
        })?;
        if let Err(error) = queries::insert(&self.ground.db, &row).await {
            journal.remove();
            return Err(store(error));
        }
        match ssm::start(&self.ground.connector.ssm, wanted).await {
            Ok(grant) => {
                row.summary.ssm_session_id.clone_from(&grant.ssm_session_id);
                if let Err(error) = queries::update(&self.ground.db, &row).await {
                    // It is open on the node: better without its id for some seconds, until the next look writes it.
                    tracing::error!(session.id = %row.summary.session_id, %error, "a session's state was not kept");
                }
                let (shared, commands) = Shared::new(row, size, 0, needs_watcher);
                self.run(Begin {
                    shared,
                    commands,
                    channel: ClientChannel::new(self.channel_config(size)),
                    opening: Opening::Granted(grant),
                    recorder,
                    journal,
                    skip: 0,
                });
                Ok(())
            }
            Err(error) => {
                let refused = ssm::why_not(&error, &row.summary.node_name);
                journal.remove();
                if let Some(recorder) = recorder
                    && let Err(error) = recorder.finish("It could not be started.").await
                {
                    tracing::warn!(%error, "the recording of a session that was not started was not finished");
                }
                row.summary.status = SessionStatus::Failed;
                row.summary.ended_at = Some(self.ground.clock.now());
                row.summary.end_reason = Some(EndReason::NotStarted);
                row.summary.end_message = refused.to_string();
                row.summary.recording = RecordingState::None;
                if let Err(error) = queries::update(&self.ground.db, &row).await {
                    tracing::error!(session.id = %row.summary.session_id, %error, "a session's end was not kept");
                    let ground = self.ground.clone();
                    tokio::spawn(async move { ground.write_row_surely(&row).await });
                }
                Err(refused)
            }
        }
    }

    pub(super) fn run(&self, begin: Begin) {
        self.ground.live.add(std::sync::Arc::clone(&begin.shared));
        tokio::spawn(Task::new(self.ground.clone(), begin).run());
    }

    /// Whether a person may still have this session.
    pub(super) async fn may_still(
        &self,
        row: &SessionRow,
        action: muster_domain::action::Action,
        user: &muster_domain::ids::UserId,
    ) -> Result<bool, muster_store::StoreError> {
        let db = &self.ground.db;
        if access::by_id(db, user).await?.is_none_or(|user| user.disabled) {
            return Ok(false);
        }
        let mut actor = Actor::anonymous(muster_domain::actor::Origin::default());
        actor.user_id = Some(user.clone());
        actor.grants = access::effective(db, &access::grants(db, user).await?, self.ground.clock.now());
        let scopes = actor.scopes_for(action);
        if scopes.is_empty() {
            return Ok(false);
        }
        let node = std::slice::from_ref(&row.summary.node_id);
        Ok(!fleet::by_ids(db, node, &scopes).await?.is_empty())
    }
}
