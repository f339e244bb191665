//! `Decrypt`.

use super::encrypt::{bytes, check};
use super::{
    ALGORITHM, CONTEXT, Context, DRY_RUN, GRANT_TOKENS, KEY_ID, RECIPIENT, SYMMETRIC, key_arn, resolve,
};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, list, one_of, optional};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional("CiphertextBlob", Shape::Blob { min: 1, max: 6144 }),
    CONTEXT,
    GRANT_TOKENS,
    optional("KeyId", KEY_ID),
    ALGORITHM,
    RECIPIENT,
    DRY_RUN,
    optional(
        "DryRunModifiers",
        list(0, usize::MAX, &one_of(&["IGNORE_CIPHERTEXT"])),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    ciphertext_blob: Option<String>,
    encryption_context: Option<Context>,
    key_id: Option<String>,
    encryption_algorithm: Option<String>,
    recipient: Option<serde_json::Value>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    key_id: String,
    plaintext: String,
    encryption_algorithm: &'static str,
}

/// That no enclave is to get the answer: there is none here.
pub(crate) fn check_recipient(recipient: Option<&serde_json::Value>) -> ApiResult<()> {
    if recipient.is_some() {
        return Err(ApiError::validation(
            "This endpoint knows no enclaves: leave Recipient out.",
        ));
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_recipient(input.recipient.as_ref())?;
    let blob = input
        .ciphertext_blob
        .ok_or_else(|| ApiError::validation("CiphertextBlob is missing: give the ciphertext."))?;
    let context = input.encryption_context.unwrap_or_default();
    let (plain, id) = resolve::open(plane, &call.region, &bytes(&blob)?, &context).await?;
    if let Some(named) = &input.key_id
        && resolve::key_row(plane, call, named).await?.key_id != id
    {
        return Err(ApiError::new(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    check(input.encryption_algorithm.as_deref(), input.dry_run)?;
    Ok(Output {
        key_id: key_arn(&plane.config.account, &call.region, &id),
        plaintext: STANDARD.encode(plain),
        encryption_algorithm: SYMMETRIC,
    })
}
