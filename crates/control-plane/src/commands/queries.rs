//! SQL of Run Command: commands and their invocations. Nothing else touches these tables.

use super::rate::Limit;
use super::status::{Detail, Tally, of_finished_command};
use super::targets::Target;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::DocumentContent;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyExecutor, Transaction};

/// A command.
#[derive(Clone, Debug)]
pub(crate) struct CommandRow {
    pub(crate) command_id: String,
    pub(crate) region: String,
    pub(crate) document: String,
    pub(crate) document_version: String,
    pub(crate) content: DocumentContent,
    pub(crate) parameters: Given,
    /// The same after references to Parameter Store were followed, where there are any.
    pub(crate) resolved: Option<Given>,
    pub(crate) instance_ids: Vec<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) comment: String,
    pub(crate) max_concurrency: String,
    pub(crate) max_errors: String,
    pub(crate) timeout_seconds: i64,
    pub(crate) execution_timeout_seconds: i64,
    pub(crate) output_bucket: String,
    pub(crate) output_prefix: String,
    pub(crate) output_region: String,
    pub(crate) service_role: String,
    pub(crate) notification: Value,
    pub(crate) cloud_watch: Value,
    pub(crate) requested_at: Timestamp,
    pub(crate) status: String,
    pub(crate) status_details: String,
    pub(crate) target_count: i64,
    pub(crate) completed_count: i64,
    pub(crate) error_count: i64,
    pub(crate) delivery_timed_out_count: i64,
    pub(crate) acknowledged_count: i64,
    pub(crate) finished: bool,
}

fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> ApiResult<T> {
    serde_json::from_str(&row.text(column)?).map_err(|error| ApiError::internal(format!("{column}: {error}")))
}

fn to_json<T: serde::Serialize>(value: &T) -> ApiResult<String> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

impl CommandRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            command_id: row.text("command_id")?,
            region: row.text("region")?,
            document: row.text("document")?,
            document_version: row.text("document_version")?,
            content: json(row, "document_content")?,
            parameters: json(row, "parameters")?,
            resolved: match row.text("resolved_parameters")?.as_str() {
                "" => None,
                text => Some(serde_json::from_str(text).map_err(ApiError::internal)?),
            },
            instance_ids: json(row, "instance_ids")?,
            targets: json(row, "targets")?,
            comment: row.text("comment")?,
            max_concurrency: row.text("max_concurrency")?,
            max_errors: row.text("max_errors")?,
            timeout_seconds: row.int("timeout_seconds")?,
            execution_timeout_seconds: row.int("execution_timeout_seconds")?,
            output_bucket: row.text("output_bucket")?,
            output_prefix: row.text("output_prefix")?,
            output_region: row.text("output_region")?,
            service_role: row.text("service_role")?,
            notification: json(row, "notification")?,
            cloud_watch: json(row, "cloud_watch")?,
            requested_at: row.time("requested_at")?,
            status: row.text("status")?,
            status_details: row.text("status_details")?,
            target_count: row.int("target_count")?,
            completed_count: row.int("completed_count")?,
            error_count: row.int("error_count")?,
            delivery_timed_out_count: row.int("delivery_timed_out_count")?,
            acknowledged_count: row.int("acknowledged_count")?,
            finished: row.flag("finished")?,
        })
    }

    pub(crate) fn max_errors(&self) -> Limit {
        Limit::parse(&self.max_errors).unwrap_or(Limit::Number(0))
    }

    pub(crate) fn max_concurrency(&self) -> Limit {
        Limit::parse(&self.max_concurrency).unwrap_or(Limit::Number(50))
    }
}

/// Begins a query for commands; conditions speak of the table as `c`.
pub(crate) fn commands_sql() -> Sql {
    Sql::new("select c.* from ssm_commands c ")
}

pub(crate) async fn commands(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<CommandRow>> {
    sql.all(on).await?.iter().map(CommandRow::read).collect()
}

pub(crate) async fn command(
    on: impl AnyExecutor<'_>,
    region: &str,
    id: &str,
) -> ApiResult<Option<CommandRow>> {
    let mut sql = commands_sql();
    sql.push("where c.command_id = ")
        .text(id)
        .push(" and c.region = ")
        .text(region);
    sql.first(on).await?.map(|row| CommandRow::read(&row)).transpose()
}

pub(crate) async fn insert_command(on: impl AnyExecutor<'_>, row: &CommandRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_commands (command_id, region, document, document_version, document_content, parameters, \
         resolved_parameters, instance_ids, targets, comment, max_concurrency, max_errors, output_bucket, output_prefix, output_region, \
         service_role, notification, cloud_watch, status, status_details, timeout_seconds, execution_timeout_seconds, \
         requested_at, target_count, completed_count, error_count, delivery_timed_out_count, acknowledged_count, \
         cancel_requested, finished) values (",
    );
    for text in [
        row.command_id.clone(),
        row.region.clone(),
        row.document.clone(),
        row.document_version.clone(),
        to_json(&row.content)?,
        to_json(&row.parameters)?,
        row.resolved
            .as_ref()
            .map(to_json)
            .transpose()?
            .unwrap_or_default(),
        to_json(&row.instance_ids)?,
        to_json(&row.targets)?,
        row.comment.clone(),
        row.max_concurrency.clone(),
        row.max_errors.clone(),
        row.output_bucket.clone(),
        row.output_prefix.clone(),
        row.output_region.clone(),
        row.service_role.clone(),
        to_json(&row.notification)?,
        to_json(&row.cloud_watch)?,
        row.status.clone(),
        row.status_details.clone(),
    ] {
        sql.text(text).push(", ");
    }
    for number in [
        row.timeout_seconds,
        row.execution_timeout_seconds,
        row.requested_at.0,
        row.target_count,
        row.completed_count,
        row.error_count,
        row.delivery_timed_out_count,
        row.acknowledged_count,
    ] {
        sql.int(number).push(", ");
    }
    sql.push("0, ").int(i64::from(row.finished)).push(")");
    sql.run(on).await?;
    Ok(())
}

/// One node's part of a command.
#[derive(Clone, Debug)]
pub(crate) struct InvocationRow {
    pub(crate) command_id: String,
    pub(crate) node_id: String,
    pub(crate) node_name: String,
    pub(crate) requested_at: Timestamp,
    pub(crate) detail: Detail,
    pub(crate) trace_output: String,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) acknowledged_at: Option<Timestamp>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) finished: bool,
}

impl InvocationRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        let detail = row.text("status_details")?;
        Ok(Self {
            command_id: row.text("command_id")?,
            node_id: row.text("node_id")?,
            node_name: row.text("node_name")?,
            requested_at: row.time("requested_at")?,
            detail: Detail::parse(&detail)
                .ok_or_else(|| ApiError::internal(format!("status_details: {detail}")))?,
            trace_output: row.text("trace_output")?,
            sent_at: row.time_or_none("sent_at")?,
            acknowledged_at: row.time_or_none("acknowledged_at")?,
            started_at: row.time_or_none("started_at")?,
            ended_at: row.time_or_none("ended_at")?,
            finished: row.flag("finished")?,
        })
    }
}

/// Begins a query for invocations; conditions speak of the table as `i`.
pub(crate) fn invocations_sql() -> Sql {
    Sql::new("select i.* from ssm_invocations i ")
}

pub(crate) async fn invocations(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<InvocationRow>> {
    sql.all(on).await?.iter().map(InvocationRow::read).collect()
}

pub(crate) async fn invocation(
    on: impl AnyExecutor<'_>,
    command_id: &str,
    node_id: &str,
) -> ApiResult<Option<InvocationRow>> {
    let mut sql = invocations_sql();
    sql.push("where i.command_id = ")
        .text(command_id)
        .push(" and i.node_id = ")
        .text(node_id);
    sql.first(on)
        .await?
        .map(|row| InvocationRow::read(&row))
        .transpose()
}

/// Invocations of a command that have not ended.
pub(crate) async fn open_invocations(
    on: impl AnyExecutor<'_>,
    command_id: &str,
) -> ApiResult<Vec<InvocationRow>> {
    let mut sql = invocations_sql();
    sql.push("where i.finished = 0 and i.command_id = ")
        .text(command_id);
    sql.push(" order by i.node_id");
    invocations(sql, on).await
}

/// How many invocations of a command stand how.
pub(crate) async fn counted(on: impl AnyExecutor<'_>, command_id: &str) -> ApiResult<Vec<(Detail, i64)>> {
    let mut sql = Sql::new("select status_details, count(*) as n from ssm_invocations where command_id = ");
    sql.text(command_id).push(" group by status_details");
    let rows = sql.all(on).await?;
    rows.iter()
        .map(|row| {
            let text = row.text("status_details")?;
            let detail =
                Detail::parse(&text).ok_or_else(|| ApiError::internal(format!("status_details: {text}")))?;
            Ok((detail, row.int("n")?))
        })
        .collect()
}

/// Rows in one insert: well below the number of placeholders that either engine takes.
const ROWS_AT_ONCE: usize = 400;

pub(crate) async fn insert_invocations(
    transaction: &mut Transaction<'static, Any>,
    command: &CommandRow,
    nodes: &[(String, String, Detail)],
) -> ApiResult<()> {
    for rows in nodes.chunks(ROWS_AT_ONCE) {
        let mut sql = Sql::new(
            "insert into ssm_invocations (command_id, node_id, node_name, region, status, status_details, \
             requested_at, ended_at, finished, trace_output) values ",
        );
        for (at, (node_id, node_name, detail)) in rows.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" });
            for text in [
                command.command_id.as_str(),
                node_id,
                node_name,
                &command.region,
                detail.status(),
                detail.as_str(),
            ] {
                sql.text(text).push(", ");
            }
            sql.int(command.requested_at.0).push(", ");
            sql.int_or_none(detail.is_final().then_some(command.requested_at.0))
                .push(", ");
            sql.int(i64::from(detail.is_final())).push(", '')");
        }
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

/// Changes an invocation that has not ended to another state in which it has not ended.
pub(crate) async fn set_detail(
    on: impl AnyExecutor<'_>,
    command_id: &str,
    node_id: &str,
    detail: Detail,
) -> ApiResult<bool> {
    let mut sql = Sql::new("update ssm_invocations set status = ");
    sql.text(detail.status())
        .push(", status_details = ")
        .text(detail.as_str());
    sql.push(" where finished = 0 and command_id = ").text(command_id);
    sql.push(" and node_id = ").text(node_id);
    Ok(sql.run(on).await? == 1)
}

pub(crate) async fn set_sent(
    on: impl AnyExecutor<'_>,
    command_id: &str,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_invocations set sent_at = ");
    sql.int(now.0)
        .push(" where sent_at is null and command_id = ")
        .text(command_id);
    sql.push(" and node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}

/// News about a command: a node has it.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The command's wish to tell somebody, as JSON.
    pub(crate) notification: String,
    /// Whether no node had it before.
    pub(crate) is_first: bool,
}

/// The node has the command. Nothing when that is no news. Ask [`super::notices`].
pub(crate) async fn acknowledge(
    transaction: &mut Transaction<'static, Any>,
    command_id: &str,
    node_id: &str,
    now: Timestamp,
) -> ApiResult<Option<Taken>> {
    let mut sql = Sql::new("update ssm_invocations set acknowledged_at = ");
    sql.int(now.0).push(", started_at = ").int(now.0);
    sql.push(", status = case when status = 'Cancelling' then status else 'InProgress' end");
    sql.push(", status_details = case when status = 'Cancelling' then status_details else 'InProgress' end");
    sql.push(" where acknowledged_at is null and finished = 0 and command_id = ")
        .text(command_id);
    sql.push(" and node_id = ").text(node_id);
    if sql.run(&mut **transaction).await? == 0 {
        return Ok(None);
    }
    let mut sql = Sql::new("update ssm_commands set acknowledged_count = acknowledged_count + 1");
    sql.push(", status = case when status = 'Pending' then 'InProgress' else status end");
    sql.push(", status_details = case when status = 'Pending' then 'InProgress' else status_details end");
    sql.push(" where command_id = ").text(command_id);
    sql.push(" returning notification, acknowledged_count");
    let Some(row) = sql.first(&mut **transaction).await? else {
        return Ok(None);
    };
    Ok(Some(Taken {
        notification: row.text("notification")?,
        is_first: row.int("acknowledged_count")? == 1,
    }))
}

/// News about a command: a node's part has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The command's wish to tell somebody, as JSON.
    pub(crate) notification: String,
    /// Where its output is to go.
    pub(crate) output_bucket: String,
}

/// Ends an invocation, once, and counts it. Nothing when it had ended before. Ask [`super::notices`].
pub(crate) async fn finish(
    transaction: &mut Transaction<'static, Any>,
    command_id: &str,
    node_id: &str,
    detail: Detail,
    trace: &str,
    now: Timestamp,
) -> ApiResult<Option<Ended>> {
    let mut sql = Sql::new("update ssm_invocations set finished = 1, status = ");
    sql.text(detail.status())
        .push(", status_details = ")
        .text(detail.as_str());
    sql.push(", ended_at = ")
        .int(now.0)
        .push(", trace_output = ")
        .text(trace);
    sql.push(" where finished = 0 and command_id = ").text(command_id);
    sql.push(" and node_id = ").text(node_id);
    if sql.run(&mut **transaction).await? == 0 {
        return Ok(None);
    }
    let mut sql = Sql::new(
        "update ssm_commands set completed_count = completed_count + 1, error_count = error_count + ",
    );
    sql.int(i64::from(detail.is_error()));
    sql.push(", delivery_timed_out_count = delivery_timed_out_count + ");
    sql.int(i64::from(detail == Detail::DeliveryTimedOut));
    sql.push(" where command_id = ").text(command_id);
    sql.push(" returning notification, output_bucket");
    let Some(row) = sql.first(&mut **transaction).await? else {
        return Ok(None);
    };
    Ok(Some(Ended {
        notification: row.text("notification")?,
        output_bucket: row.text("output_bucket")?,
    }))
}

/// Ends the command when all of its invocations have ended. Answers how it ended, and its wish to tell somebody. Ask
/// [`super::notices`].
pub(crate) async fn settle(
    transaction: &mut Transaction<'static, Any>,
    command_id: &str,
) -> ApiResult<Option<(&'static str, String)>> {
    let mut sql =
        Sql::new("select max_errors, cancel_requested, notification from ssm_commands where finished = 0");
    sql.push(" and completed_count >= target_count and command_id = ")
        .text(command_id);
    let Some(row) = sql.first(&mut **transaction).await? else {
        return Ok(None);
    };
    let notification = row.text("notification")?;
    let max_errors = Limit::parse(&row.text("max_errors")?).unwrap_or(Limit::Number(0));
    let cancel_requested = row.flag("cancel_requested")?;
    let mut sql = Sql::new("select status_details, count(*) as n from ssm_invocations where command_id = ");
    sql.text(command_id).push(" group by status_details");
    let mut tally = Tally::default();
    for row in sql.all(&mut **transaction).await? {
        if let Some(detail) = Detail::parse(&row.text("status_details")?) {
            tally.add(detail, row.int("n")?);
        }
    }
    let (status, details) = of_finished_command(&tally, max_errors, cancel_requested);
    let mut sql = Sql::new("update ssm_commands set finished = 1, status = ");
    sql.text(status).push(", status_details = ").text(details);
    sql.push(" where command_id = ").text(command_id);
    sql.run(&mut **transaction).await?;
    Ok(Some((status, notification)))
}

pub(crate) async fn request_cancel(on: impl AnyExecutor<'_>, command_id: &str) -> ApiResult<()> {
    let mut sql = Sql::new(
        "update ssm_commands set cancel_requested = 1, status = 'Cancelling', status_details = 'Cancelling' \
         where finished = 0 and command_id = ",
    );
    sql.text(command_id);
    sql.run(on).await?;
    Ok(())
}
