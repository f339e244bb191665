//! Runbooks: steps that are begun and ended durably each second, on both databases, and 100 executions of 20 steps at once.

use futures::StreamExt as _;
use futures::stream;
use muster_store::Db;
use muster_store::db::Address;
use muster_tests::Portal;
use muster_tests::api::Api;
use muster_tests::portal::Fallible;
use muster_tests::stats::{ms, percentile};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};
use std::time::{Duration, Instant};

const EXECUTIONS: usize = 100;
const STEPS: usize = 20;
/// Executions one after the other, for the time that one takes when nothing else runs.
const ALONE: usize = 20;
/// Everything should have ended long before.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the steps do, and how often each is written down: one that needs nobody is begun and ended in one transaction.
const KINDS: [(&str, usize); 2] = [("aws:updateVariable", 1), ("aws:executeAwsApi", 2)];

fn document(action: &str) -> Value {
    let inputs = |number: usize| match action {
        "aws:updateVariable" => json!({"Name": "variable:count", "Value": number}),
        _ => json!({"Service": "ssm", "Api": "GetParameter", "Name": "/bench/automation"}),
    };
    let steps: Vec<Value> = (1..=STEPS)
        .map(|number| json!({"name": format!("Step{number}"), "action": action, "inputs": inputs(number)}))
        .collect();
    json!({
        "schemaVersion": "0.3",
        "variables": {"count": {"type": "Integer", "default": 0}},
        "mainSteps": steps,
    })
}

fn name(action: &str) -> String {
    format!("Bench-{}", action.trim_start_matches("aws:"))
}

/// Executions that have come to this.
async fn count(api: &Api, document: &str, statuses: &[&str]) -> Fallible<usize> {
    let mut input = json!({
        "MaxResults": 50,
        "Filters": [
            {"Key": "DocumentNamePrefix", "Values": [document]},
            {"Key": "ExecutionStatus", "Values": statuses},
        ],
    });
    let mut found = 0;
    loop {
        let page = api.call("DescribeAutomationExecutions", input.clone()).await?;
        found += page["AutomationExecutionMetadataList"]
            .as_array()
            .map_or(0, Vec::len);
        match page["NextToken"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => input["NextToken"] = json!(token),
            None => return Ok(found),
        }
    }
}

/// Starts so many and waits until they have ended.
async fn run_all(api: &Api, document: &str, executions: usize, before: usize) -> Fallible<Duration> {
    let began = Instant::now();
    let starts =
        (0..executions).map(|_| api.call("StartAutomationExecution", json!({"DocumentName": document})));
    let started: Vec<_> = stream::iter(starts).buffer_unordered(8).collect().await;
    for one in started {
        one?;
    }
    // Asked seldom enough not to be the load.
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        pace.tick().await;
        if count(api, document, &["Pending", "InProgress", "Waiting"]).await? == 0 {
            break;
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{document}: not all of {executions} executions have ended").into());
        }
    }
    let took = began.elapsed();
    let good = count(api, document, &["Success"]).await? - before;
    if good != executions {
        return Err(format!("{document}: only {good} of {executions} executions ended well").into());
    }
    Ok(took)
}

async fn measure(engine: &str, portal: &Portal) -> Fallible<()> {
    let api = Api::of(portal)?;
    let put = json!({"Name": "/bench/automation", "Value": "x", "Type": "String"});
    api.call("PutParameter", put).await?;
    for (action, written) in KINDS {
        let name = name(action);
        let content = document(action).to_string();
        let create = json!({"Name": name, "Content": content, "DocumentType": "Automation"});
        api.call("CreateDocument", create).await?;
        let mut alone = Vec::new();
        for before in 0..ALONE {
            alone.push(run_all(&api, &name, 1, before).await?);
        }
        let took = run_all(&api, &name, EXECUTIONS, ALONE).await?;
        let rate = (EXECUTIONS * STEPS * written) as f64 / took.as_secs_f64();
        println!(
            "{engine:<10} {action:<20} {:>12} {:>12} {:>14}",
            ms(percentile(&mut alone, 50)),
            ms(took),
            format!("{rate:.0}")
        );
    }
    Ok(())
}

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    println!(
        "{STEPS} steps each; a transition is a step that is written down as begun or as ended, in a transaction of its own \
         (a variable is set in one, a call is one before and one after)"
    );
    println!(
        "{:<10} {:<20} {:>12} {:>12} {:>14}",
        "", "steps", "one alone", "100 at once", "transitions/s"
    );
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[])?;
    measure("SQLite", &portal).await?;
    drop(portal);
    let Ok(server) = std::env::var("MUSTER_TEST_POSTGRES_URL") else {
        println!("PostgreSQL: not measured, MUSTER_TEST_POSTGRES_URL names none");
        return Ok(());
    };
    let database = format!("muster_bench_{}", std::process::id());
    let admin = Db::open(&Address::Postgres(server.clone())).await?;
    let create = format!("create database {database}");
    admin.writer().execute(AssertSqlSafe(create)).await?;
    let (base, query) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(base, query)| {
            (base, format!("?{query}"))
        });
    let stem = base.rsplit_once('/').map_or(base, |(stem, _)| stem);
    let url = format!("{stem}/{database}{query}");
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(
        folder.path(),
        &["--local-node", "false"],
        &[("MUSTER_DATABASE_URL", &url)],
    )?;
    measure("PostgreSQL", &portal).await?;
    drop(portal);
    let forget = format!("drop database {database} with (force)");
    admin.writer().execute(AssertSqlSafe(forget)).await?;
    admin.close().await;
    Ok(())
}
