//! Agents under test: inside this process, or as a process of their own that can be killed.

use crate::gateway::{ACTIVATION_CODE, ACTIVATION_ID, Gateway, REGION};
use muster_agent::{AgentConfig, AgentError, Registration};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_muster-agent");

pub(crate) fn config(state_dir: &Path) -> AgentConfig {
    let mut config = AgentConfig::new(state_dir, &[]);
    config.worker_program = PathBuf::from(PROGRAM);
    config
}

pub(crate) fn registration(gateway: &Gateway) -> Registration {
    Registration {
        endpoint: gateway.endpoint(),
        region: REGION.into(),
        activation_id: ACTIVATION_ID.into(),
        activation_code: ACTIVATION_CODE.into(),
        force: false,
    }
}

/// An agent inside this process, with its own state directory.
pub(crate) struct Agent {
    pub(crate) node: String,
    pub(crate) state: tempfile::TempDir,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<Result<(), AgentError>>>,
}

impl Agent {
    /// Registered and connected.
    pub(crate) async fn start(gateway: &Gateway) -> Self {
        Self::start_with(gateway, |_| {}).await
    }

    pub(crate) async fn start_with(gateway: &Gateway, change: impl FnOnce(&mut AgentConfig)) -> Self {
        let mut agent = Self::registered(gateway).await;
        agent.run(change);
        gateway.connected(&agent.node).await;
        agent
    }

    /// Registered, not running.
    pub(crate) async fn registered(gateway: &Gateway) -> Self {
        let state = tempfile::tempdir().unwrap();
        let node = muster_agent::register(&config(state.path()), &registration(gateway))
            .await
            .unwrap();
        Self {
            node: node.to_string(),
            state,
            stop: CancellationToken::new(),
            running: None,
        }
    }

    pub(crate) fn run(&mut self, change: impl FnOnce(&mut AgentConfig)) {
        let mut config = config(self.state.path());
        change(&mut config);
        self.stop = CancellationToken::new();
        self.running = Some(tokio::spawn(muster_agent::run(config, self.stop.clone())));
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            let ended = tokio::time::timeout(Duration::from_secs(10), running).await;
            ended.expect("the agent stops").unwrap().unwrap();
        }
    }

    /// Starts it as a process.
    pub(crate) fn spawn(&self) -> tokio::process::Child {
        tokio::process::Command::new(PROGRAM)
            .args(["run", "--state-dir"])
            .arg(self.state.path())
            .env("MUSTER_LOG", "warn")
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    pub(crate) fn job(&self, command: &str) -> PathBuf {
        self.state.path().join("jobs").join(command)
    }
}

/// Waits for something on this machine that sends no event.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds() {
            looks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}

/// Whether a process lives (a zombie does not).
pub(crate) fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !matches!(rest.split_ascii_whitespace().next(), Some("Z" | "X") | None))
}
