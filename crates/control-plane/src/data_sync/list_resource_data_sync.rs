//! `ListResourceDataSync`: what there is, and how each stands.

use super::create_resource_data_sync::Destination;
use super::queries::{self, SyncRow};
use super::{SYNC_TYPE, TO_DESTINATION};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    SYNC_TYPE,
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    sync_type: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    sync_name: String,
    sync_type: &'static str,
    #[serde(rename = "S3Destination")]
    destination: Destination,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_successful_sync_time: Option<f64>,
    sync_last_modified_time: f64,
    last_status: String,
    sync_created_time: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_sync_status_message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    resource_data_sync_items: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn shown(row: SyncRow) -> Shown {
    Shown {
        sync_name: row.name,
        sync_type: TO_DESTINATION,
        destination: row.destination,
        last_sync_time: row.tried_at.map(seconds),
        last_successful_sync_time: row.succeeded_at.map(seconds),
        sync_last_modified_time: seconds(row.created_at),
        last_status: row.status,
        sync_created_time: seconds(row.created_at),
        last_sync_status_message: row.message,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let rows = if input.sync_type.is_none_or(|kind| kind == TO_DESTINATION) {
        queries::syncs(plane.db.reader(), &call.region).await?
    } else {
        Vec::new()
    };
    let rows = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
    let scope = format!("ListResourceDataSync|{}", call.region);
    let limit = input.max_results.unwrap_or(50);
    let token = input.next_token.as_deref();
    let (rows, next_token) = page_of_whole(&plane.tokens, &scope, token, rows, limit)?;
    Ok(Output {
        resource_data_sync_items: rows.into_iter().map(|(_, row)| shown(row)).collect(),
        next_token,
    })
}
