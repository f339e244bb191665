//! Terminals through portal, endpoint and simulated nodes that echo: how long an echo takes with few and many of
//! them open, how much output gets through with recording on, and what an idle one costs.

use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::portal::Fallible;
use muster_tests::sim::SimNodes;
use muster_tests::stats::{ms, percentile};
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

/// Nodes over which the terminals are spread.
const NODES: usize = 10;
/// Keystrokes that are measured.
const KEYS: usize = 300;
/// Bytes of the flood.
const FLOOD: usize = 50_000_000;

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let flags = [
        "--local-node",
        "false",
        "--terminals-per-person",
        "2000",
        "--terminals-at-most",
        "2000",
    ];
    let portal = Portal::start(folder.path(), &flags, &[])?;
    let client = Client::first_administrator(&portal).await?;
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: Vec::new(),
        stderr: Vec::new(),
        code: 0,
    };
    let nodes = SimNodes::start(&portal, NODES, SimBehaviour::Alike(answer)).await?;
    nodes.shown(&client, NODES).await?;
    let (_, _, body) = client.get("/export/fleet.json").await?;
    let ids: Vec<String> = body
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|row| row["node_id"].as_str().map(str::to_owned))
        .collect();
    let idle_before = memory_kib(portal.pid())?;
    let mut open: Vec<Terminal> = Vec::new();
    for count in [1, 100, 1_000] {
        while open.len() < count {
            let node = ids.get(open.len() % ids.len()).ok_or("no node")?;
            let id = start(&client, node).await?;
            let mut page = Terminal::attach(&client, &id, "bench", None).await?;
            page.type_in("x").await?;
            page.until("the first echo", |page| !page.output.is_empty())
                .await?;
            open.push(page);
        }
        let page = open.first_mut().ok_or("no terminal")?;
        let mut took = Vec::with_capacity(KEYS);
        for _ in 0..KEYS {
            let (began, before) = (Instant::now(), page.output.len());
            page.type_in("x").await?;
            page.until("the echo", |page| page.output.len() > before).await?;
            took.push(began.elapsed());
        }
        println!(
            "echo with {count:>4} terminals open: p50 {} p95 {} p99 {}",
            ms(percentile(&mut took, 50)),
            ms(percentile(&mut took, 95)),
            ms(percentile(&mut took, 99))
        );
    }
    let each = memory_kib(portal.pid())?.saturating_sub(idle_before) / open.len() as u64;
    println!(
        "portal's memory for each of {} idle terminals, endpoint's relay included: {each} KiB",
        open.len()
    );
    let page = open.first_mut().ok_or("no terminal")?;
    let (began, before) = (Instant::now(), page.output.len());
    page.type_in(format!("\nflood {FLOOD}\n")).await?;
    page.until("the flood", |page| page.output.len() >= before + FLOOD)
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "output of one terminal, recorded: {:.1} MB/s ({FLOOD} bytes in {seconds:.2} s)",
        FLOOD as f64 / 1e6 / seconds
    );
    nodes.vanish().await;
    Ok(())
}

/// What a process has in memory.
fn memory_kib(pid: u32) -> Fallible<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
