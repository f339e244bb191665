//! Amazon's own clients against the control plane: the `aws` command and boto3, by the script that the
//! whole-portal test runs too. Runs where `MUSTER_TEST_PYTHON` names a Python with boto3.

use crate::agent::{Agent, serve};
use crate::world::World;
use muster_store::test_database::on_both;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// An agent that answers `sleep` only when it is cancelled, and everything else at once.
async fn serve_commands(mut agent: Agent) {
    loop {
        let message = agent.receive_long("agent_job").await;
        let job: muster_agent_protocol::control::AgentJob = serde_json::from_slice(&message.payload).unwrap();
        agent.ack(&message, &job.job_id, "200").await;
        let content: serde_json::Value = serde_json::from_str(&job.content).unwrap();
        if let Some(cancelled) = content["CancelMessageId"].as_str() {
            let command = cancelled.split('.').nth(2).unwrap().to_owned();
            agent.end(&command, "Cancelled", 137, "", "").await;
            continue;
        }
        let command = content["CommandId"].as_str().unwrap().to_owned();
        let script = content["Parameters"]["commands"][0].as_str().unwrap().to_owned();
        if script.starts_with("sleep") {
            continue;
        }
        // The real agent runs it; here only what the script of this test prints.
        let (code, out, err) = match script.as_str() {
            "exit 3" => (3, String::new(), "failed to run commands: exit status 3".to_owned()),
            text if text.starts_with("seq ") => (0, (1..=200_000).map(|n| format!("{n}\n")).collect(), String::new()),
            text => (0, format!("{}\n", text.trim_start_matches("echo ")), String::new()),
        };
        let mut offset = 0;
        for chunk in out.as_bytes().chunks(60_000) {
            offset = agent.output(&command, "stdout", offset, chunk).await;
        }
        let status = if code == 0 { "Success" } else { "Failed" };
        let short: String = out.chars().take(24_000).collect();
        agent.end(&command, status, code, &short, &err).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazons_own_clients_are_served() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/control_plane_test.py");
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let agent = Agent::connect(&world, &node, address, &["output-stream-1"]).await;
        let stop = CancellationToken::new();
        let background = tokio::spawn(std::sync::Arc::clone(&world.plane).run_background(stop.clone()));
        let agent = tokio::spawn(serve_commands(agent));
        let keys = world.plane.operator_credentials();
        let run = tokio::process::Command::new(&python)
            .arg(&script)
            .env("MUSTER_TEST_ENDPOINT", format!("http://{address}"))
            .env("MUSTER_TEST_NODE", &node.id)
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output();
        let output = tokio::time::timeout(Duration::from_secs(240), run).await.unwrap().unwrap();
        stop.cancel();
        agent.abort();
        background.await.unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    })
    .await;
}
