//! Recordings in a store that speaks S3: a small one of our own, over real HTTP.

use crate::fixtures::{id, out, small_chunks};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_domain::Timestamp;
use muster_domain::system::ManualClock;
use muster_recording::{InputPolicy, Recording, Recordings, S3Key, S3Settings, SigningKey, Storage, verify};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// How many requests are still to be refused.
    refuse: Arc<Mutex<u32>>,
}

async fn serve(State(bucket): State<Bucket>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let signed = parts
        .headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    if !signed.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDTEST/")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if parts.method == Method::PUT {
        let mut refuse = bucket.refuse.lock().unwrap();
        if *refuse > 0 {
            *refuse -= 1;
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    let key = parts
        .uri
        .path()
        .trim_start_matches("/bucket")
        .trim_start_matches('/')
        .to_owned();
    let mut objects = bucket.objects.lock().unwrap();
    let stamped = |bytes: Bytes| {
        let headers = [
            (header::LAST_MODIFIED, "Wed, 25 Nov 2026 10:00:00 GMT"),
            (header::ETAG, "\"e\""),
        ];
        (headers, bytes).into_response()
    };
    match parts.method {
        Method::PUT => {
            objects.insert(key, body);
            stamped(Bytes::new())
        }
        Method::GET
            if parts
                .uri
                .query()
                .is_some_and(|query| query.contains("list-type=2")) =>
        {
            let query = parts.uri.query().unwrap();
            let prefix = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("prefix="))
                .unwrap_or_default()
                .replace("%2F", "/");
            let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
            let contents: String = found
                .map(|(key, bytes)| {
                    format!("<Contents><Key>{key}</Key><LastModified>2026-11-25T10:00:00.000Z</LastModified><ETag>e</ETag><Size>{}</Size></Contents>", bytes.len())
                })
                .collect();
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
                .into_response()
        }
        Method::GET | Method::HEAD => match objects.get(&key) {
            Some(bytes) => stamped(bytes.clone()),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::DELETE => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

#[tokio::test]
async fn a_recording_lives_in_s3_and_survives_its_hiccups() {
    let bucket = Bucket::default();
    *bucket.refuse.lock().unwrap() = 3;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(serve).with_state(bucket.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let settings = S3Settings {
        bucket: "bucket".into(),
        prefix: "muster/recordings".into(),
        region: "eu-central-1".into(),
        endpoint: Some(format!("http://{address}")),
    };
    let key = S3Key {
        access_key_id: "AKIDTEST".into(),
        secret_access_key: "a secret".into(),
        session_token: None,
    };
    assert!(!format!("{key:?}").contains("a secret"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let storage = Storage::s3(folder.path(), &settings, Arc::new(key), reqwest::Client::new()).unwrap();
    let signing = SigningKey::load_or_make(&folder.path().join("signing-key")).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let recordings = Recordings::start(storage.clone(), signing, small_chunks(), clock);
    let mut recorder = recordings
        .begin(id("ops-1"), crate::fixtures::begin(InputPolicy::Drop))
        .await
        .unwrap();
    let mut text = String::new();
    for number in 0..300 {
        let line = format!("line {number}\r\n");
        text += &line;
        recorder.record(out(line)).await.unwrap();
    }
    recorder.finish("done").await.unwrap();
    assert!(
        bucket
            .objects
            .lock()
            .unwrap()
            .contains_key("muster/recordings/ops-1/manifest.json")
    );

    let recording = Recording::open(&storage, &id("ops-1")).await.unwrap();
    let mut reader = recording.output_from(0).await.unwrap();
    let mut read = Vec::new();
    while let Some((_, bytes)) = reader.next().await.unwrap() {
        read.extend_from_slice(&bytes);
    }
    assert_eq!(read, text.as_bytes());
    let report = verify(&storage, &id("ops-1"), recordings.public_key(), None)
        .await
        .unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(storage.list().await.unwrap().len(), 1);
    recordings.delete(&id("ops-1")).await.unwrap();
    assert!(bucket.objects.lock().unwrap().is_empty());
}
