//! What a plan about an exception says: which patch on which baseline, why, what instead, and until when.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An exception that would be granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedException {
    /// On which baseline, by id.
    pub baseline_id: String,
    /// What that is called.
    pub baseline: String,
    /// For which operating system it is.
    pub operating_system: String,
    /// SHA-256 of what the baseline says now.
    pub now_sha256: String,
    /// Which patch.
    pub patch: String,
    /// Why nodes cannot have it.
    pub because: String,
    /// What protects them instead.
    pub control: String,
    /// Until when.
    pub expires_at: Timestamp,
}

impl PlannedException {
    /// One line that says what it is.
    #[must_use]
    pub fn title(&self) -> String {
        format!(
            "Except {} on {} until {}",
            self.patch,
            self.baseline,
            self.expires_at.readable()
        )
    }

    /// What is different from `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        if self == other {
            Vec::new()
        } else if self.now_sha256 != other.now_sha256 {
            vec![format!(
                "The patch baseline {} says something else now.",
                other.baseline
            )]
        } else {
            vec!["What would be excepted has changed.".to_owned()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_changed_is_said() {
        let plan = PlannedException {
            baseline_id: "pb-1".into(),
            baseline: "web".into(),
            operating_system: "DEBIAN".into(),
            now_sha256: "a".into(),
            patch: "openssl*".into(),
            because: "frozen by the vendor".into(),
            control: "a proxy before it".into(),
            expires_at: Timestamp(0),
        };
        assert!(plan.differences(&plan).is_empty());
        assert!(plan.title().starts_with("Except openssl* on web until 1970"));
        let mut other = plan.clone();
        other.now_sha256 = "b".into();
        assert!(plan.differences(&other)[0].contains("says something else"));
        let mut other = plan.clone();
        other.control.clear();
        assert_eq!(plan.differences(&other).len(), 1);
    }
}
