//! The documents that come with the control plane. They carry the names and parameters that scripts rely
//! on; their words are our own.

use muster_agent_protocol::control::{DocumentContent, DocumentParameter, DocumentStep};
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A document.
pub(crate) struct Document {
    pub(crate) name: &'static str,
    pub(crate) platforms: &'static [&'static str],
    pub(crate) content: DocumentContent,
    /// The content as JSON, as `GetDocument` answers it.
    pub(crate) text: String,
    pub(crate) sha256: String,
    /// Its parameters in the order in which a form shows them.
    pub(crate) order: &'static [&'static str],
}

/// Who the built-in documents belong to.
pub(crate) const OWNER: &str = "Amazon";
/// When they were written.
pub(crate) const CREATED: Timestamp = Timestamp(1_795_392_000_000);

/// All of them, by name.
pub(crate) fn all() -> &'static [Document] {
    static ALL: OnceLock<Vec<Document>> = OnceLock::new();
    ALL.get_or_init(|| {
        vec![
            script(
                "AWS-RunPowerShellScript",
                "Runs PowerShell commands or a whole PowerShell script on the node.",
                "aws:runPowerShellScript",
                "runPowerShellScript",
                &["Windows"],
            ),
            script(
                "AWS-RunShellScript",
                "Runs shell commands or a whole shell script on the node.",
                "aws:runShellScript",
                "runShellScript",
                &["Linux", "MacOS"],
            ),
        ]
    })
}

/// 1 to 172,800.
const EXECUTION_TIMEOUT: &str =
    "([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)";

fn script(
    name: &'static str,
    description: &str,
    action: &str,
    step: &str,
    platforms: &'static [&'static str],
) -> Document {
    let parameters = BTreeMap::from([
        (
            "commands".to_owned(),
            DocumentParameter {
                parameter_type: "StringList".into(),
                description: "(Required) The commands to run, line by line: together they are one script."
                    .into(),
                min_items: Some(1),
                display_type: Some("textarea".into()),
                ..DocumentParameter::default()
            },
        ),
        (
            "workingDirectory".to_owned(),
            DocumentParameter {
                parameter_type: "String".into(),
                description: "(Optional) The folder on the node in which the script runs.".into(),
                default: Some(json!("")),
                max_chars: Some(4096),
                ..DocumentParameter::default()
            },
        ),
        (
            "executionTimeout".to_owned(),
            DocumentParameter {
                parameter_type: "String".into(),
                description:
                    "(Optional) Seconds after which the script is stopped and counts as failed: 3600 (one \
                              hour) unless given, at most 172800 (two days)."
                        .into(),
                default: Some(json!("3600")),
                allowed_pattern: Some(EXECUTION_TIMEOUT.into()),
                ..DocumentParameter::default()
            },
        ),
    ]);
    let inputs = BTreeMap::from([
        ("runCommand".to_owned(), json!("{{ commands }}")),
        ("workingDirectory".to_owned(), json!("{{ workingDirectory }}")),
        ("timeoutSeconds".to_owned(), json!("{{ executionTimeout }}")),
    ]);
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: description.to_owned(),
        parameters,
        main_steps: vec![DocumentStep {
            action: action.to_owned(),
            name: step.to_owned(),
            inputs,
            ..DocumentStep::default()
        }],
    };
    let text = serde_json::to_string_pretty(&content).unwrap_or_default();
    Document {
        name,
        platforms,
        sha256: sha256_hex(text.as_bytes()),
        text,
        content,
        order: &["commands", "workingDirectory", "executionTimeout"],
    }
}

/// The default of a parameter as text: lists as JSON.
pub(crate) fn default_text(parameter: &DocumentParameter) -> Option<String> {
    parameter.default.as_ref().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
