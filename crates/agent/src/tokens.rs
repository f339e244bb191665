//! The node's temporary keys: asked for with its own key, renewed in time, thrown away when refused.

use crate::calls::Client;
use crate::error::AgentError;
use muster_agent_protocol::calls::{
    RequestManagedInstanceRoleTokenRequest, RequestManagedInstanceRoleTokenResponse,
};
use muster_agent_protocol::signing::Credentials;
use muster_domain::ids::NodeId;
use muster_domain::time::Timestamp;
use ring::signature::Ed25519KeyPair;
use std::sync::Arc;

struct Held {
    credentials: Credentials,
    refresh_at: Timestamp,
    expires_at: Timestamp,
}

/// The node's temporary keys, renewed at half of their life.
pub(crate) struct Tokens {
    client: Client,
    node: NodeId,
    key: Arc<Ed25519KeyPair>,
    fingerprint: String,
    held: tokio::sync::Mutex<Option<Held>>,
}

impl Tokens {
    /// Nothing is asked for yet.
    pub(crate) fn new(client: Client, node: NodeId, key: Arc<Ed25519KeyPair>, fingerprint: String) -> Self {
        Self {
            client,
            node,
            key,
            fingerprint,
            held: tokio::sync::Mutex::new(None),
        }
    }

    /// Keys that can be used now.
    pub(crate) async fn get(&self) -> Result<Credentials, AgentError> {
        let mut held = self.held.lock().await;
        let now = self.client.now();
        if let Some(held) = held.as_ref().filter(|held| now < held.refresh_at) {
            return Ok(held.credentials.clone());
        }
        match self.request().await {
            Ok(fresh) => {
                let credentials = fresh.credentials.clone();
                *held = Some(fresh);
                Ok(credentials)
            }
            // The old ones still do: better late than not at all.
            Err(error) => match held.as_ref().filter(|held| now < held.expires_at) {
                Some(held) => {
                    tracing::warn!(%error, "temporary keys could not be renewed yet");
                    Ok(held.credentials.clone())
                }
                None => Err(error),
            },
        }
    }

    /// Asks for new keys at the next use: these were refused.
    pub(crate) async fn forget(&self) {
        *self.held.lock().await = None;
    }

    async fn request(&self) -> Result<Held, AgentError> {
        let request = RequestManagedInstanceRoleTokenRequest {
            fingerprint: self.fingerprint.clone(),
        };
        let client = &self.client;
        let answer: RequestManagedInstanceRoleTokenResponse = client
            .call_as_node("RequestManagedInstanceRoleToken", &request, &self.node, &self.key)
            .await?;
        let now = client.now();
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
        let expires_at = Timestamp((answer.token_expiration_date * 1000.0) as i64);
        let life_ms = expires_at.since_ms(now).max(0);
        Ok(Held {
            credentials: Credentials {
                access_key_id: answer.access_key_id,
                secret_access_key: answer.secret_access_key,
                session_token: Some(answer.session_token),
            },
            refresh_at: now.plus_ms(life_ms / 2),
            expires_at,
        })
    }
}
