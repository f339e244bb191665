//! `GetCallerIdentity` of the Security Token Service: the Query protocol, form in and XML out. No other
//! operation of that service is answered.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::Received;
use crate::query::form::Tree;
use crate::query::xml::escaped;
use crate::signature::{Caller, authenticate};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Answers it.
pub(crate) async fn answer(plane: &ControlPlane, received: &Received) -> Response {
    let request_id = plane.random.uuid();
    let (status, body) = match identity(plane, received).await {
        Ok((arn, user_id)) => {
            let account = &plane.config.account;
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account></GetCallerIdentityResult>\
                 <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
                escaped(&arn),
                escaped(&user_id),
                escaped(account)
            );
            (StatusCode::OK, body)
        }
        Err(error) => {
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                escaped(error.code),
                escaped(error.message.as_deref().unwrap_or_default())
            );
            (
                StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST),
                body,
            )
        }
    };
    let headers = [
        ("content-type", "text/xml".to_owned()),
        ("x-amzn-requestid", request_id),
    ];
    (status, headers, body).into_response()
}

async fn identity(plane: &ControlPlane, received: &Received) -> ApiResult<(String, String)> {
    if Tree::action(&received.body).as_deref() != Some("GetCallerIdentity") {
        return Err(ApiError::new(
            "InvalidAction",
            "Only GetCallerIdentity is answered by this Security Token Service.",
        ));
    }
    let signer = authenticate(plane, &received.signed("sts")).await?;
    let user_id = match &signer.caller {
        Caller::Operator { key_id, .. } => key_id.replacen("AKIA", "AIDA", 1),
        Caller::Node { node_id, key_id } => {
            format!("{}:{node_id}", key_id.replacen("ASIA", "AROA", 1))
        }
        Caller::NodeKey { .. } | Caller::Anonymous => {
            return Err(ApiError::denied(
                "Get temporary keys first, with RequestManagedInstanceRoleToken.",
            ));
        }
    };
    Ok((arn(plane, &signer.caller), user_id))
}

/// The ARN of a caller, as it is told and written down.
pub(crate) fn arn(plane: &ControlPlane, caller: &Caller) -> String {
    let account = &plane.config.account;
    match caller {
        Caller::Operator { is_portal, .. } => {
            format!("arn:aws:iam::{account}:user/{}", user_name(*is_portal))
        }
        Caller::Node { node_id, .. } | Caller::NodeKey { node_id } => {
            format!("arn:aws:sts::{account}:assumed-role/muster-node/{node_id}")
        }
        Caller::Anonymous => format!("arn:aws:iam::{account}:anonymous"),
    }
}

/// The user's name of who signs with the portal's key or the operator's.
pub(crate) fn user_name(is_portal: bool) -> &'static str {
    if is_portal {
        "muster-portal"
    } else {
        "muster-operator"
    }
}
