//! What a deployment would do, for its page.

use crate::deployments::plan::{Prepared, nodes_of};
use crate::deployments::service::DeploymentService;
use muster_domain::commands::{check_confirmed, is_production};
use muster_domain::deployments::{DeployPreview, ExcludedFrom};

impl DeploymentService {
    /// What a deployment would do, for the page.
    pub(super) fn preview_of(&self, prepared: Prepared) -> DeployPreview {
        let open = prepared.standing.open().cloned();
        let excluded: Vec<ExcludedFrom> = prepared
            .meant
            .silent()
            .iter()
            .map(|node| ExcludedFrom {
                name: if node.name.is_empty() {
                    node.node_id.to_string()
                } else {
                    node.name.clone()
                },
                reason: node.reason.clone(),
            })
            .collect();
        let left_out: Vec<_> = prepared
            .meant
            .silent()
            .iter()
            .map(|node| node.node_id.clone())
            .collect();
        let mut nodes = nodes_of(&prepared.meant.plan);
        nodes.retain(|node| !left_out.contains(&node.node_id));
        let production = nodes.iter().filter(|node| is_production(&node.environment));
        let in_production = production.count() as u64;
        let planned = prepared.planned;
        let mut notes = Vec::new();
        let content = &planned.release.content;
        if content.content_hash != planned.document_sha256 {
            notes.push(format!(
                "The text of {} in version {} is another one than when this release was made.",
                content.document, content.document_version
            ));
        }
        if !content.sha256.is_empty()
            && !planned
                .parameters
                .values()
                .flatten()
                .any(|value| *value == content.sha256)
        {
            notes.push(
                "The artefact's SHA-256 is written down, but no parameter of the runbook takes it: it is not checked."
                    .to_owned(),
            );
        }
        DeployPreview {
            must_confirm: check_confirmed(None, nodes.len() as u64, in_production).is_err(),
            release: planned.release,
            replaces: prepared.standing.current,
            nodes,
            excluded,
            in_production,
            changes: planned.changes,
            notes,
            steps: prepared.steps.into_iter().map(|step| step.name).collect(),
            stops: planned.stops,
            parameters: planned.parameters,
            busy: open,
        }
    }
}
