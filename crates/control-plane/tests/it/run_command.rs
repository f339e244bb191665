//! Run Command from end to end with simulated agents: states, counters, time-outs, rate control,
//! cancelling, sending again.
//! Long because each case tells a whole story.

use crate::agent::{Agent, serve, step};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_runs_and_everything_about_it_is_told() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let sent = world
            .ok(
                "SendCommand",
                json!({
                    "DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id], "Comment": "why",
                    "Parameters": {"commands": ["echo hello"]}, "TimeoutSeconds": 3600,
                }),
            )
            .await;
        let command = &sent["Command"];
        assert_eq!(
            (command["Status"].as_str(), command["StatusDetails"].as_str()),
            (Some("Pending"), Some("Pending"))
        );
        assert_eq!(
            (command["MaxConcurrency"].as_str(), command["MaxErrors"].as_str()),
            (Some("50"), Some("0"))
        );
        assert_eq!(
            (
                command["TargetCount"].as_i64(),
                command["CompletedCount"].as_i64()
            ),
            (Some(1), Some(0))
        );
        let lasts =
            command["ExpiresAfter"].as_f64().unwrap() - command["RequestedDateTime"].as_f64().unwrap();
        assert!((lasts - 7200.0).abs() < 0.01);
        assert_eq!(command["OutputS3BucketName"], "");
        assert_eq!(command["NotificationConfig"]["NotificationArn"], "");
        assert_eq!(command["InstanceIds"], json!([node.id]));
        let id = command["CommandId"].as_str().unwrap();

        let before = world.invocation(id, &node).await;
        assert_eq!(
            (before["Status"].as_str(), before["ResponseCode"].as_i64()),
            (Some("Pending"), Some(-1))
        );
        assert_eq!(
            (
                before["ExecutionStartDateTime"].as_str(),
                before["ExecutionElapsedTime"].as_str()
            ),
            (Some(""), Some(""))
        );
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        assert_eq!(job.job_id, format!("aws.ssm.{id}.{}", node.id));
        assert_eq!(content.parameters["commands"], json!(["echo hello"]));
        assert_eq!(
            content.document_content.main_steps[0].action,
            "aws:runShellScript"
        );
        agent.ack(&message, &job.job_id, "200").await;
        world
            .until("the command runs", async || {
                world.details(id).await == "InProgress"
            })
            .await;
        agent.reply(id, "InProgress", &[]).await;
        agent.end(id, "Failed", 3, "hello\n", "err\n").await;

        let after = world.invocation(id, &node).await;
        assert_eq!(
            (after["Status"].as_str(), after["ResponseCode"].as_i64()),
            (Some("Failed"), Some(3))
        );
        assert_eq!(after["StandardOutputContent"], "hello\n");
        assert_eq!(after["StandardErrorContent"], "err\n");
        assert_eq!(after["ExecutionStartDateTime"], "2026-11-23T06:38:46.397Z");
        assert_eq!(after["ExecutionElapsedTime"], "PT0.091S");
        assert_eq!(after["PluginName"], "aws:runShellScript");
        let named = json!({"CommandId": id, "InstanceId": node.id, "PluginName": "aws:RunShellScript"});
        world.ok("GetCommandInvocation", named).await;
        let wrong = json!({"CommandId": id, "InstanceId": node.id, "PluginName": "other"});
        world
            .refused("GetCommandInvocation", wrong, "InvalidPluginName")
            .await;

        let list = world
            .ok(
                "ListCommandInvocations",
                json!({"CommandId": id, "Details": true}),
            )
            .await;
        let plugin = &list["CommandInvocations"][0]["CommandPlugins"][0];
        assert_eq!(plugin["Output"], "hello\n\n----------ERROR-------\nerr\n");
        assert_eq!(list["CommandInvocations"][0]["InstanceName"], "one");
        let list = world.ok("ListCommandInvocations", json!({"CommandId": id})).await;
        assert_eq!(list["CommandInvocations"][0]["CommandPlugins"], json!([]));
        let commands = world.ok("ListCommands", json!({"CommandId": id})).await;
        let command = &commands["Commands"][0];
        assert_eq!(
            (command["CompletedCount"].as_i64(), command["ErrorCount"].as_i64()),
            (Some(1), Some(1))
        );
        assert_eq!(command["Status"], "Failed");

        // What comes twice changes nothing, and is acknowledged.
        agent.end(id, "Success", 0, "other", "").await;
        assert_eq!(world.detail(id, &node).await, "Failed");
        let commands = world.ok("ListCommands", json!({"CommandId": id})).await;
        assert_eq!(commands["Commands"][0]["CompletedCount"], 1);
    })
    .await;
}

#[tokio::test]
async fn steps_are_kept_from_the_replies_that_brought_them() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let id = world.run(&[&node], json!({})).await;
        world.plane.tick().await;
        agent.take().await;
        let long = "x".repeat(30_000);
        agent
            .reply(
                &id,
                "InProgress",
                &[("runShellScript", step("Success", 0, &long, ""))],
            )
            .await;
        agent.reply(&id, "Success", &[]).await;
        let output = world.invocation(&id, &node).await;
        let text = output["StandardOutputContent"].as_str().unwrap();
        assert_eq!((text.len(), output["ResponseCode"].as_i64()), (24_000, Some(0)));
        assert!(text.ends_with("---Output truncated---"));
        assert_eq!(world.details(&id).await, "Success");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_services_words() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let with = |more: Value| {
            let mut input = json!({
                "DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id], "Parameters": {"commands": ["id"]},
            });
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let (a, b) = ("mi-00000000000000000", "i-12345678");
        let message = world.refused("SendCommand", with(json!({"InstanceIds": [a, node.id, b]})), "InvalidInstanceId").await;
        assert_eq!(message, format!("Instances [[{a}, {b}]] not in a valid state for account 123456789012"));
        let twice = with(json!({"InstanceIds": [node.id, node.id]}));
        world.refused("SendCommand", twice, "DuplicateInstanceId").await;
        world.refused("SendCommand", with(json!({"DocumentName": "AWS-None"})), "InvalidDocument").await;
        world.refused("SendCommand", with(json!({"DocumentVersion": "7"})), "InvalidDocumentVersion").await;
        world.refused("SendCommand", with(json!({"DocumentHash": "00"})), "InvalidDocument").await;
        let windows = with(json!({"DocumentName": "AWS-RunPowerShellScript"}));
        world.refused("SendCommand", windows, "UnsupportedPlatformType").await;
        let undeclared = with(json!({"Parameters": {"commands": ["id"], "x": ["y"]}}));
        let message = world.refused("SendCommand", undeclared, "InvalidParameters").await;
        assert_eq!(message, "document AWS-RunShellScript does not support parameters.");
        world.refused("SendCommand", with(json!({"InstanceIds": []})), "ValidationException").await;
        let large = with(json!({"Parameters": {"commands": ["\"".repeat(300_000)]}}));
        world.refused("SendCommand", large, "MaxDocumentSizeExceeded").await;
        // A node that was silent for too long is not in a valid state either.
        world.clock.advance(121_000);
        world.refused("SendCommand", with(json!({})), "InvalidInstanceId").await;
        let missing = json!({"CommandId": "0".repeat(36), "InstanceId": node.id});
        world.refused("GetCommandInvocation", missing, "InvocationDoesNotExist").await;
        world.refused("CancelCommand", json!({"CommandId": "0".repeat(36)}), "InvalidCommandId").await;
        let none = world.ok("ListCommandInvocations", json!({"CommandId": "0".repeat(36)})).await;
        assert_eq!(none, json!({"CommandInvocations": []}));
    })
    .await;
}

#[tokio::test]
async fn tags_choose_the_nodes_and_none_is_an_answer_too() {
    on_both(|db| async {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        for (node, stage) in [(&one, "test"), (&two, "live")] {
            let input = json!({"ResourceType": "ManagedInstance", "ResourceId": node.id,
                "Tags": [{"Key": "Stage", "Value": stage}, {"Key": "Team", "Value": "a"}]});
            world.ok("AddTagsToResource", input).await;
        }
        let count = async |targets: Value| {
            let input = json!({"DocumentName": "AWS-RunShellScript", "Targets": targets, "Parameters": {"commands": ["id"]}});
            let output = world.ok("SendCommand", input).await;
            world.plane.tick().await;
            let id = output["Command"]["CommandId"].as_str().unwrap().to_owned();
            (output["Command"]["TargetCount"].as_i64().unwrap(), world.details(&id).await)
        };
        let tag = |key: &str, values: &[&str]| json!({"Key": key, "Values": values});
        assert_eq!(count(json!([tag("tag:Team", &["a"])])).await, (2, "Pending".into()));
        assert_eq!(count(json!([tag("tag:Team", &["a"]), tag("tag:Stage", &["live"])])).await.0, 1);
        assert_eq!(count(json!([tag("tag:Stage", &["live", "test"])])).await.0, 2);
        assert_eq!(count(json!([tag("tag-key", &["Stage"])])).await.0, 2);
        assert_eq!(count(json!([tag("instanceids", &[&one.id])])).await.0, 1);
        assert_eq!(count(json!([tag("tag:Stage", &["none"])])).await, (0, "NoInstancesInTag".into()));
        let bad = json!({"DocumentName": "AWS-RunShellScript", "Targets": [{"Key": "nonsense", "Values": ["x"]}],
            "Parameters": {"commands": ["id"]}});
        world.refused("SendCommand", bad, "ValidationException").await;
    })
    .await;
}
