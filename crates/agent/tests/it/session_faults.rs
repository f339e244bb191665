//! Sessions on bad days: lost connections, silent gateways, floods, garbage, stops.

use crate::agents::{Agent, lives, until};
use crate::gateway::Gateway;
use crate::leg::{Leg, document};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

const MEBI: usize = 1 << 20;

/// Makes a file of random bytes, and the shell write it to its terminal between two marks.
async fn flood(shell: &Arc<Leg>, file: &Path, mebibytes: usize) -> Vec<u8> {
    let path = file.display();
    let make = format!(
        "head -c {} /dev/urandom > {path}; stty raw -echo; echo ma''de\n",
        mebibytes * MEBI
    );
    shell.send(make.as_bytes()).await;
    shell.expect("made\n").await;
    shell
        .send(format!("printf be''gin; cat {path}; printf e''nd; stty sane\n").as_bytes())
        .await;
    std::fs::read(file).unwrap()
}

async fn all_of_it(shell: &Leg, data: &[u8]) {
    shell.expect("begin").await;
    let shown = shell
        .wait("all of it is shown", |state| {
            (state.output.len() >= data.len() + 3)
                .then(|| state.output.drain(..data.len() + 3).collect::<Vec<u8>>())
        })
        .await;
    assert!(
        shown[..data.len()] == *data && shown.ends_with(b"end"),
        "something is lost or doubled"
    );
}

fn resident_kib(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_flood_to_a_slow_gateway_stays_bounded_and_whole() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let process = agent.spawn();
    gateway.connected(&agent.node).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let pid = process.id().unwrap();
    let before = resident_kib(pid);
    shell.slow_after(256);
    let since = std::time::Instant::now();
    let data = flood(&shell, &agent.state.path().join("data"), 50).await;
    all_of_it(&shell, &data).await;
    println!("50 MiB after {:?}", since.elapsed());
    // And one that takes nothing at all for a while.
    let data = flood_held(&shell, &agent.state.path().join("data")).await;
    all_of_it(&shell, &data).await;
    let grown = resident_kib(pid) - before;
    println!("grown by {grown} KiB");
    assert!(grown < 16 * 1024, "{grown} KiB");
    drop(process);
}

/// Floods while nothing is read, until the program is stuck in its write.
async fn flood_held(shell: &Arc<Leg>, file: &Path) -> Vec<u8> {
    let mark = file.with_extension("pid");
    let data = std::fs::read(file).unwrap();
    let line = format!(
        "stty raw -echo; printf be''gin; sh -c 'echo $$ > {}; exec cat {}'; printf e''nd; stty sane\n",
        mark.display(),
        file.display()
    );
    shell.send(line.as_bytes()).await;
    shell
        .wait("it begins", |state| {
            let begins = state.output.windows(5).any(|window| window == b"begin");
            begins.then_some(())
        })
        .await;
    shell.hold(true);
    until("cat is stuck", || {
        let pid = std::fs::read_to_string(&mark).unwrap_or_default();
        let at = std::fs::read_to_string(format!("/proc/{}/wchan", pid.trim())).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        at.contains("n_tty_write") || stat.contains(") S ")
    })
    .await;
    shell.hold(false);
    data
}

#[tokio::test]
async fn output_goes_on_byte_for_byte_over_lost_connections() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let data = flood(&shell, &agent.state.path().join("data"), 8).await;
    shell.expect("begin").await;
    for n in 1..=4 {
        shell
            .wait("some has come", |state| {
                (state.output.len() > n * MEBI).then_some(())
            })
            .await;
        shell.drop_connection();
        let connections = u32::try_from(n).unwrap() + 1;
        shell
            .wait("it is back", |state| {
                (state.connections >= connections).then_some(())
            })
            .await;
    }
    shell
        .wait("all of it is shown", |state| {
            (state.output.len() >= data.len() + 3).then_some(())
        })
        .await;
    let shown = shell.with(|state| state.output.drain(..data.len() + 3).collect::<Vec<u8>>());
    assert!(shown[..data.len()] == data && shown.ends_with(b"end"));
    // Input survives as well.
    shell.drop_connection();
    shell.send(b"echo st''ill\n").await;
    shell.expect("still\r\n").await;
    let states = shell.with(|state| state.states.clone());
    assert_eq!(states, ["Connected"]);
    agent.stop().await;
}

#[tokio::test]
async fn sessions_outlive_their_gateway() {
    let mut gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let other = gateway.shell(&agent.node, "s-2").await;
    let gate = agent.state.path().join("gate");
    let line = format!(
        "until [ -e {} ]; do sleep 0.02; done; echo mean''while\n",
        gate.display()
    );
    shell.send(line.as_bytes()).await;
    shell.expect("\r\n").await;
    gateway.go_away().await;
    shell
        .wait("it is gone", |state| (!state.is_connected).then_some(()))
        .await;
    std::fs::write(&gate, b"").unwrap();
    other.with(|state| assert!(!state.is_connected));
    gateway.come_back().await;
    gateway.connected(&agent.node).await;
    shell.expect("meanwhile\r\n").await;
    other.send(b"echo al''so\n").await;
    other.expect("also\r\n").await;
    // Asked for again, as a control plane does that does not know whether it was heard: nothing is started.
    let content = document("Standard_Stream", &json!({}), &json!({}));
    gateway.ask(&agent.node, "s-1", &content);
    shell.send(b"echo the sa''me\nexit\n").await;
    shell.expect("the same\r\n").await;
    gateway.completed("s-1").await;
    // A session that the gateway has forgotten does not linger.
    other.terminate();
    other.drop_connection();
    assert_eq!(gateway.completed("s-2").await.final_task_status, "Success");
    agent.stop().await;
}

#[tokio::test]
async fn an_end_is_told_until_it_is_heard() {
    let gateway = Gateway::start().await;
    gateway.set(|manners| manners.acks_ends = false);
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    shell.send(b"exit\n").await;
    let tries = |count: usize| {
        gateway.wait("it is told", move |seen| {
            (seen.completed.len() >= count).then(|| seen.completed.clone())
        })
    };
    let numbers: Vec<u32> = tries(3)
        .await
        .iter()
        .map(|complete| complete.retry_number)
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    gateway.set(|manners| manners.acks_ends = true);
    gateway.drop_channels();
    assert_eq!(tries(4).await[3].retry_number, 1);
    // Whoever asks again has missed it.
    gateway.connected(&agent.node).await;
    gateway.ask(
        &agent.node,
        "s-1",
        &document("Standard_Stream", &json!({}), &json!({})),
    );
    assert_eq!(tries(5).await[4].final_task_status, "Success");
    let created = gateway
        .wait("looked", |seen| seen.created.get("s-1").copied())
        .await;
    assert_eq!(created, 1);
    agent.stop().await;
}

#[tokio::test]
async fn a_stopped_agent_ends_its_sessions_and_says_so() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let mut process = agent.spawn();
    gateway.connected(&agent.node).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    shell.send(b"(trap '' HUP; sleep 600) & echo pids $! $$\n").await;
    shell.expect("\r\npids").await;
    let pids = shell.expect("\r\n").await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(process.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let complete = gateway.completed("s-1").await;
    assert_eq!(complete.output, "The agent on the node stopped.");
    assert!(process.wait().await.unwrap().success());
    for pid in pids.split_whitespace() {
        assert!(!lives(pid), "{pids}");
    }
}

#[tokio::test]
async fn the_next_agent_ends_what_a_killed_one_has_left() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::registered(&gateway).await;
    let mut process = agent.spawn();
    gateway.connected(&agent.node).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    shell
        .send(b"(trap '' HUP; exec sleep 600) & echo pids $! $$\n")
        .await;
    shell.expect("\r\npids").await;
    let pids = shell.expect("\r\n").await;
    process.kill().await.unwrap();
    gateway.disconnected().await;
    let (left, _) = pids.trim().split_once(' ').unwrap();
    assert!(lives(left));
    agent.run(|_| {});
    let complete = gateway.completed("s-1").await;
    assert_eq!(complete.final_task_status, "Failed");
    assert!(
        complete.output.contains("ended unexpectedly"),
        "{}",
        complete.output
    );
    for pid in pids.split_whitespace() {
        until("its processes are gone", || !lives(pid)).await;
    }
    let notes = agent.state.path().join("sessions");
    until("its note is gone", || {
        std::fs::read_dir(&notes).unwrap().count() == 0
    })
    .await;
    agent.stop().await;
}

#[tokio::test]
async fn twenty_sessions_do_not_hear_each_other_and_the_next_is_refused() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start_with(&gateway, |config| config.max_sessions = 20).await;
    let names: Vec<String> = (0..20).map(|n| format!("s-{n}")).collect();
    let shells = futures::future::join_all(names.iter().map(|name| gateway.shell(&agent.node, name))).await;
    gateway.open(
        &agent.node,
        "s-20",
        &document("Standard_Stream", &json!({}), &json!({})),
    );
    let refused = gateway.completed("s-20").await;
    assert_eq!(refused.final_task_status, "Failed");
    assert!(refused.output.contains("20 open sessions"), "{}", refused.output);
    let talk = shells.iter().enumerate().map(|(n, shell)| async move {
        let line =
            format!("stty -echo; PS1=; echo; for i in $(seq 500); do echo n{n}-$i; done; echo fin''ished\n");
        shell.send(line.as_bytes()).await;
        let shown = shell.expect("finished\r\n").await;
        let (_, shown) = shown.split_once("\r\nn").unwrap();
        let expected: String = (1..=500).map(|i| format!("n{n}-{i}\r\n")).collect();
        assert_eq!(format!("n{shown}"), format!("{expected}finished\r\n"));
        shell.send(b"exit\n").await;
    });
    futures::future::join_all(talk).await;
    for name in &names {
        gateway.completed(name).await;
    }
    // There is room again.
    gateway.shell(&agent.node, "s-21").await;
    agent.stop().await;
}

#[tokio::test]
async fn garbage_ends_at_most_its_own_session() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let victim = gateway.shell(&agent.node, "s-1").await;
    let other = gateway.shell(&agent.node, "s-2").await;
    for length in [1, 7, 119, 120, 121, 4000] {
        victim.send_raw(vec![0xff; length]);
        victim.send_raw(vec![0; length]);
    }
    victim.send(b"echo un''harmed\n").await;
    victim.expect("unharmed\r\n").await;
    for n in 0..200 {
        victim.send_raw(vec![n; 130]);
    }
    let complete = gateway.completed("s-1").await;
    assert_eq!(complete.final_task_status, "Failed");
    assert!(complete.output.contains("broken messages"), "{}", complete.output);
    for payload in [
        json!(7),
        json!({"TaskId": "../x", "Content": "{}"}),
        json!({"SchemaVersion": 1, "TaskId": "a/b",
        "Topic": "", "Content": "{}"}),
    ] {
        gateway.send_message(&agent.node, "interactive_shell", &payload);
        gateway.send_message(&agent.node, "channel_closed", &payload);
        gateway.send_message(&agent.node, "agent_task_acknowledge", &payload);
    }
    other.send(b"echo fi''ne\n").await;
    other.expect("fine\r\n").await;
    agent.stop().await;
}
