//! `GetOpsItem`.

use super::queries::OpsItemRow;
use super::{ARN, Definition, ID, arn, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::validation::{Member, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[required("OpsItemId", ID), optional("OpsItemArn", ARN)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ops_item_id: String,
}

/// An item with everything that is known of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    #[serde(flatten)]
    definition: Definition,
    created_by: String,
    ops_item_type: String,
    created_time: f64,
    last_modified_by: String,
    last_modified_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    status: String,
    ops_item_id: String,
    version: String,
    title: String,
    source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    category: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    severity: String,
    ops_item_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    ops_item: Whole,
}

fn whole(plane: &ControlPlane, row: OpsItemRow) -> Whole {
    Whole {
        ops_item_arn: arn(plane, &row.region, &row.id),
        definition: row.definition,
        created_by: row.created_by,
        ops_item_type: row.kind,
        created_time: seconds(row.created_at),
        last_modified_by: row.modified_by,
        last_modified_time: seconds(row.modified_at),
        priority: row.priority,
        status: row.status,
        ops_item_id: row.id,
        version: row.version.to_string(),
        title: row.title,
        source: row.source,
        category: row.category,
        severity: row.severity,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, &input.ops_item_id).await?;
    Ok(Output {
        ops_item: whole(plane, row),
    })
}
