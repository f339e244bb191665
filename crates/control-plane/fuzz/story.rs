//! Bytes read as requests: which operation, how it comes over the wire, whether its signature holds, and its body. Whatever
//! they are, the control plane answers, and never with a fault of its own. The fuzzer writes such stories; a test plays some
//! at every build.

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderMap, HeaderValue, Request};
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_control_plane::{ControlPlane, ControlPlaneConfig, OPERATIONS, Operation};
use muster_domain::audit::{AuditTrail, Intent, Outcome};
use muster_domain::ids::ActId;
use muster_domain::system::{SystemClock, SystemRandom};
use muster_domain::time::Clock as _;
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use muster_store::db::Address;
use muster_store::migrate::migrate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// Nobody reads what is written down here.
struct Unread;

#[async_trait]
impl AuditTrail for Unread {
    async fn begin(&self, _: &Actor, _: &Intent) -> Result<ActId, PortalError> {
        Ok(ActId::new("act"))
    }
    async fn complete(
        &self,
        _: &Actor,
        _: &Intent,
        _: &ActId,
        _: Outcome,
        _: &str,
        _: BTreeMap<String, Value>,
    ) -> Result<(), PortalError> {
        Ok(())
    }
    async fn record(&self, _: &Actor, _: &Intent, _: Outcome, _: &str) -> Result<(), PortalError> {
        Ok(())
    }
    async fn record_once(
        &self,
        _: &ActId,
        _: &Actor,
        _: &Intent,
        _: Outcome,
        _: &str,
    ) -> Result<(), PortalError> {
        Ok(())
    }
}

/// One control plane for all stories: what one leaves the next one finds.
struct Stage {
    runtime: tokio::runtime::Runtime,
    plane: Arc<ControlPlane>,
    _folder: tempfile::TempDir,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let plane = runtime.block_on(async {
            let path = folder.path().join("stories.db");
            let address = Address::parse(&path.to_string_lossy()).unwrap();
            let db = Db::open(&address).await.unwrap();
            migrate(&db, &SystemClock.now().rfc3339()).await.unwrap();
            let config = ControlPlaneConfig {
                data_dir: folder.path().to_owned(),
                ..ControlPlaneConfig::default()
            };
            let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
            ControlPlane::open(db, clock, random, Arc::new(Unread), config)
                .await
                .unwrap()
        });
        Stage {
            runtime,
            plane,
            _folder: folder,
        }
    })
}

/// How operations on groups are asked for.
fn group_path(name: &str) -> (&'static str, &'static str) {
    const TAGS: &str = "/resources/arn%3Aaws%3Aresource-groups%3Aeu-west-1%3A123456789012%3Agroup%2Fg/tags";
    match name {
        "CreateGroup" => ("POST", "/groups"),
        "DeleteGroup" => ("POST", "/delete-group"),
        "GetGroup" => ("POST", "/get-group"),
        "GetGroupQuery" => ("POST", "/get-group-query"),
        "GetTags" => ("GET", TAGS),
        "ListGroupResources" => ("POST", "/list-group-resources"),
        "SearchResources" => ("POST", "/resources/search"),
        "Tag" => ("PUT", TAGS),
        "Untag" => ("PATCH", TAGS),
        "UpdateGroup" => ("POST", "/update-group"),
        "UpdateGroupQuery" => ("POST", "/update-group-query"),
        _ => ("POST", "/groups-list"),
    }
}

/// How a service is spoken to: path, content type, and what the target header begins with.
fn wire(operation: &Operation) -> (&'static str, &'static str, Option<&'static str>) {
    match operation.service {
        "ssm" => ("/", "application/x-amz-json-1.1", Some("AmazonSSM")),
        "kms" => ("/", "application/x-amz-json-1.1", Some("TrentService")),
        "ec2messages" => (
            "/",
            "application/x-amz-json-1.1",
            Some("EC2WindowsMessageDeliveryService"),
        ),
        "resource-groups" => (group_path(operation.name).1, "application/json", None),
        _ => ("/", "application/x-www-form-urlencoded", None),
    }
}

fn signed(
    keys: &Credentials,
    service: &str,
    (method, path): (&str, &str),
    mut headers: HeaderMap,
    body: &[u8],
) -> HeaderMap {
    let now: String = SystemClock
        .now()
        .rfc3339()
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    let now = format!("{}Z", now.split('.').next().unwrap_or_default());
    let request = SignedRequest {
        method,
        path,
        query: "",
        headers: &headers,
        body_hash: &sha256_hex(body),
    };
    let added = sign(&request, keys, "eu-west-1", service, &now);
    for (name, value) in added {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    headers
}

/// Plays a story.
pub(crate) fn play(data: &[u8]) {
    let Some((&[operation, manner], body)) = data.split_first_chunk::<2>() else {
        return;
    };
    let operation = &OPERATIONS[usize::from(operation) % OPERATIONS.len()];
    // Nothing of it may leave this machine.
    if matches!(operation.name, "Publish" | "Subscribe" | "CreateResourceDataSync") {
        return;
    }
    let stage = stage();
    let (path, kind, target) = wire(operation);
    let method = match operation.service {
        "resource-groups" => group_path(operation.name).0,
        _ => "POST",
    };
    let body = if kind.ends_with("urlencoded") && manner & 1 == 0 {
        [format!("Action={}&", operation.name).as_bytes(), body].concat()
    } else {
        body.to_vec()
    };
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("fuzz.test"));
    headers.insert("content-type", HeaderValue::from_static(kind));
    if let Some(target) = target {
        let target = format!("{target}.{}", operation.name);
        headers.insert("x-amz-target", HeaderValue::try_from(target).unwrap());
    }
    let mut keys = stage.plane.operator_credentials();
    if manner & 6 == 6 {
        keys.secret_access_key.push('x');
    }
    let headers = if manner & 8 == 8 {
        headers
    } else {
        signed(&keys, operation.service, (method, path), headers, &body)
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body))
        .unwrap();
    *request.headers_mut() = headers;
    let answer = stage
        .runtime
        .block_on(stage.plane.router().oneshot(request))
        .unwrap();
    assert!(
        answer.status().as_u16() < 500,
        "{} was answered {}",
        operation.name,
        answer.status()
    );
}
