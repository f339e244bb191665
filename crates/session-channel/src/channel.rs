//! The reliability common to both ends: numbers, acknowledgements, repetition, order, pause.
//! What the messages mean is in `client` and `agent`, which gate what is taken.

use std::collections::VecDeque;

use uuid::Uuid;

use crate::body::{self, Acknowledge, ChannelClosed};
use crate::inbound::{Inbound, Place};
use crate::kind::{
    ACKNOWLEDGE, CHANNEL_CLOSED, FLAG_SYN, FLAGS_CONTROL, INPUT_STREAM_DATA, OUTPUT_STREAM_DATA,
    PAUSE_PUBLICATION, PayloadType, START_PUBLICATION,
};
use crate::limits::{CHUNK, MessageIds, Millis, OUTPUT_CHUNK, Setup};
use crate::message::{Message, PREFIX_LENGTH};
use crate::outbound::Outbound;
use crate::violation::{SendError, Violation};

/// Which end this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Agent,
}

impl Side {
    /// Bytes of data in one message at most. A client's are those of AWS's; an agent's output comes in larger pieces,
    /// which AWS's client takes as they are: the cost of a message is the same whatever is in it.
    fn chunk(self) -> usize {
        match self {
            Self::Client => CHUNK,
            Self::Agent => OUTPUT_CHUNK,
        }
    }

    /// How many messages that came too early the other side stores (session protocol, timers and buffers).
    fn peer_stores(self) -> u64 {
        match self {
            Self::Client => 100_000,
            Self::Agent => 10_000,
        }
    }

    fn outgoing(self) -> &'static str {
        match self {
            Self::Client => INPUT_STREAM_DATA,
            Self::Agent => OUTPUT_STREAM_DATA,
        }
    }

    fn incoming(self) -> &'static str {
        match self {
            Self::Client => OUTPUT_STREAM_DATA,
            Self::Agent => INPUT_STREAM_DATA,
        }
    }
}

/// What a frame was, for the end to act on.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Nothing more to do.
    Nothing,
    /// The stream message whose turn it is. It counts as never arrived unless [`Channel::accept`] follows.
    Next(Message),
    /// The gateway ends the session.
    Closed(ChannelClosed),
}

pub(crate) struct Channel {
    side: Side,
    setup: Setup,
    ids: MessageIds,
    outbound: Outbound,
    inbound: Inbound,
    acknowledgements: VecDeque<(Uuid, i64)>,
    control: VecDeque<Vec<u8>>,
    connected: bool,
    paused: bool,
    over: bool,
    told_silent: bool,
}

impl Channel {
    pub(crate) fn new(side: Side, setup: Setup) -> Self {
        Self {
            side,
            ids: MessageIds::new(setup.id_seed),
            setup,
            outbound: Outbound::at(0, side.peer_stores()),
            inbound: Inbound::new(),
            acknowledgements: VecDeque::new(),
            control: VecDeque::new(),
            connected: false,
            paused: false,
            over: false,
            told_silent: false,
        }
    }

    /// A connection stands. Numbers, buffers and stored messages are those from before (session protocol,
    /// reconnect and resume); a new connection ends a pause.
    pub(crate) fn connected(&mut self) {
        if self.connected {
            self.lost();
        }
        self.connected = true;
        self.paused = false;
    }

    /// The connection is gone. Acknowledgements that were not fetched stay good: they name messages.
    pub(crate) fn lost(&mut self) {
        self.connected = false;
        self.outbound.connection_lost();
    }

    /// Nothing is sent or taken any more.
    pub(crate) fn end(&mut self) {
        self.over = true;
        self.outbound = Outbound::at(0, self.side.peer_stores());
        self.inbound = Inbound::new();
        self.acknowledgements.clear();
        self.control.clear();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Bytes held for either direction.
    pub(crate) fn held(&self) -> usize {
        let control: usize = self.control.iter().map(Vec::len).sum();
        self.outbound.bytes() + self.inbound.bytes() + control + self.acknowledgements.len() * 24
    }

    /// The numbers of the next message in, of the next message out, and of the first one out that was not
    /// acknowledged.
    pub(crate) fn position(&self) -> (u64, u64, u64) {
        (
            self.inbound.expected(),
            self.outbound.next_number(),
            self.outbound.first_unacknowledged(),
        )
    }

    /// Goes on where an earlier process stopped.
    pub(crate) fn resume_at(&mut self, expected: u64, next: u64) {
        self.inbound = Inbound::at(expected);
        self.outbound = Outbound::at(next, self.side.peer_stores());
    }

    /// Whether everything sent was acknowledged.
    pub(crate) fn all_acknowledged(&self) -> bool {
        self.outbound.is_empty()
    }

    /// Reads one frame. Text and binary frames are treated alike, as both ends of AWS do.
    pub(crate) fn receive(&mut self, frame: &[u8], now: Millis) -> Result<Arrival, Violation> {
        if self.over {
            return Ok(Arrival::Nothing);
        }
        // AWS's client looks at digests, AWS's agent does not.
        let message = match self.side {
            Side::Client => Message::decode(frame)?,
            Side::Agent => Message::decode_undigested(frame)?,
        };
        match message.message_type.as_str() {
            ACKNOWLEDGE => {
                let ack: Acknowledge = body::read("acknowledgement", &message.payload)?;
                self.outbound
                    .acknowledge(ack.acknowledged_message_sequence_number, now)?;
                self.paused = false;
                Ok(Arrival::Nothing)
            }
            CHANNEL_CLOSED => body::read("channel_closed", &message.payload).map(Arrival::Closed),
            PAUSE_PUBLICATION => {
                self.paused = self.side == Side::Agent;
                Ok(Arrival::Nothing)
            }
            START_PUBLICATION => {
                self.paused = false;
                Ok(Arrival::Nothing)
            }
            stream if stream == self.side.incoming() => self.place(message),
            _ => Ok(Arrival::Nothing),
        }
    }

    fn place(&mut self, message: Message) -> Result<Arrival, Violation> {
        // What cannot be acknowledged must not be taken either.
        if self.acknowledgements.len() >= self.setup.limits.acknowledgements {
            return Ok(Arrival::Nothing);
        }
        let limits = &self.setup.limits;
        let place = self
            .inbound
            .place(message.sequence, message.payload_type, &message.payload, limits)?;
        self.paused = false;
        match place {
            Place::Next => return Ok(Arrival::Next(message)),
            // AWS's client keeps silent about duplicates; then a lost acknowledgement is asked for for ever.
            Place::Duplicate | Place::Stored => {
                self.acknowledgements.push_back((message.id, message.sequence));
            }
            Place::Dropped => {}
        }
        Ok(Arrival::Nothing)
    }

    /// The message of [`Arrival::Next`] was taken.
    pub(crate) fn accept(&mut self, message: &Message) {
        self.inbound.advance();
        self.acknowledgements.push_back((message.id, message.sequence));
    }

    /// The message of [`Arrival::Next`] cannot be taken yet: it waits among those that came early, not acknowledged before
    /// it comes again. There are clients that repeat nothing, because AWS's agent refuses nothing once it runs.
    pub(crate) fn keep(&mut self, message: Message) {
        self.inbound
            .keep(message.payload_type, message.payload, &self.setup.limits);
    }

    /// The payload type of the stored message whose turn it is; it was acknowledged when it came.
    pub(crate) fn stored_type(&self) -> Option<PayloadType> {
        self.inbound.stored_type().map(PayloadType::from)
    }

    pub(crate) fn take_stored(&mut self) -> Option<(PayloadType, Vec<u8>)> {
        self.inbound
            .take_stored()
            .map(|(kind, payload)| (kind.into(), payload))
    }

    /// Whether so many payloads with so many bytes in all could be sent now.
    pub(crate) fn has_room(&self, messages: usize, bytes: usize) -> bool {
        let bytes = bytes.saturating_add(messages.saturating_mul(PREFIX_LENGTH));
        self.outbound.fits(messages, bytes, &self.setup.limits)
    }

    /// How many bytes could be sent as data now.
    pub(crate) fn room(&self) -> usize {
        let limits = &self.setup.limits;
        let (mut low, mut high) = (0, limits.send_bytes);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.has_room(middle.div_ceil(self.side.chunk() - 3), middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Sends one payload.
    pub(crate) fn send(&mut self, kind: PayloadType, payload: Vec<u8>, now: Millis) -> Result<(), SendError> {
        if !self.has_room(1, payload.len()) {
            return Err(SendError::Full);
        }
        self.send_always(kind, payload, now)
    }

    /// Sends one payload of the handshake, which must not fail for want of room.
    pub(crate) fn send_always(
        &mut self,
        kind: PayloadType,
        payload: Vec<u8>,
        now: Millis,
    ) -> Result<(), SendError> {
        if self.over {
            return Err(SendError::Over);
        }
        let number = self.outbound.next_number();
        let message = Message {
            message_type: self.side.outgoing().to_owned(),
            schema_version: 1,
            created_ms: self.unix(now),
            sequence: i64::try_from(number).map_err(|_| SendError::Over)?,
            flags: if self.side == Side::Agent && number == 0 {
                FLAG_SYN
            } else {
                0
            },
            id: self.ids.next(),
            payload_type: kind.into(),
            payload,
        };
        self.outbound.push(message.encode().map_err(|_| SendError::Full)?);
        Ok(())
    }

    /// Sends data in messages of at most [`Side::chunk`] bytes: all of it or nothing. Neither end of AWS can write an
    /// empty payload, so no data is no message.
    pub(crate) fn send_data(
        &mut self,
        kind: PayloadType,
        data: &[u8],
        now: Millis,
        cut: fn(&[u8]) -> usize,
    ) -> Result<(), SendError> {
        // A cut before an incomplete character makes a chunk up to three bytes shorter.
        let most = self.side.chunk();
        if !self.has_room(data.len().div_ceil(most - 3), data.len()) {
            return Err(SendError::Full);
        }
        let mut rest = data;
        while !rest.is_empty() {
            let (chunk, later) = match rest.split_at_checked(most) {
                Some((full, _)) => rest.split_at(cut(full).clamp(1, most)),
                None => (rest, &[][..]),
            };
            self.send_always(kind, chunk.to_vec(), now)?;
            rest = later;
        }
        Ok(())
    }

    /// Sends a message that has no number and is not acknowledged.
    pub(crate) fn send_control(&mut self, message_type: &str, payload: Vec<u8>, now: Millis) {
        let mut message = Message::control(message_type, self.ids.next(), self.unix(now), payload);
        message.flags = FLAGS_CONTROL;
        if let Ok(frame) = message.encode() {
            self.control.push_back(frame);
        }
    }

    // Readers refuse a date of zero.
    fn unix(&self, now: Millis) -> u64 {
        self.setup.started_unix_ms.saturating_add(now).max(1)
    }

    /// The next frame to write, if the connection stands.
    pub(crate) fn poll_transmit(&mut self, now: Millis) -> Option<Vec<u8>> {
        if !self.connected {
            return None;
        }
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        // A pause holds back output, not acknowledgements.
        if let Some((id, sequence)) = self.acknowledgements.pop_front() {
            let payload = body::write(&Acknowledge::of(self.side.incoming(), id, sequence));
            let mut message = Message::control(ACKNOWLEDGE, self.ids.next(), self.unix(now), payload);
            message.flags = FLAGS_CONTROL;
            return message.encode().ok();
        }
        if self.paused {
            None
        } else {
            self.outbound.poll(now, &self.setup.limits)
        }
    }

    /// When to ask [`Self::poll_transmit`] again at the latest.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        if self.connected && !self.paused {
            self.outbound.next_timeout()
        } else {
            None
        }
    }

    /// Whether something had to be repeated that is not acknowledged yet.
    pub(crate) fn is_repeating(&self) -> bool {
        self.outbound.repetitions() > 0
    }

    /// True once, when a message was repeated too often.
    pub(crate) fn became_silent(&mut self) -> bool {
        let silent = self
            .setup
            .limits
            .attempts
            .is_some_and(|attempts| self.outbound.repetitions() > attempts);
        silent && !std::mem::replace(&mut self.told_silent, true)
    }
}
