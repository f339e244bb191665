//! Deployments where a policy wants a second pair of eyes: done as they were approved or not at all.

use crate::deployments::{
    application, artefact, change, change_now, deploy, make, parameters, release, stands, tag,
};
use crate::parameters::{PASSWORD, SOON, person};
use crate::support::online_node;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

const POLICIES: &str = r#"
[[policy]]
name = "Deployments of web"
acts = ["deployments.*"]
applications = ["web"]
environments = ["Staging"]
reason = true

[[policy.levels]]
approvals = 1
of = ["role:approver"]

[[policy]]
name = "Runbooks"
acts = ["runbooks.start"]
documents = ["Muster-*"]

[[policy.levels]]
approvals = 1
of = ["role:approver"]

[[policy]]
name = "No such runbook"
acts = ["runbooks.start"]
documents = ["Own-*"]
effect = "deny"
"#;

async fn ask(client: &Client, id: &str, kind: &str, release: &str) -> String {
    let fields = [
        ("application_id", id),
        ("environment", "Staging"),
        ("release", release),
        ("kind", kind),
        ("reason", "planned"),
        ("deployment_ticket", "OPS-1"),
    ];
    let (status, answer) = client.call("deployments/ask", &fields).await.unwrap();
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

async fn until(client: &Client, id: &str, what: &str, is_so: fn(&Value) -> bool) -> Value {
    client
        .until(&format!("{id} is {what}"), SOON, async |client| {
            let found = request(client, id).await;
            Ok(is_so(&found).then_some(found))
        })
        .await
        .unwrap()
}

async fn done(client: &Client, id: &str) -> String {
    let found = until(client, id, "done", |found| found["summary"]["state"] == "Done").await;
    let href = found["outcome"]["href"].as_str().unwrap().to_owned();
    let run = href.rsplit('/').next().unwrap().to_owned();
    let deployment = stands(client, &run, "succeeded").await;
    assert_eq!(deployment["summary"]["request_id"], json!(id), "{deployment}");
    assert_eq!(deployment["summary"]["ticket"], "OPS-1");
    run
}

#[tokio::test]
async fn a_deployment_is_done_as_it_was_approved_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = path.join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let arguments = ["--approval-policies", file.to_str().unwrap()];
    let portal = Portal::start(&path.join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    tag(&admin, &node, "Application", "web").await;
    tag(&admin, &node, "Environment", "Staging").await;
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let bob = person(&portal, &admin, "bob", "approver", "*").await;
    let id = make(&olga, "web", &parameters(path)).await;
    let first = release(&olga, &id, "1.0", &artefact(path, "1.0", true)).await;
    let second = release(&olga, &id, "1.1", &artefact(path, "1.1", true)).await;
    for client in [&olga, &admin] {
        let (status, answer) = deploy(client, &id, "deploy", &first).await;
        assert_eq!(status, 428, "{answer}");
    }
    let tried = [
        ("act", "deployments.roll_back"),
        ("application", "web"),
        ("environment", "Staging"),
    ];
    let (_, answer) = olga.call("approvals/test_policies", &tried).await.unwrap();
    assert_eq!(answer["effect"], "approve", "{answer}");

    // Where starting its runbook needs approval, no deployment starts it that needs none; and what is forbidden none at all.
    let other = make(&olga, "other", &parameters(path)).await;
    let (status, answer) = change_now(
        &olga,
        "put-environment",
        &other,
        &[
            ("environment", "Staging"),
            ("environment_name", "Staging"),
            ("filter", "tag:Application=web"),
        ],
    )
    .await;
    assert_eq!(status / 100, 2, "{answer}");
    let others = release(&olga, &other, "1.0", "").await;
    let (status, answer) = deploy(&olga, &other, "deploy", &others).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("deployments.deploy"), "{answer}");

    // Any runbook that takes nodes and a version deploys; one that policies forbid to start does not.
    let document = json!({"schemaVersion": "0.3", "parameters": {
        "InstanceIds": {"type": "StringList"}, "Version": {"type": "String"},
        "RollbackVersion": {"type": "String", "default": ""}},
        "mainSteps": [{"name": "StopApplication", "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
            "InstanceIds": "{{ InstanceIds }}", "Parameters": {"commands": ["echo {{ Version }}"]}}}]});
    let input = json!({"Name": "Own-Deploy", "DocumentType": "Automation", "Content": document.to_string()});
    Api::of(&portal)
        .unwrap()
        .call("CreateDocument", input)
        .await
        .unwrap();
    let fields = [
        ("name", "own"),
        ("document", "Own-Deploy"),
        ("version_parameter", "Version"),
        ("previous_parameter", "RollbackVersion"),
        ("environments", "Staging"),
    ];
    let (status, answer) = change(&olga, "create", &fields).await;
    assert_eq!(status / 100, 2, "{answer}");
    let own = answer.as_str().unwrap().to_owned();
    let place = [
        ("environment", "Staging"),
        ("environment_name", "Staging"),
        ("filter", "tag:Application=web"),
    ];
    assert_eq!(
        change_now(&olga, "put-environment", &own, &place).await.0 / 100,
        2
    );
    let owns = release(&olga, &own, "1.0", "").await;
    let (status, answer) = deploy(&olga, &own, "deploy", &owns).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("forbids it"), "{answer}");

    // The approver sees what goes where; while it waits that is seen, too.
    let asked = ask(&olga, &id, "deploy", &first).await;
    let shown = request(&bob, &asked).await;
    assert_eq!(shown["summary"]["title"], "Deploy web 1.0 to Staging", "{shown}");
    let planned = &shown["plan"]["subject"]["deployment"];
    assert_eq!(
        (
            &planned["release"]["version"],
            &planned["replaces"],
            &shown["summary"]["ticket"]
        ),
        (&json!("1.0"), &Value::Null, &json!("OPS-1")),
        "{shown}"
    );
    assert_eq!(shown["plan"]["nodes"][0]["node_id"], json!(node), "{shown}");
    let row = application(&olga, &id).await["environments"][0].clone();
    assert_eq!(row["waiting"][0]["request_id"], json!(asked), "{row}");
    approve(&bob, &asked).await;
    let run = done(&olga, &asked).await;
    let (_, _, evidence) = admin.get(&format!("/export/requests/{asked}")).await.unwrap();
    for part in [&format!("deployment:{run}"), "HealthCheck"] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }

    // An environment that was changed since voids it.
    let asked = ask(&olga, &id, "deploy", &second).await;
    let shown = request(&bob, &asked).await;
    assert_eq!(shown["past"][0]["label"], "Deploy web 1.0 to Staging", "{shown}");
    let edit = [
        ("environment", "Staging"),
        ("environment_name", "Staging"),
        ("place", "1"),
        ("parameters", "HealthCheckSeconds=2"),
    ];
    assert_eq!(change_now(&olga, "put-environment", &id, &edit).await.0 / 100, 2);
    approve(&bob, &asked).await;
    let void = until(&olga, &asked, "void", |found| found["generation"] == 2).await;
    assert!(
        void["changed"]
            .to_string()
            .contains("HealthCheckSeconds has changed"),
        "{void}"
    );
    assert_eq!(std::fs::read_to_string(path.join("app/version")).unwrap(), "1.0");
    approve(&bob, &asked).await;
    done(&olga, &asked).await;

    // So does another release that was deployed there since.
    let back = ask(&olga, &id, "roll_back", &first).await;
    let third = release(&olga, &id, "1.2", &artefact(path, "1.2", true)).await;
    let forward = ask(&olga, &id, "deploy", &third).await;
    approve(&bob, &forward).await;
    done(&olga, &forward).await;
    approve(&bob, &back).await;
    let void = until(&olga, &back, "void", |found| found["generation"] == 2).await;
    assert!(
        void["changed"].to_string().contains("1.2 runs in Staging now"),
        "{void}"
    );
    approve(&bob, &back).await;
    done(&olga, &back).await;
    assert_eq!(std::fs::read_to_string(path.join("app/version")).unwrap(), "1.0");
}

const FROZEN: &str = r#"
[[freeze]]
name = "Year's end"
from = "2020-01-01"
until = "UNTIL"
acts = ["deployments.*"]
break_glass = ["user:rita"]

[[policy]]
name = "Deployments of web"
acts = ["deployments.*"]
applications = ["web"]
reason = true
break_glass = ["user:rita"]

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

#[tokio::test]
async fn a_freeze_stops_a_deployment_until_it_ends_or_the_glass_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = path.join("policies.toml");
    // What is approved has to have a time within a year.
    let end = SystemClock.now().plus_ms(3 * 86_400_000).rfc3339();
    std::fs::write(&file, FROZEN.replace("UNTIL", &end[..10])).unwrap();
    let arguments = ["--approval-policies", file.to_str().unwrap()];
    let portal = Portal::start(&path.join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    tag(&admin, &node, "Application", "web").await;
    tag(&admin, &node, "Environment", "Staging").await;
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let rita = person(&portal, &admin, "rita", "operator", "*").await;
    let bob = person(&portal, &admin, "bob", "approver", "*").await;
    let id = make(&olga, "web", &parameters(path)).await;
    let first = release(&olga, &id, "1.0", &artefact(path, "1.0", true)).await;
    for (client, may) in [(&olga, false), (&rita, true)] {
        let (status, answer) = deploy(client, &id, "deploy", &first).await;
        assert_eq!(status, 428, "{answer}");
        assert!(
            answer.to_string().contains("the freeze “Year's end” holds"),
            "{answer}"
        );
        let needs = &answer["error"]["ApprovalNeeded"]["needs"];
        assert_eq!(
            (&needs["may_ask"], &needs["may_break_glass"]),
            (&json!(true), &json!(may)),
            "{answer}"
        );
    }

    // What is approved in a freeze waits for its end.
    let patient = ask(&olga, &id, "deploy", &first).await;
    approve(&bob, &patient).await;
    let waits = until(&olga, &patient, "approved", |found| {
        found["summary"]["state"] == "Approved"
    })
    .await;
    let said = format!("it runs at {}", &end[..10]);
    assert!(waits["history"].to_string().contains(&said), "{said}: {waits}");
    assert!(!path.join("app/version").exists());

    // The glass is broken by whom the freeze lets, with a reason and the box ticked; it is done at once and reviewed.
    let broken = |ticked: bool| {
        let mut fields = vec![
            ("application_id", id.as_str()),
            ("environment", "Staging"),
            ("release", first.as_str()),
            ("kind", "deploy"),
            ("reason", "the shop is down"),
            ("deployment_ticket", "OPS-1"),
            ("why", "the shop is down"),
            ("glass", "yes"),
        ];
        if ticked {
            fields.push(("understood", "yes"));
        }
        fields
    };
    for (client, ticked, wanted) in [(&rita, false, 422), (&olga, true, 403)] {
        let (status, answer) = client.call("deployments/ask", &broken(ticked)).await.unwrap();
        assert_eq!(status, wanted, "{answer}");
    }
    assert!(!path.join("app/version").exists());
    let (status, answer) = rita.call("deployments/ask", &broken(true)).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let broken = answer.as_str().unwrap().to_owned();
    done(&rita, &broken).await;
    assert_eq!(std::fs::read_to_string(path.join("app/version")).unwrap(), "1.0");
    let shown = request(&bob, &broken).await;
    assert_eq!(shown["summary"]["glass_broken"], json!(true), "{shown}");
    assert!(shown["summary"]["review_due_at"].is_i64(), "{shown}");
    let still = request(&olga, &patient).await;
    assert_eq!(still["summary"]["state"], "Approved", "{still}");
}
