//! A small key management service: keys that never leave it, aliases for them, and sealing under them. It is what
//! Parameter Store's secrets are sealed with, and clients may call it too.

pub(crate) mod blob;
pub(crate) mod create_alias;
pub(crate) mod create_key;
pub(crate) mod decrypt;
pub(crate) mod describe_key;
pub(crate) mod encrypt;
pub(crate) mod generate_data_key;
pub(crate) mod list_aliases;
pub(crate) mod list_keys;
pub(crate) mod master;
pub(crate) mod queries;
pub(crate) mod resolve;

use crate::fleet::seconds;
use crate::validation::{ANY_TEXT, Member, Pattern, Shape, list, matching, one_of, optional, text};
use queries::KeyRow;
use serde::Serialize;
use std::collections::BTreeMap;

/// Id, ARN, alias or an alias' ARN.
pub(crate) const KEY_ID: Shape = text(1, 2048);
const GRANT_TOKEN: Shape = text(1, 8192);
const GRANT_TOKENS: Member = optional("GrantTokens", list(0, 10, &GRANT_TOKEN));
const CONTEXT: Member = optional("EncryptionContext", Shape::Map(&ANY_TEXT));
const DRY_RUN: Member = optional("DryRun", Shape::Flag);
const ALGORITHM: Member = optional(
    "EncryptionAlgorithm",
    one_of(&[
        "SYMMETRIC_DEFAULT",
        "RSAES_OAEP_SHA_1",
        "RSAES_OAEP_SHA_256",
        "SM2PKE",
    ]),
);
const RECIPIENT: Member = optional(
    "Recipient",
    Shape::Record(&[
        optional("KeyEncryptionAlgorithm", one_of(&["RSAES_OAEP_SHA_256"])),
        optional("AttestationDocument", Shape::Blob { min: 1, max: 262_144 }),
    ]),
);
const ALIAS_NAME: Shape = matching(
    1,
    256,
    Pattern {
        text: "^[a-zA-Z0-9:/_-]+$",
        holds: |text| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b))
        },
    },
);
const MARKER: Shape = matching(
    1,
    1024,
    Pattern {
        text: "[\\u0020-\\u00FF]*",
        holds: |text| text.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c)),
    },
);

/// What ties a ciphertext to its use, by name.
pub(crate) type Context = BTreeMap<String, String>;

/// A key as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyMetadata {
    #[serde(rename = "AWSAccountId")]
    account: String,
    key_id: String,
    arn: String,
    creation_date: f64,
    enabled: bool,
    description: String,
    key_usage: &'static str,
    key_state: &'static str,
    origin: &'static str,
    key_manager: String,
    customer_master_key_spec: &'static str,
    key_spec: &'static str,
    encryption_algorithms: [&'static str; 1],
    multi_region: bool,
}

impl KeyMetadata {
    pub(crate) fn of(key: KeyRow, account: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: key_arn(account, &key.region, &key.key_id),
            key_id: key.key_id,
            creation_date: seconds(key.created_at),
            enabled: true,
            description: key.description,
            key_usage: "ENCRYPT_DECRYPT",
            key_state: "Enabled",
            origin: "AWS_KMS",
            key_manager: key.manager,
            customer_master_key_spec: SYMMETRIC,
            key_spec: SYMMETRIC,
            encryption_algorithms: [SYMMETRIC],
            multi_region: false,
        }
    }
}

/// The only kind of key that is made here: AES-256-GCM.
pub(crate) const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// The ARN of a key.
pub(crate) fn key_arn(account: &str, region: &str, key_id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{key_id}")
}

/// The ARN of an alias, whose name begins with `alias/`.
pub(crate) fn alias_arn(account: &str, region: &str, alias: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{alias}")
}
