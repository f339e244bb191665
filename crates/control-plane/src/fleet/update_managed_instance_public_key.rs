//! `UpdateManagedInstancePublicKey`, signed with the old key: the node changes its key pair.

use super::{Empty, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::signature::Caller;
use crate::validation::{Member, one_of, required, text};
use muster_agent_protocol::signing::NodeKey;
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("NewPublicKey", text(1, 4096)),
    required("NewPublicKeyType", one_of(&["Rsa", "Ed25519"])),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    new_public_key: String,
    new_public_key_type: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let Caller::NodeKey { node_id } = &call.caller else {
        return Err(ApiError::denied("Sign this call with the node's own key."));
    };
    if NodeKey::parse(&input.new_public_key_type, &input.new_public_key).is_none() {
        return Err(ApiError::validation("NewPublicKey is not a key of that type."));
    }
    let (kind, key) = (&input.new_public_key_type, &input.new_public_key);
    queries::set_public_key(plane.db.writer(), node_id, kind, key).await?;
    Ok(Empty {})
}
