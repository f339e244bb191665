//! Sessions through Amazon's own tools and through a client in Python that shares no code with ours, against
//! a scripted agent. Runs where `MUSTER_TEST_PYTHON` names a Python with boto3 and websockets.

use crate::agent::{Agent, serve};
use crate::session_ends::{End, agent, join};
use crate::sessions::complete;
use crate::world::{Node, World};
use muster_agent_protocol::session::{InteractiveShell, SessionContent};
use muster_session_channel::{AgentChannel, AgentEvent, SendError, SessionType};
use muster_store::test_database::on_both;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Sends output as fast as it is taken.
async fn say(shell: &End<AgentChannel>, bytes: &[u8]) {
    for chunk in bytes.chunks(16 * 1024) {
        loop {
            let (done, taken) = oneshot::channel();
            let copy = chunk.to_vec();
            shell.act(move |channel, now| {
                let _ = done.send(channel.send_output(&copy, now));
            });
            match taken.await.unwrap() {
                Err(SendError::Full) => tokio::time::sleep(Duration::from_millis(5)).await,
                // An ended session takes nothing more, and that is its end.
                _ => break,
            }
        }
    }
}

/// One session: what the head of `sessions_test.py` says.
async fn session(world: Arc<World>, node: Arc<Node>, address: SocketAddr, content: SessionContent) -> bool {
    let kind = SessionType::from_name(&content.document_content.session_type).unwrap();
    let id = content.session_id.clone();
    let properties = serde_json::to_value(&content.parameters).unwrap();
    let mut shell = agent(&node, &id, kind, properties);
    join(&world, &node, &id, address, &shell).await;
    let mut line = Vec::new();
    loop {
        match shell.event().await {
            AgentEvent::Started(_) if kind == SessionType::StandardStream => say(&shell, b"$ ").await,
            AgentEvent::Started(_) if kind == SessionType::NonInteractiveCommands => {
                let command = content.parameters["command"].as_str().unwrap();
                say(&shell, format!("out {command}\n").as_bytes()).await;
                shell.act(|channel, now| {
                    channel.send_error_output(b"err\n", now).unwrap();
                    channel.send_exit_code(7, now).unwrap();
                    channel.finish(now);
                });
            }
            AgentEvent::Resize(size) => {
                say(&shell, format!("size {}x{}\n", size.cols, size.rows).as_bytes()).await;
            }
            AgentEvent::Input(bytes) => {
                line.extend_from_slice(&bytes);
                if line.ends_with(b"flood\r") {
                    let numbers: String = (0..131_072).map(|n| format!("{n:07}\n")).collect();
                    say(&shell, numbers.as_bytes()).await;
                } else if line.ends_with(b"flood-drop\r") {
                    let numbers: String = (0..131_072).map(|n| format!("{n:07}\n")).collect();
                    for part in numbers.as_bytes().chunks(100_000) {
                        say(&shell, part).await;
                        // Whatever is under way to it is gone, acknowledgements above all.
                        shell.cut();
                        join(&world, &node, &id, address, &shell).await;
                    }
                } else if line.ends_with(b"exit\r") {
                    shell.act(|channel, now| channel.finish(now));
                } else {
                    say(&shell, &bytes).await;
                }
                let keep = line.len().saturating_sub(16);
                line.drain(..keep);
            }
            AgentEvent::Finished => {
                shell.cut();
                return true;
            }
            AgentEvent::Closed => return true,
            AgentEvent::Failed(_) => return false,
            _ => {}
        }
    }
}

/// An agent that takes sessions for as long as the test lasts.
async fn serve_sessions(world: Arc<World>, node: Arc<Node>, address: SocketAddr, mut control: Agent) {
    // A session may begin while the end of another one is told.
    control.keeps = Some("interactive_shell");
    let (sender, mut over) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            message = control.receive_long("interactive_shell") => {
                let task: InteractiveShell = serde_json::from_slice(&message.payload).unwrap();
                let content: SessionContent = serde_json::from_str(&task.content).unwrap();
                let (world, node, sender) = (Arc::clone(&world), Arc::clone(&node), sender.clone());
                tokio::spawn(async move {
                    let id = content.session_id.clone();
                    let well = session(world, node, address, content).await;
                    let _ = sender.send((id, well));
                });
            }
            Some((id, well)) = over.recv() => {
                let status = if well { "Success" } else { "Failed" };
                complete(&mut control, &node, &id, status, "").await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_shares_no_code_with_ours_is_served() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    on_both(|db| async {
        let world = Arc::new(World::new(db).await);
        let address = serve(&world).await;
        let node = Arc::new(world.node("one").await);
        let control = Agent::connect(&world, &node, address, &[]).await;
        let stop = CancellationToken::new();
        let background = tokio::spawn(Arc::clone(&world.plane).run_background(stop.clone()));
        let sessions = tokio::spawn(serve_sessions(
            Arc::clone(&world),
            Arc::clone(&node),
            address,
            control,
        ));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/sessions_test.py");
        let keys = world.plane.operator_credentials();
        let run = tokio::process::Command::new(&python)
            .arg(&script)
            .env("MUSTER_TEST_ENDPOINT", format!("http://{address}"))
            .env("MUSTER_TEST_NODE", &node.id)
            .env("MUSTER_TEST_SHELL", "echo")
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(240), run)
            .await
            .unwrap()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!sessions.is_finished(), "the scripted agent has failed");
        sessions.abort();
        stop.cancel();
        background.await.unwrap();
    })
    .await;
}
