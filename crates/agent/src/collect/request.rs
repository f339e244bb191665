//! What is to be collected, from the step's inputs.

use serde::{Deserialize, Serialize};

/// Files by their folder and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FileRule {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) pattern: Vec<String>,
    #[serde(default)]
    pub(crate) recursive: bool,
    #[serde(default = "usual_limit")]
    pub(crate) dir_scan_limit: usize,
}

fn usual_limit() -> usize {
    5_000
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) node_id: String,
    pub(crate) applications: bool,
    pub(crate) network: bool,
    pub(crate) services: bool,
    pub(crate) details: bool,
    pub(crate) users: bool,
    pub(crate) custom: bool,
    pub(crate) files: Vec<FileRule>,
}

/// Rules at most, as the service has it.
const MOST_RULES: usize = 10;

impl Request {
    /// Reads it from a step; `text` gives an input as text.
    pub(crate) fn read(node_id: &str, text: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let is_on = |name: &str| match text(name).as_deref().map(str::trim) {
            Some("Enabled") => Ok(true),
            None | Some("" | "Disabled") => Ok(false),
            Some(other) => Err(format!("its input {name} is {other:?}, not Enabled or Disabled")),
        };
        let files = match text("files").as_deref().map(str::trim) {
            None | Some("") => Vec::new(),
            Some(rules) => serde_json::from_str::<Vec<FileRule>>(rules).map_err(|error| {
                format!(
                    "its input files is no list of rules like [{{\"Path\":\"/etc\",\"Pattern\":[\"*.conf\"],\"Recursive\":true}}]: \
                     {error}"
                )
            })?,
        };
        if files.len() > MOST_RULES {
            return Err(format!("its input files has more than {MOST_RULES} rules"));
        }
        Ok(Self {
            node_id: node_id.to_owned(),
            applications: is_on("applications")?,
            network: is_on("networkConfig")?,
            services: is_on("services")?,
            details: is_on("instanceDetailedInformation")?,
            users: is_on("users")?,
            custom: is_on("customInventory")?,
            files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inputs: &[(&str, &str)]) -> Result<Request, String> {
        Request::read("mi-0", |name| {
            let found = inputs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn inputs_are_words_and_rules() {
        let rule = r#"[{"Path":"/etc","Pattern":["*.conf"],"Recursive":true,"DirScanLimit":7}]"#;
        let request = read(&[
            ("applications", "Enabled"),
            ("services", "Disabled"),
            ("files", rule),
        ])
        .unwrap();
        assert!(request.applications && !request.services && !request.custom);
        assert_eq!(request.files[0].dir_scan_limit, 7);
        for bad in [("applications", "yes"), ("files", "{}"), ("files", "nonsense")] {
            assert!(read(&[bad]).is_err(), "{bad:?}");
        }
    }
}
