//! What whole-portal tests share: a node, a script on it, and its events.

use futures::StreamExt as _;
use muster_tests::portal::program;
use muster_tests::{Client, Portal};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// One event of a command's stream.
#[derive(Debug)]
pub struct Event {
    /// Its number.
    pub sequence: i64,
    /// What happened.
    pub change: Value,
}

/// This machine as a node, once it is online.
pub async fn online_node(client: &Client) -> String {
    muster_tests::one_node::online_node(client).await.unwrap()
}

/// Runs a script on a node; answers the command's id.
pub async fn run_script(client: &Client, node: &str, script: &str) -> String {
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script),
        ("nodes", node),
        ("comment", "test"),
    ];
    let (status, answer) = client.call("commands/run", &fields).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    answer
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| panic!("no id in {answer}"))
}

/// Runs a script on all nodes that match a filter, with rate control, and confirms their number where the portal asks
/// for it; answers the command's id.
pub async fn run_on(client: &Client, filter: &str, script: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script),
        ("filter", filter),
    ];
    fields.extend(more);
    let (mut status, mut answer) = client.call("commands/run", &fields).await.unwrap();
    if status == 428 {
        let nodes = answer["error"]["ConfirmationNeeded"]["nodes"].to_string();
        fields.push(("confirmed_nodes", &nodes));
        (status, answer) = client.call("commands/run", &fields).await.unwrap();
    }
    assert!((200..400).contains(&status), "{status} {answer}");
    answer
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| panic!("no id in {answer}"))
}

/// All invocations of a command, read page by page as the execution page does.
pub async fn invocations(client: &Client, id: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let fields = [("command_id", id), ("cursor", cursor.as_str())];
        let (status, page) = client.call("commands/invocations", &fields).await.unwrap();
        assert_eq!(status, 200, "{page}");
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return all,
        }
    }
}

/// The events of a command after `cursor`, to the last.
pub async fn follow(client: &Client, id: &str, cursor: i64) -> Vec<Event> {
    let read = async {
        let answer = client
            .open(&format!("/events/commands/{id}?cursor={cursor}"))
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut pieces = answer.bytes_stream();
        let mut bytes = Vec::new();
        loop {
            // Only whole messages: a piece may end in the middle of one.
            if String::from_utf8_lossy(&bytes).contains("event: end") {
                break;
            }
            bytes.extend_from_slice(
                &pieces
                    .next()
                    .await
                    .expect("the stream ended without saying so")
                    .unwrap(),
            );
        }
        String::from_utf8(bytes).unwrap()
    };
    let text = tokio::time::timeout(Duration::from_secs(90), read)
        .await
        .expect("the command did not end");
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .filter(Value::is_object)
        .map(|event| Event {
            sequence: event["sequence"].as_i64().unwrap(),
            change: event["change"].clone(),
        })
        .collect()
}

/// What was written to a stream, put together from its pieces.
pub fn output(events: &[Event], stream: &str) -> String {
    events
        .iter()
        .filter(|event| event.change["kind"] == "output" && event.change["piece"]["stream"] == stream)
        .map(|event| {
            event.change["piece"]["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// The command's last status.
pub fn status(events: &[Event]) -> String {
    let last = events
        .iter()
        .rev()
        .find(|event| event.change["kind"] == "command");
    last.and_then(|event| event.change["summary"]["status"].as_str())
        .unwrap_or_default()
        .to_owned()
}

/// The embedded endpoint as a program of its own; killed when dropped.
pub struct Plane {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Plane {
    /// Starts it and waits until it listens.
    pub fn start(data_dir: &Path, address: &str) -> muster_tests::portal::Fallible<Self> {
        use std::io::BufRead as _;
        let mut child = Command::new(program()?)
            .args(["control-plane", "--ssm-addr", address, "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = std::io::BufReader::new(output).lines();
        let line = lines
            .find_map(|line| line.ok().filter(|line| line.contains("Muster is ready")))
            .ok_or("it ended at its start")?;
        let address = line
            .rsplit_once("http://")
            .map(|(_, address)| address.trim().to_owned())
            .ok_or("no address")?;
        Ok(Self { child, address })
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine at which nothing listens.
pub fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// An agent that nobody starts again.
pub struct Agent(Child);

impl Agent {
    /// Runs one that was registered.
    pub fn run(state: &Path) -> Self {
        let mut command = Command::new(program().unwrap());
        command.args(["agent", "run", "--state-dir"]).arg(state);
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    /// Registers one by an activation that is made with these arguments too.
    pub fn register(portal: &Portal, state: &Path, arguments: &[&str]) {
        let create = [["activation", "create", "--limit", "1"].as_slice(), arguments].concat();
        let (code, text) = portal.command(&create).unwrap();
        assert_eq!(code, 0, "{text}");
        let activation: Value = serde_json::from_str(&text).unwrap();
        let field = |name: &str| activation[name].as_str().unwrap().to_owned();
        let status = Command::new(program().unwrap())
            .args(["agent", "register", "--endpoint", &portal.ssm])
            .args([
                "--region",
                &field("Region"),
                "--activation-id",
                &field("ActivationId"),
            ])
            .arg("--state-dir")
            .arg(state)
            .env("MUSTER_ACTIVATION_CODE", field("ActivationCode"))
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
