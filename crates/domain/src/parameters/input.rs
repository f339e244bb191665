//! What is asked for, and what can be said against it before anything is looked up. The limits are Systems Manager's.

use super::name::{complaint_about_name, name_key};
use super::views::{ParameterKind, ParameterTier};
use crate::access::Password;
use crate::error::{FieldError, PortalError};
use crate::ids::RequestId;
use serde::{Deserialize, Serialize};

/// Characters of a value in the standard tier at most.
pub const MAX_STANDARD_CHARS: usize = 4_096;
/// Characters of a value in the advanced tier at most.
pub const MAX_ADVANCED_CHARS: usize = 8_192;
/// Characters of a description and of a pattern at most.
const MAX_TEXT: usize = 1_024;
/// Characters of all policies at most.
const MAX_POLICIES_TEXT: usize = 4_096;
/// Policies at most.
const MAX_POLICIES: usize = 10;
/// Labels of a version at most.
const MAX_LABELS: usize = 10;
/// The kinds of data that Systems Manager knows: the word and what it means.
pub const DATA_TYPES: [(&str, &str); 3] = [
    ("text", "Text"),
    ("aws:ec2:image", "Image of EC2 (ami-…)"),
    ("aws:ssm:integration", "Integration with another service"),
];

/// A value on its way. Never printed: it may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(pub String);

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(…)")
    }
}

/// Where a new value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum NewValue {
    /// Somebody typed it.
    Typed {
        /// The value.
        value: Value,
    },
    /// It is that of an earlier version.
    Version {
        /// Which.
        version: i64,
    },
    /// It is a secret that the portal has sealed, while it waits for approval.
    Sealed {
        /// Base64; opened by the portal alone. Empty once the request has ended: nobody writes it any more.
        sealed: String,
    },
}

/// Input: make a parameter, or a new version of one. What is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutParameter {
    /// Its name.
    pub name: String,
    /// What it holds; cannot be changed.
    pub kind: ParameterKind,
    /// Its value.
    pub value: NewValue,
    /// The version that was looked at and is replaced; `None` makes a parameter that does not exist yet.
    pub replaces: Option<i64>,
    /// Its tier.
    pub tier: Option<ParameterTier>,
    /// What kind of data it is.
    pub data_type: Option<String>,
    /// The key that a secret is encrypted with; empty is the account's own.
    pub key_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What values have to look like.
    pub allowed_pattern: Option<String>,
    /// Its policies, a list in JSON; empty is none.
    pub policies: Option<String>,
}

impl PutParameter {
    /// The same without the secret that was sealed for it; `None` where none was.
    #[must_use]
    pub fn without_secret(&self) -> Option<Self> {
        match &self.value {
            NewValue::Sealed { sealed } if !sealed.is_empty() => Some(Self {
                value: NewValue::Sealed {
                    sealed: String::new(),
                },
                ..self.clone()
            }),
            _ => None,
        }
    }
}

fn is_version(version: i64) -> bool {
    version > 0
}

/// An image's id: `ami-` and 8 or 17 hexadecimal digits.
fn is_image(value: &str) -> bool {
    let digits = value.strip_prefix("ami-").unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn check_name(name: &str, fields: &mut Vec<FieldError>) {
    if name_key(name).is_empty() {
        fields.push(FieldError::new("name", "Say which parameter."));
    }
}

impl PutParameter {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        match self.replaces {
            None => {
                if let Some(complaint) = complaint_about_name(&self.name) {
                    fields.push(FieldError::new("name", complaint));
                }
            }
            Some(version) => {
                check_name(&self.name, &mut fields);
                if !is_version(version) {
                    fields.push(FieldError::new("replaces", "Versions are counted from 1."));
                }
            }
        }
        self.check_value(&mut fields);
        let too_long =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT);
        if too_long(&self.description) {
            fields.push(FieldError::new("description", "Use at most 1,024 characters."));
        }
        if too_long(&self.allowed_pattern) {
            fields.push(FieldError::new(
                "allowed_pattern",
                "Use at most 1,024 characters.",
            ));
        }
        self.check_data_type(&mut fields);
        self.check_key(&mut fields);
        self.check_policies(&mut fields);
        PortalError::from_fields(fields)
    }

    fn check_value(&self, fields: &mut Vec<FieldError>) {
        match &self.value {
            NewValue::Typed { value } => {
                let standard = self.tier == Some(ParameterTier::Standard);
                let most = if standard {
                    MAX_STANDARD_CHARS
                } else {
                    MAX_ADVANCED_CHARS
                };
                let count = value.0.chars().count();
                if count == 0 {
                    fields.push(FieldError::new("value", "A value has at least one character."));
                } else if count > most {
                    fields.push(FieldError::new(
                        "value",
                        format!(
                            "It has {count} characters; there may be {most}{}.",
                            if standard {
                                ", or 8192 in the advanced tier"
                            } else {
                                ""
                            }
                        ),
                    ));
                }
                if value.0.contains('\0') {
                    fields.push(FieldError::new("value", "Use plain text."));
                }
            }
            NewValue::Version { version } => {
                if !is_version(*version) || self.replaces.is_none() {
                    fields.push(FieldError::new(
                        "value",
                        "Only a version of a parameter that exists can be restored.",
                    ));
                }
            }
            NewValue::Sealed { sealed } => {
                if sealed.is_empty() {
                    fields.push(FieldError::new("value", "There is no sealed value."));
                }
            }
        }
    }

    fn check_data_type(&self, fields: &mut Vec<FieldError>) {
        let Some(data_type) = &self.data_type else { return };
        if DATA_TYPES.iter().all(|(word, _)| word != data_type) {
            fields.push(FieldError::new(
                "data_type",
                "There are text, aws:ec2:image and aws:ssm:integration.",
            ));
        } else if data_type == "aws:ec2:image" {
            if self.kind != ParameterKind::String {
                fields.push(FieldError::new(
                    "data_type",
                    format!("An image's id is a String, and this is a {}.", self.kind.as_str()),
                ));
            } else if let NewValue::Typed { value } = &self.value
                && !value.0.is_empty()
                && !is_image(&value.0)
            {
                fields.push(FieldError::new(
                    "value",
                    "An image's id is ami- and 8 or 17 hexadecimal digits.",
                ));
            }
        }
    }

    fn check_key(&self, fields: &mut Vec<FieldError>) {
        let Some(key) = self.key_id.as_deref().filter(|key| !key.is_empty()) else {
            return;
        };
        let is_key = key.len() <= 256
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b));
        if !self.kind.is_secret() {
            fields.push(FieldError::new(
                "key_id",
                format!(
                    "Only a SecureString is encrypted, and this is a {}.",
                    self.kind.as_str()
                ),
            ));
        } else if !is_key {
            fields.push(FieldError::new(
                "key_id",
                "Write alias/NAME, or the id or the ARN of a key of the key management service.",
            ));
        }
    }

    fn check_policies(&self, fields: &mut Vec<FieldError>) {
        let Some(text) = self
            .policies
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        else {
            return;
        };
        let list = serde_json::from_str::<Vec<serde_json::Map<String, serde_json::Value>>>(text);
        let complaint = match &list {
            _ if text.chars().count() > MAX_POLICIES_TEXT => Some("Use at most 4,096 characters."),
            Err(_) => Some(
                "Write a list in JSON, such as [{\"Type\":\"Expiration\",\"Version\":\"1.0\",\"Attributes\":{\"Timestamp\":\"2030-01-01T00:00:00Z\"}}].",
            ),
            Ok(list) if list.len() > MAX_POLICIES => Some("Use at most 10 policies."),
            Ok(list) if !list.is_empty() && self.tier == Some(ParameterTier::Standard) => {
                Some("Policies need the advanced tier: choose Advanced or Intelligent-Tiering.")
            }
            Ok(_) => None,
        };
        if let Some(complaint) = complaint {
            fields.push(FieldError::new("policies", complaint));
        }
    }
}

/// Input: see a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevealParameter {
    /// Of which parameter.
    pub name: String,
    /// Of which version; of the newest where none is named.
    pub version: Option<i64>,
    /// One's own password, again.
    pub password: Password,
    /// The request on which it was approved, where that was needed.
    pub request: Option<RequestId>,
}

impl RevealParameter {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_name(&self.name, &mut fields);
        if self.version.is_some_and(|version| !is_version(version)) {
            fields.push(FieldError::new("version", "Versions are counted from 1."));
        }
        if self.password.0.is_empty() {
            fields.push(FieldError::new(
                "password",
                "Type your password to see the secret.",
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: delete a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteParameter {
    /// Which.
    pub name: String,
    /// The version that was looked at.
    pub version: i64,
    /// Its name, typed once more.
    pub confirmation: String,
}

impl DeleteParameter {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_name(&self.name, &mut fields);
        if !is_version(self.version) {
            fields.push(FieldError::new("version", "Versions are counted from 1."));
        }
        if self.confirmation.trim() != self.name.trim() {
            fields.push(FieldError::new(
                "confirmation",
                format!("Type {} to delete it with all of its versions.", self.name.trim()),
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: give a version labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelVersion {
    /// Of which parameter.
    pub name: String,
    /// Which version.
    pub version: i64,
    /// The labels. Where another version has one, it moves.
    pub labels: Vec<String>,
}

/// Letters, digits and `.-_`, not beginning with a digit, `aws` or `ssm`.
fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}

impl LabelVersion {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_name(&self.name, &mut fields);
        if !is_version(self.version) {
            fields.push(FieldError::new("version", "Versions are counted from 1."));
        }
        if self.labels.is_empty() {
            fields.push(FieldError::new("labels", "Write at least one label."));
        } else if self.labels.len() > MAX_LABELS {
            fields.push(FieldError::new("labels", "A version has at most 10 labels."));
        }
        if let Some(bad) = self.labels.iter().find(|label| !is_label(label)) {
            let shown: String = bad.chars().take(100).collect();
            fields.push(FieldError::new(
                "labels",
                format!(
                    "“{shown}” is no label: use up to 100 letters, digits and . - _, not beginning with a digit, aws or ssm."
                ),
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: take a label from a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlabelVersion {
    /// Of which parameter.
    pub name: String,
    /// Which version.
    pub version: i64,
    /// The label.
    pub label: String,
}

impl UnlabelVersion {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_name(&self.name, &mut fields);
        if !is_version(self.version) {
            fields.push(FieldError::new("version", "Versions are counted from 1."));
        }
        if !is_label(&self.label) {
            fields.push(FieldError::new("label", "Say which label."));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: set a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagParameter {
    /// Of which parameter.
    pub name: String,
    /// The tag's key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl TagParameter {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_name(&self.name, &mut fields);
        if !(1..=128).contains(&self.key.chars().count()) {
            fields.push(FieldError::new("key", "Use 1 to 128 characters."));
        } else if self.key.to_ascii_lowercase().starts_with("aws:") {
            fields.push(FieldError::new("key", "Keys that begin with aws: are AWS's own."));
        }
        if self.value.chars().count() > 256 {
            fields.push(FieldError::new("value", "Use at most 256 characters."));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: remove a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntagParameter {
    /// Of which parameter.
    pub name: String,
    /// The tag's key.
    pub key: String,
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
