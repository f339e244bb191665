//! The notification service in the Query protocol; its links to confirm a subscription are followed by a plain `GET`.

use super::form::Tree;
use super::xml::{Style, escaped, write};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::{self, Received};
use crate::operations::{self, Operation, Who};
use crate::router::receive;
use crate::topics::confirm_subscription;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use std::sync::Arc;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
const STYLE: Style = Style {
    item: "member",
    maps: &["Attributes"],
};

/// Answers a call.
pub(super) async fn answer(plane: &ControlPlane, received: &Received) -> Response {
    let served = served(plane, received, &received.body, None).await;
    answered(plane, served)
}

/// Answers the link that a new subscriber was sent. Nobody signs for it: the token is in it.
pub(crate) async fn confirm(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let served = match receive(&plane, request).await {
        Ok(received) => {
            let form = received.parts.uri.query().unwrap_or_default().as_bytes();
            served(&plane, &received, form, Some("ConfirmSubscription")).await
        }
        Err(error) => Err(error),
    };
    answered(&plane, served)
}

fn answered(plane: &ControlPlane, served: ApiResult<(&'static Operation, Value)>) -> Response {
    let request_id = plane.random.uuid();
    let metadata = format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    let (status, body) = match served {
        Ok((operation, output)) => {
            let name = operation.name;
            let mut body = format!("<{name}Response xmlns=\"{NAMESPACE}\"><{name}Result>");
            write(&output, &STYLE, &mut body);
            body.push_str(&format!("</{name}Result>{metadata}</{name}Response>"));
            (StatusCode::OK, body)
        }
        Err(error) => {
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message>\
                 </Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                escaped(error.code),
                escaped(error.message.as_deref().unwrap_or_default())
            );
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, body)
        }
    };
    let headers = [
        ("content-type", "text/xml".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-amzn-requestid", request_id),
    ];
    (status, headers, body).into_response()
}

/// Does what a form asks for; where `only` is given, nothing else.
async fn served(
    plane: &ControlPlane,
    received: &Received,
    form: &[u8],
    only: Option<&str>,
) -> ApiResult<(&'static Operation, Value)> {
    let form = Tree::read(form)?;
    let action = form.text("Action").unwrap_or_default();
    let operation = operations::of_action("sns", action)
        .filter(|operation| only.is_none_or(|only| operation.name == only))
        .ok_or_else(|| {
            let action: String = action.chars().take(64).collect();
            ApiError::new(
                "InvalidAction",
                format!("The action {action} is not valid for this web service."),
            )
        })?;
    if operation.who == Who::Anonymous && received.header("authorization").is_none() {
        let text = |name: &str| form.text(name).unwrap_or_default();
        confirm_subscription::check_unsigned(plane, text("TopicArn"), text("Token"))?;
    }
    let input = || Ok(form.record(operations::members(operation)));
    let output = json_protocol::through_the_door(plane, received, operation, input).await?;
    Ok((operation, output))
}
