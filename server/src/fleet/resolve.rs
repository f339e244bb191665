//! What a selection of nodes comes to right now: who would be acted on, who is left out and why.

use crate::error::store;
use crate::fleet::queries;
use muster_domain::commands::is_production;
use muster_domain::fleet::{
    ExcludedNode, NodeSelection, NodeSummary, PingStatus, ResolvedTargets, TargetNode,
};
use muster_domain::permission::Scope;
use muster_domain::{PortalError, Timestamp};
use muster_store::Db;
use std::collections::{BTreeMap, HashSet};

/// Nodes in one selection at most.
pub const MAX_TARGETS: u32 = 10_000;
/// Rows of a preview.
const SHOWN: usize = 200;

/// A selection, resolved in full.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Will be acted on, by name.
    pub targets: Vec<NodeSummary>,
    /// Named, but left out.
    pub excluded: Vec<ExcludedNode>,
    /// Those of them that exist, and only do not report now.
    pub not_reporting: Vec<NodeSummary>,
}

/// Resolves a selection within the scopes in which the actor may run commands.
///
/// # Errors
/// When there are more than [`MAX_TARGETS`], or the database does not answer.
pub async fn resolve(
    db: &Db,
    selection: &NodeSelection,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<Resolved, PortalError> {
    let (nodes, mut excluded) = match selection {
        NodeSelection::Nothing => (Vec::new(), Vec::new()),
        NodeSelection::Nodes { nodes } => {
            if nodes.len() > MAX_TARGETS as usize {
                return Err(too_many(nodes.len()));
            }
            let found = queries::by_ids(db, nodes, scopes).await.map_err(store)?;
            let known: HashSet<&str> = found.iter().map(|node| node.node_id.as_str()).collect();
            let missing = nodes
                .iter()
                .filter(|id| !known.contains(id.as_str()))
                .map(|id| ExcludedNode {
                    node_id: id.clone(),
                    name: String::new(),
                    reason: "There is no such node, or you may not run commands on it.".into(),
                })
                .collect();
            (found, missing)
        }
        NodeSelection::Matching { filter } => {
            let found = queries::matching(db, filter, scopes, now, MAX_TARGETS + 1)
                .await
                .map_err(store)?;
            if found.len() > MAX_TARGETS as usize {
                return Err(too_many(found.len()));
            }
            (found, Vec::new())
        }
    };
    let mut seen = HashSet::new();
    let mut targets = Vec::new();
    let mut not_reporting = Vec::new();
    for node in nodes {
        if !seen.insert(node.node_id.clone()) {
            continue;
        }
        let reason = match node.ping_status {
            PingStatus::Online => None,
            PingStatus::ConnectionLost => Some("It does not report: Systems Manager would refuse it."),
            PingStatus::Inactive => Some("It was deregistered."),
        };
        match reason {
            None => targets.push(node),
            Some(reason) => {
                excluded.push(ExcludedNode {
                    node_id: node.node_id.clone(),
                    name: node.name.clone(),
                    reason: reason.into(),
                });
                if node.ping_status == PingStatus::ConnectionLost {
                    not_reporting.push(node);
                }
            }
        }
    }
    Ok(Resolved {
        targets,
        excluded,
        not_reporting,
    })
}

pub(super) fn too_many(count: usize) -> PortalError {
    PortalError::invalid(
        "targets",
        format!(
            "{count} nodes are more than the {MAX_TARGETS} that one command may have: narrow the selection."
        ),
    )
}

/// A node's Environment tag.
#[must_use]
pub fn environment(node: &NodeSummary) -> Option<&str> {
    let tag = node.tags.iter().find(|tag| tag.key == "Environment")?;
    Some(&tag.value)
}

impl Resolved {
    /// Everybody who is meant: those that report, then those that do not now.
    pub fn all(&self) -> impl Iterator<Item = &NodeSummary> {
        self.targets.iter().chain(&self.not_reporting)
    }

    /// How many of the targets are in production.
    #[must_use]
    pub fn in_production(&self) -> u64 {
        let production = |node: &&NodeSummary| environment(node).is_some_and(is_production);
        self.targets.iter().filter(production).count() as u64
    }

    /// As the preview shows it.
    #[must_use]
    pub fn preview(&self) -> ResolvedTargets {
        let mut by_environment: BTreeMap<String, u64> = BTreeMap::new();
        for node in &self.targets {
            *by_environment
                .entry(environment(node).unwrap_or_default().to_owned())
                .or_default() += 1;
        }
        let mut by_environment: Vec<(String, u64)> = by_environment.into_iter().collect();
        by_environment.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ResolvedTargets {
            count: self.targets.len() as u64,
            nodes: self
                .targets
                .iter()
                .take(SHOWN)
                .map(|node| TargetNode {
                    node_id: node.node_id.clone(),
                    name: node.name.clone(),
                    ping_status: node.ping_status,
                    platform_type: node.platform_type.clone(),
                    environment: environment(node).map(ToOwned::to_owned),
                })
                .collect(),
            by_environment,
            in_production: self.in_production(),
            excluded_count: self.excluded.len() as u64,
            excluded: self.excluded.iter().take(SHOWN).cloned().collect(),
        }
    }
}
