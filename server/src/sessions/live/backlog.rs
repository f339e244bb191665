//! The newest output of a session in memory, by offset: what browsers that keep up are served from. What is
//! older is in the recording, from where it is far slower to read: a page that is a little behind is waited for.

use bytes::Bytes;
use std::collections::VecDeque;

/// Bytes that are kept where a recording has the rest.
pub(super) const RECORDED: u64 = 256 * 1024;
/// Bytes that are kept where nothing else has them: more than a page may be behind.
pub(super) const UNRECORDED: u64 = 4 * 1024 * 1024;
/// Bytes that are kept at most for pages that are behind.
const WAITED_FOR: u64 = 2 * 1024 * 1024;

/// What there is at an offset.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// Bytes that begin there.
    Bytes(Bytes),
    /// Nothing yet.
    Nothing,
    /// It is not kept any more; what is begins at this offset.
    Gone(u64),
}

/// The newest output. Takes hardly any memory while nothing comes.
#[derive(Debug)]
pub struct Backlog {
    kept: u64,
    pieces: VecDeque<Bytes>,
    start: u64,
    end: u64,
}

impl Backlog {
    /// An empty one, at the offset at which a session goes on.
    #[must_use]
    pub fn at(offset: u64, kept: u64) -> Self {
        Self {
            kept,
            pieces: VecDeque::new(),
            start: offset,
            end: offset,
        }
    }

    /// Adds output at the end. `behind` is how many bytes there are that some page has not worked off.
    pub fn push(&mut self, piece: Bytes, behind: u64) {
        let length = piece.len() as u64;
        self.end += length;
        self.pieces.push_back(piece);
        self.trim(behind.saturating_add(length));
    }

    /// Lets go of what no page needs from here.
    pub fn trim(&mut self, behind: u64) {
        let kept = self.kept.max(behind.min(WAITED_FOR));
        while self.end - self.start > kept {
            let Some(first) = self.pieces.pop_front() else {
                break;
            };
            self.start += first.len() as u64;
        }
    }

    /// The offset behind the newest byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Up to `most` bytes from `offset` on, without copying.
    #[must_use]
    pub fn read(&self, offset: u64, most: usize) -> Read {
        if offset < self.start {
            return Read::Gone(self.start);
        }
        let mut at = self.start;
        for piece in &self.pieces {
            let next = at + piece.len() as u64;
            if offset < next {
                let skipped = usize::try_from(offset - at).unwrap_or_default();
                let end = piece.len().min(skipped.saturating_add(most));
                return Read::Bytes(piece.slice(skipped..end));
            }
            at = next;
        }
        Read::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_from_any_offset_that_is_kept() {
        let mut backlog = Backlog::at(10, RECORDED);
        backlog.push(Bytes::from_static(b"hello "), 0);
        backlog.push(Bytes::from_static(b"world"), 0);
        assert_eq!(backlog.read(10, 100), Read::Bytes(Bytes::from_static(b"hello ")));
        assert_eq!(backlog.read(12, 2), Read::Bytes(Bytes::from_static(b"ll")));
        assert_eq!(backlog.read(17, 100), Read::Bytes(Bytes::from_static(b"orld")));
        assert_eq!(backlog.read(21, 100), Read::Nothing);
        assert_eq!(backlog.read(9, 100), Read::Gone(10));
        assert_eq!(backlog.end(), 21);
    }

    #[test]
    fn what_is_old_makes_room() {
        let mut backlog = Backlog::at(0, RECORDED);
        for _ in 0..100 {
            backlog.push(Bytes::from(vec![0; 10_000]), 0);
        }
        let kept: usize = backlog.pieces.iter().map(Bytes::len).sum();
        assert!(
            kept as u64 <= RECORDED && kept as u64 > RECORDED - 10_000,
            "{kept}"
        );
        assert_eq!(backlog.end(), 1_000_000);
        assert!(matches!(backlog.read(0, 1), Read::Gone(start) if start == 1_000_000 - kept as u64));
    }

    #[test]
    fn what_a_slow_page_has_not_had_is_waited_for_up_to_a_limit() {
        let mut backlog = Backlog::at(0, RECORDED);
        for at in 0..100 {
            backlog.push(Bytes::from(vec![0; 10_000]), at * 10_000);
        }
        assert!(
            matches!(backlog.read(0, 1), Read::Bytes(_)),
            "nothing was worked off"
        );
        backlog.trim(400_000);
        assert!(matches!(backlog.read(600_000, 1), Read::Bytes(_)));
        assert!(
            matches!(backlog.read(500_000, 1), Read::Gone(_)),
            "that was worked off"
        );
        for _ in 0..1_000 {
            backlog.push(Bytes::from(vec![0; 10_000]), u64::MAX);
        }
        let kept: usize = backlog.pieces.iter().map(Bytes::len).sum();
        assert!(kept as u64 <= WAITED_FOR, "{kept}");
    }
}
