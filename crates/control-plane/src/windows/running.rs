//! Doing what `progress` says: finding nodes, writing commands down, cancelling them, ending things. Each step is one
//! transaction that begins by moving on from the state it was decided on, so it is done once.

use super::execution_queries::{self as executions, InvocationRow, TaskRow};
use super::opening;
use super::progress::{Status, Step};
use super::pseudo::Pseudo;
use super::queries;
use super::rounds::Standing;
use super::task::Task;
use super::{TargetDefinition, automation};
use crate::audited;
use crate::commands::order::{self, Order};
use crate::commands::targets::{Target, by_targets};
use crate::commands::{cancel_command, targets};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::queries::{NodeRow, nodes, nodes_sql};
use crate::operations::Call;
use muster_domain::action::Action;
use muster_domain::audit::{API_PREFIX, Intent};
use std::collections::BTreeSet;

/// Does one step.
pub(crate) async fn take(plane: &ControlPlane, standing: &Standing, step: Step) -> ApiResult<()> {
    let now = plane.clock.now();
    let at = |task: usize| standing.tasks.get(task);
    let piece = |task: usize, piece: usize| at(task).and_then(|(row, all)| Some((row, all.get(piece)?)));
    match step {
        Step::StartTask(task) => {
            if let Some((row, _)) = at(task) {
                start_task(plane, standing, row).await?;
            }
        }
        Step::Start {
            task,
            piece: place,
            max_concurrency,
            max_errors,
        } => {
            if let Some((row, invocation)) = piece(task, place) {
                let limits = (max_concurrency, max_errors);
                if row.task.kind == Task::AUTOMATION {
                    let nodes = still_there(plane, &standing.execution.region, &invocation.node_ids).await?;
                    return automation::start(plane, standing, row, invocation, &nodes, limits).await;
                }
                start(plane, standing, row, invocation, limits).await?;
            }
        }
        Step::Stop { task, piece: place } => {
            if let Some((row, invocation)) = piece(task, place) {
                stop(plane, standing, row, invocation).await?;
            }
        }
        Step::End {
            task,
            piece: place,
            status,
            details,
        } => {
            if let Some((_, invocation)) = piece(task, place) {
                executions::set_invocation(plane.db.writer(), invocation, (status, &details), now).await?;
            }
        }
        Step::EndTask {
            task,
            status,
            details,
        } => {
            if let Some((row, _)) = at(task) {
                executions::set_task(plane.db.writer(), row, (status, details), now).await?;
            }
        }
        Step::EndAll { status, details } => {
            let mut row = standing.execution.clone();
            let mut transaction = plane.db.begin().await?;
            let (region, id) = (&row.region, &row.execution_id);
            if executions::set_execution(&mut *transaction, region, id, (status, details), now).await? {
                row.status = status;
                row.status_details = details.to_owned();
                row.ended_at = Some(now);
                opening::tell(plane, &mut transaction, &row, now).await?;
                transaction.commit().await?;
            }
        }
    }
    Ok(())
}

/// What a task works on: nodes for each target, every node once however many targets it is in.
struct Work {
    window_target_id: String,
    owner_information: String,
    nodes: Vec<String>,
}

async fn work(plane: &ControlPlane, standing: &Standing, task: &Task) -> ApiResult<Vec<Work>> {
    let region = &standing.execution.region;
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |found: Vec<NodeRow>, window_target_id: &str, owner: Option<String>| {
        let new: Vec<String> = found
            .into_iter()
            .map(|node| node.node_id)
            .filter(|id| seen.insert(id.clone()))
            .collect();
        if !new.is_empty() {
            all.push(Work {
                window_target_id: window_target_id.to_owned(),
                owner_information: owner.unwrap_or_default(),
                nodes: new,
            });
        }
    };
    match task.window_targets() {
        // A runbook needs no nodes.
        Some(ids) if ids.is_empty() && task.kind == Task::AUTOMATION => {
            all.push(Work {
                window_target_id: String::new(),
                owner_information: String::new(),
                nodes: Vec::new(),
            });
        }
        Some(ids) => {
            for id in ids {
                // One that was taken away since the task was registered is no target any more.
                let window_id = &standing.execution.window_id;
                let target =
                    queries::one_registered::<TargetDefinition>(plane.db.reader(), region, window_id, id)
                        .await?;
                if let Some(target) = target {
                    let found = by_targets(plane, region, &target.targets).await?;
                    add(found, id, target.owner_information);
                }
            }
        }
        None => {
            let found = by_targets(plane, region, &task.targets).await?;
            add(found, "", None);
        }
    }
    Ok(all)
}

async fn start_task(plane: &ControlPlane, standing: &Standing, row: &TaskRow) -> ApiResult<()> {
    let now = plane.clock.now();
    if ![Task::RUN_COMMAND, Task::AUTOMATION].contains(&row.task.kind.as_str()) {
        let why = format!(
            "Tasks of the type {} are not run by this control plane; it runs RUN_COMMAND and AUTOMATION.",
            row.task.kind
        );
        executions::set_task(plane.db.writer(), row, (Status::Failed, &why), now).await?;
        return Ok(());
    }
    let work = match work(plane, standing, &row.task).await {
        Ok(work) => work,
        // What was registered cannot be read as targets: nobody repairs that within the window.
        Err(error) if error.status == 400 => {
            let why = format!("{}: {}", error.code, error.message.unwrap_or_default());
            executions::set_task(plane.db.writer(), row, (Status::Failed, &why), now).await?;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let mut transaction = plane.db.begin().await?;
    if !executions::set_task(&mut *transaction, row, (Status::InProgress, ""), now).await? {
        return Ok(());
    }
    for (position, part) in work.into_iter().enumerate() {
        let invocation = InvocationRow {
            execution_id: row.execution_id.clone(),
            task_execution_id: row.task_execution_id.clone(),
            invocation_id: plane.random.uuid(),
            position: i64::try_from(position).unwrap_or(i64::MAX),
            node_ids: part.nodes,
            command_id: String::new(),
            parameters: String::new(),
            owner_information: part.owner_information,
            window_target_id: part.window_target_id,
            status: Status::Pending,
            status_details: String::new(),
            started_at: None,
            ended_at: None,
        };
        executions::insert_invocation(&mut *transaction, &invocation).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn still_there(plane: &ControlPlane, region: &str, ids: &[String]) -> ApiResult<Vec<NodeRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(targets::IDS_AT_ONCE) {
        let mut sql = nodes_sql();
        sql.push("where n.region = ")
            .text(region)
            .push(" and n.node_id in (")
            .texts(some);
        sql.push(") order by n.node_id");
        found.extend(nodes(sql, plane.db.reader()).await?);
    }
    Ok(found)
}

fn order(
    standing: &Standing,
    row: &TaskRow,
    invocation: &InvocationRow,
    (max_concurrency, max_errors): (i64, i64),
) -> Order {
    let task = &row.task;
    let named = task.run_command();
    let pseudo = Pseudo {
        window_id: &standing.execution.window_id,
        window_task_id: &row.task_id,
        window_target_id: &invocation.window_target_id,
        window_execution_id: &row.execution_id,
        task_execution_id: &row.task_execution_id,
        invocation_id: &invocation.invocation_id,
        resource_id: None,
    };
    let logging = |name: &str| {
        let text = task
            .logging_info
            .as_ref()
            .and_then(|info| info.get(name)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    Order {
        document: task.task_arn.clone(),
        version: named.document_version.clone(),
        hash: named.document_hash.clone(),
        hash_type: named.document_hash_type.clone(),
        parameters: pseudo.in_all(task.command_parameters()),
        // A target, so that a node that is away is waited for as the command allows.
        targets: vec![Target {
            key: "InstanceIds".into(),
            values: invocation.node_ids.clone(),
        }],
        instance_ids: Vec::new(),
        comment: named.comment.clone().unwrap_or_default(),
        max_concurrency: Some(max_concurrency.to_string()),
        max_errors: Some(max_errors.to_string()),
        timeout_seconds: named.timeout_seconds,
        output_bucket: named
            .output_bucket
            .clone()
            .unwrap_or_else(|| logging("S3BucketName")),
        output_prefix: named
            .output_prefix
            .clone()
            .unwrap_or_else(|| logging("S3KeyPrefix")),
        output_region: logging("S3Region"),
        service_role: named
            .service_role_arn
            .clone()
            .or_else(|| task.service_role_arn.clone())
            .unwrap_or_default(),
        notification: named.notification_config.clone(),
        cloud_watch: named.cloud_watch_output_config.clone(),
    }
}

/// Writes an invocation's command down, together with that it was.
async fn start(
    plane: &ControlPlane,
    standing: &Standing,
    row: &TaskRow,
    invocation: &InvocationRow,
    limits: (i64, i64),
) -> ApiResult<()> {
    let region = &standing.execution.region;
    let call = Call::of_server(plane, region);
    let nodes = still_there(plane, region, &invocation.node_ids).await?;
    let order = order(standing, row, invocation, limits);
    // In the form of the service's own answer.
    let parameters = serde_json::json!({
        "documentName": order.document, "instanceIds": invocation.node_ids, "parameters": order.parameters,
        "maxConcurrency": order.max_concurrency, "maxErrors": order.max_errors,
    })
    .to_string();
    let intent = Intent::new(Action::ApiCall, format!("command:{}", call.fresh_id))
        .named(format!("{API_PREFIX}SendCommand"))
        .with("operation", "SendCommand")
        .with("region", region.clone())
        .with(
            "reason",
            format!("maintenance window {}", standing.execution.window_id),
        )
        .with("window_execution", row.execution_id.clone())
        .with("document", order.document.clone())
        .with("parameters", serde_json::json!(order.parameters))
        .with("nodes", serde_json::json!(invocation.node_ids));
    let sent = audited::own_act(plane, &intent, async {
        let version = order.version.clone();
        let document = order::document(plane, region, &order.document, version.as_deref()).await?;
        let prepared = order::prepare(plane, &call, &document, order, &nodes).await?;
        let mut transaction = plane.db.begin().await?;
        let id = &call.fresh_id;
        if executions::set_started(&mut *transaction, invocation, id, &parameters, call.now).await? {
            prepared.insert(&mut transaction).await?;
            transaction.commit().await?;
            prepared.tell(plane);
        }
        Ok(())
    })
    .await;
    match sent {
        Ok(()) => Ok(()),
        // What is wrong with the document or its parameters stays wrong in this window.
        Err(error) if error.status == 400 && error.code != "LimitExceeded" => {
            let why = format!("{}: {}", error.code, error.message.unwrap_or_default());
            let failed = (Status::Failed, why.as_str());
            executions::set_invocation(plane.db.writer(), invocation, failed, call.now).await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Cancelling twice is no fault, so it comes first: whoever stops in between does it again.
async fn stop(
    plane: &ControlPlane,
    standing: &Standing,
    row: &TaskRow,
    invocation: &InvocationRow,
) -> ApiResult<()> {
    let now = plane.clock.now();
    let (region, command_id) = (&standing.execution.region, &invocation.command_id);
    if row.task.kind == Task::AUTOMATION {
        automation::stop(plane, standing, invocation).await?;
        executions::set_invocation(plane.db.writer(), invocation, (Status::Cancelling, ""), now).await?;
        return Ok(());
    }
    match cancel_command::cancel(plane, region, command_id, None, now).await {
        // It was deleted; the next look finds it so.
        Err(error) if error.code != "InvalidCommandId" => return Err(error),
        _ => {}
    }
    executions::set_invocation(plane.db.writer(), invocation, (Status::Cancelling, ""), now).await?;
    Ok(())
}
