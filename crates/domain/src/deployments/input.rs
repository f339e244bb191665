//! Inputs: write a release down, deploy one or roll back to one.

use super::application::parameters;
use crate::error::{FieldError, PortalError};
use crate::ids::{ApplicationId, ReleaseId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters of notes at most.
const MAX_NOTES: usize = 2_000;
/// Characters of an address at most.
const MAX_ARTEFACT: usize = 500;
/// Characters of a reason at most.
const MAX_REASON: usize = 500;
/// Characters of a ticket at most.
const MAX_TICKET: usize = 100;

/// Input: write down a release. It is never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRelease {
    /// Of which application.
    pub application: ApplicationId,
    /// Its version.
    pub version: String,
    /// What is in it, and why.
    pub notes: String,
    /// Where the artefact lies; empty where the application's parameters say so.
    pub artefact: String,
    /// SHA-256 of the artefact, hexadecimal; may be empty.
    pub sha256: String,
    /// What the runbook is given for this release, before what the application says.
    pub parameters: BTreeMap<String, Vec<String>>,
}

impl Default for CreateRelease {
    fn default() -> Self {
        Self {
            application: ApplicationId::new(""),
            version: String::new(),
            notes: String::new(),
            artefact: String::new(),
            sha256: String::new(),
            parameters: BTreeMap::new(),
        }
    }
}

impl CreateRelease {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        let version = self.version.trim();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.@:+-".contains(c);
        if !(1..=128).contains(&version.len()) || !version.chars().all(is_plain) {
            fields.push(FieldError::new(
                "version",
                "Use 1 to 128 letters, digits, dots, hyphens, underscores, @, : and +.",
            ));
        }
        if self.notes.trim().is_empty() {
            fields.push(FieldError::new(
                "notes",
                "Say what is in it, or why it is made: those who decide read it.",
            ));
        }
        if self.notes.chars().count() > MAX_NOTES {
            fields.push(FieldError::new("notes", "Use at most 2,000 characters."));
        }
        let artefact = self.artefact.trim();
        if artefact.chars().count() > MAX_ARTEFACT || artefact.chars().any(char::is_whitespace) {
            fields.push(FieldError::new(
                "artefact",
                "Write an address of at most 500 characters, without blanks.",
            ));
        }
        if has_password(artefact) {
            fields.push(FieldError::new(
                "artefact",
                "This address holds a password, and what is kept here everybody can read: write it without.",
            ));
        }
        let sha256 = self.sha256.trim();
        if !sha256.is_empty() && (sha256.len() != 64 || !sha256.chars().all(|c| c.is_ascii_hexdigit())) {
            fields.push(FieldError::new(
                "sha256",
                "Write the 64 hexadecimal digits that sha256sum says, or leave it empty.",
            ));
        }
        fields.extend(parameters(&self.parameters));
        PortalError::from_fields(fields)
    }
}

/// Whether an address holds a password, as in `https://user:password@host/`.
fn has_password(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Whether a deployment goes on, or back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentKind {
    /// A release is deployed.
    #[default]
    Deploy,
    /// One that ran there before is deployed again.
    RollBack,
}

impl DeploymentKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Deploy, Self::RollBack];

    /// The word in forms and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::RollBack => "roll_back",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deploy => "Deployment",
            Self::RollBack => "Rollback",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What is done, in a line.
    #[must_use]
    pub fn title(self, application: &str, version: &str, environment: &str) -> String {
        match self {
            Self::Deploy => format!("Deploy {application} {version} to {environment}"),
            Self::RollBack => format!("Roll {application} back to {version} in {environment}"),
        }
    }
}

/// Input: deploy a release to an environment, or roll back to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployRelease {
    /// Which application.
    pub application: ApplicationId,
    /// To which of its environments.
    pub environment: String,
    /// Which release.
    pub release: ReleaseId,
    /// Whether it goes on, or back.
    pub kind: DeploymentKind,
    /// What it is for.
    pub reason: String,
    /// The ticket that it belongs to.
    pub ticket: String,
    /// The number of nodes that the person was shown and confirmed, where that was asked.
    #[serde(default)]
    pub confirmed_nodes: Option<u64>,
}

impl DeployRelease {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.environment.trim().is_empty() {
            fields.push(FieldError::new("environment", "Choose an environment."));
        }
        if self.release.as_str().trim().is_empty() {
            fields.push(FieldError::new("release", "Choose a release."));
        }
        match self.reason.trim().chars().count() {
            0 => fields.push(FieldError::new(
                "reason",
                "Say what it is for: the history and the audit log show it.",
            )),
            1..=MAX_REASON => {}
            _ => fields.push(FieldError::new("reason", "Use at most 500 characters.")),
        }
        if self.ticket.chars().count() > MAX_TICKET || self.ticket.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "deployment_ticket",
                "Use at most 100 characters, on one line.",
            ));
        }
        PortalError::from_fields(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_release_is_said_at_its_field() {
        let good = CreateRelease {
            version: "1.2.0-rc.1+b5".into(),
            notes: "the new cart".into(),
            artefact: "https://ci@example.com/web-VERSION.tar.gz".into(),
            sha256: "Ab".repeat(32),
            ..CreateRelease::default()
        };
        assert_eq!(good.check(), Ok(()));
        let bad = CreateRelease {
            version: "1.2 rc".into(),
            notes: " ".into(),
            artefact: "https://ci:hunter2@example.com/x".into(),
            sha256: "abc".into(),
            parameters: BTreeMap::from([("ApiToken".into(), vec!["x".into()])]),
            ..CreateRelease::default()
        };
        let error = bad.check().unwrap_err();
        for field in ["version", "notes", "artefact", "sha256", "parameters"] {
            assert!(error.about(field).is_some(), "{field}");
        }
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn a_deployment_says_what_where_and_why() {
        let good = DeployRelease {
            application: ApplicationId::new("a"),
            environment: "Staging".into(),
            release: ReleaseId::new("r"),
            kind: DeploymentKind::Deploy,
            reason: "a test".into(),
            ticket: String::new(),
            confirmed_nodes: None,
        };
        assert_eq!(good.check(), Ok(()));
        let bad = DeployRelease {
            environment: String::new(),
            release: ReleaseId::new(""),
            reason: " ".into(),
            ticket: "x".repeat(101),
            ..good
        };
        let error = bad.check().unwrap_err();
        for field in ["environment", "release", "reason", "deployment_ticket"] {
            assert!(error.about(field).is_some(), "{field}");
        }
        assert_eq!(
            DeploymentKind::RollBack.title("web", "1.0", "Staging"),
            "Roll web back to 1.0 in Staging"
        );
    }
}
