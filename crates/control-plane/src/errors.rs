//! How a call is refused: the service's code, its message where it has one, and the HTTP status.

use muster_domain::PortalError;
use muster_store::StoreError;

/// A refusal, or a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// 400, 404 where a service beside Systems Manager says so, or 500 for faults of ours.
    pub(crate) status: u16,
    /// For example `InvalidInstanceId`.
    pub(crate) code: &'static str,
    /// Left out of the answer when there is none.
    pub(crate) message: Option<String>,
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: Some(message.into()),
        }
    }

    /// A code without a message, as the service does for shapes without members.
    pub(crate) fn bare(code: &'static str) -> Self {
        Self {
            status: 400,
            code,
            message: None,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    /// A fault of ours: the cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "a call could not be served");
        Self {
            status: 500,
            code: "InternalServerError",
            message: Some(
                "The control plane met a fault of its own. Its cause is in the server's log.".into(),
            ),
        }
    }

    /// Not a fault to retry at once: SDKs repeat 5xx, which would only fill the disk further.
    pub(crate) fn disk_full() -> Self {
        tracing::error!("no space is left on the disk");
        Self::new(
            "LimitExceeded",
            "No space is left on the control plane's disk, so nothing was changed. Free some space and try again.",
        )
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_unique_violation() {
            // Two made the same thing at the same moment; the one that came later looks again.
            Self::new(
                "TooManyUpdates",
                "The same was made at the same moment by another call. Look at it and try again.",
            )
        } else if error.is_disk_full() {
            Self::disk_full()
        } else {
            Self::internal(error)
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<PortalError> for ApiError {
    fn from(error: PortalError) -> Self {
        match error {
            // The audit log cannot take the act now, most often for want of space.
            PortalError::Unavailable { message } => Self::new("LimitExceeded", message),
            other => Self::internal(other),
        }
    }
}
