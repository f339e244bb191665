//! Turns internal causes into what may be shown: the cause goes to the log once, under a reference.

use muster_domain::PortalError;
use muster_domain::system::SystemRandom;
use muster_domain::time::Random;
use muster_store::StoreError;

/// Logs `cause` under a new reference and gives the error that shows only the reference.
pub fn internal(what: &str, cause: &dyn std::fmt::Display) -> PortalError {
    let reference = SystemRandom.hex(4);
    tracing::error!(reference, what, %cause, "internal error");
    PortalError::Internal { reference }
}

/// An error of the database, as it may be shown.
pub fn store(cause: impl Into<StoreError>) -> PortalError {
    let cause = cause.into();
    if cause.is_disk_full() {
        tracing::error!(%cause, "the disk is full");
        return PortalError::Unavailable {
            message:
                "No space is left on Muster's disk, so nothing new is accepted and nothing was changed. \
                      Free some space, then try again."
                    .into(),
        };
    }
    internal("database", &cause)
}

/// An error as an HTTP answer: its status, and a JSON body with its sentence.
#[derive(Debug)]
pub struct HttpError(pub PortalError);

impl From<PortalError> for HttpError {
    fn from(error: PortalError) -> Self {
        Self(error)
    }
}

impl axum::response::IntoResponse for HttpError {
    fn into_response(self) -> axum::response::Response {
        let status =
            http::StatusCode::from_u16(self.0.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::json!({ "error": self.0.code(), "message": self.0.to_string() });
        let mut response = (status, axum::Json(body)).into_response();
        if let PortalError::TooManyRequests { retry_after_seconds } = &self.0 {
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, (*retry_after_seconds).into());
        }
        response
    }
}
