//! What a step's action means: which program runs, where, how long; and what its end is called.

use super::nested::{self, Nested};
use super::process::{Ending, Program};
use crate::collect;
use crate::commands::document;
use crate::commands::job_dir::Job;
use crate::download;
use crate::files;
use crate::host;
use crate::patch;
use crate::reboot;
use crate::snapshots;
use muster_agent_protocol::control::{DocumentStep, PATCH_SNAPSHOT};
use muster_agent_protocol::inputs;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_TIMEOUT_SECONDS: u64 = 3600;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// By this a script asks for a reboot and to be run again (the user guide's "Handling reboots when running commands").
pub(crate) const REBOOT_CODE: i32 = 194;
/// What a step's end is called then; it never leaves the node.
pub(super) const REBOOT: &str = "Reboot";

/// Where a step runs.
pub(super) struct Place<'a> {
    pub(super) node_id: &'a str,
    pub(super) region: &'a str,
    /// Of the document that the step belongs to.
    pub(super) schema_version: &'a str,
    /// Whether that document is a file of this machine, of which the control plane knows nothing.
    pub(super) is_local: bool,
    /// Where what the command has downloaded is, unless it was told otherwise.
    pub(super) downloads: &'a Path,
}

impl<'a> Place<'a> {
    /// Of the steps of a job.
    pub(super) fn of(job: &'a Job, downloads: &'a Path) -> Self {
        Self {
            node_id: &job.node_id,
            region: &job.region,
            schema_version: &job.content.document_content.schema_version,
            is_local: false,
            downloads,
        }
    }
}

/// What is to be done with a step.
pub(super) enum Plan {
    Run(Program),
    /// The steps of another document.
    Document(Box<Nested>),
    /// There is nothing to do here; the text says why.
    Done(String),
    /// Its precondition does not hold; the text says so.
    Skip(String),
    /// It cannot be run; the text says why.
    Refuse(String),
}

/// Reads a step. Writes its script into `directory`.
pub(super) fn plan(
    place: &Place<'_>,
    step: &DocumentStep,
    values: &BTreeMap<String, Value>,
    directory: &Path,
    reboots: u32,
) -> Plan {
    match document::precondition_holds(step.precondition.as_ref(), values) {
        Ok(true) => {}
        Ok(false) => {
            return Plan::Skip(format!(
                "Step {} was skipped: its precondition does not hold on this node (Linux).\n",
                step.name
            ));
        }
        Err(reason) => return Plan::Refuse(format!("Step {} cannot be run: {reason}.\n", step.name)),
    }
    let is_lenient = place.schema_version == "2.2";
    if is_lenient && is_for_windows(&step.action) {
        // Older schema versions fail here; of 2.2 the service says that what does not fit is skipped.
        return Plan::Skip(format!(
            "Step {} was skipped: {} is for Windows, and this node is Linux.\n",
            step.name, step.action
        ));
    }
    let planned = match step.action.as_str() {
        // Said rather than done half: the control plane would have had to see it when it sent the command.
        "aws:runPatchBaseline" | "aws:refreshAssociation" if place.is_local => Err(format!(
            "{} needs the control plane, which does not know this document; run it with the documentType SSMDocument",
            step.action
        )),
        "aws:runDocument" => nested::read(place, step, values).map(|found| Plan::Document(Box::new(found))),
        // The control plane has done so when it sent the command.
        "aws:refreshAssociation" => Ok(Plan::Done(
            "The control plane runs the associations of this node; each run is a command of its own.\n"
                .into(),
        )),
        _ => prepare(place, step, values, directory, reboots).map(Plan::Run),
    };
    planned.unwrap_or_else(|reason| Plan::Refuse(format!("Step {} cannot be run: {reason}.\n", step.name)))
}

/// Whether a plugin has nothing to do on this node.
fn is_for_windows(action: &str) -> bool {
    match action {
        "aws:runPowerShellScript" => find_power_shell().is_none(),
        "aws:applications" | "aws:cloudWatch" | "aws:psModule" | "aws:updateAgent" => true,
        _ => false,
    }
}

fn prepare(
    place: &Place<'_>,
    step: &DocumentStep,
    values: &BTreeMap<String, Value>,
    directory: &Path,
    reboots: u32,
) -> Result<Program, String> {
    let power_shell = match step.action.as_str() {
        "aws:runPatchBaseline" => {
            let text = |name: &str| inputs::text_input(&step.inputs, name, values);
            let request = patch::request::Request::read(text, step.inputs.get(PATCH_SNAPSHOT))?;
            let mut program = this_program("patch", patch::REQUEST_FILE, &request, step, values, directory)?;
            let count = reboots.to_string();
            program.environment.push((patch::REBOOTS_VARIABLE, count.into()));
            program.environment.extend(passed_on(download::PASSED_ON));
            return Ok(program);
        }
        "aws:softwareInventory" => {
            let text = |name: &str| inputs::text_input(&step.inputs, name, values);
            let request = collect::request::Request::read(place.node_id, text)?;
            return this_program("inventory", collect::REQUEST_FILE, &request, step, values, directory);
        }
        "aws:downloadContent" => {
            let request = download::request::Request::read(place.downloads, &step.inputs, values)?;
            let mut program = this_program("download", download::REQUEST_FILE, &request, step, values, directory)?;
            program.environment.extend(passed_on(download::PASSED_ON));
            return Ok(program);
        }
        "muster:createSnapshot" => return snapshot(step, values),
        "aws:runShellScript" => None,
        "aws:runPowerShellScript" => Some(find_power_shell().ok_or(
            "aws:runPowerShellScript is for Windows; on Linux it needs PowerShell (pwsh), which is not installed",
        )?),
        other => {
            return Err(format!(
                "this agent has no plugin {other}; it runs aws:runShellScript, aws:runPowerShellScript, \
                 aws:runDocument, aws:downloadContent, aws:runPatchBaseline, aws:softwareInventory and \
                 aws:refreshAssociation"
            ));
        }
    };
    let lines = inputs::lines_input(&step.inputs, "runCommand", values);
    if lines.is_empty() {
        return Err("its input runCommand is empty".into());
    }
    let timeout = timeout_seconds(step, values)?;
    let home = home();
    let working = match inputs::text_input(&step.inputs, "workingDirectory", values) {
        Some(text) => {
            // A relative one is below what was downloaded.
            let path = place.downloads.join(text.trim());
            if !path.is_dir() {
                return Err(format!("its working directory {} does not exist", path.display()));
            }
            path
        }
        None if place.downloads.is_dir() => place.downloads.to_owned(),
        None if Path::new(&home).is_dir() => PathBuf::from(&home),
        None => PathBuf::from("/"),
    };
    let script = directory.join(if power_shell.is_some() {
        "script.ps1"
    } else {
        "script"
    });
    let text = lines.join("\n") + "\n";
    write_script(&script, &text).map_err(|error| format!("its script could not be written: {error}"))?;
    let (path, mut arguments): (PathBuf, Vec<OsString>) = match power_shell {
        Some(path) => (
            path,
            ["-NoProfile", "-NonInteractive", "-File"]
                .map(OsString::from)
                .into(),
        ),
        None => interpreter(&text),
    };
    arguments.push(script.into_os_string());
    let environment = vec![
        ("PATH", PATH.into()),
        ("HOME", home),
        ("AWS_SSM_INSTANCE_ID", place.node_id.into()),
        ("AWS_SSM_REGION_NAME", place.region.into()),
    ];
    Ok(Program {
        path,
        arguments,
        directory: working,
        environment,
        timeout: Duration::from_secs(timeout),
    })
}

/// Has this machine take a snapshot of itself.
fn snapshot(step: &DocumentStep, values: &BTreeMap<String, Value>) -> Result<Program, String> {
    let text = |name: &str| inputs::text_input(&step.inputs, name, values).unwrap_or_default();
    let id = text("snapshotId");
    if !snapshots::is_id(&id) {
        return Err("its input snapshotId is no id of a snapshot".into());
    }
    let way = snapshots::way().ok_or(
        "this machine takes no snapshots: its root is neither btrfs nor on LVM, and there is no program \
         /etc/muster-agent/snapshot",
    )?;
    let (path, arguments) = way.program(&id);
    Ok(Program {
        path,
        arguments,
        directory: "/".into(),
        environment: vec![
            ("PATH", PATH.into()),
            ("HOME", home()),
            ("MUSTER_SNAPSHOT_ID", id.into()),
            ("MUSTER_SNAPSHOT_DESCRIPTION", text("description").into()),
        ],
        timeout: Duration::from_secs(timeout_seconds(step, values)?),
    })
}

fn timeout_seconds(step: &DocumentStep, values: &BTreeMap<String, Value>) -> Result<u64, String> {
    match inputs::text_input(&step.inputs, "timeoutSeconds", values) {
        None => Ok(DEFAULT_TIMEOUT_SECONDS),
        Some(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|seconds| (1..=172_800).contains(seconds))
            .ok_or_else(|| {
                format!("its input timeoutSeconds is {text:?}, not a number of seconds from 1 to 172800")
            }),
    }
}

/// What of the agent's own surroundings the package manager needs: where it is reached through, where its files are.
const PASSED_ON: [&str; 11] = [
    host::SYSTEM_ROOT,
    reboot::COMMAND_VARIABLE,
    "APT_CONFIG",
    "DPKG_ROOT",
    "DPKG_ADMINDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

fn passed_on<const N: usize>(names: [&'static str; N]) -> impl Iterator<Item = (&'static str, OsString)> {
    names
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// This program once more, as the one that does what a plugin does. What it is asked for is in a file of the step's.
fn this_program(
    command: &str,
    file: &str,
    request: &impl Serialize,
    step: &DocumentStep,
    values: &BTreeMap<String, Value>,
    directory: &Path,
) -> Result<Program, String> {
    files::write_json(&directory.join(file), request)
        .map_err(|error| format!("its request could not be written: {error}"))?;
    // `… worker DIRECTORY` becomes `… patch DIRECTORY`.
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    arguments.truncate(arguments.len().saturating_sub(2));
    arguments.extend([command.into(), directory.as_os_str().to_owned()]);
    let mut environment = vec![("PATH", PATH.into()), ("HOME", home())];
    environment.extend(passed_on(PASSED_ON));
    Ok(Program {
        path: "/proc/self/exe".into(),
        arguments,
        directory: "/".into(),
        environment,
        timeout: Duration::from_secs(timeout_seconds(step, values)?),
    })
}

/// Not made durable: after a crash of the machine nobody runs it again, and after a reboot it is written anew.
fn write_script(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(path)?
        .write_all(text.as_bytes())
}

/// What the kernel would start for this script. Done here so that a state directory which is mounted
/// `noexec` does not matter.
fn interpreter(script: &str) -> (PathBuf, Vec<OsString>) {
    let first = script.lines().next().unwrap_or_default();
    let named = first
        .strip_prefix("#!")
        .map(str::trim)
        .filter(|line| !line.is_empty());
    match named.map(|line| line.split_once([' ', '\t']).unwrap_or((line, ""))) {
        Some((path, argument)) => {
            let argument = argument.trim();
            // One argument at most, as the kernel does it.
            let arguments = if argument.is_empty() {
                Vec::new()
            } else {
                vec![argument.into()]
            };
            (path.into(), arguments)
        }
        None => ("/bin/sh".into(), Vec::new()),
    }
}

fn find_power_shell() -> Option<PathBuf> {
    PATH.split(':')
        .chain(["/opt/microsoft/powershell/7", "/snap/bin"])
        .map(|directory| Path::new(directory).join("pwsh"))
        .find(|path| path.is_file())
}

fn home() -> OsString {
    std::env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .unwrap_or_else(|| {
            if rustix::process::getuid().is_root() {
                "/root".into()
            } else {
                "/".into()
            }
        })
}

/// Status, code, and what is added to the error output.
pub(super) fn judge(ending: &Ending, timeout: Duration) -> (&'static str, i32, String) {
    match ending {
        Ending::Exited(0) => ("Success", 0, String::new()),
        Ending::Exited(REBOOT_CODE) => (REBOOT, REBOOT_CODE, String::new()),
        Ending::Exited(code) => (
            "Failed",
            *code,
            format!("failed to run commands: exit status {code}"),
        ),
        Ending::TimedOut => (
            "TimedOut",
            137,
            format!(
                "The step ran longer than its {} seconds and was ended with all of its processes.\n",
                timeout.as_secs()
            ),
        ),
        Ending::Cancelled => ("Cancelled", 137, "The command was cancelled.\n".into()),
        Ending::NotStarted(reason) => ("Failed", 1, format!("{reason}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        let of = |script| {
            let (path, arguments) = interpreter(script);
            (path.display().to_string(), arguments)
        };
        assert_eq!(of("echo"), ("/bin/sh".into(), vec![]));
        assert_eq!(
            of("#!/usr/bin/env python3\nx"),
            ("/usr/bin/env".into(), vec!["python3".into()])
        );
        assert_eq!(of("#! /bin/awk -f -x"), ("/bin/awk".into(), vec!["-f -x".into()]));
        assert_eq!(of("#!\n"), ("/bin/sh".into(), vec![]));
    }

    #[test]
    fn a_document_of_this_machine_does_not_ask_the_control_plane() {
        let folder = tempfile::tempdir().unwrap();
        let planned = |is_local| {
            let place = Place {
                node_id: "mi",
                region: "eu-west-1",
                schema_version: "2.2",
                is_local,
                downloads: folder.path(),
            };
            let step = DocumentStep {
                action: "aws:refreshAssociation".into(),
                name: "refresh".into(),
                ..DocumentStep::default()
            };
            plan(&place, &step, &BTreeMap::new(), folder.path(), 0)
        };
        assert!(matches!(planned(false), Plan::Done(_)));
        let Plan::Refuse(text) = planned(true) else {
            panic!("it is not refused")
        };
        assert!(text.contains("documentType SSMDocument"), "{text}");
    }

    #[test]
    fn a_wish_to_reboot_is_no_failure() {
        assert_eq!(judge(&Ending::Exited(194), Duration::ZERO).0, REBOOT);
        assert_eq!(judge(&Ending::Exited(193), Duration::ZERO).0, "Failed");
    }
}
