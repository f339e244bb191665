//! This machine as a node: an activation at the embedded endpoint, then the agent as a child process,
//! started again when it ends. The agent is a process of its own so that it lives by the same rules
//! as on any other node.

use aws_sdk_ssm::types::Tag;
use muster_domain::Timestamp;
use muster_server::aws::Ssm;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// Where the agent of this machine keeps its state.
#[must_use]
pub fn state_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("local-node")
}

async fn activation(ssm: &Ssm, now: Timestamp) -> Result<(String, String), String> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().ok();
    let tags: Vec<Tag> = [tag("Environment", "Local"), tag("ManagedBy", "Muster")]
        .into_iter()
        .flatten()
        .collect();
    let request = ssm
        .client
        .create_activation()
        .iam_role("MusterNode")
        .description("This machine, registered by Muster itself")
        .registration_limit(1)
        .expiration_date(aws_sdk_ssm::primitives::DateTime::from_millis(
            now.plus_ms(3_600_000).0,
        ))
        .set_tags(Some(tags));
    let answer = ssm
        .call("CreateActivation", request.send())
        .await
        .map_err(|error| error.to_string())?;
    Ok((
        answer.activation_id().unwrap_or_default().to_owned(),
        answer.activation_code().unwrap_or_default().to_owned(),
    ))
}

async fn register(program: &Path, state: &Path, ssm: &Ssm, now: Timestamp) -> Result<(), String> {
    let (id, code) = activation(ssm, now).await?;
    let endpoint = ssm.connection.endpoint.clone().unwrap_or_default();
    let status = Command::new(program)
        .args([
            "agent",
            "register",
            "--endpoint",
            &endpoint,
            "--region",
            &ssm.connection.region,
            "--activation-id",
            &id,
        ])
        .arg("--state-dir")
        .arg(state)
        // Not an argument: arguments can be read by everybody on the machine.
        .env("MUSTER_ACTIVATION_CODE", code)
        .stdin(Stdio::null())
        .status()
        .await
        .map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the agent's registration ended with {status}"))
    }
}

/// Names the program that reboots the agent's machine. Here it is the portal's own too, so nobody reboots it who was not
/// told how.
const REBOOT_COMMAND: &str = "MUSTER_AGENT_REBOOT_COMMAND";

fn start(program: &Path, state: &Path) -> std::io::Result<Child> {
    let reboot = std::env::var_os(REBOOT_COMMAND).unwrap_or_else(|| "never".into());
    Command::new(program)
        .args(["agent", "run", "--state-dir"])
        .arg(state)
        .env(REBOOT_COMMAND, reboot)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// The endpoint may listen elsewhere than when this machine was registered: the agent is told.
fn follow_endpoint(state: &Path, endpoint: &str) -> std::io::Result<()> {
    let path = state.join("identity.json");
    let mut identity: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    if identity["endpoint"] == endpoint {
        return Ok(());
    }
    identity["endpoint"] = endpoint.into();
    let temporary = state.join("identity.new");
    std::fs::copy(&path, &temporary)?;
    std::fs::write(&temporary, serde_json::to_vec(&identity)?)?;
    std::fs::rename(&temporary, &path)
}

/// Registers this machine if it is not, and keeps its agent running until `stop`.
pub async fn run(program: PathBuf, data_dir: PathBuf, ssm: Ssm, now: Timestamp, stop: CancellationToken) {
    let state = state_dir(&data_dir);
    let mut pause = Duration::from_secs(1);
    while !state.join("identity.json").exists() {
        match register(&program, &state, &ssm, now).await {
            Ok(()) => break,
            Err(reason) => tracing::warn!(
                reason,
                "this machine could not be registered as a node; trying again"
            ),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(60)),
        }
    }
    if let Err(error) = follow_endpoint(&state, ssm.connection.endpoint.as_deref().unwrap_or_default()) {
        tracing::warn!(%error, "the registration of this machine could not be read");
    }
    let mut pause = Duration::from_secs(1);
    loop {
        match start(&program, &state) {
            Ok(mut child) => {
                tokio::select! {
                    () = stop.cancelled() => return terminate(child).await,
                    ended = child.wait() => tracing::warn!(?ended, "the agent of this machine ended; starting it again"),
                }
            }
            Err(error) => tracing::error!(%error, "the agent of this machine could not be started"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(60)),
        }
    }
}

/// Asks the agent to end, and ends it after two seconds.
async fn terminate(mut child: Child) {
    if let Some(pid) = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(Duration::from_secs(2), child.wait())
        .await
        .is_err()
    {
        let _ = child.kill().await;
    }
}
