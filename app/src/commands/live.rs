//! What a command's events change, without any browser: the state of the page, and the
//! output on show. Events may come twice or late; each is applied once.

use super::ansi::{Parser, Span};
use muster_domain::Timestamp;
use muster_domain::commands::{
    CommandChange, CommandDetail, CommandEvent, CommandStatus, CommandSummary, InvocationView, OutputPiece,
    OutputStream,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Bytes of output kept on a page, per stream.
pub(super) const OUTPUT_KEPT: usize = 512 * 1024;
/// Bytes of output on a page at most, however much earlier output is asked for.
pub(super) const OUTPUT_MOST: usize = 8 * 1024 * 1024;

/// A node's stream.
pub(super) type Key = (String, OutputStream);

/// How the command stands, as far as the page knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveCommand {
    pub(super) summary: CommandSummary,
    pub(super) by_status: Vec<(CommandStatus, u32)>,
    /// The last event applied.
    pub(super) sequence: i64,
    /// The newest of each node that events told of.
    pub(super) invocations: HashMap<String, InvocationView>,
    /// Where each stream ends by now, as far as events told.
    pub(super) ends: HashMap<Key, i64>,
    /// The counts can no longer be told from events alone.
    pub(super) stale: bool,
}

impl LiveCommand {
    /// The state of a snapshot.
    pub(super) fn new(detail: &CommandDetail) -> Self {
        Self {
            summary: detail.summary.clone(),
            by_status: detail.by_status.clone(),
            sequence: detail.event_cursor,
            invocations: HashMap::new(),
            ends: HashMap::new(),
            stale: false,
        }
    }

    /// Takes over a newer snapshot; an older one than the events already applied is ignored.
    pub(super) fn renew(&mut self, detail: &CommandDetail) {
        self.stale = false;
        if detail.event_cursor >= self.sequence {
            self.summary = detail.summary.clone();
            self.by_status.clone_from(&detail.by_status);
            // Not the sequence: events up to there still come, and bring output and nodes.
        }
    }

    /// Applies one event; `false` when it was known already.
    pub(super) fn apply(&mut self, event: &CommandEvent) -> bool {
        if event.sequence <= self.sequence {
            return false;
        }
        self.sequence = event.sequence;
        match &event.change {
            CommandChange::Command { summary } => self.summary = summary.clone(),
            CommandChange::Invocation { invocation } => self.invocation(invocation),
            CommandChange::Output { node_id, piece, .. } => {
                let end = self.ends.entry((node_id.to_string(), piece.stream)).or_default();
                *end = (*end).max(piece.end);
            }
        }
        true
    }

    fn invocation(&mut self, now: &InvocationView) {
        let before = self
            .invocations
            .insert(now.node_id.to_string(), now.clone())
            .map(|view| view.status);
        match before {
            Some(before) if before == now.status => {}
            Some(before) => {
                for (status, count) in &mut self.by_status {
                    if *status == before {
                        *count = count.saturating_sub(1);
                    }
                }
                match self
                    .by_status
                    .iter_mut()
                    .find(|(status, _)| *status == now.status)
                {
                    Some((_, count)) => *count += 1,
                    None => self.by_status.push((now.status, 1)),
                }
                self.by_status.retain(|(_, count)| *count > 0);
            }
            // How this node stood before is not known: the counts must be asked for.
            None => self.stale = true,
        }
    }

    /// The newest that is known of a node.
    pub(super) fn newest(&self, view: &InvocationView) -> InvocationView {
        self.invocations
            .get(view.node_id.as_str())
            .unwrap_or(view)
            .clone()
    }

    /// How long it took, or has taken by `now`.
    pub(super) fn elapsed_ms(&self, now: Option<Timestamp>) -> Option<i64> {
        let end = if self.summary.status.is_final() {
            self.summary.ended_at
        } else {
            now
        };
        end.map(|end| end.since_ms(self.summary.requested_at).max(0))
    }
}

/// A stretch of output, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) offset: i64,
    pub(super) text: Arc<str>,
    pub(super) spans: Arc<[Span]>,
    /// Grows when the same text looks different, because of what came to light before it.
    pub(super) version: u32,
}

/// The output of one stream, without gaps, its beginning cut off when it is long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OutputBuffer {
    pub(super) chunks: VecDeque<Chunk>,
    /// Where the next piece must begin.
    pub(super) end: i64,
    /// Bytes of the stream in all.
    pub(super) total: i64,
    parser: Parser,
    bytes: usize,
    /// Bytes kept: more after earlier output was asked for.
    kept: usize,
}

impl OutputBuffer {
    /// Begins with a piece from anywhere.
    pub(super) fn start(piece: &OutputPiece) -> Self {
        let mut buffer = Self {
            end: piece.offset,
            kept: OUTPUT_KEPT,
            ..Self::default()
        };
        buffer.append(piece);
        buffer
    }

    /// Appends a piece that begins at the end; any other is ignored. Whether it was appended.
    pub(super) fn append(&mut self, piece: &OutputPiece) -> bool {
        self.total = self.total.max(piece.total).max(piece.end);
        if piece.offset != self.end || piece.end <= piece.offset {
            return false;
        }
        self.end = piece.end;
        let spans = self.parser.feed(&piece.text);
        let bytes = piece.text.len();
        self.bytes += bytes;
        self.chunks.push_back(Chunk {
            offset: piece.offset,
            text: piece.text.as_str().into(),
            spans: spans.into(),
            version: 0,
        });
        while self.bytes > self.kept && self.chunks.len() > 1 {
            if let Some(gone) = self.chunks.pop_front() {
                self.bytes -= gone.text.len();
            }
        }
        true
    }

    /// Puts a piece before what is shown; any that does not end where that begins is ignored. Whether it was put.
    pub(super) fn prepend(&mut self, piece: &OutputPiece) -> bool {
        if piece.end != self.first() || piece.end <= piece.offset {
            return false;
        }
        let mut parser = Parser::default();
        let spans = parser.feed(&piece.text);
        if parser != Parser::default() {
            // A colour that was begun earlier reaches into what is shown.
            for chunk in &mut self.chunks {
                chunk.spans = parser.feed(&chunk.text).into();
                chunk.version += 1;
            }
            self.parser = parser;
        }
        self.bytes += piece.text.len();
        self.kept = self.kept.max(self.bytes);
        self.chunks.push_front(Chunk {
            offset: piece.offset,
            text: piece.text.as_str().into(),
            spans: spans.into(),
            version: 0,
        });
        true
    }

    /// Whether there is earlier output that may be shown here.
    pub(super) fn may_grow(&self) -> bool {
        self.first() > 0 && self.bytes < OUTPUT_MOST
    }

    /// Where what is shown begins; not 0 when the beginning was cut off.
    pub(super) fn first(&self) -> i64 {
        self.chunks.front().map_or(self.end, |chunk| chunk.offset)
    }
}

#[cfg(test)]
mod tests;
