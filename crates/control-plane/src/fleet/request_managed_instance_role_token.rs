//! `RequestManagedInstanceRoleToken`, signed with a node's own key: temporary keys for everything else.

use super::{queries, seconds};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::signature::Caller;
use crate::validation::{Member, required, text};
use muster_agent_protocol::calls::{
    RequestManagedInstanceRoleTokenRequest, RequestManagedInstanceRoleTokenResponse,
};

pub(crate) const INPUT: &[Member] = &[required("Fingerprint", text(1, 512))];

pub(crate) async fn call(
    plane: &ControlPlane,
    call: &Call,
    input: RequestManagedInstanceRoleTokenRequest,
) -> ApiResult<RequestManagedInstanceRoleTokenResponse> {
    let Caller::NodeKey { node_id } = &call.caller else {
        return Err(ApiError::denied("Sign this call with the node's own key."));
    };
    let node = queries::node(plane.db.reader(), node_id)
        .await?
        .ok_or_else(|| ApiError::denied("The node is not registered."))?;
    if node.fingerprint != input.fingerprint {
        return Err(ApiError::new(
            "MachineFingerprintDoesNotMatch",
            "The fingerprint is not the one that this node registered with.",
        ));
    }
    let expires_at = call.now.plus_ms(plane.config.node_credentials_ms);
    let issued = plane
        .keys
        .issue(node_id, &node.region, expires_at, plane.random.as_ref());
    Ok(RequestManagedInstanceRoleTokenResponse {
        access_key_id: issued.access_key_id,
        secret_access_key: issued.secret_access_key,
        session_token: issued.session_token.unwrap_or_default(),
        token_expiration_date: seconds(expires_at),
        update_key_pair: false,
    })
}
