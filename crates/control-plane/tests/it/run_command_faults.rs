//! Run Command when things go wrong: late, vanished and refusing nodes, errors, cancelling, restarts.

use crate::agent::{Agent, serve};
use crate::world::World;
use muster_agent_protocol::control::{AgentJob, CancelCommandContent};
use muster_store::test_database::on_both;
use serde_json::json;

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
