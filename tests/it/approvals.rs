//! Approvals end to end, against real agents: what a policy asks about does not run, what others approved runs as it was
//! approved and once, what has changed since does not, and a terminal opens once.

use crate::support;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

pub const PASSWORD: &str = "two grey geese fly south";
pub const SOON: Duration = Duration::from_secs(60);

pub const POLICIES: &str = r#"
[[policy]]
name = "Production changes"
acts = ["commands.run", "sessions.start"]
nodes = "Environment=Production"
reason = true

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

pub struct World {
    pub portal: Portal,
    pub admin: Client,
    pub olga: Client,
    pub bob: Client,
    pub node: String,
}

pub async fn person(portal: &Portal, admin: &Client, name: &str, role: &str) -> Client {
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", role),
        ("scope", "*"),
    ];
    let (status, answer) = admin.call("access/create_user", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    Client::sign_in(&portal.base, name, PASSWORD).await.unwrap()
}

pub async fn world(folder: &Path) -> World {
    world_of(folder, POLICIES).await
}

pub async fn world_of(folder: &Path, policies: &str) -> World {
    // The policies are in a file under version control, as many will have them.
    let file = folder.join("policies.toml");
    std::fs::write(&file, policies).unwrap();
    let data = folder.join("data");
    let arguments = ["--approval-policies", file.to_str().unwrap()];
    // At a fixed address, where the node finds the endpoint again after a restart.
    let portal = Portal::start_at(&data, &support::free_address(), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let tag = [
        ("node_id", node.as_str()),
        ("key", "Environment"),
        ("value", "Production"),
    ];
    let (status, answer) = admin.call("fleet/set_tag", &tag).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    World {
        olga: person(&portal, &admin, "olga", "operator").await,
        bob: person(&portal, &admin, "bob", "approver").await,
        portal,
        admin,
        node,
    }
}

pub async fn ask(client: &Client, function: &str, fields: &[(&str, &str)]) -> String {
    let (status, answer) = client.call(function, fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    answer
        .as_str()
        .unwrap_or_else(|| panic!("no id in {answer}"))
        .to_owned()
}

pub async fn request(client: &Client, id: &str) -> Value {
    let (status, answer) = client.call("approvals/get", &[("request_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

pub async fn decide(client: &Client, id: &str, verdict: &str) -> (u16, Value) {
    let digest = request(client, id).await["digest"].as_str().unwrap().to_owned();
    let fields = [
        ("request_id", id),
        ("digest", &digest),
        ("verdict", verdict),
        ("comment", "looked at it"),
        ("password", PASSWORD),
    ];
    client.call("approvals/decide", &fields).await.unwrap()
}

pub async fn until_state(client: &Client, id: &str, wanted: &str) -> Value {
    client
        .until(&format!("{id} is {wanted}"), SOON, async |client| {
            let found = request(client, id).await;
            Ok((found["summary"]["state"] == wanted).then_some(found))
        })
        .await
        .unwrap()
}

async fn commands(client: &Client) -> Vec<Value> {
    let (status, page) = client.call("commands/list", &[("period", "all")]).await.unwrap();
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_command_in_production_runs_when_somebody_else_has_approved_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let marker = folder.path().join("ran");
    let script = format!("echo once >> {}", marker.display());
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script.as_str()),
        ("nodes", world.node.as_str()),
    ];
    // Nobody runs it at once, however it is confirmed; not even an administrator.
    for client in [&world.olga, &world.admin] {
        let confirmed = [fields.as_slice(), &[("confirmed_nodes", "1")]].concat();
        let (status, answer) = client.call("commands/run", &confirmed).await.unwrap();
        assert_eq!(status, 428, "{answer}");
        let needs = &answer["error"]["ApprovalNeeded"]["needs"];
        assert_eq!(needs["policies"], json!(["Production changes"]));
        assert_eq!(
            (&needs["reason"], &needs["may_break_glass"]),
            (&json!(true), &json!(false))
        );
    }
    let (status, answer) = world.olga.call("approvals/ask_command", &fields).await.unwrap();
    assert_eq!(status, 422, "a reason is needed: {answer}");
    let with_reason = [fields.as_slice(), &[("why", "OPS-7: logs fill the disk")]].concat();
    let id = ask(&world.olga, "approvals/ask_command", &with_reason).await;
    let (status, answer) = decide(&world.olga, &id, "approve").await;
    assert_eq!(status, 403, "{answer}");
    assert!(commands(&world.admin).await.is_empty(), "nothing has run");
    assert!(!marker.exists());
    let (status, answer) = decide(&world.bob, &id, "approve").await;
    assert_eq!(status, 200, "{answer}");
    let done = until_state(&world.olga, &id, "Done").await;
    let href = done["outcome"]["href"].as_str().unwrap();
    let command = href.strip_prefix("/commands/").unwrap();
    let events = support::follow(&world.olga, command, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "once\n");
    let all = commands(&world.admin).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["requested_by"], "olga");
    // The audit log ties both together.
    let (_, page) = world
        .admin
        .call("audit/list", &[("query", "action=commands.run&outcome=success")])
        .await
        .unwrap();
    let detail = page["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(&id) && detail.contains("bob"), "{detail}");
    evidence(&world, &id, folder.path()).await;

    // What ran before is shown to who decides; what runs afterwards is not put beside what was decided.
    let second = ask(&world.olga, "approvals/ask_command", &with_reason).await;
    let before = request(&world.bob, &second).await["past"].clone();
    assert_eq!(before[0]["href"], href, "{before}");
    assert_eq!(decide(&world.bob, &second, "approve").await.0, 200);
    let done = until_state(&world.olga, &second, "Done").await;
    assert_eq!(done["past"], before, "its own command is none of them");
    assert_eq!(request(&world.bob, &id).await["past"], json!([]));
}

/// The evidence of a request is for auditors, and is checked without the portal; whatever is changed in it is found.
async fn evidence(world: &World, id: &str, folder: &Path) {
    let path = format!("/export/requests/{id}");
    assert_eq!(world.olga.get(&path).await.unwrap().0, 403);
    let (status, _, text) = world.admin.get(&path).await.unwrap();
    assert_eq!(status, 200, "{text}");
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let content = &bundle["content"];
    assert_eq!(content["outcome"]["nodes"][0]["status"], "Success");
    assert!(
        content["audit_log"].as_array().unwrap().len() >= 4,
        "asked, decided, run: {content}"
    );
    let file = folder.join("evidence.json");
    let key = std::fs::read_to_string(world.portal.data_dir().join("audit/signing-key.pub")).unwrap();
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let arguments = [
            "evidence",
            "verify",
            "--public-key",
            key.trim(),
            file.to_str().unwrap(),
        ];
        let done = std::process::Command::new(muster_tests::portal::program().unwrap())
            .args(arguments)
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, said) = check(&text);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(id), "{said}");
    for (from, to) in [
        ("bob", "eve"),
        ("OPS-7", "OPS-8"),
        ("once >>", "twice >>"),
        ("success", "failure"),
    ] {
        assert!(text.contains(from), "{from}");
        let (code, said) = check(&text.replace(from, to));
        assert_eq!(code, Some(1), "{from} became {to}: {said}");
    }
}

#[tokio::test]
async fn what_has_changed_since_is_not_run_and_waits_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let api = Api::of(&world.portal).unwrap();
    let marker = folder.path().join("ran");
    let content = |word: &str| {
        json!({
            "schemaVersion": "2.2",
            "description": "writes a word",
            "mainSteps": [{
                "action": "aws:runShellScript",
                "name": "write",
                "inputs": { "runCommand": [format!("echo {word} >> {}", marker.display())] }
            }]
        })
        .to_string()
    };
    let document = json!({
        "Name": "Write-Word",
        "Content": content("approved"),
        "DocumentType": "Command",
        "DocumentFormat": "JSON"
    });
    api.call("CreateDocument", document).await.unwrap();
    let soon = muster_domain::time::Clock::now(&muster_domain::system::SystemClock)
        .plus_ms(5_000)
        .rfc3339();
    let fields = [
        ("document", "Write-Word"),
        ("nodes", world.node.as_str()),
        ("why", "a word is missing"),
        ("not_before", soon.as_str()),
    ];
    let id = ask(&world.olga, "approvals/ask_command", &fields).await;
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let approved = request(&world.bob, &id).await;
    assert_eq!(approved["summary"]["state"], "Approved");
    // Before it runs somebody changes the document.
    let changed = json!({
        "Name": "Write-Word",
        "Content": content("smuggled"),
        "DocumentVersion": "$LATEST"
    });
    api.call("UpdateDocument", changed).await.unwrap();
    let default = json!({ "Name": "Write-Word", "DocumentVersion": "2" });
    api.call("UpdateDocumentDefaultVersion", default).await.unwrap();
    let voided = until_state(&world.bob, &id, "Waiting").await;
    assert_eq!(voided["generation"], 2);
    assert!(
        voided["changed"][0].as_str().unwrap().contains("Write-Word"),
        "{voided}"
    );
    assert_ne!(voided["digest"], approved["digest"]);
    assert!(
        !voided["decisions"][0]["void_because"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    assert!(!marker.exists(), "nothing has run");
    // A decision on what was looked at before is refused; one on what would run now is not.
    let old = [
        ("request_id", id.as_str()),
        ("digest", approved["digest"].as_str().unwrap()),
        ("verdict", "approve"),
        ("password", PASSWORD),
    ];
    let (status, answer) = world.bob.call("approvals/decide", &old).await.unwrap();
    assert_eq!(status, 409, "{answer}");
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let done = until_state(&world.bob, &id, "Done").await;
    let command = done["outcome"]["href"]
        .as_str()
        .unwrap()
        .strip_prefix("/commands/")
        .unwrap();
    let events = support::follow(&world.olga, command, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "smuggled\n");
}

#[tokio::test]
async fn an_approved_terminal_opens_once_and_for_as_long_as_was_approved() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let fields = [("node_id", world.node.as_str()), ("reason", "look at the disk")];
    let (status, answer) = world.olga.call("sessions/start", &fields).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    let asked = [fields.as_slice(), &[("minutes", "10")]].concat();
    let id = ask(&world.olga, "approvals/ask_terminal", &asked).await;
    let with = [fields.as_slice(), &[("request", id.as_str())]].concat();
    let (status, answer) = world.olga.call("sessions/start", &with).await.unwrap();
    assert_eq!(status, 409, "it only waits: {answer}");
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let (status, answer) = world.admin.call("sessions/start", &with).await.unwrap();
    assert_eq!(status, 404, "another's approval is nobody else's: {answer}");
    let as_root = [with.as_slice(), &[("os_user", "root")]].concat();
    let (status, answer) = world.olga.call("sessions/start", &as_root).await.unwrap();
    assert_eq!(status, 409, "another terminal than was approved: {answer}");
    let session = ask(&world.olga, "sessions/start", &with).await;
    let done = until_state(&world.olga, &id, "Done").await;
    assert_eq!(done["outcome"]["href"], format!("/terminals/{session}"));
    let (status, answer) = world.olga.call("sessions/start", &with).await.unwrap();
    assert_eq!(status, 409, "an approval opens one terminal: {answer}");
    let (_, detail) = world
        .olga
        .call("sessions/get", &[("session_id", session.as_str())])
        .await
        .unwrap();
    let summary = &detail["summary"];
    let minutes = (summary["ends_at"].as_i64().unwrap() - summary["started_at"].as_i64().unwrap()) / 60_000;
    assert!((9..=10).contains(&minutes), "{summary}");
    assert_eq!(summary["request"], id, "under which approval it was opened");
    let (_, _, page) = world.olga.get(&format!("/terminals/{session}")).await.unwrap();
    assert!(
        page.contains(&format!("href=\"/approvals/{id}\"")),
        "the way to it"
    );
    let (status, answer) = world
        .olga
        .call("sessions/more_time", &[("session_id", session.as_str())])
        .await
        .unwrap();
    assert_eq!(status, 409, "{answer}");
    let end = [("session_id", session.as_str())];
    assert_eq!(world.olga.call("sessions/end", &end).await.unwrap().0 / 100, 2);
}

#[tokio::test]
async fn what_was_approved_when_the_portal_was_killed_runs_once_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(folder.path()).await;
    let marker = folder.path().join("ran");
    let script = format!("echo once >> {}", marker.display());
    let soon = muster_domain::time::Clock::now(&muster_domain::system::SystemClock)
        .plus_ms(3_000)
        .rfc3339();
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script.as_str()),
        ("nodes", world.node.as_str()),
        ("why", "it has to be done"),
        ("not_before", soon.as_str()),
    ];
    let id = ask(&world.olga, "approvals/ask_command", &fields).await;
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let endpoint = world.portal.ssm.trim_start_matches("http://").to_owned();
    world.portal.kill().unwrap();
    let file = folder.path().join("policies.toml");
    let arguments = ["--approval-policies", file.to_str().unwrap()];
    let again = Portal::start_at(&folder.path().join("data"), &endpoint, &arguments, &[]).unwrap();
    let olga = Client::sign_in(&again.base, "olga", PASSWORD).await.unwrap();
    let done = until_state(&olga, &id, "Done").await;
    let command = done["outcome"]["href"]
        .as_str()
        .unwrap()
        .strip_prefix("/commands/")
        .unwrap();
    let events = support::follow(&olga, command, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "once\n");
    assert_eq!(commands(&olga).await.len(), 1);
}

#[tokio::test]
async fn a_runbook_in_production_starts_when_somebody_else_has_approved_it() {
    use crate::runbooks::{greeting, make, stands};
    let folder = tempfile::tempdir().unwrap();
    let mut policies = POLICIES.to_owned();
    policies.push_str(
        "\n[[policy]]\nname = \"Runbooks\"\nacts = [\"runbooks.start\"]\ndocuments = [\"Own-*\"]\n",
    );
    policies.push_str("nodes = \"Environment=Production\"\n\n[[policy.levels]]\nof = [\"role:approver\"]\n");
    let world = world_of(folder.path(), &policies).await;
    let api = Api::of(&world.portal).unwrap();
    make(&api, "Own-Greet", &greeting()).await;
    let fields = [
        ("document", "Own-Greet"),
        ("nodes", world.node.as_str()),
        ("reason", "greet production"),
    ];
    let confirmed = [fields.as_slice(), &[("confirmed_nodes", "1")]].concat();
    let (status, answer) = world.olga.call("runbooks/start", &confirmed).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    assert!(answer["error"]["ApprovalNeeded"].is_object(), "{answer}");
    let id = ask(&world.olga, "approvals/ask_runbook", &fields).await;
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let done = until_state(&world.olga, &id, "Done").await;
    let execution = done["outcome"]["href"]
        .as_str()
        .unwrap()
        .strip_prefix("/executions/")
        .unwrap();
    let ended = stands(&world.olga, execution, "Success").await;
    assert_eq!(ended["summary"]["requested_by"], "olga");

    // Neither is what has failed done again past the policies.
    let mut failing = greeting();
    failing["mainSteps"][0]["onFailure"] = json!("Abort");
    failing["mainSteps"][0]["inputs"]["Parameters"]["commands"] = json!(["exit 3"]);
    make(&api, "Own-Fails", &failing).await;
    let fields = [
        ("document", "Own-Fails"),
        ("nodes", world.node.as_str()),
        ("reason", "fails"),
    ];
    let id = ask(&world.olga, "approvals/ask_runbook", &fields).await;
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let done = until_state(&world.olga, &id, "Done").await;
    let execution = done["outcome"]["href"]
        .as_str()
        .unwrap()
        .strip_prefix("/executions/")
        .unwrap();
    let failed = stands(&world.olga, execution, "Failed").await;
    let step = failed["steps"][0]["step_execution_id"].as_str().unwrap();
    let retry = [
        ("execution_id", execution),
        ("step", step),
        ("confirmed_nodes", "1"),
    ];
    let (status, answer) = world.olga.call("runbooks/retry", &retry).await.unwrap();
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("Start again"), "{answer}");
}
