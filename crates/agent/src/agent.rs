//! A running agent: its heartbeat, its channel and its commands, side by side until it is stopped.

use crate::calls::{Client, Endpoint};
use crate::commands::Commands;
use crate::config::AgentConfig;
use crate::error::AgentError;
use crate::identity::StateDir;
use crate::link::{Link, LinkState};
use crate::tokens::Tokens;
use crate::{heartbeat, host};
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
    let client = Client::new(endpoint, &identity.region, config.clock.clone())?;
    let node = identity.node_id;
    let tokens = Arc::new(Tokens::new(client.clone(), node.clone(), key, fingerprint));
    let (link_state, link_watch) = watch::channel(LinkState::default());
    let commands = Commands::open(&config, &node, &identity.region, link_watch, &stop)
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
    tokio::join!(
        link.keep(&commands, &stop),
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
