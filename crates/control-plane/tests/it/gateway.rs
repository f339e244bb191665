//! The message gateway: opening a channel, who replaces whom, and frames that nobody should send.

use crate::agent::{Agent, serve, socket, token};
use crate::world::{REGION, World};
use futures::{SinkExt as _, StreamExt as _};
use muster_agent_protocol::extension::{self, OutputHeader, encode_output};
use muster_session_channel::Message;
use muster_store::test_database::on_both;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message as Frame;
use uuid::Uuid;

#[tokio::test]
async fn a_channel_is_opened_by_its_own_node_with_a_token_used_once() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let path = format!("/v1/control-channel/{}", two.id);
        let foreign = world.signed(&one.credentials, "ssmmessages", REGION, ("POST", &path, ""), &[], b"{}");
        let (status, _, answer) = world.send("POST", &path, foreign, b"{}".to_vec()).await;
        assert_eq!(status, 403);
        assert!(String::from_utf8(answer).unwrap().contains("<AccessDeniedException>"));
        let operator = world.plane.operator_credentials();
        let signed = world.signed(&operator, "ssmmessages", REGION, ("POST", &path, ""), &[], b"{}");
        assert_eq!(world.send("POST", &path, signed, b"{}".to_vec()).await.0, 403);

        let good = token(&world, &one).await;
        let open = async |first: Frame| {
            let mut socket = socket(&world, &one, address).await.unwrap();
            socket.send(first).await.unwrap();
            let hello = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
            matches!(hello, Some(Ok(Frame::Binary(_))))
        };
        let first = |token: &str| {
            let text = json!({"Cookie": null, "MessageSchemaVersion": "1.0", "RequestId": "r", "TokenValue": token,
                "AgentVersion": "0.1.0", "PlatformType": "linux", "MusterExtensions": ["output-stream-1"]});
            Frame::text(text.to_string())
        };
        assert!(!open(first("wrong")).await);
        assert!(!open(Frame::text("no json")).await);
        assert!(!open(Frame::binary(b"\0\0".to_vec())).await);
        assert!(open(first(&good)).await);
        assert!(!open(first(&good)).await);
    })
    .await;
}

#[tokio::test]
async fn a_newer_channel_replaces_the_older_and_deregistering_closes_it() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut older = Agent::connect(&world, &node, address, &[]).await;
        let mut newer = Agent::connect(&world, &node, address, &[]).await;
        older.closed().await;
        let id = world.run(&[&node], json!({})).await;
        world.plane.tick().await;
        assert_eq!(newer.take().await, id);
        world
            .ok("DeregisterManagedInstance", json!({"InstanceId": node.id}))
            .await;
        newer.closed().await;
        let state = world.ok("GetConnectionStatus", json!({"Target": node.id})).await;
        assert_eq!(state["Status"], "notconnected");
    })
    .await;
}

#[tokio::test]
async fn hostile_frames_are_dropped_and_touch_nothing_of_others() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let (good, bad) = (world.node("good").await, world.node("bad").await);
        let mut victim = Agent::connect(&world, &good, address, &["output-stream-1"]).await;
        let mut agent = Agent::connect(&world, &bad, address, &["output-stream-1"]).await;
        let id = world.run(&[&good, &bad], json!({"MaxConcurrency": "100%"})).await;
        world.plane.tick().await;
        for payload in ["", "{", "[]", "null", "{\"jobId\":\"x\"}", "{\"jobId\":3}"] {
            agent.send("agent_job_ack", payload.into()).await;
            agent.send("agent_job_reply", payload.into()).await;
            agent.send("muster_output", payload.into()).await;
            agent.send("agent_telemetry", payload.into()).await;
        }
        let mut broken = Message::control("agent_job_ack", Uuid::from_u128(1), 1, b"{}".to_vec()).encode().unwrap();
        broken[120] ^= 1;
        for frame in [broken, vec![0xff; 10], vec![0xff; 500], Vec::new()] {
            agent.raw(Frame::binary(frame)).await;
        }
        agent.raw(Frame::text("hello")).await;
        // A job of another node, and paths that lead elsewhere.
        let foreign = format!("aws.ssm.{id}.{}", good.id);
        let reply = json!({"schemaVersion": 1, "jobId": foreign, "topic": "aws.ssm.sendCommand",
            "content": json!({"documentStatus": "Success"}).to_string()});
        agent.send("agent_job_reply", reply.to_string().into()).await;
        let ack = json!({"jobId": foreign, "acknowledgedMessageId": "m", "createdDate": "", "statusCode": "51499", "errorMessage": ""});
        agent.send("agent_job_ack", ack.to_string().into()).await;
        for (job, step) in [
            (foreign.clone(), "runShellScript"),
            (format!("aws.ssm.{id}.{}", bad.id), "../../../escape"),
            (format!("aws.ssm.../../x.{}", bad.id), "runShellScript"),
            (format!("aws.ssm.{}.{}", Uuid::from_u128(9), bad.id), "runShellScript"),
        ] {
            let header = OutputHeader { job_id: job, step: step.into(), stream: "stdout".into(), offset: 0 };
            agent.send("muster_output", encode_output(&header, b"evil").unwrap()).await;
        }
        // Of all these only output of an unknown command is acknowledged, so that the node can drop it.
        let answer = agent.receive(extension::OUTPUT_ACK).await;
        let unknown: extension::OutputAck = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!((unknown.job_id.contains(&Uuid::from_u128(9).to_string()), unknown.offset), (true, 4));
        // Frames are worked off in order: this acknowledgement comes after all of them.
        assert_eq!(agent.output(&id, "stdout", 0, b"mine").await, 4);
        let outcome = world.detail(&id, &good).await;
        assert!(matches!(outcome.as_str(), "Pending" | "InProgress"), "{outcome}");
        assert!(!world.folder.path().join("escape").exists());
        let mut files = Vec::new();
        list(&world.folder.path().join("command-output"), &mut files);
        assert_eq!(files.len(), 1, "{files:?}");
        drop(victim.receive("muster_hello").await);
        // Enough is enough.
        for _ in 0..120 {
            let frame = Frame::binary(vec![0xff; 200]);
            agent.raw_or_closed(frame).await;
        }
        agent.closed().await;
    })
    .await;
}

fn list(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            list(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

#[tokio::test]
async fn a_frame_keeps_the_node_online() {
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        world.clock.advance(121_000);
        let status = async || {
            let filter = json!({"Filters": [{"Key": "InstanceIds", "Values": [node.id]}]});
            let output = world.ok("DescribeInstanceInformation", filter).await;
            output["InstanceInformationList"][0]["PingStatus"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(status().await, "ConnectionLost");
        agent.raw(Frame::Ping(Vec::new().into())).await;
        world
            .until("the node is online again", async || status().await == "Online")
            .await;
    })
    .await;
}
