//! The Query protocol: a form in, XML out. EC2, the notification service and the Security Token Service speak it. Calls pass the same door as all
//! others; only how they are read and answered is here.

pub(crate) mod form;
pub(crate) mod sns;
pub(crate) mod xml;

use crate::caller_identity;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::{self, Received};
use crate::operations::{self, Operation};
use axum::response::{IntoResponse, Response};
use form::Tree;
use http::StatusCode;
use serde_json::Value;
use xml::{Style, escaped, write};

/// Whether this is a call in the Query protocol.
pub(crate) fn is_query(received: &Received) -> bool {
    received.header("x-amz-target").is_none()
        && received
            .header("content-type")
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// The service that a request is signed for.
fn service(received: &Received) -> &str {
    let scope = received
        .header("authorization")
        .and_then(|text| text.split_once("Credential="))
        .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default());
    scope
        .and_then(|scope| scope.split('/').nth(3))
        .unwrap_or_default()
}

/// Answers it.
pub(crate) async fn answer(plane: &ControlPlane, received: &Received) -> Response {
    match service(received) {
        "ec2" => ec2(plane, received).await,
        "sns" => sns::answer(plane, received).await,
        // Nobody signs for this one.
        "" if asks_to_confirm(received) => sns::answer(plane, received).await,
        _ => caller_identity::answer(plane, received).await,
    }
}

fn asks_to_confirm(received: &Received) -> bool {
    Tree::action(&received.body).as_deref() == Some("ConfirmSubscription")
}

const STYLE: Style = Style {
    item: "item",
    maps: &[],
};
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

async fn ec2(plane: &ControlPlane, received: &Received) -> Response {
    let request_id = plane.random.uuid();
    let (status, body) = match served(plane, received).await {
        Ok((operation, output)) => {
            let mut body = format!(
                "<{0}Response xmlns=\"{NAMESPACE}\"><requestId>{request_id}</requestId>",
                operation.name
            );
            write(&output, &STYLE, &mut body);
            body.push_str(&format!("</{}Response>", operation.name));
            (StatusCode::OK, body)
        }
        Err(error) => {
            let body = format!(
                "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors>\
                 <RequestID>{request_id}</RequestID></Response>",
                escaped(error.code),
                escaped(error.message.as_deref().unwrap_or_default())
            );
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, body)
        }
    };
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    let headers = [
        ("content-type", "text/xml;charset=UTF-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-amzn-requestid", request_id),
    ];
    (status, headers, body).into_response()
}

async fn served(plane: &ControlPlane, received: &Received) -> ApiResult<(&'static Operation, Value)> {
    let form = Tree::read(&received.body)?;
    let action = form.text("Action").unwrap_or_default();
    let operation = operations::of_action("ec2", action).ok_or_else(|| {
        let known: Vec<&str> = operations::OPERATIONS
            .iter()
            .filter(|operation| operation.service == "ec2")
            .map(|operation| operation.name)
            .collect();
        let action: String = action.chars().take(64).collect();
        ApiError::new(
            "InvalidAction",
            format!(
                "The action {action} is not valid for this web service. It answers {}.",
                known.join(", ")
            ),
        )
    })?;
    let input = || Ok(form.record(operations::members(operation)));
    let output = json_protocol::through_the_door(plane, received, operation, input).await?;
    Ok((operation, output))
}
