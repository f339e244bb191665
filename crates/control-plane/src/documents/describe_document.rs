//! `DescribeDocument`.

use super::built_in::{CREATED, OWNER, default_text};
use super::{NAME, VERSION, VERSION_NAME, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
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
struct Parameter {
    name: &'static str,
    #[serde(rename = "Type")]
    parameter_type: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    hash: String,
    hash_type: &'static str,
    name: &'static str,
    owner: &'static str,
    created_date: f64,
    status: &'static str,
    document_version: &'static str,
    description: String,
    parameters: Vec<Parameter>,
    platform_types: &'static [&'static str],
    document_type: &'static str,
    schema_version: String,
    latest_version: &'static str,
    default_version: &'static str,
    document_format: &'static str,
    tags: [(); 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    document: Description,
}

pub(crate) async fn call(_plane: &ControlPlane, _call: &Call, input: Input) -> ApiResult<Output> {
    let document = find(
        &input.name,
        input.document_version.as_deref(),
        input.version_name.as_deref(),
    )?;
    let parameter = |name: &&'static str| {
        let declared = document.content.parameters.get(*name)?;
        Some(Parameter {
            name,
            parameter_type: declared.parameter_type.clone(),
            description: declared.description.clone(),
            default_value: default_text(declared),
        })
    };
    Ok(Output {
        document: Description {
            hash: document.sha256.clone(),
            hash_type: "Sha256",
            name: document.name,
            owner: OWNER,
            created_date: seconds(CREATED),
            status: "Active",
            document_version: "1",
            description: document.content.description.clone(),
            parameters: document.order.iter().filter_map(parameter).collect(),
            platform_types: document.platforms,
            document_type: "Command",
            schema_version: document.content.schema_version.clone(),
            latest_version: "1",
            default_version: "1",
            document_format: "JSON",
            tags: [],
        },
    })
}
