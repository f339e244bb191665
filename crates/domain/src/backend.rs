//! All operations traits in one place: what pages are given.

use crate::access::Access;
use crate::approvals::{Approvals, Calendar};
use crate::audit::Audit;
use crate::commands::Commands;
use crate::deployments::Deployments;
use crate::fleet::Fleet;
use crate::overview::Overview;
use crate::parameters::Parameters;
use crate::patching::Patching;
use crate::runbooks::{RunbookSchedules, RunbookTemplates, Runbooks};
use crate::sessions::Sessions;
use crate::windows::Windows;
use std::sync::Arc;

/// Everything that a page can ask for.
#[derive(Clone)]
pub struct Backend {
    /// Users and sessions.
    pub access: Arc<dyn Access>,
    /// Nodes.
    pub fleet: Arc<dyn Fleet>,
    /// Run Command.
    pub commands: Arc<dyn Commands>,
    /// Runbooks and their executions.
    pub runbooks: Arc<dyn Runbooks>,
    /// Filled forms that start runbooks.
    pub templates: Arc<dyn RunbookTemplates>,
    /// Schedules on which runbooks are started.
    pub schedules: Arc<dyn RunbookSchedules>,
    /// Parameter Store.
    pub parameters: Arc<dyn Parameters>,
    /// Patch Manager.
    pub patching: Arc<dyn Patching>,
    /// Applications, releases, and what runs where.
    pub deployments: Arc<dyn Deployments>,
    /// Maintenance windows.
    pub windows: Arc<dyn Windows>,
    /// Terminals and other sessions on nodes.
    pub sessions: Arc<dyn Sessions>,
    /// What needs a second pair of eyes.
    pub approvals: Arc<dyn Approvals>,
    /// Windows, freezes, and what is to come in them.
    pub calendar: Arc<dyn Calendar>,
    /// The audit log.
    pub audit: Arc<dyn Audit>,
    /// Overview, connections, search.
    pub overview: Arc<dyn Overview>,
}
