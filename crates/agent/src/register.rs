//! Makes this machine a node: a key pair of its own, one unsigned call, and what came of it on disk.

use crate::calls::{Client, Endpoint};
use crate::config::{AgentConfig, Registration};
use crate::error::AgentError;
use crate::identity::{Identity, StateDir, public_key_text};
use crate::trust::Trust;
use muster_agent_protocol::calls::{RegisterManagedInstanceRequest, RegisterManagedInstanceResponse};
use muster_domain::ids::NodeId;
use std::path::Path;

/// Registers this machine with an activation and keeps the identity in the state directory.
///
/// # Errors
/// [`AgentError`] says what to do: a wrong or used-up activation, an address that does not answer, a
/// registration that exists (see [`Registration::force`]), an agent that runs with this directory.
pub async fn register(config: &AgentConfig, registration: &Registration) -> Result<NodeId, AgentError> {
    let endpoint = Endpoint::parse(&registration.endpoint)?;
    let required = [
        ("--region", &registration.region),
        ("--activation-id", &registration.activation_id),
        ("--activation-code", &registration.activation_code),
    ];
    for (field, value) in required {
        if value.trim().is_empty() {
            return Err(AgentError::Setting {
                field,
                reason: "is empty; the activation shows it".into(),
            });
        }
    }
    let ca = config.ca_file.as_deref().map(read_ca).transpose()?;
    let trust = Trust::from_pem(ca.as_deref())?;
    let state = StateDir::open_patiently(&config.state_dir).await?;
    if let Some(identity) = state.identity()?
        && !registration.force
    {
        return Err(AgentError::AlreadyRegistered {
            path: state.path().to_owned(),
            node: identity.node_id.to_string(),
        });
    }
    let fingerprint = state.fingerprint(config.random.as_ref())?;
    let client = Client::new(
        endpoint.clone(),
        &registration.region,
        config.clock.clone(),
        trust,
    )?;
    // A forced registration that fails leaves the old identity with a key that no longer fits it;
    // therefore the new key takes its place only after the control plane has agreed.
    let key = state.pending_key()?;
    let request = RegisterManagedInstanceRequest {
        activation_code: registration.activation_code.trim().to_owned(),
        activation_id: registration.activation_id.trim().to_owned(),
        fingerprint: fingerprint.clone(),
        public_key: public_key_text(&key.pair),
        public_key_type: "Ed25519".into(),
    };
    let answer: RegisterManagedInstanceResponse =
        client.call_unsigned("RegisterManagedInstance", &request).await?;
    if answer.instance_id.len() < 10 || answer.instance_id.contains(['.', '/']) {
        return Err(AgentError::Protocol {
            endpoint: endpoint.as_str().to_owned(),
            reason: "the registration came without a usable node id".into(),
        });
    }
    let identity = Identity {
        node_id: NodeId::new(answer.instance_id),
        region: registration.region.trim().to_owned(),
        endpoint: endpoint.as_str().to_owned(),
        fingerprint,
        key: key.document,
        ca,
    };
    state.save_identity(&identity)?;
    state.forget_pending_key();
    tracing::info!(node = %identity.node_id, endpoint = %identity.endpoint, "registered");
    Ok(identity.node_id)
}

/// The text of a file with certificates.
pub(crate) fn read_ca(path: &Path) -> Result<String, AgentError> {
    std::fs::read_to_string(path).map_err(|error| AgentError::Setting {
        field: "--ca-file",
        reason: format!("{} cannot be read: {error}", path.display()),
    })
}
