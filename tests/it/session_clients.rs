//! Sessions between ends that share no code: clients that others have written against AWS's own service, and a client
//! and a gateway in Python that were written from the description of the wire alone, with the built program, its
//! endpoint and its agent. Runs where `MUSTER_TEST_PYTHON` names a Python with what `tests/python/requirements.txt` says.

use muster_tests::one_node::OneNode;
use muster_tests::portal::program;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Runs a script of `tests/python` with these variables.
async fn run(python: &str, script: &str, variables: &[(&str, &str)]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
    // A file, so that what it said is told as well when it does not end.
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut process = tokio::process::Command::new(python)
        .arg(&script)
        .env("PYTHONUNBUFFERED", "1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(File::options().append(true).open(said.path()).unwrap())
        .stderr(File::options().append(true).open(said.path()).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(240), process.wait()).await;
    let succeeded = matches!(&ended, Ok(Ok(status)) if status.success());
    let said = String::from_utf8_lossy(&std::fs::read(said.path()).unwrap()).into_owned();
    assert!(succeeded, "{ended:?}\n{said}");
}

/// Runs a script against a portal with this machine as its node.
async fn run_with_node(script: &str) {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let OneNode { portal, node, .. } = OneNode::start(folder.path(), &[]).await.unwrap();
    let (code, keys) = portal.command(&["keys"]).unwrap();
    assert_eq!(code, 0, "{keys}");
    let mut variables: Vec<_> = keys
        .lines()
        .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
        .filter(|(name, _)| !name.starts_with("AWS_ENDPOINT"))
        .collect();
    variables.push(("MUSTER_TEST_ENDPOINT", &portal.ssm));
    variables.push(("MUSTER_TEST_NODE", &node));
    run(&python, script, &variables).await;
}

#[tokio::test]
async fn clients_that_others_have_written_are_served_unchanged() {
    // Set wherever the Python is; the script says so where it is not.
    run_with_node("others_clients_test.py").await;
}

#[tokio::test]
async fn a_client_that_shares_no_code_with_ours_has_sessions_on_a_real_node() {
    run_with_node("real_sessions_test.py").await;
}

#[tokio::test]
async fn the_agent_serves_a_gateway_that_shares_no_code_with_ours() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    let program = program().unwrap();
    let variables = [("MUSTER_TEST_PROGRAM", program.to_str().unwrap())];
    run(&python, "gateway_test.py", &variables).await;
}
