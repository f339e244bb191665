//! Runbooks as people use them: started on a real node, followed to their end, and decided on by
//! somebody else.

use crate::support::online_node;
use futures::StreamExt as _;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn make(api: &Api, name: &str, content: &Value) {
    let input = json!({"Name": name, "DocumentType": "Automation", "Content": content.to_string()});
    api.call("CreateDocument", input).await.unwrap();
}

/// Runs a command on the given nodes, and tells what it wrote.
pub(crate) fn greeting() -> Value {
    json!({"schemaVersion": "0.3", "description": "Greets, then says so.",
        "parameters": {
            "InstanceIds": {"type": "StringList", "description": "Whom to greet"},
            "Word": {"type": "String", "default": "hello", "allowedValues": ["hello", "goodbye"]}},
        "mainSteps": [
            {"name": "Greet", "action": "aws:runCommand", "onFailure": "step:Mend",
                "inputs": {"DocumentName": "AWS-RunShellScript", "InstanceIds": "{{ InstanceIds }}",
                    "Parameters": {"commands": ["echo {{ Word }} from a runbook"]}}},
            {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": true},
            {"name": "Mend", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
        "outputs": ["Greet.Output"]})
}

pub(crate) async fn start(client: &Client, fields: &[(&str, &str)]) -> String {
    let (status, answer) = client.call("runbooks/start", fields).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    answer
        .as_str()
        .unwrap_or_else(|| panic!("no id in {answer}"))
        .to_owned()
}

pub(crate) async fn execution(client: &Client, id: &str) -> Value {
    let (status, answer) = client
        .call("runbooks/execution", &[("execution_id", id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The execution, once it stands so.
pub(crate) async fn stands(client: &Client, id: &str, status: &str) -> Value {
    client
        .until(&format!("{id} is {status}"), PATIENCE, async |client| {
            let now = execution(client, id).await;
            Ok((now["summary"]["status"] == status).then_some(now))
        })
        .await
        .unwrap()
}

/// The events of an execution after `cursor`, to the last: number and change.
async fn follow(client: &Client, id: &str, cursor: i64) -> Vec<(i64, Value)> {
    let read = async {
        let path = format!("/events/executions/{id}?cursor={cursor}");
        let answer = client.open(&path).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut pieces = answer.bytes_stream();
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains("event: end") {
            let piece = pieces.next().await.expect("the stream ended without saying so");
            bytes.extend_from_slice(&piece.unwrap());
        }
        String::from_utf8(bytes).unwrap()
    };
    let text = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the execution did not end");
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .filter(Value::is_object)
        .map(|event| (event["sequence"].as_i64().unwrap(), event["change"].clone()))
        .collect()
}

async fn user(admin: &Client, portal: &Portal, name: &str, role: &str, scope: &str) -> Client {
    let password = "correct horse battery staple";
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", password),
        ("role", role),
        ("scope", scope),
    ];
    let (status, answer) = admin.call("access/create_user", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    Client::sign_in(&portal.base, name, password).await.unwrap()
}

#[tokio::test]
async fn a_runbook_is_found_started_on_a_node_and_followed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    make(&api, "Own-Greet", &greeting()).await;

    // Its page is there at once, also before the list was copied again; the list follows.
    let (status, _, html) = admin.get("/runbooks/Own-Greet").await.unwrap();
    assert_eq!(status, 200);
    for part in [
        "Greets, then says so.",
        "aws:runCommand",
        "on failure: step:Mend",
        "data-graph-step=\"Rest\"",
    ] {
        assert!(html.contains(part), "{part:?} is not on the page:\n{html}");
    }
    let (_, _, html) = admin.get("/runbooks?text=greet").await.unwrap();
    assert!(html.contains("Own-Greet"), "{html}");

    // What is wrong is said at its field, and nothing is written down.
    let wrong = [
        ("document", "Own-Greet"),
        ("parameters[Word]", "farewell"),
        ("nodes", node.as_str()),
        ("reason", "a test"),
    ];
    let (status, answer) = admin.call("runbooks/start", &wrong).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("parameters.Word"), "{answer}");
    let (status, answer) = admin
        .call("runbooks/start", &[("document", "Own-Greet"), ("nodes", &node)])
        .await
        .unwrap();
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("reason"), "{answer}");

    let id = start(
        &admin,
        &[
            ("document", "Own-Greet"),
            ("parameters[Word]", "goodbye"),
            ("nodes", &node),
            ("reason", "because of the test"),
        ],
    )
    .await;
    let events = follow(&admin, &id, 0).await;
    let numbers: Vec<i64> = events.iter().map(|(number, _)| *number).collect();
    let counted: Vec<i64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, counted, "numbered by one, without gaps");
    let stood: Vec<&str> = events
        .iter()
        .filter(|(_, change)| change["kind"] == "step" && change["step"]["name"] == "Greet")
        .filter_map(|(_, change)| change["step"]["status"].as_str())
        .collect();
    assert_eq!(stood.last(), Some(&"Success"), "{stood:?}");
    // From the middle on, the rest comes once.
    let rest = follow(&admin, &id, 2).await;
    assert_eq!(rest.first().map(|(number, _)| *number), Some(3));
    assert_eq!(rest.len(), events.len() - 2);

    let ended = execution(&admin, &id).await;
    assert_eq!(ended["summary"]["status"], "Success", "{ended}");
    assert_eq!(ended["summary"]["reason"], "because of the test");
    assert_eq!(ended["summary"]["requested_by"], "admin");
    assert_eq!(ended["targets"]["nodes"][0]["node_id"], node.as_str());
    assert_eq!(ended["parameters"]["InstanceIds"][0], node.as_str());
    assert!(
        ended["outputs"].to_string().contains("goodbye from a runbook"),
        "{ended}"
    );
    let steps = ended["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(names, ["Greet", "Rest", "Mend"]);
    assert_eq!(
        steps[2]["status"], "Pending",
        "the way after a failure was not taken"
    );

    // Without script all of it can be read.
    for (tab, part) in [
        ("steps", "aws:sleep"),
        ("steps&step=0", "goodbye from a runbook"),
        ("graph", "data-graph-step=\"Greet\""),
        ("definition", "because of the test"),
        ("audit", "runbooks.start"),
    ] {
        let (status, _, html) = admin.get(&format!("/executions/{id}?tab={tab}")).await.unwrap();
        assert_eq!(status, 200, "{tab}");
        assert!(html.contains(part), "{part:?} is not on {tab}:\n{html}");
    }
    let command = steps[0]["outputs"]["CommandId"][0].as_str().unwrap();
    admin
        .until("the command is known", PATIENCE, async |client| {
            let (status, _) = client.call("commands/get", &[("command_id", command)]).await?;
            Ok((status == 200).then_some(()))
        })
        .await
        .unwrap();
    let (_, again) = admin
        .call("runbooks/again", &[("execution_id", &id)])
        .await
        .unwrap();
    assert_eq!(again["parameters"]["Word"][0], "goodbye");
    assert_eq!(again["selection"]["nodes"][0], node.as_str());
    let (_, _, audit) = admin.get("/export/audit.csv").await.unwrap();
    assert!(
        audit.contains("runbooks.start") && audit.contains("because of the test"),
        "{audit}"
    );
}

#[tokio::test]
async fn somebody_else_decides_and_whoever_has_a_part_of_the_fleet_reaches_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    let gate = json!({"schemaVersion": "0.3", "mainSteps": [
        {"name": "Ask", "action": "aws:approve",
            "inputs": {"Approvers": ["portal"], "Message": "May it go on?", "MinRequiredApprovals": 1}},
        {"name": "Hold", "action": "aws:pause", "inputs": {}},
        {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]});
    make(&api, "Own-Gate", &gate).await;
    make(&api, "Own-Greet", &greeting()).await;
    let approver = user(&admin, &portal, "approver", "approver", "*").await;
    let operator = user(&admin, &portal, "operator", "operator", "*").await;
    let part = user(&admin, &portal, "part", "operator", "Team=web").await;
    let viewer = user(&admin, &portal, "viewer", "viewer", "*").await;

    let id = start(&admin, &[("document", "Own-Gate"), ("reason", "decide")]).await;
    let waiting = stands(&admin, &id, "Waiting").await;
    let step = waiting["steps"][0]["step_execution_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let tell = async |client: &Client, signal: &str, step: &str, comment: &str| {
        let fields = [
            ("execution_id", id.as_str()),
            ("step", step),
            ("signal", signal),
            ("comment", comment),
        ];
        client.call("runbooks/signal", &fields).await.unwrap()
    };
    // Whoever started it decides on nothing, also as an administrator; operators and viewers do not decide.
    assert_eq!(waiting["may_decide"], false);
    for client in [&admin, &operator, &viewer] {
        let (status, answer) = tell(client, "approve", &step, "").await;
        assert_eq!(status, 403, "{answer}");
    }
    let (_, _, html) = admin.get(&format!("/executions/{id}")).await.unwrap();
    assert!(
        html.contains("somebody else decides") && html.contains("May it go on?"),
        "{html}"
    );
    let (_, _, html) = approver.get(&format!("/executions/{id}")).await.unwrap();
    assert!(html.contains("value=\"approve\""), "{html}");
    let (status, answer) = tell(&approver, "reject", &step, "").await;
    assert_eq!(status, 422, "a rejection says why: {answer}");
    let (status, answer) = tell(&approver, "approve", "another step", "").await;
    assert_eq!(status, 409, "{answer}");
    let (status, answer) = tell(&approver, "approve", &step, "go on").await;
    assert_eq!(status / 100, 2, "{answer}");
    let paused = admin
        .until("it pauses", PATIENCE, async |client| {
            let now = execution(client, &id).await;
            Ok((now["steps"][1]["status"] == "Waiting").then_some(now))
        })
        .await
        .unwrap();
    assert!(
        paused["steps"][0]["outputs"]
            .to_string()
            .contains("approver (through Muster): go on"),
        "{paused}"
    );
    let step = paused["steps"][1]["step_execution_id"].as_str().unwrap();
    assert_eq!(tell(&viewer, "resume", step, "").await.0, 403);
    let (status, answer) = tell(&operator, "resume", step, "").await;
    assert_eq!(status / 100, 2, "{answer}");
    stands(&admin, &id, "Success").await;
    // What is outside of somebody's part of the fleet, they neither see nor start.
    let (status, _) = part
        .call("runbooks/execution", &[("execution_id", &id)])
        .await
        .unwrap();
    assert_eq!(status, 404);
    let on = [
        ("document", "Own-Greet"),
        ("nodes", node.as_str()),
        ("reason", "mine"),
    ];
    let (status, answer) = part.call("runbooks/start", &on).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    let tag = [("node_id", node.as_str()), ("key", "Team"), ("value", "web")];
    assert_eq!(admin.call("fleet/set_tag", &tag).await.unwrap().0 / 100, 2);
    let id = start(&part, &on).await;
    stands(&part, &id, "Success").await;
    // A runbook that may act on more is not for them, whichever nodes they name.
    let mut wide = greeting();
    wide["mainSteps"][1] = json!({"name": "Other", "action": "aws:executeAutomation",
        "inputs": {"DocumentName": "Own-Gate"}});
    make(&api, "Own-Wide", &wide).await;
    let on = [
        ("document", "Own-Wide"),
        ("nodes", node.as_str()),
        ("reason", "mine"),
    ];
    let (status, answer) = part.call("runbooks/start", &on).await.unwrap();
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("Other"), "{answer}");

    // Another runbook that it starts is linked both ways, and stopping it stops both.
    let id = start(
        &admin,
        &[("document", "Own-Wide"), ("nodes", &node), ("reason", "both")],
    )
    .await;
    let parent = admin
        .until("the child is known", PATIENCE, async |client| {
            let now = execution(client, &id).await;
            let has = now["children"].as_array().is_some_and(|all| !all.is_empty());
            Ok(has.then_some(now))
        })
        .await
        .unwrap();
    let child = parent["children"][0]["execution_id"].as_str().unwrap();
    let child = stands(&admin, child, "Waiting").await;
    assert_eq!(child["parent"], id.as_str());
    assert_eq!(child["summary"]["requested_by"], "admin");
    assert_eq!(
        viewer
            .call("runbooks/stop", &[("execution_id", &id), ("kind", "cancel")])
            .await
            .unwrap()
            .0,
        403
    );
    let (status, answer) = operator
        .call("runbooks/stop", &[("execution_id", &id), ("kind", "cancel")])
        .await
        .unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    stands(&admin, &id, "Cancelled").await;
    stands(
        &admin,
        child["summary"]["execution_id"].as_str().unwrap(),
        "Cancelled",
    )
    .await;
}
