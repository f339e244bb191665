//! Maintenance windows where a policy wants a second pair of eyes: changed as it was approved or not at all.

use crate::parameters::{PASSWORD, SOON, person};
use crate::windows::{SETTINGS, change, change_now, described, make, seen};
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::path::Path;

const POLICIES: &str = r#"
[[freeze]]
name = "A quiet year"
from = "2020-01-01"
until = "2099-01-01"
acts = ["sessions.start"]

[[policy]]
name = "Production windows"
acts = ["windows.*"]
maintenance_windows = ["prod-*"]
reason = true

[[policy.levels]]
approvals = 1
of = ["role:approver"]

[[policy]]
name = "Production commands"
acts = ["commands.run"]
nodes = "Environment=Production"

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

async fn ask(client: &Client, what: &str, fields: &[(&str, &str)]) -> String {
    let fields = [&[("what", what), ("why", "planned")], fields].concat();
    let (status, answer) = client.call("windows/ask", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    answer.as_str().unwrap().to_owned()
}

async fn request(client: &Client, id: &str) -> Value {
    let (status, answer) = client.call("approvals/get", &[("request_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn approve(client: &Client, id: &str) {
    let digest = request(client, id).await["digest"].as_str().unwrap().to_owned();
    let fields = [
        ("request_id", id),
        ("digest", &digest),
        ("verdict", "approve"),
        ("comment", ""),
        ("password", PASSWORD),
    ];
    let (status, answer) = client.call("approvals/decide", &fields).await.unwrap();
    assert_eq!(status, 200, "{answer}");
}

async fn until_done(client: &Client, id: &str) {
    client
        .until(&format!("{id} is done"), SOON, async |client| {
            let found = request(client, id).await;
            Ok((found["summary"]["state"] == "Done").then_some(()))
        })
        .await
        .unwrap();
}

async fn world(folder: &Path) -> (Portal, Client, Client, Client) {
    let file = folder.join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let arguments = [
        "--approval-policies",
        file.to_str().unwrap(),
        "--local-node",
        "false",
    ];
    let portal = Portal::start(&folder.join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let bob = person(&portal, &admin, "bob", "approver", "*").await;
    (portal, admin, olga, bob)
}

#[tokio::test]
async fn a_protected_window_is_changed_as_it_was_approved_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (portal, admin, olga, bob) = world(folder.path()).await;
    let api = Api::of(&portal).unwrap();
    // What no policy is about is done at once; what one is about is not, under no other name either.
    let dev = make(&olga, "dev-nightly").await;
    let named = [&[("name", "prod-nightly")], &SETTINGS[..]].concat();
    for client in [&olga, &admin] {
        let (status, answer) = change(client, "create", &named).await;
        assert_eq!(status, 428, "{answer}");
    }
    let (status, answer) = change_now(&olga, "edit", &dev, &named).await;
    assert_eq!(status, 428, "renamed into it: {answer}");
    let tried = [("act", "windows.change"), ("maintenance_window", "prod-x")];
    let (status, answer) = olga.call("approvals/test_policies", &tried).await.unwrap();
    assert_eq!((status, &answer["effect"]), (200, &json!("approve")), "{answer}");

    let asked = ask(&olga, "create", &named).await;
    let shown = request(&bob, &asked).await;
    assert_eq!(
        shown["summary"]["title"], "Make the maintenance window prod-nightly",
        "{shown}"
    );
    let (_, _, html) = bob.get(&format!("/approvals/{asked}")).await.unwrap();
    assert!(
        html.contains("schedule: cron(0 2 ? * SUN *)"),
        "the approver sees it whole"
    );
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let there = described(&api).await;
    let made = there.iter().find(|one| one["Name"] == "prod-nightly");
    let id = made.unwrap()["WindowId"].as_str().unwrap().to_owned();

    // The approver sees what is there and what would be; what changes meanwhile voids the approval.
    let old = seen(&olga, &id).await;
    let edit = [
        &[
            ("window_id", id.as_str()),
            ("seen", old.as_str()),
            ("name", "prod-nightly"),
        ],
        &SETTINGS[1..],
        &[("schedule", "rate(7 days)")],
    ]
    .concat();
    let asked = ask(&olga, "edit", &edit).await;
    let shown = request(&bob, &asked).await;
    let planned = &shown["plan"]["subject"]["window"];
    assert_eq!(
        (
            &planned["now"]["settings"]["schedule"],
            &planned["becomes"]["settings"]["schedule"]
        ),
        (&json!("cron(0 2 ? * SUN *)"), &json!("rate(7 days)")),
        "{shown}"
    );
    api.call("UpdateMaintenanceWindow", json!({"WindowId": id, "Cutoff": 2}))
        .await
        .unwrap();
    approve(&bob, &asked).await;
    olga.until("the approval is void", SOON, async |client| {
        let found = request(client, &asked).await;
        Ok((found["generation"] == 2).then_some(()))
    })
    .await
    .unwrap();
    let void = request(&bob, &asked).await;
    assert!(
        void["changed"].to_string().contains("cutoff in hours is 2 now"),
        "{void}"
    );
    let now = api
        .call("GetMaintenanceWindow", json!({"WindowId": id}))
        .await
        .unwrap();
    assert_eq!(now["Schedule"], "cron(0 2 ? * SUN *)", "nothing was replaced");
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let now = api
        .call("GetMaintenanceWindow", json!({"WindowId": id}))
        .await
        .unwrap();
    assert_eq!(
        (&now["Schedule"], &now["Cutoff"]),
        (&json!("rate(7 days)"), &json!(1))
    );
    // Whoever looked before that can not even ask.
    let fields = [&[("what", "edit"), ("why", "late")], &edit[..]].concat();
    let (status, answer) = olga.call("windows/ask", &fields).await.unwrap();
    assert_eq!(status, 409, "{answer}");

    // A window runs what nobody is asked about: so what needs approval is in none that was not approved itself.
    let tags = [("target_tags", "Environment=Production")];
    assert_eq!(change_now(&olga, "add-target", &dev, &tags).await.0 / 100, 2);
    let task = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "uptime"),
    ];
    let (status, answer) = change_now(&olga, "add-task", &dev, &task).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("Production commands"), "{answer}");
    let state = seen(&olga, &id).await;
    let about = [("window_id", id.as_str()), ("seen", state.as_str())];
    let asked = ask(&olga, "add-target", &[&about, &tags[..]].concat()).await;
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let state = seen(&olga, &id).await;
    let about = [("window_id", id.as_str()), ("seen", state.as_str())];
    let asked = ask(&olga, "add-task", &[&about, &task[..]].concat()).await;
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let tasks = api
        .call("DescribeMaintenanceWindowTasks", json!({"WindowId": id}))
        .await
        .unwrap();
    assert_eq!(tasks["Tasks"].as_array().unwrap().len(), 1, "{tasks}");

    // Deleting is protected, too, and what it stands on is in the audit log with who approved.
    let (status, answer) = change_now(&olga, "delete", &id, &[("confirmation", "prod-nightly")]).await;
    assert_eq!(status, 428, "{answer}");
    let state = seen(&olga, &id).await;
    let delete = [
        ("window_id", id.as_str()),
        ("seen", state.as_str()),
        ("confirmation", "prod-nightly"),
    ];
    let asked = ask(&olga, "delete", &delete).await;
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    assert_eq!(described(&api).await.len(), 1, "only the other one");
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    let row = audit
        .lines()
        .find(|line| line.contains("\"windows.delete\"") && line.contains("approved_by"))
        .unwrap();
    assert!(row.contains("bob") && row.contains(&asked), "{row}");
    let (_, _, evidence) = admin.get(&format!("/export/requests/{asked}")).await.unwrap();
    assert!(evidence.contains(&format!("window:{id}")), "{evidence}");
}

async fn content_of_document(api: &Api, name: &str) -> Value {
    api.call("GetDocument", json!({"Name": name})).await.unwrap()
}

#[tokio::test]
async fn what_the_documents_of_a_window_say_is_approved_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (portal, admin, olga, bob) = world(folder.path()).await;
    let api = Api::of(&portal).unwrap();
    let says = |word: &str| {
        json!({"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "say",
            "inputs": {"runCommand": [format!("echo {word}")]}}]})
        .to_string()
    };
    let document = json!({"Name": "Own-Say", "DocumentType": "Command", "Content": says("hello")});
    api.call("CreateDocument", document).await.unwrap();
    let window = json!({"Name": "prod-say", "Schedule": "cron(0 2 ? * SUN *)", "ScheduleTimezone": "Europe/Berlin",
        "Duration": 3, "Cutoff": 1, "AllowUnassociatedTargets": false});
    let window = api.call("CreateMaintenanceWindow", window).await.unwrap();
    let id = window["WindowId"].as_str().unwrap().to_owned();
    let target = json!({"WindowId": id, "ResourceType": "INSTANCE",
        "Targets": [{"Key": "tag:Environment", "Values": ["Staging"]}]});
    api.call("RegisterTargetWithMaintenanceWindow", target)
        .await
        .unwrap();
    let state = seen(&olga, &id).await;
    let add = [
        ("window_id", id.as_str()),
        ("seen", state.as_str()),
        ("document", "Own-Say"),
    ];
    let asked = ask(&olga, "add-task", &add).await;
    let shown = request(&bob, &asked).await;
    let frozen = &shown["plan"]["subject"]["window"]["documents"];
    assert_eq!(frozen.as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(
        (&frozen[0]["document"], &frozen[0]["version"]),
        (&json!("Own-Say"), &json!("$DEFAULT"))
    );
    let sha256 = frozen[0]["sha256"].as_str().unwrap().to_owned();
    assert_eq!(sha256.len(), 64, "{frozen}");
    let (_, _, html) = bob.get(&format!("/approvals/{asked}")).await.unwrap();
    assert!(
        html.contains(&sha256) && html.contains("its default version"),
        "the approver sees it"
    );

    // Somebody gives the document another default version: the window is the same, and yet it would run something else.
    let newer = json!({"Name": "Own-Say", "Content": says("smuggled"), "DocumentVersion": "$LATEST"});
    api.call("UpdateDocument", newer).await.unwrap();
    let default = json!({"Name": "Own-Say", "DocumentVersion": "2"});
    api.call("UpdateDocumentDefaultVersion", default).await.unwrap();
    assert!(
        content_of_document(&api, "Own-Say")
            .await
            .to_string()
            .contains("smuggled")
    );
    approve(&bob, &asked).await;
    olga.until("the approval is void", SOON, async |client| {
        let found = request(client, &asked).await;
        Ok((found["generation"] == 2).then_some(()))
    })
    .await
    .unwrap();
    let void = request(&bob, &asked).await;
    let changed = void["changed"].to_string();
    assert!(
        changed.contains("Own-Say") && changed.contains("says something else now"),
        "{void}"
    );
    let tasks = || api.call("DescribeMaintenanceWindowTasks", json!({"WindowId": id}));
    assert_eq!(
        tasks().await.unwrap()["Tasks"],
        json!([]),
        "nothing was registered"
    );
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let there = tasks().await.unwrap();
    assert_eq!(there["Tasks"][0]["TaskArn"], "Own-Say", "{there}");
    // A task is changed on approval too, as one thing with the whole window before and after.
    let state = seen(&olga, &id).await;
    let task = there["Tasks"][0]["WindowTaskId"].as_str().unwrap();
    let edit = [
        ("id", task),
        ("document", "Own-Say"),
        ("document_version", "1"),
        ("task_target", "="),
    ];
    let (status, answer) = change_now(&olga, "edit-task", &id, &edit).await;
    assert_eq!(status, 428, "{answer}");
    let about = [("window_id", id.as_str()), ("seen", state.as_str())];
    let asked = ask(&olga, "edit-task", &[&about, &edit[..]].concat()).await;
    let shown = request(&bob, &asked).await;
    assert_eq!(
        shown["summary"]["title"], "Change how Own-Say runs in prod-say",
        "{shown}"
    );
    let frozen = &shown["plan"]["subject"]["window"]["documents"][0];
    assert_eq!(frozen["sha256"], json!(sha256), "the older version's: {shown}");
    approve(&bob, &asked).await;
    until_done(&olga, &asked).await;
    let found = api
        .call(
            "GetMaintenanceWindowTask",
            json!({"WindowId": id, "WindowTaskId": task}),
        )
        .await
        .unwrap();
    assert_eq!(
        found["TaskInvocationParameters"]["RunCommand"]["DocumentVersion"], "1",
        "{found}"
    );

    // The calendar has its openings, where the window is, and says that no freeze keeps it closed; for who may see windows.
    let html = admin
        .until("the calendar has the window", SOON, async |client| {
            let (_, _, html) = client.get("/approvals/calendar").await?;
            Ok(html.contains("data-entry=\"maintenance\"").then_some(html))
        })
        .await
        .unwrap();
    assert!(html.contains(&format!("href=\"/windows/{id}\"")), "{html}");
    assert!(html.contains("02:00 Europe/Berlin, for 3 h"), "{html}");
    assert!(html.contains("In the freeze “A quiet year”"), "{html}");
    let part = person(&portal, &admin, "part", "viewer", "Environment=Staging").await;
    let (status, page) = part.call("approvals/calendar", &[]).await.unwrap();
    assert_eq!(status, 200, "{page}");
    assert!(!page.to_string().contains("prod-say"), "{page}");
}
