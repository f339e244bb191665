//! The name of a recording, safe as a folder's name and as part of an object's key.

use crate::RecordingError;
use serde::{Deserialize, Serialize};

/// Names a recording: 1 to 128 of `A-Z a-z 0-9 . _ -`, not beginning with a dot. A session's id is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordingId(String);

impl RecordingId {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`RecordingError::BadId`] when it holds anything else than the letters above.
    pub fn new(text: impl Into<String>) -> Result<Self, RecordingError> {
        let text = text.into();
        let good = (1..=128).contains(&text.len())
            && !text.starts_with('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if good {
            Ok(Self(text))
        } else {
            Err(RecordingError::BadId)
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RecordingId {
    type Error = RecordingError;

    fn try_from(text: String) -> Result<Self, RecordingError> {
        Self::new(text)
    }
}

impl From<RecordingId> for String {
    fn from(id: RecordingId) -> Self {
        id.0
    }
}

impl std::fmt::Display for RecordingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_safe_in_a_path_are_taken() {
        for good in ["ops-0a1b2c", "a", "A.b_c-9"] {
            assert_eq!(RecordingId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".a", "a/b", "a b", "a\0", "ä", &"x".repeat(129)] {
            assert!(RecordingId::new(bad).is_err(), "{bad:?}");
        }
    }
}
