//! What exactly an execution would be: resolved once, and carried out as it stands, now or later.

use crate::commands::is_production;
use crate::ids::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A node that an execution is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Which.
    pub node_id: NodeId,
    /// Its name; empty where the portal does not know it.
    pub name: String,
    /// Its Environment tag; empty where it has none.
    pub environment: String,
}

/// The nodes that an execution is given, and by which parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTargets {
    /// The parameter that takes them.
    pub parameter: String,
    /// Which, by name.
    pub nodes: Vec<PlannedNode>,
    /// Whether Systems Manager makes an execution of its own for each, within the rate control.
    pub one_each: bool,
}

/// All that decides what will run. Two plans that are equal run the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartPlan {
    /// The runbook.
    pub document: String,
    /// Its version, as a number.
    pub document_version: String,
    /// SHA-256 of that version's text, hexadecimal.
    pub content_hash: String,
    /// All parameters that are given; the nodes are among them, unless there is one execution for each.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The nodes, where a parameter takes some.
    pub targets: Option<PlannedTargets>,
    /// At most so many executions at once, where there is one for each node.
    pub max_concurrency: String,
    /// No further ones after so many errors, where there is one for each node.
    pub max_errors: String,
    /// Whether its steps may act on more than the nodes that it is given.
    #[serde(default)]
    pub reaches_further: bool,
}

impl StartPlan {
    /// The nodes that it acts on.
    #[must_use]
    pub fn nodes(&self) -> &[PlannedNode] {
        self.targets.as_ref().map_or(&[], |targets| &targets.nodes)
    }

    /// How many of its nodes are in production.
    #[must_use]
    pub fn in_production(&self) -> u64 {
        let production = self
            .nodes()
            .iter()
            .filter(|node| is_production(&node.environment));
        production.count() as u64
    }
}
