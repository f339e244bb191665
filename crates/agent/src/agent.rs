//! A running agent: its heartbeat, its channel its commands and its sessions, side by side until it is stopped.

use crate::calls::{Client, Endpoint};
use crate::commands::Commands;
use crate::config::AgentConfig;
use crate::error::AgentError;
use crate::identity::StateDir;
use crate::inventory::InventoryCalls;
use crate::link::{Connection, Link, LinkState, Listener};
use crate::register::read_ca;
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::trust::Trust;
use crate::{heartbeat, host};
use muster_agent_protocol::session::message_type::{AGENT_TASK_ACKNOWLEDGE, INTERACTIVE_SHELL};
use muster_session_channel::Message;
use muster_session_channel::kind::CHANNEL_CLOSED;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Runs the agent until `stop`. Commands that run then go on by themselves; the next run reports them.
///
/// # Errors
/// [`AgentError`] when it cannot begin: no registration, another agent on the same directory, a state
/// directory of another machine. Once it runs it never gives up: what fails is tried again.
pub async fn run(config: AgentConfig, stop: CancellationToken) -> Result<(), AgentError> {
    let state = StateDir::open_patiently(&config.state_dir).await?;
    let identity = state.identity()?.ok_or_else(|| AgentError::NotRegistered {
        path: config.state_dir.clone(),
    })?;
    let fingerprint = state.fingerprint(config.random.as_ref())?;
    let key = Arc::new(identity.key_pair()?);
    let endpoint = Endpoint::parse(&identity.endpoint)?;
    let given = config.ca_file.as_deref().map(read_ca).transpose()?;
    let trust = Trust::from_pem(given.as_deref().or(identity.ca.as_deref()))?;
    let client = Client::new(endpoint, &identity.region, config.clock.clone(), trust)?;
    let node = identity.node_id;
    let tokens = Arc::new(Tokens::new(client.clone(), node.clone(), key, fingerprint));
    let (link_state, link_watch) = watch::channel(LinkState::default());
    let sessions = Sessions::new(
        &config,
        client.clone(),
        tokens.clone(),
        &node,
        link_watch.clone(),
        &stop,
        false,
    );
    let inventory = InventoryCalls::new(client.clone(), tokens.clone(), node.clone());
    let commands = Commands::open(&config, &node, &identity.region, link_watch, inventory, &stop)
        .map_err(AgentError::file("opening the jobs in", &config.state_dir))?;
    let link = Link {
        client: client.clone(),
        tokens: tokens.clone(),
        node: node.clone(),
        random: config.random.clone(),
        state: link_state,
    };
    tracing::info!(%node, endpoint = %client.endpoint().as_str(), version = host::AGENT_VERSION, "agent runs");
    let information = |is_full| {
        if is_full {
            host::full_information(&node)
        } else {
            host::short_information(&node)
        }
    };
    let listener = Both {
        commands: &commands,
        sessions: &sessions,
    };
    // The channel outlives the sessions, whose ends are told on it.
    let link_stop = CancellationToken::new();
    tokio::join!(
        link.keep(&listener, &link_stop),
        async {
            sessions.run_until_stopped().await;
            link_stop.cancel();
        },
        commands.sweep_until_stopped(),
        heartbeat::keep(
            &client,
            &tokens,
            information,
            config.heartbeat,
            config.random.as_ref(),
            &stop
        ),
    );
    tracing::info!(%node, "agent stopped");
    Ok(())
}

/// Messages go to whom they concern.
struct Both<'a> {
    commands: &'a Commands,
    sessions: &'a Sessions,
}

impl Listener for Both<'_> {
    async fn message(&self, connection: &Connection, message: Message) {
        match message.message_type.as_str() {
            INTERACTIVE_SHELL => self.sessions.start(&message),
            CHANNEL_CLOSED => self.sessions.close(&message),
            AGENT_TASK_ACKNOWLEDGE => self.sessions.heard(&message),
            _ => self.commands.message(connection, message).await,
        }
    }
}
