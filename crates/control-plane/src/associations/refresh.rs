//! `aws:refreshAssociation`: a command that has the associations of its nodes run there now. They are started when the
//! command is sent to the node; each run is a command of its own.

use super::queries;
use super::run_queries::of_node;
use super::running;
use crate::commands::embedded::values_of;
use crate::commands::order;
use crate::commands::queries::CommandRow;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::for_agent;
use crate::errors::ApiResult;
use muster_agent_protocol::control::{DocumentContent, DocumentStep};
use muster_agent_protocol::inputs;

/// Associations of a node that are looked at in one go.
const AT_ONCE: i64 = 100;

fn is_refresh(step: &DocumentStep) -> bool {
    step.action == "aws:refreshAssociation"
}

/// Whether a document has such a step.
pub(crate) fn refreshes(content: &DocumentContent) -> bool {
    content.main_steps.iter().any(is_refresh)
}

/// Starts what a command asks for on one of its nodes.
pub(crate) async fn on_node(plane: &ControlPlane, command: &CommandRow, node_id: &str) -> ApiResult<()> {
    let given = for_agent(command.resolved.as_ref().unwrap_or(&command.parameters));
    let values = values_of(&command.content, given);
    let mut only = Vec::new();
    for step in command.content.main_steps.iter().filter(|step| is_refresh(step)) {
        let named = inputs::lines_input(&step.inputs, "associationIds", &values);
        only.extend(named.into_iter().filter(|id| !id.trim().is_empty()));
    }
    let mut after = String::new();
    loop {
        let states = of_node(plane.db.reader(), &command.region, node_id, &after, AT_ONCE).await?;
        let Some(last) = states.last() else {
            return Ok(());
        };
        after.clone_from(&last.association_id);
        for state in states {
            let id = &state.association_id;
            if !only.is_empty() && !only.contains(id) {
                continue;
            }
            let Some(row) = queries::association(plane.db.reader(), &command.region, id).await? else {
                continue;
            };
            let version = row.definition.document_version.as_deref();
            let document = order::document(plane, &row.region, &row.definition.name, version).await;
            // One that refreshes by itself would go on for ever.
            let is_endless = document.is_ok_and(|document| document.content.command().is_some_and(refreshes));
            if !is_endless {
                running::start(plane, &row, Some(&[node_id.to_owned()])).await?;
            }
        }
    }
}
