//! `DescribeEffectiveInstanceAssociations`: the associations of a node, each with its document.

use super::describe_instance_associations_status::check_node;
use super::queries;
use super::run_queries::of_node;
use crate::commands::order;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{INSTANCE_ID, Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("InstanceId", INSTANCE_ID),
    optional("MaxResults", whole(1, 5)),
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
struct Effective {
    association_id: String,
    instance_id: String,
    content: String,
    association_version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    associations: Vec<Effective>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_node(plane, call, &input.instance_id).await?;
    let scope = format!(
        "DescribeEffectiveInstanceAssociations|{}|{}",
        call.region, input.instance_id
    );
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(5);
    let on = plane.db.reader();
    let states = of_node(on, &call.region, &input.instance_id, &after, limit as i64 + 1).await?;
    let (states, next_token) = page(&plane.tokens, &scope, states, limit, |state| {
        vec![state.association_id.clone()]
    });
    let mut associations = Vec::with_capacity(states.len());
    for state in states {
        let row = queries::association(on, &call.region, &state.association_id).await?;
        let Some(row) = row else { continue };
        let version = row.definition.document_version.as_deref();
        // A document that was deleted since has no content to tell.
        let document = order::document(plane, &call.region, &row.definition.name, version).await;
        associations.push(Effective {
            association_id: state.association_id,
            instance_id: state.node_id,
            content: document.map(|document| document.text).unwrap_or_default(),
            association_version: row.version.to_string(),
        });
    }
    Ok(Output {
        associations,
        next_token,
    })
}
