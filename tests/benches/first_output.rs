//! From the click to the first line: Run is posted, the page's stream is opened, the first output arrives.

use futures::StreamExt as _;
use muster_tests::portal::Fallible;
use muster_tests::stats::{ms, percentile};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

/// The node of this machine, once it is online.
pub(super) async fn node(client: &Client) -> Fallible<String> {
    client
        .until("a node online", Duration::from_secs(60), async |client| {
            let (status, _, body) = client.get("/export/fleet.json").await?;
            let line = body
                .lines()
                .find(|line| line.contains("\"Online\""))
                .map(str::to_owned);
            let row: Option<serde_json::Value> = line.and_then(|line| serde_json::from_str(&line).ok());
            Ok((status == 200)
                .then_some(row)
                .flatten()
                .and_then(|row| row["node_id"].as_str().map(str::to_owned)))
        })
        .await
}

/// Runs a script on nodes or on what matches a filter; answers the command's id.
pub(super) async fn run_command(
    client: &Client,
    nodes: &str,
    filter: &str,
    count: usize,
    script: &str,
) -> Fallible<String> {
    // Many nodes have to be confirmed by their number.
    let count = count.to_string();
    let (kind, value) = if filter.is_empty() {
        ("nodes", nodes)
    } else {
        ("filter", filter)
    };
    let (status, location) = client
        .form(
            "/api/commands/run",
            &[
                ("document", "AWS-RunShellScript"),
                ("parameters[commands]", script),
                (kind, value),
                ("max_concurrency", "1000"),
                ("max_errors", "0"),
                ("timeout_seconds", "600"),
                ("comment", "benchmark"),
                ("confirmed_nodes", &count),
            ],
        )
        .await?;
    let id = location.rsplit('/').next().unwrap_or_default().to_owned();
    if !(200..400).contains(&status) || id.len() < 30 {
        return Err(format!("the command was not taken: {status} {location}").into());
    }
    Ok(id)
}

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &[], &[])?;
    let client = Client::first_administrator(&portal).await?;
    let node = node(&client).await?;
    let (mut output, mut ended) = (Vec::new(), Vec::new());
    for round in 0..25 {
        let began = Instant::now();
        let id = run_command(&client, &node, "", 1, "echo hello").await?;
        let mut stream = client
            .open(&format!("/events/commands/{id}?cursor=0"))
            .await?
            .bytes_stream();
        let (mut text, mut first) = (String::new(), None);
        while let Some(piece) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&piece?));
            if first.is_none() && text.contains("hello\\n") {
                first = Some(began.elapsed());
            }
            if text.contains("event: end") {
                break;
            }
        }
        // The first rounds warm everything up.
        if round >= 5 {
            output.push(first.ok_or("no output came")?);
            ended.push(began.elapsed());
        }
    }
    println!(
        "Run posted -> first output in the browser's stream, one node: p50 {} p95 {}",
        ms(percentile(&mut output, 50)),
        ms(percentile(&mut output, 95))
    );
    println!(
        "Run posted -> stream says the command is finished:            p50 {} p95 {}",
        ms(percentile(&mut ended, 50)),
        ms(percentile(&mut ended, 95))
    );
    Ok(())
}
