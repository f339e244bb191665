//! Commands that ask for a reboot: the machine is a process namespace of its own here, whose first process is the agent, so
//! that it really goes down with everything in it and comes up as another start.

use crate::agents::{Agent, PROGRAM, until};
use crate::gateway::Gateway;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tokio::process::{Child, Command};

/// A program that notes that it was called, with what `also` prints, and ends the machine.
fn power_switch(agent: &Agent, also: &str) -> PathBuf {
    let path = agent.state.path().join("reboot.sh");
    let calls = agent.state.path().join("reboots");
    let text = format!(
        "#!/bin/sh\necho rebooted $({also}) >> {}\nkill -TERM 1\n",
        calls.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn reboots(agent: &Agent) -> String {
    std::fs::read_to_string(agent.state.path().join("reboots")).unwrap_or_default()
}

/// Starts the machine.
fn machine(agent: &Agent) -> Child {
    let mut command = Command::new("unshare");
    // Even root may need a user namespace of its own for it, in a container.
    let may = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .stderr(std::process::Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .args([PROGRAM, "run", "--state-dir"])
        .arg(agent.state.path())
        .arg("--reboot-command")
        .arg(agent.state.path().join("reboot.sh"))
        .env("MUSTER_LOG", "warn")
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn shell(name: &str, line: &str) -> Value {
    json!({"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": [line]}})
}

/// A line that asks for a reboot the first time.
fn asks_once(agent: &Agent) -> String {
    let flag = agent.state.path().join("asked");
    let flag = flag.display();
    format!("if [ ! -e {flag} ]; then touch {flag}; echo asking; exit 194; fi; echo again")
}

#[tokio::test]
async fn a_step_that_asks_for_a_reboot_is_run_again_after_it_and_no_other() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    power_switch(&agent, "true");
    let count = agent.state.path().join("count");
    let counts = |word: &str| format!("echo {word} >> {}", count.display());
    let nested = json!({"schemaVersion": "2.2", "mainSteps":
        [shell("within", &counts("within")), shell("asks", &asks_once(&agent))]});
    let steps = json!([
        shell("before", &counts("before")),
        {"action": "aws:runDocument", "name": "middle", "inputs":
            {"documentType": "SSMDocument", "documentPath": "Other", "musterDocument": nested}},
        shell("after", &counts("after")),
    ]);
    let mut first = machine(&agent);
    gateway.connected(&agent.node).await;
    let job = gateway.send_steps(&agent.node, "c-1", steps, json!({}));
    first.wait().await.unwrap();
    assert_eq!(reboots(&agent), "rebooted\n");
    let _second = machine(&agent);
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Success");
    assert_eq!(
        std::fs::read_to_string(&count).unwrap(),
        "before\nwithin\nafter\n"
    );
    assert_eq!(gateway.output(&job, "middle", "stdout"), b"asking\nagain\n");
    assert_eq!(reboots(&agent), "rebooted\n");
}

#[tokio::test]
async fn others_end_before_the_machine_goes_down() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let other = agent.job("c-2").join("result.json");
    power_switch(&agent, &format!("test -e {} && echo in peace", other.display()));
    let gate = agent.state.path().join("gate");
    let waits = format!(
        "echo there; while [ ! -e {} ]; do sleep 0.02; done",
        gate.display()
    );
    let mut first = machine(&agent);
    gateway.connected(&agent.node).await;
    let second_job = gateway.send_script(&agent.node, "c-2", &[&waits], 60);
    let key = (second_job.clone(), "run".to_owned(), "stdout".to_owned());
    gateway
        .wait("it runs", |seen| seen.output.contains_key(&key).then_some(()))
        .await;
    let job = gateway.send_script(&agent.node, "c-1", &[&asks_once(&agent)], 60);
    until("the reboot is asked for", || {
        agent.job("c-1").join("reboot.json").exists()
    })
    .await;
    // Another one that only waits, and is not begun before.
    let third_job = gateway.send_script(&agent.node, "c-3", &["echo third"], 60);
    gateway.ack_of(&third_job, 0).await;
    std::fs::write(&gate, b"").unwrap();
    first.wait().await.unwrap();
    assert_eq!(reboots(&agent), "rebooted in peace\n");
    let _second = machine(&agent);
    for job in [&job, &second_job, &third_job] {
        assert_eq!(
            gateway.last_reply(job, 0).await.document_status,
            "Success",
            "{job}"
        );
    }
}

#[tokio::test]
async fn a_command_that_an_earlier_agent_has_started_ends_before_too() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let other = agent.job("c-2").join("result.json");
    let switch = power_switch(&agent, &format!("test -e {} && echo in peace", other.display()));
    // It only notes that it was called.
    let text = std::fs::read_to_string(&switch)
        .unwrap()
        .replace("kill -TERM 1", "true");
    std::fs::write(&switch, text).unwrap();
    let start = || {
        Command::new(PROGRAM)
            .args(["run", "--state-dir"])
            .arg(agent.state.path())
            .arg("--reboot-command")
            .arg(&switch)
            .env("MUSTER_LOG", "warn")
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let gate = agent.state.path().join("gate");
    let waits = format!(
        "echo there; while [ ! -e {} ]; do sleep 0.02; done",
        gate.display()
    );
    let mut first = start();
    gateway.connected(&agent.node).await;
    let job = gateway.send_script(&agent.node, "c-2", &[&waits], 60);
    let key = (job.clone(), "run".to_owned(), "stdout".to_owned());
    gateway
        .wait("it runs", |seen| seen.output.contains_key(&key).then_some(()))
        .await;
    first.kill().await.unwrap();
    gateway.disconnected().await;
    let mut second = start();
    gateway.connected(&agent.node).await;
    gateway.send_script(&agent.node, "c-1", &["exit 194"], 60);
    until("the reboot is asked for", || {
        agent.job("c-1").join("reboot.json").exists()
    })
    .await;
    std::fs::write(&gate, b"").unwrap();
    until("it is rebooted", || !reboots(&agent).is_empty()).await;
    assert_eq!(reboots(&agent), "rebooted in peace\n");
    second.kill().await.unwrap();
}

#[tokio::test]
async fn a_cancelled_command_reboots_nothing() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start_with(&gateway, |config| {
        config.reboot_command = Some("/bin/false".into())
    })
    .await;
    let gate = agent.state.path().join("gate");
    let waits = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    let other = gateway.send_script(&agent.node, "c-2", &[&waits], 60);
    until("it runs", || agent.job("c-2").join("started").exists()).await;
    let job = gateway.send_script(&agent.node, "c-1", &["exit 194"], 60);
    until("the reboot is asked for", || {
        agent.job("c-1").join("reboot.json").exists()
    })
    .await;
    gateway.cancel(&agent.node, "c-1", "cancel-1");
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Cancelled");
    std::fs::write(&gate, b"").unwrap();
    assert_eq!(gateway.last_reply(&other, 0).await.document_status, "Success");
    // With nothing that calls it off, it is tried, and why it fails is told.
    let job = gateway.send_script(&agent.node, "c-4", &["exit 194"], 60);
    let last = gateway.last_reply(&job, 0).await;
    let step = last.runtime_status.unwrap()["run"].clone();
    assert_eq!((step.status.as_str(), step.code), ("Failed", 194));
    assert!(
        step.standard_error.contains("/bin/false failed"),
        "{}",
        step.standard_error
    );
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_may_not_reboot_says_so_and_one_that_always_asks_is_ended() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let job = gateway.send_script(&agent.node, "c-1", &["exit 194"], 60);
    let last = gateway.last_reply(&job, 0).await;
    let step = last.runtime_status.unwrap()["run"].clone();
    assert!(
        step.standard_error.contains("may not reboot it"),
        "{}",
        step.standard_error
    );
    agent.stop().await;
    gateway.disconnected().await;

    power_switch(&agent, "true");
    let mut running = machine(&agent);
    gateway.connected(&agent.node).await;
    let job = gateway.send_script(&agent.node, "c-2", &["exit 194"], 60);
    for _ in 0..10 {
        running.wait().await.unwrap();
        running = machine(&agent);
    }
    let last = gateway.last_reply(&job, 0).await;
    let step = last.runtime_status.unwrap()["run"].clone();
    assert!(
        step.standard_error.contains("after 10 of them"),
        "{}",
        step.standard_error
    );
    assert_eq!(reboots(&agent).lines().count(), 10);
}
