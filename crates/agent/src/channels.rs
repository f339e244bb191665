//! Opening channels: a token over HTTP, then a websocket. What travels on them is in `link` and `sessions`.

use crate::calls::{Client, amz_date, header, refusal};
use crate::error::AgentError;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_domain::ids::NodeId;
use muster_session_channel::message::MAX_FRAME;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// An open websocket.
pub(crate) type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Which channel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Channel<'a> {
    /// The node's own.
    Control(&'a NodeId),
    /// That of one session.
    Data(&'a str),
}

impl Channel<'_> {
    fn path(self) -> String {
        match self {
            Self::Control(node) => format!("/v1/control-channel/{node}"),
            Self::Data(session) => format!("/v1/data-channel/{session}"),
        }
    }

    fn query(self) -> &'static str {
        match self {
            Self::Control(_) => "role=subscribe&stream=input",
            Self::Data(_) => "role=publish_subscribe",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Control(_) => "ControlChannel",
            Self::Data(_) => "DataChannel",
        }
    }

    fn creation(self, request_id: &str) -> serde_json::Value {
        match self {
            Self::Control(_) => serde_json::json!({"MessageSchemaVersion": "1.0", "RequestId": request_id}),
            Self::Data(_) => {
                serde_json::json!({"MessageSchemaVersion": "1.0", "RequestId": request_id, "ClientId": ""})
            }
        }
    }
}

impl Client {
    /// Asks for a channel; answers its token.
    pub(crate) async fn create_channel(
        &self,
        channel: Channel<'_>,
        request_id: &str,
        credentials: &Credentials,
    ) -> Result<String, AgentError> {
        let body = channel.creation(request_id).to_string().into_bytes();
        let headers = self.headers("application/json");
        let (status, text) = self
            .post(&channel.path(), headers, body, |signed, date| {
                sign(signed, credentials, &self.region, "ssmmessages", date)
            })
            .await?;
        if status.as_u16() != 201 {
            return Err(refusal(&format!("Create{}", channel.name()), status, &text));
        }
        let token = text
            .split_once("<TokenValue>")
            .and_then(|(_, rest)| rest.split_once("</TokenValue>"))
            .map(|(token, _)| token.trim());
        match token {
            Some(token) if !token.is_empty() => Ok(token
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&amp;", "&")),
            _ => Err(self.nonsense("the channel came without a token")),
        }
    }

    /// Opens the websocket of a channel.
    pub(crate) async fn open_channel(
        &self,
        channel: Channel<'_>,
        credentials: &Credentials,
    ) -> Result<Socket, AgentError> {
        let request = self.websocket_request(channel, credentials)?;
        let limits = WebSocketConfig::default()
            // The usual one is large, and an agent may have a thousand.
            .read_buffer_size(16 * 1024)
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        let connector = self.trust.connector();
        let connected =
            tokio_tungstenite::connect_async_tls_with_config(request, Some(limits), true, connector).await;
        let (socket, _) = connected.map_err(|error| self.websocket_error(channel, &error))?;
        Ok(socket)
    }

    fn websocket_request(
        &self,
        channel: Channel<'_>,
        credentials: &Credentials,
    ) -> Result<http::Request<()>, AgentError> {
        let (path, query) = (channel.path(), channel.query());
        let scheme = if self.endpoint.is_tls { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{path}?{query}", self.endpoint.authority)
            .into_client_request()
            .map_err(|error| self.nonsense(&error.to_string()))?;
        let mut headers = http::HeaderMap::new();
        headers.insert("host", header(&self.endpoint.authority)?);
        let signed = SignedRequest {
            method: "GET",
            path: &path,
            query,
            headers: &headers,
            body_hash: &sha256_hex(b""),
        };
        let date = amz_date(self.now());
        for (name, value) in sign(&signed, credentials, &self.region, "ssmmessages", &date) {
            request.headers_mut().insert(name, header(&value)?);
        }
        Ok(request)
    }

    /// What went wrong with a websocket, in the words of calls.
    pub(crate) fn websocket_error(
        &self,
        channel: Channel<'_>,
        error: &tokio_tungstenite::tungstenite::Error,
    ) -> AgentError {
        match error {
            tokio_tungstenite::tungstenite::Error::Http(answer) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(body.get(..body.len().min(2048)).unwrap_or_default());
                refusal(&format!("Open{}", channel.name()), answer.status(), &body)
            }
            other => AgentError::Unreachable {
                endpoint: self.endpoint().as_str().to_owned(),
                reason: other.to_string(),
            },
        }
    }
}
