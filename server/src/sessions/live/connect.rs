//! The way to the node: a websocket to the stream's address, opened with a token, at the embedded endpoint or at
//! AWS. What travels on it is the data channel's business.

use crate::aws::Ssm;
use crate::sessions::live::address;
use crate::sessions::ssm::{self, Grant};
use aws_credential_types::provider::ProvideCredentials;
use futures::stream::SplitStream;
use futures::{SinkExt as _, StreamExt as _};
use http::Uri;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_domain::time::Clock;
use muster_session_channel::message::MAX_FRAME;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long opening may take.
const WITHIN: Duration = Duration::from_secs(15);
/// How long one write may take before the way counts as lost.
const WRITE: Duration = Duration::from_secs(20);
/// How often we ping: proxies on the way drop what is silent.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Frames that wait to be written.
const WAITING: usize = 256;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open way. Dropping it closes it.
#[derive(Debug)]
pub struct Link {
    /// What arrives.
    pub frames: SplitStream<Socket>,
    /// What is to be sent.
    pub sender: mpsc::Sender<Frame>,
    writer: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// What to open a way with.
#[derive(Debug)]
pub enum Opening {
    /// A session that was just started.
    Granted(Grant),
    /// One that goes on: a new token has to be asked for.
    Resume {
        /// Systems Manager's id.
        ssm_session_id: String,
        /// Where it was reached before; for services whose answer names no address.
        stream_url: String,
    },
}

impl Opening {
    /// Whether the session goes on, rather than begins.
    #[must_use]
    pub const fn is_resume(&self) -> bool {
        matches!(self, Self::Resume { .. })
    }

    /// Systems Manager's id, and the stream's address.
    #[must_use]
    pub fn names(&self) -> (String, String) {
        match self {
            Self::Granted(grant) => (grant.ssm_session_id.clone(), grant.stream_url.clone()),
            Self::Resume {
                ssm_session_id,
                stream_url,
            } => (ssm_session_id.clone(), stream_url.clone()),
        }
    }
}

/// Why there is no way.
#[derive(Debug)]
pub enum NoWay {
    /// It may be there later.
    Later(String),
    /// The session is over.
    Over,
    /// There will be none: the service names an address to which its token is not shown.
    Never(String),
}

/// Opens ways.
#[derive(Clone)]
pub struct Connector {
    /// The way to Systems Manager.
    pub ssm: Ssm,
    /// Tells time, for signatures.
    pub clock: Arc<dyn Clock>,
}

impl Connector {
    /// Opens a way. The token of the grant still has to be shown, in the first frame.
    ///
    /// # Errors
    /// [`NoWay`].
    pub async fn open(&self, opening: &Opening) -> Result<(Link, Grant), NoWay> {
        let grant = match opening {
            Opening::Granted(grant) => grant.clone(),
            Opening::Resume {
                ssm_session_id,
                stream_url,
            } => {
                let resumed = ssm::resume(&self.ssm, ssm_session_id).await;
                let mut grant = resumed
                    .map_err(|error| NoWay::Later(error.to_string()))?
                    .ok_or(NoWay::Over)?;
                if grant.stream_url.is_empty() {
                    grant.stream_url.clone_from(stream_url);
                }
                grant
            }
        };
        let uri: Uri = grant
            .stream_url
            .parse()
            .map_err(|_| NoWay::Never("the session's address cannot be read".to_owned()))?;
        address::check(&uri, &self.ssm.connection, self.ssm.endpoint.as_deref()).map_err(NoWay::Never)?;
        let opened = tokio::time::timeout(WITHIN, self.connect(&uri)).await;
        let socket = opened
            .map_err(|_| NoWay::Later("the session's address did not answer in time".to_owned()))?
            .map_err(NoWay::Later)?;
        Ok((link(socket), grant))
    }

    async fn connect(&self, uri: &Uri) -> Result<Socket, String> {
        let mut request = uri
            .clone()
            .into_client_request()
            .map_err(|error| error.to_string())?;
        if !self.ssm.connection.embedded {
            for (name, value) in self.signature(uri).await? {
                let value = http::HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
                request.headers_mut().insert(name, value);
            }
        }
        let limits = WebSocketConfig::default()
            // The usual one is large, each read clears as much, and there may be thousands of terminals.
            .read_buffer_size(16 * 1024)
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        // Small messages in both directions: waiting to fill packets would cost 40 ms each time.
        let connected = tokio_tungstenite::connect_async_with_config(request, Some(limits), true).await;
        let (socket, _) = connected.map_err(|error| error.to_string())?;
        Ok(socket)
    }

    /// Signed like AWS's own client from release 1.2.764.0 on (session protocol, later changes).
    async fn signature(&self, uri: &Uri) -> Result<Vec<(&'static str, String)>, String> {
        let keys = self.ssm.credentials.provide_credentials().await;
        let keys = keys.map_err(|error| error.to_string())?;
        let keys = Credentials {
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: keys.secret_access_key().to_owned(),
            session_token: keys.session_token().map(str::to_owned),
        };
        let (year, month, day, hour, minute, second, _) = self.clock.now().civil();
        let date = format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z");
        let mut headers = http::HeaderMap::new();
        let host = uri
            .authority()
            .map(http::uri::Authority::as_str)
            .unwrap_or_default();
        let header = |text: &str| http::HeaderValue::from_str(text).map_err(|error| error.to_string());
        headers.insert("host", header(host)?);
        let empty = sha256_hex(b"");
        let request = SignedRequest {
            method: "GET",
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &headers,
            body_hash: &empty,
        };
        Ok(sign(
            &request,
            &keys,
            &self.ssm.connection.region,
            "ssmmessages",
            &date,
        ))
    }
}

fn link(socket: Socket) -> Link {
    let (mut sink, frames) = socket.split();
    let (sender, mut waiting) = mpsc::channel::<Frame>(WAITING);
    let writer = tokio::spawn(async move {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.tick().await;
        loop {
            let frame = tokio::select! {
                frame = waiting.recv() => match frame {
                    Some(frame) => frame,
                    None => break,
                },
                _ = ping.tick() => Frame::Ping(bytes::Bytes::new()),
            };
            let more = sink.feed(frame);
            if !matches!(tokio::time::timeout(WRITE, more).await, Ok(Ok(()))) {
                break;
            }
            // Everything that waits goes out in one write.
            while let Ok(frame) = waiting.try_recv() {
                if !matches!(tokio::time::timeout(WRITE, sink.feed(frame)).await, Ok(Ok(()))) {
                    return;
                }
            }
            if !matches!(tokio::time::timeout(WRITE, sink.flush()).await, Ok(Ok(()))) {
                break;
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), sink.close()).await;
    });
    Link {
        frames,
        sender,
        writer,
    }
}
