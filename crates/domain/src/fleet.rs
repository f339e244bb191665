//! Nodes: what is known of them, how a set of them is named, and saved views.

mod activation;

pub use activation::{ActivationCreated, CreateActivation};

use crate::actor::Actor;
use crate::commands::CommandSummary;
use crate::error::PortalError;
use crate::fleet_filter::FleetFilter;
use crate::ids::{ConnectionId, NodeId, NodeListId, SavedViewId};
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A tag of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// Up to 128 characters.
    pub key: String,
    /// Up to 256 characters; may be empty.
    pub value: String,
}

/// Whether a node answers, in Systems Manager's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PingStatus {
    /// It reports.
    Online,
    /// It has stopped reporting.
    ConnectionLost,
    /// It was deregistered, or Systems Manager no longer lists it.
    Inactive,
}

impl PingStatus {
    /// As Systems Manager writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::ConnectionLost => "ConnectionLost",
            Self::Inactive => "Inactive",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::ConnectionLost => "Not reporting",
            Self::Inactive => "Deregistered",
        }
    }

    /// Reads Systems Manager's word; anything unknown counts as not reporting.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "Online" => Self::Online,
            "Inactive" => Self::Inactive,
            _ => Self::ConnectionLost,
        }
    }
}

/// One node, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// `mi-…` or `i-…`.
    pub node_id: NodeId,
    /// Its name: the activation's default instance name, the Name tag, or the computer name.
    pub name: String,
    /// The host's own name.
    pub computer_name: String,
    /// Whether it answers.
    pub ping_status: PingStatus,
    /// When it last reported.
    pub last_ping_at: Option<Timestamp>,
    /// `Linux`, `Windows` or `MacOS`.
    pub platform_type: String,
    /// For example `Debian GNU/Linux`.
    pub platform_name: String,
    /// For example `12`.
    pub platform_version: String,
    /// The agent's version.
    pub agent_version: String,
    /// The address it reports.
    pub ip_address: String,
    /// Its tags, by key.
    pub tags: Vec<Tag>,
    /// The connection it was seen through.
    pub connection_id: ConnectionId,
    /// When the portal last copied it from Systems Manager.
    pub synced_at: Timestamp,
}

/// One node, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDetail {
    /// The row.
    pub summary: NodeSummary,
    /// `ManagedInstance` or `EC2Instance`.
    pub resource_type: String,
    /// The activation it joined with.
    pub activation_id: Option<String>,
    /// The role it runs under.
    pub iam_role: Option<String>,
    /// When it was registered.
    pub registered_at: Option<Timestamp>,
    /// Its last commands, newest first, at most 10.
    pub recent_commands: Vec<CommandSummary>,
    /// Whether the actor may run commands on this node.
    pub may_run: bool,
    /// Whether the actor may change its tags.
    pub may_edit_tags: bool,
}

/// The columns by which the fleet can be ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FleetSort {
    /// By name.
    #[default]
    Name,
    /// By ping status.
    Status,
    /// By platform name and version.
    Platform,
    /// By agent version.
    Agent,
    /// By address, as text.
    Address,
    /// By last report.
    LastPing,
}

impl FleetSort {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::Status,
        Self::Platform,
        Self::Agent,
        Self::Address,
        Self::LastPing,
    ];

    /// The word in the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Platform => "platform",
            Self::Agent => "agent",
            Self::Address => "address",
            Self::LastPing => "ping",
        }
    }

    /// Reads the word in the URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// Which nodes to list, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetQuery {
    /// Which.
    pub filter: FleetFilter,
    /// In which order.
    pub sort: FleetSort,
    /// Reverse the order.
    pub descending: bool,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// A page of nodes with the counts beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetPage {
    /// The rows; shared, because many people look at the same ones.
    pub page: Arc<Page<NodeSummary>>,
    /// How many match the filter.
    pub matching: u64,
    /// How many the actor may see at all.
    pub total: u64,
    /// How many of those do not report.
    pub not_reporting: u64,
    /// When the portal last copied the fleet; `None` when never.
    pub synced_at: Option<Timestamp>,
    /// Whether the actor may run commands on at least some nodes.
    pub may_run: bool,
    /// Whether the actor may add nodes.
    pub may_add: bool,
}

/// A property with the values that occur, for completing a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// As in a filter: `status`, `platform`, `agent`, `tag:Environment`.
    pub property: String,
    /// Values with their number of nodes, most frequent first, at most 50.
    pub values: Vec<(String, u64)>,
}

/// How a set of nodes is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum NodeSelection {
    /// No node yet.
    #[default]
    Nothing,
    /// One by one.
    Nodes {
        /// Which.
        nodes: Vec<NodeId>,
    },
    /// Everything that matches when it is resolved.
    Matching {
        /// The filter.
        filter: FleetFilter,
    },
}

/// A node that would be acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetNode {
    /// Which.
    pub node_id: NodeId,
    /// Its name.
    pub name: String,
    /// Whether it answers now.
    pub ping_status: PingStatus,
    /// Its platform.
    pub platform_type: String,
    /// Its Environment tag, when it has one.
    pub environment: Option<String>,
}

/// A node that was named but will not be acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedNode {
    /// Which.
    pub node_id: NodeId,
    /// Its name, when known.
    pub name: String,
    /// Why not, as a sentence.
    pub reason: String,
}

/// What a selection comes to right now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedTargets {
    /// How many will be acted on.
    pub count: u64,
    /// The first of them, by name, at most 200.
    pub nodes: Vec<TargetNode>,
    /// How many by Environment tag (empty text: no such tag), largest first.
    pub by_environment: Vec<(String, u64)>,
    /// How many of them are in production.
    #[serde(default)]
    pub in_production: u64,
    /// How many were named but are left out.
    pub excluded_count: u64,
    /// The first of those, at most 200.
    pub excluded: Vec<ExcludedNode>,
}

/// A named filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// Which.
    pub id: SavedViewId,
    /// Its name, unique for its owner.
    pub name: String,
    /// The part of the Fleet URL after `?`: filter, sort and columns.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Who made it.
    pub owner: String,
    /// Whether the actor may delete it.
    pub mine: bool,
}

/// Input: keep a filter under a name. Saving an existing name replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveView {
    /// 1 to 80 characters.
    pub name: String,
    /// The part of the Fleet URL after `?`.
    pub query: String,
    /// Show it to everybody.
    pub shared: bool,
}

impl SaveView {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        if self.name.trim().is_empty() || self.name.chars().count() > 80 {
            return Err(PortalError::invalid(
                "name",
                "Give the view a name of 1 to 80 characters.",
            ));
        }
        if self.query.len() > 2_000 {
            return Err(PortalError::invalid(
                "query",
                "The filter is too long to be saved: remove some of it.",
            ));
        }
        Ok(())
    }
}

/// Input: change a node's tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditTags {
    /// Which node.
    pub node_id: NodeId,
    /// Tags to add or overwrite.
    pub set: Vec<Tag>,
    /// Keys to remove.
    pub remove: Vec<String>,
}

impl EditTags {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        if self.set.is_empty() && self.remove.is_empty() {
            return Err(PortalError::invalid("key", "Say which tag to set or to remove."));
        }
        for tag in &self.set {
            if tag.key.trim().is_empty() || tag.key.chars().count() > 128 {
                return Err(PortalError::invalid("key", "A tag key has 1 to 128 characters."));
            }
            if tag.key.starts_with("aws:") {
                return Err(PortalError::invalid(
                    "key",
                    "Keys that start with aws: are reserved.",
                ));
            }
            if tag.value.chars().count() > 256 {
                return Err(PortalError::invalid(
                    "value",
                    "A tag value has at most 256 characters.",
                ));
            }
        }
        Ok(())
    }
}

/// What can be done with the fleet. Every call passes the door: each may answer
/// [`PortalError::SignInRequired`] or [`PortalError::Forbidden`], and shows only nodes
/// within the actor's scope.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Nodes that match, from the portal's own copy.
    async fn list(&self, actor: &Actor, query: FleetQuery) -> Result<FleetPage, PortalError>;
    /// One node.
    async fn get(&self, actor: &Actor, node: NodeId) -> Result<NodeDetail, PortalError>;
    /// Properties and values that occur.
    async fn facets(&self, actor: &Actor) -> Result<Vec<Facet>, PortalError>;
    /// What a selection would come to for running a command, now.
    async fn resolve(&self, actor: &Actor, selection: NodeSelection) -> Result<ResolvedTargets, PortalError>;
    /// Keeps nodes that were chosen one by one, so that an address can name them.
    async fn keep_nodes(&self, actor: &Actor, nodes: Vec<NodeId>) -> Result<NodeListId, PortalError>;
    /// The nodes of such a list; those that somebody may not see are left out later, as any other nodes.
    async fn kept_nodes(&self, actor: &Actor, list: NodeListId) -> Result<Vec<NodeId>, PortalError>;
    /// Changes tags at Systems Manager and in the portal's copy.
    async fn edit_tags(&self, actor: &Actor, input: EditTags) -> Result<(), PortalError>;
    /// Lets nodes join.
    async fn create_activation(
        &self,
        actor: &Actor,
        input: CreateActivation,
    ) -> Result<ActivationCreated, PortalError>;
    /// The actor's own and the shared views.
    async fn views(&self, actor: &Actor) -> Result<Vec<SavedView>, PortalError>;
    /// Keeps a filter under a name.
    async fn save_view(&self, actor: &Actor, input: SaveView) -> Result<SavedViewId, PortalError>;
    /// Deletes a view of the actor's own (administrators: any shared one).
    async fn delete_view(&self, actor: &Actor, view: SavedViewId) -> Result<(), PortalError>;
}
