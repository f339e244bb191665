//! Delivering inventory: what a node has, as it was found out by a command.

use crate::calls::Client;
use crate::error::AgentError;
use crate::tokens::Tokens;
use muster_agent_protocol::calls::{InventoryItem, PutInventoryRequest};
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
                Err(error @ AgentError::Refused { .. }) if !error.is_about_credentials() => {
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

    async fn put_one(&self, item: InventoryItem) -> Result<(), AgentError> {
        let credentials = self.tokens.get().await?;
        let request = PutInventoryRequest {
            instance_id: self.node.as_str().to_owned(),
            items: vec![item],
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
