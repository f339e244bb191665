//! How a page keeps its end of a terminal's connection: attaching, counting bytes both ways, sending again, coming
//! back after a break. Pure: it is told what happened and the time, and says what is to be done; sockets, clocks
//! and the terminal itself are in `socket` and `view`.

mod words;

pub(super) use words::{Do, is_answer};
pub(crate) use words::{Phase, Tell};

use muster_domain::sessions::SessionSummary;
use muster_domain::sessions::wire::{
    ClientMessage, INPUT_FRAME, INPUT_WINDOW, OUTPUT_WINDOW, ServerMessage, beyond, decode_bytes,
    encode_bytes,
};
use std::collections::VecDeque;

/// Milliseconds between two measurements of the round trip.
pub(super) const PING_EVERY: i64 = 5_000;
/// Milliseconds without a word after which a connection counts as lost.
pub(super) const SILENT: i64 = 15_000;
/// The longest pause between two tries, in milliseconds.
const LONGEST_PAUSE: u64 = 10_000;
/// Output worked off since it was last said, in bytes: saying it for every frame would be a flood of its own.
const SAY_AFTER: u64 = OUTPUT_WINDOW / 16;

/// One page's end.
#[derive(Debug)]
pub(super) struct Link {
    client: String,
    watch: bool,
    size: (u16, u16),
    /// All output before this has been given to the terminal.
    cursor: Option<u64>,
    /// Output before this was there before the page.
    old: u64,
    worked_off: u64,
    said: u64,
    /// Input that has not arrived, as far as is known; the first byte has the offset `base`.
    input: VecDeque<u8>,
    base: u64,
    /// Input before this went out on the connection that there is.
    sent: u64,
    attached: bool,
    may_type: bool,
    phase: Phase,
    tries: u32,
    heard_at: i64,
    ping: Option<(u32, i64)>,
    last_ping: i64,
    tokens: u32,
    took_ms: Option<u32>,
}

impl Link {
    /// A page that calls itself `client` and has a terminal of `size` columns and rows.
    pub(super) fn new(client: String, watch: bool, size: (u16, u16)) -> Self {
        Self {
            client,
            watch,
            size,
            cursor: None,
            old: 0,
            worked_off: 0,
            said: 0,
            input: VecDeque::new(),
            base: 0,
            sent: 0,
            attached: false,
            may_type: false,
            phase: Phase::Connecting,
            tries: 0,
            heard_at: 0,
            ping: None,
            last_ping: 0,
            tokens: 0,
            took_ms: None,
        }
    }

    /// Whether nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended | Phase::Refused(_))
    }

    /// Whether what is typed now reaches the node.
    pub(super) fn takes_input(&self) -> bool {
        self.attached && self.may_type
    }

    /// Bytes of input that may be handed in now.
    pub(super) fn room(&self) -> usize {
        usize::try_from(INPUT_WINDOW)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.input.len())
    }

    /// A socket is open.
    pub(super) fn opened(&mut self, now: i64) -> Vec<Do> {
        self.heard_at = now;
        self.last_ping = now;
        self.ping = None;
        vec![text(&ClientMessage::Attach {
            client: self.client.clone(),
            watch: self.watch,
            cursor: self.cursor,
            cols: self.size.0,
            rows: self.size.1,
        })]
    }

    /// The socket is gone. `chance` is evenly spread over 0..1: many pages shall not come back in the same moment.
    pub(super) fn closed(&mut self, chance: f64) -> Vec<Do> {
        self.attached = false;
        if self.is_over() {
            return Vec::new();
        }
        self.tries = self.tries.saturating_add(1);
        let longest = (250_u64 << self.tries.min(8)).min(LONGEST_PAUSE);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "milliseconds, at most ten thousand"
        )]
        let pause = (longest as f64 * (0.5 + chance.clamp(0.0, 1.0) / 2.0)) as u64;
        let mut out = vec![Do::Connect(pause)];
        out.extend(self.enter(Phase::Reconnecting(self.tries)));
        out
    }

    /// The network is back, or somebody looks at the page again: no need to wait.
    pub(super) fn hurry(&mut self, now: i64) -> Vec<Do> {
        if self.is_over() {
            return Vec::new();
        }
        if self.attached {
            return self.tick(now);
        }
        match self.phase {
            Phase::Reconnecting(_) => vec![Do::Connect(0)],
            _ => Vec::new(),
        }
    }

    /// Called about once a second.
    pub(super) fn tick(&mut self, now: i64) -> Vec<Do> {
        if !self.attached {
            return Vec::new();
        }
        if now - self.heard_at > SILENT && self.ping.is_some() {
            return vec![Do::Close];
        }
        if now - self.last_ping < PING_EVERY {
            return Vec::new();
        }
        self.last_ping = now;
        self.tokens = self.tokens.wrapping_add(1);
        // An unanswered one stays: its age is what tells that the connection is lost.
        self.ping = self.ping.or(Some((self.tokens, now)));
        let token = self.ping.map_or(self.tokens, |(token, _)| token);
        vec![text(&ClientMessage::Ping {
            token,
            took_ms: self.took_ms,
        })]
    }

    /// A binary frame came.
    pub(super) fn bytes(&mut self, frame: &[u8], now: i64) -> Vec<Do> {
        self.heard_at = now;
        let (true, Some(cursor)) = (self.attached, self.cursor) else {
            return Vec::new();
        };
        let Some((offset, bytes)) = decode_bytes(frame) else {
            return vec![Do::Close];
        };
        match beyond(cursor, offset, bytes) {
            // Something is missing: the next connection begins at the cursor.
            None => vec![Do::Close],
            Some([]) => Vec::new(),
            Some(new) => {
                let end = cursor + new.len() as u64;
                self.cursor = Some(end);
                vec![Do::Write {
                    bytes: new.to_vec(),
                    end,
                    is_old: end <= self.old,
                }]
            }
        }
    }

    /// The terminal has worked off all output before `offset`.
    pub(super) fn worked_off(&mut self, offset: u64) -> Vec<Do> {
        // Writes from before a reset may be worked off after it, with offsets of that time.
        let known = self.cursor.unwrap_or_default();
        self.worked_off = self.worked_off.max(offset.min(known));
        let all = self.cursor == Some(self.worked_off);
        let due = self.worked_off.saturating_sub(self.said);
        if !self.attached || due == 0 || (due < SAY_AFTER && !all) {
            return Vec::new();
        }
        self.said = self.worked_off;
        vec![text(&ClientMessage::Consumed { offset: self.said })]
    }

    /// A text frame came.
    pub(super) fn message(&mut self, frame: &str, now: i64) -> Vec<Do> {
        self.heard_at = now;
        match serde_json::from_str(frame) {
            Ok(message) => self.hear(message, now),
            // A newer portal may say more than this page knows.
            Err(_) => Vec::new(),
        }
    }

    fn hear(&mut self, message: ServerMessage, now: i64) -> Vec<Do> {
        match message {
            ServerMessage::Attached {
                session,
                may_type,
                from,
                reset,
                cols,
                rows,
                input,
            } => {
                let mut out = Vec::new();
                // Said or not: another offset than ours means that what is on the screen is not what comes next.
                if reset || self.cursor != Some(from) {
                    out.push(Do::Reset);
                    self.cursor = Some(from);
                    // Output is counted from the session's start, as its offsets are.
                    self.old = session.bytes_out;
                }
                // The portal begins with nothing under way; what the terminal still works off it does not wait for.
                self.worked_off = self.worked_off.min(from);
                self.said = from;
                out.push(Do::Size(cols, rows));
                self.attached = true;
                self.tries = 0;
                self.arrived(input);
                self.sent = self.base;
                out.extend(self.stand(session, may_type, None));
                out.extend(self.enter(Phase::Live));
                if !self.watch && (cols, rows) != self.size {
                    out.push(self.say_size());
                }
                out.push(Do::Tell(Tell::Taken));
                out
            }
            ServerMessage::Snapshot { text } => vec![Do::Restore(text)],
            ServerMessage::Resized { cols, rows } => vec![Do::Size(cols, rows)],
            ServerMessage::Taken { input } => {
                if input > self.base {
                    self.arrived(input);
                }
                let mut out = self.flush();
                out.push(Do::Tell(Tell::Taken));
                out
            }
            ServerMessage::Changed {
                session,
                may_type,
                waits_for,
            } => self.stand(session, may_type, waits_for),
            ServerMessage::Warning {
                ends_at,
                reason,
                may_ask,
            } => vec![Do::Tell(Tell::Warning {
                ends_at,
                reason,
                may_ask,
            })],
            ServerMessage::Notice { text } => vec![Do::Tell(Tell::Notice(text))],
            ServerMessage::Pong { token, .. } => match self.ping {
                Some((asked, at)) if asked == token => {
                    self.ping = None;
                    let took = u32::try_from((now - at).max(0)).unwrap_or(u32::MAX);
                    self.took_ms = Some(took);
                    vec![Do::Tell(Tell::RoundTrip(took))]
                }
                _ => Vec::new(),
            },
            ServerMessage::Ended { session } => {
                let mut out = self.stand(session, false, None);
                out.extend(self.over(Phase::Ended));
                out
            }
            ServerMessage::Refused { message } => self.over(Phase::Refused(message)),
        }
    }

    /// The terminal has another size here.
    pub(super) fn resize(&mut self, cols: u16, rows: u16) -> Vec<Do> {
        if self.watch || self.size == (cols, rows) {
            return Vec::new();
        }
        self.size = (cols, rows);
        if self.attached {
            vec![self.say_size()]
        } else {
            Vec::new()
        }
    }

    /// Input, at most [`Self::room`] bytes of it.
    pub(super) fn input(&mut self, bytes: &[u8]) -> Vec<Do> {
        if self.is_over() {
            return Vec::new();
        }
        self.input.extend(bytes);
        self.flush()
    }

    /// Takes back what was handed in and has not gone out yet; says how many bytes.
    pub(super) fn take_back(&mut self) -> usize {
        let out = usize::try_from(self.sent.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let back = self.input.len().saturating_sub(out);
        self.input.truncate(self.input.len() - back);
        back
    }

    /// Bytes of input handed in of which it is not known that they arrived.
    pub(super) fn under_way(&self) -> usize {
        self.input.len()
    }

    fn flush(&mut self) -> Vec<Do> {
        let mut out = Vec::new();
        while self.takes_input() {
            let from = usize::try_from(self.sent - self.base).unwrap_or(usize::MAX);
            let window = usize::try_from(INPUT_WINDOW).unwrap_or(usize::MAX);
            let until = self.input.len().min(from.saturating_add(INPUT_FRAME)).min(window);
            if from >= until {
                break;
            }
            let piece: Vec<u8> = self.input.range(from..until).copied().collect();
            out.push(Do::Bytes(encode_bytes(self.sent, &piece)));
            self.sent += piece.len() as u64;
        }
        out
    }

    /// Input before `offset` need not be kept. An offset before what is known means that the portal counts anew:
    /// it has lost nothing that it had acknowledged, so what is kept here follows there.
    fn arrived(&mut self, offset: u64) {
        if offset >= self.base {
            let known = usize::try_from(offset - self.base).unwrap_or(usize::MAX);
            self.input.drain(..known.min(self.input.len()));
        }
        self.base = offset;
        self.sent = self.sent.max(offset);
    }

    fn stand(&mut self, session: Box<SessionSummary>, may_type: bool, waits_for: Option<String>) -> Vec<Do> {
        self.may_type = may_type && !self.watch;
        let mut out = vec![Do::Tell(Tell::Session(session, self.may_type, waits_for))];
        out.extend(self.flush());
        out
    }

    fn over(&mut self, phase: Phase) -> Vec<Do> {
        self.attached = false;
        self.input.clear();
        let mut out = self.enter(phase);
        out.push(Do::Close);
        out
    }

    fn enter(&mut self, phase: Phase) -> Vec<Do> {
        if self.phase == phase {
            return Vec::new();
        }
        self.phase = phase.clone();
        vec![Do::Tell(Tell::Phase(phase))]
    }

    fn say_size(&self) -> Do {
        text(&ClientMessage::Resize {
            cols: self.size.0,
            rows: self.size.1,
        })
    }
}

fn text(message: &ClientMessage) -> Do {
    Do::Text(serde_json::to_string(message).unwrap_or_default())
}

#[cfg(test)]
mod tests;
