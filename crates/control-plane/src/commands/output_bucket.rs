//! The built-in bucket of command output: `GET` and `HEAD` of an object, signed as for S3, with ranges,
//! also while the object still grows. Nothing can be listed or written here.

use super::output_store::OutputKey;
use super::queries::{command, invocation};
use super::shown::plugin_folder;
use crate::OUTPUT_BUCKET;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::json_protocol::Received;
use crate::query::xml::escaped;
use crate::router::receive;
use crate::signature::{Caller, authenticate};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

/// Answers for one object.
pub(crate) async fn get_object(
    State(plane): State<Arc<ControlPlane>>,
    Path(key): Path<String>,
    request: Request,
) -> Response {
    let received = match receive(&plane, request).await {
        Ok(received) => received,
        Err(error) => return refusal(&error),
    };
    match object(&plane, OUTPUT_BUCKET, &key, &received).await {
        Ok(response) => response,
        Err(error) => refusal(&error),
    }
}

/// As S3 refuses.
pub(crate) fn refusal(error: &ApiError) -> Response {
    let status = match error.code {
        "NoSuchKey" => 404,
        "InvalidRange" => 416,
        "InternalServerError" => 500,
        _ => 403,
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
        escaped(error.code),
        escaped(error.message.as_deref().unwrap_or_default())
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    (status, [("content-type", "application/xml")], body).into_response()
}

fn no_such_key() -> ApiError {
    ApiError::new("NoSuchKey", "The specified key does not exist.")
}

/// `[prefix/]command/node/plugin/0.step/stream`.
async fn find(plane: &ControlPlane, region: &str, bucket: &str, key: &str) -> ApiResult<OutputKey> {
    let mut parts = key.rsplitn(6, '/');
    let mut next = || parts.next().ok_or_else(no_such_key);
    let (stream, step, plugin, node, id) = (next()?, next()?, next()?, next()?, next()?);
    let prefix = parts.next().unwrap_or_default();
    let step = step.strip_prefix("0.").ok_or_else(no_such_key)?;
    let output = OutputKey::new(id, node, step, stream).ok_or_else(no_such_key)?;
    let row = command(plane.db.reader(), region, id)
        .await?
        .filter(|row| row.output_prefix == prefix && row.output_bucket == bucket)
        .ok_or_else(no_such_key)?;
    let is_declared = |s: &muster_agent_protocol::control::DocumentStep| {
        s.name == step && plugin_folder(&s.action) == plugin
    };
    if !row.content.main_steps.iter().any(is_declared)
        || invocation(plane.db.reader(), id, node).await?.is_none()
    {
        return Err(no_such_key());
    }
    Ok(output)
}

/// First byte and the byte after the last.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(u64, u64),
    Beyond,
}

/// Reads `bytes=5-9`, `bytes=5-` or `bytes=-5`; anything else means the whole object, as S3 takes it.
fn wanted(range: Option<&str>, total: u64) -> Wanted {
    let Some((from, to)) = range
        .and_then(|text| text.strip_prefix("bytes="))
        .and_then(|text| text.split_once('-'))
    else {
        return Wanted::All;
    };
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if to < from => Wanted::All,
        (Ok(from), _) if from >= total => Wanted::Beyond,
        (Ok(from), Ok(to)) => Wanted::Part(from, to.saturating_add(1).min(total)),
        (Ok(from), Err(_)) if to.is_empty() => Wanted::Part(from, total),
        (Err(_), Ok(last)) if from.is_empty() => match (last, total) {
            (0, _) | (_, 0) => Wanted::Beyond,
            _ => Wanted::Part(total.saturating_sub(last), total),
        },
        _ => Wanted::All,
    }
}

/// The output behind a key of a bucket, from where it is kept first of all: also while it grows, and before it is copied.
pub(crate) async fn object(
    plane: &ControlPlane,
    bucket: &str,
    key: &str,
    received: &Received,
) -> ApiResult<Response> {
    let signer = authenticate(plane, &received.signed("s3")).await?;
    if !matches!(signer.caller, Caller::Operator { .. }) {
        return Err(ApiError::denied("Access Denied"));
    }
    let output = find(plane, &signer.region, bucket, key).await?;
    let file = plane.output.file(&output).await.map_err(ApiError::internal)?;
    // Where the node has written nothing yet there is, for a reader that follows, an object without bytes.
    let total = plane
        .output
        .length(&output)
        .await
        .map_err(ApiError::internal)?
        .unwrap_or_default();
    let (status, from, to) = match wanted(received.header("range"), total) {
        Wanted::All => (StatusCode::OK, 0, total),
        Wanted::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Wanted::Beyond => {
            let mut response = refusal(&ApiError::new(
                "InvalidRange",
                "The requested range is not satisfiable",
            ));
            let text = format!("bytes */{total}");
            response
                .headers_mut()
                .insert("content-range", text.parse().map_err(ApiError::internal)?);
            return Ok(response);
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/octet-stream")
        .header("accept-ranges", "bytes")
        .header("cache-control", "no-store")
        .header("content-length", to - from);
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(
            "content-range",
            format!("bytes {from}-{}/{total}", to.saturating_sub(1)),
        );
    }
    let body = match file {
        Some(mut file) if received.parts.method != Method::HEAD => {
            file.seek(SeekFrom::Start(from)).map_err(ApiError::internal)?;
            let reader = tokio::fs::File::from_std(file).take(to - from);
            Body::from_stream(ReaderStream::with_capacity(reader, 64 * 1024))
        }
        _ => Body::empty(),
    };
    response.body(body).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_s3_reads_them() {
        for (range, expected) in [
            (None, Wanted::All),
            (Some("bytes=0-3"), Wanted::Part(0, 4)),
            (Some("bytes=8-99"), Wanted::Part(8, 10)),
            (Some("bytes=8-"), Wanted::Part(8, 10)),
            (Some("bytes=-4"), Wanted::Part(6, 10)),
            (Some("bytes=-99"), Wanted::Part(0, 10)),
            (Some("bytes=10-"), Wanted::Beyond),
            (Some("bytes=-0"), Wanted::Beyond),
            (Some("bytes=5-2"), Wanted::All),
            (Some("bytes=x-y"), Wanted::All),
            (Some("lines=1-2"), Wanted::All),
            (Some("bytes=0-18446744073709551615"), Wanted::Part(0, 10)),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range:?}");
        }
    }
}
