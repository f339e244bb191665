//! Our own agent as a process of its own, registered with a control plane of a test. It really runs what it is sent.

use crate::world::{REGION, World};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;

/// A running agent; it ends when this is dropped.
pub(crate) struct RealAgent {
    child: tokio::process::Child,
    /// The node that it is.
    pub(crate) id: String,
}

impl RealAgent {
    /// Registers this machine and starts the agent, with more in its environment; waits until it is connected.
    pub(crate) async fn start(
        world: &World,
        program: &str,
        address: SocketAddr,
        environment: &[(String, String)],
    ) -> Self {
        let program = Path::new(program);
        let made = world
            .ok("CreateActivation", json!({"IamRole": "muster-node"}))
            .await;
        let state = world.folder.path().join("agent");
        let endpoint = format!("http://{address}");
        let register = tokio::process::Command::new(program)
            .args(["register", "--endpoint", &endpoint, "--region", REGION])
            .args(["--activation-id", made["ActivationId"].as_str().unwrap()])
            .arg("--state-dir")
            .arg(&state)
            .env("MUSTER_ACTIVATION_CODE", made["ActivationCode"].as_str().unwrap())
            .output();
        let output = register.await.unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // One that may reboot gets a machine to reboot: a process namespace, which is started again when it has ended.
        let may_reboot = environment
            .iter()
            .any(|(name, _)| name == "MUSTER_AGENT_REBOOT_COMMAND");
        let mut command = if may_reboot {
            // Even root may need a user namespace of its own for it, in a container.
            let again = "own=; unshare --pid --fork --mount-proc true 2>/dev/null || own='--user --map-root-user'; \
                         while unshare --pid --fork --mount-proc --kill-child $own \"$@\"; do :; done";
            let mut shell = tokio::process::Command::new("sh");
            shell.args(["-c", again, "sh"]).arg(program);
            shell
        } else {
            tokio::process::Command::new(program)
        };
        let child = command
            .args(["run", "--state-dir"])
            .arg(&state)
            .process_group(0)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let listed = world.ok("DescribeInstanceInformation", json!({})).await;
        let id = listed["InstanceInformationList"][0]["InstanceId"]
            .as_str()
            .unwrap()
            .to_owned();
        let is_ready = async || {
            let found = world.ok("DescribeInstanceInformation", json!({})).await;
            let state = world.ok("GetConnectionStatus", json!({"Target": id})).await;
            found["InstanceInformationList"][0]["PlatformType"] == "Linux" && state["Status"] == "connected"
        };
        world.until("the agent reports and connects", is_ready).await;
        Self { child, id }
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) {
        let group = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        rustix::process::kill_process_group(group.unwrap(), rustix::process::Signal::KILL).unwrap();
        self.child.wait().await.unwrap();
    }
}
