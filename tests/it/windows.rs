//! Maintenance windows end to end, with the real control plane: made, changed against what was looked at, given targets and
//! tasks, opened, deleted.

use crate::parameters::{SOON, person};
use muster_domain::Timestamp;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const SETTINGS: [(&str, &str); 5] = [
    ("schedule", "cron(0 2 ? * SUN *)"),
    ("time_zone", "Europe/Berlin"),
    ("duration_hours", "3"),
    ("cutoff_hours", "1"),
    ("enabled", "true"),
];

pub async fn change(client: &Client, what: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let fields = [&[("what", what)], fields].concat();
    client.call("windows/change", &fields).await.unwrap()
}

pub async fn make(client: &Client, name: &str) -> String {
    let fields = [&[("name", name)], &SETTINGS[..]].concat();
    let (status, answer) = change(client, "create", &fields).await;
    assert_eq!(status / 100, 2, "{answer}");
    answer.as_str().unwrap().to_owned()
}

pub async fn get(client: &Client, id: &str) -> Value {
    let (status, answer) = client.call("windows/get", &[("window_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

/// What the page of a window shows of it, as a form carries it along.
pub async fn seen(client: &Client, id: &str) -> String {
    get(client, id).await["live"]["Ok"]["state"].to_string()
}

/// A change of a window as it is now.
pub async fn change_now(client: &Client, what: &str, id: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let seen = seen(client, id).await;
    let about = [("window_id", id), ("seen", seen.as_str())];
    change(client, what, &[&about, fields].concat()).await
}

pub async fn described(api: &Api) -> Vec<Value> {
    let answer = api.call("DescribeMaintenanceWindows", json!({})).await.unwrap();
    answer["WindowIdentities"].as_array().unwrap().clone()
}

fn fields_of(answer: &Value) -> String {
    answer["error"]["Invalid"]["fields"].to_string() + &answer.to_string()
}

#[tokio::test]
async fn a_window_is_made_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let vic = person(&portal, &admin, "vic", "viewer", "*").await;

    // When it would open is said before anything is saved; what is wrong is said at its field.
    let named = [&[("name", "nightly")], &SETTINGS[..]].concat();
    let (status, answer) = change(&olga, "create", &[&named[..], &[("preview", "1")]].concat()).await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("Europe/Berlin") && answer.to_string().contains("next_runs"));
    assert!(described(&api).await.is_empty(), "only shown");
    let bad = [
        ("name", "my window"),
        ("schedule", "every day"),
        ("duration_hours", "30"),
    ];
    let (status, answer) = change(&olga, "create", &bad).await;
    assert_eq!(status, 422, "{answer}");
    assert!(fields_of(&answer).contains("duration_hours") && fields_of(&answer).contains("name"));
    let zone = [&named[..], &[("time_zone", "Mars/Olympus")]].concat();
    let (status, answer) = change(&olga, "create", &zone).await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("time_zone"), "{answer}");

    // Made, it is really there, and in the list at once.
    let id = make(&olga, "nightly").await;
    let there = described(&api).await;
    assert_eq!(
        (&there[0]["WindowId"], &there[0]["Name"], &there[0]["Duration"]),
        (&json!(id), &json!("nightly"), &json!(3))
    );
    let (_, page) = vic.call("windows/list", &[("text", "NIGHT")]).await.unwrap();
    let row = &page["page"]["items"][0];
    assert_eq!(row["schedule_words"], "every Sunday at 02:00", "{page}");
    assert!(
        row["next"]["local"].as_str().unwrap().ends_with("Europe/Berlin"),
        "{page}"
    );
    let (status, answer) = change(&olga, "create", &named).await;
    assert_eq!(status, 422, "made twice: {answer}");
    let detail = get(&vic, &id).await;
    assert_eq!(detail["may_change"], false, "{detail}");
    assert_eq!(
        detail["live"]["Ok"]["next"].as_array().unwrap().len(),
        5,
        "{detail}"
    );
    assert_eq!(change_now(&vic, "disable", &id, &[]).await.0, 403);

    // Two who looked at the same: the second one is told what is different.
    let old = seen(&olga, &id).await;
    let weekly = [
        &[("name", "weekly")],
        &SETTINGS[1..],
        &[("schedule", "rate(7 days)")],
    ]
    .concat();
    assert_eq!(change_now(&olga, "edit", &id, &weekly).await.0 / 100, 2);
    let stale = [&[("window_id", id.as_str()), ("seen", old.as_str())], &named[..]].concat();
    let (status, answer) = change(&admin, "edit", &stale).await;
    assert_eq!(status, 409, "{answer}");
    assert!(
        answer.to_string().contains("Its schedule is rate(7 days) now"),
        "{answer}"
    );
    let before = seen(&olga, &id).await;
    api.call("UpdateMaintenanceWindow", json!({"WindowId": id, "Duration": 5}))
        .await
        .unwrap();
    let overtaken = [("window_id", id.as_str()), ("seen", before.as_str())];
    let (status, answer) = change(&olga, "disable", &overtaken).await;
    assert_eq!(status, 409, "changed past the portal: {answer}");
    assert_eq!(change_now(&olga, "disable", &id, &[]).await.0 / 100, 2);
    assert_eq!(described(&api).await[0]["Enabled"], json!(false));
    let (_, page) = olga.call("windows/list", &[("enabled", "no")]).await.unwrap();
    assert_eq!(page["page"]["items"][0]["name"], "weekly", "{page}");
    assert_eq!(change_now(&olga, "enable", &id, &[]).await.0 / 100, 2);

    // Targets and tasks.
    let (status, answer) = change_now(
        &olga,
        "add-target",
        &id,
        &[("target_nodes", "mi-00000000000000000")],
    )
    .await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("target_nodes"), "{answer}");
    let task = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "uptime\ndate"),
        ("max_concurrency", "10%"),
        ("max_errors", "1"),
        ("priority", "2"),
    ];
    let (status, answer) = change_now(&olga, "add-task", &id, &task).await;
    assert_eq!(status, 422, "no targets yet: {answer}");
    let tags = [
        ("target_tags", "Environment=Production,Staging"),
        ("target_name", "both"),
    ];
    assert_eq!(change_now(&olga, "add-target", &id, &tags).await.0 / 100, 2);
    let (status, answer) = change_now(
        &olga,
        "add-task",
        &id,
        &[&task[..], &[("max_errors", "x")]].concat(),
    )
    .await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("max_errors"), "{answer}");
    let (status, answer) = change_now(&olga, "add-task", &id, &task).await;
    assert_eq!(status / 100, 2, "{answer}");
    let tasks = api
        .call("DescribeMaintenanceWindowTasks", json!({"WindowId": id}))
        .await
        .unwrap();
    assert_eq!(tasks["Tasks"][0]["MaxConcurrency"], "10%", "{tasks}");
    let state = get(&vic, &id).await["live"]["Ok"]["state"].clone();
    assert_eq!(
        state["tasks"][0]["parameters"]["commands"],
        json!(["uptime", "date"]),
        "{state}"
    );
    let target = state["targets"][0]["id"].as_str().unwrap();
    let task = state["tasks"][0]["id"].as_str().unwrap();
    let (status, answer) = change_now(&olga, "remove-target", &id, &[("id", target)]).await;
    assert_eq!(status, 409, "a task runs on it: {answer}");
    assert_eq!(
        change_now(&olga, "remove-task", &id, &[("id", task)]).await.0 / 100,
        2
    );
    assert_eq!(
        change_now(&olga, "remove-target", &id, &[("id", target)]).await.0 / 100,
        2
    );

    // Deleted by its name, typed.
    let (status, answer) = change_now(&olga, "delete", &id, &[("confirmation", "nightly")]).await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(
        change_now(&olga, "delete", &id, &[("confirmation", "weekly")])
            .await
            .0
            / 100,
        2
    );
    assert!(described(&api).await.is_empty());
    let (_, page) = olga.call("windows/list", &[]).await.unwrap();
    assert_eq!(page["total"], 0, "{page}");
    assert_eq!(
        olga.call("windows/get", &[("window_id", &id)]).await.unwrap().0,
        404
    );
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    let row = audit.lines().find(|line| {
        line.contains("\"windows.change\"") && line.contains("\"after\"") && line.contains("rate(7 days)")
    });
    assert!(row.is_some_and(|row| row.contains("\"before\"")), "{audit}");
    assert!(audit.contains("\"windows.delete\""), "{audit}");
}

#[tokio::test]
async fn what_a_window_has_run_is_found_from_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = crate::support::online_node(&admin).await;
    let id = make(&admin, "soon").await;
    assert_eq!(
        change_now(&admin, "add-target", &id, &[("target_nodes", &node)])
            .await
            .0
            / 100,
        2
    );
    let task = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "echo from the window"),
    ];
    assert_eq!(change_now(&admin, "add-task", &id, &task).await.0 / 100, 2);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(6);
    let at = Timestamp(i64::try_from(now.as_millis()).unwrap()).rfc3339();
    let once = format!("at({})", at.get(..19).unwrap());
    let settings = [&[("name", "soon"), ("schedule", once.as_str())], &SETTINGS[2..]].concat();
    let (status, answer) = change_now(&admin, "edit", &id, &settings).await;
    assert_eq!(status / 100, 2, "{answer}");
    let detail = admin
        .until("the window has run", SOON, async |client| {
            let found = get(client, &id).await;
            Ok((found["live"]["Ok"]["runs"][0]["status"] == "SUCCESS").then_some(found))
        })
        .await
        .unwrap();
    let invocation = &detail["live"]["Ok"]["execution"]["tasks"][0]["invocations"][0];
    assert_eq!(invocation["status"], "SUCCESS", "{detail}");
    // The command that it has sent is one of the portal's, once that has taken it in.
    let href = admin
        .until("its command is found", SOON, async |client| {
            let found = get(client, &id).await;
            let href = &found["live"]["Ok"]["execution"]["tasks"][0]["invocations"][0]["href"];
            Ok(href.as_str().map(str::to_owned))
        })
        .await
        .unwrap();
    assert!(href.starts_with("/commands/"), "{href}");
    admin
        .until("the list says how it went", SOON, async |client| {
            let (_, page) = client.call("windows/list", &[("last", "success")]).await?;
            Ok((page["page"]["items"][0]["tasks"] == 1).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn targets_and_tasks_are_changed_in_place_and_runbooks_are_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    crate::runbooks::make(&api, "Own-Greet", &crate::runbooks::greeting()).await;
    let id = make(&olga, "nightly").await;
    let tags = [("target_tags", "Environment=Staging"), ("target_name", "some")];
    assert_eq!(change_now(&olga, "add-target", &id, &tags).await.0 / 100, 2);
    let task = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "uptime"),
        ("task_name", "look"),
        ("comment", "nightly look"),
    ];
    assert_eq!(change_now(&olga, "add-task", &id, &task).await.0 / 100, 2);
    let state = get(&olga, &id).await["live"]["Ok"]["state"].clone();
    let target = state["targets"][0]["id"].as_str().unwrap();
    let task = state["tasks"][0]["id"].as_str().unwrap();
    // What the portal has no field for was set past it, and stays.
    let role = "arn:aws:iam::123456789012:role/windows";
    let outside = json!({"WindowId": id, "WindowTaskId": task, "CutoffBehavior": "CANCEL_TASK", "ServiceRoleArn": role});
    api.call("UpdateMaintenanceWindowTask", outside).await.unwrap();

    let stale = state.to_string();
    let edit = [
        ("id", task),
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "uptime\ndate"),
        ("task_target", "="),
        ("document_version", "1"),
        ("max_concurrency", "25%"),
        ("priority", "7"),
    ];
    let looked_before = [("window_id", id.as_str()), ("seen", stale.as_str())];
    let (status, answer) = change(&olga, "edit-task", &[&looked_before, &edit[..]].concat()).await;
    assert_eq!(status, 409, "changed past the portal meanwhile: {answer}");
    let wrong = [
        ("id", task),
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "uptime"),
        ("task_target", "="),
        ("document_version", "newest"),
        ("max_errors", "many"),
    ];
    let (status, answer) = change_now(&olga, "edit-task", &id, &wrong).await;
    assert_eq!(status, 422, "{answer}");
    let text = answer.to_string();
    assert!(
        text.contains("max_errors") && text.contains("document_version"),
        "{text}"
    );
    let other = [
        ("id", task),
        ("document", "AWS-RunPatchBaseline"),
        ("parameters[Operation]", "Scan"),
    ];
    let (status, answer) = change_now(&olga, "edit-task", &id, &other).await;
    assert_eq!(status, 422, "a task keeps its document: {answer}");
    let (status, answer) = change_now(&olga, "edit-task", &id, &edit).await;
    assert_eq!(status / 100, 2, "{answer}");
    let found = api
        .call(
            "GetMaintenanceWindowTask",
            json!({"WindowId": id, "WindowTaskId": task}),
        )
        .await
        .unwrap();
    let run = &found["TaskInvocationParameters"]["RunCommand"];
    assert_eq!(
        run["Parameters"]["commands"],
        json!(["uptime", "date"]),
        "{found}"
    );
    assert_eq!(run["DocumentVersion"], "1", "{found}");
    assert!(run.get("Comment").is_none(), "it was emptied: {found}");
    assert!(found.get("Name").is_none(), "it was emptied: {found}");
    assert_eq!(found["MaxConcurrency"], "25%", "{found}");
    assert_eq!(found["CutoffBehavior"], "CANCEL_TASK", "{found}");
    assert_eq!(found["ServiceRoleArn"], role, "{found}");
    assert_eq!(
        found["Targets"],
        json!([{"Key": "WindowTargetIds", "Values": [target]}]),
        "{found}"
    );

    // A target that a task runs on is changed under its id.
    let edit = [("id", target), ("target_tags", "Environment=Production")];
    assert_eq!(change_now(&olga, "edit-target", &id, &edit).await.0 / 100, 2);
    let found = api
        .call("DescribeMaintenanceWindowTargets", json!({"WindowId": id}))
        .await
        .unwrap();
    let there = &found["Targets"][0];
    assert_eq!(there["WindowTargetId"], target, "{found}");
    assert_eq!(
        there["Targets"],
        json!([{"Key": "tag:Environment", "Values": ["Production"]}])
    );
    assert!(there.get("Name").is_none(), "{found}");
    let gone = [
        ("id", "00000000-0000-4000-8000-000000000000"),
        ("target_tags", "A=b"),
    ];
    assert_eq!(change_now(&olga, "edit-target", &id, &gone).await.0, 409);

    // A runbook: its own parameters, in a version, once for each node of the targets or once at all.
    let runbook = [
        ("kind", "runbook"),
        ("document", "Own-Greet"),
        ("document_version", "1"),
        ("parameters[InstanceIds]", "{{RESOURCE_ID}}"),
        ("task_target", "*"),
    ];
    let wrong = [&runbook[..], &[("parameters[Word]", "shout")]].concat();
    let (status, answer) = change_now(&olga, "add-task", &id, &wrong).await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("parameters.Word"), "{answer}");
    let missing = [("kind", "runbook"), ("document", "Own-None")];
    assert_eq!(change_now(&olga, "add-task", &id, &missing).await.0, 404);
    let right = [&runbook[..], &[("parameters[Word]", "goodbye")]].concat();
    let (status, answer) = change_now(&olga, "add-task", &id, &right).await;
    assert_eq!(status / 100, 2, "{answer}");
    let once = [
        ("kind", "runbook"),
        ("document", "Own-Greet"),
        ("parameters[InstanceIds]", "mi-00000000000000001"),
        ("task_name", "once"),
    ];
    let (status, answer) = change_now(&olga, "add-task", &id, &once).await;
    assert_eq!(status / 100, 2, "{answer}");
    let state = get(&olga, &id).await["live"]["Ok"]["state"].clone();
    let all = state["tasks"].as_array().unwrap();
    let runbooks: Vec<&Value> = all.iter().filter(|one| one["kind"] == "AUTOMATION").collect();
    assert_eq!(runbooks.len(), 2, "{state}");
    let of_nodes = runbooks.iter().find(|one| one["name"] == "").unwrap();
    assert_eq!(of_nodes["parameters"]["Word"], json!(["goodbye"]), "{state}");
    assert_eq!(of_nodes["document_version"], "1", "{state}");
    assert_eq!(of_nodes["targets"][0]["values"], json!([target]), "{state}");
    let once = runbooks.iter().find(|one| one["name"] == "once").unwrap();
    assert_eq!(once["targets"], json!([]), "{state}");
    let (_, _, html) = olga
        .get(&format!(
            "/windows/{id}?do=edit-task&id={}",
            of_nodes["id"].as_str().unwrap()
        ))
        .await
        .unwrap();
    assert!(
        html.contains("Change Own-Greet") && html.contains("{{RESOURCE_ID}}"),
        "the form is filled with the task"
    );
    let edit = [
        ("id", once["id"].as_str().unwrap()),
        ("kind", "runbook"),
        ("document", "Own-Greet"),
        ("parameters[InstanceIds]", "{{TARGET_ID}}"),
        ("task_target", target),
    ];
    let (status, answer) = change_now(&olga, "edit-task", &id, &edit).await;
    assert_eq!(status / 100, 2, "{answer}");
    let (_, _, audit) = admin
        .get("/export/audit.json?action=windows.change")
        .await
        .unwrap();
    assert!(
        audit.contains("update_task") && audit.contains("update_target"),
        "{audit}"
    );
}
