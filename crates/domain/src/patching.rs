//! Patch Manager: how nodes stand against their patch baselines.

mod states;

pub use states::{NodePatches, PatchPage, PatchQuery, PatchScan, PatchStanding, PatchTotals};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::NodeId;
use async_trait::async_trait;

/// What can be done with patching. Every call passes the door. Scanning and installing are commands.
#[async_trait]
pub trait Patching: Send + Sync {
    /// Nodes and how each of them stands, those that were never scanned too.
    async fn states(&self, actor: &Actor, query: PatchQuery) -> Result<PatchPage, PortalError>;
    /// How one node stands.
    async fn node(&self, actor: &Actor, node: NodeId) -> Result<NodePatches, PortalError>;
}
