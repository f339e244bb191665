//! Sessions from start to end, over lost legs and restarts.

use crate::agent::{Agent, serve};
use crate::session_ends::{
    a_shell, agent_socket, client, client_socket, create, join, resume, start, status,
};
use crate::world::{Node, World};
use muster_agent_protocol::session::{AgentTaskComplete, InteractiveShell, SessionContent};
use muster_session_channel::body::Size;
use muster_session_channel::{AgentEvent, ClientEvent};
use muster_store::test_database::on_both;
use serde_json::json;
use std::net::SocketAddr;

/// The session that the node is asked for.
pub(crate) async fn asked(control: &mut Agent) -> SessionContent {
    let message = control.receive("interactive_shell").await;
    let task: InteractiveShell = serde_json::from_slice(&message.payload).unwrap();
    let content: SessionContent = serde_json::from_str(&task.content).unwrap();
    assert_eq!(task.task_id, content.session_id);
    content
}

/// Tells on the control channel that a session is over, and waits until that is heard.
pub(crate) async fn complete(control: &mut Agent, node: &Node, id: &str, status: &str, output: &str) {
    let complete = AgentTaskComplete {
        schema_version: 1,
        task_id: id.to_owned(),
        topic: "agent_task_complete".into(),
        final_task_status: status.into(),
        instance_id: node.id.clone(),
        output: output.into(),
        retry_number: 1,
        ..AgentTaskComplete::default()
    };
    let payload = serde_json::to_vec(&complete).unwrap();
    let sent = control.send("agent_task_complete", payload).await;
    let heard = control.receive("agent_task_acknowledge").await;
    let text = String::from_utf8(heard.payload).unwrap();
    assert!(text.contains(&sent.to_string()) && text.contains(id), "{text}");
}

pub(crate) async fn world(db: muster_store::Db) -> (World, SocketAddr, Node, Agent) {
    let world = World::new(db).await;
    let address = serve(&world).await;
    let node = world.node("one").await;
    let control = Agent::connect(&world, &node, address, &[]).await;
    (world, address, node, control)
}

#[tokio::test]
async fn only_the_portal_wants_a_handshake_for_a_shell() {
    on_both(|db| async {
        let (world, _, node, mut control) = world(db).await;
        for (keys, wants) in [
            (world.plane.operator_credentials(), false),
            (world.plane.portal_credentials(), true),
        ] {
            let target = json!({"Target": node.id});
            let (code, started) = world.call_as(&keys, "StartSession", target).await;
            assert_eq!(code, 200, "{started}");
            assert_eq!(asked(&mut control).await.handshake, wants);
        }
    })
    .await;
}

#[tokio::test]
async fn a_shell_is_opened_used_resized_and_left() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let started = start(&world, &node, json!({"Reason": "a look"})).await;
        let content = asked(&mut control).await;
        assert_eq!(content.session_id, started.id);
        assert_eq!(content.document_name, "SSM-SessionManagerRunShell");
        assert_eq!(
            content.session_owner,
            "arn:aws:iam::123456789012:user/muster-operator"
        );
        assert_eq!(content.document_content.session_type, "Standard_Stream");
        assert_eq!(status(&world, &started.id).await, "Connecting");

        let mut shell = a_shell(&node, &started.id);
        join(&world, &node, &started.id, address, &shell).await;
        shell
            .until(|event| matches!(event, AgentEvent::Started(_)).then_some(()))
            .await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        shell.output(b"$ ");
        assert_eq!(person.output(2).await, b"$ ");
        assert_eq!(status(&world, &started.id).await, "Connected");
        let first = shell.event().await;
        assert_eq!(first, AgentEvent::Resize(Size { cols: 80, rows: 24 }));
        person.input(b"ls\r");
        assert_eq!(shell.input(3).await, b"ls\r");
        person.act(|channel, now| channel.resize(Size { cols: 132, rows: 50 }, now).unwrap());
        assert_eq!(
            shell.event().await,
            AgentEvent::Resize(Size { cols: 132, rows: 50 })
        );

        shell.output("logout – bis später\n".as_bytes());
        shell.act(|channel, now| channel.finish(now));
        shell
            .until(|event| (event == AgentEvent::Finished).then_some(()))
            .await;
        shell.cut();
        complete(&mut control, &node, &started.id, "Success", "").await;
        let text = person.output("logout – bis später\n".len()).await;
        assert_eq!(text, "logout – bis später\n".as_bytes());
        assert_eq!(person.closed().await, "");
        assert_eq!(status(&world, &started.id).await, "Terminated");
        let filter = json!([{"key": "SessionId", "value": started.id}]);
        let listed = world
            .ok("DescribeSessions", json!({"State": "History", "Filters": filter}))
            .await;
        let session = &listed["Sessions"][0];
        assert_eq!(session["Reason"], "a look");
        assert!(session["EndDate"].as_f64() >= session["StartDate"].as_f64());
        assert_eq!(create(&world, &node, &started.id).await.0, 400);
        world
            .refused(
                "ResumeSession",
                json!({"SessionId": started.id}),
                "DoesNotExistException",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_either_leg_drops() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let started = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        let mut shell = a_shell(&node, &started.id);
        join(&world, &node, &started.id, address, &shell).await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        let line = |round: u32| format!("{round:06}\n").repeat(3_000);
        let mut expected = String::new();
        let mut seen = Vec::new();
        for round in 0..6 {
            let text = line(round);
            shell.output(text.as_bytes());
            expected.push_str(&text);
            // Some of it is on its way in every part when the leg goes.
            seen.extend(person.output(1_000).await);
            if round % 2 == 0 {
                person.cut();
                let token = resume(&world, &started.id).await;
                person.connect(client_socket(&started.id, address).await, &token);
            } else {
                shell.cut();
                join(&world, &node, &started.id, address, &shell).await;
            }
            let left = expected.len() - seen.len();
            seen.extend(person.output(left).await);
            person.input(format!("{round}").as_bytes());
            assert_eq!(shell.input(1).await, format!("{round}").as_bytes());
        }
        assert!(seen == expected.as_bytes());
        assert!(
            !person
                .told()
                .iter()
                .any(|event| matches!(event, ClientEvent::Output(_)))
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_survives_a_restart_of_the_control_plane() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let started = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        let shell = a_shell(&node, &started.id);
        join(&world, &node, &started.id, address, &shell).await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        shell.output(b"before ");
        assert_eq!(person.output(7).await, b"before ");
        // Nothing is said to anybody: as after a kill.
        shell.cut();
        person.cut();
        drop(control);
        shell.output(b"meanwhile ");

        let world = world.restarted().await;
        let address = serve(&world).await;
        let mut control = Agent::connect(&world, &node, address, &[]).await;
        assert_eq!(status(&world, &started.id).await, "Connected");
        world.steady.advance(5_000);
        world.plane.tick().await;
        assert_eq!(status(&world, &started.id).await, "Disconnected");
        join(&world, &node, &started.id, address, &shell).await;
        let token = resume(&world, &started.id).await;
        person.connect(client_socket(&started.id, address).await, &token);
        shell.output(b"after");
        assert_eq!(person.output(15).await, b"meanwhile after");
        assert_eq!(status(&world, &started.id).await, "Connected");
        complete(&mut control, &node, &started.id, "Success", "").await;
        assert_eq!(person.closed().await, "");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_refuses_or_never_comes_fails_the_session_with_its_reason() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        // It fails before the client has come: who comes late is told all the same.
        let started = start(
            &world,
            &node,
            json!({"Parameters": {"runAsUser": ["nobody-here"]}}),
        )
        .await;
        let content = asked(&mut control).await;
        let inputs = content.document_content.inputs.unwrap();
        assert!(inputs.run_as_enabled && inputs.run_as_default_user == "nobody-here");
        let why = "The user nobody-here does not exist.";
        complete(&mut control, &node, &started.id, "Failed", why).await;
        complete(&mut control, &node, &started.id, "Failed", why).await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        assert_eq!(person.closed().await, why);
        assert_eq!(status(&world, &started.id).await, "Failed");

        let started = start(&world, &node, json!({})).await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        world.steady.advance(20_000);
        // The client's leg has to stand before the round, or it is told when it comes: the same words.
        world.plane.tick().await;
        let why = person.closed().await;
        assert!(
            why.contains("did not open a data channel within 20 seconds"),
            "{why}"
        );
        assert_eq!(status(&world, &started.id).await, "Failed");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_terminated_at_both_ends() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let started = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        let mut shell = a_shell(&node, &started.id);
        join(&world, &node, &started.id, address, &shell).await;
        let mut person = client();
        person.connect(client_socket(&started.id, address).await, &started.token);
        shell.output(b"x");
        person.output(1).await;
        let output = world
            .ok("TerminateSession", json!({"SessionId": started.id}))
            .await;
        assert_eq!(output["SessionId"], started.id.as_str());
        shell
            .until(|event| (event == AgentEvent::Closed).then_some(()))
            .await;
        assert_eq!(
            person.closed().await,
            "The session was ended with TerminateSession."
        );
        world
            .ok("TerminateSession", json!({"SessionId": started.id}))
            .await;
        world
            .ok("TerminateSession", json!({"SessionId": "nobody-knows-it"}))
            .await;
        complete(&mut control, &node, &started.id, "Success", "").await;
        assert_eq!(status(&world, &started.id).await, "Terminated");

        // Without a data channel the node is told on its control channel.
        let started = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        world
            .ok("TerminateSession", json!({"SessionId": started.id}))
            .await;
        let closed = control.receive("channel_closed").await;
        let text = String::from_utf8(closed.payload).unwrap();
        assert!(
            text.contains(&format!("\"SessionId\":\"{}\"", started.id)),
            "{text}"
        );
        let (status, text) = create(&world, &node, &started.id).await;
        assert!(
            status == 400 && text.contains("Session is already terminated"),
            "{status} {text}"
        );
    })
    .await;
}

#[tokio::test]
async fn idle_sessions_and_long_ones_are_ended_at_both_ends() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let content = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream",
            "inputs": {"idleSessionTimeout": "5", "maxSessionDuration": "60"}});
        let made = json!({"Name": "SSM-SessionManagerRunShell", "DocumentType": "Session",
            "Content": content.to_string()});
        world.ok("CreateDocument", made).await;
        let mut open = async || {
            let started = start(&world, &node, json!({})).await;
            asked(&mut control).await;
            let shell = a_shell(&node, &started.id);
            join(&world, &node, &started.id, address, &shell).await;
            let mut person = client();
            person.connect(client_socket(&started.id, address).await, &started.token);
            shell.output(b"x");
            person.output(1).await;
            (started, shell, person)
        };
        let (started, mut shell, mut person) = open().await;
        // Traffic puts it off, in either direction; a wall's clock that jumps does nothing.
        for round in 0..4 {
            world.steady.advance(200_000);
            if round % 2 == 0 {
                shell.output(b"y");
                person.output(1).await;
            } else {
                person.input(b"y");
                shell.input(1).await;
            }
            world
                .clock
                .advance(if round % 2 == 0 { 1_800_000 } else { -1_800_000 });
            world.plane.tick().await;
            assert_eq!(status(&world, &started.id).await, "Connected");
        }
        world.steady.advance(300_000);
        world.plane.tick().await;
        let why = person.closed().await;
        assert!(
            why.contains("nothing was typed and nothing shown for 5 minutes"),
            "{why}"
        );
        shell
            .until(|event| (event == AgentEvent::Closed).then_some(()))
            .await;
        assert_eq!(status(&world, &started.id).await, "Terminated");

        let (started, mut shell, mut person) = open().await;
        let listed = world.ok("DescribeSessions", json!({"State": "Active"})).await;
        assert_eq!(listed["Sessions"][0]["MaxSessionDuration"], "60");
        // However it is used, it ends with its time, which a wall's clock that is set does not bring nearer.
        world.clock.advance(3_600_000);
        world.plane.tick().await;
        for _ in 0..14 {
            world.steady.advance(240_000);
            shell.output(b"y");
            person.output(1).await;
            world.plane.tick().await;
            assert_eq!(status(&world, &started.id).await, "Connected");
        }
        world.steady.advance(240_000);
        world.plane.tick().await;
        let why = person.closed().await;
        assert!(why.contains("maximum duration of 60 minutes"), "{why}");
        shell
            .until(|event| (event == AgentEvent::Closed).then_some(()))
            .await;
        assert_eq!(status(&world, &started.id).await, "Terminated");
    })
    .await;
}

#[tokio::test]
async fn two_sessions_of_one_node_never_mix() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let mut ends = Vec::new();
        for _ in 0..2 {
            let started = start(&world, &node, json!({})).await;
            asked(&mut control).await;
            let shell = a_shell(&node, &started.id);
            join(&world, &node, &started.id, address, &shell).await;
            let person = client();
            person.connect(client_socket(&started.id, address).await, &started.token);
            ends.push((started, shell, person));
        }
        let [(_, shell_a, person_a), (_, shell_b, person_b)] = ends.as_mut_slice() else {
            panic!("two");
        };
        for _ in 0..50 {
            shell_a.output(&[b'a'; 500]);
            shell_b.output(&[b'b'; 500]);
        }
        assert!(person_a.output(25_000).await.iter().all(|byte| *byte == b'a'));
        assert!(person_b.output(25_000).await.iter().all(|byte| *byte == b'b'));
        person_a.input(b"A");
        person_b.input(b"B");
        assert_eq!(shell_a.input(1).await, b"A");
        assert_eq!(shell_b.input(1).await, b"B");
        // A node's socket that is replaced is closed; the newer goes on.
        let id = ends[0].0.id.clone();
        let (_, token) = create(&world, &node, &id).await;
        ends[0]
            .1
            .connect(agent_socket(&world, &node, &id, address).await, &token);
        ends[0].1.output(b"again");
        assert_eq!(ends[0].2.output(5).await, b"again");
    })
    .await;
}
