//! A control plane of its own for each test, with a clock that the test moves, and signed calls to it.

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign, sign_with_node_key};
use muster_control_plane::{ControlPlane, ControlPlaneConfig, OPERATIONS, OpenError, Steady};
use muster_domain::audit::{AuditTrail, Intent, Outcome};
use muster_domain::ids::ActId;
use muster_domain::system::{ManualClock, SystemClock, SystemRandom};
use muster_domain::time::Clock;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::Db;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const HOST: &str = "cp.test:4580";

/// Remembers what was written to the audit log.
#[derive(Default)]
pub(crate) struct Remembered(pub(crate) Mutex<Vec<(String, Intent, Option<Outcome>)>>);

impl Remembered {
    fn add(&self, actor: &Actor, intent: &Intent, outcome: Option<Outcome>) {
        self.0
            .lock()
            .unwrap()
            .push((actor.name.clone(), intent.clone(), outcome));
    }
}

#[async_trait]
impl AuditTrail for Remembered {
    async fn begin(&self, actor: &Actor, intent: &Intent) -> Result<ActId, PortalError> {
        self.add(actor, intent, None);
        Ok(ActId::new("act"))
    }
    async fn complete(
        &self,
        actor: &Actor,
        intent: &Intent,
        _act: &ActId,
        outcome: Outcome,
        _message: &str,
        _result: BTreeMap<String, Value>,
    ) -> Result<(), PortalError> {
        self.add(actor, intent, Some(outcome));
        Ok(())
    }
    async fn record(
        &self,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        _message: &str,
    ) -> Result<(), PortalError> {
        self.add(actor, intent, Some(outcome));
        Ok(())
    }
    async fn record_once(
        &self,
        _act: &ActId,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError> {
        self.record(actor, intent, outcome, message).await
    }
}

pub(crate) struct World {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) clock: Arc<ManualClock>,
    /// What measures idleness and the life of tokens.
    pub(crate) steady: Arc<ManualClock>,
    pub(crate) audit: Arc<Remembered>,
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) db: Db,
}

/// A registered node with its keys.
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) key: Ed25519KeyPair,
    pub(crate) credentials: Credentials,
}

pub(crate) fn amz_date(at: Timestamp) -> String {
    let text: String = at.rfc3339().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}Z", text.split('.').next().unwrap())
}

/// The service of an operation, and the header that names both.
fn target(operation: &str) -> (&'static str, String) {
    let service = OPERATIONS
        .iter()
        .find(|o| o.name == operation && o.service != "s3")
        .map_or("ssm", |o| o.service);
    let prefix = match service {
        "ec2messages" => "EC2WindowsMessageDeliveryService",
        "kms" => "TrentService",
        _ => "AmazonSSM",
    };
    (service, format!("{prefix}.{operation}"))
}

impl World {
    pub(crate) async fn new(db: Db) -> Self {
        Self::in_folder(db, Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// Opens a control plane on a folder that may have been used before: a restart.
    pub(crate) async fn in_folder(db: Db, folder: Arc<tempfile::TempDir>) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::with_clock(db, folder, clock).await
    }

    pub(crate) async fn with_clock(db: Db, folder: Arc<tempfile::TempDir>, clock: Arc<ManualClock>) -> Self {
        Self::try_open(db, folder, clock).await.unwrap()
    }

    /// The same where the start may be refused.
    pub(crate) async fn try_open(
        db: Db,
        folder: Arc<tempfile::TempDir>,
        clock: Arc<ManualClock>,
    ) -> Result<Self, OpenError> {
        let audit = Arc::new(Remembered::default());
        let steady = Arc::new(ManualClock::default());
        let config = ControlPlaneConfig {
            steady: Steady::of(Arc::clone(&steady) as Arc<dyn Clock>),
            data_dir: folder.path().to_owned(),
            execution_grace_ms: 5_000,
            ..ControlPlaneConfig::default()
        };
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let trail = Arc::clone(&audit) as Arc<dyn AuditTrail>;
        let plane = ControlPlane::open(db.clone(), shared, Arc::new(SystemRandom), trail, config).await?;
        Ok(Self {
            plane,
            clock,
            steady,
            audit,
            folder,
            db,
        })
    }

    /// The same database and folder with nothing remembered: as after a kill.
    pub(crate) async fn restarted(&self) -> Self {
        Self::with_clock(self.db.clone(), Arc::clone(&self.folder), Arc::clone(&self.clock)).await
    }

    /// The headers of a signed request.
    pub(crate) fn signed(
        &self,
        credentials: &Credentials,
        service: &str,
        region: &str,
        (method, path, query): (&str, &str, &str),
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert("host", HOST.parse().unwrap());
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let request = SignedRequest {
            method,
            path,
            query,
            headers: &map,
            body_hash: &sha256_hex(body),
        };
        let added = sign(
            &request,
            credentials,
            region,
            service,
            &amz_date(self.clock.now()),
        );
        for (name, value) in added {
            map.insert(name, value.parse().unwrap());
        }
        map
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> (u16, HeaderMap, Vec<u8>) {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::from(body))
            .unwrap();
        *request.headers_mut() = headers;
        let answer = self.plane.router().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        (status, headers, bytes)
    }

    /// A raw body to an operation, signed with these credentials.
    pub(crate) async fn raw(
        &self,
        credentials: &Credentials,
        operation: &str,
        body: Vec<u8>,
    ) -> (u16, Value) {
        let (service, target) = target(operation);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ];
        let signed = self.signed(credentials, service, REGION, ("POST", "/", ""), &headers, &body);
        let (status, headers, body) = self.send("POST", "/", signed, body).await;
        assert!(
            headers.contains_key("x-amzn-requestid") || status == 400,
            "{status}"
        );
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(crate) async fn call_as(
        &self,
        credentials: &Credentials,
        operation: &str,
        input: Value,
    ) -> (u16, Value) {
        self.raw(credentials, operation, serde_json::to_vec(&input).unwrap())
            .await
    }

    /// A call with the operator's key.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> (u16, Value) {
        self.call_as(&self.plane.operator_credentials(), operation, input)
            .await
    }

    /// A call that must succeed.
    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        let (status, output) = self.call(operation, input).await;
        assert_eq!(status, 200, "{operation}: {output}");
        output
    }

    /// A call that must be refused with this code; gives the message.
    pub(crate) async fn refused(&self, operation: &str, input: Value, code: &str) -> String {
        let (status, output) = self.call(operation, input).await;
        assert_eq!(
            (status, output["__type"].as_str()),
            (400, Some(code)),
            "{operation}: {output}"
        );
        output["message"].as_str().unwrap_or_default().to_owned()
    }

    /// A call without a signature.
    pub(crate) async fn unsigned(&self, operation: &str, input: Value) -> (u16, Value) {
        let mut headers = HeaderMap::new();
        headers.insert("host", HOST.parse().unwrap());
        headers.insert("x-amz-target", target(operation).1.parse().unwrap());
        let (status, _, body) = self
            .send("POST", "/", headers, serde_json::to_vec(&input).unwrap())
            .await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// A call signed with a node's own key.
    pub(crate) async fn with_node_key(
        &self,
        id: &str,
        key: &Ed25519KeyPair,
        operation: &str,
        input: Value,
    ) -> (u16, Value) {
        let body = serde_json::to_vec(&input).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("host", HOST.parse().unwrap());
        headers.insert("content-type", "application/x-amz-json-1.1".parse().unwrap());
        headers.insert("x-amz-target", target(operation).1.parse().unwrap());
        let request = SignedRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body_hash: &sha256_hex(&body),
        };
        let added = sign_with_node_key(&request, id, key, REGION, &amz_date(self.clock.now()));
        for (name, value) in added {
            headers.insert(name, value.parse().unwrap());
        }
        let (status, _, body) = self.send("POST", "/", headers, body).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// A node that joined through an activation of its own.
    pub(crate) async fn node(&self, name: &str) -> Node {
        let activation = self
            .ok(
                "CreateActivation",
                json!({"IamRole": "r", "DefaultInstanceName": name}),
            )
            .await;
        let key = new_key();
        let fingerprint = format!("print-{name}");
        let (status, output) = self
            .unsigned(
                "RegisterManagedInstance",
                registration(&activation, &key, &fingerprint),
            )
            .await;
        assert_eq!(status, 200, "{output}");
        let id = output["InstanceId"].as_str().unwrap().to_owned();
        let credentials = self.credentials(&id, &key, &fingerprint).await;
        let about = json!({
            "InstanceId": id, "AgentName": "muster-agent", "AgentVersion": "0.1.0", "AgentStatus": "Active",
            "PlatformType": "Linux", "PlatformName": "Debian GNU/Linux", "PlatformVersion": "12",
            "ComputerName": format!("{name}.test"), "IPAddress": "10.0.0.1",
        });
        let (status, output) = self
            .call_as(&credentials, "UpdateInstanceInformation", about)
            .await;
        assert_eq!(status, 200, "{output}");
        Node { id, key, credentials }
    }

    /// Temporary keys for a node.
    pub(crate) async fn credentials(&self, id: &str, key: &Ed25519KeyPair, fingerprint: &str) -> Credentials {
        let input = json!({"Fingerprint": fingerprint});
        let (status, output) = self
            .with_node_key(id, key, "RequestManagedInstanceRoleToken", input)
            .await;
        assert_eq!(status, 200, "{output}");
        let text = |name: &str| output[name].as_str().unwrap().to_owned();
        Credentials {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            session_token: Some(text("SessionToken")),
        }
    }

    /// Waits until `check` holds, looking again at every change of a command.
    pub(crate) async fn until<F, Fut>(&self, what: &str, check: F)
    where
        F: Fn() -> Fut,
        Fut: Future<Output = bool>,
    {
        let mut changes = self.plane.changes();
        let waiting = async {
            while !check().await {
                // A lost nudge only means to look again; a channel that opens gives none.
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.recv()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .expect(what);
    }

    /// Runs `echo` on these nodes with more members in the request; gives the command's id.
    pub(crate) async fn run(&self, nodes: &[&Node], more: Value) -> String {
        let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
        let mut input = json!({
            "DocumentName": "AWS-RunShellScript", "InstanceIds": ids, "Parameters": {"commands": ["echo hello"]},
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let output = self.ok("SendCommand", input).await;
        output["Command"]["CommandId"].as_str().unwrap().to_owned()
    }

    /// `StatusDetails` of a command, and of its invocation on a node.
    pub(crate) async fn details(&self, command: &str) -> String {
        let output = self.ok("ListCommands", json!({"CommandId": command})).await;
        output["Commands"][0]["StatusDetails"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) async fn invocation(&self, command: &str, node: &Node) -> Value {
        self.ok(
            "GetCommandInvocation",
            json!({"CommandId": command, "InstanceId": node.id}),
        )
        .await
    }

    pub(crate) async fn detail(&self, command: &str, node: &Node) -> String {
        let output = self.invocation(command, node).await;
        output["StatusDetails"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn new_key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

pub(crate) fn registration(activation: &Value, key: &Ed25519KeyPair, fingerprint: &str) -> Value {
    use base64::Engine as _;
    json!({
        "ActivationId": activation["ActivationId"], "ActivationCode": activation["ActivationCode"],
        "Fingerprint": fingerprint, "PublicKeyType": "Ed25519",
        "PublicKey": base64::engine::general_purpose::STANDARD.encode(key.public_key()),
    })
}
