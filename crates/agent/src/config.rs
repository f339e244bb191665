//! What an agent is told from outside: where its state is, how often it reports, how it starts workers.

use muster_domain::system::{SystemClock, SystemRandom};
use muster_domain::time::{Clock, Random};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where state is kept when nothing else is said.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/muster-agent";

/// Settings of one agent.
#[derive(Clone)]
pub struct AgentConfig {
    /// Keys, registration and jobs; one running agent per directory.
    pub state_dir: PathBuf,
    /// How often the node reports itself.
    pub heartbeat: Duration,
    /// How many commands run at the same time; more wait on disk.
    pub max_jobs: usize,
    /// How many bytes of one stream of one step are kept.
    pub output_cap_bytes: u64,
    /// How a reply is repeated while the control plane does not acknowledge it.
    pub resend: Duration,
    /// The only certificates (PEM) to believe, instead of the system's. Registration keeps what it was given;
    /// here it takes the place of what was kept.
    pub ca_file: Option<PathBuf>,
    /// The program that runs one command.
    pub worker_program: PathBuf,
    /// Its arguments; the job's directory is added as the last one.
    pub worker_arguments: Vec<OsString>,
    /// How many sessions are open at the same time; the next is refused.
    pub max_sessions: usize,
    /// Its arguments for starting the shell of a session.
    pub shell_arguments: Vec<OsString>,
    /// The program that starts this machine anew when a command asks for it, or `never`; the system's own way where
    /// nothing is said.
    pub reboot_command: Option<OsString>,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub random: Arc<dyn Random>,
}

impl AgentConfig {
    /// Usual settings. `mount` is how this program reaches the agent's commands: `["agent"]` for
    /// `muster agent …`, empty for a program that is nothing else.
    #[must_use]
    pub fn new(state_dir: impl Into<PathBuf>, mount: &[&str]) -> Self {
        let arguments = |last: &str| -> Vec<OsString> {
            mount.iter().copied().chain([last]).map(OsString::from).collect()
        };
        Self {
            state_dir: state_dir.into(),
            heartbeat: Duration::from_secs(60),
            max_jobs: 10,
            output_cap_bytes: 1 << 30,
            resend: Duration::from_secs(30),
            ca_file: None,
            // After an upgrade in place `current_exe` names a deleted file; this link always works.
            worker_program: PathBuf::from("/proc/self/exe"),
            worker_arguments: arguments("worker"),
            max_sessions: 1000,
            shell_arguments: arguments(crate::cli::SESSION_SHELL),
            reboot_command: Some(crate::reboot::NEVER.into()),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

impl std::fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentConfig")
            .field("state_dir", &self.state_dir)
            .field("heartbeat", &self.heartbeat)
            .field("max_jobs", &self.max_jobs)
            .field("worker_program", &self.worker_program)
            .finish_non_exhaustive()
    }
}

/// What `register` needs besides.
#[derive(Clone)]
pub struct Registration {
    /// The control plane: `http://127.0.0.1:4580`.
    pub endpoint: String,
    /// `eu-west-1`.
    pub region: String,
    /// From the activation.
    pub activation_id: String,
    /// From the activation: a secret.
    pub activation_code: String,
    /// Register anew although there is a registration.
    pub force: bool,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("activation_id", &self.activation_id)
            .field("force", &self.force)
            .finish_non_exhaustive()
    }
}
