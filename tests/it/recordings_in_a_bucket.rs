//! Recordings in what speaks like S3, over real HTTP: the portal writes them there, and the command line reads, checks and
//! searches them there by the same settings, without a server and on another machine, too.

use crate::support::online_node;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_domain::sessions::RecordingState;
use muster_tests::one_node::OneNode;
use muster_tests::portal::{ADMINISTRATOR, program};
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIDRECORDS"),
    ("AWS_SECRET_ACCESS_KEY", "a secret"),
];

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// Lets nothing through while it is closed: a store that is away, and does not even say so.
type Gate = tokio::sync::watch::Sender<bool>;

async fn through(State(gate): State<Gate>, request: Request, next: axum::middleware::Next) -> Response {
    let mut open = gate.subscribe();
    let _ = open.wait_for(|open| *open).await;
    next.run(request).await
}

/// A bucket, where it is, and the gate before it.
async fn serve(objects: &Objects) -> (String, Gate) {
    let gate = Gate::new(true);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .fallback(bucket)
        .with_state(Arc::clone(objects))
        .layer(axum::middleware::from_fn_with_state(gate.clone(), through));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, gate)
}

/// A bucket, for those who sign with the key of the settings.
async fn bucket(State(objects): State<Objects>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let signed = parts.headers.get(header::AUTHORIZATION);
    let is_ours = signed.is_some_and(|value| {
        let text = value.to_str().unwrap();
        text.starts_with("AWS4-HMAC-SHA256 Credential=AKIDRECORDS/")
    });
    if !is_ours {
        return StatusCode::FORBIDDEN.into_response();
    }
    let key = parts.uri.path().trim_start_matches("/records").trim_matches('/');
    let query = parts.uri.query().unwrap_or_default();
    let stamped = |bytes: Bytes| {
        let headers = [
            (header::LAST_MODIFIED, "Wed, 25 Nov 2026 10:00:00 GMT"),
            (header::ETAG, "\"e\""),
        ];
        (headers, bytes).into_response()
    };
    let mut objects = objects.lock().unwrap();
    match parts.method {
        Method::PUT => {
            objects.insert(key.to_owned(), body);
            stamped(Bytes::new())
        }
        Method::GET if query.contains("list-type=2") => {
            let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
            let prefix = prefix.unwrap_or_default().replace("%2F", "/");
            let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
            let contents: String = found
                .map(|(key, bytes)| {
                    format!(
                        "<Contents><Key>{key}</Key><LastModified>2026-11-25T10:00:00.000Z</LastModified><ETag>e</ETag>\
                         <Size>{}</Size></Contents>",
                        bytes.len()
                    )
                })
                .collect();
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
                .into_response()
        }
        Method::GET | Method::HEAD => match objects.get(key) {
            Some(bytes) => stamped(bytes.clone()),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// `muster recording …` on a data directory, with the keys of the bucket or without.
async fn recording(data: &Path, arguments: &[&str], keys: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(program().unwrap());
    command
        .arg("recording")
        .args(arguments)
        .arg("--data-dir")
        .arg(data);
    command.envs(keys.iter().copied());
    // The bucket is served by this thread's runtime.
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let mut text = String::from_utf8_lossy(&ended.stdout).into_owned();
    text += &String::from_utf8_lossy(&ended.stderr);
    (ended.status.code().unwrap_or(-1), text)
}

fn settings(data: &Path, address: &str) {
    std::fs::create_dir(data).unwrap();
    let settings =
        format!("recording_store = \"s3://records/muster/terminals\"\ns3_endpoint = \"{address}\"\n");
    std::fs::write(data.join("muster.toml"), settings).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_starts_while_the_bucket_is_away_and_finishes_its_recordings_later() {
    let objects = Objects::default();
    let (address, gate) = serve(&objects).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    settings(&data, &address);
    let world = OneNode::of(Portal::start(&data, &[], &KEYS).unwrap())
        .await
        .unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.terminal().await.unwrap().0);
    }
    crate::terminal_ends::kill(world.portal);
    for id in &ids {
        // So that it cannot be gone on with: its recording has to be finished.
        std::fs::remove_file(data.join(format!("sessions/{id}.position"))).unwrap();
    }
    gate.send_replace(false);
    let began = Instant::now();
    let portal = Portal::start(&data, &["--local-node", "false"], &KEYS).unwrap();
    let took = began.elapsed().as_secs();
    assert!(took < 30, "it took {took} s to start");
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    // Nobody can go on with it, but nothing is known of its end yet either.
    let (status, answer) = admin
        .call("sessions/end", &[("session_id", &ids[0])])
        .await
        .unwrap();
    assert_eq!(status, 503, "{answer}");
    gate.send_replace(true);
    for id in &ids {
        let row = admin
            .until("the end", Duration::from_secs(120), async |client| {
                let (_, detail) = client.call("sessions/get", &[("session_id", id)]).await?;
                let row = detail["summary"].clone();
                Ok((row["status"] == "Ended").then_some(row))
            })
            .await
            .unwrap();
        assert_eq!(
            (&row["end_reason"], &row["recording"]),
            (&"NodeLost".into(), &"Signed".into()),
            "{row}"
        );
        assert_eq!(crate::terminal_ends::ends(&admin, id).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_in_a_bucket_are_read_and_checked_without_a_server() {
    let objects = Objects::default();
    let (address, _gate) = serve(&objects).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Where the server reads its settings the command line reads them, too.
    settings(&data, &address);
    let portal = Portal::start(&data, &[], &KEYS).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.type_in("echo in the buck''et; exit\r").await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.recording, RecordingState::Signed);
    let manifest = format!("muster/terminals/{id}/manifest.json");
    assert!(
        objects.lock().unwrap().contains_key(&manifest),
        "it is in the bucket"
    );
    let (status, played) = admin
        .call("sessions/recording", &[("session_id", &id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{played}");

    let (code, text) = recording(&data, &["list"], &KEYS).await;
    assert!(
        code == 0 && text.contains(&id) && text.contains("finished"),
        "{text}"
    );
    let (code, text) = recording(&data, &["verify", &id], &KEYS).await;
    assert!(code == 0 && text.contains("INTACT, COMPLETE"), "{text}");
    let (code, text) = recording(&data, &["export", &id, "--format", "text"], &KEYS).await;
    assert!(code == 0 && text.contains("in the bucket"), "{text}");
    let (code, text) = recording(&data, &["search", "in the bucket"], &KEYS).await;
    assert!(code == 0 && text.contains(&id), "{text}");
    // Without keys it is refused, and not taken for an empty place.
    let (code, text) = recording(&data, &["verify", &id], &[("AWS_EC2_METADATA_DISABLED", "true")]).await;
    assert!(code != 0 && !text.contains("INTACT"), "{text}");

    // An auditor's machine has the key's public half, and nothing of the portal's directory.
    let (code, public) = recording(&data, &["key"], &KEYS).await;
    assert_eq!(code, 0, "{public}");
    let elsewhere = folder.path().join("elsewhere");
    let flags = [
        "verify",
        &id,
        "--public-key",
        public.trim(),
        "--recording-store",
        "s3://records/muster/terminals",
        "--s3-endpoint",
        &address,
    ];
    let (code, text) = recording(&elsewhere, &flags, &KEYS).await;
    assert!(code == 0 && text.contains("INTACT, COMPLETE"), "{text}");

    let chunk = format!("muster/terminals/{id}/chunk-00000000");
    let mut bytes = objects.lock().unwrap()[&chunk].to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    objects.lock().unwrap().insert(chunk, bytes.into());
    let (code, text) = recording(&data, &["verify"], &KEYS).await;
    assert!(code == 1 && text.contains("NOT INTACT"), "{text}");
}
