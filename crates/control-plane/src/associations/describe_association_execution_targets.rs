//! `DescribeAssociationExecutionTargets`: how a run went on each of its nodes, and where its output is.

use super::run_queries::{executions, executions_sql};
use super::{ASSOCIATION_ID, EXECUTION_ID, find, refused};
use crate::commands::queries::{InvocationRow, invocations, invocations_sql};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("AssociationId", ASSOCIATION_ID),
    required("ExecutionId", EXECUTION_ID),
    optional(
        "Filters",
        list(
            1,
            usize::MAX,
            &Shape::Record(&[
                required("Key", one_of(&["Status", "ResourceId", "ResourceType"])),
                required("Value", text(1, usize::MAX)),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_id: String,
    execution_id: String,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutputSource {
    output_source_id: String,
    output_source_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    association_id: String,
    association_version: String,
    execution_id: String,
    resource_id: String,
    resource_type: &'static str,
    status: &'static str,
    detailed_status: &'static str,
    last_execution_date: f64,
    output_source: OutputSource,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    association_execution_targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, Some(&input.association_id), None, None).await?;
    let mut sql = executions_sql();
    sql.push("e.region = ").text(&row.region);
    sql.push(" and e.association_id = ").text(&row.association_id);
    sql.push(" and e.execution_id = ").text(&input.execution_id);
    let execution = executions(sql, plane.db.reader()).await?.pop().ok_or_else(|| {
        refused(
            "AssociationExecutionDoesNotExist",
            "The specified execution ID does not exist.",
        )
    })?;
    let mut sql = invocations_sql();
    sql.push("where i.command_id = ").text(&execution.command_id);
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        match filter.key.as_str() {
            "Status" => {
                sql.push(" and i.status = ").text(&filter.value);
            }
            "ResourceId" => {
                sql.push(" and i.node_id = ").text(&filter.value);
            }
            _ if filter.value == "ManagedInstance" => {}
            _ => {
                sql.push(" and 1 = 0");
            }
        }
    }
    let question: Vec<(&str, &str)> = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.value.as_str()))
        .collect();
    let scope = format!(
        "DescribeAssociationExecutionTargets|{}|{question:?}",
        execution.execution_id
    );
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and i.node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by i.node_id limit ").int(limit as i64 + 1);
    let rows = invocations(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    let shown = |invocation: InvocationRow| Target {
        association_id: execution.association_id.clone(),
        association_version: execution.version.to_string(),
        execution_id: execution.execution_id.clone(),
        resource_id: invocation.node_id,
        resource_type: "ManagedInstance",
        status: invocation.detail.status(),
        detailed_status: invocation.detail.as_str(),
        last_execution_date: seconds(invocation.ended_at.unwrap_or(execution.created_at)),
        output_source: OutputSource {
            output_source_id: execution.command_id.clone(),
            output_source_type: "RunCommand",
        },
    };
    Ok(Output {
        association_execution_targets: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
