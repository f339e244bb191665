//! `DescribeInstanceAssociationsStatus`: how each association of a node stands there.

use super::queries;
use super::run_queries::of_node;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::{queries as nodes, seconds};
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{INSTANCE_ID, Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    association_id: String,
    name: String,
    document_version: String,
    association_version: String,
    instance_id: String,
    execution_date: f64,
    status: String,
    detailed_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    association_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    instance_association_status_infos: Vec<Info>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// That there is such a node.
pub(crate) async fn check_node(plane: &ControlPlane, call: &Call, node_id: &str) -> ApiResult<()> {
    let node = nodes::node(plane.db.reader(), node_id).await?;
    match node.filter(|node| node.region == call.region) {
        Some(_) => Ok(()),
        None => Err(ApiError::new(
            "InvalidInstanceId",
            format!("{node_id} is not a valid instance ID"),
        )),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_node(plane, call, &input.instance_id).await?;
    let scope = format!(
        "DescribeInstanceAssociationsStatus|{}|{}",
        call.region, input.instance_id
    );
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(50);
    let on = plane.db.reader();
    let states = of_node(on, &call.region, &input.instance_id, &after, limit as i64 + 1).await?;
    let (states, next_token) = page(&plane.tokens, &scope, states, limit, |state| {
        vec![state.association_id.clone()]
    });
    let mut infos = Vec::with_capacity(states.len());
    for state in states {
        let row = queries::association(on, &call.region, &state.association_id).await?;
        let Some(row) = row else { continue };
        infos.push(Info {
            association_id: state.association_id,
            name: row.definition.name,
            document_version: row
                .definition
                .document_version
                .unwrap_or_else(|| "$DEFAULT".into()),
            association_version: state.version.to_string(),
            instance_id: state.node_id,
            execution_date: seconds(state.execution_at),
            status: state.status,
            detailed_status: state.detailed_status,
            association_name: row.definition.association_name,
        });
    }
    Ok(Output {
        instance_association_status_infos: infos,
        next_token,
    })
}
