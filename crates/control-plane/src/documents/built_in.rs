//! The documents that come with the control plane. They carry the names and parameters that scripts rely
//! on; their words are our own.

use super::built_in_content::{create_snapshot, refresh_association, run_document, run_remote_script};
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
            gather_software_inventory(),
            refresh_association(),
            run_document(),
            run_patch_baseline(),
            script(
                "AWS-RunPowerShellScript",
                "Runs PowerShell commands or a whole PowerShell script on the node.",
                "aws:runPowerShellScript",
                "runPowerShellScript",
                &["Windows"],
            ),
            run_remote_script(),
            script(
                "AWS-RunShellScript",
                "Runs shell commands or a whole shell script on the node.",
                "aws:runShellScript",
                "runShellScript",
                &["Linux", "MacOS"],
            ),
            create_snapshot(),
        ]
    })
}

/// 1 to 172,800.
pub(super) const EXECUTION_TIMEOUT: &str =
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
    document(
        name,
        platforms,
        content,
        &["commands", "workingDirectory", "executionTimeout"],
    )
}

pub(super) fn document(
    name: &'static str,
    platforms: &'static [&'static str],
    content: DocumentContent,
    order: &'static [&'static str],
) -> Document {
    let text = serde_json::to_string_pretty(&content).unwrap_or_default();
    Document {
        name,
        platforms,
        sha256: sha256_hex(text.as_bytes()),
        text,
        content,
        order,
    }
}

/// The parameters of `AWS-GatherSoftwareInventory` that switch a kind of inventory on or off, with what they mean.
const INVENTORY: [(&str, &str, &str); 6] = [
    (
        "applications",
        "Installed packages, of dpkg and of rpm.",
        "Enabled",
    ),
    (
        "networkConfig",
        "Network interfaces and their addresses.",
        "Enabled",
    ),
    ("services", "Services of systemd.", "Enabled"),
    (
        "instanceDetailedInformation",
        "Processor, memory and kernel.",
        "Enabled",
    ),
    (
        "users",
        "Accounts of the system, without their secrets.",
        "Disabled",
    ),
    (
        "customInventory",
        "What is in /var/lib/muster-agent/inventory/custom/*.json.",
        "Enabled",
    ),
];

fn gather_software_inventory() -> Document {
    let mut parameters: BTreeMap<String, DocumentParameter> = INVENTORY
        .iter()
        .map(|(name, meaning, default)| {
            let parameter = DocumentParameter {
                parameter_type: "String".into(),
                description: format!("(Optional) {meaning}"),
                default: Some(json!(default)),
                allowed_values: vec!["Enabled".into(), "Disabled".into()],
                ..DocumentParameter::default()
            };
            ((*name).to_owned(), parameter)
        })
        .collect();
    parameters.insert(
        "files".into(),
        DocumentParameter {
            parameter_type: "String".into(),
            description: "(Optional) Files by rule: a JSON list, as \
                 [{\"Path\":\"/etc\",\"Pattern\":[\"*.conf\"],\"Recursive\":true,\"DirScanLimit\":1000}]."
                .into(),
            default: Some(json!("")),
            ..DocumentParameter::default()
        },
    );
    let inputs = parameters
        .keys()
        .map(|name| (name.clone(), json!(format!("{{{{ {name} }}}}"))))
        .collect();
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Collects what the node has: packages, network, services, files, accounts.".into(),
        parameters,
        main_steps: vec![DocumentStep {
            action: "aws:softwareInventory".into(),
            name: "collectSoftwareInventoryItems".into(),
            inputs,
            ..DocumentStep::default()
        }],
    };
    document(
        "AWS-GatherSoftwareInventory",
        &["Linux"],
        content,
        &[
            "applications",
            "networkConfig",
            "services",
            "instanceDetailedInformation",
            "files",
            "users",
            "customInventory",
        ],
    )
}

/// Empty, or where something lies.
const ADDRESS: &str = "(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$";
/// Empty, or a UUID.
const SNAPSHOT_ID: &str =
    "(^$)|^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

fn run_patch_baseline() -> Document {
    let one_of = |description: &str, values: &[&str], default: Option<&str>| DocumentParameter {
        parameter_type: "String".into(),
        description: description.into(),
        allowed_values: values.iter().map(|&value| value.to_owned()).collect(),
        default: default.map(|value| json!(value)),
        ..DocumentParameter::default()
    };
    let parameters = BTreeMap::from([
        (
            "Operation".to_owned(),
            one_of(
                "(Required) Scan holds the node against its patch baseline; Install also installs what is missing.",
                &["Scan", "Install"],
                None,
            ),
        ),
        (
            "RebootOption".to_owned(),
            one_of(
                "(Optional) What to do when updates ask for a reboot. With RebootIfNeeded the node is rebooted once what else \
                 runs on it has ended, and looked at again; an agent that may not reboot it reports them as pending.",
                &["RebootIfNeeded", "NoReboot"],
                Some("RebootIfNeeded"),
            ),
        ),
        (
            "SnapshotId".to_owned(),
            DocumentParameter {
                parameter_type: "String".into(),
                description:
                    "(Optional) A UUID: all runs of one snapshot are held against the same baselines.".into(),
                default: Some(json!("")),
                allowed_pattern: Some(SNAPSHOT_ID.into()),
                ..DocumentParameter::default()
            },
        ),
    ]);
    let address = |description: &str| DocumentParameter {
        parameter_type: "String".into(),
        description: description.into(),
        default: Some(json!("")),
        allowed_pattern: Some(ADDRESS.into()),
        ..DocumentParameter::default()
    };
    let mut parameters = parameters;
    parameters.insert(
        "InstallOverrideList".to_owned(),
        address(
            "(Optional) Where a list in YAML lies of the patches to install, whatever the baseline approves: https:// or s3://.",
        ),
    );
    parameters.insert(
        "BaselineOverride".to_owned(),
        address(
            "(Optional) Where patch baselines lie as JSON; the one of the node's system takes the place of its own: https:// or \
             s3://.",
        ),
    );
    let input = |name: &str| json!(format!("{{{{ {name} }}}}"));
    let content = DocumentContent {
        schema_version: "2.2".into(),
        description: "Scans the node for missing updates, or installs them, as its patch baseline says."
            .into(),
        parameters,
        main_steps: vec![DocumentStep {
            action: "aws:runPatchBaseline".into(),
            name: "PatchLinux".into(),
            precondition: Some(BTreeMap::from([(
                "StringEquals".to_owned(),
                vec!["platformType".to_owned(), "Linux".to_owned()],
            )])),
            inputs: BTreeMap::from([
                ("operation".to_owned(), input("Operation")),
                ("rebootOption".to_owned(), input("RebootOption")),
                ("installOverrideList".to_owned(), input("InstallOverrideList")),
                ("baselineOverride".to_owned(), input("BaselineOverride")),
                ("timeoutSeconds".to_owned(), json!("7200")),
            ]),
            ..DocumentStep::default()
        }],
    };
    document(
        "AWS-RunPatchBaseline",
        &["Linux"],
        content,
        &[
            "Operation",
            "RebootOption",
            "SnapshotId",
            "InstallOverrideList",
            "BaselineOverride",
        ],
    )
}

/// The default of a parameter as text: lists as JSON.
pub(crate) fn default_text(parameter: &DocumentParameter) -> Option<String> {
    parameter.default.as_ref().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
