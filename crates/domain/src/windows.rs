//! Maintenance windows: when Systems Manager does something by itself, on which nodes, and what.

mod apply;
mod input;
#[cfg(test)]
mod input_tests;
mod state;
mod views;

pub use input::{ChangeWindow, WindowChange, read_targets};
pub use state::{TargetKey, WINDOW_TARGETS, WindowSettings, WindowState, WindowTarget, WindowTask};
pub use views::{
    LiveWindow, WindowDetail, WindowExecution, WindowInvocation, WindowPage, WindowQuery, WindowRun,
    WindowStanding, WindowSummary, WindowTaskExecution,
};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::WindowId;
use crate::runbooks::LocalTime;
use async_trait::async_trait;

/// What can be done with maintenance windows. Every call passes the door, and takes a role for all of the fleet: a window
/// finds its nodes when it opens, so no part of the fleet holds it.
#[async_trait]
pub trait Windows: Send + Sync {
    /// Windows that match, by name.
    async fn list(&self, actor: &Actor, query: WindowQuery) -> Result<WindowPage, PortalError>;
    /// One window with its targets and tasks, its next openings, and how it went; of one execution also each invocation:
    /// of the one that is named, or of the newest.
    async fn get(
        &self,
        actor: &Actor,
        window: WindowId,
        execution: Option<String>,
    ) -> Result<WindowDetail, PortalError>;
    /// When a window with these settings would open next.
    async fn preview(&self, actor: &Actor, settings: WindowSettings) -> Result<Vec<LocalTime>, PortalError>;
    /// Makes, changes or deletes a window. One that somebody else has changed meanwhile stays as it is. Answers which
    /// window it was.
    async fn change(&self, actor: &Actor, input: ChangeWindow) -> Result<WindowId, PortalError>;
}
