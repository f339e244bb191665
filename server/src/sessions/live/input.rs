//! What goes to the node: keystrokes, sizes, and who is there.

use crate::sessions::live::{Shared, Task, limits};
use muster_domain::Timestamp;
use muster_domain::sessions::wire::beyond;
use muster_recording::{Event, Size as RecordedSize};
use muster_session_channel::body::Size;
use std::time::Duration;
use tokio::time::Instant;

/// What was typed waits for so long before its people are told that the node does not answer.
const UNANSWERED: Duration = Duration::from_secs(10);

/// Bytes that are given to the channel at once.
const PIECE: usize = 1024;

/// Input that waits for room in the channel.
#[derive(Debug)]
pub(super) struct Pending {
    client: String,
    /// The offset behind its last byte.
    end: u64,
    bytes: Vec<u8>,
}

impl Task {
    pub(super) async fn input(&mut self, client: String, offset: u64, bytes: Vec<u8>) {
        let (have, is_open) = {
            let state = self.shared.state();
            (state.taken_of(&client), state.waits_for.is_none())
        };
        let waiting = self.pending.iter().rev().find(|pending| pending.client == client);
        let have = waiting.map_or(have, |pending| pending.end);
        // A hole is left alone: the page learns from `taken` where to go on.
        let Some(new) = beyond(have, offset, &bytes).filter(|new| !new.is_empty()) else {
            return self.shared.pulse();
        };
        let end = have + new.len() as u64;
        let queued: usize = self.pending.iter().map(|pending| pending.bytes.len()).sum();
        if queued + new.len() > 2 * usize::try_from(Shared::input_window()).unwrap_or(usize::MAX) {
            return;
        }
        if !is_open || !self.started {
            // Nobody may type now: it is gone, and said to be taken, or it would come again.
            if !is_open {
                self.shared.state().take(&client, end);
                self.shared.pulse();
                return;
            }
        }
        self.active = Instant::now();
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder
                .record(Event::Input(bytes::Bytes::copy_from_slice(new)))
                .await
        {
            self.recorder_failed(&error);
            if self.over.is_some() {
                return;
            }
        }
        self.pending.push_back(Pending {
            client,
            end,
            bytes: new.to_vec(),
        });
    }

    /// Gives the channel what it has room for.
    pub(super) fn send_input(&mut self) {
        if !self.started {
            return;
        }
        let now = self.millis();
        let mut sent = false;
        while let Some(pending) = self.pending.front_mut() {
            let piece = pending
                .bytes
                .get(..pending.bytes.len().min(PIECE))
                .unwrap_or_default();
            if self.channel.send_input(piece, now).is_err() {
                break;
            }
            let count = piece.len();
            pending.bytes.drain(..count);
            let mut state = self.shared.state();
            state.row.summary.bytes_in += count as u64;
            let upto = pending.end - pending.bytes.len() as u64;
            state.take(&pending.client, upto);
            drop(state);
            sent = true;
            if pending.bytes.is_empty() {
                self.pending.pop_front();
            }
        }
        if sent {
            self.shared.state().row.summary.active_at = self.ground.clock.now();
            self.shared.pulse();
        }
    }

    pub(super) async fn resize(&mut self, size: Size) {
        if self.shared.state().size == size || self.channel.resize(size, self.millis()).is_err() {
            return;
        }
        if let Some(recorder) = &mut self.recorder {
            let cells = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
            let event = Event::Resize(RecordedSize {
                cols: cells(size.cols),
                rows: cells(size.rows),
            });
            if let Err(error) = recorder.record(event).await {
                self.recorder_failed(&error);
            }
        }
        let mut state = self.shared.state();
        state.size = size;
        state.version += 1;
        drop(state);
        self.shared.pulse();
    }

    pub(super) async fn joined(&mut self, name: String, watcher: bool) {
        let role = if watcher { "watcher" } else { "owner" };
        self.note_person(Event::Join {
            name,
            role: role.into(),
        })
        .await;
    }

    pub(super) async fn left(&mut self, name: String) {
        self.note_person(Event::Leave { name }).await;
    }

    async fn note_person(&mut self, event: Event) {
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.record(event).await
        {
            self.recorder_failed(&error);
        }
        self.watch_rule();
        self.shared.pulse();
    }

    /// Where somebody has to look on, nothing can be typed while nobody does.
    fn watch_rule(&self) {
        let mut state = self.shared.state();
        if state.needs_watcher {
            let waits = (!state.is_watched())
                .then(|| "Somebody has to look on before anything can be typed on this node.".to_owned());
            if state.waits_for != waits {
                state.waits_for = waits;
                state.version += 1;
            }
        }
    }

    /// Tells those who are there when the node does not take what was typed, and when it does again: without a word that looks
    /// like a shell that hangs.
    pub(super) fn look_for_answers(&mut self, now: Instant) {
        if !self.started || !self.channel.is_repeating() {
            self.unanswered = None;
        } else {
            self.unanswered.get_or_insert(now);
        }
        let is_away = self.unanswered.is_some_and(|since| now - since >= UNANSWERED);
        let mut state = self.shared.state();
        if state.node_is_away == is_away {
            return;
        }
        state.node_is_away = is_away;
        let line = if is_away {
            "The node does not answer. What you type waits, and reaches it when it answers again."
        } else {
            "The node answers again."
        };
        state.notice(line.to_owned());
        drop(state);
        self.shared.pulse();
    }

    /// More time, within what policy allows.
    pub(super) fn more_time(&mut self) -> Result<Timestamp, String> {
        let policy = &self.ground.policy;
        let minutes = |count: u32| Duration::from_secs(u64::from(count) * 60);
        let mut state = self.shared.state();
        let (started, ends) = (
            state.row.summary.started_at,
            state.row.summary.ends_at.unwrap_or_default(),
        );
        // What its document says is Session Manager's to enforce: more than that nobody can give.
        let limit = match state.row.document_max_minutes {
            0 => policy.limit_minutes,
            most => policy.limit_minutes.min(most),
        };
        let Some(more) = limits::longer(started, ends, minutes(policy.more_minutes), minutes(limit)) else {
            return Err(format!(
                "A session may last {limit} minutes at most, and this one does already. Open a new one."
            ));
        };
        let wanted = ends.plus_ms(i64::try_from(more.as_millis()).unwrap_or_default());
        state.row.summary.ends_at = Some(wanted);
        state.warning = None;
        state.changed();
        drop(state);
        self.ends += more;
        self.active = Instant::now();
        self.shared.pulse();
        self.keep_row();
        Ok(wanted)
    }
}
