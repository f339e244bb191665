//! Run Command from end to end with simulated agents: states, counters, time-outs, rate control,
//! cancelling, sending again.
//! Long because each case tells a whole story.

use crate::agent::{Agent, serve, step};
use crate::world::World;
use muster_agent_protocol::control::{AgentJob, CancelCommandContent};
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

#[tokio::test]
async fn a_command_that_does_not_arrive_in_time_is_given_up() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let id = world.run(&[&node], json!({"TimeoutSeconds": 30})).await;
        world.plane.tick().await;
        assert_eq!(world.detail(&id, &node).await, "Delayed");
        world.clock.advance(30_001);
        world.plane.tick().await;
        let output = world.invocation(&id, &node).await;
        assert_eq!(
            (output["Status"].as_str(), output["StatusDetails"].as_str()),
            (Some("TimedOut"), Some("DeliveryTimedOut"))
        );
        let commands = world.ok("ListCommands", json!({"CommandId": id})).await;
        let command = &commands["Commands"][0];
        assert_eq!(command["StatusDetails"], "DeliveryTimedOut");
        let counts = ["CompletedCount", "ErrorCount", "DeliveryTimedOutCount"]
            .map(|name| command[name].as_i64().unwrap());
        assert_eq!(counts, [1, 0, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_vanishes_in_mid_command_is_given_up_after_the_documents_time() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let parameters = json!({"commands": ["sleep 99"], "executionTimeout": ["20"]});
        let id = world.run(&[&node], json!({"Parameters": parameters})).await;
        world.plane.tick().await;
        agent.take().await;
        world
            .until("it runs", async || world.details(&id).await == "InProgress")
            .await;
        drop(agent);
        world.clock.advance(25_000);
        world.plane.tick().await;
        assert_eq!(world.detail(&id, &node).await, "InProgress");
        world.clock.advance(1);
        world.plane.tick().await;
        assert_eq!(world.detail(&id, &node).await, "ExecutionTimedOut");
        assert_eq!(world.details(&id).await, "ExecutionTimedOut");
        let commands = world.ok("ListCommands", json!({"CommandId": id})).await;
        assert_eq!(commands["Commands"][0]["ErrorCount"], 1);
    })
    .await;
}

#[tokio::test]
async fn sending_ramps_and_stops_after_too_many_errors() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let mut nodes = Vec::new();
        for at in 0..5 {
            let node = world.node(&format!("n{at}")).await;
            let agent = Agent::connect(&world, &node, address, &[]).await;
            nodes.push((node, agent));
        }
        nodes.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        let all: Vec<_> = nodes.iter().map(|(node, _)| node).collect();
        let id = world
            .run(&all, json!({"MaxConcurrency": "2", "MaxErrors": "1"}))
            .await;
        let stage = async |node: &crate::world::Node| world.detail(&id, node).await;
        world.plane.tick().await;
        world.plane.tick().await;
        // One alone first; then two at once, never more.
        assert_eq!(nodes[0].1.take().await, id);
        world
            .until("the first has it", async || {
                stage(&nodes[0].0).await == "InProgress"
            })
            .await;
        world.plane.tick().await;
        assert_eq!(nodes[1].1.take().await, id);
        world
            .until("the second has it", async || {
                stage(&nodes[1].0).await == "InProgress"
            })
            .await;
        world.plane.tick().await;
        assert_eq!(stage(&nodes[2].0).await, "Pending");
        nodes[0].1.end(&id, "Failed", 1, "", "").await;
        world.plane.tick().await;
        assert_eq!(nodes[2].1.take().await, id);
        nodes[1].1.end(&id, "Failed", 1, "", "").await;
        world.plane.tick().await;
        // The second error is one more than allowed: the rest is not sent to, what runs may end.
        assert_eq!(stage(&nodes[3].0).await, "Terminated");
        assert_eq!(stage(&nodes[4].0).await, "Terminated");
        assert_eq!(world.details(&id).await, "InProgress");
        nodes[2].1.end(&id, "Success", 0, "", "").await;
        assert_eq!(world.details(&id).await, "Failed");
        let commands = world.ok("ListCommands", json!({"CommandId": id})).await;
        let command = &commands["Commands"][0];
        assert_eq!(
            (command["CompletedCount"].as_i64(), command["ErrorCount"].as_i64()),
            (Some(5), Some(2))
        );
    })
    .await;
}

#[tokio::test]
async fn cancelling_reaches_the_node_and_spares_what_has_ended() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let mut agent = Agent::connect(&world, &one, address, &[]).await;
        let id = world.run(&[&one, &two], json!({})).await;
        world.plane.tick().await;
        agent.take().await;
        world
            .until("it runs", async || world.detail(&id, &one).await == "InProgress")
            .await;
        world.ok("CancelCommand", json!({"CommandId": id})).await;
        assert_eq!(world.detail(&id, &one).await, "Cancelling");
        assert_eq!(world.detail(&id, &two).await, "Cancelled");
        assert_eq!(world.details(&id).await, "Cancelling");
        world.plane.tick().await;
        let message = agent.receive("agent_job").await;
        let job: AgentJob = serde_json::from_slice(&message.payload).unwrap();
        assert!(job.topic.starts_with("aws.ssm.cancelCommand"));
        assert_ne!(job.job_id, format!("aws.ssm.{id}.{}", one.id));
        let content: CancelCommandContent = serde_json::from_str(&job.content).unwrap();
        assert_eq!(content.cancel_message_id, format!("aws.ssm.{id}.{}", one.id));
        agent.ack(&message, &job.job_id, "200").await;
        agent.end(&id, "Cancelled", 137, "part", "").await;
        let output = world.invocation(&id, &one).await;
        assert_eq!(
            (output["Status"].as_str(), output["ResponseCode"].as_i64()),
            (Some("Cancelled"), Some(137))
        );
        assert_eq!(world.details(&id).await, "Cancelled");
        world.ok("CancelCommand", json!({"CommandId": id})).await;
        assert_eq!(world.details(&id).await, "Cancelled");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_never_took_the_job_has_nothing_to_stop() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let id = world.run(&[&node], json!({})).await;
        world.plane.tick().await;
        agent.job().await;
        world.ok("CancelCommand", json!({"CommandId": id})).await;
        world.plane.tick().await;
        let message = agent.receive("agent_job").await;
        let job: AgentJob = serde_json::from_slice(&message.payload).unwrap();
        agent.ack(&message, &job.job_id, "200").await;
        world
            .until("it is cancelled", async || {
                world.details(&id).await == "Cancelled"
            })
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_but_not_acknowledged_is_sent_again_after_a_restart() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let address = serve(&world).await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let id = world.run(&[&node], json!({})).await;
        world.plane.tick().await;
        agent.job().await;
        // Neither an acknowledgement nor a goodbye: both sides are gone.
        drop(agent);
        let world = world.restarted().await;
        let address = serve(&world).await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        assert_eq!(content.command_id, id);
        // It had the job after all, and runs it once.
        agent.ack(&message, &job.job_id, "51405").await;
        world
            .until("it runs", async || world.details(&id).await == "InProgress")
            .await;
        agent.end(&id, "Success", 0, "once", "").await;
        assert_eq!(world.details(&id).await, "Success");
        world.plane.tick().await;
        assert_eq!(
            world.invocation(&id, &node).await["StandardOutputContent"],
            "once"
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_that_the_node_refuses_is_undeliverable() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let id = world.run(&[&node], json!({})).await;
        world.plane.tick().await;
        let (message, job, _) = agent.job().await;
        agent.ack(&message, &job.job_id, "51406").await;
        world
            .until("it ends", async || {
                world.detail(&id, &node).await == "Undeliverable"
            })
            .await;
        assert_eq!(world.details(&id).await, "Failed");
        let list = world.ok("ListCommandInvocations", json!({"CommandId": id})).await;
        let trace = list["CommandInvocations"][0]["TraceOutput"].as_str().unwrap();
        assert!(trace.contains("51406"), "{trace}");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_takes_a_command_too_late_is_told_to_stop() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let id = world.run(&[&node], json!({"TimeoutSeconds": 30})).await;
        world.plane.tick().await;
        let (message, job, _) = agent.job().await;
        drop(agent);
        let gone = async || {
            let output = world.ok("GetConnectionStatus", json!({"Target": node.id})).await;
            output["Status"] == "notconnected"
        };
        world.until("the channel is gone", gone).await;
        world.clock.advance(30_001);
        world.plane.tick().await;
        assert_eq!(world.detail(&id, &node).await, "DeliveryTimedOut");
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        agent.ack(&message, &job.job_id, "200").await;
        let cancel = agent.receive("agent_job").await;
        let cancel: AgentJob = serde_json::from_slice(&cancel.payload).unwrap();
        assert!(cancel.topic.starts_with("aws.ssm.cancelCommand") && cancel.content.contains(&id));
        agent.end(&id, "Cancelled", 137, "", "").await;
        assert_eq!(world.detail(&id, &node).await, "DeliveryTimedOut");
    })
    .await;
}
