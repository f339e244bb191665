//! `DescribeDocument`.

use super::shown::{Described, find};
use super::{NAME, VERSION, VERSION_NAME};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    optional("DocumentVersion", VERSION),
    optional("VersionName", VERSION_NAME),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    document_version: Option<String>,
    version_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    document: Described,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let document = find(
        plane,
        &call.region,
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
    )
    .await?
    .tagged(plane, &call.region)
    .await?;
    Ok(Output {
        document: document.described(),
    })
}
