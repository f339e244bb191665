//! The agent as a program of its own, for machines that need nothing else of Muster.

use clap::Parser;
use std::io::Write as _;
use std::process::ExitCode;

/// Muster's node agent: outbound connections only
#[derive(Parser)]
#[command(name = "muster-agent", version)]
struct Program {
    #[command(flatten)]
    agent: muster_agent::cli::AgentArgs,
}

fn main() -> ExitCode {
    if let Some(code) = muster_agent::cli::before_runtime(&[]) {
        return code;
    }
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let program = Program::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match muster_agent::cli::main(program.agent, &[]).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "muster-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
