//! 200 simulated agents and one command: time until the portal shows all of them done.

use super::first_output::run_command;
use futures::StreamExt as _;
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::portal::Fallible;
use muster_tests::sim::{SimNodes, TAG};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

const AGENTS: usize = 200;

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[])?;
    let client = Client::first_administrator(&portal).await?;
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: b"hello from a simulated node\n".to_vec(),
        stderr: Vec::new(),
        code: 0,
    };
    let began = Instant::now();
    let agents = SimNodes::start(&portal, AGENTS, SimBehaviour::Alike(answer)).await?;
    println!(
        "{AGENTS} agents registered and connected: {:.2} s",
        began.elapsed().as_secs_f64()
    );
    agents.shown(&client, AGENTS).await?;
    println!(
        "… and shown online by the portal, with tags:  {:.2} s",
        began.elapsed().as_secs_f64()
    );
    for round in 1..=3 {
        let began = Instant::now();
        let id = run_command(&client, "", &format!("tag:{TAG}"), AGENTS, "echo hello").await?;
        let mut stream = client
            .open(&format!("/events/commands/{id}?cursor=0"))
            .await?
            .bytes_stream();
        let mut text = String::new();
        while let Some(piece) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&piece?));
            if text.contains("event: end") {
                break;
            }
        }
        let outputs = text.matches("hello from a simulated node").count();
        println!(
            "round {round}: one command on {AGENTS} agents, posted -> the page's stream has it all: {:.2} s ({outputs} outputs)",
            began.elapsed().as_secs_f64()
        );
    }
    agents.vanish().await;
    Ok(())
}
