//! Where the program writes for others: inventory into a bucket of something that speaks like S3, over real HTTP.

use crate::support::online_node;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_tests::api::Api;
use muster_tests::portal::program;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// Keeps what is put, when it is signed with the key that the program was given.
async fn keep(State(objects): State<Objects>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let signed = parts.headers.get(header::AUTHORIZATION);
    let is_ours = signed.is_some_and(|value| {
        let text = value.to_str().unwrap();
        text.starts_with("AWS4-HMAC-SHA256 Credential=AKIDBUCKETS/")
            && text.contains("/eu-central-1/s3/aws4_request")
    });
    if !is_ours || parts.method != Method::PUT {
        return StatusCode::FORBIDDEN.into_response();
    }
    objects.lock().unwrap().insert(parts.uri.path().to_owned(), body);
    ([(header::ETAG, "\"e\"")], "").into_response()
}

#[tokio::test]
async fn inventory_is_kept_in_what_speaks_like_s3() {
    let objects = Objects::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(keep).with_state(Arc::clone(&objects));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDBUCKETS"),
        ("AWS_SECRET_ACCESS_KEY", "a secret"),
    ];
    let portal = Portal::start(folder.path(), &["--bucket-store", &address], &keys).unwrap();
    let client = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&client).await;
    let api = Api::of(&portal).unwrap();
    let item = json!({"TypeName": "Custom:Rack", "SchemaVersion": "1.0", "CaptureTime": "2026-11-26T12:00:00Z",
        "Content": [{"Row": "7"}]});
    api.call("PutInventory", json!({"InstanceId": node, "Items": [item]}))
        .await
        .unwrap();
    let destination = json!({"BucketName": "fleet", "Prefix": "daily", "SyncFormat": "JsonSerDe", "Region": "eu-central-1"});
    let sync = json!({"SyncName": "s3", "S3Destination": destination});
    api.call("CreateResourceDataSync", sync).await.unwrap();
    // Reports are written once they are settled.
    let state = client
        .until("the first sync", Duration::from_secs(90), async |_| {
            let listed = api.call("ListResourceDataSync", json!({})).await?;
            let item = listed["ResourceDataSyncItems"][0].clone();
            let is_written = !objects.lock().unwrap().is_empty();
            Ok((is_written && item["LastStatus"] == "Successful").then_some(item))
        })
        .await
        .unwrap();
    assert!(state["LastSuccessfulSyncTime"].is_number(), "{state}");
    let command = json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node], "OutputS3BucketName": "output",
        "OutputS3Region": "eu-central-1", "Parameters": {"commands": ["echo kept"]}});
    let sent = api.call("SendCommand", command).await.unwrap();
    let id = sent["Command"]["CommandId"].clone();
    let told = client
        .until("its output", Duration::from_secs(60), async |_| {
            let wanted = json!({"CommandId": id, "InstanceId": node});
            // It is not known until the node has it.
            let told = api.call("GetCommandInvocation", wanted).await.unwrap_or_default();
            let path = told["StandardOutputUrl"]
                .as_str()
                .unwrap_or_default()
                .replace(&address, "");
            let is_kept = objects
                .lock()
                .unwrap()
                .get(&path)
                .is_some_and(|body| &body[..] == b"kept\n");
            Ok(is_kept.then_some(told))
        })
        .await
        .unwrap();
    assert!(
        told["StandardOutputUrl"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{address}/output/")),
        "{told}"
    );
    let kept = objects.lock().unwrap().clone();
    let key = format!(
        "/fleet/daily/Custom:Rack/accountid=123456789012/region=eu-west-1/resourcetype=ManagedInstanceInventory/{node}.json"
    );
    let found = kept
        .iter()
        .find(|(path, _)| path.replace("%3A", ":").replace("%3D", "=") == key);
    let (_, body) = found.unwrap_or_else(|| panic!("{:?}", kept.keys()));
    let line: Value = serde_json::from_slice(body).unwrap();
    assert_eq!((&line["Row"], &line["resourceId"]), (&json!("7"), &json!(node)));
}

#[test]
fn a_setting_that_names_no_store_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let ended = std::process::Command::new(program().unwrap())
        .args([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--ssm-addr",
            "127.0.0.1:0",
            "--bucket-store",
            "minio",
        ])
        .arg("--data-dir")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(error.contains("use s3, or an address like https://"), "{error}");
}
