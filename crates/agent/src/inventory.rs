//! Delivering inventory: what a node has, as it was found out by a command.

use crate::calls::Client;
use crate::error::AgentError;
use crate::tokens::Tokens;
use muster_agent_protocol::calls::{InventoryItem, PutInventoryRequest, SentItem};
use muster_domain::ids::NodeId;
use std::sync::Arc;

/// Calls `PutInventory` for one node.
pub(crate) struct InventoryCalls {
    client: Client,
    tokens: Arc<Tokens>,
    node: NodeId,
}

impl InventoryCalls {
    pub(crate) fn new(client: Client, tokens: Arc<Tokens>, node: NodeId) -> Self {
        Self { client, tokens, node }
    }

    /// Delivers items, one call for each: together they may be larger than a request may be. `false` when it has to be
    /// tried again; what the control plane refuses is not, for it stays refused.
    pub(crate) async fn put(&self, items: Vec<InventoryItem>) -> bool {
        for item in items {
            let type_name = item.type_name.clone();
            match self.put_one(item).await {
                Ok(()) => {}
                Err(error) if error.is_final() => {
                    tracing::error!(%error, inventory = %type_name, "the control plane does not take this inventory");
                }
                Err(error) => {
                    tracing::warn!(%error, inventory = %type_name, "inventory is not delivered yet; trying again");
                    return false;
                }
            }
        }
        true
    }

    /// What is known by its hash is not sent again: first only the hash is, and the content when it is asked for.
    async fn put_one(&self, item: InventoryItem) -> Result<(), AgentError> {
        if item.content_hash.is_empty() {
            return self.send(&item, true).await;
        }
        match self.send(&item, false).await {
            Err(AgentError::Refused { code, .. }) if code == "ItemContentMismatchException" => {
                self.send(&item, true).await
            }
            other => other,
        }
    }

    async fn send(&self, item: &InventoryItem, is_whole: bool) -> Result<(), AgentError> {
        let credentials = self.tokens.get().await?;
        let request = PutInventoryRequest {
            instance_id: self.node.as_str().to_owned(),
            items: vec![SentItem {
                type_name: item.type_name.clone(),
                schema_version: item.schema_version.clone(),
                capture_time: item.capture_time.clone(),
                content_hash: item.content_hash.clone(),
                content: is_whole.then(|| item.content.clone()),
            }],
        };
        let answer: Result<serde_json::Value, AgentError> =
            self.client.call("PutInventory", &request, &credentials).await;
        if let Err(error) = answer {
            if error.is_about_credentials() {
                self.tokens.forget().await;
            }
            return Err(error);
        }
        Ok(())
    }
}
