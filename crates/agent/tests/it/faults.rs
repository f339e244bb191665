//! What breaks: connections, control planes, agents, workers. Nothing is lost and nothing runs twice.

use crate::agents::{Agent, lives, until};
use crate::gateway::Gateway;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn output_survives_lost_connections_without_loss_or_repetition() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    gateway.set(|manners| manners.drop_after_bytes = Some(900_000));
    let line = "head -c 2000000 /dev/urandom > data; cat data";
    let step = json!([{"action": "aws:runShellScript", "name": "run",
        "inputs": {"runCommand": [line], "workingDirectory": agent.state.path()}}]);
    let job = gateway.send_steps(&agent.node, "c-1", step, json!({}));
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Success");
    assert!(gateway.inner.seen.lock().unwrap().opened.len() >= 3);
    let data = std::fs::read(agent.state.path().join("data")).unwrap();
    assert!(gateway.output(&job, "run", "stdout") == data);
    agent.stop().await;
}

#[tokio::test]
async fn results_wait_on_disk_while_the_control_plane_is_away() {
    let mut gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let gate = agent.state.path().join("gate");
    let line = format!(
        "while [ ! -e {} ]; do sleep 0.02; done; echo done",
        gate.display()
    );
    let job = gateway.send_script(&agent.node, "c-1", &[&line], 60);
    gateway.ack_of(&job, 0).await;
    gateway.go_away().await;
    std::fs::write(&gate, b"").unwrap();
    until("the command has ended", || {
        agent.job("c-1").join("result.json").exists()
    })
    .await;
    // Even when the agent is restarted meanwhile.
    agent.stop().await;
    gateway.come_back().await;
    agent.run(|_| {});
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.runtime_status.unwrap()["run"].standard_output, "done\n");
    assert_eq!(gateway.output(&job, "run", "stdout"), b"done\n");
    agent.stop().await;
}

#[tokio::test]
async fn a_reply_is_repeated_until_it_is_acknowledged() {
    let gateway = Gateway::start().await;
    gateway.set(|manners| manners.acks_replies = false);
    let mut agent = Agent::start_with(&gateway, |config| config.resend = Duration::from_millis(50)).await;
    let job = gateway.send_script(&agent.node, "c-1", &["true"], 60);
    gateway.last_reply(&job, 2).await;
    gateway.set(|manners| manners.acks_replies = true);
    until("the acknowledgement is kept", || {
        std::fs::read_to_string(agent.job("c-1").join("delivery.json"))
            .is_ok_and(|text| !text.contains("null"))
    })
    .await;
    agent.stop().await;
}

#[tokio::test]
async fn a_killed_agent_finds_its_running_command_again() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let mut process = agent.spawn();
    gateway.connected(&agent.node).await;
    let (gate, count) = (agent.state.path().join("gate"), agent.state.path().join("count"));
    let line = format!(
        "echo x >> {}; echo before; while [ ! -e {} ]; do sleep 0.02; done; echo after; exit 5",
        count.display(),
        gate.display()
    );
    let job = gateway.send_script(&agent.node, "c-1", &[&line], 60);
    let key = (job.clone(), "run".to_owned(), "stdout".to_owned());
    gateway
        .wait("it runs", |seen| seen.output.contains_key(&key).then_some(()))
        .await;
    process.kill().await.unwrap();
    gateway.disconnected().await;
    let mut second = agent.spawn();
    gateway.connected(&agent.node).await;
    // The control plane is not sure whether it arrived.
    gateway.send_script(&agent.node, "c-1", &[&line], 60);
    assert_eq!(gateway.ack_of(&job, 1).await.status_code, "51405");
    std::fs::write(&gate, b"").unwrap();
    let last = gateway.last_reply(&job, 0).await;
    let step = last.runtime_status.unwrap()["run"].clone();
    assert_eq!((step.status.as_str(), step.code), ("Failed", 5));
    assert_eq!(gateway.output(&job, "run", "stdout"), b"before\nafter\n");
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");
    second.kill().await.unwrap();
}

#[tokio::test]
async fn a_command_that_ended_while_the_agent_was_dead_is_reported() {
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let mut process = agent.spawn();
    gateway.connected(&agent.node).await;
    let gate = agent.state.path().join("gate");
    let line = format!(
        "while [ ! -e {} ]; do sleep 0.02; done; head -c 700000 /dev/zero",
        gate.display()
    );
    let job = gateway.send_script(&agent.node, "c-1", &[&line], 60);
    until("it runs", || agent.job("c-1").join("started").exists()).await;
    gateway.ack_of(&job, 0).await;
    process.kill().await.unwrap();
    std::fs::write(&gate, b"").unwrap();
    until("it has ended", || agent.job("c-1").join("result.json").exists()).await;
    gateway.disconnected().await;
    let mut second = agent.spawn();
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Success");
    assert!(gateway.output(&job, "run", "stdout") == vec![0; 700_000]);
    second.kill().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_was_killed_is_reported_and_not_repeated() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let count = agent.state.path().join("count");
    let line = format!("echo x >> {}; echo $PPID $$; sleep 600", count.display());
    let job = gateway.send_script(&agent.node, "c-1", &[&line], 600);
    let key = (job.clone(), "run".to_owned(), "stdout".to_owned());
    let pids = gateway
        .wait("it runs", |seen| seen.output.get(&key).cloned())
        .await;
    let pids = String::from_utf8(pids).unwrap();
    let (worker, script) = pids.trim().split_once(' ').unwrap();
    let kill = std::process::Command::new("kill")
        .args(["-9", worker])
        .status()
        .unwrap();
    assert!(kill.success());
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Failed");
    let step = last.runtime_status.unwrap()["run"].clone();
    assert!(
        step.standard_error.contains("was not run again"),
        "{}",
        step.standard_error
    );
    until("the script is gone too", || !lives(script)).await;
    agent.stop().await;
    gateway.disconnected().await;
    agent.run(|_| {});
    gateway.connected(&agent.node).await;
    let next = gateway.send_script(&agent.node, "c-2", &["echo next"], 60);
    assert_eq!(gateway.last_reply(&next, 0).await.document_status, "Success");
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");
    agent.stop().await;
}

#[tokio::test]
async fn commands_that_wait_survive_a_restart_and_start_once() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start_with(&gateway, |config| config.max_jobs = 1).await;
    let (gate, count) = (agent.state.path().join("gate"), agent.state.path().join("count"));
    let block = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    let first = gateway.send_script(&agent.node, "c-0", &[&block], 60);
    let line = format!("echo x >> {}", count.display());
    let mut waiting = Vec::new();
    for n in 1..=5 {
        let job = gateway.send_script(&agent.node, &format!("c-{n}"), &[&line], 60);
        gateway.ack_of(&job, 0).await;
        waiting.push(job);
    }
    until("the first runs", || agent.job("c-0").join("started").exists()).await;
    agent.stop().await;
    agent.run(|config| config.max_jobs = 2);
    std::fs::write(&gate, b"").unwrap();
    for job in waiting.iter().chain([&first]) {
        assert_eq!(gateway.last_reply(job, 0).await.document_status, "Success");
    }
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n".repeat(5));
    agent.stop().await;
}

#[tokio::test]
async fn output_has_a_ceiling() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start_with(&gateway, |config| config.output_cap_bytes = 1000).await;
    let job = gateway.send_script(&agent.node, "c-1", &["head -c 5000 /dev/zero; echo ok >&2"], 60);
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Success");
    let output = gateway.output(&job, "run", "stdout");
    assert_eq!(&output[..1000], vec![0; 1000]);
    assert!(String::from_utf8_lossy(&output[1000..]).contains("was not kept"));
    assert_eq!(gateway.output(&job, "run", "stderr"), b"ok\n");
    agent.stop().await;
}

/// Kills the agent again and again in the middle of many commands; the control plane delivers what was
/// not acknowledged, as it must.
#[tokio::test]
async fn however_often_the_agent_is_killed_everything_runs_exactly_once() {
    const COMMANDS: usize = 20;
    let gateway = Gateway::start().await;
    let agent = Agent::registered(&gateway).await;
    let counts = agent.state.path().join("counts");
    std::fs::create_dir(&counts).unwrap();
    let commands: Vec<String> = (0..COMMANDS).map(|n| format!("c-{n}")).collect();
    let ended = |job: &str, seen: &mut crate::gateway::Seen| {
        seen.replies
            .iter()
            .any(|(other, _, content)| other == job && content.document_status != "InProgress")
    };
    for round in 0..12_usize {
        let mut process = agent.spawn();
        gateway.connected(&agent.node).await;
        let mut jobs = Vec::new();
        for command in &commands {
            let job = muster_agent_protocol::control::job_id(command, &agent.node);
            if gateway
                .inner
                .seen
                .lock()
                .unwrap()
                .acks
                .iter()
                .all(|ack| ack.job_id != job)
            {
                let line = format!("echo x >> {}/{command}; echo {command}", counts.display());
                gateway.send_script(&agent.node, command, &[&line], 60);
            }
            jobs.push(job);
        }
        // Each round gets a little further; the last one to the end.
        let goal = if round == 11 {
            COMMANDS
        } else {
            (round * 2).min(COMMANDS)
        };
        gateway
            .wait("some commands have ended", |seen| {
                let count = jobs.iter().filter(|job| ended(job, seen)).count();
                (count >= goal).then_some(())
            })
            .await;
        process.kill().await.unwrap();
        gateway.disconnected().await;
    }
    for command in &commands {
        let job = muster_agent_protocol::control::job_id(command, &agent.node);
        assert_eq!(
            gateway.last_reply(&job, 0).await.document_status,
            "Success",
            "{command}"
        );
        assert_eq!(
            gateway.output(&job, "run", "stdout"),
            format!("{command}\n").as_bytes()
        );
        assert_eq!(
            std::fs::read_to_string(counts.join(command)).unwrap(),
            "x\n",
            "{command}"
        );
    }
}
