//! What a client says before its node's agent has come for the first time. Clients that repeat nothing (they rely on
//! their socket) say their terminal's size at once and once only: were that lost, all that comes behind it would wait
//! for it for ever.

use bytes::Bytes;

/// Frames that are kept at most, and their bytes. A client says its size and perhaps a few keys; the rest is repeated
/// or lost, as it would be without this.
const MAX_FRAMES: usize = 64;
const MAX_BYTES: usize = 64 * 1024;

/// See above.
#[derive(Debug, Default)]
pub(crate) struct Early {
    frames: Vec<Bytes>,
    bytes: usize,
}

impl Early {
    /// Keeps a frame if there is room for it; whether it was kept.
    pub(crate) fn keep(&mut self, frame: &Bytes) -> bool {
        let bytes = self.bytes.saturating_add(frame.len());
        if self.frames.len() >= MAX_FRAMES || bytes > MAX_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.frames.push(frame.clone());
        true
    }

    /// All of them, in their order.
    pub(crate) fn into_frames(self) -> Vec<Bytes> {
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_talks_to_nobody_makes_it_no_larger() {
        let mut early = Early::default();
        let kept = (0..1_000)
            .filter(|_| early.keep(&Bytes::from_static(b"key")))
            .count();
        assert_eq!(kept, MAX_FRAMES);
        let mut early = Early::default();
        let large = Bytes::from(vec![0; 40_000]);
        assert!(early.keep(&large) && !early.keep(&large) && early.keep(&Bytes::from_static(b"key")));
        assert_eq!(early.into_frames().len(), 2);
    }
}
