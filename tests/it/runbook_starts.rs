//! Starting runbooks: in the version that is meant, on the nodes that were confirmed, and once, whatever happens in between.

use crate::runbooks::{PATIENCE, greeting, make, stands, start};
use crate::support::online_node;
use muster_domain::Timestamp;
use muster_domain::ids::ExecutionId;
use muster_domain::runbooks::{ExecutionStatus, ExecutionSummary};
use muster_server::runbooks::insert::{NewExecution, insert};
use muster_server::runbooks::queries::ExecutionRow;
use muster_store::Db;
use muster_store::db::Address;
use muster_tests::api::Api;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::{Client, Portal};
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn versions_are_held_against_each_other_and_production_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    make(&api, "Own-Greet", &greeting()).await;
    let mut second = greeting();
    second["mainSteps"][1]["inputs"]["Duration"] = json!("PT2S");
    let update = json!({"Name": "Own-Greet", "DocumentVersion": "$LATEST", "Content": second.to_string()});
    api.call("UpdateDocument", update).await.unwrap();
    let fields = [("name", "Own-Greet"), ("old", "1"), ("new", "2")];
    let (status, diff) = admin.call("runbooks/diff", &fields).await.unwrap();
    assert_eq!(status, 200, "{diff}");
    assert_eq!(
        (&diff["removed"], &diff["added"]),
        (&json!(1), &json!(1)),
        "{diff}"
    );
    for view in ["", "&view=split"] {
        let path = format!("/runbooks/Own-Greet?tab=versions&old=1&new=2{view}");
        let (_, _, html) = admin.get(&path).await.unwrap();
        assert!(html.contains("PT1S") && html.contains("PT2S"), "{html}");
    }
    let (status, _, _) = admin.get("/runbooks/Own-Greet?version=7").await.unwrap();
    assert_eq!(status, 404);

    let tag = [
        ("node_id", node.as_str()),
        ("key", "Environment"),
        ("value", "Production"),
    ];
    assert_eq!(admin.call("fleet/set_tag", &tag).await.unwrap().0 / 100, 2);
    // Named by the parameter or chosen: production is asked about.
    for named in ["parameters[InstanceIds]", "nodes"] {
        let mut fields = vec![
            ("document", "Own-Greet"),
            (named, node.as_str()),
            ("reason", "careful"),
        ];
        let (status, answer) = admin.call("runbooks/start", &fields).await.unwrap();
        assert_eq!(status, 428, "{answer}");
        assert_eq!(answer["error"]["ConfirmationNeeded"]["in_production"], 1);
        fields.push(("confirmed_nodes", "2"));
        let (status, answer) = admin.call("runbooks/start", &fields).await.unwrap();
        assert_eq!(status, 428, "{answer}");
        fields.pop();
        fields.push(("confirmed_nodes", "1"));
        let id = start(&admin, &fields).await;
        stands(&admin, &id, "Success").await;
    }
    // A version that is asked for is the one that is started.
    let fields = [
        ("document", "Own-Greet"),
        ("version", "2"),
        ("nodes", node.as_str()),
        ("confirmed_nodes", "1"),
        ("reason", "the second"),
    ];
    let id = start(&admin, &fields).await;
    let now = stands(&admin, &id, "Success").await;
    assert_eq!(now["summary"]["document_version"], "2");
    assert!(now["content"].as_str().unwrap().contains("PT2S"));
}

/// An execution as it stands in the database when the portal was killed before it was sent.
fn unsent(id: &str, hash: String, now: Timestamp) -> NewExecution {
    let row = ExecutionRow {
        summary: ExecutionSummary {
            execution_id: ExecutionId::new(id),
            document: "Own-Once".into(),
            document_version: "1".into(),
            reason: "crash".into(),
            requested_by: "admin".into(),
            requested_at: now,
            ended_at: None,
            status: ExecutionStatus::Pending,
            current_step: String::new(),
            failure_message: String::new(),
            steps: 1,
            steps_ended: 0,
            steps_failed: 0,
            synced_at: now,
        },
        ssm_execution_id: None,
        client_token: "0b9d5f0e-6f4e-4d59-9d0e-0a5f6f8c1d2e".into(),
        content_hash: hash,
        parameters: BTreeMap::new(),
        targets: None,
        max_concurrency: "10".into(),
        max_errors: "0".into(),
        reaches_further: false,
        requested_by_id: None,
        executed_by: String::new(),
        outputs: BTreeMap::new(),
        parent_ssm_id: String::new(),
        state: "sending".into(),
        problem: String::new(),
        next_event: 1,
    };
    NewExecution {
        row,
        connection_id: "default".into(),
        nodes: Vec::new(),
        deployment: None,
    }
}

#[tokio::test]
async fn what_was_written_down_before_a_crash_is_started_once_and_what_was_started_outside_is_followed() {
    use muster_domain::time::Clock as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut portal = Portal::start(&data, &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    let content = json!({"schemaVersion": "0.3", "mainSteps": [
        {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]});
    make(&api, "Own-Once", &content).await;
    // Somebody starts one with their own tools: it is followed like ours.
    let outside = api
        .call("StartAutomationExecution", json!({"DocumentName": "Own-Once"}))
        .await
        .unwrap()["AutomationExecutionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let seen = admin
        .until("it is known", PATIENCE, async |client| {
            let (status, now) = client
                .call("runbooks/execution", &[("execution_id", &outside)])
                .await?;
            Ok((status == 200 && now["summary"]["status"] == "Success").then_some(now))
        })
        .await
        .unwrap();
    assert_eq!(seen["summary"]["requested_by"], "outside Muster");
    assert!(seen["content"].as_str().unwrap().contains("PT1S"));
    portal.kill().unwrap();

    let db = Db::open(&Address::File(data.join("muster.db"))).await.unwrap();
    let now = muster_domain::system::SystemClock.now();
    let hash = muster_server::runbooks::content_hash(&content.to_string());
    insert(&db, &unsent("the-lost-one", hash, now)).await.unwrap();
    db.close().await;
    let mut ids = Vec::new();
    for round in 0..2 {
        let mut portal = Portal::start(&data, &["--local-node", "false"], &[]).unwrap();
        let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
            .await
            .unwrap();
        let now = stands(&admin, "the-lost-one", "Success").await;
        ids.push(now["ssm_execution_id"].as_str().unwrap().to_owned());
        let all = Api::of(&portal)
            .unwrap()
            .call("DescribeAutomationExecutions", json!({}))
            .await
            .unwrap();
        let count = all["AutomationExecutionMetadataList"].as_array().unwrap().len();
        assert_eq!(count, 2, "round {round}: the one from outside and this: {all}");
        portal.kill().unwrap();
        // Once more as if the answer had been lost.
        let db = Db::open(&Address::File(data.join("muster.db"))).await.unwrap();
        let mut sql = muster_store::Sql::new(
            "update executions set state = 'sending', ssm_execution_id = null, status = 'Pending', ended_at = null where execution_id = ",
        );
        sql.text("the-lost-one");
        sql.run(db.writer()).await.unwrap();
        db.close().await;
    }
    assert_eq!(ids[0], ids[1], "the same execution, not another one");
}
