//! `UpdateDocumentDefaultVersion`: which version of a document holds when none is named.

use super::create_document::PLAIN_NAME;
use super::queries;
use super::shown::{missing, pick};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, Pattern, matching, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", PLAIN_NAME),
    required(
        "DocumentVersion",
        matching(
            0,
            usize::MAX,
            Pattern {
                text: "(^[1-9][0-9]*$)",
                holds: |text| {
                    !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
                },
            },
        ),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    document_version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DefaultVersion {
    name: String,
    default_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_version_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    description: DefaultVersion,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut transaction = plane.db.begin().await?;
    if !queries::lock(&mut *transaction, &call.region, &input.name).await? {
        return Err(missing(&input.name));
    }
    let rows = queries::versions(&mut *transaction, &call.region, &input.name).await?;
    let version = pick(rows, Some(&input.document_version), None)?;
    queries::set_default(&mut *transaction, &call.region, &input.name, version.version).await?;
    transaction.commit().await?;
    Ok(Output {
        description: DefaultVersion {
            name: input.name,
            default_version: version.version.to_string(),
            default_version_name: (!version.version_name.is_empty()).then_some(version.version_name),
        },
    })
}
