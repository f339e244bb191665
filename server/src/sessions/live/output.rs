//! What comes from the node: recorded first, then shown.

use crate::sessions::live::Task;
use crate::sessions::policy::RecordingPolicy;
use bytes::{Bytes, BytesMut};
use muster_agent_protocol::session::OS_USER;
use muster_domain::sessions::{EndReason, RecordingState, SessionKind, SessionStatus};
use muster_recording::{Event, RecordingError};
use muster_session_channel::version::PortMode;
use muster_session_channel::{ClientEvent, SessionType};
use tokio::time::Instant;

/// Output that is recorded and shown in one piece at most.
const PIECE: usize = 64 * 1024;

/// Output that came in several messages and goes on in one piece.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Bytes>,
    size: usize,
}

impl Pieces {
    fn add(&mut self, piece: Bytes) {
        self.size += piece.len();
        self.pieces.push(piece);
    }

    /// All in one; copied at most once.
    fn take(&mut self) -> Bytes {
        let size = std::mem::take(&mut self.size);
        if self.pieces.len() <= 1 {
            return self.pieces.pop().unwrap_or_default();
        }
        let mut all = BytesMut::with_capacity(size);
        for piece in self.pieces.drain(..) {
            all.extend_from_slice(&piece);
        }
        all.freeze()
    }
}

impl Task {
    /// Takes all that the channel has to tell.
    pub(super) async fn take_events(&mut self) {
        let mut output = Pieces::default();
        let mut shown = false;
        while let Some(event) = self.channel.poll_event() {
            match event {
                ClientEvent::Output(bytes) | ClientEvent::ErrorOutput(bytes) => {
                    output.add(bytes.into());
                    if output.size >= PIECE {
                        shown |= self.output(output.take()).await;
                    }
                    continue;
                }
                other => {
                    shown |= self.output(output.take()).await;
                    self.told(other).await;
                }
            }
        }
        shown |= self.output(output.take()).await;
        if shown {
            self.shared.pulse();
        }
    }

    async fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Output(_) | ClientEvent::ErrorOutput(_) => {}
            ClientEvent::Started(started) => {
                let is_port = started.session_type == SessionType::Port;
                let wants_port = self.shared.state().row.summary.kind == SessionKind::Port;
                if is_port != wants_port {
                    return self.end_now(EndReason::NotStarted, "The node began another kind of session.");
                }
                if is_port && started.port_mode() != (PortMode::Mux { keepalive: false }) {
                    let text =
                        "The agent on the node is too old for tunnels: it must be newer than 3.1.1511.0.";
                    return self.end_now(EndReason::NotStarted, text);
                }
                if let Some(name) = started.properties[OS_USER].as_str().filter(|_| !is_port) {
                    let name = name.chars().filter(|c| !c.is_control()).take(64).collect();
                    self.shared.state().row.summary.os_user = name;
                }
                self.started = true;
                self.stands(SessionStatus::Connected);
            }
            ClientEvent::Notice(line) => {
                // From the node: only a line of it, and no control characters.
                let line: String = line.chars().filter(|c| !c.is_control()).take(400).collect();
                self.shared.state().notice(line);
                self.shared.pulse();
            }
            ClientEvent::ExitCode(code) => {
                let text = Bytes::from(format!("\r\nThe command ended with exit code {code}.\r\n"));
                if self.output(text).await {
                    self.shared.pulse();
                }
            }
            ClientEvent::PortUnreachable => {
                let line = "The node could not connect to the port.".to_owned();
                self.shared.state().notice(line);
                self.shared.pulse();
            }
            ClientEvent::Refused(reason) => self.end_now(EndReason::NotStarted, &reason),
            ClientEvent::AgentSilent => {
                self.end_now(
                    EndReason::NodeLost,
                    "The agent on the node has not answered for minutes.",
                );
            }
            ClientEvent::Misbehaved(violation) => {
                tracing::warn!(session.id = %self.shared.id, %violation, "a node's message was refused");
            }
            ClientEvent::Closed(text) => self.closed(&text),
        }
    }

    /// Records output and shows it. Whether there was any.
    async fn output(&mut self, mut bytes: Bytes) -> bool {
        if self.skip > 0 {
            let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= known as u64;
            bytes = bytes.slice(known..);
        }
        if bytes.is_empty() {
            return false;
        }
        self.active = Instant::now();
        let mut at = 0;
        while at < bytes.len() && self.over.as_ref().is_none_or(|over| over.remote) {
            let piece = bytes.slice(at..bytes.len().min(at + PIECE));
            at += piece.len();
            if let Some(recorder) = &mut self.recorder
                && let Err(error) = recorder.record(Event::Output(piece.clone())).await
            {
                self.recorder_failed(&error);
                if self.over.is_some() {
                    // Not recorded, so not shown.
                    return true;
                }
            }
            let now = self.ground.clock.now();
            let mut state = self.shared.state();
            state.row.summary.bytes_out += piece.len() as u64;
            state.row.summary.active_at = now;
            let behind = state.behind();
            state.backlog.push(piece, behind);
        }
        true
    }

    /// The recorder cannot write: the session ends, unless policy lets it go on.
    pub(super) fn recorder_failed(&mut self, error: &RecordingError) {
        tracing::error!(session.id = %self.shared.id, %error, "a session cannot be recorded any more");
        self.recorder = None;
        let full = if error.is_full() { ": its disk is full" } else { "" };
        let mut state = self.shared.state();
        state.row.summary.recording = RecordingState::Broken;
        state.changed();
        if self.ground.policy.recording == RecordingPolicy::Required {
            drop(state);
            let text = format!("The recorder could not write{full}, and no session goes on unrecorded here.");
            self.end_now(EndReason::RecorderFailed, &text);
        } else {
            state.notice(format!(
                "From here on this session is not recorded: the recorder could not write{full}."
            ));
            drop(state);
            self.shared.pulse();
        }
    }
}
