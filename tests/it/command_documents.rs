//! The portal's copy of the documents that can be run: one that is made is found at once, one that is deleted is offered no
//! more.

use crate::approvals::SOON;
use muster_tests::api::Api;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

async fn offered(client: &Client) -> Vec<String> {
    let (status, listed) = client.call("commands/documents", &[]).await.unwrap();
    assert_eq!(status, 200, "{listed}");
    let names = listed.as_array().unwrap().iter();
    names
        .filter_map(|one| one["name"].as_str())
        .map(str::to_owned)
        .collect()
}

async fn until_offered(client: &Client, name: &str, wanted: bool) {
    client
        .until(name, SOON, async |client| {
            let names = offered(client).await;
            // Before the copy is there nothing is offered at all.
            let is_there = names.iter().any(|one| one == "AWS-RunShellScript");
            Ok((is_there && names.iter().any(|one| one == name) == wanted).then_some(()))
        })
        .await
        .unwrap();
}

fn document(name: &str) -> Value {
    let content = json!({
        "schemaVersion": "2.2",
        "mainSteps": [{
            "action": "aws:runShellScript",
            "name": "say",
            "inputs": { "runCommand": ["echo said"] }
        }]
    });
    json!({
        "Name": name,
        "Content": content.to_string(),
        "DocumentType": "Command",
        "DocumentFormat": "JSON"
    })
}

#[tokio::test]
async fn a_document_that_is_deleted_is_offered_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let portal = start();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    for name in ["Say-It", "Keep-It"] {
        api.call("CreateDocument", document(name)).await.unwrap();
        // Asked for by its name it is found before the next copy.
        let found = admin.call("commands/document", &[("name", name)]).await.unwrap();
        assert_eq!((found.0, &found.1["summary"]["name"]), (200, &json!(name)));
        until_offered(&admin, name, true).await;
    }
    api.call("DeleteDocument", json!({"Name": "Say-It"}))
        .await
        .unwrap();
    // The copy is renewed every minute, and when the portal starts.
    drop(portal);
    let portal = start();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    until_offered(&admin, "Say-It", false).await;
    assert!(offered(&admin).await.contains(&"Keep-It".to_owned()));
    let (status, answer) = admin
        .call("commands/document", &[("name", "Say-It")])
        .await
        .unwrap();
    assert_eq!(status, 404, "{answer}");
}
