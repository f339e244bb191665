//! The listening half of the gateway: routes, signatures, channels.

use crate::gateway::{ACTIVATION_CODE, ACTIVATION_ID, Inner, Order, REGION};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use muster_agent_protocol::control::{AgentJobReply, AgentJobReplyAck, OpenControlChannel};
use muster_agent_protocol::extension::{
    CHUNK_BYTES, HELLO, OUTPUT, OUTPUT_ACK, OUTPUT_STREAM, OutputAck, SESSION_INFO, SESSION_INFO_MESSAGE,
    WINDOW_BYTES, decode_output,
};
use muster_agent_protocol::session::{AgentTaskAcknowledge, AgentTaskComplete};
use muster_agent_protocol::signing::{NodeKey, SignedRequest, parse_authorization, sha256_hex, verify};
use muster_session_channel::Message;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) fn router(inner: Arc<Inner>, stop: CancellationToken) -> Router {
    Router::new()
        .route("/", post(call))
        .route("/v1/control-channel/{node}", get(channel).post(create_channel))
        .route(
            "/v1/data-channel/{session}",
            get(data_channel).post(create_data_channel),
        )
        .with_state((inner, stop))
}

type App = State<(Arc<Inner>, CancellationToken)>;

fn error(code: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        json!({"__type": code, "message": "said the test"}).to_string(),
    )
        .into_response()
}

/// Whether the request is signed as it should be; with the node's own key when `key` is given.
fn is_signed(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8], key: Option<&NodeKey>) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = parse_authorization(&header("authorization").unwrap_or_default());
    let (Some(authorization), Some(date)) = (authorization, header("x-amz-date")) else {
        return false;
    };
    let request = SignedRequest {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers,
        body_hash: &sha256_hex(body),
    };
    let names_host = authorization.signed_headers.iter().any(|name| name == "host");
    match key {
        Some(key) => names_host && key.verify(&authorization, &request, &date),
        None => {
            names_host
                && header("x-amz-security-token").as_deref() == Some("token")
                && authorization.region == REGION
                && verify(&authorization, "secret", &request, &date)
        }
    }
}

async fn call(State((inner, _)): App, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let json: Value = serde_json::from_slice(&body).unwrap();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    match headers["x-amz-target"].to_str().unwrap() {
        "AmazonSSM.RegisterManagedInstance" => {
            if text("ActivationCode") != ACTIVATION_CODE || text("ActivationId") != ACTIVATION_ID {
                return error("InvalidActivation");
            }
            let key = NodeKey::parse(&text("PublicKeyType"), &text("PublicKey")).unwrap();
            let id = inner.change(|seen| {
                let id = format!("mi-{:017x}", seen.keys.len() + 1);
                seen.keys.insert(id.clone(), key);
                id
            });
            json!({ "InstanceId": id }).to_string().into_response()
        }
        "AmazonSSM.RequestManagedInstanceRoleToken" => {
            let named = parse_authorization(headers["authorization"].to_str().unwrap()).unwrap();
            let key = inner.seen.lock().unwrap().keys.get(&named.key_id).cloned();
            if !key.is_some_and(|key| is_signed(&method, &uri, &headers, &body, Some(&key))) {
                return error("InvalidSignatureException");
            }
            json!({"AccessKeyId": "AKIA", "SecretAccessKey": "secret", "SessionToken": "token",
                "TokenExpirationDate": 4_102_444_799_i64, "UpdateKeyPair": false})
            .to_string()
            .into_response()
        }
        "AmazonSSM.UpdateInstanceInformation" => {
            if !is_signed(&method, &uri, &headers, &body, None) {
                return error("InvalidSignatureException");
            }
            inner.change(|seen| seen.information.push(serde_json::from_value(json).unwrap()));
            "{}".into_response()
        }
        other => error(other),
    }
}

async fn create_channel(
    State((inner, _)): App,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_signed(&method, &uri, &headers, &body, None) {
        return error("AccessDeniedException");
    }
    drop(inner);
    (
        StatusCode::CREATED,
        "<CreateControlChannelResult><TokenValue>a&amp;b</TokenValue></CreateControlChannelResult>",
    )
        .into_response()
}

async fn create_data_channel(
    State((inner, _)): App,
    Path(session): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_signed(&method, &uri, &headers, &body, None) {
        return error("AccessDeniedException");
    }
    let leg = inner.change(|seen| {
        *seen.created.entry(session.clone()).or_default() += 1;
        seen.legs.get(&session).cloned()
    });
    if leg.is_none_or(|leg| leg.is_terminated()) {
        let refusal = "<BadRequest><message>Session is already terminated</message></BadRequest>";
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    }
    let token = "<CreateDataChannelResult><TokenValue>data&amp;token</TokenValue></CreateDataChannelResult>";
    (StatusCode::CREATED, token).into_response()
}

async fn data_channel(
    State((inner, stop)): App,
    Path(session): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_signed(&method, &uri, &headers, b"", None) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let leg = inner.seen.lock().unwrap().legs[&session].clone();
    upgrade.on_upgrade(move |socket| leg.serve(socket, stop))
}

async fn channel(
    State((inner, stop)): App,
    Path(node): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_signed(&method, &uri, &headers, b"", None) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| serve(inner, stop, node, socket))
}

async fn serve(inner: Arc<Inner>, stop: CancellationToken, node: String, mut socket: WebSocket) {
    let Some(Ok(Frame::Text(opening))) = socket.recv().await else {
        return;
    };
    let opening: OpenControlChannel = serde_json::from_str(&opening).unwrap();
    assert_eq!(opening.token_value, "a&b");
    let (orders, mut ordered) = mpsc::unbounded_channel();
    if inner.manners.lock().unwrap().speaks_output {
        assert_eq!(opening.muster_extensions, [OUTPUT_STREAM, SESSION_INFO]);
        let hello = json!({"Extensions": [OUTPUT_STREAM, SESSION_INFO]}).to_string();
        let _ = orders.send(Order::Send(Message::control(
            HELLO,
            Uuid::nil(),
            1,
            hello.into_bytes(),
        )));
    }
    let mine = orders.clone();
    inner.change(|seen| {
        seen.opened.push(opening);
        seen.open.insert(node.clone(), orders);
    });
    let mut received = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            order = ordered.recv() => match order {
                Some(Order::Send(message)) => {
                    if socket.send(Frame::Binary(message.encode().unwrap().into())).await.is_err() { break }
                }
                Some(Order::Drop) | None => break,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Binary(bytes))) => {
                    let message = Message::decode(&bytes).unwrap();
                    let limit = inner.manners.lock().unwrap().drop_after_bytes;
                    if message.message_type == OUTPUT {
                        received += message.payload.len() as u64;
                        if limit.is_some_and(|limit| received > limit) { break }
                    }
                    if let Some(answer) = inner.hear(&message)
                        && socket.send(Frame::Binary(answer.encode().unwrap().into())).await.is_err() { break }
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    inner.change(|seen| {
        // A newer channel of the same node stays.
        if seen.open.get(&node).is_some_and(|open| open.same_channel(&mine)) {
            seen.open.remove(&node);
        }
    });
}

impl Inner {
    fn hear(&self, message: &Message) -> Option<Message> {
        let manners = self.manners.lock().unwrap().clone();
        let answer = |kind: &str, value: Value| {
            Some(Message::control(
                kind,
                Uuid::nil(),
                1,
                value.to_string().into_bytes(),
            ))
        };
        match message.message_type.as_str() {
            "agent_job_ack" => {
                let ack = serde_json::from_slice(&message.payload).unwrap();
                self.change(|seen| seen.acks.push(ack));
                None
            }
            "agent_job_reply" => {
                let reply: AgentJobReply = serde_json::from_slice(&message.payload).unwrap();
                let content = serde_json::from_str(&reply.content).unwrap();
                let job = reply.job_id.clone();
                self.change(|seen| seen.replies.push((reply.job_id, reply.topic, content)));
                let ack = AgentJobReplyAck {
                    job_id: job,
                    acknowledged_message_id: message.id.to_string(),
                };
                manners
                    .acks_replies
                    .then(|| answer("agent_job_reply_ack", json!(ack)))?
            }
            "agent_task_complete" => {
                let complete: AgentTaskComplete = serde_json::from_slice(&message.payload).unwrap();
                let ack = AgentTaskAcknowledge {
                    schema_version: 1,
                    message_id: message.id.to_string(),
                    task_id: complete.task_id.clone(),
                    topic: complete.topic.clone(),
                };
                self.change(|seen| seen.completed.push(complete));
                manners
                    .acks_ends
                    .then(|| answer("agent_task_acknowledge", json!(ack)))?
            }
            SESSION_INFO_MESSAGE => {
                let info = serde_json::from_slice(&message.payload).unwrap();
                self.change(|seen| seen.described.push(info));
                None
            }
            OUTPUT => {
                let (header, bytes) = decode_output(&message.payload).unwrap();
                let key = (header.job_id.clone(), header.step.clone(), header.stream.clone());
                let kept = self.change(|seen| {
                    seen.output_bytes_received += bytes.len() as u64;
                    if bytes.len() > CHUNK_BYTES {
                        seen.violations.push(format!("a piece of {} bytes", bytes.len()));
                    }
                    let kept = seen.output.entry(key).or_default();
                    let have = kept.len() as u64;
                    if header.offset + bytes.len() as u64 > have + WINDOW_BYTES {
                        seen.violations
                            .push(format!("{} is beyond the window at {have}", header.offset));
                    }
                    // As the real one: what is there already is dropped, a gap is not filled.
                    if header.offset <= have {
                        let known = usize::try_from(have - header.offset).unwrap();
                        kept.extend_from_slice(bytes.get(known..).unwrap_or_default());
                    }
                    kept.len() as u64
                });
                let ack = OutputAck {
                    job_id: header.job_id,
                    step: header.step,
                    stream: header.stream,
                    offset: kept,
                };
                manners.acks_output.then(|| answer(OUTPUT_ACK, json!(ack)))?
            }
            other => panic!("the agent sent {other}"),
        }
    }
}
