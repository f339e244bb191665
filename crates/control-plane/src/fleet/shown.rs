//! A node as lists show it: what `DescribeInstanceInformation` and `DescribeInstanceProperties` both say of one.

use super::node_filters::{RESOURCE_TYPE, SOURCE_TYPE};
use super::queries::NodeRow;
use super::seconds;
use super::standing::{self, Standing};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    instance_id: String,
    ping_status: &'static str,
    last_ping_date_time: f64,
    agent_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    platform_type: String,
    platform_name: String,
    platform_version: String,
    activation_id: String,
    iam_role: String,
    registration_date: f64,
    resource_type: &'static str,
    name: String,
    #[serde(rename = "IPAddress", skip_serializing_if = "String::is_empty")]
    ip_address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    computer_name: String,
    source_id: String,
    source_type: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    associations: Option<Standing>,
}

/// Since when a node must have been heard of to be online, in epoch milliseconds.
pub(crate) fn online_since(plane: &ControlPlane, call: &Call) -> i64 {
    call.now.plus_ms(-plane.config.connection_lost_after_ms).0
}

/// These nodes, with how their associations stand.
pub(crate) async fn shown(plane: &ControlPlane, call: &Call, rows: Vec<NodeRow>) -> ApiResult<Vec<Shown>> {
    let ids: Vec<String> = rows.iter().map(|row| row.node_id.clone()).collect();
    let mut standing = standing::of_nodes(plane.db.reader(), &call.region, &ids).await?;
    let online_since = online_since(plane, call);
    let one = |row: NodeRow| Shown {
        associations: standing.remove(&row.node_id),
        ping_status: if row.last_ping_at.0 >= online_since {
            "Online"
        } else {
            "ConnectionLost"
        },
        last_ping_date_time: seconds(row.last_ping_at),
        agent_version: row.agent_version,
        platform_type: row.platform_type,
        platform_name: row.platform_name,
        platform_version: row.platform_version,
        activation_id: row.activation_id,
        iam_role: row.iam_role,
        registration_date: seconds(row.registered_at),
        resource_type: RESOURCE_TYPE,
        name: row.name,
        ip_address: row.ip_address,
        computer_name: row.computer_name,
        source_id: row.node_id.clone(),
        source_type: SOURCE_TYPE,
        instance_id: row.node_id,
    };
    Ok(rows.into_iter().map(one).collect())
}
