//! Activations: what lets machines join as nodes.

use super::Tag;
use crate::error::PortalError;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Input: let nodes join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateActivation {
    /// What it is for; up to 256 characters.
    pub description: String,
    /// The name that joining nodes get; may be empty.
    pub default_instance_name: String,
    /// How many nodes may join, 1 to 1,000.
    pub registration_limit: u32,
    /// For how long, in hours, 1 to 720.
    pub expires_in_hours: u32,
    /// Tags that joining nodes get.
    pub tags: Vec<Tag>,
}

impl CreateActivation {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        let mut complain = |field: &str, message: &str| {
            fields.push(crate::error::FieldError::new(field, message));
        };
        if self.description.chars().count() > 256 {
            complain("description", "Use at most 256 characters.");
        }
        if self.default_instance_name.chars().count() > 256 {
            complain("default_instance_name", "Use at most 256 characters.");
        }
        if !(1..=1_000).contains(&self.registration_limit) {
            complain(
                "registration_limit",
                "Between 1 and 1,000 nodes may join with one activation.",
            );
        }
        if !(1..=720).contains(&self.expires_in_hours) {
            complain(
                "expires_in_hours",
                "An activation holds for 1 to 720 hours (30 days).",
            );
        }
        if self
            .tags
            .iter()
            .any(|tag| tag.key.trim().is_empty() || tag.key.starts_with("aws:"))
        {
            complain(
                "tags",
                "Write tags as Key=Value, one a line; keys may not start with aws:.",
            );
        }
        PortalError::from_fields(fields)
    }
}

/// A new activation. The code is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationCreated {
    /// Its id.
    pub activation_id: String,
    /// Its code: whoever has it can join as a node until it expires.
    pub activation_code: String,
    /// The region to join.
    pub region: String,
    /// The endpoint to join, when it is the embedded one.
    pub endpoint: Option<String>,
    /// When it expires.
    pub expires_at: Timestamp,
}
