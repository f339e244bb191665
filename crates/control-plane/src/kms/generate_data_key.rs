//! `GenerateDataKey`: random bytes, plain and sealed.

use super::decrypt::check_recipient;
use super::encrypt::check;
use super::{CONTEXT, Context, DRY_RUN, GRANT_TOKENS, KEY_ID, RECIPIENT, key_arn, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, one_of, optional, required, whole};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("KeyId", KEY_ID),
    CONTEXT,
    optional("NumberOfBytes", whole(1, 1024)),
    optional("KeySpec", one_of(&["AES_256", "AES_128"])),
    GRANT_TOKENS,
    RECIPIENT,
    DRY_RUN,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    key_id: String,
    encryption_context: Option<Context>,
    number_of_bytes: Option<usize>,
    key_spec: Option<String>,
    recipient: Option<serde_json::Value>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    ciphertext_blob: String,
    plaintext: String,
    key_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_recipient(input.recipient.as_ref())?;
    let length = match (input.number_of_bytes, input.key_spec.as_deref()) {
        (Some(length), None) => length,
        (None, Some("AES_128")) => 16,
        (None, Some(_)) => 32,
        _ => {
            return Err(ApiError::validation(
                "Please specify either number of bytes or key spec.",
            ));
        }
    };
    let id = resolve::key_row(plane, call, &input.key_id).await?.key_id;
    check(None, input.dry_run)?;
    let mut plain = vec![0_u8; length];
    plane.random.fill(&mut plain);
    let context = input.encryption_context.unwrap_or_default();
    let (blob, id) = resolve::seal(plane, call, &id, &plain, &context).await?;
    Ok(Output {
        ciphertext_blob: STANDARD.encode(blob),
        plaintext: STANDARD.encode(plain),
        key_id: key_arn(&plane.config.account, &call.region, &id),
    })
}
