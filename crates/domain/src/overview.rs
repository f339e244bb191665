//! The Overview page, the state of connections, and search for the command palette.

use crate::actor::Actor;
use crate::audit::AuditEntryView;
use crate::commands::CommandSummary;
use crate::error::PortalError;
use crate::ids::ConnectionId;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How the portal stands with an account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionState {
    /// Calls are answered.
    Live,
    /// Nothing was copied yet.
    Starting,
    /// Calls fail: figures are as old as they say.
    Unreachable,
}

/// An account and region that the portal speaks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Which.
    pub id: ConnectionId,
    /// Its name in the portal.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
    /// `embedded` or `aws`.
    pub mode: String,
    /// Where Systems Manager is reached; empty when this server does not speak to it.
    pub endpoint: String,
    /// Where its pages are, as an address; empty when this server does not serve them.
    pub url: String,
    /// Whether these pages are its.
    pub is_here: bool,
    /// Whether what is behind it is production.
    pub is_production: bool,
    /// How it stands.
    pub state: ConnectionState,
    /// When its nodes were last copied.
    pub synced_at: Option<Timestamp>,
    /// Why it is unreachable, or what is wrong with it all the same.
    pub message: String,
}

/// What the Overview shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewView {
    /// Nodes that report.
    pub nodes_online: u64,
    /// Nodes in the actor's scope.
    pub nodes_total: u64,
    /// Commands that are not finished.
    pub commands_running: u64,
    /// Commands of the last 24 hours that failed.
    pub failed_24h: u64,
    /// Commands of the last 24 hours.
    pub commands_24h: u64,
    /// People signed in now.
    pub people_signed_in: u64,
    /// Unfinished commands, newest first, at most 8.
    pub running: Vec<CommandSummary>,
    /// Finished commands with failures in the last 24 hours, newest first, at most 8.
    pub failed: Vec<CommandSummary>,
    /// The last acts, when the actor may read the audit log.
    pub recent: Option<Vec<AuditEntryView>>,
    /// Nodes that do not report, longest first, at most 8: id and name and last ping.
    pub not_reporting: Vec<(String, String, Option<Timestamp>)>,
    /// When the fleet was last copied.
    pub synced_at: Option<Timestamp>,
    /// The server's time when this was put together.
    pub as_of: Timestamp,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// `Node`, `Command`, `User` or `View`.
    pub kind: String,
    /// What to show.
    pub title: String,
    /// What to show small.
    pub subtitle: String,
    /// Where it is.
    pub url: String,
}

/// What stands above single features. Every call passes the door.
#[async_trait]
pub trait Overview: Send + Sync {
    /// The Overview page.
    async fn get(&self, actor: &Actor) -> Result<OverviewView, PortalError>;
    /// The connections.
    async fn connections(&self, actor: &Actor) -> Result<Vec<ConnectionView>, PortalError>;
    /// At most 12 hits for the palette.
    async fn search(&self, actor: &Actor, text: String) -> Result<Vec<SearchHit>, PortalError>;
}
