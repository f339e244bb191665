//! Command documents that accounts make: both formats, versions, sharing, tags, and that they are what is run.

use crate::world::World;
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const YAML: &str = "schemaVersion: '2.2'
description: Says hello
parameters:
  who:
    type: String
    default: world
    allowedPattern: '[a-z]+'
mainSteps:
  - action: aws:runShellScript
    name: hello
    precondition:
      StringEquals: [platformType, Linux]
    inputs:
      runCommand:
        - echo 'hello {{ who }}'
";

fn json_text(script: &str) -> String {
    json!({"schemaVersion": "2.2", "mainSteps": [
        {"action": "aws:runShellScript", "name": "x", "inputs": {"runCommand": [script]}}]})
    .to_string()
}

#[tokio::test]
async fn a_document_is_made_in_yaml_and_told_in_both_formats() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let input = json!({"Name": "Say-Hello", "Content": YAML, "DocumentFormat": "YAML", "DisplayName": "Say hello",
            "Tags": [{"Key": "team", "Value": "web"}]});
        let made = world.ok("CreateDocument", input.clone()).await["DocumentDescription"].clone();
        assert_eq!((&made["DocumentType"], &made["SchemaVersion"]), (&json!("Command"), &json!("2.2")));
        assert_eq!(made["PlatformTypes"], json!(["Linux"]));
        assert_eq!(made["Parameters"][0]["DefaultValue"], "world");
        assert_eq!(made["Description"], "Says hello");
        assert_eq!(made["Tags"], json!([{"Key": "team", "Value": "web"}]));
        world.refused("CreateDocument", input, "DocumentAlreadyExists").await;
        let as_json = world.ok("GetDocument", json!({"Name": "Say-Hello"})).await;
        assert_eq!(as_json["DocumentFormat"], "JSON");
        let content: Value = serde_json::from_str(as_json["Content"].as_str().unwrap()).unwrap();
        assert_eq!(content["mainSteps"][0]["inputs"]["runCommand"], json!(["echo 'hello {{ who }}'"]));
        let as_yaml = world
            .ok("GetDocument", json!({"Name": "Say-Hello", "DocumentFormat": "YAML"}))
            .await;
        assert_eq!(as_yaml["Content"], YAML, "what was given comes back to the letter");
        let filters = |key: &str, value: &str| json!({"Filters": [{"Key": key, "Values": [value]}]});
        for (key, value, count) in [
            ("tag:team", "web", 1),
            ("tag:team", "db", 0),
            ("Owner", "Self", 1),
            ("SearchKeyword", "hello", 1),
        ] {
            let found = world.ok("ListDocuments", filters(key, value)).await;
            assert_eq!(found["DocumentIdentifiers"].as_array().unwrap().len(), count, "{key} {value}");
        }
        let tags = json!({"ResourceType": "Document", "ResourceId": "Say-Hello"});
        assert_eq!(world.ok("ListTagsForResource", tags.clone()).await["TagList"][0]["Value"], "web");
        world.ok("DeleteDocument", json!({"Name": "Say-Hello"})).await;
        world.refused("ListTagsForResource", tags, "InvalidResourceId").await;
    })
    .await;
}

#[tokio::test]
async fn versions_are_kept_and_the_default_one_is_run() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let node = world.node("one").await;
        world
            .ok(
                "CreateDocument",
                json!({"Name": "Mine", "Content": json_text("echo one"), "VersionName": "first"}),
            )
            .await;
        let update = json!({"Name": "Mine", "Content": json_text("echo two"), "DocumentVersion": "$LATEST"});
        let updated = world.ok("UpdateDocument", update.clone()).await["DocumentDescription"].clone();
        assert_eq!(
            (&updated["DocumentVersion"], &updated["DefaultVersion"]),
            (&json!("2"), &json!("1"))
        );
        world
            .refused("UpdateDocument", update, "DuplicateDocumentContent")
            .await;
        let bad =
            json!({"Name": "Mine", "Content": "{\"schemaVersion\": \"2.2\"}", "DocumentVersion": "$LATEST"});
        let message = world
            .refused("UpdateDocument", bad, "InvalidDocumentContent")
            .await;
        assert!(
            message.contains("missing required properties ([\"mainSteps\"])"),
            "{message}"
        );
        let sent = async |more: Value| {
            let mut input = json!({"DocumentName": "Mine", "InstanceIds": [node.id]});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            let answer = world.ok("SendCommand", input).await;
            let id = answer["Command"]["CommandId"].as_str().unwrap().to_owned();
            let mut sql = Sql::new("select document_content from ssm_commands where command_id = ");
            sql.text(id);
            let text: String = sqlx::Row::get(&sql.one(db.reader()).await.unwrap(), 0);
            text
        };
        assert!(sent(json!({})).await.contains("echo one"));
        assert!(
            sent(json!({"DocumentVersion": "$LATEST"}))
                .await
                .contains("echo two")
        );
        world
            .ok(
                "UpdateDocumentDefaultVersion",
                json!({"Name": "Mine", "DocumentVersion": "2"}),
            )
            .await;
        assert!(sent(json!({})).await.contains("echo two"));
        assert!(sent(json!({"DocumentVersion": "1"})).await.contains("echo one"));
        let hash = updated["Hash"].as_str().unwrap();
        sent(json!({"DocumentHash": hash, "DocumentHashType": "Sha256"})).await;
        world
            .refused(
                "SendCommand",
                json!({"DocumentName": "Mine", "InstanceIds": [node.id], "DocumentVersion": "3"}),
                "InvalidDocumentVersion",
            )
            .await;
        let first = world
            .ok("ListDocumentVersions", json!({"Name": "Mine", "MaxResults": 1}))
            .await;
        assert_eq!(first["DocumentVersions"][0]["DocumentVersion"], "2");
        assert_eq!(first["DocumentVersions"][0]["IsDefaultVersion"], true);
        let rest = world
            .ok(
                "ListDocumentVersions",
                json!({"Name": "Mine", "NextToken": first["NextToken"]}),
            )
            .await;
        assert_eq!(rest["DocumentVersions"][0]["VersionName"], "first");
        assert!(rest.get("NextToken").is_none());
        let built_in = world
            .ok("ListDocumentVersions", json!({"Name": "AWS-RunShellScript"}))
            .await;
        assert_eq!(built_in["DocumentVersions"][0]["DocumentVersion"], "1");
        world
            .refused(
                "ListDocumentVersions",
                json!({"Name": "Nothing"}),
                "InvalidDocument",
            )
            .await;
        let session = json!({"DocumentName": "AWS-StartSSHSession", "InstanceIds": [node.id]});
        let message = world.refused("SendCommand", session, "InvalidDocument").await;
        assert!(message.contains("of the type Session"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_document_for_other_platforms_is_not_sent() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let report = json!({"InstanceId": node.id, "AgentName": "muster-agent", "AgentVersion": "1.0.0.0",
            "AgentStatus": "Active", "PlatformType": "Linux"});
        let (status, answer) = world
            .call_as(&node.credentials, "UpdateInstanceInformation", report)
            .await;
        assert_eq!(status, 200, "{answer}");
        let content = json!({"schemaVersion": "2.2", "mainSteps": [
            {"action": "aws:runPowerShellScript", "name": "x", "inputs": {"runCommand": ["x"]}}]});
        world
            .ok(
                "CreateDocument",
                json!({"Name": "For-Windows", "Content": content.to_string()}),
            )
            .await;
        world
            .refused(
                "SendCommand",
                json!({"DocumentName": "For-Windows", "InstanceIds": [node.id]}),
                "UnsupportedPlatformType",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_shared_document_is_not_deleted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        world.ok("CreateDocument", json!({"Name": "Mine", "Content": json_text("x")})).await;
        let share = |add: Value, remove: Value| {
            json!({"Name": "Mine", "PermissionType": "Share", "AccountIdsToAdd": add, "AccountIdsToRemove": remove})
        };
        let accounts: Vec<String> = (0..20).map(|n| format!("1234567890{n:02}")).collect();
        world.ok("ModifyDocumentPermission", share(json!(accounts), json!([]))).await;
        let more = json!(["999999999999"]);
        world.ok("ModifyDocumentPermission", share(more, json!([]))).await;
        let described = json!({"Name": "Mine", "PermissionType": "Share"});
        let first = world.ok("DescribeDocumentPermission", described.clone()).await;
        assert_eq!(first["AccountIds"].as_array().unwrap().len(), 20);
        assert_eq!(first["AccountSharingInfoList"][0]["SharedDocumentVersion"], "$DEFAULT");
        let mut next = described.clone();
        next["NextToken"] = first["NextToken"].clone();
        assert_eq!(world.ok("DescribeDocumentPermission", next).await["AccountIds"], json!(["999999999999"]));
        let message = world
            .refused("DeleteDocument", json!({"Name": "Mine"}), "InvalidDocumentOperation")
            .await;
        assert!(message.contains("still shared"), "{message}");
        let both = share(json!(["all", "123456789012"]), json!([]));
        world.refused("ModifyDocumentPermission", both, "DocumentPermissionLimit").await;
        world.ok("ModifyDocumentPermission", share(json!([]), json!(accounts))).await;
        world.ok("ModifyDocumentPermission", share(json!([]), json!(["999999999999"]))).await;
        world.ok("DeleteDocument", json!({"Name": "Mine"})).await;
        world.refused("DescribeDocumentPermission", described, "InvalidDocument").await;
        world
            .refused("ModifyDocumentPermission", share(json!([]), json!([])), "InvalidDocument")
            .await;
    })
    .await;
}
