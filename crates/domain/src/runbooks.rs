//! Runbooks (Automation documents) and their executions: finding one, starting it, following its steps, deciding where it
//! waits.

mod catalogue;
mod execution;
mod plan;
mod schedule;
mod start;
mod status;
mod template;

pub use catalogue::{
    EdgeKind, RunbookDetail, RunbookOwner, RunbookPage, RunbookQuery, RunbookStep, RunbookSummary,
    RunbookVersion, StepEdge, VersionDiff,
};
pub use execution::{
    ExecutionChange, ExecutionDetail, ExecutionEvent, ExecutionQuery, ExecutionSummary, Retried,
    StepExecution, WaitsFor,
};
pub use plan::{PlannedNode, PlannedTargets, StartPlan};
pub use schedule::{LastRun, LocalTime, RunbookSchedules, ScheduleRow, ScheduleRunbook, Timing};
pub use start::{RetryExecution, SendSignal, Signal, StartRunbook, StopExecution, StopKind};
pub use status::ExecutionStatus;
pub use template::{
    RenameTemplate, RunbookTemplates, SaveTemplate, SavedTemplate, TemplateRow, TemplateState, looks_secret,
    without_secrets,
};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::fleet::{NodeSelection, ResolvedTargets};
use crate::ids::ExecutionId;
use crate::paging::Page;
use async_trait::async_trait;

/// What can be done with runbooks. Every call passes the door. An execution is shown to whoever may see all nodes that it
/// was given, and to whoever started it.
#[async_trait]
pub trait Runbooks: Send + Sync {
    /// Runbooks that match, by name.
    async fn list(&self, actor: &Actor, query: RunbookQuery) -> Result<RunbookPage, PortalError>;
    /// One runbook in one of its versions; the default one where none is named.
    async fn get(
        &self,
        actor: &Actor,
        name: String,
        version: Option<String>,
    ) -> Result<RunbookDetail, PortalError>;
    /// What one version says against what another says.
    async fn diff(
        &self,
        actor: &Actor,
        name: String,
        old: String,
        new: String,
    ) -> Result<VersionDiff, PortalError>;
    /// What a choice of nodes comes to for a runbook, now.
    async fn resolve(
        &self,
        actor: &Actor,
        name: String,
        version: Option<String>,
        selection: NodeSelection,
    ) -> Result<ResolvedTargets, PortalError>;
    /// Starts an execution. Answers when Systems Manager has taken it, or when it is written down and will be sent.
    async fn start(&self, actor: &Actor, input: StartRunbook) -> Result<ExecutionId, PortalError>;
    /// The input that would start an execution again.
    async fn again(&self, actor: &Actor, execution: ExecutionId) -> Result<StartRunbook, PortalError>;
    /// Asks for an execution to be stopped.
    async fn stop(&self, actor: &Actor, input: StopExecution) -> Result<(), PortalError>;
    /// Does an execution that has ended badly again, from a step on; what came before stays as it is.
    async fn retry(&self, actor: &Actor, input: RetryExecution) -> Result<(), PortalError>;
    /// Tells a step that waits what it waits for.
    async fn signal(&self, actor: &Actor, input: SendSignal) -> Result<(), PortalError>;
    /// Executions that match, newest first.
    async fn executions(
        &self,
        actor: &Actor,
        query: ExecutionQuery,
    ) -> Result<Page<ExecutionSummary>, PortalError>;
    /// One execution.
    async fn execution(&self, actor: &Actor, execution: ExecutionId) -> Result<ExecutionDetail, PortalError>;
}
