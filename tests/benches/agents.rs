//! 200 simulated agents and one command: time until the portal shows all of them done.

use super::first_output::run_command;
use futures::StreamExt as _;
use muster_agent::sim::{SimAnswer, SimBehaviour, SimConfig, fleet};
use muster_domain::system::{SystemClock, SystemRandom};
use muster_tests::portal::Fallible;
use muster_tests::{Client, Portal};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const AGENTS: usize = 200;

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[])?;
    let client = Client::first_administrator(&portal).await?;
    let (code, text) = portal.command(&["activation", "create", "--limit", "1000", "--tag", "Bench=true"])?;
    let activation: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| format!("no activation: {code} {text}"))?;
    let field = |name: &str| activation[name].as_str().unwrap_or_default().to_owned();
    let stop = CancellationToken::new();
    let began = Instant::now();
    let config = SimConfig {
        endpoint: portal.ssm.clone(),
        region: field("Region"),
        activation_id: field("ActivationId"),
        activation_code: field("ActivationCode"),
        count: AGENTS,
        prefix: "sim".into(),
        heartbeat: Duration::from_secs(60),
        behaviour: SimBehaviour::Alike(SimAnswer {
            delay: Duration::ZERO,
            stdout: b"hello from a simulated node\n".to_vec(),
            stderr: Vec::new(),
            code: 0,
        }),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let agents = fleet(config, stop.clone()).await?;
    agents.connected().await;
    println!(
        "{AGENTS} agents registered and connected: {:.2} s",
        began.elapsed().as_secs_f64()
    );
    client
        .until(
            "all agents online in the portal",
            Duration::from_secs(60),
            async |client| {
                let (_, _, body) = client.get("/export/fleet.json").await?;
                Ok((body
                    .lines()
                    .filter(|line| line.contains("\"Online\"") && line.contains("Bench"))
                    .count()
                    == AGENTS)
                    .then_some(()))
            },
        )
        .await?;
    println!(
        "… and shown online by the portal, with tags:  {:.2} s",
        began.elapsed().as_secs_f64()
    );
    for round in 1..=3 {
        let began = Instant::now();
        let id = run_command(&client, "", "tag:Bench=true", "echo hello").await?;
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
    stop.cancel();
    agents.stopped().await;
    Ok(())
}
