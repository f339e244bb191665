//! Documents within documents, and downloads: from a web server that really listens, by the real agent's workers.

use crate::agents::{Agent, lives, until};
use crate::gateway::Gateway;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

/// A web server with what is to be downloaded; gives its address.
async fn web() -> String {
    async fn locked(headers: HeaderMap) -> Response {
        // ann:s3cret
        match headers.get("authorization").map(|value| value.as_bytes()) {
            Some(b"Basic YW5uOnMzY3JldA==") => "for ann\n".into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
    async fn broken() -> Response {
        let pieces = futures::stream::iter([Ok("half of it"), Err(std::io::Error::other("gone"))]);
        Response::new(Body::from_stream(pieces))
    }
    let routes = Router::new()
        .route(
            "/hello.sh",
            get(|| async { "#!/bin/sh\necho \"hello $1 from $(basename \"$PWD\")\"\n" }),
        )
        .route("/moved", get(|| async { Redirect::temporary("/hello.sh") }))
        .route("/endless", get(|| async { Redirect::temporary("/endless") }))
        .route("/locked", get(locked))
        .route("/broken", get(broken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}")
}

fn download(name: &str, info: Value, path: &str) -> Value {
    let mut info = info;
    info["allowInsecureDownload"] = "true".into();
    json!({"action": "aws:downloadContent", "name": name,
        "inputs": {"sourceType": "HTTP", "sourceInfo": info, "destinationPath": path}})
}

fn shell(name: &str, line: &str) -> Value {
    json!({"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": [line]}})
}

/// Each step with its status, its output and its errors, in order.
fn steps(gateway: &Gateway, job: &str) -> Vec<(String, String, String, String)> {
    let seen = gateway.inner.seen.lock().unwrap();
    let mut found = Vec::new();
    for (of, _, content) in &seen.replies {
        if of != job {
            continue;
        }
        for (name, step) in content.runtime_status.iter().flatten() {
            found.push((
                name.clone(),
                step.status.clone(),
                step.standard_output.clone(),
                step.standard_error.clone(),
            ));
        }
    }
    found
}

#[tokio::test]
async fn what_is_downloaded_is_there_whole_or_not_at_all() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let web = web().await;
    let url = |path: &str| json!({"url": format!("{web}{path}")});
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join("kept"), "as it was").unwrap();
    // A mode that lends rights is not taken over.
    std::fs::write(folder.path().join("lent"), "").unwrap();
    std::fs::set_permissions(
        folder.path().join("lent"),
        std::fs::Permissions::from_mode(0o4755),
    )
    .unwrap();
    let all = json!([
        download("fetch", url("/hello.sh"), ""),
        // Where it was downloaded to is where scripts run.
        shell("run", "./hello.sh you"),
        download("moved", url("/moved"), "sub/"),
        shell("below", "ls sub"),
        download("locked", json!({"url": format!("{web}/locked"), "authMethod": "Basic", "userName": "ann", "password": "s3cret"}), &place("ann")),
        download("lent", url("/hello.sh"), &place("lent")),
        download("denied", url("/locked"), &place("kept")),
        download("broken", url("/broken"), &place("kept")),
        download("endless", url("/endless"), &place("none")),
        download("gone", url("/none?key=s3cret"), &place("none")),
        {"action": "aws:downloadContent", "name": "insecure", "inputs": {"sourceType": "HTTP", "sourceInfo": {"url": format!("{web}/hello.sh")}}},
        {"action": "aws:downloadContent", "name": "git", "inputs": {"sourceType": "Git", "sourceInfo": {"repository": "x"}}},
    ]);
    let job = gateway.send_steps(&agent.node, "c-1", all, json!({}));
    gateway.last_reply(&job, 0).await;
    let found = steps(&gateway, &job);
    let short: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, status, _, _)| (name.as_str(), status.as_str()))
        .collect();
    assert_eq!(
        short,
        [
            ("fetch", "Success"),
            ("run", "Success"),
            ("moved", "Success"),
            ("below", "Success"),
            ("locked", "Success"),
            ("lent", "Success"),
            ("denied", "Failed"),
            ("broken", "Failed"),
            ("endless", "Failed"),
            ("gone", "Failed"),
            ("insecure", "Failed"),
            ("git", "Failed"),
        ],
        "{found:?}"
    );
    assert!(found[0].2.contains("hello.sh ("), "{}", found[0].2);
    assert_eq!(found[1].2, "hello you from downloads\n");
    assert_eq!(found[3].2, "moved\n");
    let ann = std::fs::metadata(folder.path().join("ann")).unwrap();
    assert_eq!(ann.permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("ann")).unwrap(),
        "for ann\n"
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("kept")).unwrap(),
        "as it was"
    );
    for (at, says) in [
        (6, "401"),
        (9, "404"),
        (10, "not encrypted"),
        (11, "downloads from HTTP"),
    ] {
        assert!(found[at].3.contains(says), "{}", found[at].3);
    }
    // Nothing half is left lying about, and no secret is told.
    let mut left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["ann", "kept", "lent"]);
    assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
    agent.stop().await;
}

fn within(name: &str, steps: Value) -> Value {
    let content = json!({"schemaVersion": "2.2", "parameters": {"who": {"type": "String", "default": "you"}},
        "mainSteps": steps});
    json!({"action": "aws:runDocument", "name": name, "inputs": {"documentType": "SSMDocument", "documentPath": "D",
        "documentParameters": {"who": "{{ commands }}"}, "musterDocument": content}})
}

#[tokio::test]
async fn a_document_within_a_document_is_one_step() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let stopping = json!({"action": "aws:runShellScript", "name": "b", "onFailure": "exit",
        "inputs": {"runCommand": ["echo b >&2; exit 7"]}});
    let mut deep = json!([shell("bottom", "echo bottom")]);
    for _ in 0..4 {
        deep = json!([within("in", deep)]);
    }
    let all = json!([
        within(
            "well",
            json!([shell("a", "echo a {{ who }}"), shell("b", "echo b")])
        ),
        within(
            "stops",
            json!([shell("a", "echo a"), stopping, shell("c", "echo c")])
        ),
        within(
            "twice",
            json!([
                within("in", json!([shell("a", "echo inner")])),
                shell("b", "echo outer")
            ])
        ),
        within(
            "skips",
            json!([{"action": "aws:runShellScript", "name": "w", "inputs": {"runCommand": ["x"]},
            "precondition": {"StringEquals": ["platformType", "Windows"]}}])
        ),
        deep[0].clone(),
        shell("after", "echo after"),
    ]);
    let job = gateway.send_steps(&agent.node, "c-1", all, json!({"commands": ["me"]}));
    gateway.last_reply(&job, 0).await;
    let found = steps(&gateway, &job);
    let short: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(name, status, output, _)| (name.as_str(), status.as_str(), output.as_str()))
        .collect();
    assert_eq!(short[0], ("well", "Success", "a me\nb\n"));
    assert_eq!((short[1].0, short[1].1), ("stops", "Failed"));
    assert!(
        short[1].2.starts_with("a\n") && short[1].2.contains("Step c was skipped"),
        "{}",
        short[1].2
    );
    assert!(
        found[1].3.contains("b\n") && found[1].3.contains("exit status 7"),
        "{}",
        found[1].3
    );
    assert_eq!(short[2], ("twice", "Success", "inner\nouter\n"));
    assert_eq!((short[3].0, short[3].1), ("skips", "Skipped"));
    assert_eq!((short[4].0, short[4].1), ("in", "Failed"));
    assert!(found[4].3.contains("3 deep"), "{}", found[4].3);
    assert_eq!(short[5], ("after", "Success", "after\n"));
    agent.stop().await;
}

#[tokio::test]
async fn what_a_step_within_finds_out_is_delivered() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let collect = |name: &str| json!({"action": "aws:softwareInventory", "name": name, "inputs": {"networkConfig": "Enabled"}});
    let all = json!([within("around", json!([collect("a"), collect("b")]))]);
    let job = gateway.send_steps(&agent.node, "c-1", all, json!({}));
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Success");
    let steps = agent.job("c-1").join("steps/000");
    let kept: Vec<Value> =
        serde_json::from_slice(&std::fs::read(steps.join("inventory.json")).unwrap()).unwrap();
    let mut types: Vec<&str> = kept
        .iter()
        .map(|item| item["TypeName"].as_str().unwrap())
        .collect();
    types.sort_unstable();
    assert_eq!(types, ["AWS:InstanceInformation", "AWS:Network"]);
    agent.stop().await;
}

#[tokio::test]
async fn a_download_that_is_ended_leaves_nothing() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    // It sends a piece, and then nothing more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let _ = socket.read(&mut asked).await;
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nschemaVersion")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}/", folder.path().display());
    let all = json!([download(
        "slow",
        json!({"url": format!("http://{address}/a")}),
        &path
    )]);
    let job = gateway.send_steps(&agent.node, "c-1", all, json!({}));
    let has_begun = || std::fs::read_dir(folder.path()).unwrap().next().is_some();
    until("a piece is there", has_begun).await;
    gateway.cancel(&agent.node, "c-1", "x-1");
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Cancelled");
    assert!(!has_begun());
    agent.stop().await;
}

#[tokio::test]
async fn cancelling_reaches_the_steps_of_a_document_within() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let pid = agent.state.path().join("pid");
    let line = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 600", pid.display());
    let all = json!([within(
        "long",
        json!([shell("a", &line), shell("b", "echo never")])
    )]);
    let job = gateway.send_steps(&agent.node, "c-1", all, json!({}));
    until("the step runs", || pid.exists()).await;
    let running = std::fs::read_to_string(&pid).unwrap();
    gateway.cancel(&agent.node, "c-1", "x-1");
    assert_eq!(gateway.last_reply(&job, 0).await.document_status, "Cancelled");
    until("its process is gone", || !lives(&running)).await;
    assert!(!format!("{:?}", steps(&gateway, &job)).contains("never\n"));
    agent.stop().await;
}
