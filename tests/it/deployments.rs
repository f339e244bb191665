//! Deployments end to end, with the real control plane: what an application is, its environments and releases; and what the tests
//! of deployments share.

use crate::parameters::{SOON, person};
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Makes the artefact of a version, and answers its SHA-256. The application is well when there is a file `well` in it.
pub fn artefact(folder: &Path, version: &str, is_well: bool) -> String {
    let content = folder.join(format!("content-{version}"));
    std::fs::create_dir_all(&content).unwrap();
    std::fs::write(content.join("version"), version).unwrap();
    if is_well {
        std::fs::write(content.join("well"), "yes").unwrap();
    }
    let file = folder.join(format!("app-{version}.tar.gz"));
    let made = Command::new("tar")
        .arg("-czf")
        .arg(&file)
        .arg("-C")
        .arg(&content)
        .arg(".")
        .status();
    assert!(made.unwrap().success());
    let said = Command::new("sha256sum").arg(&file).output().unwrap();
    String::from_utf8(said.stdout).unwrap()[..64].to_owned()
}

/// A program that looks after services, and writes down what it was asked.
fn services(folder: &Path) -> String {
    let path = folder.join("services");
    let log = folder.join("log");
    std::fs::write(
        &path,
        format!("#!/bin/sh\necho \"$1 $2\" >> '{}'\n", log.display()),
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What the runbook that comes with Muster is given.
pub fn parameters(folder: &Path) -> String {
    let app = folder.join("app");
    format!(
        "ApplicationName=web\nSource=file://{}/app-VERSION.tar.gz\nFolder={}\nHealthCheckUrl=file://{}/well\nHealthCheckSeconds=1\n\
         ServiceCommand={}",
        folder.display(),
        app.display(),
        app.display(),
        services(folder)
    )
}

pub async fn change(client: &Client, what: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let fields = [&[("what", what)], fields].concat();
    client.call("deployments/change", &fields).await.unwrap()
}

pub const SETTINGS: [(&str, &str); 5] = [
    ("document", "Muster-DeployApplication"),
    ("version_parameter", "Version"),
    ("artefact_parameter", "Source"),
    ("sha256_parameter", "Sha256"),
    ("environments", "Staging\nProduction"),
];

pub async fn make(client: &Client, name: &str, parameters: &str) -> String {
    let fields = [&[("name", name), ("parameters", parameters)], &SETTINGS[..]].concat();
    let (status, answer) = change(client, "create", &fields).await;
    assert_eq!(status / 100, 2, "{answer}");
    answer.as_str().unwrap().to_owned()
}

pub async fn application(client: &Client, id: &str) -> Value {
    let (status, answer) = client
        .call("deployments/application", &[("application_id", id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

/// A change of an application as it is now.
pub async fn change_now(client: &Client, what: &str, id: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let revision = application(client, id).await["revision"].to_string();
    let about = [("application_id", id), ("seen", revision.as_str())];
    change(client, what, &[&about, fields].concat()).await
}

pub async fn release(client: &Client, id: &str, version: &str, sha256: &str) -> String {
    let fields = [
        ("application_id", id),
        ("version", version),
        ("notes", "a test"),
        ("sha256", sha256),
    ];
    let (status, answer) = client.call("deployments/create_release", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    answer.as_str().unwrap().to_owned()
}

pub async fn deploy(client: &Client, id: &str, kind: &str, release: &str) -> (u16, Value) {
    let fields = [
        ("application_id", id),
        ("environment", "Staging"),
        ("release", release),
        ("kind", kind),
        ("reason", "a test"),
    ];
    client.call("deployments/deploy", &fields).await.unwrap()
}

/// The deployment, once it stands so.
pub async fn stands(client: &Client, id: &str, state: &str) -> Value {
    client
        .until(&format!("the deployment {id} is {state}"), SOON, async |client| {
            let (status, found) = client
                .call("deployments/deployment", &[("deployment_id", id)])
                .await?;
            assert_eq!(status, 200, "{found}");
            Ok((found["summary"]["state"] == state).then_some(found))
        })
        .await
        .unwrap()
}

pub async fn deployed(client: &Client, id: &str, kind: &str, release: &str, state: &str) -> Value {
    let (status, answer) = deploy(client, id, kind, release).await;
    assert_eq!(status / 100, 2, "{answer}");
    stands(client, answer.as_str().unwrap(), state).await
}

pub async fn tag(admin: &Client, node: &str, key: &str, value: &str) {
    let fields = [("node_id", node), ("key", key), ("value", value)];
    let (status, answer) = admin.call("fleet/set_tag", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
}

/// An application with a release that was deployed, for who looks at all of its pages.
pub async fn walked(client: &Client, folder: &Path, node: &str) -> String {
    std::fs::create_dir(folder).unwrap();
    tag(client, node, "Application", "web").await;
    tag(client, node, "Environment", "Staging").await;
    let id = make(client, "web", &parameters(folder)).await;
    let one = release(client, &id, "1.0", &artefact(folder, "1.0", true)).await;
    let done = deployed(client, &id, "deploy", &one, "succeeded").await;
    let run = done["summary"]["deployment_id"].as_str().unwrap().to_owned();
    for tail in [
        format!("/releases/{one}"),
        format!("/runs/{run}"),
        format!("/deploy?environment=Staging&release={one}"),
    ] {
        let address = format!("/deployments/{id}{tail}");
        assert_eq!(client.get(&address).await.unwrap().0, 200, "{address}");
    }
    id
}

#[tokio::test]
async fn an_application_is_made_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(&folder.path().join("data"), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let sven = person(&portal, &admin, "sven", "operator", "Environment=Staging").await;
    let vic = person(&portal, &admin, "vic", "viewer", "*").await;
    let given = parameters(folder.path());

    // What is wrong is said at its field.
    let wrong = [
        ("document", "No-Such-Runbook", "document", "was not found"),
        (
            "document",
            "AWS-PatchInstanceWithRollback",
            "version_parameter",
            "no parameter Version",
        ),
        (
            "artefact_parameter",
            "Sources",
            "artefact_parameter",
            "no parameter Sources",
        ),
        (
            "sha256_parameter",
            "Version",
            "sha256_parameter",
            "something else already",
        ),
        ("parameters", "Folders=/x", "parameters", "no parameter Folders"),
        (
            "parameters",
            "Version=1",
            "parameters",
            "says what the release is",
        ),
        ("parameters", "InstanceIds=mi-1", "parameters", "takes the nodes"),
        (
            "parameters",
            "DbPassword=hunter2",
            "parameters",
            "looks like a secret",
        ),
        ("environments", "", "environments", "1 to 20"),
        ("name", "a/b", "name", "letters"),
    ];
    for (field, value, at, said) in wrong {
        let good = [&[("name", "web"), ("parameters", given.as_str())], &SETTINGS[..]].concat();
        let mut fields: Vec<(&str, &str)> = good.into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        let (status, answer) = change(&olga, "create", &fields).await;
        assert_eq!(status, 422, "{field}={value}: {answer}");
        let text = answer.to_string();
        assert!(
            text.contains(at) && text.contains(said),
            "{field}={value}: {text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
    // A role for a part of the fleet makes no applications.
    let fields = [&[("name", "web"), ("parameters", given.as_str())], &SETTINGS[..]].concat();
    for client in [&sven, &vic] {
        assert_eq!(change(client, "create", &fields).await.0, 403);
    }
    let id = make(&olga, "web", &given).await;
    assert_eq!(change(&olga, "create", &fields).await.0, 422, "made twice");
    let (_, page) = vic.call("deployments/list", &[("text", "WE")]).await.unwrap();
    assert_eq!(page["page"]["items"][0]["name"], "web", "{page}");
    // The command palette knows applications, and requests by their number.
    let (_, hits) = vic.call("overview/search", &[("text", "we")]).await.unwrap();
    let address = json!(format!("/deployments/{id}"));
    let hits = hits.as_array().unwrap();
    assert!(
        hits.iter()
            .any(|hit| hit["kind"] == "Application" && hit["url"] == address),
        "{hits:?}"
    );
    let (_, hits) = vic.call("overview/search", &[("text", "cr-12")]).await.unwrap();
    assert_eq!(hits[0]["url"], "/approvals/CR-12", "{hits}");
    let found = application(&vic, &id).await;
    assert_eq!(
        found["environments"][1]["filter"], "tag:Application=web;tag:Environment=Production",
        "{found}"
    );
    assert_eq!(found["may_change"], false);

    // Two who looked at the same: the second one is told.
    let stale = [("application_id", id.as_str()), ("seen", "1")];
    let (status, answer) = change_now(
        &olga,
        "edit",
        &id,
        &[&[("description", "the shop")], &fields[..]].concat(),
    )
    .await;
    assert_eq!(status / 100, 2, "{answer}");
    let (status, answer) = change(&admin, "edit", &[&stale, &fields[..]].concat()).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("olga has changed web"), "{answer}");

    // Environments.
    let test = [
        ("environment_name", "Test"),
        ("filter", "name~web"),
        ("place", "1"),
        ("parameters", "HealthCheckSeconds=9"),
    ];
    let (status, answer) = change_now(&olga, "put-environment", &id, &test).await;
    assert_eq!(status / 100, 2, "{answer}");
    let (status, answer) = change_now(&olga, "put-environment", &id, &test).await;
    assert_eq!(status, 422, "of that name: {answer}");
    let bad = [
        ("environment_name", "Other"),
        ("parameters", "Source=https://elsewhere/x"),
    ];
    let (status, answer) = change_now(&olga, "put-environment", &id, &bad).await;
    assert_eq!(status, 422, "an environment gives no other artefact: {answer}");
    let found = application(&vic, &id).await;
    assert_eq!(found["environments"][0]["environment"]["name"], "Test", "{found}");
    let remove = [("environment", "Test")];
    assert_eq!(
        change_now(&olga, "remove-environment", &id, &remove).await.0 / 100,
        2
    );

    // Releases: once, and never another one of that version.
    let one = release(&olga, &id, "1.0", "").await;
    let again = [
        ("application_id", id.as_str()),
        ("version", "1.0"),
        ("notes", "again"),
    ];
    let (status, answer) = olga.call("deployments/create_release", &again).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    let (status, shown) = vic
        .call("deployments/release", &[("release_id", one.as_str())])
        .await
        .unwrap();
    assert_eq!(status, 200, "{shown}");
    let content = &shown["release"]["content"];
    assert_eq!(
        (
            &content["document"],
            &content["document_version"],
            &content["parameters"]["Version"]
        ),
        (&json!("Muster-DeployApplication"), &json!("1"), &json!(["1.0"])),
        "{shown}"
    );
    assert!(
        content["artefact"]
            .as_str()
            .unwrap()
            .ends_with("app-VERSION.tar.gz"),
        "{shown}"
    );
    // Without nodes there is nothing to deploy to.
    let (status, answer) = deploy(&olga, &id, "deploy", &one).await;
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer
            .to_string()
            .contains("finds its nodes by tag:Application=web"),
        "{answer}"
    );

    // Deleted by its name, typed; its releases stay to be read.
    let (status, answer) = change_now(&olga, "delete", &id, &[("confirmation", "wep")]).await;
    assert_eq!(status, 422, "{answer}");
    let typed = [("confirmation", "web")];
    assert_eq!(change_now(&olga, "delete", &id, &typed).await.0 / 100, 2);
    assert!(application(&vic, &id).await["deleted_at"].is_i64());
    let (_, page) = vic.call("deployments/list", &[]).await.unwrap();
    assert_eq!(page["total"], 0, "{page}");
    let (_, shown) = vic
        .call("deployments/releases", &[("application_id", id.as_str())])
        .await
        .unwrap();
    assert_eq!(shown["items"][0]["version"], "1.0", "{shown}");
    let (status, answer) = change_now(&olga, "delete", &id, &typed).await;
    assert_eq!(status, 409, "{answer}");
    make(&olga, "web", &given).await;
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    for act in [
        "deployments.change",
        "deployments.delete",
        "deployments.create_release",
    ] {
        assert!(audit.contains(act), "{act}");
    }
}
