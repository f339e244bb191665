//! Becoming a node: registering, reporting, and being refused with the reason.

use crate::agents::{Agent, PROGRAM, config, registration};
use crate::gateway::{ACTIVATION_CODE, ACTIVATION_ID, Gateway, REGION};
use muster_agent::{AgentError, register};
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_node_registers_reports_itself_and_opens_its_channel() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let (short, full) = gateway
        .wait("both reports came", |seen| match seen.information.as_slice() {
            [short, full, ..] => Some((short.clone(), full.clone())),
            _ => None,
        })
        .await;
    assert_eq!(short.instance_id, agent.node);
    assert_eq!(
        (short.agent_name.as_str(), short.platform_type.as_str()),
        ("muster-agent", "Linux")
    );
    assert!(short.computer_name.is_none());
    assert!(full.computer_name.is_some() && full.platform_name.is_some() && full.ip_address.is_some());
    agent.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let gateway = Gateway::start().await;
    let state = tempfile::tempdir().unwrap();
    let config = config(state.path());
    let mut wrong = registration(&gateway);
    wrong.activation_code = "another-code-another".into();
    let error = register(&config, &wrong).await.unwrap_err().to_string();
    assert!(
        error.contains("InvalidActivation") && error.contains("make a new one"),
        "{error}"
    );
    assert!(!error.contains("another-code"), "{error}");

    let error = muster_agent::run(config.clone(), CancellationToken::new())
        .await
        .unwrap_err();
    assert!(matches!(error, AgentError::NotRegistered { .. }), "{error}");

    let first = register(&config, &registration(&gateway)).await.unwrap();
    let error = register(&config, &registration(&gateway))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(first.as_str()) && error.contains("--force"),
        "{error}"
    );
    let forced = muster_agent::Registration {
        force: true,
        ..registration(&gateway)
    };
    assert_ne!(register(&config, &forced).await.unwrap(), first);

    let nobody = muster_agent::Registration {
        endpoint: "http://127.0.0.1:1".into(),
        ..forced
    };
    let error = register(&config, &nobody).await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1 cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_second_agent_on_the_same_directory_is_refused() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let error = muster_agent::run(config(agent.state.path()), CancellationToken::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("another agent") && error.contains("--state-dir"),
        "{error}"
    );
    agent.stop().await;
}

#[tokio::test]
async fn the_code_may_come_through_standard_input() {
    let gateway = Gateway::start().await;
    let state = tempfile::tempdir().unwrap();
    let mut child = tokio::process::Command::new(PROGRAM)
        .args(["register", "--endpoint", &gateway.endpoint(), "--region", REGION])
        .args([
            "--activation-id",
            ACTIVATION_ID,
            "--activation-code",
            "-",
            "--state-dir",
        ])
        .arg(state.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(format!("{ACTIVATION_CODE}\n").as_bytes())
        .await
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("Registered as mi-")
    );
}

#[tokio::test]
async fn help_teaches() {
    for (arguments, expected) in [
        (vec!["--help"], "register"),
        (vec!["register", "--help"], "--activation-code -"),
        (vec!["run", "--help"], "KillMode=process"),
    ] {
        let output = tokio::process::Command::new(PROGRAM)
            .args(&arguments)
            .output()
            .await
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("worker"), "the hidden command shows");
    }
}
