//! What can go wrong with a recording. No error holds anything that was typed or shown in a session.

use std::sync::Arc;

/// Why a recording could not be written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordingError {
    /// The name is not fit for a recording.
    #[error(
        "a recording's id has 1 to 128 of the letters A-Z, a-z, 0-9, dot, hyphen and underscore, and does not begin with a dot"
    )]
    BadId,
    /// A field of an event is too long or empty.
    #[error("{field}: {reason}")]
    BadEvent {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is a recording of this name already.
    #[error("there is a recording {0} already")]
    Exists(String),
    /// There is none of this name.
    #[error("there is no recording {0}")]
    NotFound(String),
    /// It is still being written; what was asked needs a finished one.
    #[error("the recording {0} is not finished")]
    Unfinished(String),
    /// It is being written by this very process.
    #[error("the recording {0} is being written")]
    InUse(String),
    /// It has ended; nothing can be added.
    #[error("the recording has ended")]
    Ended,
    /// A file could not be written or read; when writing, this sticks: every later call fails with it too.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        cause: Arc<std::io::Error>,
    },
    /// The object store refused.
    #[error("{what}: {cause}")]
    Store {
        /// What was tried.
        what: String,
        /// What the store said.
        cause: Arc<object_store::Error>,
    },
    /// Sealing is too far behind, because the object store or the disk is; see `Settings::patience_ms`.
    #[error("{behind_bytes} bytes wait to be sealed, and none was for {waited_ms} ms")]
    Behind {
        /// Bytes that wait.
        behind_bytes: u64,
        /// Milliseconds waited.
        waited_ms: u64,
    },
    /// What is stored is not what the format says.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// Which object or file.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The signing key cannot be used.
    #[error("the signing key {path}: {reason}")]
    Key {
        /// Its file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The sealing worker has gone: its runtime was shut down.
    #[error("the sealing worker has stopped")]
    Stopped,
}

impl RecordingError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io {
            what,
            cause: Arc::new(cause),
        }
    }

    pub(crate) fn store(what: impl Into<String>) -> impl FnOnce(object_store::Error) -> Self {
        let what = what.into();
        move |cause| Self::Store {
            what,
            cause: Arc::new(cause),
        }
    }

    pub(crate) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged {
            place: place.into(),
            reason: reason.into(),
        }
    }

    /// Whether the disk (or a limit on files) is full: what a message to people should say.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if matches!(
            cause.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge
        ))
    }
}
