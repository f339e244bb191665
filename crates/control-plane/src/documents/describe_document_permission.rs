//! `DescribeDocumentPermission`: with whom a document is shared.

use super::create_document::PLAIN_NAME;
use super::queries;
use super::shown::missing;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, one_of, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const PERMISSION_TYPE: Shape = one_of(&["Share"]);
pub(crate) const INPUT: &[Member] = &[
    required("Name", PLAIN_NAME),
    required("PermissionType", PERMISSION_TYPE),
    optional("MaxResults", whole(1, 200)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    max_results: Option<u8>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sharing {
    account_id: String,
    shared_document_version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    account_ids: Vec<String>,
    account_sharing_info_list: Vec<Sharing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (on, region, name) = (plane.db.reader(), &call.region, &input.name);
    if queries::versions(on, region, name).await?.is_empty() {
        return Err(missing(name));
    }
    let scope = format!("DescribeDocumentPermission|{region}|{name}");
    let after = match &input.next_token {
        Some(token) => plane.tokens.open(&scope, token)?.into_iter().next(),
        None => None,
    };
    // Of the accounts of one answer the model allows twenty.
    let limit = input.max_results.unwrap_or(20).min(20);
    let rows = queries::shared_with(
        on,
        region,
        name,
        after.as_deref().unwrap_or_default(),
        i64::from(limit) + 1,
    )
    .await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, usize::from(limit), |(account, _)| {
        vec![account.clone()]
    });
    Ok(Output {
        account_ids: rows.iter().map(|(account, _)| account.clone()).collect(),
        account_sharing_info_list: rows
            .into_iter()
            .map(|(account_id, shared_document_version)| Sharing {
                account_id,
                shared_document_version,
            })
            .collect(),
        next_token,
    })
}
