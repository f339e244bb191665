//! What a plan about a deployment says: the release with all that it is, what the runbook would be given, and what it replaces.

use super::input::DeploymentKind;
use super::release::{Release, ReleaseContent};
use crate::ids::{ApplicationId, DeploymentId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A release of a plan.
pub type PlannedRelease = Release;

/// A deployment that would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDeployment {
    /// Which application.
    pub application_id: ApplicationId,
    /// What it is called.
    pub application: String,
    /// To which of its environments.
    pub environment: String,
    /// Whether it goes on, or back.
    pub kind: DeploymentKind,
    /// The release, whole.
    pub release: PlannedRelease,
    /// What runs there now: the deployment, and its version.
    pub replaces: Option<(DeploymentId, String)>,
    /// SHA-256 of the runbook's text as it would run, hexadecimal.
    pub document_sha256: String,
    /// Everything that the runbook would be given, with the nodes; secrets stand there as references.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The parameters of Parameter Store that these refer to, with their versions.
    pub references: BTreeMap<String, i64>,
    /// At most so many executions at once, where there is one for each node.
    pub max_concurrency: String,
    /// No further ones after so many errors, where there is one for each node.
    pub max_errors: String,
    /// What is different from what runs there now, as sentences.
    pub changes: Vec<String>,
    /// The steps that stop something.
    pub stops: Vec<String>,
}

/// What differs between what runs and a release, as sentences. The version itself is not among them.
#[must_use]
pub fn changes(old: &ReleaseContent, new: &ReleaseContent) -> Vec<String> {
    let mut said = Vec::new();
    let or_none = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    for (what, old, new) in [
        ("The artefact", &old.artefact, &new.artefact),
        ("The artefact's SHA-256", &old.sha256, &new.sha256),
        ("The runbook", &old.document, &new.document),
    ] {
        if old != new {
            said.push(format!("{what}: {} → {}.", or_none(old), or_none(new)));
        }
    }
    if old.document == new.document {
        if old.document_version != new.document_version {
            said.push(format!(
                "The runbook's version: {} → {}.",
                old.document_version, new.document_version
            ));
        } else if old.content_hash != new.content_hash {
            said.push(format!(
                "The runbook's text is another one, though its version is {} as before.",
                new.document_version
            ));
        }
    }
    let names: BTreeSet<&String> = old.parameters.keys().chain(new.parameters.keys()).collect();
    for name in names {
        match (old.parameters.get(name), new.parameters.get(name)) {
            (Some(old), None) => said.push(format!(
                "{name} is not given any more (it was {}).",
                old.join(", ")
            )),
            (None, Some(new)) => said.push(format!("{name} is given: {}.", new.join(", "))),
            (Some(old), Some(new)) if old != new => {
                said.push(format!("{name}: {} → {}.", old.join(", "), new.join(", ")));
            }
            _ => {}
        }
    }
    said
}

impl PlannedDeployment {
    /// One line that says what it is.
    #[must_use]
    pub fn title(&self) -> String {
        self.kind
            .title(&self.application, &self.release.version, &self.environment)
    }

    /// What is different in `other`, as sentences.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        if self.replaces != other.replaces {
            said.push(match (&self.replaces, &other.replaces) {
                (_, None) => format!("Nothing runs in {} any more.", self.environment),
                (None, Some((_, version))) => format!("{version} runs in {} now.", self.environment),
                (Some((_, old)), Some((_, new))) if old == new => {
                    format!("{new} was deployed to {} again.", self.environment)
                }
                (Some((_, old)), Some((_, new))) => format!(
                    "{new} runs in {} now; when it was asked for it was {old}.",
                    self.environment
                ),
            });
        }
        if self.document_sha256 != other.document_sha256 {
            said.push(format!(
                "The runbook {} has changed.",
                self.release.content.document
            ));
        }
        let names: BTreeSet<&String> = self.parameters.keys().chain(other.parameters.keys()).collect();
        for name in names {
            match (self.parameters.get(name), other.parameters.get(name)) {
                (Some(_), None) => said.push(format!("The parameter {name} is gone.")),
                (None, Some(_)) => said.push(format!("The parameter {name} is new.")),
                (Some(old), Some(new)) if old != new => {
                    said.push(format!("The parameter {name} has changed."));
                }
                _ => {}
            }
        }
        if self.references != other.references {
            said.push("A stored parameter that it refers to has changed.".to_owned());
        }
        if said.is_empty() && self != other {
            said.push(format!("The environment {} has changed.", self.environment));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::ids::ReleaseId;

    fn content(artefact: &str) -> ReleaseContent {
        ReleaseContent {
            artefact: artefact.into(),
            document: "Own-Deploy".into(),
            document_version: "1".into(),
            content_hash: "h".into(),
            parameters: BTreeMap::from([("Port".to_owned(), vec!["80".to_owned()])]),
            ..ReleaseContent::default()
        }
    }

    #[test]
    fn what_differs_between_releases_is_said_in_words() {
        let old = content("a");
        assert!(changes(&old, &old).is_empty());
        let mut new = content("b");
        new.document_version = "2".into();
        new.sha256 = "ff".into();
        new.parameters = BTreeMap::from([("Host".to_owned(), vec!["x".to_owned(), "y".to_owned()])]);
        assert_eq!(
            changes(&old, &new),
            [
                "The artefact: a → b.",
                "The artefact's SHA-256: none → ff.",
                "The runbook's version: 1 → 2.",
                "Host is given: x, y.",
                "Port is not given any more (it was 80).",
            ]
        );
        let mut same = old.clone();
        same.content_hash = "other".into();
        assert!(changes(&old, &same)[0].contains("text is another one"));
        let mut other = old.clone();
        other.document = "Own-Other".into();
        assert_eq!(changes(&old, &other), ["The runbook: Own-Deploy → Own-Other."]);
    }

    #[test]
    fn whatever_has_changed_voids_a_plan() {
        let plan = PlannedDeployment {
            application_id: ApplicationId::new("a"),
            application: "web".into(),
            environment: "Staging".into(),
            kind: DeploymentKind::Deploy,
            release: Release {
                release_id: ReleaseId::new("r"),
                application_id: ApplicationId::new("a"),
                number: 2,
                version: "1.1".into(),
                notes: String::new(),
                content: content("a"),
                created_by: "olga".into(),
                created_at: Timestamp(0),
            },
            replaces: Some((DeploymentId::new("d"), "1.0".into())),
            document_sha256: "h".into(),
            parameters: content("a").parameters,
            references: BTreeMap::new(),
            max_concurrency: "1".into(),
            max_errors: "0".into(),
            changes: Vec::new(),
            stops: Vec::new(),
        };
        assert_eq!(plan.title(), "Deploy web 1.1 to Staging");
        assert!(plan.differences(&plan).is_empty());
        let mut other = plan.clone();
        other.replaces = Some((DeploymentId::new("e"), "1.0.1".into()));
        assert!(plan.differences(&other)[0].starts_with("1.0.1 runs in Staging now"));
        other.replaces = Some((DeploymentId::new("e"), "1.0".into()));
        assert!(plan.differences(&other)[0].contains("again"));
        let mut other = plan.clone();
        other.parameters.insert("Port".into(), vec!["81".into()]);
        assert_eq!(plan.differences(&other), ["The parameter Port has changed."]);
        let mut other = plan.clone();
        other.document_sha256 = "i".into();
        assert!(plan.differences(&other)[0].contains("Own-Deploy has changed"));
        let mut other = plan.clone();
        other.max_errors = "1".into();
        assert_eq!(plan.differences(&other).len(), 1);
    }
}
