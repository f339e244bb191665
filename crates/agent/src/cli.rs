//! The agent's command line: `register`, `run`, and the hidden `worker`. Mounted as `muster agent …`.

use crate::config::{AgentConfig, DEFAULT_STATE_DIR, Registration};
use crate::error::AgentError;
use clap::{Args, Subcommand};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The hidden command that becomes the shell of a session.
pub(crate) const SESSION_SHELL: &str = "session-shell";

/// To be called first of all in `main`, before there is any thread: when this process was started to become the shell
/// of a session, it does, and the answer is the exit code of one that could not. `mount` as in [`main`].
#[must_use]
pub fn before_runtime(mount: &[&str]) -> Option<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).take(mount.len() + 2).collect();
    let (specification, path) = arguments.split_last()?;
    let is_meant = path.len() == mount.len() + 1
        && path
            .iter()
            .zip(mount.iter().copied().chain([SESSION_SHELL]))
            .all(|(given, wanted)| given == wanted);
    is_meant.then(|| crate::sessions::launch::become_program(specification))
}

/// Arguments of `muster agent`.
#[derive(Debug, Args)]
pub struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Make this machine a node, with an activation
    ///
    /// Makes a key pair for this machine, registers it with the control plane and keeps the result in the
    /// state directory. Connections go outwards only. Afterwards start the agent with `run`.
    #[command(after_help = REGISTER_EXAMPLES)]
    Register(RegisterArgs),
    /// Run the agent in the foreground until it is interrupted
    ///
    /// Reports this node, keeps the control channel open and runs the commands that it is sent. Commands
    /// that run when the agent stops go on; the next start reports how they ended. Under systemd use
    /// KillMode=process, so that stopping the agent does not end them.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run one job (started by the agent itself)
    #[command(hide = true)]
    Worker {
        /// The job's directory
        job: PathBuf,
    },
    /// Collect what this node has (started by a worker)
    #[command(hide = true)]
    Inventory {
        /// The step's directory
        step: PathBuf,
    },
    /// Download something (started by a worker)
    #[command(hide = true)]
    Download {
        /// The step's directory
        step: PathBuf,
    },
    /// Hold this node against a patch baseline (started by a worker)
    #[command(hide = true)]
    Patch {
        /// The step's directory
        step: PathBuf,
    },
}

const REGISTER_EXAMPLES: &str = "Examples:
  # The code from a prompt or a secret store, so that it is in no process list:
  pass show muster/activation | muster agent register --endpoint https://muster.example:4580 \\
      --region eu-west-1 --activation-id 3f0c… --activation-code -

  # The code from the environment, state in another place:
  MUSTER_ACTIVATION_CODE=… muster agent register --endpoint http://127.0.0.1:4580 \\
      --region us-east-1 --activation-id 3f0c… --state-dir ./agent-state";

const RUN_EXAMPLES: &str = "Examples:
  muster agent run
  muster agent run --state-dir ./agent-state --heartbeat-seconds 30";

#[derive(Debug, Args)]
struct StateArgs {
    /// Where the agent keeps its key, its registration and its commands
    #[arg(long, env = "MUSTER_AGENT_STATE_DIR", default_value = DEFAULT_STATE_DIR, value_name = "DIR")]
    state_dir: PathBuf,
}

#[derive(Debug, Args)]
struct TrustArgs {
    /// Certificates (PEM) that the control plane may show, instead of the system's; kept by `register`
    #[arg(long, env = "MUSTER_AGENT_CA_FILE", value_name = "PEM")]
    ca_file: Option<PathBuf>,
}

#[derive(Args)]
struct RegisterArgs {
    /// Address of the control plane, for example https://muster.example:4580
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// Region that the node belongs to, as the activation has it
    #[arg(long, env = "AWS_REGION")]
    region: String,
    /// The activation's id
    #[arg(long, value_name = "ID")]
    activation_id: String,
    /// The activation's code; `-` reads it from standard input
    #[arg(
        long,
        env = "MUSTER_ACTIVATION_CODE",
        value_name = "CODE",
        hide_env_values = true
    )]
    activation_code: String,
    /// Register as a new node although this machine is registered
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    state: StateArgs,
}

impl std::fmt::Debug for RegisterArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterArgs")
            .field("endpoint", &self.endpoint)
            .field("activation_id", &self.activation_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// How often the node reports itself
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    heartbeat_seconds: u64,
    /// How many commands may run at the same time; more wait
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_jobs: u16,
    /// The program that reboots this machine when a command asks for it, or `never`
    ///
    /// Scripts ask by ending with status 194, patching where an update needs it. Without this it is
    /// /etc/muster-agent/reboot, or `systemctl reboot`, or `shutdown -r now`.
    #[arg(long, env = "MUSTER_AGENT_REBOOT_COMMAND", value_name = "PROGRAM")]
    reboot_command: Option<std::ffi::OsString>,
    /// How many MiB of each output stream of a step are kept
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    max_output_mib: u64,
}

/// Does what was asked. `mount` is how this program reaches these commands: `["agent"]` for
/// `muster agent …`, empty for a program that is nothing else. Workers are started that way.
///
/// # Errors
/// [`AgentError`], to be printed as it is.
pub async fn main(args: AgentArgs, mount: &[&str]) -> Result<(), AgentError> {
    match args.command {
        AgentCommand::Register(args) => {
            let mut config = AgentConfig::new(args.state.state_dir, mount);
            config.ca_file = args.trust.ca_file;
            let registration = Registration {
                endpoint: args.endpoint,
                region: args.region,
                activation_id: args.activation_id,
                activation_code: read_code(args.activation_code)?,
                force: args.force,
            };
            let node = crate::register(&config, &registration).await?;
            let mut out = std::io::stdout();
            let _ = writeln!(
                out,
                "Registered as {node}. Start the agent with: agent run --state-dir {}",
                config.state_dir.display()
            );
            Ok(())
        }
        AgentCommand::Run(args) => {
            let mut config = AgentConfig::new(args.state.state_dir, mount);
            config.heartbeat = Duration::from_secs(args.heartbeat_seconds);
            config.ca_file = args.trust.ca_file;
            config.reboot_command = args.reboot_command;
            config.max_jobs = usize::from(args.max_jobs);
            config.output_cap_bytes = args.max_output_mib.saturating_mul(1 << 20);
            let stop = CancellationToken::new();
            let signalled = stop.clone();
            tokio::spawn(async move {
                wait_for_signal().await;
                signalled.cancel();
            });
            crate::run(config, stop).await
        }
        AgentCommand::Inventory { step } => {
            let done = tokio::task::spawn_blocking(move || {
                crate::collect::run(&step, &muster_domain::system::SystemClock)
            });
            done.await
                .map_err(|error| AgentError::Worker(error.to_string()))?
        }
        AgentCommand::Download { step } => {
            // Dropped half-way, it takes away what it has begun.
            tokio::select! {
                ended = crate::download::run(&step, &muster_domain::system::SystemClock) => ended,
                () = wait_for_signal() => Err(AgentError::Worker("the download was ended".into())),
            }
        }
        AgentCommand::Patch { step } => {
            let clock = muster_domain::system::SystemClock;
            crate::patch::overrides::fetch(&step, &clock).await?;
            let done = tokio::task::spawn_blocking(move || {
                crate::patch::run(&step, &muster_domain::system::SystemClock)
            });
            let outcome = done
                .await
                .map_err(|error| AgentError::Worker(error.to_string()))??;
            match outcome {
                crate::patch::Outcome::Done => return Ok(()),
                // Nothing is left to be ended, and this way the worker knows.
                crate::patch::Outcome::Reboot => std::process::exit(crate::worker::REBOOT_CODE),
                crate::patch::Outcome::Incomplete => {}
            }
            Err(AgentError::Worker(
                "not everything that the baseline approves could be installed; the output above says what"
                    .into(),
            ))
        }
        AgentCommand::Worker { job } => {
            let done = tokio::task::spawn_blocking(move || {
                crate::worker::run(&job, &muster_domain::system::SystemClock)
            });
            done.await
                .map_err(|error| AgentError::Worker(error.to_string()))?
        }
    }
}

fn read_code(given: String) -> Result<String, AgentError> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|error| AgentError::Setting {
            field: "--activation-code",
            reason: format!("could not be read from standard input: {error}"),
        })?;
    Ok(text.trim().to_owned())
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
