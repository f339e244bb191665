//! Subcommands, and what they share: settings, output, the database behind the door.

mod activation;
mod audit;
mod ca;
mod evidence;
mod recording;
mod serve;
mod settings;
mod tunnel;
mod users;

use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// Fleet management on AWS Systems Manager, or on its own endpoint that speaks the same.
///
/// `muster serve` starts the portal. At its very first start it prints a one-time link with which you create
/// the first administrator.
#[derive(Parser)]
#[command(
    name = "muster",
    version,
    after_help = "Every setting can be a flag, a variable MUSTER_… or a line of <data dir>/muster.toml, in that order:\n  muster serve --print-config      shows all of them with their sources"
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the portal, and the embedded Systems Manager endpoint
    Serve(serve::ServeArgs),
    /// Start only the embedded Systems Manager endpoint, for a portal elsewhere
    ControlPlane(serve::ControlPlaneArgs),
    /// Bring the database to this version's schema, and say what was done
    Migrate(serve::MigrateArgs),
    /// Users: setup-link, add, list, disable, enable, reset-password
    User(users::UserArgs),
    /// The audit log: verify that it is intact, or export it; no server is needed
    Audit(audit::AuditArgs),
    /// Evidence of a request for approval: verify a file that the portal exported; no server is needed
    Evidence(evidence::EvidenceArgs),
    /// Recordings of terminals: list, verify, export, search; no server is needed
    Recording(recording::RecordingArgs),
    /// Show the access key of the embedded endpoint, for the aws command line and SDKs
    Keys(activation::KeysArgs),
    /// Show the certificate authority of the embedded endpoint, for nodes that reach it over TLS
    Ca(ca::CaArgs),
    /// Activations: let a machine join as a node
    Activation(activation::ActivationArgs),
    /// Reach a port of a node from this machine, through the portal
    Tunnel(tunnel::TunnelArgs),
    /// Tokens with which programs act as a user
    Token(tunnel::TokenArgs),
    /// The agent that makes a machine a node
    Agent(muster_agent::cli::AgentArgs),
}

/// Why a subcommand did not do its work.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes a line to standard output. A reader who has gone away is no failure.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    // The shell of a session on this node: it must come before there is any thread.
    if let Some(code) = muster_agent::cli::before_runtime(&["agent"]) {
        return code;
    }
    let program = Program::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(program.command)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "muster: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(args) => args.run().await,
        Command::ControlPlane(args) => args.run().await,
        Command::Migrate(args) => args.run().await,
        Command::User(args) => args.run().await,
        Command::Audit(args) => args.run().await,
        Command::Evidence(args) => args.run(),
        Command::Recording(args) => args.run().await,
        Command::Keys(args) => args.run(),
        Command::Ca(args) => args.run(),
        Command::Activation(args) => args.run().await,
        Command::Tunnel(args) => args.run().await,
        Command::Token(args) => args.run().await,
        Command::Agent(args) => {
            serve::log(false);
            muster_agent::cli::main(args, &["agent"]).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
