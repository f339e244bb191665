//! What is pasted, as bytes for the node: line ends, brackets, when to ask first, and the way through the window in
//! pieces that can be stopped. Pure.

use std::collections::VecDeque;

/// Text of more lines than this is asked about even where the shell says that it takes it as one.
const MANY_LINES: usize = 50;
/// A paste of fewer bytes goes out without a bar.
const SMALL: usize = 8 * 1024;
/// Input that waits on the page, in bytes.
pub(super) const MOST_WAITING: usize = 8 * 1024 * 1024;
const END: &[u8] = b"\x1b[201~";

/// What is about to be pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paste {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether they stand between brackets.
    bracketed: bool,
    /// Lines of the text.
    pub(super) lines: usize,
    /// Its first lines, to be shown.
    pub(super) beginning: String,
    /// Whether to ask first.
    pub(super) is_risky: bool,
}

impl Paste {
    /// `text` as xterm would send it, `bracketed` when the program on the node asked for brackets.
    pub(super) fn new(text: &str, bracketed: bool) -> Self {
        let plain = text.replace("\r\n", "\r").replace('\n', "\r");
        let lines = plain.trim_end_matches('\r').matches('\r').count() + 1;
        let ends_lines = plain.contains('\r');
        let bytes = if bracketed {
            // Without escapes nothing inside can end the brackets.
            let mut bytes = b"\x1b[200~".to_vec();
            bytes.extend(plain.replace('\x1b', "\u{241b}").bytes());
            bytes.extend(END);
            bytes
        } else {
            plain.into_bytes()
        };
        Self {
            bytes,
            bracketed,
            lines,
            beginning: text
                .lines()
                .take(8)
                .map(|line| line.chars().take(160).collect::<String>())
                .collect::<Vec<_>>()
                .join("\n"),
            is_risky: (ends_lines && !bracketed) || lines > MANY_LINES,
        }
    }
}

/// Input on its way from the page: what is typed, and pastes in pieces.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<u8>,
    /// The paste on its way: all its bytes, and whether it has brackets to close.
    pasting: Option<(usize, bool)>,
}

impl Outbox {
    /// Adds what was typed. `false` when too much waits already.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        if self.waiting.len() + bytes.len() > MOST_WAITING {
            return false;
        }
        self.waiting.extend(bytes);
        true
    }

    /// Adds a paste. `false` when too much waits already.
    pub(super) fn paste(&mut self, paste: &Paste) -> bool {
        let added = self.add(&paste.bytes);
        if added {
            self.pasting = Some((self.waiting.len(), paste.bracketed));
        }
        added
    }

    /// The next piece, at most `room` bytes.
    pub(super) fn take(&mut self, room: usize) -> Vec<u8> {
        self.waiting.drain(..room.min(self.waiting.len())).collect()
    }

    /// How much of a large paste has gone, given the bytes that the link still holds: done and all.
    pub(super) fn progress(&mut self, under_way: usize) -> Option<(usize, usize)> {
        let (all, _) = self.pasting?;
        let left = self.waiting.len() + under_way;
        if left == 0 {
            self.pasting = None;
            return None;
        }
        (all > SMALL).then(|| (all.saturating_sub(left), all))
    }

    /// Whether a paste is on its way.
    pub(super) const fn is_pasting(&self) -> bool {
        self.pasting.is_some()
    }

    /// Stops the paste: what has not been handed on stays here. The last character and the brackets are closed.
    pub(super) fn cancel(&mut self) {
        let Some((_, bracketed)) = self.pasting.take() else {
            return;
        };
        // In the middle of a character: its rest still goes.
        let rest = self
            .waiting
            .iter()
            .take(3)
            .take_while(|byte| **byte & 0xc0 == 0x80)
            .count();
        self.waiting.truncate(rest);
        if bracketed {
            self.waiting.extend(END);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_the_return_key_does() {
        let paste = Paste::new("a\r\nb\nc", false);
        assert_eq!(paste.bytes, b"a\rb\rc");
        assert_eq!((paste.lines, paste.is_risky), (3, true));
        assert!(!Paste::new("one line", false).is_risky);
        assert!(Paste::new("rm -rf /\n", false).is_risky, "it would run at once");
    }

    #[test]
    fn nothing_inside_ends_the_brackets() {
        let paste = Paste::new("a\x1b[201~\nrm", true);
        assert_eq!(paste.bytes, "\u{1b}[200~a\u{241b}[201~\rrm\u{1b}[201~".as_bytes());
        assert!(!paste.is_risky);
        assert!(Paste::new(&"x\n".repeat(60), true).is_risky);
    }

    #[test]
    fn a_paste_goes_in_pieces_and_says_how_far_it_is() {
        let mut outbox = Outbox::default();
        let paste = Paste::new(&"x".repeat(20_000), false);
        assert!(outbox.paste(&paste));
        assert_eq!(outbox.take(12_000).len(), 12_000);
        assert_eq!(outbox.progress(4_000), Some((8_000, 20_000)));
        assert_eq!(outbox.take(12_000).len(), 8_000);
        assert_eq!(outbox.progress(1), Some((19_999, 20_000)));
        assert_eq!(outbox.progress(0), None);
        assert!(!outbox.is_pasting());
        let large = Paste::new(&"x".repeat(MOST_WAITING + 1), false);
        assert!(!outbox.paste(&large), "memory is bounded");
    }

    #[test]
    fn a_stopped_paste_ends_with_whole_characters_and_closed_brackets() {
        let mut outbox = Outbox::default();
        outbox.paste(&Paste::new(&"é".repeat(9_000), true));
        let mut sent = outbox.take(1_001);
        outbox.cancel();
        sent.extend(outbox.take(99_999));
        let text = String::from_utf8(sent).expect("whole characters");
        assert!(text.ends_with("é\u{1b}[201~"));
        assert_eq!(text.matches('é').count(), 498);
        assert_eq!(outbox.progress(0), None);
    }
}
