//! AUTOMATION tasks of windows: for each target of the window an execution of the runbook, over its nodes where the task's
//! parameters name them (`{{TARGET_ID}}`, `{{RESOURCE_ID}}`).

use super::execution_queries::{self as executions, InvocationRow, TaskRow};
use super::progress::{Piece, Status};
use super::pseudo::Pseudo;
use super::rounds::Standing;
use crate::audited;
use crate::automation::start_automation_execution::{self as start, Wanted};
use crate::automation::targets::Asked;
use crate::automation::{MOST_OPEN, queries};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use muster_automation::Stop;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};
use serde_json::json;

/// What is to be started: one execution, or one over the nodes when the parameters differ from node to node.
fn wanted(
    standing: &Standing,
    row: &TaskRow,
    invocation: &InvocationRow,
    nodes: &[NodeRow],
    (max_concurrency, max_errors): (i64, i64),
) -> Wanted {
    let named = row.task.automation();
    let given = named.parameters.unwrap_or_default();
    let of = |node: Option<&str>| {
        let pseudo = Pseudo {
            window_id: &standing.execution.window_id,
            window_task_id: &row.task_id,
            window_target_id: &invocation.window_target_id,
            window_execution_id: &row.execution_id,
            task_execution_id: &row.task_execution_id,
            invocation_id: &invocation.invocation_id,
            resource_id: node,
        };
        pseudo.in_all(given.clone())
    };
    let same = of(None);
    // By a name that no parameter holds by itself.
    let differs: Vec<String> = {
        let other = of(Some("\0"));
        let names = same
            .iter()
            .filter(|(name, values)| other.get(*name) != Some(*values));
        names.map(|(name, _)| name.clone()).collect()
    };
    let of_node = |node: &NodeRow| {
        let mut all = of(Some(&node.node_id));
        all.retain(|name, _| differs.contains(name));
        all
    };
    let target_maps: Vec<Given> = if differs.is_empty() {
        Vec::new()
    } else {
        nodes.iter().map(of_node).collect()
    };
    let mut parameters = same;
    parameters.retain(|name, _| !differs.contains(name));
    Wanted {
        document: row.task.task_arn.clone(),
        version: named.document_version,
        parameters,
        parent_id: String::new(),
        executed_by: String::new(),
        asked: (!differs.is_empty()).then(|| Asked {
            target_maps,
            max_concurrency: Some(max_concurrency.to_string()),
            max_errors: Some(max_errors.to_string()),
            ..Asked::default()
        }),
        is_interactive: false,
    }
}

/// Writes an invocation's execution down, together with that it was.
pub(super) async fn start(
    plane: &ControlPlane,
    standing: &Standing,
    row: &TaskRow,
    invocation: &InvocationRow,
    nodes: &[NodeRow],
    limits: (i64, i64),
) -> ApiResult<()> {
    // It waits for a place, and is looked at again in the next round: nothing was tried that would have to be told.
    if queries::count_open(plane.db.reader()).await? >= MOST_OPEN {
        return Ok(());
    }
    let region = &standing.execution.region;
    let call = Call::of_server(plane, region);
    let mut wanted = wanted(standing, row, invocation, nodes, limits);
    wanted.executed_by = start::caller_arn(plane, &call);
    let asked = wanted.asked.as_ref();
    let parameters = json!({"documentName": wanted.document, "documentVersion": wanted.version,
        "parameters": wanted.parameters, "targetMaps": asked.map(|asked| &asked.target_maps),
        "maxConcurrency": asked.map(|asked| &asked.max_concurrency), "maxErrors": asked.map(|asked| &asked.max_errors)})
    .to_string();
    let intent = Intent::new(Action::ApiCall, format!("automation:{}", call.fresh_id))
        .named(format!("{API_PREFIX}StartAutomationExecution"))
        .with("operation", "StartAutomationExecution")
        .with("region", region.clone())
        .with(
            "reason",
            format!("maintenance window {}", standing.execution.window_id),
        )
        .with("window_execution", row.execution_id.clone())
        .with("document", wanted.document.clone())
        .with("nodes", json!(invocation.node_ids));
    let started = audited::own_act(plane, &intent, async {
        let prepared = start::prepared(plane, &call, wanted).await?;
        let mut transaction = plane.db.begin().await?;
        if queries::count_open(&mut *transaction).await? >= MOST_OPEN {
            return Err(ApiError::new(
                "LimitExceeded",
                "There are too many automation executions.",
            ));
        }
        let id = &call.fresh_id;
        if executions::set_started(&mut *transaction, invocation, id, &parameters, call.now).await? {
            prepared.insert(&mut transaction).await?;
            transaction.commit().await?;
            plane.wake.notify_one();
        }
        Ok(())
    })
    .await;
    match started {
        // Others took the last places in between; what else is to be done in this round does not wait for it.
        Err(error) if error.code == "LimitExceeded" => Ok(()),
        // What is wrong with the runbook or its parameters stays wrong in this window.
        Err(error) if error.status == 400 => {
            let why = format!("{}: {}", error.code, error.message.unwrap_or_default());
            let failed = (Status::Failed, why.as_str());
            executions::set_invocation(plane.db.writer(), invocation, failed, call.now).await?;
            Ok(())
        }
        other => other,
    }
}

/// Asks an invocation's execution to stop; asking twice is no fault.
pub(super) async fn stop(
    plane: &ControlPlane,
    standing: &Standing,
    invocation: &InvocationRow,
) -> ApiResult<()> {
    let (region, id) = (&standing.execution.region, &invocation.command_id);
    queries::ask_to_stop(plane.db.writer(), region, id, Stop::Cancel).await?;
    plane.wake.notify_one();
    Ok(())
}

/// How an invocation's execution stands.
pub(super) async fn piece(
    plane: &ControlPlane,
    region: &str,
    row: &InvocationRow,
    mut piece: Piece,
) -> ApiResult<Piece> {
    let Some(execution) = queries::execution(plane.db.reader(), region, &row.command_id).await? else {
        piece.ended = Some((
            Status::Failed,
            "Its automation execution is not there any more.".into(),
        ));
        return Ok(piece);
    };
    let ended = match execution.status.as_str() {
        "Success" => Status::Success,
        "Failed" => Status::Failed,
        "TimedOut" => Status::TimedOut,
        "Cancelled" => Status::Cancelled,
        _ => Status::InProgress,
    };
    if execution.plan.is_some() {
        piece.errors = queries::children(&plane.db, &row.command_id).await?.errors;
    } else if matches!(ended, Status::Failed | Status::TimedOut) {
        piece.errors = piece.nodes.max(1);
    }
    if execution.ended_at.is_some() {
        let details = if ended == Status::Success {
            String::new()
        } else {
            let (status, why) = (&execution.status, &execution.failure_message);
            format!("The automation execution ended as {status}. {why}")
                .trim_end()
                .to_owned()
        };
        piece.ended = Some((ended, details));
    }
    Ok(piece)
}
