//! The Fleet page with 10,000 nodes in the database: time of the whole answer, at 1 and 32 connections.

use muster_store::Db;
use muster_store::db::Address;
use muster_tests::copied::fill;
use muster_tests::portal::Fallible;
use muster_tests::stats::{cpu_ms, ms, percentile};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

const NODES: i64 = 10_000;
/// Pages that are measured, so many that processor time, which is told in hundredths of a second, says something.
const REQUESTS: usize = 960;

async fn measure(
    client: &Client,
    path: &str,
    connections: usize,
    requests: usize,
) -> Fallible<Vec<Duration>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (client, path) = (client.clone(), path.to_owned());
        tasks.spawn(async move {
            let mut samples = Vec::new();
            for _ in 0..requests / connections {
                let began = Instant::now();
                let (status, _, body) = client.get(&path).await?;
                samples.push(began.elapsed());
                if status != 200 || !body.contains("web-") {
                    return Err(format!("{path} answered {status}").into());
                }
            }
            Fallible::Ok(samples)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.extend(done??);
    }
    Ok(all)
}

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[])?;
    let client = Client::first_administrator(&portal).await?;
    let db = Db::open(&Address::File(folder.path().join("muster.db"))).await?;
    fill(&db, NODES).await?;
    db.close().await;
    println!("{NODES} nodes, SQLite, whole page (server-rendered), this machine's loopback");
    println!(
        "{:<44} {:>5} {:>12} {:>12} {:>10} {:>10}",
        "page", "conn", "p50", "p95", "per s", "CPU ms"
    );
    for path in [
        "/fleet",
        "/fleet?filter=tag:Environment%3DProduction&sort=ping&desc=1",
    ] {
        measure(&client, path, 1, 20).await?;
        for connections in [1, 32] {
            let (began, cpu) = (Instant::now(), cpu_ms(portal.pid())?);
            let mut samples = measure(&client, path, connections, REQUESTS).await?;
            let each = (cpu_ms(portal.pid())? - cpu) / samples.len() as f64;
            let rate = samples.len() as f64 / began.elapsed().as_secs_f64();
            let (p50, p95) = (percentile(&mut samples, 50), percentile(&mut samples, 95));
            println!(
                "{path:<44.44} {connections:>5} {:>12} {:>12} {rate:>10.0} {each:>10.2}",
                ms(p50),
                ms(p95)
            );
        }
    }
    Ok(())
}
