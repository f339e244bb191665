//! A receiver of webhooks on loopback: it keeps what it is sent and answers as a test says.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How to answer.
pub(crate) enum Reply {
    Status(u16),
    Redirect(String),
    /// With success and a body that does not end.
    Endless,
    /// Not at all.
    Never,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

type Decide = Box<dyn FnMut(&Seen) -> Reply + Send>;

#[derive(Clone)]
struct Kept {
    seen: Arc<Mutex<Vec<Seen>>>,
    decide: Arc<Mutex<Decide>>,
    came: Arc<Notify>,
}

/// It listens until it is stopped or dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    kept: Kept,
    task: JoinHandle<()>,
}

async fn take(State(kept): State<Kept>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen {
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    kept.seen.lock().unwrap().push(seen.clone());
    kept.came.notify_one();
    let reply = (*kept.decide.lock().unwrap())(&seen);
    let status = |code: u16| http::StatusCode::from_u16(code).unwrap();
    match reply {
        Reply::Status(code) => (status(code), "secret of the other side").into_response(),
        Reply::Redirect(to) => (status(307), [("location", to)]).into_response(),
        Reply::Endless => {
            let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 65_536]));
            Body::from_stream(futures::stream::repeat_with(piece).boxed()).into_response()
        }
        Reply::Never => std::future::pending().await,
    }
}

impl Receiver {
    pub(crate) async fn start(decide: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept {
            seen: Arc::default(),
            decide: Arc::new(Mutex::new(Box::new(decide))),
            came: Arc::default(),
        };
        let router = axum::Router::new().fallback(take).with_state(kept.clone());
        Self {
            address: listener.local_addr().unwrap(),
            kept,
            task: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        }
    }

    /// From now on it answers otherwise.
    pub(crate) fn answer(&self, decide: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.kept.decide.lock().unwrap() = Box::new(decide);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.kept.seen.lock().unwrap().clone()
    }

    /// What the requests were about, in their order.
    pub(crate) fn abouts(&self) -> Vec<String> {
        let about = |seen: &Seen| seen.json()["about"].as_str().unwrap().to_owned();
        self.seen().iter().map(about).collect()
    }

    /// Until a request has come.
    pub(crate) async fn came(&self) {
        self.kept.came.notified().await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}
