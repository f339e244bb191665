//! `CreateKey`: symmetric keys for sealing. Other kinds are refused by name.

use super::{KeyMetadata, SYMMETRIC, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Pattern, Shape, list, matching, one_of, optional, required, text};
use serde::{Deserialize, Serialize};

const SPECS: &[&str] = &[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SYMMETRIC,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];
/// The older member knows fewer of them.
const OLD_SPECS: &[&str] = SPECS.split_at(13).0;
const POLICY: Pattern = Pattern {
    text: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
    holds: |text| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'))
    },
};

pub(crate) const INPUT: &[Member] = &[
    optional("Policy", matching(1, 131_072, POLICY)),
    optional("Description", text(0, 8192)),
    optional(
        "KeyUsage",
        one_of(&[
            "SIGN_VERIFY",
            "ENCRYPT_DECRYPT",
            "GENERATE_VERIFY_MAC",
            "KEY_AGREEMENT",
            "ENCAPSULATE_DECAPSULATE",
        ]),
    ),
    optional("CustomerMasterKeySpec", one_of(OLD_SPECS)),
    optional("KeySpec", one_of(SPECS)),
    optional(
        "Origin",
        one_of(&["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
    ),
    optional("CustomKeyStoreId", text(1, 64)),
    optional("BypassPolicyLockoutSafetyCheck", Shape::Flag),
    optional(
        "Tags",
        list(
            0,
            usize::MAX,
            &Shape::Record(&[
                required("TagKey", text(1, 128)),
                required("TagValue", text(0, 256)),
            ]),
        ),
    ),
    optional("MultiRegion", Shape::Flag),
    optional(
        "XksKeyId",
        matching(
            1,
            128,
            Pattern {
                text: "^[a-zA-Z0-9-_.]+$",
                holds: |text| {
                    !text.is_empty()
                        && text
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                },
            },
        ),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    policy: Option<String>,
    description: Option<String>,
    key_usage: Option<String>,
    customer_master_key_spec: Option<String>,
    key_spec: Option<String>,
    origin: Option<String>,
    custom_key_store_id: Option<String>,
    xks_key_id: Option<String>,
    multi_region: Option<bool>,
    tags: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    key_metadata: KeyMetadata,
}

fn check(input: &Input) -> ApiResult<()> {
    let unsupported = |what: &str| Err(ApiError::new("UnsupportedOperationException", what));
    let spec = input
        .key_spec
        .as_ref()
        .or(input.customer_master_key_spec.as_ref());
    if spec.is_some_and(|spec| spec != SYMMETRIC)
        || input
            .key_usage
            .as_ref()
            .is_some_and(|usage| usage != "ENCRYPT_DECRYPT")
    {
        return unsupported(
            "This endpoint makes keys of KeySpec SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT only.",
        );
    }
    if input.origin.as_ref().is_some_and(|origin| origin != "AWS_KMS")
        || input.custom_key_store_id.is_some()
        || input.xks_key_id.is_some()
    {
        return unsupported("This endpoint keeps keys of the Origin AWS_KMS only, in its own store.");
    }
    if input.multi_region == Some(true) {
        return unsupported("Keys of this endpoint belong to one region: leave MultiRegion out.");
    }
    if input.policy.is_some() {
        return unsupported(
            "Keys of this endpoint have no Policy: whoever may call it may use them. Leave it out.",
        );
    }
    if input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(ApiError::new(
            "TagException",
            "Keys of this endpoint have no Tags: leave them out.",
        ));
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check(&input)?;
    let description = input.description.unwrap_or_default();
    let key = resolve::make_key(
        plane,
        plane.db.writer(),
        &call.region,
        "CUSTOMER",
        &description,
        call.now,
    )
    .await?;
    Ok(Output {
        key_metadata: KeyMetadata::of(key, &plane.config.account),
    })
}
