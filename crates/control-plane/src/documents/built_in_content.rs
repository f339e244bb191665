//! Built-in documents that bring content to a node and run it, the one that refreshes associations, and the one by which
//! a node takes a snapshot of itself.

use super::built_in::{Document, EXECUTION_TIMEOUT, document};
use muster_agent_protocol::control::{DocumentContent, DocumentParameter, DocumentStep};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn parameter(kind: &str, description: &str, default: Option<Value>) -> DocumentParameter {
    DocumentParameter {
        parameter_type: kind.into(),
        description: description.into(),
        default,
        ..DocumentParameter::default()
    }
}

fn step(action: &str, name: &str, inputs: &[(&str, Value)]) -> DocumentStep {
    DocumentStep {
        action: action.into(),
        name: name.into(),
        inputs: inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        ..DocumentStep::default()
    }
}

fn source_type(values: &[&str]) -> DocumentParameter {
    DocumentParameter {
        allowed_values: values.iter().map(|&value| value.to_owned()).collect(),
        ..parameter("String", "(Required) Where the content is.", None)
    }
}

fn source_info() -> DocumentParameter {
    parameter(
        "StringMap",
        "(Required) What names it there: {\"url\": \"https://…\"} for HTTP, {\"path\": \"https://s3.…/bucket/key\"} for S3, \
         {\"name\": \"document:version\"} for SSMDocument.",
        None,
    )
}

/// Without what is to be run, nothing is run.
fn download() -> DocumentStep {
    let inputs = [
        ("sourceType", json!("{{ sourceType }}")),
        ("sourceInfo", json!("{{ sourceInfo }}")),
    ];
    DocumentStep {
        on_failure: Some("exit".into()),
        ..step("aws:downloadContent", "downloadContent", &inputs)
    }
}

/// `AWS-RunDocument`.
pub(super) fn run_document() -> Document {
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Downloads a Command document to the node and runs it there.".into(),
        parameters: BTreeMap::from([
            (
                "sourceType".to_owned(),
                source_type(&["HTTP", "S3", "SSMDocument"]),
            ),
            ("sourceInfo".to_owned(), source_info()),
            (
                "documentParameters".to_owned(),
                parameter(
                    "StringMap",
                    "(Optional) Parameters of the document that is run, as {\"name\": \"value\"}.",
                    Some(json!({})),
                ),
            ),
        ]),
        main_steps: vec![
            download(),
            step(
                "aws:runDocument",
                "runDocument",
                &[
                    ("documentType", json!("LocalPath")),
                    ("documentPath", json!("")),
                    ("documentParameters", json!("{{ documentParameters }}")),
                ],
            ),
        ],
    };
    let order = &["sourceType", "sourceInfo", "documentParameters"];
    document("AWS-RunDocument", &["Linux"], content, order)
}

/// `AWS-RunRemoteScript`.
pub(super) fn run_remote_script() -> Document {
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Downloads a script to the node and runs it there.".into(),
        parameters: BTreeMap::from([
            ("sourceType".to_owned(), source_type(&["HTTP", "S3"])),
            ("sourceInfo".to_owned(), source_info()),
            (
                "commandLine".to_owned(),
                parameter(
                    "String",
                    "(Required) What runs it: the script's name with its arguments, where it was downloaded to.",
                    None,
                ),
            ),
            (
                "workingDirectory".to_owned(),
                parameter(
                    "String",
                    "(Optional) The folder on the node in which it runs: where it was downloaded to unless given.",
                    Some(json!("")),
                ),
            ),
            (
                "executionTimeout".to_owned(),
                DocumentParameter {
                    allowed_pattern: Some(EXECUTION_TIMEOUT.into()),
                    ..parameter(
                        "String",
                        "(Optional) Seconds after which the script is stopped and counts as failed: 3600 (one hour) \
                         unless given, at most 172800 (two days).",
                        Some(json!("3600")),
                    )
                },
            ),
        ]),
        main_steps: vec![
            download(),
            step(
                "aws:runShellScript",
                "runShellScript",
                &[
                    (
                        "runCommand",
                        json!(["export PATH=\"$PATH:$PWD\"", "{{ commandLine }}"]),
                    ),
                    ("workingDirectory", json!("{{ workingDirectory }}")),
                    ("timeoutSeconds", json!("{{ executionTimeout }}")),
                ],
            ),
        ],
    };
    let order = &[
        "sourceType",
        "sourceInfo",
        "commandLine",
        "workingDirectory",
        "executionTimeout",
    ];
    document("AWS-RunRemoteScript", &["Linux"], content, order)
}

/// `AWS-RefreshAssociation`.
pub(super) fn refresh_association() -> Document {
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Has the associations of the node run now.".into(),
        parameters: BTreeMap::from([(
            "associationIds".to_owned(),
            parameter(
                "StringList",
                "(Optional) Only these; all of the node's unless given.",
                Some(json!([])),
            ),
        )]),
        main_steps: vec![step(
            "aws:refreshAssociation",
            "refreshAssociation",
            &[("associationIds", json!("{{ associationIds }}"))],
        )],
    };
    document("AWS-RefreshAssociation", &["Linux"], content, &["associationIds"])
}

/// `Muster-CreateSnapshot`.
pub(super) fn create_snapshot() -> Document {
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Has the node take a snapshot of itself, as CreateSnapshot of EC2 asks for.".into(),
        parameters: BTreeMap::from([
            (
                "snapshotId".to_owned(),
                DocumentParameter {
                    allowed_pattern: Some("snap-[0-9a-f]{17}".into()),
                    ..parameter("String", "(Required) The id of the snapshot.", None)
                },
            ),
            (
                "description".to_owned(),
                parameter("String", "(Optional) What it is for.", Some(json!(""))),
            ),
        ]),
        main_steps: vec![step(
            "muster:createSnapshot",
            "createSnapshot",
            &[
                ("snapshotId", json!("{{ snapshotId }}")),
                ("description", json!("{{ description }}")),
            ],
        )],
    };
    document(
        crate::ec2::create_snapshot::DOCUMENT,
        &["Linux"],
        content,
        &["snapshotId", "description"],
    )
}
