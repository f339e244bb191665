//! Commands on a healthy connection: output, codes, steps, time limits, cancelling.

use crate::agents::{Agent, lives, until};
use crate::gateway::Gateway;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_script_runs_and_all_of_it_is_reported() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let lines = [
        "echo out; echo err >&2",
        "echo $AWS_SSM_INSTANCE_ID/$AWS_SSM_REGION_NAME",
        "exit 3",
    ];
    let job = gateway.send_script(&agent.node, "c-1", &lines, 60);
    let ack = gateway.ack_of(&job, 0).await;
    assert_eq!(
        (ack.status_code.as_str(), ack.error_message.as_str()),
        ("200", "Successful")
    );
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Failed");
    let step = last.runtime_status.unwrap()["run"].clone();
    assert_eq!(
        (step.status.as_str(), step.code, step.name.as_str()),
        ("Failed", 3, "aws:runShellScript")
    );
    let expected = format!("out\n{}/eu-west-1\n", agent.node);
    assert_eq!(step.standard_output, expected);
    assert_eq!(step.standard_error, "err\nfailed to run commands: exit status 3");
    assert_eq!(
        step.output,
        format!("{expected}\n----------ERROR-------\n{}", step.standard_error)
    );
    assert_eq!(gateway.output(&job, "run", "stdout"), expected.as_bytes());
    assert_eq!(
        gateway.output(&job, "run", "stderr"),
        step.standard_error.as_bytes()
    );
    let order: Vec<(String, bool)> = gateway
        .inner
        .seen
        .lock()
        .unwrap()
        .replies
        .iter()
        .map(|(_, _, content)| (content.document_status.clone(), content.runtime_status.is_some()))
        .collect();
    let expected = [("InProgress", false), ("InProgress", true), ("Failed", true)];
    assert_eq!(order, expected.map(|(status, steps)| (status.to_owned(), steps)));
    agent.stop().await;
}

#[tokio::test]
async fn first_output_leaves_at_once_while_the_script_goes_on() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let gate = agent.state.path().join("gate");
    let line = format!(
        "echo first; while [ ! -e {} ]; do sleep 0.02; done; printf last",
        gate.display()
    );
    let since = Instant::now();
    let job = gateway.send_script(&agent.node, "c-1", &[&line], 60);
    let key = (job.clone(), "run".to_owned(), "stdout".to_owned());
    gateway
        .wait("the first line is there", |seen| {
            (seen.output.get(&key).map(Vec::as_slice) == Some(b"first\n")).then_some(())
        })
        .await;
    println!("first output after {:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(2));
    std::fs::write(&gate, b"").unwrap();
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Success");
    assert_eq!(gateway.output(&job, "run", "stdout"), b"first\nlast");
    agent.stop().await;
}

#[tokio::test]
async fn ten_megabytes_arrive_byte_for_byte_within_the_window() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let line = "head -c 10485760 /dev/urandom > data; cat data; cat data | head -c 100000 >&2";
    let step = json!([{"action": "aws:runShellScript", "name": "run",
        "inputs": {"runCommand": [line], "workingDirectory": agent.state.path()}}]);
    let since = Instant::now();
    let job = gateway.send_steps(&agent.node, "c-1", step, json!({}));
    let last = gateway.last_reply(&job, 0).await;
    println!("10 MiB after {:?}", since.elapsed());
    let data = std::fs::read(agent.state.path().join("data")).unwrap();
    assert!(gateway.output(&job, "run", "stdout") == data);
    assert!(gateway.output(&job, "run", "stderr") == data[..100_000]);
    let step = last.runtime_status.unwrap()["run"].clone();
    assert_eq!(step.standard_output.chars().count(), 24_000);
    assert_eq!(step.standard_error.chars().count(), 8_000);
    assert!(step.output.chars().count() <= 2_500);
    agent.stop().await;
}

#[tokio::test]
async fn without_the_addition_it_behaves_like_amazons_agent() {
    let gateway = Gateway::start().await;
    gateway.set(|manners| manners.speaks_output = false);
    let mut agent = Agent::start(&gateway).await;
    let job = gateway.send_script(&agent.node, "c-1", &["printf plain"], 60);
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.runtime_status.unwrap()["run"].standard_output, "plain");
    assert_eq!(gateway.output(&job, "run", "stdout"), b"");
    agent.stop().await;
}

#[tokio::test]
async fn a_time_limit_ends_the_whole_group() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let lines = [
        "trap '' TERM",
        "(sh -c 'trap \"\" TERM; while :; do sleep 1; done') &",
        "echo $!",
        "wait",
    ];
    let job = gateway.send_script(&agent.node, "c-1", &lines, 1);
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "TimedOut");
    let step = last.runtime_status.unwrap()["run"].clone();
    assert_eq!((step.status.as_str(), step.code), ("TimedOut", 137));
    assert!(
        step.standard_error.contains("longer than its 1 seconds"),
        "{}",
        step.standard_error
    );
    until("the grandchild is gone", || !lives(&step.standard_output)).await;
    agent.stop().await;
}

#[tokio::test]
async fn children_left_behind_do_not_hold_the_command() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let since = Instant::now();
    let job = gateway.send_script(&agent.node, "c-1", &["sleep 600 & echo $!"], 600);
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Success");
    assert!(since.elapsed() < Duration::from_secs(10));
    let pid = last.runtime_status.unwrap()["run"].standard_output.clone();
    until("the child is gone", || !lives(&pid)).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_process_that_left_the_group_holds_nothing_up() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let since = Instant::now();
    let job = gateway.send_script(&agent.node, "c-1", &["setsid sleep 30 & echo started"], 600);
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Success");
    assert!(since.elapsed() < Duration::from_secs(10));
    assert_eq!(gateway.output(&job, "run", "stdout"), b"started\n");
    agent.stop().await;
}

#[tokio::test]
async fn a_running_command_is_cancelled_and_a_waiting_one_never_starts() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start_with(&gateway, |config| config.max_jobs = 1).await;
    let mark = agent.state.path().join("ran");
    let first = gateway.send_script(&agent.node, "c-1", &["sleep 600 & echo $$ $!; wait"], 600);
    let key = (first.clone(), "run".to_owned(), "stdout".to_owned());
    let pids = gateway
        .wait("it runs", |seen| seen.output.get(&key).cloned())
        .await;
    let second = gateway.send_script(&agent.node, "c-2", &[&format!("touch {}", mark.display())], 600);
    assert_eq!(gateway.ack_of(&second, 0).await.status_code, "200");
    let cancel = gateway.cancel(&agent.node, "c-2", "x-2");
    assert_eq!(gateway.ack_of(&cancel, 0).await.status_code, "200");
    assert_eq!(gateway.last_reply(&second, 0).await.document_status, "Cancelled");
    gateway.cancel(&agent.node, "c-1", "x-1");
    let last = gateway.last_reply(&first, 0).await;
    assert_eq!(last.document_status, "Cancelled");
    assert_eq!(last.runtime_status.unwrap()["run"].code, 137);
    for pid in String::from_utf8(pids).unwrap().split_whitespace() {
        until("its processes are gone", || !lives(pid)).await;
    }
    assert!(!mark.exists());
    let topics: Vec<String> = gateway
        .inner
        .seen
        .lock()
        .unwrap()
        .replies
        .iter()
        .filter(|(job, _, _)| *job == cancel)
        .map(|(_, topic, _)| topic.clone())
        .collect();
    assert_eq!(topics, ["aws.ssm.cancelCommand"]);
    // One that nobody knows is acknowledged, and that is all.
    let unknown = gateway.cancel(&agent.node, "c-9", "x-9");
    assert_eq!(gateway.ack_of(&unknown, 0).await.status_code, "200");
    agent.stop().await;
}

#[tokio::test]
async fn several_steps_go_in_order_and_are_judged_each() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let windows = json!({"StringEquals": ["platformType", "Windows"]});
    let steps = json!([
        {"action": "aws:runPowerShellScript", "name": "ps", "precondition": windows, "inputs": {"runCommand": ["x"]}},
        {"action": "aws:runDocument", "name": "doc", "precondition": windows, "inputs": {}},
        {"action": "aws:configurePackage", "name": "package", "inputs": {}},
        {"action": "aws:runShellScript", "name": "py", "inputs": {"runCommand": ["#!/usr/bin/env -S sh -e", "false", "echo no"]}},
        {"action": "aws:runShellScript", "name": "dir", "inputs": {"runCommand": ["pwd"], "workingDirectory": "/no/such"}},
        {"action": "aws:runShellScript", "name": "reboot", "inputs": {"runCommand": ["exit 194"]}},
        {"action": "aws:runShellScript", "name": "killed", "inputs": {"runCommand": ["kill -9 $$"]}},
        {"action": "aws:runShellScript", "name": "stop", "onFailure": "exit", "inputs": {"runCommand": ["exit 7"]}},
        {"action": "aws:runShellScript", "name": "never", "inputs": {"runCommand": ["echo never"]}},
        {"action": "aws:runShellScript", "name": "always", "inputs": {"runCommand": ["exit 4"], "finallyStep": true}},
    ]);
    let job = gateway.send_steps(&agent.node, "c-1", steps, json!({}));
    let last = gateway.last_reply(&job, 0).await;
    assert_eq!(last.document_status, "Failed");
    assert!(last.runtime_status.unwrap().is_empty());
    let mut found = Vec::new();
    for (_, _, content) in &gateway.inner.seen.lock().unwrap().replies {
        for (name, step) in content.runtime_status.iter().flatten() {
            found.push((
                name.clone(),
                step.status.clone(),
                step.code,
                step.standard_error.clone(),
            ));
        }
    }
    let short: Vec<(&str, &str, i32)> = found
        .iter()
        .map(|(name, status, code, _)| (name.as_str(), status.as_str(), *code))
        .collect();
    assert_eq!(
        short,
        [
            ("ps", "Skipped", 0),
            ("doc", "Skipped", 0),
            ("package", "Failed", 1),
            ("py", "Failed", 1),
            ("dir", "Failed", 1),
            ("reboot", "Failed", 194),
            ("killed", "Failed", 137),
            ("stop", "Failed", 7),
            ("never", "Skipped", 0),
            ("always", "Failed", 4),
        ]
    );
    assert!(found[2].3.contains("no plugin aws:configurePackage"));
    assert!(found[4].3.contains("/no/such does not exist"));
    assert!(found[5].3.contains("may not reboot it"));
    agent.stop().await;
}

#[tokio::test]
async fn how_steps_end_a_document_follows_what_they_say() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let step = |name: &str, script: &str, more: serde_json::Value| {
        let mut inputs = json!({"runCommand": [script]});
        for (name, value) in more.as_object().unwrap() {
            inputs[name] = value.clone();
        }
        json!({"action": "aws:runShellScript", "name": name, "inputs": inputs})
    };
    let finally = json!({"finallyStep": true});
    for (at, (steps, status)) in [
        // A failure that is forgiven, and nothing else.
        (
            json!([
                step("a", "exit 1", json!({"onFailure": "successAndExit"})),
                step("b", "exit 2", json!({}))
            ]),
            "Success",
        ),
        // The last step still counts, and so does what failed before.
        (
            json!([
                step("a", "exit 1", json!({"onFailure": "successAndExit"})),
                step("b", "exit 2", finally.clone())
            ]),
            "Failed",
        ),
        (
            json!([
                step("a", "exit 1", json!({})),
                step("b", "exit 1", json!({"onFailure": "successAndExit"}))
            ]),
            "Failed",
        ),
        (
            json!([
                step("a", "true", json!({"onSuccess": "exit"})),
                step("b", "exit 2", json!({}))
            ]),
            "Success",
        ),
        (
            json!([
                step("a", "true", json!({"onSuccess": "exit"})),
                step("b", "exit 2", finally)
            ]),
            "Failed",
        ),
        // What is for Windows is passed over.
        (
            json!([{"action": "aws:psModule", "name": "ps", "inputs": {}}, step("a", "true", json!({}))]),
            "Success",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let job = gateway.send_steps(&agent.node, &format!("c-{at}"), steps, json!({}));
        let last = gateway.last_reply(&job, 0).await;
        assert_eq!(last.document_status, status, "{at}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn bad_jobs_are_refused_and_duplicates_answered_again() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let old = json!({"CommandId": "c-1", "DocumentName": "d", "DocumentContent": {"schemaVersion": "0.3"}});
    let job = gateway.send_content(&agent.node, "c-1", &old);
    assert_eq!(gateway.ack_of(&job, 0).await.status_code, "51408");
    let empty = json!({"CommandId": "c-2", "DocumentName": "d", "DocumentContent": {"schemaVersion": "2.2"}});
    let job = gateway.send_content(&agent.node, "c-2", &empty);
    assert_eq!(gateway.ack_of(&job, 0).await.status_code, "51406");
    let job = gateway.send_content(&agent.node, "c-3", &json!("rubbish"));
    assert_eq!(gateway.ack_of(&job, 0).await.status_code, "51408");

    let counter = agent.state.path().join("count");
    let line = format!("echo x >> {}", counter.display());
    let job = gateway.send_script(&agent.node, "c-4", &[&line], 60);
    gateway.last_reply(&job, 0).await;
    until("the reply's acknowledgement is on disk", || {
        std::fs::read_to_string(agent.job("c-4").join("delivery.json"))
            .is_ok_and(|text| !text.contains("null"))
    })
    .await;
    gateway.send_script(&agent.node, "c-4", &[&line], 60);
    assert_eq!(gateway.ack_of(&job, 1).await.status_code, "51405");
    assert_eq!(gateway.last_reply(&job, 1).await.document_status, "Success");
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "x\n");
    agent.stop().await;
}
