//! Documents of several steps, run from the portal: their output is one text in order, and the step that failed says
//! how it ended.

use crate::support;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_document_of_several_steps_is_run_and_its_whole_output_kept() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let api = Api::of(&portal).unwrap();
    let step = |name: &str, script: &str| json!({"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": [script]}});
    let content = json!({"schemaVersion": "2.2", "parameters": {"who": {"type": "String"}}, "mainSteps": [
        step("first", "echo 'hello {{ who }}'; echo one >&2"),
        step("second", "seq 1 50000"),
        {"action": "aws:runShellScript", "name": "third",
            "inputs": {"runCommand": ["echo before; exit 7"], "onFailure": "exit"}},
        step("never", "echo never"),
    ]});
    let input = json!({"Name": "Several-Steps", "Content": content.to_string()});
    api.call("CreateDocument", input).await.unwrap();
    let fields = [
        ("document", "Several-Steps"),
        ("parameters[who]", "world"),
        ("nodes", node.as_str()),
        ("comment", "several steps"),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    let id = answer.as_str().unwrap().to_owned();
    let done = admin
        .until("the command ends", Duration::from_secs(60), async |_| {
            let all = support::invocations(&admin, &id).await;
            let done = all.first().filter(|one| one["status"] == "Failed").cloned();
            Ok(done)
        })
        .await
        .unwrap();
    assert_eq!(done["response_code"], 7, "{done}");
    let numbers: String = (1..=50_000).map(|n| format!("{n}\n")).collect();
    let expected = format!("hello world\n{numbers}before\n");
    let output = admin
        .until("all output is here", Duration::from_secs(60), async |client| {
            let path = format!("/download/commands/{id}/{node}/stdout");
            let (status, _, text) = client.get(&path).await?;
            Ok((status == 200 && text.len() >= expected.len()).then_some(text))
        })
        .await
        .unwrap();
    assert!(output.starts_with(&expected), "{} bytes", output.len());
    assert!(!output.contains("never\n"));
}
