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
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};
use serde_json::Value;

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
    let mut nodes = by_targets(&plane.db, &row.region, &row.definition.all_targets()).await?;
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
        None => row.definition.next(call.now, row.created_at)?,
    };
    let nodes = nodes(plane, row, only).await?;
    let mut execution = ExecutionRow {
        region: row.region.clone(),
        association_id: row.association_id.clone(),
        execution_id: plane.random.uuid(),
        version: row.version,
        command_id: String::new(),
        status: "Pending".into(),
        detailed_status: "Pending".into(),
        counts: Counts::new(),
        created_at: call.now,
    };
    if nodes.is_empty() {
        "Skipped".clone_into(&mut execution.status);
        "NoInstancesInTag".clone_into(&mut execution.detailed_status);
        return ended_at_once(plane, row, next_at, &execution).await;
    }
    execution.command_id.clone_from(&call.fresh_id);
    let ids: Vec<String> = nodes.iter().map(|node| node.node_id.clone()).collect();
    let order = order(row);
    let intent = Intent::new(Action::ApiCall, format!("command:{}", call.fresh_id))
        .named(format!("{API_PREFIX}SendCommand"))
        .with("operation", "SendCommand")
        .with("region", row.region.clone())
        .with("reason", format!("association {}", row.association_id))
        .with("execution", execution.execution_id.clone())
        .with("document", order.document.clone())
        .with("parameters", serde_json::json!(order.parameters))
        .with("nodes", serde_json::json!(ids));
    let sent = audited::own_act(plane, &intent, async {
        let version = order.version.clone();
        let document = order::document(plane, &row.region, &order.document, version.as_deref()).await?;
        let prepared = order::prepare(plane, &call, &document, order, &nodes).await?;
        let mut transaction = plane.db.begin().await?;
        // Who runs it at the same time, or has changed it, has the say.
        if queries::set_next(&mut *transaction, row, next_at).await? {
            prepared.insert(&mut transaction).await?;
            runs::insert(&mut *transaction, &execution, false).await?;
            runs::put_pending(&mut transaction, &execution, &ids).await?;
            let (region, id) = (&row.region, &row.association_id);
            queries::set_last(&mut *transaction, region, id, (call.now, false)).await?;
            transaction.commit().await?;
            prepared.tell(plane);
            return Ok(true);
        }
        Ok(false)
    })
    .await;
    match sent {
        Ok(true) => supersede(plane, row, &execution, only).await,
        Ok(false) => Ok(()),
        // What is wrong with the document or its parameters stays wrong until somebody changes it.
        Err(error) if error.status == 400 && error.code != "LimitExceeded" => {
            execution.command_id.clear();
            "Failed".clone_into(&mut execution.status);
            execution.detailed_status = error.code.to_owned();
            ended_at_once(plane, row, next_at, &execution).await
        }
        Err(error) => Err(error),
    }
}

/// A run that has nothing to send.
async fn ended_at_once(
    plane: &ControlPlane,
    row: &AssociationRow,
    next_at: Option<muster_domain::Timestamp>,
    execution: &ExecutionRow,
) -> ApiResult<()> {
    let mut transaction = plane.db.begin().await?;
    if queries::set_next(&mut *transaction, row, next_at).await? {
        runs::insert(&mut *transaction, execution, true).await?;
        let (region, id) = (&row.region, &row.association_id);
        let last = (execution.created_at, false);
        queries::set_last(&mut *transaction, region, id, last).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// A run everywhere takes the place of those that go on.
async fn supersede(
    plane: &ControlPlane,
    row: &AssociationRow,
    newer: &ExecutionRow,
    only: Option<&[String]>,
) -> ApiResult<()> {
    if only.is_some() {
        return Ok(());
    }
    let mut sql = runs::executions_sql();
    sql.push("e.finished = 0 and e.region = ").text(&row.region);
    sql.push(" and e.association_id = ").text(&row.association_id);
    sql.push(" and e.execution_id <> ").text(&newer.execution_id);
    for older in runs::executions(sql, plane.db.reader()).await? {
        let now = plane.clock.now();
        match cancel_command::cancel(plane, &older.region, &older.command_id, None, now).await {
            Err(error) if error.code != "InvalidCommandId" => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The states of State Manager, from those of Run Command.
fn state_of(detail: Detail) -> (&'static str, &'static str) {
    match detail.status() {
        "Success" => ("Success", "Success"),
        "TimedOut" => ("TimedOut", detail.as_str()),
        _ => ("Failed", detail.as_str()),
    }
}

/// Writes down what a run has come to, when its command has ended.
pub(crate) async fn settle(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<()> {
    let (region, id) = (&execution.region, &execution.association_id);
    let command = commands::command(plane.db.reader(), region, &execution.command_id).await?;
    if command.as_ref().is_some_and(|command| !command.finished) {
        return Ok(());
    }
    let mut sql = commands::invocations_sql();
    sql.push("where i.command_id = ").text(&execution.command_id);
    sql.push(" order by i.node_id");
    let invocations = commands::invocations(sql, plane.db.reader()).await?;
    let mut counts = Counts::new();
    for invocation in &invocations {
        *counts
            .entry(state_of(invocation.detail).0.to_owned())
            .or_default() += 1;
    }
    let (status, detailed) = if counts.contains_key("Failed") || invocations.is_empty() {
        ("Failed", "Failed")
    } else if counts.contains_key("TimedOut") {
        ("TimedOut", "TimedOut")
    } else {
        ("Success", "Success")
    };
    let row = queries::association(plane.db.reader(), region, id).await?;
    let mut transaction = plane.db.begin().await?;
    if !runs::finish(&mut *transaction, execution, (status, detailed), &counts).await? {
        return Ok(());
    }
    for invocation in &invocations {
        let state = state_of(invocation.detail);
        let is_newest = runs::set_node(&mut *transaction, execution, &invocation.node_id, state).await?;
        if let Some(row) = row.as_ref().filter(|row| is_newest && row.definition.counts()) {
            let item = compliance_item(row, state);
            let resource = Resource::node(region, &invocation.node_id);
            let run = Execution {
                at: execution.created_at,
                id: execution.execution_id.clone(),
                kind: "Command".into(),
            };
            let put = compliance::Put {
                compliance_type: compliance::ASSOCIATION,
                items: vec![item],
                execution: &run,
                is_partial: true,
                content_hash: "",
            };
            compliance::put(&mut transaction, &resource, put).await?;
        }
    }
    if status == "Success" {
        queries::set_last(&mut *transaction, region, id, (execution.created_at, true)).await?;
    }
    transaction.commit().await?;
    Ok(())
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

/// For those who delete one: what it still runs is cancelled.
pub(crate) async fn cancel_all(plane: &ControlPlane, region: &str, id: &str) -> ApiResult<()> {
    let mut sql = runs::executions_sql();
    sql.push("e.finished = 0 and e.region = ").text(region);
    sql.push(" and e.association_id = ").text(id);
    for execution in runs::executions(sql, plane.db.reader()).await? {
        let now = plane.clock.now();
        match cancel_command::cancel(plane, region, &execution.command_id, None, now).await {
            Err(ApiError { code, .. }) if code != "InvalidCommandId" => {
                tracing::warn!(code, "a run of a deleted association goes on");
            }
            _ => {}
        }
    }
    Ok(())
}
