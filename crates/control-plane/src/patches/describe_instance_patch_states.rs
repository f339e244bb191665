//! `DescribeInstancePatchStates`: of nodes that were named. Also how a state is answered.

use super::state_queries::{StateRow, states, states_sql};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{INSTANCE_ID, Member, NEXT_TOKEN, list, optional, required, whole};
use muster_patching::Counts;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("InstanceIds", list(0, 50, &INSTANCE_ID)),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(10, 100)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_ids: Vec<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// How a node stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct State {
    instance_id: String,
    patch_group: String,
    baseline_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    snapshot_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    owner_information: String,
    #[serde(flatten)]
    counts: Counts,
    unreported_not_applicable_count: i64,
    not_applicable_count: i64,
    operation_start_time: f64,
    operation_end_time: f64,
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_no_reboot_install_operation_time: Option<f64>,
    reboot_option: String,
}

fn shown(row: StateRow) -> State {
    State {
        instance_id: row.node_id,
        patch_group: row.patch_group,
        baseline_id: row.baseline_id,
        snapshot_id: row.snapshot_id,
        owner_information: row.owner_information,
        counts: row.counts,
        unreported_not_applicable_count: 0,
        not_applicable_count: 0,
        operation_start_time: seconds(row.started_at),
        operation_end_time: seconds(row.ended_at),
        operation: row.operation,
        last_no_reboot_install_operation_time: row.last_no_reboot_at.map(seconds),
        reboot_option: row.reboot_option,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instance_patch_states: Vec<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// One page of the states that a query means, by node.
pub(crate) async fn paged(
    plane: &ControlPlane,
    scope: &str,
    mut sql: Sql,
    token: Option<&str>,
    limit: Option<usize>,
) -> ApiResult<Output> {
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(scope, token)?;
        sql.push(" and node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = limit.unwrap_or(100);
    sql.push(" order by node_id limit ").int(limit as i64 + 1);
    let rows = states(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, scope, rows, limit, |row| vec![row.node_id.clone()]);
    Ok(Output {
        instance_patch_states: rows.into_iter().map(shown).collect(),
        next_token,
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input.instance_ids.is_empty() {
        return Ok(Output {
            instance_patch_states: Vec::new(),
            next_token: None,
        });
    }
    let mut sql = states_sql(&call.region);
    sql.push(" and node_id in (").texts(&input.instance_ids).push(")");
    let scope = format!(
        "DescribeInstancePatchStates|{}|{:?}",
        call.region, input.instance_ids
    );
    paged(plane, &scope, sql, input.next_token.as_deref(), input.max_results).await
}
