//! Runbooks once more: from a filled form that was kept, from the step that failed, and on a schedule. Long because each case
//! tells a whole story.

use crate::runbooks::{PATIENCE, execution, greeting, make, stands, start};
use crate::support::{free_address, online_node};
use muster_tests::api::Api;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

const PASSWORD: &str = "two grey geese fly south";

async fn person(portal: &Portal, admin: &Client, name: &str, role: &str, scope: &str) -> Client {
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", role),
        ("scope", scope),
    ];
    let (status, answer) = admin.call("access/create_user", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    Client::sign_in(&portal.base, name, PASSWORD).await.unwrap()
}

#[tokio::test]
async fn a_filled_form_is_kept_without_its_secrets_and_says_when_its_runbook_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    let mut content = greeting();
    content["parameters"]["Password"] = json!({"type": "String", "default": ""});
    content["parameters"]["DbPassword"] = json!({"type": "String", "default": ""});
    make(&api, "Own-Greet", &content).await;
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let viewer = person(&portal, &admin, "walt", "viewer", "*").await;

    let fields = vec![
        ("document", "Own-Greet"),
        ("nodes", node.as_str()),
        ("parameters[Word]", "goodbye"),
        ("parameters[Password]", "hunter2 in the clear"),
        ("parameters[DbPassword]", "{{ssm-secure:/app/db}}"),
        ("template_name", "Nightly"),
        ("template_shared", "true"),
        ("template_default_version", "true"),
    ];
    let (status, answer) = viewer.call("runbooks/save_template", &fields).await.unwrap();
    assert_eq!(status, 403, "{answer}");
    let (status, answer) = olga.call("runbooks/save_template", &fields).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    let id = answer.as_str().unwrap().to_owned();
    // Without a reason: what is missing may be missing. The same name only in its place.
    let (status, answer) = olga.call("runbooks/save_template", &fields).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("template_name"), "{answer}");
    let replacing = [fields.as_slice(), &[("template_replace", "true")]].concat();
    let (_, answer) = olga.call("runbooks/save_template", &replacing).await.unwrap();
    assert_eq!(answer, id.as_str());

    let (status, kept) = admin
        .call("runbooks/template", &[("template_id", &id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{kept}");
    assert_eq!(kept["left_out"], json!(["Password"]));
    assert_eq!(
        kept["input"]["parameters"]["DbPassword"],
        json!(["{{ssm-secure:/app/db}}"])
    );
    assert_eq!(kept["state"], "Same");
    assert!(!kept.to_string().contains("hunter2"), "{kept}");
    let (_, _, audit) = admin.get("/export/audit.csv").await.unwrap();
    assert!(
        audit.contains("runbooks.save_template") && !audit.contains("hunter2"),
        "{audit}"
    );

    // It is listed where runbooks are, opened as the filled form, and starts through the same gate.
    for page in ["/runbooks", "/runbooks/Own-Greet"] {
        let (_, _, html) = admin.get(page).await.unwrap();
        assert!(html.contains("data-template=\"Nightly\""), "{page}:\n{html}");
        let (_, _, html) = viewer.get(page).await.unwrap();
        assert!(!html.contains("data-template="), "{page}:\n{html}");
    }
    let path = format!("/runbooks/Own-Greet/start?template={id}");
    let (status, _, html) = admin.get(&path).await.unwrap();
    assert_eq!(status, 200);
    for part in [
        "data-from-template=\"Nightly\"",
        "data-template-left-out",
        "{{ssm-secure:/app/db}}",
        node.as_str(),
    ] {
        assert!(html.contains(part), "{part:?} is not on the form:\n{html}");
    }
    assert!(!html.contains("data-template-changed"), "{html}");

    // The default version is another one by now: that is said.
    let mut second = content.clone();
    second["mainSteps"][1]["inputs"]["Duration"] = json!("PT2S");
    let update = json!({"Name": "Own-Greet", "DocumentVersion": "$LATEST", "Content": second.to_string()});
    api.call("UpdateDocument", update).await.unwrap();
    let default = json!({"Name": "Own-Greet", "DocumentVersion": "2"});
    api.call("UpdateDocumentDefaultVersion", default).await.unwrap();
    let changed = admin
        .until("the change is known", PATIENCE, async |client| {
            let (_, kept) = client.call("runbooks/template", &[("template_id", &id)]).await?;
            Ok((kept["state"] != "Same").then_some(kept))
        })
        .await
        .unwrap();
    assert_eq!(
        changed["state"]["Changed"],
        json!({"saved": "1", "now": "2"}),
        "{changed}"
    );
    let (_, _, html) = admin.get(&path).await.unwrap();
    assert!(html.contains("data-template-changed"), "{html}");

    let rename = [("template_id", id.as_str()), ("template_name", "Every night")];
    assert_eq!(
        viewer.call("runbooks/rename_template", &rename).await.unwrap().0,
        403
    );
    let peter = person(&portal, &admin, "peter", "operator", "*").await;
    assert_eq!(
        peter.call("runbooks/rename_template", &rename).await.unwrap().0,
        404
    );
    assert_eq!(
        olga.call("runbooks/rename_template", &rename).await.unwrap().0 / 100,
        2
    );
    let delete = [("template_id", id.as_str())];
    assert_eq!(
        peter.call("runbooks/delete_template", &delete).await.unwrap().0,
        404
    );
    // An administrator clears up what is shared.
    assert_eq!(
        admin.call("runbooks/delete_template", &delete).await.unwrap().0 / 100,
        2
    );
    let (_, rows) = olga
        .call("runbooks/templates", &[("document", "Own-Greet")])
        .await
        .unwrap();
    assert_eq!(rows, json!([]));
}

/// Writes a line on the node each time; the second step works once a file is there.
fn fails_first(flag: &str, log: &str) -> Value {
    let run = |name: &str, script: String| {
        json!({"name": name, "action": "aws:runCommand", "maxAttempts": 1,
            "inputs": {"DocumentName": "AWS-RunShellScript", "InstanceIds": "{{ InstanceIds }}",
                "Parameters": {"commands": [script]}}})
    };
    json!({"schemaVersion": "0.3", "parameters": {"InstanceIds": {"type": "StringList"}},
        "mainSteps": [
            run("Before", format!("echo before >> {log}; echo made it")),
            run("Needs", format!("test -e {flag} && echo $(echo '{{{{ Before.Output }}}}') again >> {log}")),
            run("After", format!("echo after >> {log}"))]})
}

#[tokio::test]
async fn an_execution_goes_on_from_the_step_that_failed_and_what_was_done_is_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let (flag, log) = (folder.path().join("flag"), folder.path().join("log"));
    let data = folder.path().join("data");
    let address = free_address();
    let mut portal = Portal::start_at(&data, &address, &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    let content = fails_first(flag.to_str().unwrap(), log.to_str().unwrap());
    make(&api, "Own-Needs", &content).await;
    let viewer = person(&portal, &admin, "walt", "viewer", "*").await;
    let fields = [
        ("document", "Own-Needs"),
        ("nodes", node.as_str()),
        ("reason", "a flag is missing"),
    ];
    let id = start(&admin, &fields).await;
    let failed = stands(&admin, &id, "Failed").await;
    assert_eq!(failed["retry_from"], json!([1]), "{failed}");
    assert_eq!(execution(&viewer, &id).await["retry_from"], json!([]));
    let step = failed["steps"][1]["step_execution_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let retry = [("execution_id", id.as_str()), ("step", step.as_str())];
    assert_eq!(viewer.call("runbooks/retry", &retry).await.unwrap().0, 403);
    for wrong in [&failed["steps"][0], &failed["steps"][2]] {
        let step = wrong["step_execution_id"].as_str().unwrap();
        let fields = [("execution_id", id.as_str()), ("step", step)];
        let (status, answer) = admin.call("runbooks/retry", &fields).await.unwrap();
        assert_eq!(status, 409, "{answer}");
    }
    let (_, _, html) = admin.get(&format!("/executions/{id}")).await.unwrap();
    assert!(html.contains("Retry from this step"), "{html}");

    // Still nothing there: it fails at the same step again.
    let (status, answer) = admin.call("runbooks/retry", &retry).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let again = admin
        .until("it has failed again", PATIENCE, async |client| {
            let now = execution(client, &id).await;
            let is_over = now["summary"]["status"] == "Failed" && now["steps"][2]["status"] == "Failed";
            Ok(is_over.then_some(now))
        })
        .await
        .unwrap();
    assert_eq!(again["retry_from"], json!([2]), "the newer one: {again}");
    assert_eq!(again["retried"][0]["by"], json!("admin"), "{again}");
    assert_eq!(again["retried"][0]["step"], again["steps"][1]["name"], "{again}");
    let (_, _, html) = viewer.get(&format!("/executions/{id}")).await.unwrap();
    assert!(html.contains("Done again from here by admin"), "{html}");
    let (status, answer) = admin.call("runbooks/retry", &retry).await.unwrap();
    assert_eq!(
        status / 100,
        2,
        "the step is named, whichever of its executions: {answer}"
    );
    stands(&admin, &id, "Failed").await;

    // In production its nodes are confirmed. The portal is killed right behind the answer.
    std::fs::write(&flag, "").unwrap();
    let tag = [
        ("node_id", node.as_str()),
        ("key", "Environment"),
        ("value", "Production"),
    ];
    assert_eq!(admin.call("fleet/set_tag", &tag).await.unwrap().0 / 100, 2);
    let failed = execution(&admin, &id).await;
    let at = usize::try_from(failed["retry_from"][0].as_u64().unwrap()).unwrap();
    let step = failed["steps"][at]["step_execution_id"].as_str().unwrap();
    let retry = [("execution_id", id.as_str()), ("step", step)];
    let (status, answer) = admin.call("runbooks/retry", &retry).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    let retry = [retry.as_slice(), &[("confirmed_nodes", "1")]].concat();
    let (status, answer) = admin.call("runbooks/retry", &retry).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    portal.kill().unwrap();
    let portal = Portal::start_at(&data, &address, &[], &[]).unwrap();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    let ended = stands(&admin, &id, "Success").await;
    assert_eq!(ended["retry_from"], json!([]));
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text, "before\nmade it again\nafter\n", "each once");
    let (_, _, audit) = admin.get("/export/audit.csv").await.unwrap();
    assert!(audit.contains("runbooks.retry"), "{audit}");
}

/// Fields that schedule a runbook, its next starts seen.
fn scheduled<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("document", "Own-Rest"),
        ("reason", "by itself"),
        ("schedule_name", "Every minute"),
        ("schedule", "rate(1 minute)"),
        ("time_zone", "Europe/Berlin"),
        ("schedule_seen", "rate(1 minute) | Europe/Berlin"),
    ];
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields
}

async fn schedules(client: &Client) -> Vec<Value> {
    let (status, rows) = client.call("runbooks/schedules", &[]).await.unwrap();
    assert_eq!(status, 200, "{rows}");
    rows.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_schedule_shows_its_starts_starts_the_runbook_and_is_held_by_policies() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies.toml");
    let none = "default = \"allow\"\n";
    std::fs::write(&policies, none).unwrap();
    let arguments = [
        "--local-node",
        "false",
        "--approval-policies",
        policies.to_str().unwrap(),
    ];
    let portal = Portal::start(&folder.path().join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    let rest = json!({"schemaVersion": "0.3", "mainSteps": [
        {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]});
    make(&api, "Own-Rest", &rest).await;
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let part = person(&portal, &admin, "part", "operator", "Team=web").await;

    // Nothing is saved before the next starts were shown, of exactly this timing.
    for seen in ["", "rate(1 minute) | UTC"] {
        let fields = scheduled(&[("schedule_seen", seen)]);
        let (status, answer) = olga.call("runbooks/schedule", &fields).await.unwrap();
        assert_eq!(status, 422, "{answer}");
        let told = answer.to_string();
        assert!(
            told.contains("schedule_seen") && told.contains("Europe/Berlin (2"),
            "{told}"
        );
    }
    for (name, value, field) in [
        ("schedule", "every day", "schedule"),
        ("schedule", "at(2020-01-01T00:00:00)", "schedule"),
        ("time_zone", "Mars/Olympus", "time_zone"),
        ("duration_hours", "25", "duration_hours"),
        ("cutoff_hours", "1", "cutoff_hours"),
        ("schedule_name", " ", "schedule_name"),
        ("reason", "", "reason"),
    ] {
        let (status, answer) = olga
            .call("runbooks/schedule", &scheduled(&[(name, value)]))
            .await
            .unwrap();
        assert_eq!(status, 422, "{name}={value}: {answer}");
        assert!(
            answer.to_string().contains(&format!("\"{field}\"")),
            "{name}={value}: {answer}"
        );
    }
    assert!(schedules(&olga).await.is_empty());
    let windows = api.call("DescribeMaintenanceWindows", json!({})).await.unwrap();
    assert_eq!(windows["WindowIdentities"], json!([]));

    let (status, answer) = olga.call("runbooks/schedule", &scheduled(&[])).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    let id = answer.as_str().unwrap().to_owned();
    let row = &schedules(&olga).await[0];
    assert_eq!(
        (&row["document_version"], &row["created_by"]),
        (&json!("1"), &json!("olga"))
    );
    assert!(
        row["next"]["local"].as_str().unwrap().contains("Europe/Berlin"),
        "{row}"
    );
    let window = row["window_id"].as_str().unwrap().to_owned();
    let tags = json!({"ResourceType": "MaintenanceWindow", "ResourceId": window});
    let tags = api.call("ListTagsForResource", tags).await.unwrap();
    assert_eq!(tags["TagList"], json!([{"Key": "Muster", "Value": "schedule"}]));
    // It may act on more than a part of the fleet has.
    assert!(schedules(&part).await.is_empty());
    let fields = [("schedule_id", id.as_str()), ("enabled", "false")];
    assert_eq!(
        part.call("runbooks/enable_schedule", &fields).await.unwrap().0,
        404
    );
    let (_, _, html) = admin.get("/approvals/calendar").await.unwrap();
    assert!(
        html.contains("Every minute") && html.contains("data-entry=\"schedule\""),
        "{html}"
    );

    // It is started by itself, for whoever made it, and what became of it is known.
    let last = olga
        .until(
            "it was started",
            std::time::Duration::from_secs(150),
            async |client| {
                let row = schedules(client).await.remove(0);
                let is_over = row["last"]["status"] == "SUCCESS" && row["last"]["execution"].is_string();
                Ok(is_over.then(|| row["last"].clone()))
            },
        )
        .await
        .unwrap();
    let started = execution(&olga, last["execution"].as_str().unwrap()).await;
    assert_eq!(started["summary"]["requested_by"], "olga", "{started}");
    assert!(
        started["summary"]["reason"]
            .as_str()
            .unwrap()
            .contains("Every minute"),
        "{started}"
    );

    // Paused and resumed by hand.
    let enabled = async |wanted: bool| {
        let input = json!({"WindowId": window});
        admin
            .until("the window stands so", PATIENCE, async |_| {
                let found = api.call("GetMaintenanceWindow", input.clone()).await?;
                Ok((found["Enabled"] == wanted).then_some(()))
            })
            .await
            .unwrap();
    };
    assert_eq!(
        olga.call("runbooks/enable_schedule", &fields).await.unwrap().0 / 100,
        2
    );
    enabled(false).await;
    let resume = [("schedule_id", id.as_str()), ("enabled", "true")];
    assert_eq!(
        olga.call("runbooks/enable_schedule", &resume).await.unwrap().0 / 100,
        2
    );
    enabled(true).await;

    // A policy that asks for approval is not escaped: neither by a new schedule, nor by one that stands, nor by resuming it.
    let asks = "[[policy]]\nname = \"Rests\"\nacts = [\"runbooks.start\"]\ndocuments = [\"Own-*\"]\n\n[[policy.levels]]\nof = [\"role:approver\"]\n";
    std::fs::write(&policies, asks).unwrap();
    olga.until("it is held", PATIENCE, async |client| {
        let row = schedules(client).await.remove(0);
        Ok(row["held"]
            .as_str()
            .unwrap_or_default()
            .contains("approval")
            .then_some(()))
    })
    .await
    .unwrap();
    enabled(false).await;
    for (act, fields) in [
        ("runbooks/schedule", scheduled(&[])),
        ("runbooks/enable_schedule", resume.to_vec()),
    ] {
        let (status, answer) = olga.call(act, &fields).await.unwrap();
        assert_eq!(status, 403, "{act}: {answer}");
        assert!(answer.to_string().contains("ask for approval"), "{answer}");
    }
    std::fs::write(&policies, none).unwrap();
    enabled(true).await;

    let delete = [("schedule_id", id.as_str())];
    assert_eq!(
        olga.call("runbooks/delete_schedule", &delete).await.unwrap().0 / 100,
        2
    );
    assert!(schedules(&olga).await.is_empty());
    let windows = api.call("DescribeMaintenanceWindows", json!({})).await.unwrap();
    assert_eq!(windows["WindowIdentities"], json!([]));
    let (_, _, html) = admin.get("/approvals/calendar?month=2026-13").await.unwrap();
    assert!(html.contains("is no month"), "{html}");
}
