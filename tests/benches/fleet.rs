//! The Fleet page with 10,000 nodes in the database: time of the whole answer, at 1 and 32 connections.

use muster_domain::Timestamp;
use muster_store::Db;
use muster_store::Sql;
use muster_store::db::Address;
use muster_tests::portal::Fallible;
use muster_tests::stats::{ms, percentile};
use muster_tests::{Client, Portal};
use std::time::{Duration, Instant};

const NODES: i64 = 10_000;

/// Writes nodes straight into the portal's copy, as many as a large fleet has.
async fn fill(db: &Db) -> Fallible<()> {
    let now = Timestamp(1_795_000_000_000).0;
    let mut transaction = db.begin().await?;
    for number in 0..NODES {
        let id = format!("mi-{number:017x}");
        let name = format!("web-{number:05}");
        let mut sql = Sql::new(
            "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
             platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
             tags_synced_at, sweep, sort_name) values ('bench', ",
        );
        sql.text(&id)
            .push(", ")
            .text(&name)
            .push(", ")
            .text(&name)
            .push(", 'Online', ")
            .int(now);
        sql.push(", 'Linux', 'Debian GNU/Linux', '12', '0.1.0', ")
            .text(format!("10.0.{}.{}", number / 250, number % 250));
        sql.push(", 'ManagedInstance', null, null, ")
            .int(now)
            .push(", ")
            .int(now)
            .push(", 0, ")
            .int(i64::MAX)
            .push(", ");
        sql.text(&name).push(")");
        sql.run(&mut *transaction).await?;
        for (key, value) in [
            (
                "Environment",
                if number % 3 == 0 { "Production" } else { "Staging" },
            ),
            ("Team", "web"),
        ] {
            let mut sql = Sql::new(
                "insert into node_tags (connection_id, node_id, tag_key, tag_value) values ('bench', ",
            );
            sql.text(&id)
                .push(", ")
                .text(key)
                .push(", ")
                .text(value)
                .push(")");
            sql.run(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

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
    fill(&db).await?;
    db.close().await;
    println!("{NODES} nodes, SQLite, whole page (server-rendered), this machine's loopback");
    println!(
        "{:<44} {:>5} {:>12} {:>12} {:>10}",
        "page", "conn", "p50", "p95", "per s"
    );
    for path in [
        "/fleet",
        "/fleet?filter=tag:Environment%3DProduction&sort=ping&desc=1",
    ] {
        measure(&client, path, 1, 20).await?;
        for connections in [1, 32] {
            let began = Instant::now();
            let mut samples = measure(&client, path, connections, 320).await?;
            let rate = samples.len() as f64 / began.elapsed().as_secs_f64();
            let (p50, p95) = (percentile(&mut samples, 50), percentile(&mut samples, 95));
            println!(
                "{path:<44.44} {connections:>5} {:>12} {:>12} {rate:>10.0}",
                ms(p50),
                ms(p95)
            );
        }
    }
    Ok(())
}
