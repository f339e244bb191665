//! One browser at a live session: what it has not had yet is sent as fast as it works it off, and what is typed
//! goes to the session's task. A browser that stops reading only holds up itself, and the node where it is its
//! owner's.

use crate::sessions::live::backlog::Read;
use crate::sessions::live::shared::{Command, LiveState, Reader};
use crate::sessions::live::socket::{Gone, close, first_message, hang_up, refuse, say, send};
use crate::sessions::live::{LiveGround, Shared};
use crate::sessions::recordings::{Earlier, Store};
use axum::extract::ws::{Message as Frame, WebSocket};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{SplitSink, SplitStream};
use muster_domain::Actor;
use muster_domain::sessions::SessionSummary;
use muster_domain::sessions::wire::{
    ClientMessage, INPUT_FRAME, MAX_TEXT, OUTPUT_WINDOW, ServerMessage, decode_bytes, encode_bytes,
};
use muster_session_channel::body::Size;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a silent browser is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A browser that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(75);
/// Bytes of output in one frame.
const PIECE: usize = 32 * 1024;
/// Bytes of output that a new page is given of what scrolled away.
const SCROLLBACK: u64 = 256 * 1024;
/// Those who look on see everything from the first byte, up to so many bytes.
const FROM_THE_FIRST: u64 = 8 * 1024 * 1024;

/// Who attaches, and how.
pub struct Attachment {
    /// What sessions stand on.
    pub ground: LiveGround,
    /// Where recordings are read.
    pub store: Store,
    /// The person.
    pub actor: Actor,
    /// Whether the session is another's.
    pub is_other: bool,
}

struct Browser {
    shared: Arc<Shared>,
    store: Store,
    sink: SplitSink<WebSocket, Frame>,
    number: u64,
    client: String,
    watcher: bool,
    /// The offset of the next byte to send.
    at: u64,
    /// Output that is only in the recording any more.
    earlier: Option<Earlier>,
    version: u64,
    taken: u64,
    notices: u64,
    warned: bool,
    size: Size,
}

/// Serves a browser until it goes or the session is over. Answers how it was in the session, for the audit log.
pub async fn serve(attachment: Attachment, shared: Arc<Shared>, socket: WebSocket) {
    let (mut sink, mut frames) = socket.split();
    let Some(ClientMessage::Attach {
        client,
        watch,
        cursor,
        cols,
        rows,
    }) = first_message(&mut frames).await
    else {
        if refuse(&mut sink, "The first message has to be `attach`.")
            .await
            .is_ok()
        {
            hang_up(&mut frames).await;
        }
        return;
    };
    let client: String = client.chars().take(64).collect();
    let watcher = attachment.is_other || watch;
    let ground = attachment.ground;
    let reader = Reader {
        name: attachment.actor.name.clone(),
        user: attachment.actor.user_id.clone(),
        sign_in: attachment.actor.session.as_ref().map(ToString::to_string),
        watcher: attachment.is_other,
        consumed: 0,
        typed: false,
        revoked: None,
    };
    let pulse = shared.listen();
    let number = shared.enter(reader);
    let browser = Browser {
        shared: Arc::clone(&shared),
        store: attachment.store,
        sink,
        number,
        client,
        watcher,
        at: 0,
        earlier: None,
        version: 0,
        taken: 0,
        notices: 0,
        warned: false,
        size: Size { cols: 0, rows: 0 },
    };
    let name = attachment.actor.name;
    shared
        .tell(Command::Joined {
            name: name.clone(),
            watcher: attachment.is_other,
        })
        .await;
    if !watcher {
        let (cols, rows) = (u32::from(cols.clamp(2, 1_000)), u32::from(rows.clamp(2, 1_000)));
        shared.tell(Command::Resize(Size { cols, rows })).await;
    }
    let stop = ground.stop.clone();
    let gone = tokio::select! {
        () = stop.cancelled() => Gone::Silently,
        gone = browser.run(cursor, &mut frames, pulse) => gone,
    };
    shared.leave(number);
    shared.tell(Command::Left { name }).await;
    if matches!(gone, Gone::Over) {
        hang_up(&mut frames).await;
    }
}

/// Tells a browser that comes too late that the session is over.
pub async fn tell_end(socket: WebSocket, session: Box<SessionSummary>) {
    let (mut sink, mut frames) = socket.split();
    let first = first_message(&mut frames).await;
    if first.is_some() && say(&mut sink, &ServerMessage::Ended { session }).await.is_ok() {
        close(&mut sink).await;
        hang_up(&mut frames).await;
    }
}

fn cells(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

impl Browser {
    /// Serves until there is a reason to stop.
    async fn run(
        self,
        cursor: Option<u64>,
        frames: &mut SplitStream<WebSocket>,
        pulse: watch::Receiver<u64>,
    ) -> Gone {
        let Err(gone) = self.follow(cursor, frames, pulse).await;
        gone
    }

    async fn follow(
        mut self,
        cursor: Option<u64>,
        frames: &mut SplitStream<WebSocket>,
        mut pulse: watch::Receiver<u64>,
    ) -> Result<Infallible, Gone> {
        self.greet(cursor).await?;
        let mut heard = Instant::now();
        let mut ping = tokio::time::interval(PING_EVERY);
        loop {
            pulse.mark_unchanged();
            self.changes().await?;
            self.output(frames, &mut heard).await?;
            self.farewell().await?;
            tokio::select! {
                frame = frames.next() => match frame {
                    Some(Ok(frame)) => {
                        heard = Instant::now();
                        self.take(frame).await?;
                    }
                    _ => return Err(Gone::Silently),
                },
                changed = pulse.changed() => changed.map_err(|_| Gone::Silently)?,
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(Gone::Silently);
                    }
                    send(&mut self.sink, Frame::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Answers the first message: from where output comes, and what the terminal has to look like before.
    async fn greet(&mut self, cursor: Option<u64>) -> Result<(), Gone> {
        let (end, id) = {
            let state = self.shared.state();
            (state.backlog.end(), self.shared.id.clone())
        };
        let mut snapshot = None;
        let from = match cursor.filter(|cursor| *cursor <= end) {
            Some(cursor) => cursor,
            None if self.watcher && end <= FROM_THE_FIRST || end <= SCROLLBACK => 0,
            None => match self.store.snapshot(&id, SCROLLBACK).await {
                Some(found) => {
                    snapshot = Some(found.text);
                    found.offset
                }
                // Without a recording there is only what is kept in memory.
                None => 0,
            },
        };
        let reset = cursor != Some(from);
        self.at = from;
        let message = {
            let mut state = self.shared.state();
            if let Some(reader) = state.readers.get_mut(&self.number) {
                reader.consumed = from;
            }
            self.version = state.version;
            self.size = state.size;
            self.taken = state.taken_of(&self.client);
            ServerMessage::Attached {
                session: Box::new(state.row.summary.clone()),
                may_type: self.may_type(&state),
                from,
                reset,
                cols: cells(state.size.cols),
                rows: cells(state.size.rows),
                input: self.taken,
            }
        };
        say(&mut self.sink, &message).await?;
        if let Some(text) = snapshot {
            say(&mut self.sink, &ServerMessage::Snapshot { text }).await?;
        }
        // Whether nothing may be typed for now comes with the first change.
        self.version = 0;
        Ok(())
    }

    fn may_type(&self, state: &LiveState) -> bool {
        !self.watcher && state.waits_for.is_none() && !state.row.summary.status.is_over()
    }

    /// Tells what is new besides output.
    async fn changes(&mut self) -> Result<(), Gone> {
        let mut messages = Vec::new();
        let revoked = {
            let state = self.shared.state();
            if state.version != self.version {
                self.version = state.version;
                messages.push(ServerMessage::Changed {
                    session: Box::new(state.row.summary.clone()),
                    may_type: self.may_type(&state),
                    waits_for: if self.watcher {
                        None
                    } else {
                        state.waits_for.clone()
                    },
                });
            }
            if state.size != self.size {
                self.size = state.size;
                messages.push(ServerMessage::Resized {
                    cols: cells(state.size.cols),
                    rows: cells(state.size.rows),
                });
            }
            let taken = state.taken_of(&self.client);
            if taken != self.taken {
                self.taken = taken;
                messages.push(ServerMessage::Taken { input: taken });
            }
            let (before, lines) = &state.notices;
            for (at, line) in lines.iter().enumerate() {
                let number = before + at as u64;
                if number >= self.notices {
                    self.notices = number + 1;
                    messages.push(ServerMessage::Notice { text: line.clone() });
                }
            }
            match state.warning {
                Some((ends_at, reason)) if !self.warned => {
                    self.warned = true;
                    messages.push(ServerMessage::Warning {
                        ends_at,
                        reason,
                        may_ask: !self.watcher,
                    });
                }
                Some(_) => {}
                None => self.warned = false,
            }
            let reader = state.readers.get(&self.number);
            reader.and_then(|reader| reader.revoked.clone())
        };
        for message in messages {
            say(&mut self.sink, &message).await?;
        }
        if let Some(reason) = revoked {
            refuse(&mut self.sink, &reason).await?;
            return Err(Gone::Over);
        }
        Ok(())
    }

    fn consumed(&self) -> u64 {
        let state = self.shared.state();
        state
            .readers
            .get(&self.number)
            .map_or(0, |reader| reader.consumed)
    }

    /// Sends output while the browser keeps up.
    async fn output(&mut self, frames: &mut SplitStream<WebSocket>, heard: &mut Instant) -> Result<(), Gone> {
        use futures::FutureExt as _;
        while self.at.saturating_sub(self.consumed()) < OUTPUT_WINDOW {
            let read = self.shared.state().backlog.read(self.at, PIECE);
            let piece = match read {
                Read::Bytes(piece) => {
                    self.earlier = None;
                    piece
                }
                Read::Nothing => return Ok(()),
                Read::Gone(start) => match self.earlier_piece().await {
                    Some(piece) => piece,
                    None => {
                        // Nowhere any more: the page is told, rather than shown something else.
                        let text =
                            "Output from here on is missing: it was neither recorded nor kept.".to_owned();
                        say(&mut self.sink, &ServerMessage::Notice { text }).await?;
                        self.at = start;
                        continue;
                    }
                },
            };
            send(
                &mut self.sink,
                Frame::Binary(encode_bytes(self.at, &piece).into()),
            )
            .await?;
            self.at += piece.len() as u64;
            // Keystrokes must not wait behind a flood.
            while let Some(frame) = frames.next().now_or_never() {
                let Some(Ok(frame)) = frame else {
                    return Err(Gone::Silently);
                };
                *heard = Instant::now();
                self.take(frame).await?;
            }
        }
        Ok(())
    }

    /// The next piece from the recording; nothing when it is not there either.
    async fn earlier_piece(&mut self) -> Option<Bytes> {
        if self.earlier.is_none() {
            self.earlier = self.store.earlier(&self.shared.id, self.at).await;
        }
        let piece = self.earlier.as_mut()?.next(self.at).await;
        if piece.is_none() {
            self.earlier = None;
        }
        piece
    }

    /// Says that it is over, once everything was sent.
    async fn farewell(&mut self) -> Result<(), Gone> {
        let session = {
            let state = self.shared.state();
            let is_over = state.row.summary.status.is_over() && self.at >= state.backlog.end();
            is_over.then(|| Box::new(state.row.summary.clone()))
        };
        let Some(session) = session else { return Ok(()) };
        say(&mut self.sink, &ServerMessage::Ended { session }).await?;
        close(&mut self.sink).await;
        Err(Gone::Over)
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Gone> {
        match frame {
            Frame::Binary(bytes) => self.input(&bytes).await,
            Frame::Text(text) if text.len() <= MAX_TEXT => match serde_json::from_str(text.as_str()) {
                Ok(message) => self.message(message).await,
                Err(_) => {
                    refuse(&mut self.sink, "A message from this page cannot be read.").await?;
                    Err(Gone::Over)
                }
            },
            Frame::Text(_) => {
                refuse(&mut self.sink, "A message from this page is too long.").await?;
                Err(Gone::Over)
            }
            Frame::Close(_) => Err(Gone::Silently),
            Frame::Ping(_) | Frame::Pong(_) => Ok(()),
        }
    }

    async fn input(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let Some((offset, bytes)) = decode_bytes(bytes).filter(|(_, bytes)| bytes.len() <= INPUT_FRAME)
        else {
            refuse(&mut self.sink, "Input from this page cannot be read.").await?;
            return Err(Gone::Over);
        };
        if self.watcher {
            return Ok(());
        }
        if let Some(reader) = self.shared.state().readers.get_mut(&self.number) {
            reader.typed = true;
        }
        let input = Command::Input {
            client: self.client.clone(),
            offset,
            bytes: bytes.to_vec(),
        };
        self.shared.tell(input).await;
        Ok(())
    }

    async fn message(&mut self, message: ClientMessage) -> Result<(), Gone> {
        match message {
            ClientMessage::Attach { .. } => {
                refuse(&mut self.sink, "This page is attached already.").await?;
                return Err(Gone::Over);
            }
            ClientMessage::Resize { cols, rows } => {
                if !self.watcher {
                    let (cols, rows) = (u32::from(cols.clamp(2, 1_000)), u32::from(rows.clamp(2, 1_000)));
                    self.shared.tell(Command::Resize(Size { cols, rows })).await;
                }
            }
            ClientMessage::Consumed { offset } => {
                let mut state = self.shared.state();
                let was_behind = state.behind() >= super::BEHIND;
                if let Some(reader) = state.readers.get_mut(&self.number) {
                    // Nobody has worked off what was not sent.
                    reader.consumed = reader.consumed.max(offset.min(self.at));
                }
                let behind = state.behind();
                state.backlog.trim(behind);
                drop(state);
                if was_behind {
                    self.shared.look();
                }
            }
            ClientMessage::Ping { token, .. } => {
                let now = self.store.now();
                say(&mut self.sink, &ServerMessage::Pong { token, now }).await?;
            }
        }
        Ok(())
    }
}
