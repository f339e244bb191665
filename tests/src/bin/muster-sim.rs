//! Simulated nodes for the browser suite: `muster-sim DATA_DIR ENDPOINT COUNT`. They speak the agent's real protocol, answer every
//! command at once, and run until the program is ended. Says `connected` once all are.

#![expect(clippy::print_stdout, reason = "who has started it waits for that line")]

use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::portal::Fallible;
use muster_tests::sim::SimNodes;
use std::path::Path;
use std::time::Duration;

async fn run(words: &[String]) -> Fallible<()> {
    let [data_dir, endpoint, count] = words else {
        return Err("muster-sim DATA_DIR ENDPOINT COUNT".into());
    };
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: b"hello from a simulated node\n".to_vec(),
        stderr: Vec::new(),
        code: 0,
    };
    let count = count.parse()?;
    let _nodes =
        SimNodes::start_at(Path::new(data_dir), endpoint, count, SimBehaviour::Alike(answer)).await?;
    println!("connected");
    std::future::pending().await
}

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = tokio::runtime::Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(&words)));
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
