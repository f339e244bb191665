//! `CreateActivation`: an id and a code with which nodes can join. The code is shown once.

use super::from_seconds;
use super::queries::{ActivationRow, insert_activation};
use crate::base32;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::TagInput;
use crate::validation::{
    Member, Pattern, Shape, TAG_PATTERN, TAGS, list, matching, optional, required, text, whole,
};
use muster_agent_protocol::signing::sha256_hex;
use serde::{Deserialize, Serialize};

const NOT_BLANK: Pattern = Pattern {
    text: "^(?!\\s*$).+",
    holds: |text| !text.trim().is_empty(),
};
pub(crate) const INPUT: &[Member] = &[
    optional("Description", text(0, 256)),
    optional("DefaultInstanceName", matching(0, 256, TAG_PATTERN)),
    required("IamRole", text(0, 64)),
    optional("RegistrationLimit", whole(1, 1000)),
    optional("ExpirationDate", Shape::Number),
    optional("Tags", TAGS),
    optional(
        "RegistrationMetadata",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("Key", matching(1, 128, NOT_BLANK)),
                required("Value", matching(1, 2048, NOT_BLANK)),
            ]),
        ),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    description: Option<String>,
    default_instance_name: Option<String>,
    iam_role: String,
    registration_limit: Option<i64>,
    expiration_date: Option<f64>,
    tags: Option<Vec<TagInput>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    activation_id: String,
    activation_code: String,
}

const DAY_MS: i64 = 86_400_000;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let expires_at = input
        .expiration_date
        .map_or(call.now.plus_ms(DAY_MS), from_seconds);
    if expires_at <= call.now || expires_at > call.now.plus_ms(30 * DAY_MS) {
        return Err(ApiError::validation(
            "ExpirationDate must lie in the future, at most 30 days ahead.",
        ));
    }
    let code = base32::mixed(plane.random.as_ref(), 20);
    let row = ActivationRow {
        activation_id: call.fresh_id.clone(),
        region: call.region.clone(),
        code_hash: sha256_hex(code.as_bytes()),
        description: input.description.unwrap_or_default(),
        default_instance_name: input.default_instance_name.unwrap_or_default(),
        iam_role: input.iam_role,
        registration_limit: input.registration_limit.unwrap_or(1),
        registrations: 0,
        tags: input
            .tags
            .unwrap_or_default()
            .into_iter()
            .map(TagInput::pair)
            .collect(),
        created_at: call.now,
        expires_at,
    };
    insert_activation(plane.db.writer(), &row).await?;
    Ok(Output {
        activation_id: row.activation_id,
        activation_code: code,
    })
}
