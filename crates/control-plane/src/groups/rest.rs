//! How calls of this service come over the wire: JSON in bodies, the operation in the path. They pass the same door as all
//! others.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::{self, Received};
use crate::operations;
use crate::query::form::Tree;
use crate::router::receive;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Paths and the operations that they mean.
pub(crate) const PATHS: [(&str, &str); 9] = [
    ("/groups", "CreateGroup"),
    ("/delete-group", "DeleteGroup"),
    ("/get-group", "GetGroup"),
    ("/get-group-query", "GetGroupQuery"),
    ("/groups-list", "ListGroups"),
    ("/list-group-resources", "ListGroupResources"),
    ("/resources/search", "SearchResources"),
    ("/update-group", "UpdateGroup"),
    ("/update-group-query", "UpdateGroupQuery"),
];

/// Answers a call of one of [`PATHS`].
pub(crate) async fn call(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let name = PATHS
        .iter()
        .find(|(known, _)| *known == path)
        .map_or("", |(_, name)| *name);
    answer(&plane, name, None, request).await
}

/// Answers a call on the tags of a group.
pub(crate) async fn tags(
    State(plane): State<Arc<ControlPlane>>,
    Path(arn): Path<String>,
    request: Request,
) -> Response {
    let name = match *request.method() {
        Method::PUT => "Tag",
        Method::PATCH => "Untag",
        _ => "GetTags",
    };
    answer(&plane, name, Some(arn), request).await
}

async fn answer(plane: &Arc<ControlPlane>, name: &str, arn: Option<String>, request: Request) -> Response {
    let result = match receive(plane, request).await {
        Ok(received) => serve(plane, name, arn, &received).await,
        Err(error) => Err(error),
    };
    let (status, body, code) = match result {
        Ok(output) => (200, output, None),
        Err(error) => {
            // What a model breaks is a bad request here, in this service's words.
            let code = match error.code {
                "ValidationException" | "SerializationException" | "InvalidNextToken" => {
                    "BadRequestException"
                }
                other => other,
            };
            let message = error.message.unwrap_or_default();
            (error.status, serde_json::json!({"Message": message}), Some(code))
        }
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(code) = code {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
    }
    if let Ok(id) = HeaderValue::from_str(&plane.random.uuid()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

async fn serve(
    plane: &ControlPlane,
    name: &str,
    arn: Option<String>,
    received: &Received,
) -> ApiResult<Value> {
    let operation = operations::of_action("resource-groups", name).ok_or_else(operations::unknown)?;
    let input = || input(arn, received);
    json_protocol::through_the_door(plane, received, operation, input).await
}

/// The body, with what the path and the query say.
fn input(arn: Option<String>, received: &Received) -> ApiResult<Value> {
    let body = if received.body.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(&received.body)
            .map_err(|error| ApiError::validation(format!("The body is not JSON: {error}.")))?
    };
    let Value::Object(mut members) = body else {
        return Err(ApiError::validation("The body is JSON, but not an object."));
    };
    if let Some(arn) = arn {
        members.insert("Arn".into(), arn.into());
    }
    let query = Tree::read(received.parts.uri.query().unwrap_or_default().as_bytes())?;
    if let Some(text) = query.text("maxResults") {
        let number = text.parse::<i64>().map_or_else(|_| text.into(), Value::from);
        members.insert("MaxResults".into(), number);
    }
    if let Some(text) = query.text("nextToken") {
        members.insert("NextToken".into(), text.into());
    }
    Ok(Value::Object(members))
}
