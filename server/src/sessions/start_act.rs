//! Opening a terminal: what can be chosen before, and the act that a person does, through the door and the gate, to its end also
//! when whoever asked does not wait for it.

use crate::error::store;
use crate::sessions::documents::{self, document_of};
use crate::sessions::policy::RecordingPolicy;
use crate::sessions::queries;
use crate::sessions::service::SessionService;
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::fleet::{NodeSummary, PingStatus};
use muster_domain::ids::{NodeSessionId, RequestId};
use muster_domain::sessions::{StartOptions, StartSession};
use muster_domain::{Actor, PortalError};
use tracing::Instrument as _;

impl SessionService {
    /// What can be chosen before a terminal is opened on a node, and what holds there.
    pub(super) async fn options_on(&self, node: NodeSummary) -> Result<StartOptions, PortalError> {
        let policy = &self.ground.policy;
        let ssm = &self.ground.connector.ssm;
        let documents = documents::list(&self.ground.db, ssm, &node.platform_type).await;
        let os_users = queries::os_users(&self.ground.db, &node.node_id).await;
        Ok(StartOptions {
            is_online: node.ping_status == PingStatus::Online,
            needs_reason: policy.needs_reason,
            is_production: policy.is_production(&node.tags),
            needs_watcher: policy.needs_watcher(&node.tags),
            is_recorded: policy.recording != RecordingPolicy::Off,
            keeps_input: policy.keeps_input,
            idle_minutes: policy.idle_minutes,
            max_minutes: policy.max_minutes,
            documents: documents.map_err(store)?,
            recent_os_users: os_users.map_err(store)?,
            node_id: node.node_id,
            node_name: node.name,
            tags: node.tags,
        })
    }

    /// Opens a terminal in a task of its own. A browser that leaves takes only the answer with it: an approval that was taken is
    /// used or given back, and the audit log says how it ended.
    pub(super) async fn start_whoever_watches(
        &self,
        actor: &Actor,
        input: StartSession,
    ) -> Result<NodeSessionId, PortalError> {
        let (service, actor) = (self.clone(), actor.clone());
        let opening = async move { service.start_to_the_end(&actor, input).await };
        match tokio::spawn(opening.in_current_span()).await {
            Ok(opened) => opened,
            Err(error) => {
                let reference = self.ground.random.uuid();
                tracing::error!(%error, reference, "a terminal was not opened to the end");
                Err(PortalError::Internal { reference })
            }
        }
    }

    async fn start_to_the_end(
        &self,
        actor: &Actor,
        input: StartSession,
    ) -> Result<NodeSessionId, PortalError> {
        let id = NodeSessionId::new(self.ground.random.uuid());
        let intent = Intent::new(Action::SessionsStart, format!("session:{id}"))
            .with("node", input.node.as_str())
            .with("document", document_of(&input))
            .with("os_user", input.os_user.clone())
            .with("reason", input.reason.clone())
            .with("request", input.request.as_ref().map_or("", RequestId::as_str));
        let check = input.check(self.ground.policy.needs_reason);
        self.ground
            .door
            .pass(actor, intent, check, async |pass| {
                let node = self.node(&input.node, &pass.scopes).await?;
                let chosen = self.document(&input, &node).await?;
                pass.note("document_version", chosen.shown.version.clone());
                pass.note("document_sha256", chosen.sha256.clone());
                let ticket = self
                    .gate
                    .admit_terminal(actor, &node, &input, &chosen, &id)
                    .await?;
                let minutes = ticket.as_ref().map(|ticket| ticket.minutes);
                let begin = self.begin(actor, id.clone(), input.clone(), node, chosen, minutes);
                match ticket {
                    None => begin.await?,
                    Some(ticket) => {
                        let begun = self.gate.opening(&ticket, begin).await;
                        self.gate.opened(ticket, begun.clone()).await?;
                        begun?;
                    }
                }
                if let Some(shared) = self.ground.live.get(&id) {
                    pass.note(
                        "ssm_session_id",
                        shared.state().row.summary.ssm_session_id.clone(),
                    );
                }
                Ok(id.clone())
            })
            .await
    }
}
