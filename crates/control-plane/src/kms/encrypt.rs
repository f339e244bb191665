//! `Encrypt`.

use super::{ALGORITHM, CONTEXT, Context, DRY_RUN, GRANT_TOKENS, KEY_ID, SYMMETRIC, key_arn, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, required, sensitive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("KeyId", KEY_ID),
    sensitive(required("Plaintext", Shape::Blob { min: 1, max: 4096 })),
    CONTEXT,
    GRANT_TOKENS,
    ALGORITHM,
    DRY_RUN,
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    key_id: String,
    plaintext: String,
    encryption_context: Option<Context>,
    encryption_algorithm: Option<String>,
    dry_run: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    ciphertext_blob: String,
    key_id: String,
    encryption_algorithm: &'static str,
}

/// That the algorithm is the one of symmetric keys, and that the caller wants it done.
pub(crate) fn check(algorithm: Option<&str>, dry_run: Option<bool>) -> ApiResult<()> {
    if algorithm.is_some_and(|algorithm| algorithm != SYMMETRIC) {
        return Err(ApiError::new(
            "InvalidKeyUsageException",
            "Keys of this endpoint seal with the EncryptionAlgorithm SYMMETRIC_DEFAULT only.",
        ));
    }
    if dry_run == Some(true) {
        return Err(ApiError::new(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        ));
    }
    Ok(())
}

/// The bytes of a member that was checked to be base64.
pub(crate) fn bytes(text: &str) -> ApiResult<Vec<u8>> {
    STANDARD.decode(text).map_err(ApiError::internal)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let id = resolve::key_row(plane, call, &input.key_id).await?.key_id;
    check(input.encryption_algorithm.as_deref(), input.dry_run)?;
    let context = input.encryption_context.unwrap_or_default();
    let (blob, id) = resolve::seal(plane, call, &id, &bytes(&input.plaintext)?, &context).await?;
    Ok(Output {
        ciphertext_blob: STANDARD.encode(blob),
        key_id: key_arn(&plane.config.account, &call.region, &id),
        encryption_algorithm: SYMMETRIC,
    })
}
