//! Many TCP connections in one port session: streams over the bytes of a data channel, in both roles.
//! The frames' bytes are in `frame`; sockets and the data channel itself are the caller's.

mod frame;

use std::collections::{BTreeMap, VecDeque};

pub use frame::{Command, Frame, FrameError, FrameReader, HEADER, MAX_PAYLOAD};

use crate::limits::Millis;

/// A side that keeps alive sends something at least so often (session protocol, mux).
pub const KEEPALIVE_EVERY: Millis = 10_000;
/// A side that keeps alive gives up when it has heard nothing for so long.
pub const KEEPALIVE_TIMEOUT: Millis = 30_000;
/// Bytes that were received and not fetched, for all streams together.
pub const RECEIVE_BUFFER: usize = 4 << 20;
/// Bytes that wait to be written to the data channel, for all streams together.
pub const SEND_BUFFER: usize = 256 * 1024;
/// More connections at once than any person opens.
pub const MAX_STREAMS: usize = 1024;

/// What an event costs beside its bytes, roughly.
const OVERHEAD: usize = 64;

/// Which side this is: only clients open streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuxSide {
    /// session-manager-plugin's side.
    Client,
    /// The agent's side.
    Agent,
}

/// What happened to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MuxEvent {
    /// The other side has opened a stream: dial the port.
    Opened(u32),
    /// Bytes, in order.
    Data(u32, Vec<u8>),
    /// The other side sends no more on this stream.
    Finished(u32),
}

/// Why nothing goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MuxError {
    /// The bytes are no frames.
    #[error("the multiplexer's frames cannot be read: {0}")]
    Frame(#[from] FrameError),
    /// An agent has opened a stream; only clients do.
    #[error("the agent opened stream {0}; only clients open streams")]
    Opened(u32),
    /// So many streams are opened, and refused, that even the refusals pile up.
    #[error("far too many streams were opened")]
    Flood,
    /// Nothing was heard for [`KEEPALIVE_TIMEOUT`].
    #[error("the other side has fallen silent")]
    Silent,
    /// It has failed before.
    #[error("the multiplexer has failed before")]
    Over,
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MuxRefusal {
    /// Too much waits: fetch what there is and try again.
    #[error("too much waits to be sent")]
    Full,
    /// There is no such stream, or this side has finished it.
    #[error("the stream is not open")]
    Closed,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    finished_here: bool,
    finished_there: bool,
}

/// One side of the multiplexer.
pub struct Mux {
    side: MuxSide,
    keepalive: bool,
    reader: FrameReader,
    streams: BTreeMap<u32, Stream>,
    next_id: u32,
    out: VecDeque<u8>,
    events: VecDeque<MuxEvent>,
    event_bytes: usize,
    heard: Millis,
    spoke: Millis,
    over: bool,
}

impl Mux {
    /// A session without streams. Whether it keeps alive is in [`crate::version::PortMode::Mux`].
    #[must_use]
    pub fn new(side: MuxSide, keepalive: bool, now: Millis) -> Self {
        Self {
            side,
            keepalive,
            reader: FrameReader::new(),
            streams: BTreeMap::new(),
            // The first stream of a client is 3, then all odd numbers.
            next_id: 3,
            out: VecDeque::new(),
            events: VecDeque::new(),
            event_bytes: 0,
            heard: now,
            spoke: now,
            over: false,
        }
    }

    /// Opens a stream for an accepted connection. Clients only.
    ///
    /// # Errors
    /// [`MuxRefusal::Full`] when too many are open or too much waits; [`MuxRefusal::Closed`] on an agent or after
    /// a failure.
    pub fn open(&mut self) -> Result<u32, MuxRefusal> {
        if self.over || self.side == MuxSide::Agent {
            return Err(MuxRefusal::Closed);
        }
        if self.streams.len() >= MAX_STREAMS || self.out.len() + HEADER > SEND_BUFFER {
            return Err(MuxRefusal::Full);
        }
        let id = self.next_id;
        // No real session comes near; ids are never used twice.
        self.next_id = id.checked_add(2).ok_or(MuxRefusal::Closed)?;
        self.streams.insert(id, Stream::default());
        self.write(Command::Open, id, &[]);
        Ok(id)
    }

    fn write(&mut self, command: Command, stream: u32, payload: &[u8]) {
        self.out.extend(frame::header(command, stream, payload.len()));
        self.out.extend(payload);
    }

    /// Sends bytes on a stream: all of them or nothing.
    ///
    /// # Errors
    /// [`MuxRefusal`]: too much waits, or the stream is not open.
    pub fn send(&mut self, stream: u32, data: &[u8]) -> Result<(), MuxRefusal> {
        self.can_send(stream)?;
        let frames = data.len().div_ceil(MAX_PAYLOAD);
        if self.out.len() + data.len() + frames * HEADER > SEND_BUFFER {
            return Err(MuxRefusal::Full);
        }
        for chunk in data.chunks(MAX_PAYLOAD) {
            self.write(Command::Data, stream, chunk);
        }
        Ok(())
    }

    fn can_send(&self, stream: u32) -> Result<(), MuxRefusal> {
        match self.streams.get(&stream) {
            Some(found) if !found.finished_here && !self.over => Ok(()),
            _ => Err(MuxRefusal::Closed),
        }
    }

    /// This side sends no more on the stream: its connection has come to its end, or could not be made. The
    /// stream is forgotten when the other side has finished as well.
    ///
    /// # Errors
    /// [`MuxRefusal::Closed`] when it is not open.
    pub fn finish(&mut self, stream: u32) -> Result<(), MuxRefusal> {
        self.can_send(stream)?;
        self.write(Command::Finish, stream, &[]);
        self.update(stream, |found| found.finished_here = true);
        Ok(())
    }

    fn update(&mut self, stream: u32, change: impl FnOnce(&mut Stream)) {
        if let Some(found) = self.streams.get_mut(&stream) {
            change(found);
            if found.finished_here && found.finished_there {
                self.streams.remove(&stream);
            }
        }
    }

    /// Whether bytes may be passed to [`Self::receive`]. While not, leave them in the data channel, which then
    /// makes the other side wait.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.event_bytes < RECEIVE_BUFFER
    }

    /// Takes bytes of the data channel, cut anywhere.
    ///
    /// # Errors
    /// [`MuxError`]: nothing can follow; end the session.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) -> Result<(), MuxError> {
        if self.over {
            return Err(MuxError::Over);
        }
        self.heard = now;
        self.reader.push(bytes);
        let result = self.take_frames();
        self.over = result.is_err();
        result
    }

    fn take_frames(&mut self) -> Result<(), MuxError> {
        while let Some(Frame {
            command,
            stream,
            payload,
        }) = self.reader.take()?
        {
            match command {
                Command::Open => self.opened(stream)?,
                Command::Data => {
                    let open = self
                        .streams
                        .get(&stream)
                        .is_some_and(|found| !found.finished_there);
                    // What comes for a stream that is gone was sent before its end was heard.
                    if open && !payload.is_empty() {
                        self.event_bytes += payload.len() + OVERHEAD;
                        self.events.push_back(MuxEvent::Data(stream, payload));
                    }
                }
                Command::Finish => {
                    if self
                        .streams
                        .get(&stream)
                        .is_some_and(|found| !found.finished_there)
                    {
                        self.event_bytes += OVERHEAD;
                        self.events.push_back(MuxEvent::Finished(stream));
                        self.update(stream, |found| found.finished_there = true);
                    }
                }
                Command::Keepalive => {}
            }
        }
        Ok(())
    }

    fn opened(&mut self, stream: u32) -> Result<(), MuxError> {
        if self.side == MuxSide::Client {
            return Err(MuxError::Opened(stream));
        }
        if self.streams.contains_key(&stream) {
            return Ok(());
        }
        if self.streams.len() < MAX_STREAMS {
            self.streams.insert(stream, Stream::default());
            self.event_bytes += OVERHEAD;
            self.events.push_back(MuxEvent::Opened(stream));
        } else if self.out.len() < SEND_BUFFER {
            self.write(Command::Finish, stream, &[]);
        } else {
            return Err(MuxError::Flood);
        }
        Ok(())
    }

    /// At most `limit` bytes to send as data of the channel ([`crate::CHUNK`] suits).
    ///
    /// # Errors
    /// [`MuxError::Silent`] when the other side should have been heard; [`MuxError::Over`] after a failure.
    pub fn poll_transmit(&mut self, now: Millis, limit: usize) -> Result<Option<Vec<u8>>, MuxError> {
        if self.over {
            return Err(MuxError::Over);
        }
        if self.keepalive && now >= self.heard.saturating_add(KEEPALIVE_TIMEOUT) {
            self.over = true;
            return Err(MuxError::Silent);
        }
        if self.keepalive && now >= self.spoke.saturating_add(KEEPALIVE_EVERY) {
            self.spoke = now;
            self.write(Command::Keepalive, 0, &[]);
        }
        let length = limit.min(self.out.len());
        if length == 0 {
            return Ok(None);
        }
        Ok(Some(self.out.drain(..length).collect()))
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<MuxEvent> {
        let event = self.events.pop_front()?;
        let bytes = if let MuxEvent::Data(_, bytes) = &event {
            bytes.len()
        } else {
            0
        };
        self.event_bytes -= bytes + OVERHEAD;
        Some(event)
    }

    /// When to call [`Self::poll_transmit`] again even if nothing arrives.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        let speak = self.spoke.saturating_add(KEEPALIVE_EVERY);
        let listen = self.heard.saturating_add(KEEPALIVE_TIMEOUT);
        (self.keepalive && !self.over).then(|| speak.min(listen))
    }

    /// How many streams are open on either side.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Bytes that are held in all buffers.
    #[must_use]
    pub fn held(&self) -> usize {
        self.out.len() + self.event_bytes + self.reader.held()
    }
}
