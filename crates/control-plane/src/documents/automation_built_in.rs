//! The runbooks that come with the control plane. Where scripts rely on a name and its parameters, they are the service's;
//! the others carry our own name. Their words are our own.

use super::automation_content::{self, AutomationContent};
use muster_agent_protocol::signing::sha256_hex;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A built-in runbook.
pub(crate) struct AutomationBuiltIn {
    pub(crate) name: &'static str,
    pub(crate) content: AutomationContent,
    /// The content as JSON.
    pub(crate) text: String,
    pub(crate) sha256: String,
    /// Its parameters in the order in which a form shows them.
    pub(crate) order: &'static [&'static str],
}

const SERVICE: &str = include_str!("runbooks/service.sh");
/// A name that a shell takes as it is.
const PLAIN: &str = "[A-Za-z0-9_.@:+-]{1,128}";
/// A path that a shell takes as it is, or none.
const PATH: &str = "(/[A-Za-z0-9_./-]{1,255})?";
/// An address that a shell takes as it is.
const ADDRESS: &str = "(https?|file)://[A-Za-z0-9_./:@%?=&~+,-]{1,500}";

/// All of them, by name.
pub(crate) fn all() -> &'static [AutomationBuiltIn] {
    static ALL: OnceLock<Vec<AutomationBuiltIn>> = OnceLock::new();
    ALL.get_or_init(|| {
        // What cannot be read is missing, which a test sees.
        [patch_instance(), deploy_application(), restart_services()]
            .into_iter()
            .flatten()
            .collect()
    })
}

fn document(name: &'static str, value: &Value, order: &'static [&'static str]) -> Option<AutomationBuiltIn> {
    let content = automation_content::read(value).ok()?;
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    Some(AutomationBuiltIn {
        name,
        content,
        sha256: sha256_hex(text.as_bytes()),
        text,
        order,
    })
}

/// A step that runs a script on nodes.
fn shell(name: &str, nodes: &Value, script: &str, more: Value) -> Value {
    commands(name, nodes, json!(script.lines().collect::<Vec<_>>()), more)
}

fn commands(name: &str, nodes: &Value, commands: Value, more: Value) -> Value {
    let mut step = json!({"name": name, "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
        "InstanceIds": nodes, "Parameters": {"commands": commands}}});
    if let (Value::Object(step), Value::Object(more)) = (&mut step, more) {
        step.extend(more);
    }
    step
}

/// The same on every node, whatever becomes of it on others: what puts things right must not stop at the first that fails.
fn everywhere(mut step: Value) -> Value {
    step["inputs"]["MaxConcurrency"] = json!("100%");
    step["inputs"]["MaxErrors"] = json!("100%");
    step
}

/// A script that does something with a service.
fn service(words: &str) -> String {
    format!("{SERVICE}{words}\n")
}

fn nodes(description: &str) -> Value {
    json!({"type": "List<AWS::EC2::Instance::Id>", "description": description, "minItems": 1})
}

fn service_command() -> Value {
    json!({"type": "String", "default": "", "allowedPattern": PATH, "description":
        "(Optional) A program on the nodes that looks after services, where that is neither systemd, OpenRC nor an init \
         script: it is given start, stop or status, and the service's name."})
}

/// `AWS-PatchInstanceWithRollback`: node by node, so that what goes wrong goes wrong once.
fn patch_instance() -> Option<AutomationBuiltIn> {
    let node = json!(["{{ PatchInstances.CurrentIteratorValue }}"]);
    let end =
        json!({"name": "Patched", "action": "aws:sleep", "isEnd": true, "inputs": {"Duration": "PT0S"}});
    let ec2 = |name: &str, api: &str, inputs: Value| {
        let mut step =
            json!({"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": "ec2", "Api": api}});
        if let (Some(Value::Object(all)), Value::Object(inputs)) = (step.get_mut("inputs"), inputs) {
            all.extend(inputs);
        }
        step
    };
    let mut volumes = ec2(
        "DescribeVolumes",
        "DescribeInstances",
        json!({"InstanceIds": node}),
    );
    volumes["outputs"] =
        json!([{"Name": "VolumeIds", "Selector": "$.Reservations..VolumeId", "Type": "StringList"}]);
    let mut create = ec2(
        "CreateSnapshot",
        "CreateSnapshot",
        json!({"VolumeId": "{{ TakeSnapshots.CurrentIteratorValue }}",
            "Description": "Before patching, {{ automation:EXECUTION_ID }}"}),
    );
    create["outputs"] = json!([{"Name": "SnapshotId", "Selector": "$.SnapshotId", "Type": "String"}]);
    let of_snapshot = |name: &str, action: &str, wanted: Value| {
        json!({"name": name, "action": action, "timeoutSeconds": 1800, "inputs": {"Service": "ec2",
            "Api": "DescribeSnapshots", "SnapshotIds": ["{{ CreateSnapshot.SnapshotId }}"],
            "PropertySelector": "$.Snapshots[0].State", "DesiredValues": wanted}})
    };
    let note = |name: &str, value: Value| json!({"name": name, "action": "aws:updateVariable", "inputs": {"Name": "variable:Snapshots", "Value": value}});
    let snapshots = json!({"name": "TakeSnapshots", "action": "aws:loop", "inputs": {
        "Iterators": "{{ DescribeVolumes.VolumeIds }}", "Steps": [
            create,
            note("NoteSnapshot", json!(["{{ CreateSnapshot.SnapshotId }}"])),
            of_snapshot("WaitForSnapshot", "aws:waitForAwsResourceProperty", json!(["completed", "error"])),
            of_snapshot("CheckSnapshot", "aws:assertAwsResourceProperty", json!(["completed"]))]}});
    let patch = json!({"name": "InstallPatches", "action": "aws:runCommand", "onFailure": "step:RollBack", "inputs": {
        "DocumentName": "AWS-RunPatchBaseline", "InstanceIds": node,
        "Parameters": {"Operation": "{{ Operation }}", "RebootOption": "{{ RebootOption }}"}}});
    let choose = json!({"name": "ChooseSnapshots", "action": "aws:branch", "inputs": {"Choices": [
        {"NextStep": "DescribeVolumes", "Variable": "{{ SnapshotId }}", "StringEquals": "[]"}],
        "Default": "HealthCheckBefore"}});
    let health = json!("{{ HealthCheckCommands }}");
    let steps = json!([
        note("GivenSnapshots", json!("{{ SnapshotId }}")),
        choose,
        volumes,
        snapshots,
        commands("HealthCheckBefore", &node, health.clone(), json!({})),
        patch,
        commands(
            "HealthCheck",
            &node,
            health,
            json!({"onFailure": "step:RollBack"})
        ),
        end,
        shell(
            "RollBack",
            &node,
            include_str!("runbooks/roll_back.sh"),
            json!({"isEnd": true})
        )
    ]);
    let value = json!({"schemaVersion": "0.3",
        "description": "Patches nodes one after the other: takes a snapshot, installs what the patch baseline approves, looks \
            whether the node is well, and rolls it back by its owner's program when it is not.",
        "parameters": {
            "InstanceId": nodes("(Required) The nodes to patch, one after the other. The first that goes wrong is the last."),
            "SnapshotId": {"type": "StringList", "default": [], "allowedPattern": "snap-[0-9a-f]{8,17}",
                "description": "(Optional) Snapshots that were taken before; then none is taken."},
            "Operation": {"type": "String", "default": "Install", "allowedValues": ["Scan", "Install"],
                "description": "(Optional) Install, or Scan to look only."},
            "RebootOption": {"type": "String", "default": "RebootIfNeeded",
                "allowedValues": ["RebootIfNeeded", "NoReboot"],
                "description": "(Optional) What to do when updates ask for a reboot."},
            "HealthCheckCommands": {"type": "StringList", "minItems": 1, "displayType": "textarea",
                "default": include_str!("runbooks/health.sh").lines().collect::<Vec<_>>(),
                "description": "(Optional) The script that says whether a node is well, by its exit status. It is run before \
                    and after."},
            "RollbackCommand": {"type": "String", "default": "/etc/muster-agent/rollback", "allowedPattern": "/[A-Za-z0-9_./-]{1,255}",
                "description": "(Optional) The program on the node that rolls it back; it is given the ids of the snapshots. \
                    Where there is none the run says so and fails."}},
        "variables": {"Snapshots": {"type": "StringList", "default": []}},
        "mainSteps": [{"name": "PatchInstances", "action": "aws:loop",
            "inputs": {"Iterators": "{{ InstanceId }}", "Steps": steps}}]});
    let order = &[
        "InstanceId",
        "SnapshotId",
        "Operation",
        "RebootOption",
        "HealthCheckCommands",
        "RollbackCommand",
    ];
    document("AWS-PatchInstanceWithRollback", &value, order)
}

/// `Muster-DeployApplication`.
fn deploy_application() -> Option<AutomationBuiltIn> {
    let nodes_of = json!("{{ InstanceIds }}");
    let back = || json!({"onFailure": "step:RollBack"});
    let act = |what: &str| {
        service(&format!(
            "do_service {what} '{{{{ ApplicationName }}}}' '{{{{ ServiceCommand }}}}'"
        ))
    };
    let stop = service(
        "if [ -d '{{ Folder }}' ]; then do_service stop '{{ ApplicationName }}' '{{ ServiceCommand }}'; fi",
    );
    let steps = json!([
        shell("DownloadNewVersion", &nodes_of, include_str!("runbooks/download.sh"), json!({})),
        shell("StopApplication", &nodes_of, &stop, back()),
        shell("BackupCurrentVersion", &nodes_of, include_str!("runbooks/back_up.sh"), back()),
        shell("StartApplication", &nodes_of, &act("start"), back()),
        shell("HealthCheck", &nodes_of, include_str!("runbooks/check.sh"), back()),
        {"name": "Deployed", "action": "aws:sleep", "isEnd": true, "inputs": {"Duration": "PT0S"}},
        everywhere(shell("RollBack", &nodes_of, &service(include_str!("runbooks/restore.sh")), json!({"isEnd": true})))
    ]);
    let text = |description: &str, pattern: &str| json!({"type": "String", "description": description, "allowedPattern": pattern});
    let value = json!({"schemaVersion": "0.3",
        "description": "Deploys a version of an application to nodes, looks whether it is well, and goes back to the version \
            before when it is not.",
        "parameters": {
            "InstanceIds": nodes("(Required) The nodes."),
            "ApplicationName": text("(Required) The application's name, which is its service's too.", PLAIN),
            "Version": text("(Required) The version to deploy.", PLAIN),
            "Source": text("(Required) Where the version lies as .tar.gz: an address with VERSION where the version stands.", ADDRESS),
            "Sha256": {"type": "String", "default": "", "allowedPattern": "([0-9A-Fa-f]{64})?",
                "description": "(Optional) SHA-256 of that file, hexadecimal: looked at on each node before anything is stopped."},
            "Folder": text("(Required) The folder on the nodes that is the application; what was there before stays beside it, with \
                .previous behind its name.", "/[A-Za-z0-9_./-]{0,254}[A-Za-z0-9_-]"),
            "HealthCheckUrl": text("(Required) What answers well when the application is: asked on each node.", ADDRESS),
            "HealthCheckSeconds": {"type": "String", "default": "150", "allowedPattern": "[1-9][0-9]{0,3}",
                "description": "(Optional) How often it is asked, once a second."},
            "ServiceCommand": service_command()},
        "mainSteps": steps});
    let order = &[
        "InstanceIds",
        "ApplicationName",
        "Version",
        "Source",
        "Sha256",
        "Folder",
        "HealthCheckUrl",
        "HealthCheckSeconds",
        "ServiceCommand",
    ];
    document("Muster-DeployApplication", &value, order)
}

/// `Muster-RestartServices`.
fn restart_services() -> Option<AutomationBuiltIn> {
    let nodes_of = json!("{{ InstanceIds }}");
    let act = |what: &str| {
        service(&format!(
            "do_service {what} '{{{{ RestartServices.CurrentIteratorValue }}}}' '{{{{ ServiceCommand }}}}'"
        ))
    };
    // Where it cannot be stopped on one node it has been on others: there it must not stay stopped.
    let steps = json!([
        everywhere(shell("StopService", &nodes_of, &act("stop"), json!({"onFailure": "step:StartAgain"}))),
        {"name": "WaitForStop", "action": "aws:sleep", "inputs": {"Duration": "PT{{ WaitSeconds }}S"}},
        everywhere(shell("StartService", &nodes_of, &act("start"), json!({}))),
        everywhere(shell("CheckService", &nodes_of, &act("status"), json!({"isEnd": true}))),
        everywhere(shell("StartAgain", &nodes_of, &act("start"), json!({"isEnd": true})))
    ]);
    let value = json!({"schemaVersion": "0.3",
        "description": "Stops services on nodes, starts them again, one after the other, and looks whether they run.",
        "parameters": {
            "InstanceIds": nodes("(Required) The nodes."),
            "ServiceNames": {"type": "StringList", "minItems": 1, "allowedPattern": PLAIN,
                "description": "(Required) The services, in their order."},
            "WaitSeconds": {"type": "String", "default": "2", "allowedPattern": "[0-9]{1,4}",
                "description": "(Optional) Seconds between stopping and starting."},
            "ServiceCommand": service_command()},
        "mainSteps": [{"name": "RestartServices", "action": "aws:loop",
            "inputs": {"Iterators": "{{ ServiceNames }}", "Steps": steps}}]});
    document(
        "Muster-RestartServices",
        &value,
        &["InstanceIds", "ServiceNames", "WaitSeconds", "ServiceCommand"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_can_be_read_and_name_their_parameters() {
        let names: Vec<&str> = all().iter().map(|document| document.name).collect();
        assert_eq!(
            names,
            [
                "AWS-PatchInstanceWithRollback",
                "Muster-DeployApplication",
                "Muster-RestartServices"
            ]
        );
        for document in all() {
            let mut declared: Vec<&str> = document.content.parameters.keys().map(String::as_str).collect();
            let mut named = document.order.to_vec();
            declared.sort_unstable();
            named.sort_unstable();
            assert_eq!(declared, named, "{}", document.name);
        }
    }
}
