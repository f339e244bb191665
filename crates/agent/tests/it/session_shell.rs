//! Shells: typing, sizes, users, ends, and nothing left behind.

use crate::agents::{Agent, lives, until};
use crate::gateway::Gateway;
use crate::leg::document;
use muster_session_channel::SessionType;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_shell_is_typed_at_and_ends_with_its_exit() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let started = shell.started().await;
    assert_eq!(
        (started.agent_version.as_str(), started.session_type),
        ("", SessionType::StandardStream),
        "no handshake, as AWS's agent begins a shell"
    );
    shell
        .send(b"echo $((6*7)) $TERM $LANG $MUSTER_SESSION_ID $PWD=$HOME\n")
        .await;
    let home = std::env::var("HOME").unwrap();
    shell
        .expect(&format!("42 xterm-256color C.UTF-8 s-1 {home}={home}\r\n"))
        .await;
    shell.send("echo wide: 日本 🦀 é\n".as_bytes()).await;
    shell.expect("\r\nwide: 日本 🦀 é\r\n").await;
    shell.send(b"stty size\n").await;
    shell.expect("30 100\r\n").await;
    shell.resize(211, 57);
    shell
        .send(b"stty size; tty; shopt -q login_shell; ps -o tpgid= -p $$\n")
        .await;
    shell.expect("57 211\r\n/dev/pts/").await;
    shell.send(b"echo last words; exit 3\n").await;
    let complete = gateway.completed("s-1").await;
    assert_eq!(
        (complete.final_task_status.as_str(), complete.output.as_str()),
        ("Success", "")
    );
    assert_eq!(
        (complete.retry_number, complete.instance_id.as_str()),
        (1, agent.node.as_str())
    );
    shell.expect("\r\nlast words\r\n").await;
    shell
        .wait("both states were told", |state| {
            (state.states == ["Connected", "Terminating"]).then_some(())
        })
        .await;
    let described = gateway
        .wait("it is described", |seen| seen.described.first().cloned())
        .await;
    assert_eq!(described.session_id, "s-1");
    until("the shell is gone", || !lives(&described.pid.to_string())).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_client_that_wants_a_handshake_learns_who_it_is() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let mut content = document(
        "InteractiveCommands",
        &json!({}),
        &json!({"linux": {"commands": "cat"}}),
    );
    content["Handshake"] = json!(true);
    let command = gateway.open(&agent.node, "s-1", &content);
    let started = command.started().await;
    assert_eq!(started.agent_version, "3.3.987.0");
    assert_eq!(started.session_type, SessionType::InteractiveCommands);
    assert!(started.properties["osUser"].is_string(), "{}", started.properties);
    command.send(b"quiet until now\n").await;
    command.expect("quiet until now\r\n").await;
    agent.stop().await;
}

#[tokio::test]
async fn control_c_ends_what_runs_and_background_processes_end_with_the_session() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let since = Instant::now();
    shell
        .send(b"sh -c 'echo go''ing; exec sleep 600'; echo code $?\n")
        .await;
    shell.expect("going\r\n").await;
    shell.send(b"\x03").await;
    // The interrupted list is given up; the prompt comes again.
    shell.expect("^C\r\n$ ").await;
    assert!(since.elapsed() < Duration::from_secs(10));
    shell.send(b"sleep 600 & nohup sleep 601 >/dev/null 2>&1 & (trap '' HUP TERM; sleep 602) & jobs -p; echo en''d\n").await;
    let shown = shell.expect("end\r\n").await;
    let pids: Vec<String> = shown
        .lines()
        .filter(|line| line.trim().parse::<u32>().is_ok())
        .map(str::to_owned)
        .collect();
    assert_eq!(pids.len(), 3, "{shown}");
    assert!(pids.iter().all(|pid| lives(pid)));
    shell.send(b"exit\n").await;
    gateway.completed("s-1").await;
    assert!(pids.iter().all(|pid| !lives(pid)), "{pids:?}");
    agent.stop().await;
}

#[tokio::test]
async fn a_session_is_closed_from_either_channel_within_two_seconds() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    for (session, on_data_channel) in [("s-1", true), ("s-2", false)] {
        let shell = gateway.shell(&agent.node, session).await;
        shell
            .send(b"trap '' HUP TERM INT; sleep 600 & echo $! $$; cat\n")
            .await;
        shell.expect("cat\r\n").await;
        let pids = shell.expect("\r\n").await;
        let since = Instant::now();
        if on_data_channel {
            shell.close();
        } else {
            let closed = json!({"MessageId": "m", "CreatedDate": "x", "DestinationId": agent.node,
                "SessionId": session, "MessageType": "channel_closed", "SchemaVersion": 1});
            gateway.send_message(&agent.node, "channel_closed", &closed);
        }
        let complete = gateway.completed(session).await;
        println!("closed after {:?}", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(2));
        assert_eq!(
            (complete.final_task_status.as_str(), complete.output.as_str()),
            ("Success", "")
        );
        for pid in pids.split_whitespace() {
            assert!(!lives(pid), "{pids:?}");
        }
    }
    agent.stop().await;
}

#[tokio::test]
async fn the_profile_is_typed_first() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let inputs = json!({"shellProfile": {"linux": "echo pro''file\nexec sh", "windows": "no"}});
    let shell = gateway.open(
        &agent.node,
        "s-1",
        &document("Standard_Stream", &inputs, &json!({})),
    );
    shell.expect("profile\r\n").await;
    shell.send(b"exit\n").await;
    gateway.completed("s-1").await;
    agent.stop().await;
}
