//! How far each stream of a job is sent and kept: the window, acknowledgements, going back. Pure.

use super::job_dir::StreamName;
use muster_agent_protocol::extension::{CHUNK_BYTES, WINDOW_BYTES};
use std::collections::BTreeMap;

/// A piece to send next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) step: usize,
    pub(crate) stream: StreamName,
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    length: u64,
    sent: u64,
    kept: u64,
    /// Where it went back to last; one repeated acknowledgement causes one repetition, not many.
    went_back_to: Option<u64>,
}

/// All streams of one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    streams: BTreeMap<(usize, StreamName), Progress>,
}

impl Streams {
    /// A stream has this many bytes now; `true` when these are more than before.
    pub(crate) fn grown(&mut self, step: usize, stream: StreamName, length: u64) -> bool {
        if length == 0 {
            return false;
        }
        let progress = self.streams.entry((step, stream)).or_default();
        let has_grown = length > progress.length;
        progress.length = progress.length.max(length);
        has_grown
    }

    /// The control plane has everything before `offset`.
    pub(crate) fn acknowledged(&mut self, step: usize, stream: StreamName, offset: u64) {
        let Some(progress) = self.streams.get_mut(&(step, stream)) else {
            return;
        };
        let offset = offset.min(progress.length);
        if offset > progress.kept {
            // It may have more than we remember to have sent: a former run of this agent sent it.
            progress.kept = offset;
            progress.sent = progress.sent.max(offset);
            progress.went_back_to = None;
        } else if offset < progress.kept {
            // It lost some: an older copy of its data came back.
            progress.kept = offset;
            progress.sent = offset;
        } else if progress.sent > offset && progress.went_back_to != Some(offset) {
            // The same again although more was sent: something before did not arrive.
            progress.went_back_to = Some(offset);
            progress.sent = offset;
        }
    }

    /// A new channel: what was on the way is sent again.
    pub(crate) fn start_over(&mut self) {
        for progress in self.streams.values_mut() {
            progress.sent = progress.kept;
            progress.went_back_to = None;
        }
    }

    /// What may be sent now, steps in order.
    pub(crate) fn next(&self) -> Option<Piece> {
        let room = WINDOW_BYTES.saturating_sub(self.on_the_way());
        if room == 0 {
            return None;
        }
        self.streams.iter().find_map(|(&(step, stream), progress)| {
            let bytes = progress.length.saturating_sub(progress.sent).min(room);
            let bytes = usize::try_from(bytes).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            (bytes > 0).then_some(Piece {
                step,
                stream,
                offset: progress.sent,
                bytes,
            })
        })
    }

    /// That piece (or its beginning) was sent.
    pub(crate) fn sent(&mut self, piece: &Piece, bytes: usize) {
        if let Some(progress) = self.streams.get_mut(&(piece.step, piece.stream)) {
            progress.sent = piece.offset + bytes as u64;
        }
    }

    /// Whether all of a step is kept by the control plane.
    pub(crate) fn is_kept(&self, step: usize) -> bool {
        StreamName::ALL.iter().all(|stream| {
            self.streams
                .get(&(step, *stream))
                .is_none_or(|progress| progress.kept >= progress.length)
        })
    }

    /// Bytes sent and not acknowledged.
    pub(crate) fn on_the_way(&self) -> u64 {
        self.streams
            .values()
            .map(|progress| progress.sent.saturating_sub(progress.kept))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StreamName::{Stderr, Stdout};

    fn send_all(streams: &mut Streams) -> u64 {
        let mut sent = 0;
        while let Some(piece) = streams.next() {
            streams.sent(&piece, piece.bytes);
            sent += piece.bytes as u64;
        }
        sent
    }

    #[test]
    fn the_window_is_shared_by_all_streams_and_opens_with_acknowledgements() {
        let mut streams = Streams::default();
        streams.grown(0, Stdout, 2 * WINDOW_BYTES);
        streams.grown(0, Stderr, 10);
        assert_eq!(send_all(&mut streams), WINDOW_BYTES);
        // Acknowledging the first of many pieces on the way is no reason to repeat.
        streams.acknowledged(0, Stdout, 100);
        assert_eq!(send_all(&mut streams), 100);
        streams.acknowledged(0, Stdout, WINDOW_BYTES + 100);
        send_all(&mut streams);
        streams.acknowledged(0, Stdout, 2 * WINDOW_BYTES);
        assert_eq!(send_all(&mut streams), 10 - streams.on_the_way().min(10));
        assert!(!streams.is_kept(0));
        streams.acknowledged(0, Stderr, 10);
        assert!(streams.is_kept(0));
    }

    #[test]
    fn a_gap_is_repeated_once_and_a_new_channel_starts_at_what_is_kept() {
        let mut streams = Streams::default();
        streams.grown(0, Stdout, 1000);
        send_all(&mut streams);
        streams.acknowledged(0, Stdout, 300);
        streams.acknowledged(0, Stdout, 300);
        assert_eq!(streams.next().unwrap().offset, 300);
        send_all(&mut streams);
        streams.acknowledged(0, Stdout, 300);
        assert_eq!(streams.next(), None);
        streams.start_over();
        assert_eq!(streams.next().unwrap().offset, 300);
        // The other side has more than this run of the agent knows.
        streams.acknowledged(0, Stdout, 900);
        assert_eq!(streams.next().unwrap().offset, 900);
        streams.acknowledged(0, Stdout, 5000);
        assert!(streams.is_kept(0));
    }
}
