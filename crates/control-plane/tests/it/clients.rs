//! Amazon's own clients against the control plane: the `aws` command and boto3, by the script that the
//! whole-portal test runs too. Runs where `MUSTER_TEST_PYTHON` names a Python with boto3.

use crate::agent::{Agent, serve};
use crate::real_agent::RealAgent;
use crate::world::World;
use muster_control_plane::{OPERATIONS, Who, input_model};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_store::test_database::on_both;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
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
            "exit 3" => (
                3,
                String::new(),
                "failed to run commands: exit status 3".to_owned(),
            ),
            text if text.starts_with("seq ") => (
                0,
                (1..=200_000).map(|n| format!("{n}\n")).collect(),
                String::new(),
            ),
            text => (
                0,
                format!("{}\n", text.trim_start_matches("echo ")),
                String::new(),
            ),
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

/// Runs a script, on this node; panics with what it printed when it finds something wrong.
async fn run_script(world: &World, script: &str, python: &str, address: SocketAddr, node_id: &str) {
    run_script_with(world, script, python, address, node_id, "no").await;
}

async fn run_script_with(
    world: &World,
    script: &str,
    python: &str,
    address: SocketAddr,
    node_id: &str,
    real_agent: &str,
) {
    let mut script = run(world, script, python, address, node_id).await;
    finished(script.env("MUSTER_TEST_REAL_AGENT", real_agent)).await;
}

/// A script that is to be run, on this node.
async fn run(
    world: &World,
    script: &str,
    python: &str,
    address: SocketAddr,
    node_id: &str,
) -> tokio::process::Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/python")
        .join(script);
    let keys = world.plane.operator_credentials();
    let mut run = tokio::process::Command::new(python);
    run.arg(&script)
        .env("MUSTER_TEST_ENDPOINT", format!("http://{address}"))
        .env("MUSTER_TEST_NODE", node_id)
        .env("MUSTER_TEST_SPARE_NODE", world.node("spare").await.id)
        .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key);
    run
}

/// A command by which a node takes snapshots: it leaves a file for each, and fails where one is named `refuse`. Gives the
/// agent's setting for it.
fn snapshot_command(folder: &Path) -> (String, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let script = format!(
        "#!/bin/sh\n[ ! -e {0}/refuse ] || exit 5\nprintf %s \"$MUSTER_SNAPSHOT_DESCRIPTION\" > \"{0}/$1\"\n",
        folder.display()
    );
    let path = folder.join("take");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    ("MUSTER_AGENT_SNAPSHOT_COMMAND".into(), path.display().to_string())
}

async fn finished(script: &mut tokio::process::Command) {
    let output = tokio::time::timeout(Duration::from_secs(240), script.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazons_own_clients_are_served() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let agent = Agent::connect(&world, &node, address, &["output-stream-1"]).await;
        let stop = CancellationToken::new();
        let background = tokio::spawn(Arc::clone(&world.plane).run_background(stop.clone()));
        let agent = tokio::spawn(serve_commands(agent));
        run_script(&world, "control_plane_test.py", &python, address, &node.id).await;
        run_script(&world, "scripts_test.py", &python, address, &node.id).await;
        run_script(&world, "ops_items_test.py", &python, address, &node.id).await;
        run_script(&world, "topics_test.py", &python, address, &node.id).await;
        stop.cancel();
        agent.abort();
        background.await.unwrap();
    })
    .await;
}

/// Parameters and keys, by commands as they stand in guides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazons_own_clients_keep_parameters_and_keys() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        run_script(&world, "parameters_test.py", &python, address, "").await;
    })
    .await;
}

/// What operators' inputs are checked for, against the service model that Amazon's clients carry.
#[tokio::test]
async fn inputs_are_checked_as_the_services_own_model_says() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    let mut services = serde_json::Map::new();
    for operation in OPERATIONS
        .iter()
        .filter(|o| matches!(o.who, Who::Operator | Who::OperatorOrNode))
        // Of EC2's inputs only what scripts use is read, and its model has hardly a limit.
        .filter(|o| o.service != "ec2")
    {
        if let Some(model) = input_model(operation.name) {
            let service = services.entry(operation.service).or_insert_with(|| json!({}));
            service[operation.name] = model;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.json");
    std::fs::write(&file, serde_json::Value::Object(services).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/model_test.py");
    let output = tokio::process::Command::new(python)
        .arg(script)
        .env("MUSTER_TEST_MODEL", file)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The first script with our own agent, which really runs the commands. `MUSTER_TEST_AGENT` names its program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_agent_runs_what_amazons_clients_send() {
    let (Ok(python), Ok(program)) = (
        std::env::var("MUSTER_TEST_PYTHON"),
        std::env::var("MUSTER_TEST_AGENT"),
    ) else {
        return;
    };
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let stop = CancellationToken::new();
        let background = tokio::spawn(Arc::clone(&world.plane).run_background(stop.clone()));
        let snapshots = tempfile::tempdir().unwrap();
        let environment = [snapshot_command(snapshots.path())];
        let agent = RealAgent::start(&world, &program, address, &environment).await;
        let id = agent.id.clone();
        run_script_with(&world, "control_plane_test.py", &python, address, &id, "yes").await;
        // Windows open by the clock, which stands still unless somebody moves it.
        let clock = Arc::clone(&world.clock);
        let moved = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(50));
            loop {
                beat.tick().await;
                clock.advance(SystemClock.now().since_ms(clock.now()));
            }
        });
        run_script_with(&world, "windows_test.py", &python, address, &id, "yes").await;
        run_script_with(&world, "inventory_test.py", &python, address, &id, "yes").await;
        run_script_with(&world, "content_test.py", &python, address, &id, "yes").await;
        run_script_with(&world, "groups_test.py", &python, address, &id, "yes").await;
        run_script_with(&world, "automation_test.py", &python, address, &id, "yes").await;
        let mut script = run(&world, "snapshots_test.py", &python, address, &id).await;
        finished(script.env("MUSTER_TEST_SNAPSHOTS", snapshots.path())).await;
        moved.abort();
        stop.cancel();
        background.await.unwrap();
        agent.stop().await;
    })
    .await;
}

/// Our own agent scans and patches a root of packages that `make` makes, from a repository that it makes, by `script`.
async fn patched(make: &str, variables: usize, script: &str) {
    let (Ok(python), Ok(program)) = (
        std::env::var("MUSTER_TEST_PYTHON"),
        std::env::var("MUSTER_TEST_AGENT"),
    ) else {
        return;
    };
    on_both(|db| async {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let stop = CancellationToken::new();
        let background = tokio::spawn(Arc::clone(&world.plane).run_background(stop.clone()));
        let packages = tempfile::tempdir().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/python")
            .join(make);
        let made = tokio::process::Command::new(&python)
            .arg(path)
            .arg(packages.path())
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let environment: Vec<(String, String)> = String::from_utf8_lossy(&made.stdout)
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(
            environment.len(),
            variables,
            "the agent must not patch this machine itself"
        );
        let agent = RealAgent::start(&world, &program, address, &environment).await;
        let mut script = run(&world, script, &python, address, &agent.id).await;
        finished(script.envs(environment)).await;
        stop.cancel();
        background.await.unwrap();
        agent.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_agent_patches_by_what_amazons_clients_say() {
    patched("apt_root.py", 3, "patches_test.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_agent_patches_by_dnf() {
    patched("rpm_root.py", 3, "rpm_patches_test.py").await;
}
