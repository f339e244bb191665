//! A request to start a runbook holds everybody who is meant: who goes silent neither voids it nor is sent a command.

use crate::world::{World, people, world_with};
use axum::Json;
use axum::http::HeaderMap;
use axum::routing::post;
use muster_domain::approvals::{Approvals, Ask, ProposedAct, RequestState};
use muster_domain::fleet::{NodeSelection, Tag};
use muster_domain::ids::{ConnectionId, NodeId, RequestId};
use muster_domain::runbooks::StartRunbook;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock;
use muster_domain::{Actor, Timestamp};
use muster_store::test_database::on_both;
use muster_store::{Db, Sql};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const POLICIES: &str = r#"
[[policy]]
name = "Runbooks"
acts = ["runbooks.start"]
nodes = "Environment=Production"

[[policy.levels]]
of = ["role:approver"]
"#;

fn content() -> String {
    json!({"schemaVersion": "0.3", "parameters": {"InstanceIds": {"type": "StringList"}}, "mainSteps": [
        {"name": "Greet", "action": "aws:runCommand",
            "inputs": {"DocumentName": "AWS-RunShellScript", "InstanceIds": "{{ InstanceIds }}"}}]})
    .to_string()
}

/// A Systems Manager that knows one runbook, and keeps what it is asked to start.
async fn endpoint(started: Arc<Mutex<Vec<Value>>>) -> String {
    let count = Arc::new(AtomicU64::new(1));
    let answer = move |headers: HeaderMap, body: String| {
        let (started, count) = (Arc::clone(&started), Arc::clone(&count));
        async move {
            let asked: Value = serde_json::from_str(&body).unwrap();
            let target = headers["x-amz-target"].to_str().unwrap().to_owned();
            Json(match target.as_str() {
                "AmazonSSM.ListDocuments" => json!({"DocumentIdentifiers": [
                    {"Name": "Own-Greet", "Owner": "123456789012", "DocumentVersion": "1", "DocumentType": "Automation"}]}),
                "AmazonSSM.ListDocumentVersions" => json!({"DocumentVersions": [
                    {"Name": "Own-Greet", "DocumentVersion": "1", "IsDefaultVersion": true}]}),
                "AmazonSSM.GetDocument" => json!({"Name": "Own-Greet", "DocumentVersion": "1",
                    "DocumentType": "Automation", "Content": content()}),
                "AmazonSSM.StartAutomationExecution" => {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    started.lock().unwrap().push(asked);
                    json!({"AutomationExecutionId": format!("00000000-0000-4000-8000-{number:012}")})
                }
                other => panic!("{other} was called: {asked}"),
            })
        }
    };
    let app = axum::Router::new().route("/", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

async fn add(db: &Db, id: &str, now: Timestamp) {
    let mut sql = Sql::new(
        "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
         platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
         tags_synced_at, sweep, sort_name) values ('default', ",
    );
    sql.text(id).push(", ").text(id).push(", 'host', 'Online', ");
    sql.int(now.0)
        .push(", 'Linux', 'Debian', '12', '1.0', '10.0.0.1', 'ManagedInstance', null, null, null, ")
        .int(now.0)
        .push(", 0, 0, ")
        .text(id)
        .push(")");
    sql.run(db.writer()).await.unwrap();
    let tag = Tag {
        key: "Environment".into(),
        value: "Production".into(),
    };
    let connection = ConnectionId::new("default");
    muster_server::fleet::queries::replace_tags(db, &connection, &NodeId::new(id), &[tag], now)
        .await
        .unwrap();
}

async fn goes(db: &Db, id: &str, status: &str) {
    let mut sql = Sql::new("update nodes set ping_status = ");
    sql.text(status).push(" where node_id = ").text(id);
    assert_eq!(sql.run(db.writer()).await.unwrap(), 1);
}

fn start(selection: NodeSelection, named: &[&str]) -> StartRunbook {
    let mut parameters = BTreeMap::new();
    if !named.is_empty() {
        parameters.insert(
            "InstanceIds".to_owned(),
            named.iter().map(|id| (*id).to_owned()).collect(),
        );
    }
    StartRunbook {
        document: "Own-Greet".into(),
        version: String::new(),
        parameters,
        selection,
        max_concurrency: "10".into(),
        max_errors: "0".into(),
        reason: "a test".into(),
        confirmed_nodes: None,
    }
}

async fn approved(world: &World, by: &Actor, bob: &Actor, runbook: StartRunbook) -> RequestId {
    let ask = Ask {
        act: ProposedAct::Runbook { runbook },
        reason: "a test".into(),
        ticket: String::new(),
        not_before: None,
        break_glass: false,
    };
    let request = world.service.ask(by, ask).await.unwrap();
    assert_eq!(
        world.approve(bob, &request).await.unwrap(),
        RequestState::Approved
    );
    request
}

#[tokio::test]
async fn who_goes_silent_stays_in_the_plan_and_is_left_out_when_it_runs() {
    on_both(async |db: Db| {
        let started = Arc::new(Mutex::new(Vec::new()));
        let endpoint = endpoint(Arc::clone(&started)).await;
        let world = world_with(&db, POLICIES, SystemClock.now(), &endpoint).await;
        let (rita, bob, _) = people(&world).await;
        for id in ["mi-1", "mi-2", "mi-3"] {
            add(&db, id, world.clock.now()).await;
        }
        let chosen = NodeSelection::Nodes {
            nodes: vec![NodeId::new("mi-2"), NodeId::new("mi-1")],
        };
        // Chosen, or typed twice: one goes silent after it was approved, and another one comes back.
        for input in [
            start(chosen, &[]),
            start(NodeSelection::Nothing, &["mi-2", "mi-1", "mi-2"]),
        ] {
            goes(&db, "mi-1", "Online").await;
            let request = approved(&world, &rita, &bob, input).await;
            goes(&db, "mi-1", "ConnectionLost").await;
            world.service.round().await.unwrap();
            let detail = world.get(&request).await;
            assert_eq!(detail.summary.state, RequestState::Done, "{detail:?}");
            assert_eq!(detail.plan.nodes.len(), 2, "both were meant");
            let sent = started.lock().unwrap().pop().unwrap();
            assert_eq!(sent["Parameters"]["InstanceIds"], json!(["mi-2"]), "{sent}");
        }
        // With nobody left there is nothing to start, and that is said.
        let request = approved(&world, &rita, &bob, start(NodeSelection::Nothing, &["mi-2"])).await;
        goes(&db, "mi-2", "ConnectionLost").await;
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Failed, "{detail:?}");
        assert!(started.lock().unwrap().is_empty());
        // A node that is not there any more is another plan.
        let request = approved(&world, &rita, &bob, start(NodeSelection::Nothing, &["mi-3"])).await;
        goes(&db, "mi-3", "Inactive").await;
        world.service.round().await.unwrap();
        assert_ne!(world.state(&request).await, RequestState::Done);
        assert!(started.lock().unwrap().is_empty());
    })
    .await;
}
