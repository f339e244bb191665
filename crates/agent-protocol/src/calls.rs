//! The JSON calls by which an agent registers, gets credentials and reports (target prefix `AmazonSSM`).
//! These operations are not in the public model; shapes as the open agent sends and expects them.

use serde::{Deserialize, Serialize};

/// The value of the `X-Amz-Target` header for an operation.
#[must_use]
pub fn target(operation: &str) -> String {
    format!("AmazonSSM.{operation}")
}

/// `RegisterManagedInstance`: unsigned; the activation code is the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub struct RegisterManagedInstanceRequest {
    /// From `CreateActivation`.
    pub activation_code: String,
    /// From `CreateActivation`.
    pub activation_id: String,
    /// A text that stays the same for this machine.
    pub fingerprint: String,
    /// Base64: for `Rsa` DER SubjectPublicKeyInfo, for `Ed25519` the 32 raw bytes.
    pub public_key: String,
    /// `Rsa` (Amazon's agent) or `Ed25519` (ours).
    pub public_key_type: String,
}

/// The answer to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterManagedInstanceResponse {
    /// `mi-` and 17 hexadecimal digits.
    pub instance_id: String,
}

/// `RequestManagedInstanceRoleToken`: signed with the node's own key (see [`crate::signing::sign_with_node_key`]).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RequestManagedInstanceRoleTokenRequest {
    /// As registered.
    pub fingerprint: String,
}

/// The answer to it: temporary keys for everything else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RequestManagedInstanceRoleTokenResponse {
    /// Access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// Goes into `X-Amz-Security-Token`.
    pub session_token: String,
    /// Seconds since the Unix epoch.
    pub token_expiration_date: f64,
    /// Whether the node should make a new key pair.
    pub update_key_pair: bool,
}

/// `UpdateInstanceInformation`: the heartbeat and what the node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateInstanceInformationRequest {
    /// The node.
    pub instance_id: String,
    /// `amazon-ssm-agent` or `muster-agent`.
    pub agent_name: String,
    /// Its version.
    pub agent_version: String,
    /// `Active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_status: Option<String>,
    /// `Linux`, `Windows`, `MacOS`.
    pub platform_type: String,
    /// For example `Debian GNU/Linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_name: Option<String>,
    /// For example `12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// The host's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer_name: Option<String>,
    /// Its address.
    #[serde(rename = "IPAddress", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Empty, `ssmmessages` or `ec2messages`.
    #[serde(rename = "SSMConnectionChannel", skip_serializing_if = "Option::is_none")]
    pub connection_channel: Option<String>,
    /// How the node can take a snapshot of itself: `command`, `btrfs`, `lvm`, or empty. An extension.
    #[serde(rename = "MusterSnapshots", skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<String>,
}

/// What a node has of one type, as it was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InventoryItem {
    /// `AWS:Application`, `Custom:…`
    pub type_name: String,
    /// `1.0`
    pub schema_version: String,
    /// `2026-11-26T12:00:00Z`, whole seconds.
    pub capture_time: String,
    /// What the content is known by; empty where it is always sent.
    pub content_hash: String,
    /// One map of texts for each entry.
    pub content: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// An item of `PutInventory`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SentItem {
    /// `AWS:Application`, `Custom:…`
    pub type_name: String,
    /// `1.0`
    pub schema_version: String,
    /// `2026-11-26T12:00:00Z`, whole seconds.
    pub capture_time: String,
    /// What the content is known by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_hash: String,
    /// One map of texts for each entry; left out when the hash says enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<serde_json::Map<String, serde_json::Value>>>,
}

/// `PutInventory`: what a node has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutInventoryRequest {
    /// The node.
    pub instance_id: String,
    /// At most thirty.
    pub items: Vec<SentItem>,
}
