//! Filled forms that start runbooks, kept under a name: one's own and shared ones. Secrets are never among what is kept.

use super::StartRunbook;
use crate::actor::Actor;
use crate::error::{FieldError, PortalError};
use crate::ids::TemplateId;
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of what is kept at most, as JSON.
const LARGEST: usize = 64 * 1_024;

/// Words by which a parameter is taken for a secret.
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
];

/// Whether a parameter of that name is taken for one that holds a secret.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Whether a value only names a stored parameter, as `{{ssm-secure:/app/key}}` does.
fn is_reference(value: &str) -> bool {
    let inside = value
        .trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    inside.map(str::trim).is_some_and(|inside| {
        let name = inside
            .strip_prefix("ssm-secure:")
            .or_else(|| inside.strip_prefix("ssm:"));
        name.is_some_and(|name| !name.trim().is_empty() && !name.contains(['{', '}']))
    })
}

/// The parameters without the secrets, and the names of those that were left out. A secret that is only named, as a stored
/// parameter, stays.
#[must_use]
pub fn without_secrets(
    parameters: &BTreeMap<String, Vec<String>>,
) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let mut left_out = Vec::new();
    let mut kept = BTreeMap::new();
    for (name, values) in parameters {
        if looks_secret(name) && !values.iter().all(|value| is_reference(value)) {
            left_out.push(name.clone());
        } else {
            kept.insert(name.clone(), values.clone());
        }
    }
    (kept, left_out)
}

/// A template, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// Which.
    pub id: TemplateId,
    /// Its name, unique for its owner and its runbook.
    pub name: String,
    /// The runbook that it starts.
    pub document: String,
    /// In which version; empty for the default one.
    pub version: String,
    /// Whether everybody who may start runbooks sees it.
    pub shared: bool,
    /// Who made it.
    pub owner: String,
    /// Whether the actor may change it.
    pub mine: bool,
    /// When it was saved last.
    pub saved_at: Timestamp,
}

/// How a template's runbook stands against what it was when the template was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateState {
    /// The same text.
    Same,
    /// Another text: saved with the first version, and it would start the second.
    Changed {
        /// The version's number when it was saved.
        saved: String,
        /// The version's number now.
        now: String,
    },
    /// That version, or the runbook, is not there any more.
    Gone {
        /// What is not there.
        why: String,
    },
}

/// A template, with what it fills in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTemplate {
    /// The row.
    pub row: TemplateRow,
    /// What the form is filled with.
    pub input: StartRunbook,
    /// Parameters that were not kept, because they look like secrets.
    pub left_out: Vec<String>,
    /// Whether the runbook is still the one that it was saved with.
    pub state: TemplateState,
}

fn check_name(name: &str) -> Option<FieldError> {
    let count = name.trim().chars().count();
    let is_plain = !name.chars().any(char::is_control);
    (!(1..=80).contains(&count) || !is_plain).then(|| {
        FieldError::new(
            "template_name",
            "Give the template a name of 1 to 80 characters, on one line.",
        )
    })
}

/// Input: keep a filled form under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveTemplate {
    /// 1 to 80 characters.
    pub name: String,
    /// Show it to everybody who may start runbooks.
    pub shared: bool,
    /// Take the place of one's own of that name.
    pub replace: bool,
    /// The form; what is still missing may be missing.
    pub input: StartRunbook,
}

impl SaveTemplate {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields: Vec<FieldError> = check_name(&self.name).into_iter().collect();
        if self.input.document.trim().is_empty() {
            fields.push(FieldError::new("document", "Choose a runbook."));
        }
        if serde_json::to_string(&self.input).map_or(true, |text| text.len() > LARGEST) {
            fields.push(FieldError::new(
                "template_name",
                "The form is too large to be kept: it may have 64 KiB. Shorten its parameters, or choose nodes by a filter.",
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: give a template another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameTemplate {
    /// Which.
    pub id: TemplateId,
    /// 1 to 80 characters.
    pub name: String,
}

impl RenameTemplate {
    /// # Errors
    /// [`PortalError::Invalid`] naming the field.
    pub fn check(&self) -> Result<(), PortalError> {
        PortalError::from_fields(check_name(&self.name).into_iter().collect())
    }
}

/// What can be done with templates. One is shown to its owner, and to everybody who may start runbooks when it is shared.
#[async_trait]
pub trait RunbookTemplates: Send + Sync {
    /// One's own and shared ones, by name; those of one runbook, or of all.
    async fn templates(
        &self,
        actor: &Actor,
        document: Option<String>,
    ) -> Result<Vec<TemplateRow>, PortalError>;
    /// One, with what it fills in.
    async fn template(&self, actor: &Actor, id: TemplateId) -> Result<SavedTemplate, PortalError>;
    /// Keeps a form under a name.
    async fn save_template(&self, actor: &Actor, input: SaveTemplate) -> Result<TemplateId, PortalError>;
    /// Gives one of one's own another name (administrators: any shared one).
    async fn rename_template(&self, actor: &Actor, input: RenameTemplate) -> Result<(), PortalError>;
    /// Deletes one of one's own (administrators: any shared one).
    async fn delete_template(&self, actor: &Actor, id: TemplateId) -> Result<(), PortalError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::NodeSelection;

    #[test]
    fn secrets_are_kept_by_reference_only() {
        for name in [
            "Password",
            "db_password",
            "ApiKey",
            "API-KEY",
            "SecretValue",
            "authToken",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["InstanceIds", "Word", "KeyName", "Pass"] {
            assert!(!looks_secret(name), "{name}");
        }
        let given = BTreeMap::from([
            ("Word".to_owned(), vec!["hello".to_owned()]),
            ("Password".to_owned(), vec!["hunter2".to_owned()]),
            (
                "DbPassword".to_owned(),
                vec!["{{ ssm-secure:/app/db }}".to_owned()],
            ),
            (
                "Token".to_owned(),
                vec!["{{ssm:/a}}".to_owned(), "and {{ssm:/a}} more".to_owned()],
            ),
        ]);
        let (kept, left_out) = without_secrets(&given);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["DbPassword", "Word"]);
        assert_eq!(left_out, ["Password", "Token"]);
        assert!(!is_reference("{{ssm:}}") && !is_reference("{{ssm:a}}{{ssm:b}}"));
    }

    #[test]
    fn a_form_needs_a_name_to_be_kept_and_nothing_else() {
        let input = StartRunbook {
            document: "Own-A".into(),
            version: String::new(),
            parameters: BTreeMap::new(),
            selection: NodeSelection::Nothing,
            max_concurrency: String::new(),
            max_errors: String::new(),
            reason: String::new(),
            confirmed_nodes: None,
        };
        let mut save = SaveTemplate {
            name: "Nightly".into(),
            shared: false,
            replace: false,
            input,
        };
        assert_eq!(save.check(), Ok(()));
        for name in ["", "  ", "a\nb", &"x".repeat(81)] {
            name.clone_into(&mut save.name);
            assert!(
                save.check().unwrap_err().about("template_name").is_some(),
                "{name:?}"
            );
        }
        save.name = "Nightly".into();
        save.input.reason = "x".repeat(LARGEST);
        assert!(save.check().unwrap_err().about("template_name").is_some());
    }
}
