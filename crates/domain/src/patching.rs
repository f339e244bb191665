//! Patch Manager: how nodes stand against their patch baselines, and what these say.

mod baseline;
mod baseline_views;
mod change;
mod exception;
mod states;

pub use baseline::{
    ApprovalRule, BaselineContent, COMPLIANCE_LEVELS, FILTER_KEYS, OPERATING_SYSTEMS, PatchFilter,
    PatchSource, REJECTED_ACTIONS, system_label,
};
pub use baseline_views::{
    BaselineComparison, BaselineDetail, BaselineList, BaselineQuery, BaselineSummary, BaselineVersion,
    short_id,
};
pub use change::{BaselineChange, BaselineFields, DeleteBaseline, MAX_RULES};
pub use exception::{
    EndException, ExceptionPage, ExceptionQuery, ExceptionState, GrantException, PatchException,
};
pub use states::{NodePatches, PatchPage, PatchQuery, PatchScan, PatchStanding, PatchTotals};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::NodeId;
use async_trait::async_trait;

/// What can be done with patching. Every call passes the door. Scanning and installing are commands. To look takes any role;
/// to change a baseline takes a role for all of the fleet: a baseline lies on no node, so no part of the fleet holds it.
#[async_trait]
pub trait Patching: Send + Sync {
    /// Nodes and how each of them stands, those that were never scanned too.
    async fn states(&self, actor: &Actor, query: PatchQuery) -> Result<PatchPage, PortalError>;
    /// How one node stands.
    async fn node(&self, actor: &Actor, node: NodeId) -> Result<NodePatches, PortalError>;
    /// The baselines that match.
    async fn baselines(&self, actor: &Actor, query: BaselineQuery) -> Result<BaselineList, PortalError>;
    /// One baseline with what it said before; by its id or what stands behind the last slash of that.
    async fn baseline(&self, actor: &Actor, id: String) -> Result<BaselineDetail, PortalError>;
    /// What a baseline said once against what it said another time.
    async fn compare_baseline(
        &self,
        actor: &Actor,
        id: String,
        old: i64,
        new: i64,
    ) -> Result<BaselineComparison, PortalError>;
    /// Makes a baseline, changes one, or for what it holds. What somebody else changed meanwhile is not replaced. Answers its
    /// id.
    async fn change_baseline(&self, actor: &Actor, change: BaselineChange) -> Result<String, PortalError>;
    /// Deletes a baseline.
    async fn delete_baseline(&self, actor: &Actor, input: DeleteBaseline) -> Result<(), PortalError>;
    /// The register of exceptions, newest first.
    async fn exceptions(&self, actor: &Actor, query: ExceptionQuery) -> Result<ExceptionPage, PortalError>;
    /// Ends an exception before its day.
    async fn end_exception(&self, actor: &Actor, input: EndException) -> Result<(), PortalError>;
    /// Excepts a patch on a baseline for a time.
    async fn grant_exception(&self, actor: &Actor, input: GrantException) -> Result<(), PortalError>;
}
