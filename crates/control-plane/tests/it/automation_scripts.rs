//! Scripts in runbooks: what they answer, what they cannot reach, and how they end. They really run, in their sandbox; where
//! a machine permits none, what is held is that nothing runs without it.

use crate::automation::{document, start, told, told_ended};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::process::Command;

/// Whether this machine permits what the sandbox needs.
fn is_permitted() -> bool {
    let spaces = [
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--fork",
        "--ipc",
        "--uts",
        "--net",
    ];
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "unshare"];
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(nobody);
        command
    } else {
        Command::new("unshare")
    };
    let made = command
        .args(spaces)
        .args(["mount", "-t", "tmpfs", "none", "/tmp"])
        .output();
    made.is_ok_and(|made| made.status.success())
}

fn script(runtime: &str, script: &str, more: Value) -> Value {
    let mut step = json!({"name": "Run", "action": "aws:executeScript", "inputs": {"Runtime": runtime, "Script": script}});
    if runtime.starts_with("python") {
        step["inputs"]["Handler"] = "main".into();
    }
    for (key, value) in more.as_object().unwrap() {
        match key.as_str() {
            "InputPayload" | "Handler" => step["inputs"][key] = value.clone(),
            _ => step[key] = value.clone(),
        }
    }
    step
}

async fn ended(world: &World, name: &str, step: Value) -> Value {
    let more = json!({"parameters": {"Who": {"type": "String", "default": "web"}}});
    document(world, name, json!([step]), more).await;
    let id = start(world, name, json!({})).await;
    world.plane.tick().await;
    world.plane.settled().await;
    world.plane.tick().await;
    told_ended(world, &id).await
}

/// A script that looks around: what it can reach is what it must not.
const LOOKS: &str = r#"
import os, socket, subprocess

def tried(act):
    try:
        return str(act())
    except Exception as error:
        return type(error).__name__

def main(events, context):
    return {
        "data": os.path.exists(events["data"]),
        "home": os.path.exists("/root") or os.path.exists("/home") or os.path.exists("/etc/passwd"),
        "write": tried(lambda: open("/usr/here", "w")),
        "root": tried(lambda: open("/here", "w")),
        "tmp": tried(lambda: open("/tmp/here", "w").write("x")),
        "net": tried(lambda: socket.create_connection(("127.0.0.1", events["port"]), 2)),
        "processes": max([int(name) for name in os.listdir("/proc") if name.isdigit()] or [0]) < 1000,
        "spaces": subprocess.call(["unshare", "-Ur", "true"], stderr=subprocess.DEVNULL) != 0,
        "secret": "AWS_SECRET_ACCESS_KEY" in os.environ or len(os.environ) > 12,
    }
"#;

#[tokio::test]
async fn a_script_answers_and_reaches_nothing_else() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let adds = "def main(events, context):\n    print('noise')\n    assert context['global:REGION'] == 'eu-west-1'\n    \
                    return {'sum': sum(events['n']), 'who': events['who'], 'text': '{{ none }}'}";
        let step = script("python3.8", adds, json!({"InputPayload": {"n": [1, 2], "who": "{{ Who }}"},
            "outputs": [{"Name": "Sum", "Selector": "$.Payload.sum", "Type": "Integer"}]}));
        let told = ended(&world, "Adds", step).await;
        let step = &told["StepExecutions"][0];
        if !is_permitted() {
            assert!(told["FailureMessage"].as_str().unwrap().contains("does not permit its sandbox"), "{told}");
            return;
        }
        assert_eq!(told["AutomationExecutionStatus"], "Success", "{told}");
        assert_eq!(step["Outputs"]["Sum"], json!(["3"]));
        let payload: Value = serde_json::from_str(step["Outputs"]["OutputPayload"][0].as_str().unwrap()).unwrap();
        assert_eq!(payload, json!({"Payload": {"sum": 3, "who": "web", "text": "{{ none }}"}}));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let data = world.folder.path().to_str().unwrap();
        let given = json!({"data": data, "port": listener.local_addr().unwrap().port()});
        let told = ended(&world, "Looks", script("python3.11", LOOKS, json!({"InputPayload": given}))).await;
        let payload = told["StepExecutions"][0]["Outputs"]["OutputPayload"][0].as_str().unwrap_or_default();
        let saw: Value = serde_json::from_str(payload).unwrap_or_else(|_| panic!("{told}"));
        assert_eq!(
            saw["Payload"],
            json!({"data": false, "home": false, "write": "OSError", "root": "OSError", "tmp": "1",
                "net": "OSError", "processes": true, "spaces": true, "secret": false})
        );

        let shell = "read -r given; echo \"{\\\"got\\\": $given, \\\"n\\\": $((1 + 2))}\"; echo noise >&2";
        let step = script("bash", shell, json!({"InputPayload": {"a": "{{ Who }}"},
            "outputs": [{"Name": "N", "Selector": "$.Payload.n", "Type": "Integer"}]}));
        let told = ended(&world, "Shell", step).await;
        assert_eq!(told["StepExecutions"][0]["Outputs"]["N"], json!(["3"]), "{told}");
        let payload = told["StepExecutions"][0]["Outputs"]["OutputPayload"][0].as_str().unwrap();
        assert!(payload.contains(r#""got":{"a":"web"}"#), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn a_script_that_fails_or_wants_too_much_is_told() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let wrong = ended(&world, "Wrong", script("PowerShell 7.0", "x", json!({}))).await;
        assert!(
            wrong["FailureMessage"]
                .as_str()
                .unwrap()
                .contains("runs no PowerShell"),
            "{wrong}"
        );
        if !is_permitted() {
            return;
        }
        let body = |text: &str| format!("def main(events, context):\n    {text}");
        for (at, (step, says)) in [
            (
                script("python3.11", &body("raise ValueError('the end')"), json!({})),
                "ValueError: the end",
            ),
            (
                script("python3.11", "def other(): pass", json!({})),
                "no function 'main'",
            ),
            (script("python3.11", "def main(", json!({})), "SyntaxError"),
            (
                script("python3.11", &body("return 'x' * 200000"), json!({})),
                "more than 100000 bytes",
            ),
            (
                script("python3.11", &body("return object()"), json!({})),
                "not JSON serializable",
            ),
            (
                script("python3.11", &body("return len('x' * (1 << 30))"), json!({})),
                "MemoryError",
            ),
            (
                script(
                    "python3.11",
                    &body("open('/tmp/a', 'w').write('x' * (65 << 20))"),
                    json!({}),
                ),
                "File too large",
            ),
            (
                script("sh", "while :; do :; done", json!({"timeoutSeconds": 1})),
                "may take 1 seconds",
            ),
            (script("sh", "echo so >&2; exit 3", json!({})), "ended with 3: so"),
        ]
        .into_iter()
        .enumerate()
        {
            let told = ended(&world, &format!("Fails-{at}"), step).await;
            let message = told["FailureMessage"].as_str().unwrap();
            assert!(message.contains(says), "{message} does not say {says}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_script_is_stopped_and_never_run_twice() {
    on_both(|db| async move {
        let world = World::new(db).await;
        if !is_permitted() {
            return;
        }
        let long = script(
            "sh",
            "sleep 300",
            json!({"timeoutSeconds": 120, "maxAttempts": 3}),
        );
        document(&world, "Long", json!([long]), json!({})).await;
        let id = start(&world, "Long", json!({})).await;
        world.plane.tick().await;
        assert_eq!(
            told(&world, &id).await["StepExecutions"][0]["StepStatus"],
            "InProgress"
        );
        world
            .ok("StopAutomationExecution", json!({"AutomationExecutionId": id}))
            .await;
        world.plane.tick().await;
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "Cancelled"
        );
        world.plane.settled().await;

        let id = start(&world, "Long", json!({})).await;
        world.plane.tick().await;
        for _ in 0..3 {
            world.clock.advance(120_000);
            world.plane.tick().await;
        }
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "TimedOut"
        );

        let id = start(&world, "Long", json!({})).await;
        world.plane.tick().await;
        let world = world.restarted().await;
        world.plane.tick().await;
        let ended = told_ended(&world, &id).await;
        let message = ended["FailureMessage"].as_str().unwrap();
        assert!(message.contains("whether it was done is not known"), "{message}");
        assert_eq!(ended["StepExecutions"].as_array().unwrap().len(), 1);
    })
    .await;
}
