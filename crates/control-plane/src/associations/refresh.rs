//! `aws:refreshAssociation`: a command that has the associations of its nodes run there now. They are started once the
//! command is on its way to the node; each run is a command of its own.

use super::queries::{self, AssociationRow};
use super::run_queries::of_node;
use super::running;
use crate::commands::embedded::{any_step, embed, within};
use crate::commands::order;
use crate::commands::queries::{self as commands, CommandRow};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::for_agent;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{DocumentContent, DocumentStep};
use muster_agent_protocol::inputs;
use muster_store::{RowExt, Sql};
use serde_json::Value;
use sqlx::AnyExecutor;
use std::collections::{BTreeMap, BTreeSet};

/// Associations of a node that are looked at in one go.
const AT_ONCE: i64 = 100;

/// Wishes that are looked at in one go.
const WISHES_AT_ONCE: i64 = 50;

/// Whether a step has the associations of its node run.
pub(crate) fn is_refresh(step: &DocumentStep) -> bool {
    step.action == "aws:refreshAssociation"
}

/// Whether an association has associations run, by itself or by a document within its own: it would go on for ever.
async fn refreshes_itself(plane: &ControlPlane, row: &AssociationRow) -> bool {
    let version = row.definition.document_version.as_deref();
    let Ok(document) = order::document(plane, &row.region, &row.definition.name, version).await else {
        return false;
    };
    let Some(content) = document.content.command() else {
        return false;
    };
    let mut content = content.clone();
    let given = for_agent(&row.definition.parameters.clone().unwrap_or_default());
    // What cannot be put in cannot be run either.
    let _ = embed(plane, &row.region, &mut content, given).await;
    any_step(&content, &is_refresh)
}

/// Writes down that a command is sent to a node which is to run its associations.
pub(crate) async fn wish(on: impl AnyExecutor<'_>, command: &CommandRow, node_id: &str) -> ApiResult<()> {
    let mut sql = Sql::new("insert into ssm_association_refreshes (region, command_id, node_id) values (");
    sql.text(&command.region).push(", ").text(&command.command_id);
    sql.push(", ").text(node_id).push(") on conflict do nothing");
    sql.run(on).await?;
    Ok(())
}

/// Does what was wished for. After a stop in between it may run an association once more, never once less.
pub(crate) async fn round(plane: &ControlPlane) -> ApiResult<()> {
    let mut sql =
        Sql::new("select r.* from ssm_association_refreshes r order by r.command_id, r.node_id limit ");
    sql.int(WISHES_AT_ONCE);
    for row in sql.all(plane.db.reader()).await? {
        let (region, command_id, node_id) =
            (row.text("region")?, row.text("command_id")?, row.text("node_id")?);
        if let Some(command) = commands::command(plane.db.reader(), &region, &command_id).await? {
            // Tried again it would run those that it has run already, and hold up the others.
            if let Err(ApiError { code, .. }) = on_node(plane, &command, &node_id).await {
                tracing::warn!(code, command.id = %command_id, node.id = %node_id, "not all associations could be refreshed");
            }
        }
        let mut sql = Sql::new("delete from ssm_association_refreshes where command_id = ");
        sql.text(command_id).push(" and node_id = ").text(node_id);
        sql.run(plane.db.writer()).await?;
    }
    Ok(())
}

/// Which associations are meant.
#[derive(Default)]
struct Meant {
    all: bool,
    ids: BTreeSet<String>,
}

impl Meant {
    /// Takes what the steps of a document name, and those of documents within it. A step that names none means all.
    fn add(&mut self, content: &DocumentContent, values: &BTreeMap<String, Value>) {
        for step in &content.main_steps {
            if is_refresh(step) {
                let mut ids = inputs::lines_input(&step.inputs, "associationIds", values);
                ids.retain(|id| !id.trim().is_empty());
                self.all |= ids.is_empty();
                self.ids.extend(ids);
            } else if let Some(nested) = within(step) {
                let given =
                    inputs::object_input(&step.inputs, "documentParameters", values).unwrap_or_default();
                let values = inputs::parameter_values(&nested, &given.into_iter().collect());
                self.add(&nested, &values);
            }
        }
    }
}

/// Starts what a command asks for on one of its nodes.
async fn on_node(plane: &ControlPlane, command: &CommandRow, node_id: &str) -> ApiResult<()> {
    let given = for_agent(command.resolved.as_ref().unwrap_or(&command.parameters));
    let values = inputs::parameter_values(&command.content, &given);
    let mut meant = Meant::default();
    meant.add(&command.content, &values);
    let mut after = String::new();
    loop {
        let states = of_node(plane.db.reader(), &command.region, node_id, &after, AT_ONCE).await?;
        let Some(last) = states.last() else {
            return Ok(());
        };
        after.clone_from(&last.association_id);
        for state in states {
            let id = &state.association_id;
            if !meant.all && !meant.ids.contains(id) {
                continue;
            }
            let Some(row) = queries::association(plane.db.reader(), &command.region, id).await? else {
                continue;
            };
            if !refreshes_itself(plane, &row).await {
                running::start(plane, &row, Some(&[node_id.to_owned()])).await?;
            }
        }
    }
}
