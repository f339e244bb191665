//! The queue of approvals with 100,000 requests, and the time from the last approval to the first thing that a node does.

use futures::StreamExt as _;
use muster_domain::approvals::{Act, Demand, Level, Plan, PlanSubject, ProposedAct, Track};
use muster_domain::permission::Role;
use muster_domain::time::Clock as _;
use muster_store::Db;
use muster_store::Sql;
use muster_store::db::Address;
use muster_tests::portal::Fallible;
use muster_tests::stats::{ms, percentile};
use muster_tests::{Client, Portal};
use serde_json::Value;
use std::time::{Duration, Instant};

const REQUESTS: i64 = 100_000;
/// One of so many waits for a decision; the rest is over.
const ONE_OPEN_OF: i64 = 20;
const RUNS: usize = 20;
const PASSWORD: &str = "two grey geese fly south";
const HOUR: i64 = 3_600_000;

const POLICIES: &str = r#"
[[policy]]
name = "Everything"
acts = ["commands.run"]

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

async fn fill(db: &Db) -> Fallible<()> {
    let now = muster_domain::system::SystemClock.now().0;
    let proposed = ProposedAct::Role {
        role: Role::Operator,
        scope: "*".into(),
        minutes: 60,
    };
    let plan = Plan {
        act: Act::HoldRole,
        subject: PlanSubject::Role {
            role: "operator".into(),
            scope: "*".into(),
            minutes: 60,
        },
        targets: String::new(),
        nodes: Vec::new(),
        not_before: None,
    };
    let demand = Demand {
        tracks: vec![Track {
            policy: "Everything".into(),
            levels: vec![Level {
                approvals: 1,
                of: vec!["role:approver".into()],
                escalate_after_minutes: None,
                escalate_to: Vec::new(),
            }],
        }],
        ..Demand::default()
    };
    let (proposed, plan, demand) = (
        serde_json::to_string(&proposed)?,
        serde_json::to_string(&plan)?,
        serde_json::to_string(&demand)?,
    );
    let mut transaction = db.begin().await?;
    for number in 1_001..1_001 + REQUESTS {
        let is_open = number % ONE_OPEN_OF == 0;
        let id = format!("CR-{number}");
        let mut sql = Sql::new(
            "insert into approval_requests (request_id, number, act, title, requester_id, requester, requester_person, \
             address, asked_at, state, is_open, generation, version, waits_since, expires_at, ended_at, reason, ticket, \
             proposed, plan, digest, changed, demand, nodes, in_production, glass_broken, outcome_id, problem, search) values (",
        );
        sql.text(&id).push(", ").int(number);
        sql.push(", 'access.hold_role', 'Role operator (everywhere) for 60 minutes', 'nobody', 'olga', 'olga', '127.0.0.1', ");
        sql.int(now - REQUESTS + number).push(", ");
        sql.text(if is_open { "waiting" } else { "done" })
            .push(", ")
            .int(i64::from(is_open))
            .push(", 1, 1, ")
            .int(now)
            .push(", ")
            .int(now + HOUR + number)
            .push(", ")
            .int_or_none((!is_open).then_some(now))
            .push(", 'monthly', 'OPS-7', ")
            .text(&proposed)
            .push(", ")
            .text(&plan)
            .push(", '00', '[]', ")
            .text(&demand)
            .push(", 0, 0, 0, '', '', ")
            .text(format!("{id}\nolga").to_lowercase())
            .push(")");
        sql.run(&mut *transaction).await?;
        if is_open {
            let mut sql =
                Sql::new("insert into approval_asked (name, request_id, from_at) values ('role:approver', ");
            sql.text(&id).push(", 0)");
            sql.run(&mut *transaction).await?;
        }
    }
    let mut sql = Sql::new("update approval_numbers set next = ");
    sql.int(1_001 + REQUESTS);
    sql.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn person(portal: &Portal, admin: &Client, name: &str, role: &str) -> Fallible<Client> {
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", role),
        ("scope", "*"),
    ];
    admin.call("access/create_user", &fields).await?;
    Client::sign_in(&portal.base, name, PASSWORD).await
}

async fn queue(bob: &Client) -> Fallible<()> {
    println!(
        "{REQUESTS} requests, {} of them open, SQLite, whole page (server-rendered), this machine's loopback",
        REQUESTS / ONE_OPEN_OF
    );
    println!("{:<44} {:>12} {:>12}", "page", "p50", "p95");
    for path in [
        "/approvals",
        "/approvals?tab=all",
        "/approvals?tab=history",
        "/approvals?tab=mine",
        "/overview",
    ] {
        let path = if path == "/overview" { "/" } else { path };
        let mut samples = Vec::new();
        for round in 0..110 {
            let began = Instant::now();
            let (status, _, body) = bob.get(path).await?;
            if round >= 10 {
                samples.push(began.elapsed());
            }
            if status != 200 || body.len() < 1_000 {
                return Err(format!("{path} answered {status}").into());
            }
        }
        let (p50, p95) = (percentile(&mut samples, 50), percentile(&mut samples, 95));
        println!("{path:<44.44} {:>12} {:>12}", ms(p50), ms(p95));
    }
    Ok(())
}

/// Waits until a node has begun with a command.
async fn begun(client: &Client, command: &str) -> Fallible<()> {
    let answer = client
        .open(&format!("/events/commands/{command}?cursor=0"))
        .await?;
    let mut pieces = answer.bytes_stream();
    let mut text = String::new();
    while let Some(piece) = pieces.next().await {
        text.push_str(&String::from_utf8_lossy(&piece?));
        if text.contains("\"InProgress\"") || text.contains("\"Success\"") {
            return Ok(());
        }
    }
    Err(format!("the stream of {command} ended without a node that ran it: {text}").into())
}

async fn first_step(admin: &Client, olga: &Client, bob: &Client) -> Fallible<()> {
    let node = admin
        .until("a node online", Duration::from_secs(60), async |client| {
            let (_, _, body) = client.get("/export/fleet.json").await?;
            let rows = body
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut online = rows.filter(|row| row["status"] == "Online");
            Ok(online
                .next()
                .and_then(|row| row["node_id"].as_str().map(str::to_owned)))
        })
        .await?;
    let mut samples = Vec::new();
    for _ in 0..RUNS {
        let fields = [
            ("document", "AWS-RunShellScript"),
            ("parameters[commands]", "true"),
            ("nodes", node.as_str()),
        ];
        let (status, answer) = olga.call("approvals/ask_command", &fields).await?;
        let id = answer
            .as_str()
            .ok_or_else(|| format!("{status} {answer}"))?
            .to_owned();
        let (_, detail) = bob.call("approvals/get", &[("request_id", &id)]).await?;
        let digest = detail["digest"].as_str().unwrap_or_default().to_owned();
        let fields = [
            ("request_id", id.as_str()),
            ("digest", &digest),
            ("verdict", "approve"),
            ("password", PASSWORD),
        ];
        // The answer to the click comes after the password was checked, which takes its time on purpose.
        let (status, answer) = bob.call("approvals/decide", &fields).await?;
        if status != 200 {
            return Err(format!("{status} {answer}").into());
        }
        let began = Instant::now();
        let command = loop {
            let (_, detail) = bob.call("approvals/get", &[("request_id", &id)]).await?;
            if let Some(href) = detail["outcome"]["href"].as_str() {
                break href.trim_start_matches("/commands/").to_owned();
            }
            if began.elapsed() > Duration::from_secs(30) {
                return Err(format!("{id} was not done: {detail}").into());
            }
        };
        begun(olga, &command).await?;
        samples.push(began.elapsed());
    }
    let (p50, p95) = (percentile(&mut samples, 50), percentile(&mut samples, 95));
    println!(
        "from the approval's answer to a node that runs it, {RUNS} times: p50 {}, p95 {}",
        ms(p50),
        ms(p95)
    );
    Ok(())
}

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policies.toml");
    std::fs::write(&file, POLICIES)?;
    let data = folder.path().join("data");
    let path = file.to_string_lossy().into_owned();
    let portal = Portal::start(&data, &["--approval-policies", &path], &[])?;
    let admin = Client::first_administrator(&portal).await?;
    let olga = person(&portal, &admin, "olga", "operator").await?;
    let bob = person(&portal, &admin, "bob", "approver").await?;
    let db = Db::open(&Address::File(data.join("muster.db"))).await?;
    fill(&db).await?;
    db.close().await;
    queue(&bob).await?;
    first_step(&admin, &olga, &bob).await
}
