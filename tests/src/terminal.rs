//! A browser's terminal without a browser: the portal's own protocol over a real socket, byte by byte.

use crate::portal::{Client, Fallible};
use futures::{SinkExt as _, StreamExt as _};
use muster_domain::sessions::SessionSummary;
use muster_domain::sessions::wire::{
    ClientMessage, INPUT_FRAME, INPUT_WINDOW, ServerMessage, beyond, decode_bytes, encode_bytes,
};
use std::cell::Cell;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An attached page.
pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// All output that arrived, after [`Terminal::snapshot`].
    pub output: Vec<u8>,
    /// The offset of the first byte of [`Terminal::output`].
    pub from: u64,
    /// What brought the empty terminal to the state before that.
    pub snapshot: String,
    /// How the session stands.
    pub session: SessionSummary,
    /// Whether what is typed reaches the node.
    pub may_type: bool,
    /// Whether it said that it is over.
    pub ended: bool,
    /// Why the portal sent it away, if it did.
    pub refused: Option<String>,
    /// That it ends soon.
    pub warned: bool,
    /// Lines for its person.
    pub notices: Vec<String>,
    /// Input that was sent.
    pub sent: u64,
    /// Input that the portal has.
    pub taken: u64,
}

/// Starts a terminal on a node; answers the session's id.
///
/// # Errors
/// What the portal says.
pub async fn start(client: &Client, node: &str) -> Fallible<String> {
    let fields = [
        ("node_id", node),
        ("os_user", ""),
        ("reason", "a test"),
        ("cols", "80"),
        ("rows", "24"),
    ];
    let (status, answer) = client.call("sessions/start", &fields).await?;
    answer
        .as_str()
        .filter(|_| status < 400)
        .map(str::to_owned)
        .ok_or_else(|| format!("no session: {status} {answer}").into())
}

impl Terminal {
    /// Attaches to a session.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn attach(client: &Client, id: &str, page: &str, cursor: Option<u64>) -> Fallible<Self> {
        let address = client.base().replacen("http", "ws", 1);
        let mut request = format!("{address}/sessions/{id}/socket").into_client_request()?;
        if let Some(cookies) = client.cookie_header() {
            request.headers_mut().insert("cookie", cookies);
        }
        request.headers_mut().insert("origin", client.base().parse()?);
        // As browsers do: a key must not wait for the acknowledgement of what was sent before it.
        let (mut socket, _) = tokio_tungstenite::connect_async_with_config(request, None, true).await?;
        let attach = ClientMessage::Attach {
            client: page.to_owned(),
            watch: false,
            cursor,
            cols: 80,
            rows: 24,
        };
        socket.send(Frame::text(serde_json::to_string(&attach)?)).await?;
        loop {
            let frame = tokio::time::timeout(PATIENCE, socket.next()).await?;
            let Frame::Text(text) = frame.ok_or("the socket closed")?? else {
                continue;
            };
            match serde_json::from_str(text.as_str())? {
                ServerMessage::Attached {
                    session,
                    may_type,
                    from,
                    input,
                    ..
                } => {
                    return Ok(Self {
                        socket,
                        output: Vec::new(),
                        from,
                        snapshot: String::new(),
                        session: *session,
                        may_type,
                        ended: false,
                        refused: None,
                        warned: false,
                        notices: Vec::new(),
                        sent: input,
                        taken: input,
                    });
                }
                ServerMessage::Refused { message } => return Err(message.into()),
                other => return Err(format!("not attached but {other:?}").into()),
            }
        }
    }

    /// The offset behind the last byte that arrived.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.from + self.output.len() as u64
    }

    /// Lets go of all output that arrived, so that what comes can be counted.
    pub fn forget(&mut self) {
        self.from = self.cursor();
        self.output = Vec::new();
    }

    /// All that arrived, as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Says something to the portal.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn say(&mut self, message: &ClientMessage) -> Fallible<()> {
        Ok(self
            .socket
            .send(Frame::text(serde_json::to_string(message)?))
            .await?)
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn raw(&mut self, frame: Frame) -> Fallible<()> {
        Ok(self.socket.send(frame).await?)
    }

    /// Types, within the window, as a page does.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn type_in(&mut self, bytes: impl AsRef<[u8]>) -> Fallible<()> {
        for piece in bytes.as_ref().chunks(INPUT_FRAME) {
            while self.sent + piece.len() as u64 - self.taken > INPUT_WINDOW {
                self.next().await?;
            }
            let frame = encode_bytes(self.sent, piece);
            self.socket.send(Frame::Binary(frame.into())).await?;
            self.sent += piece.len() as u64;
        }
        Ok(())
    }

    /// Takes the next frame in; whether there was one.
    ///
    /// # Errors
    /// When nothing comes for long, or what comes has a hole or comes twice.
    pub async fn next(&mut self) -> Fallible<bool> {
        let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await?;
        let Some(Ok(frame)) = frame else { return Ok(false) };
        match frame {
            Frame::Binary(bytes) => {
                let (offset, bytes) = decode_bytes(&bytes).ok_or("a frame without an offset")?;
                let new = beyond(self.cursor(), offset, bytes).ok_or("a hole in the output")?;
                if new.len() != bytes.len() {
                    return Err("output came twice".into());
                }
                self.output.extend_from_slice(new);
                let offset = self.cursor();
                // The portal may have closed already, with more to be read before the end.
                let _ = self.say(&ClientMessage::Consumed { offset }).await;
            }
            Frame::Text(text) => match serde_json::from_str(text.as_str())? {
                ServerMessage::Snapshot { text } => self.snapshot = text,
                ServerMessage::Taken { input } => self.taken = input,
                ServerMessage::Changed {
                    session, may_type, ..
                } => {
                    self.session = *session;
                    self.may_type = may_type;
                }
                ServerMessage::Ended { session } => {
                    self.session = *session;
                    self.ended = true;
                }
                ServerMessage::Refused { message } => self.refused = Some(message),
                ServerMessage::Warning { .. } => self.warned = true,
                ServerMessage::Notice { text } => self.notices.push(text),
                _ => {}
            },
            Frame::Close(_) => return Ok(false),
            _ => {}
        }
        Ok(true)
    }

    /// Reads until it is as wanted.
    ///
    /// # Errors
    /// When it does not become so before the socket closes or time runs out.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Fallible<()> {
        let read = async {
            while !is_so(self) {
                if !self.next().await? {
                    let text = self.text();
                    let tail: String = text
                        .chars()
                        .rev()
                        .take(400)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect();
                    return Err(format!(
                        "the socket closed before {what}; refused: {:?}; {:?}; the screen ends: {tail}",
                        self.refused, self.session.end_message
                    )
                    .into());
                }
            }
            Ok(())
        };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(done) => done,
            Err(_) => {
                let text = self.text();
                let tail: String = text
                    .chars()
                    .skip(text.chars().count().saturating_sub(400))
                    .collect();
                Err(format!(
                    "in vain for {what} in {} bytes, which end: {tail}",
                    self.output.len()
                )
                .into())
            }
        }
    }

    /// Reads until text was shown.
    ///
    /// # Errors
    /// As [`Terminal::until`].
    pub async fn shows(&mut self, text: &str) -> Fallible<()> {
        // What was looked through once is not looked through again: there may be megabytes of it.
        let seen = Cell::new(0);
        self.until(&format!("{text:?} is shown"), |this| {
            let from = seen.replace(this.output.len().saturating_sub(text.len()));
            let new = this.output.get(from..).unwrap_or_default();
            new.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .await
    }
}
