//! A selection of 5,000 simulated nodes that takes a hundred calls: time until all are done, at the usual
//! concurrency and at more, and what the pages of such a command cost.

use futures::StreamExt as _;
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::portal::Fallible;
use muster_tests::sim::{SimNodes, TAG};
use muster_tests::stats::{ms, percentile};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

const NODES: usize = 5_000;

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
    let nodes = SimNodes::start(&portal, NODES, SimBehaviour::Alike(answer)).await?;
    println!(
        "{NODES} nodes registered and connected: {:.1} s",
        began.elapsed().as_secs_f64()
    );
    nodes.shown(&client, NODES).await?;
    println!(
        "… and shown online by the portal:        {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let filter = format!("tag:{TAG};status=Online");
    let mut last = String::new();
    let count = NODES.to_string();
    for concurrency in ["50", "500", "100%"] {
        let began = Instant::now();
        let fields = [
            ("document", "AWS-RunShellScript"),
            ("parameters[commands]", "echo hello"),
            ("filter", filter.as_str()),
            ("max_concurrency", concurrency),
            ("confirmed_nodes", count.as_str()),
        ];
        let (status, answer) = client.call("commands/run", &fields).await?;
        let id = answer
            .as_str()
            .ok_or_else(|| format!("{status} {answer}"))?
            .to_owned();
        let mut stream = client
            .open(&format!("/events/commands/{id}?cursor=0"))
            .await?
            .bytes_stream();
        let (mut outputs, mut tail) = (0, String::new());
        while let Some(piece) = stream.next().await {
            tail.push_str(&String::from_utf8_lossy(&piece?));
            // Only what may be cut in the middle is kept.
            let whole = tail.rfind("\n\n").unwrap_or(0);
            let done: String = tail.drain(..whole).collect();
            outputs += done.matches("hello from a simulated node").count();
            if done.contains("event: end") || tail.contains("event: end") {
                break;
            }
        }
        println!(
            "one command on {NODES} nodes, {concurrency:>4} at once: {:.1} s until the stream has it all ({outputs} outputs)",
            began.elapsed().as_secs_f64()
        );
        last = id;
    }
    for (name, path) in [
        ("summary", format!("/commands/{last}")),
        ("nodes", format!("/commands/{last}?tab=nodes")),
        ("by output", format!("/commands/{last}?tab=nodes&by=output")),
    ] {
        let mut times = Vec::new();
        for _ in 0..40 {
            let began = Instant::now();
            let (status, _, _) = client.get(&path).await?;
            if status != 200 {
                return Err(format!("{path}: {status}").into());
            }
            times.push(began.elapsed());
        }
        println!(
            "its page, {name}: p50 {} p95 {}",
            ms(percentile(&mut times, 50)),
            ms(percentile(&mut times, 95))
        );
    }
    nodes.vanish().await;
    Ok(())
}
