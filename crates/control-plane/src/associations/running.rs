//! One run of an association: the command that it is, and what came of it, as states of nodes and as compliance.

use super::queries::{self, AssociationRow};
use super::run_queries::{self as runs, Counts, ExecutionRow};
use crate::audited;
use crate::commands::cancel_command;
use crate::commands::order::{self, Order};
use crate::commands::queries as commands;
use crate::commands::status::Detail;
use crate::commands::targets::by_targets;
use crate::compliance;
use crate::compliance::queries::{Execution, Item, Resource};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use muster_domain::Timestamp;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};
use serde_json::Value;
use sqlx::{Any, Transaction};

fn order(row: &AssociationRow) -> Order {
    let definition = &row.definition;
    let output = |name: &str| {
        let location = definition.output_location.as_ref();
        let text = location.and_then(|location| location.get("S3Location")?.get(name)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    Order {
        document: definition.name.clone(),
        version: definition.document_version.clone(),
        parameters: definition.parameters.clone().unwrap_or_default(),
        targets: definition.all_targets(),
        comment: format!("Association {}", row.association_id),
        // What the service takes where nothing is said.
        max_concurrency: Some(
            definition
                .max_concurrency
                .clone()
                .unwrap_or_else(|| "100%".into()),
        ),
        max_errors: Some(definition.max_errors.clone().unwrap_or_else(|| "100%".into())),
        output_bucket: output("OutputS3BucketName"),
        output_prefix: output("OutputS3KeyPrefix"),
        output_region: output("OutputS3Region"),
        ..Order::default()
    }
}

async fn nodes(
    plane: &ControlPlane,
    row: &AssociationRow,
    only: Option<&[String]>,
) -> ApiResult<Vec<NodeRow>> {
    let mut nodes = by_targets(plane, &row.region, &row.definition.all_targets()).await?;
    if let Some(only) = only {
        nodes.retain(|node| only.contains(&node.node_id));
    }
    Ok(nodes)
}

/// Runs an association on all of its nodes, or on some that are new. Its command is written down together with the run.
pub(crate) async fn start(
    plane: &ControlPlane,
    row: &AssociationRow,
    only: Option<&[String]>,
) -> ApiResult<()> {
    let call = Call::of_server(plane, &row.region);
    let next_at = match only {
        Some(_) => row.next_at,
        // A schedule that cannot be read any more runs nothing by itself.
        None => row.definition.next(call.now, row.created_at).unwrap_or_default(),
    };
    let mut run = Run {
        execution: ExecutionRow {
            region: row.region.clone(),
            association_id: row.association_id.clone(),
            execution_id: plane.random.uuid(),
            version: row.version,
            command_id: String::new(),
            status: "Pending".into(),
            detailed_status: "Pending".into(),
            counts: Counts::new(),
            created_at: call.now,
        },
        next_at,
        nodes: Vec::new(),
        is_whole: only.is_none(),
    };
    let nodes = match nodes(plane, row, only).await {
        Ok(nodes) => nodes,
        Err(error) if error.status == 400 => return run.failed(plane, row, error.code).await,
        Err(error) => return Err(error),
    };
    if nodes.is_empty() {
        "Skipped".clone_into(&mut run.execution.status);
        "NoInstancesInTag".clone_into(&mut run.execution.detailed_status);
        return run.ended_at_once(plane, row).await;
    }
    if run.is_whole {
        // It takes the place of those that go on. First, so that whoever stops in between does it again.
        cancel_all(plane, &row.region, &row.association_id).await?;
    }
    run.execution.command_id.clone_from(&call.fresh_id);
    run.nodes = nodes.iter().map(|node| node.node_id.clone()).collect();
    let order = order(row);
    let intent = Intent::new(Action::ApiCall, format!("command:{}", call.fresh_id))
        .named(format!("{API_PREFIX}SendCommand"))
        .with("operation", "SendCommand")
        .with("region", row.region.clone())
        .with("reason", format!("association {}", row.association_id))
        .with("execution", run.execution.execution_id.clone())
        .with("document", order.document.clone())
        .with("parameters", serde_json::json!(order.parameters))
        .with("nodes", serde_json::json!(run.nodes));
    let sent = audited::own_act(plane, &intent, async {
        let version = order.version.clone();
        let document = order::document(plane, &row.region, &order.document, version.as_deref()).await?;
        let prepared = order::prepare(plane, &call, &document, order, &nodes).await?;
        let mut transaction = plane.db.begin().await?;
        if run.begin(&mut transaction, row, false).await? {
            prepared.insert(&mut transaction).await?;
            transaction.commit().await?;
            prepared.tell(plane);
        }
        Ok(())
    })
    .await;
    match sent {
        // What is wrong with the document or its parameters stays wrong until somebody changes it.
        Err(error) if error.status == 400 && error.code != "LimitExceeded" => {
            run.failed(plane, row, error.code).await
        }
        other => other,
    }
}

/// A run that is to be written down.
struct Run {
    execution: ExecutionRow,
    next_at: Option<Timestamp>,
    nodes: Vec<String>,
    /// Whether it is on all nodes, so that those that are not among them are targets no more.
    is_whole: bool,
}

impl Run {
    /// Writes it down, unless somebody else runs it at the same time, or has changed or deleted it.
    async fn begin(
        &self,
        transaction: &mut Transaction<'static, Any>,
        row: &AssociationRow,
        has_ended: bool,
    ) -> ApiResult<bool> {
        if !queries::set_next(&mut **transaction, row, self.next_at).await? {
            return Ok(false);
        }
        let (region, id) = (&row.region, &row.association_id);
        if self.is_whole {
            for state in runs::nodes_of(&mut **transaction, region, id).await? {
                if !self.nodes.contains(&state.node_id) {
                    leave(transaction, region, id, &state.node_id).await?;
                }
            }
        }
        runs::insert(&mut **transaction, &self.execution, has_ended).await?;
        runs::put_pending(transaction, &self.execution, &self.nodes).await?;
        let last = (self.execution.created_at, false);
        queries::set_last(&mut **transaction, region, id, last).await?;
        Ok(true)
    }

    /// It cannot be sent.
    async fn failed(mut self, plane: &ControlPlane, row: &AssociationRow, code: &str) -> ApiResult<()> {
        self.execution.command_id.clear();
        "Failed".clone_into(&mut self.execution.status);
        code.clone_into(&mut self.execution.detailed_status);
        self.ended_at_once(plane, row).await
    }

    /// There is nothing to send.
    async fn ended_at_once(&self, plane: &ControlPlane, row: &AssociationRow) -> ApiResult<()> {
        let mut transaction = plane.db.begin().await?;
        if self.begin(&mut transaction, row, true).await? {
            let state = (
                self.execution.status.as_str(),
                self.execution.detailed_status.as_str(),
            );
            for node in &self.nodes {
                runs::set_node(&mut *transaction, &self.execution, node, state).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}

/// A node is no target any more: nothing is said of it.
pub(crate) async fn leave(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    association_id: &str,
    node_id: &str,
) -> ApiResult<()> {
    runs::forget(&mut **transaction, region, Some(association_id), node_id).await?;
    let resource = Resource::node(region, node_id);
    compliance::take_away(transaction, &resource, compliance::ASSOCIATION, association_id).await
}

/// The states of State Manager, from those of Run Command.
fn state_of(detail: Detail) -> (&'static str, &'static str) {
    match detail.status() {
        "Success" => ("Success", "Success"),
        "TimedOut" => ("TimedOut", detail.as_str()),
        _ => ("Failed", detail.as_str()),
    }
}

/// Nodes whose end is written down in one transaction.
const NODES_AT_ONCE: i64 = 200;

/// Writes down what a run has come to: on each node when it has ended there, and as a whole when its command has.
pub(crate) async fn settle(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<()> {
    while settle_nodes(plane, execution).await? {}
    let (region, id) = (&execution.region, &execution.association_id);
    let command = commands::command(plane.db.reader(), region, &execution.command_id).await?;
    if command.as_ref().is_some_and(|command| !command.finished) {
        return Ok(());
    }
    let mut counts = Counts::new();
    for (detail, count) in commands::counted(plane.db.reader(), &execution.command_id).await? {
        *counts.entry(state_of(detail).0.to_owned()).or_default() += count;
    }
    let status = if counts.contains_key("Failed") || counts.is_empty() {
        "Failed"
    } else if counts.contains_key("TimedOut") {
        "TimedOut"
    } else {
        "Success"
    };
    let mut transaction = plane.db.begin().await?;
    if runs::finish(&mut *transaction, execution, (status, status), &counts).await? {
        if status == "Success" {
            queries::set_last(&mut *transaction, region, id, (execution.created_at, true)).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Some of the nodes on which the run has ended and that do not say so yet. `true` when there may be more.
async fn settle_nodes(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<bool> {
    let (region, id) = (&execution.region, &execution.association_id);
    let mut sql = commands::invocations_sql();
    sql.push("join ssm_association_nodes s on s.region = ")
        .text(region);
    sql.push(" and s.association_id = ").text(id);
    sql.push(" and s.node_id = i.node_id and s.status = 'Pending' and s.execution_id = ")
        .text(&execution.execution_id);
    sql.push(" where i.finished = 1 and i.command_id = ")
        .text(&execution.command_id);
    sql.push(" order by i.node_id limit ").int(NODES_AT_ONCE);
    let ended = commands::invocations(sql, plane.db.reader()).await?;
    if ended.is_empty() {
        return Ok(false);
    }
    let mut transaction = plane.db.begin().await?;
    // Whoever deletes it comes before or after all of this.
    let is_there = queries::lock(&mut *transaction, region, id).await?;
    let row = queries::association(&mut *transaction, region, id).await?;
    let Some(row) = row.filter(|_| is_there) else {
        return Ok(false);
    };
    let run = Execution {
        at: execution.created_at,
        id: execution.execution_id.clone(),
        kind: "Command".into(),
    };
    for invocation in &ended {
        let state = state_of(invocation.detail);
        let is_newest = runs::set_node(&mut *transaction, execution, &invocation.node_id, state).await?;
        if is_newest && row.definition.counts() {
            let put = compliance::Put {
                compliance_type: compliance::ASSOCIATION,
                items: vec![compliance_item(&row, state)],
                execution: &run,
                is_partial: true,
                content_hash: "",
            };
            let resource = Resource::node(region, &invocation.node_id);
            compliance::put(&mut transaction, &resource, put).await?;
        }
    }
    transaction.commit().await?;
    Ok(i64::try_from(ended.len()).unwrap_or(i64::MAX) == NODES_AT_ONCE)
}

fn compliance_item(row: &AssociationRow, (status, detailed): (&str, &str)) -> Item {
    let definition = &row.definition;
    let severity = definition.compliance_severity.clone();
    let details = serde_json::json!({
        "DocumentName": definition.name,
        "DocumentVersion": definition.document_version.as_deref().unwrap_or("$DEFAULT"),
        "AssociationVersion": row.version.to_string(),
        "DetailedStatus": detailed,
    });
    Item {
        id: row.association_id.clone(),
        title: definition.association_name.clone().unwrap_or_default(),
        severity: severity.unwrap_or_else(|| "UNSPECIFIED".into()),
        status: if status == "Success" {
            "COMPLIANT".into()
        } else {
            "NON_COMPLIANT".into()
        },
        details: match details {
            Value::Object(details) => details,
            _ => serde_json::Map::new(),
        },
    }
}

/// Cancels what an association still runs.
async fn cancel_all(plane: &ControlPlane, region: &str, id: &str) -> ApiResult<()> {
    cancel(
        plane,
        region,
        &runs::open_of(plane.db.reader(), region, id).await?,
    )
    .await
}

/// Cancels these commands; one that is not there any more is no fault.
pub(crate) async fn cancel(plane: &ControlPlane, region: &str, command_ids: &[String]) -> ApiResult<()> {
    for command_id in command_ids {
        let now = plane.clock.now();
        match cancel_command::cancel(plane, region, command_id, None, now).await {
            Err(error) if error.code != "InvalidCommandId" => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
