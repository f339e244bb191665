//! How parameters are answered, and how a secret's value is opened for an answer.

use super::name::{Place, Reference};
use super::policies::Policy;
use super::queries::ParameterRow;
use super::{SECURE, get_parameter};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::kms::{Context, resolve};
use crate::operations::Call;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// A parameter with its value.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    value: String,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    last_modified_date: f64,
    #[serde(rename = "ARN")]
    arn: String,
    data_type: String,
}

/// Where parameters of this call are.
pub(crate) fn place<'a>(plane: &'a ControlPlane, call: &'a Call) -> Place<'a> {
    Place {
        region: &call.region,
        account: &plane.config.account,
    }
}

/// What a secret's ciphertext is tied to. The name is AWS's, so that clients can open it with Decrypt themselves.
fn context(arn: String) -> Context {
    Context::from([("PARAMETER_ARN".to_owned(), arn)])
}

/// Seals a secret's value under the key that the caller names.
pub(crate) async fn seal(
    plane: &ControlPlane,
    call: &Call,
    key: &str,
    named: &str,
    value: &str,
) -> ApiResult<String> {
    let context = context(place(plane, call).arn(key));
    let (blob, _) = resolve::seal(plane, call, named, value.as_bytes(), &context)
        .await
        .map_err(|error| invalid_key(plane, error))?;
    Ok(STANDARD.encode(blob))
}

/// As the service tells that its key management service refused.
fn invalid_key(plane: &ControlPlane, error: ApiError) -> ApiError {
    if error.status != 400 || error.code == "LimitExceeded" {
        return error;
    }
    ApiError::new(
        "InvalidKeyId",
        format!(
            "{} (Service: AWSKMS; Status Code: 400; Error Code: {}; Request ID: {})",
            error.message.unwrap_or_default(),
            error.code,
            plane.random.uuid()
        ),
    )
}

/// The value of a version: of a secret what was sealed, unless the caller asks for it plain.
pub(crate) async fn value(
    plane: &ControlPlane,
    call: &Call,
    row: &ParameterRow,
    decrypt: bool,
) -> ApiResult<String> {
    if !decrypt || row.kind != SECURE {
        return Ok(row.value.clone());
    }
    let blob = STANDARD.decode(&row.value).map_err(ApiError::internal)?;
    let context = context(place(plane, call).arn(&row.key));
    let (plain, _) = resolve::open(plane, &row.region, &blob, &context)
        .await
        .map_err(|error| {
            ApiError::internal(format!("the secret {} does not open: {}", row.name, error.code))
        })?;
    String::from_utf8(plain).map_err(|_| ApiError::internal("a secret is not the text that was sealed"))
}

impl Parameter {
    /// A parameter as the caller referred to it.
    pub(crate) async fn of(
        plane: &ControlPlane,
        call: &Call,
        row: ParameterRow,
        reference: Option<&Reference>,
        decrypt: bool,
    ) -> ApiResult<Self> {
        let value = value(plane, call, &row, decrypt).await?;
        let spelled = reference
            .filter(|reference| !reference.is_arn)
            .map(|reference| reference.name.spelled.clone());
        Ok(Self {
            value,
            version: row.version,
            selector: reference.and_then(Reference::selector_text),
            last_modified_date: seconds(row.modified_at),
            arn: place(plane, call).arn(&row.key),
            data_type: row.data_type,
            name: spelled.unwrap_or(row.name),
            kind: row.kind,
        })
    }

    /// The parameter that a text refers to, or the service's refusal.
    pub(crate) async fn find(
        plane: &ControlPlane,
        call: &Call,
        text: &str,
        decrypt: bool,
    ) -> ApiResult<Self> {
        let (reference, row) = get_parameter::find(plane, call, text).await?;
        Self::of(plane, call, row, Some(&reference), decrypt).await
    }
}

/// A policy as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyOutput {
    policy_text: String,
    policy_type: &'static str,
    policy_status: &'static str,
}

impl PolicyOutput {
    fn of(policy: &Policy) -> Self {
        Self {
            policy_text: policy.text.clone(),
            policy_type: policy.type_name(),
            policy_status: if policy.done { "Finished" } else { "Pending" },
        }
    }
}

/// What is known of a version beside its value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metadata {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    key_id: String,
    last_modified_date: f64,
    last_modified_user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    allowed_pattern: String,
    version: i64,
    tier: String,
    policies: Vec<PolicyOutput>,
    data_type: String,
}

impl Metadata {
    pub(crate) fn of(row: ParameterRow) -> Self {
        Self {
            name: row.name,
            kind: row.kind,
            key_id: row.key_id,
            last_modified_date: seconds(row.modified_at),
            last_modified_user: row.modified_by,
            description: row.description,
            allowed_pattern: row.allowed_pattern,
            version: row.version,
            tier: row.tier,
            policies: row.policies.iter().map(PolicyOutput::of).collect(),
            data_type: row.data_type,
        }
    }
}
