//! Objects of buckets that are folders here: `GET` and `HEAD`, signed as for S3. Where buckets are in S3, they are fetched
//! there. Nothing can be listed or written here.

use crate::buckets::{self, is_bucket_name};
use crate::commands::output_bucket::{self, refusal};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::Received;
use crate::router::receive;
use crate::signature::{Caller, authenticate};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::Method;
use object_store::ObjectStoreExt as _;
use std::io::ErrorKind;
use std::sync::Arc;

/// Answers for one object.
pub(crate) async fn get_object(
    State(plane): State<Arc<ControlPlane>>,
    Path((bucket, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    let received = match receive(&plane, request).await {
        Ok(received) => received,
        Err(error) => return refusal(&error),
    };
    // The output of commands is told from where it is kept, so it is there before it is copied.
    let found = match output_bucket::object(&plane, &bucket, &key, &received).await {
        Err(error) if error.code == "NoSuchKey" => object(&plane, &bucket, &key, &received).await,
        other => other,
    };
    found.unwrap_or_else(|error| refusal(&error))
}

/// Whether there can be nothing of that name: a file stands where a folder would have to be, or a part is too long.
fn is_no_place(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = cause {
        if let Some(error) = at.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                ErrorKind::NotADirectory | ErrorKind::InvalidFilename
            );
        }
        cause = at.source();
    }
    false
}

async fn object(plane: &ControlPlane, bucket: &str, key: &str, received: &Received) -> ApiResult<Response> {
    let none = || ApiError::new("NoSuchKey", "The specified key does not exist.");
    let signer = authenticate(plane, &received.signed("s3")).await?;
    if !matches!(signer.caller, Caller::Operator { .. }) {
        return Err(ApiError::denied("Access Denied"));
    }
    let is_here = plane.buckets.address(&signer.region).is_none();
    if !is_here || !is_bucket_name(bucket) || !plane.has_bucket(bucket) {
        return Err(none());
    }
    let objects = plane
        .buckets
        .open(bucket, &signer.region)
        .map_err(ApiError::internal)?;
    let found = match objects.get(&buckets::key(key)).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Err(none()),
        Err(error) if is_no_place(&error) => return Err(none()),
        Err(error) => return Err(ApiError::internal(error)),
    };
    let response = Response::builder()
        .header("content-type", "application/octet-stream")
        .header("cache-control", "no-store")
        .header("content-length", found.meta.size);
    let body = if received.parts.method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(found.into_stream())
    };
    response.body(body).map_err(ApiError::internal)
}
