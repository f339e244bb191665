//! Session documents of accounts, and the list of sessions: filters, pages, what is refused.

use crate::session_ends::start;
use crate::sessions::{asked, complete, world};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn tail(more: &str) -> String {
    json!({"schemaVersion": "1.0", "description": more, "sessionType": "InteractiveCommands",
        "parameters": {"logpath": {"type": "String", "default": "/var/log/syslog", "allowedPattern": "^/var/log/[a-z]+$"}},
        "properties": {"linux": {"commands": "tail -f {{ logpath }}", "runAsElevated": true}}})
    .to_string()
}

#[tokio::test]
async fn a_document_is_made_versioned_used_and_deleted() {
    on_both(|db| async {
        let (world, _, node, mut control) = world(db).await;
        let made = json!({"Name": "Tail", "DocumentType": "Session", "Content": tail("one"), "VersionName": "first"});
        let output = world.ok("CreateDocument", made.clone()).await;
        let description = &output["DocumentDescription"];
        assert_eq!(description["DocumentVersion"], "1");
        assert_eq!(description["Owner"], "123456789012");
        assert_eq!(description["PlatformTypes"], json!(["Linux"]));
        assert_eq!(description["Parameters"][0]["DefaultValue"], "/var/log/syslog");
        world.refused("CreateDocument", made, "DocumentAlreadyExists").await;
        let change = |content: String| json!({"Name": "Tail", "Content": content, "DocumentVersion": "$LATEST"});
        world.refused("UpdateDocument", change(tail("one")), "DuplicateDocumentContent").await;
        let output = world.ok("UpdateDocument", change(tail("two"))).await;
        assert_eq!(output["DocumentDescription"]["LatestVersion"], "2");
        assert_eq!(output["DocumentDescription"]["DefaultVersion"], "1");
        let content = async |more: Value| {
            let mut input = json!({"Name": "Tail"});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.ok("GetDocument", input).await["Content"].as_str().unwrap().to_owned()
        };
        assert_eq!(content(json!({})).await, tail("one"));
        assert_eq!(content(json!({"DocumentVersion": "$LATEST"})).await, tail("two"));
        assert_eq!(content(json!({"VersionName": "first"})).await, tail("one"));
        world
            .refused("GetDocument", json!({"Name": "Tail", "DocumentVersion": "3"}), "InvalidDocumentVersion")
            .await;
        world
            .ok("UpdateDocumentDefaultVersion", json!({"Name": "Tail", "DocumentVersion": "2"}))
            .await;
        assert_eq!(content(json!({})).await, tail("two"));
        let default = json!({"Name": "Tail", "DocumentVersion": "2"});
        world.refused("DeleteDocument", default, "InvalidDocumentOperation").await;

        let own = json!({"Filters": [{"Key": "Owner", "Values": ["Self"]}]});
        let listed = world.ok("ListDocuments", own).await;
        assert_eq!(listed["DocumentIdentifiers"][0]["Name"], "Tail");
        let with = |path: &str| json!({"Target": node.id, "DocumentName": "Tail", "Parameters": {"logpath": [path]}});
        let message = world.refused("StartSession", with("/etc/shadow"), "InvalidParameters").await;
        assert!(message.contains("allowed pattern"), "{message}");
        let started = start(&world, &node, with("/var/log/auth")).await;
        let sent = asked(&mut control).await;
        assert_eq!(sent.session_id, started.id);
        assert_eq!(sent.parameters["logpath"], "/var/log/auth");
        assert_eq!(sent.document_content.properties["linux"]["commands"], "tail -f {{ logpath }}");

        world.ok("DeleteDocument", json!({"Name": "Tail", "DocumentVersion": "1"})).await;
        world.ok("DeleteDocument", json!({"Name": "Tail"})).await;
        for (operation, input) in [
            ("DeleteDocument", json!({"Name": "Tail"})),
            ("GetDocument", json!({"Name": "Tail"})),
            ("UpdateDocument", change(tail("three"))),
            ("UpdateDocumentDefaultVersion", json!({"Name": "Tail", "DocumentVersion": "1"})),
            ("StartSession", with("/var/log/auth")),
        ] {
            let message = world.refused(operation, input, "InvalidDocument").await;
            assert!(message.contains("does not exist"), "{operation}: {message}");
        }
    })
    .await;
}

#[tokio::test]
async fn preferences_hold_and_scripts_go_on_naming_a_profile() {
    on_both(|db| async {
        let (world, _, node, mut control) = world(db).await;
        let profile = json!({"DocumentName": "SSM-SessionManagerRunShell",
            "Parameters": {"shellProfile": ["sudo su - ec2-user"]}});
        start(&world, &node, profile.clone()).await;
        let inputs = asked(&mut control).await.document_content.inputs.unwrap();
        assert_eq!(inputs.shell_profile.linux, "sudo su - ec2-user");
        assert!(!inputs.run_as_enabled);
        let content = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {
            "runAsEnabled": true, "runAsDefaultUser": "web", "shellProfile": {"linux": "cd /srv"}}});
        let made = json!({"Name": "SSM-SessionManagerRunShell", "DocumentType": "Session",
            "Content": content.to_string()});
        world.ok("CreateDocument", made).await;
        start(&world, &node, json!({})).await;
        let inputs = asked(&mut control).await.document_content.inputs.unwrap();
        assert_eq!(
            (
                inputs.shell_profile.linux.as_str(),
                inputs.run_as_default_user.as_str()
            ),
            ("cd /srv", "web")
        );
        start(&world, &node, profile).await;
        let inputs = asked(&mut control).await.document_content.inputs.unwrap();
        assert_eq!(inputs.shell_profile.linux, "sudo su - ec2-user");
        // Which user it is, is the account's decision now.
        let user = json!({"Target": node.id, "Parameters": {"runAsUser": ["root"]}});
        world.refused("StartSession", user, "InvalidParameters").await;
    })
    .await;
}

#[tokio::test]
async fn documents_that_cannot_be_are_refused_by_name() {
    on_both(|db| async {
        let world = World::new(db).await;
        let make = |more: Value| {
            let mut input = json!({"Name": "Mine", "DocumentType": "Session", "Content": tail("x")});
            input
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            input
        };
        for (more, code, says) in [
            (
                json!({"DocumentType": "Policy"}),
                "ValidationException",
                "Session and Automation only, not Policy",
            ),
            (json!({"Name": "AWS-Mine"}), "ValidationException", "reserved"),
            (json!({"Name": "amazon.x"}), "ValidationException", "reserved"),
            (
                json!({"Content": "{"}),
                "InvalidDocumentContent",
                "Line: 1, Column: 1",
            ),
            (
                json!({"Content": "schemaVersion: '1.0'\nb: [", "DocumentFormat": "YAML"}),
                "InvalidDocumentContent",
                "YAML not well-formed. at Line: ",
            ),
            (
                json!({"DocumentFormat": "TEXT"}),
                "InvalidDocumentContent",
                "not TEXT",
            ),
            (
                json!({"Content": "{\"schemaVersion\": \"2.2\"}"}),
                "InvalidDocumentSchemaVersion",
                "1.0",
            ),
            (
                json!({"Content": "x".repeat(70_000)}),
                "MaxDocumentSizeExceeded",
                "at most",
            ),
            (
                json!({"Requires": [{"Name": "other"}]}),
                "ValidationException",
                "Requires",
            ),
        ] {
            let message = world.refused("CreateDocument", make(more), code).await;
            assert!(message.contains(says), "{code}: {message}");
        }
        world
            .refused(
                "DeleteDocument",
                json!({"Name": "AWS-StartSSHSession"}),
                "InvalidDocument",
            )
            .await;
        let command = json!({"Target": "mi-0123456789abcdef0", "DocumentName": "AWS-RunShellScript"});
        let message = world.refused("StartSession", command, "InvalidDocument").await;
        assert!(message.contains("type Command"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_in_pages_and_filtered() {
    on_both(|db| async {
        let (world, _, node, mut control) = world(db).await;
        let offline = world.node("offline").await;
        let message = world
            .refused(
                "StartSession",
                json!({"Target": offline.id}),
                "TargetNotConnected",
            )
            .await;
        assert_eq!(message, format!("{} is not connected.", offline.id));
        world
            .refused("StartSession", json!({"Target": "nobody"}), "TargetNotConnected")
            .await;
        let mut ids = Vec::new();
        for number in 0..5 {
            world.clock.advance(60_000);
            let more = json!({"Reason": format!("reason {number}")});
            ids.push(start(&world, &node, more).await.id);
            asked(&mut control).await;
        }
        let list = async |input: Value| {
            let output = world.ok("DescribeSessions", input).await;
            let sessions = output["Sessions"].as_array().unwrap().clone();
            let found: Vec<String> = sessions
                .iter()
                .map(|s| s["SessionId"].as_str().unwrap().to_owned())
                .collect();
            (found, output["NextToken"].as_str().map(str::to_owned))
        };
        let mut paged = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let (found, next) = list(json!({"State": "Active", "MaxResults": 2, "NextToken": token})).await;
            paged.extend(found);
            token = next;
            if token.is_none() {
                break;
            }
        }
        let newest: Vec<_> = ids.iter().rev().cloned().collect();
        assert_eq!(paged, newest);
        let (_, token) = list(json!({"State": "Active", "MaxResults": 2})).await;
        // A token is good for its own question only.
        let other = json!({"State": "History", "NextToken": token});
        world.refused("DescribeSessions", other, "InvalidNextToken").await;

        complete(&mut control, &node, &ids[0], "Failed", "no such user").await;
        let filtered = async |state: &str, key: &str, value: &str| {
            let filter = json!([{"key": key, "value": value}]);
            list(json!({"State": state, "Filters": filter})).await.0
        };
        assert_eq!(filtered("Active", "Target", &node.id).await.len(), 4);
        assert_eq!(filtered("Active", "Target", &offline.id).await.len(), 0);
        assert_eq!(filtered("History", "Status", "Failed").await, [ids[0].clone()]);
        assert_eq!(filtered("Active", "Status", "Connecting").await.len(), 4);
        assert_eq!(filtered("Active", "SessionId", &ids[2]).await, [ids[2].clone()]);
        let owner = "arn:aws:iam::123456789012:user/muster-operator";
        assert_eq!(filtered("Active", "Owner", owner).await.len(), 4);
        assert_eq!(filtered("Active", "AccessType", "Standard").await.len(), 4);
        assert_eq!(filtered("Active", "AccessType", "JustInTime").await.len(), 0);
        use muster_domain::time::Clock as _;
        let middle = world.clock.now().plus_ms(-90_000).rfc3339();
        assert_eq!(filtered("Active", "InvokedAfter", &middle).await.len(), 2);
        assert_eq!(filtered("Active", "InvokedBefore", &middle).await.len(), 2);
        for (key, value) in [
            ("InvokedAfter", "yesterday"),
            ("Status", "connected"),
            ("AccessType", "x"),
        ] {
            let input = json!({"State": "Active", "Filters": [{"key": key, "value": value}]});
            let message = world
                .refused("DescribeSessions", input, "ValidationException")
                .await;
            assert!(message.contains(key), "{message}");
        }
        world.clock.advance(31 * 86_400_000);
        assert_eq!(filtered("History", "Status", "Failed").await.len(), 0);
    })
    .await;
}
