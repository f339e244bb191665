//! Releases: what exactly a version of an application is. Written down once, and never changed.

use super::application::ApplicationSettings;
use super::input::CreateRelease;
use crate::ids::{ApplicationId, ReleaseId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a release is, whatever it is called: what runs depends on this and on the environment, and on nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseContent {
    /// Where the artefact lies; empty where the runbook knows.
    pub artefact: String,
    /// SHA-256 of the artefact, hexadecimal; empty where nobody said it.
    pub sha256: String,
    /// The runbook.
    pub document: String,
    /// Its version when the release was made.
    pub document_version: String,
    /// SHA-256 of its text then, hexadecimal.
    pub content_hash: String,
    /// What the runbook is given: the application's parameters of then, the release's own, version and artefact.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The runbook's parameter that takes the version that ran before; empty where none does.
    pub previous_parameter: String,
    /// Which of the parameters say what the release is: no environment gives these something else.
    pub own: Vec<String>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Which.
    pub release_id: ReleaseId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// Its number among the application's releases, from 1.
    pub number: i64,
    /// Its version: unique among them.
    pub version: String,
    /// What is in it, and why.
    pub notes: String,
    /// What it is.
    pub content: ReleaseContent,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// What the runbook is given for a release: the release's own parameters before the application's, and then what is the
/// release's alone.
#[must_use]
pub fn parameters_of(settings: &ApplicationSettings, input: &CreateRelease) -> BTreeMap<String, Vec<String>> {
    let mut all = settings.parameters.clone();
    all.extend(input.parameters.clone());
    for (name, value) in [
        (&settings.version_parameter, &input.version),
        (&settings.artefact_parameter, &input.artefact),
        (&settings.sha256_parameter, &input.sha256),
    ] {
        let (name, value) = (name.trim(), value.trim());
        if !name.is_empty() && !value.is_empty() {
            all.insert(name.to_owned(), vec![value.to_owned()]);
        }
    }
    all
}

impl ReleaseContent {
    /// What the runbook is given in an environment, but for the nodes; `runs` is the version that runs there now.
    #[must_use]
    pub fn parameters_in(
        &self,
        environment: &BTreeMap<String, Vec<String>>,
        runs: Option<&str>,
    ) -> BTreeMap<String, Vec<String>> {
        let mut all = self.parameters.clone();
        let others = environment.iter().filter(|(name, _)| !self.own.contains(name));
        all.extend(others.map(|(name, values)| (name.clone(), values.clone())));
        if !self.previous_parameter.is_empty() {
            let previous = runs.map(|version| vec![version.to_owned()]);
            match previous {
                Some(previous) => all.insert(self.previous_parameter.clone(), previous),
                None => all.remove(&self.previous_parameter),
            };
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_says_what_is_its_own() {
        let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        let settings = ApplicationSettings {
            version_parameter: "Version".into(),
            artefact_parameter: "Source".into(),
            parameters: BTreeMap::from([
                one("Folder", "/opt/web"),
                one("Source", "https://example.com/VERSION"),
                one("Port", "80"),
            ]),
            ..ApplicationSettings::default()
        };
        let mut input = CreateRelease {
            version: " 1.2 ".into(),
            sha256: "ab".repeat(32),
            parameters: BTreeMap::from([one("Port", "443")]),
            ..CreateRelease::default()
        };
        let all = parameters_of(&settings, &input);
        let said: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, values)| (name.as_str(), values[0].as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("Folder", "/opt/web"),
                ("Port", "443"),
                ("Source", "https://example.com/VERSION"),
                ("Version", "1.2"),
            ],
            "no parameter takes the SHA-256"
        );
        let content = ReleaseContent {
            parameters: all,
            previous_parameter: "RollbackVersion".into(),
            own: vec!["Version".into()],
            ..ReleaseContent::default()
        };
        let environment = BTreeMap::from([one("Version", "9"), one("Folder", "/srv/web")]);
        let given = content.parameters_in(&environment, Some("1.1"));
        assert_eq!(given["Version"], ["1.2"], "what the release is stays");
        assert_eq!(
            (&given["Folder"][0], &given["RollbackVersion"][0]),
            (&"/srv/web".to_owned(), &"1.1".to_owned())
        );
        assert!(
            !content
                .parameters_in(&environment, None)
                .contains_key("RollbackVersion")
        );
        input.artefact = "https://example.com/other".into();
        assert_eq!(
            parameters_of(&settings, &input)["Source"],
            ["https://example.com/other"]
        );
    }
}
