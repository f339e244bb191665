//! A terminal without a window: follows output, and says how to bring a fresh terminal to the same state.

use crate::event::{Event, Size};
use crate::modes::Modes;
use avt::parser::State;
use avt::{Observer, Parser, Terminal};

/// Of an unfinished sequence at most this many bytes are kept: a longer one is a string that says nothing to a terminal.
const MAX_SEQUENCE_BYTES: usize = 4096;

/// Size and bytes which, written into a fresh terminal of that size, restore screen and modes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyframe {
    /// When, in microseconds since the recording began.
    pub at_us: u64,
    /// Bytes of output before it.
    pub output_offset: u64,
    /// The terminal's size.
    pub size: Size,
    /// What to write. It may end within a sequence or a character: what follows it completes that.
    pub bytes: Vec<u8>,
}

/// The emulator: a terminal, the modes it does not keep, and the bytes of an unfinished character.
pub struct Emulator {
    terminal: Terminal,
    /// The terminal's own parser stays unused: its dump of an unfinished sequence drops what it has no use for itself.
    parser: Parser,
    /// The sequence that has begun, as it came.
    sequence: String,
    modes: Modes,
    unfinished: Vec<u8>,
    size: Size,
}

impl Emulator {
    /// A fresh terminal.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let size = size.bounded();
        let Ok(terminal) = Terminal::new(usize::from(size.cols), usize::from(size.rows)) else {
            unreachable!("the only size that is refused is zero, and `bounded` excludes it");
        };
        Self {
            terminal,
            parser: Parser::new(),
            sequence: String::new(),
            modes: Modes::default(),
            unfinished: Vec::new(),
            size,
        }
    }

    /// A terminal in the state that `keyframe` describes.
    #[must_use]
    pub fn restore(keyframe: &Keyframe) -> Self {
        let mut emulator = Self::new(keyframe.size);
        emulator.feed(&keyframe.bytes);
        emulator
    }

    /// Writes output into the terminal.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.feed_with(bytes, &mut ());
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, size: Size) {
        self.resize_with(size, &mut ());
    }

    /// Does what an event does to a terminal: nothing for most.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Output(bytes) => self.feed(bytes),
            Event::Resize(size) => self.resize(*size),
            _ => {}
        }
    }

    pub(crate) fn resize_with(&mut self, size: Size, observer: &mut impl Observer<Output = ()>) {
        self.size = size.bounded();
        self.terminal
            .resize_with(usize::from(self.size.cols), usize::from(self.size.rows), observer);
    }

    pub(crate) fn feed_with(&mut self, bytes: &[u8], observer: &mut impl Observer<Output = ()>) {
        let joined;
        let mut rest = if self.unfinished.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.unfinished).as_slice(), bytes].concat();
            &joined
        };
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text, observer);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    // The part before `valid_up_to` is valid by definition.
                    self.text(std::str::from_utf8(good).unwrap_or_default(), observer);
                    let Some(length) = error.error_len() else {
                        self.unfinished = bad.to_vec();
                        return;
                    };
                    self.text("\u{fffd}", observer);
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
    }

    fn text(&mut self, text: &str, observer: &mut impl Observer<Output = ()>) {
        self.modes.feed(text);
        let (parser, sequence) = (&mut self.parser, &mut self.sequence);
        let functions = text.chars().filter_map(|letter| {
            let function = parser.feed(letter);
            if parser.state == State::Ground {
                sequence.clear();
            } else {
                remember(letter, sequence);
            }
            function
        });
        self.terminal.execute_with(functions, observer);
    }

    /// The state now.
    #[must_use]
    pub fn keyframe(&self, at_us: u64, output_offset: u64) -> Keyframe {
        let mut bytes = self.modes.dump().into_bytes();
        bytes.extend_from_slice(self.terminal.dump().as_bytes());
        // What is unfinished comes last: what follows the keyframe completes it.
        bytes.extend_from_slice(self.sequence.as_bytes());
        bytes.extend_from_slice(&self.unfinished);
        Keyframe {
            at_us,
            output_offset,
            size: self.size,
            bytes,
        }
    }

    /// The rows of the active screen as text, without the blanks at their ends.
    #[must_use]
    pub fn screen(&self) -> Vec<String> {
        self.terminal
            .screen()
            .visible_lines()
            .map(|line| line.text().trim_end().to_owned())
            .collect()
    }

    /// The window's title.
    #[must_use]
    pub fn title(&self) -> &str {
        self.modes.title()
    }

    pub(crate) fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    pub(crate) fn terminal_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

/// Adds a letter to an unfinished sequence.
fn remember(letter: char, sequence: &mut String) {
    match letter {
        // These begin a sequence, whatever was before.
        '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}'..='\u{9f}' => {
            sequence.clear();
            sequence.push(letter);
        }
        // Other controls within a sequence take effect at once, so they must not be written again.
        '\0'..='\u{1f}' | '\u{80}'..='\u{9f}' => {}
        _ if sequence.len() < MAX_SEQUENCE_BYTES => sequence.push(letter),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_taken_at_any_byte_continues_as_if_nothing_had_been() {
        let output = "\x1b]0;t\x07one\r\n\x1b[1;38;2;1;2;3mtwo\x1b[0m wide 漢字 é\r\n\x1b[?1049h\x1b[2;3Halt\x1b[?25l\x1b[3;5r\x1b[?2004h\x1b[?1049l$ "
            .as_bytes()
            .to_vec();
        let size = Size { cols: 20, rows: 5 };
        let mut straight = Emulator::new(size);
        straight.feed(&output);
        for cut in 0..output.len() {
            let mut first = Emulator::new(size);
            first.feed(&output[..cut]);
            let mut second = Emulator::restore(&first.keyframe(0, 0));
            second.feed(&output[cut..]);
            assert_eq!(second.screen(), straight.screen(), "cut at {cut}");
            assert_eq!(second.keyframe(0, 0), straight.keyframe(0, 0), "cut at {cut}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_taken() {
        let mut emulator = Emulator::new(Size { cols: 10, rows: 2 });
        emulator.feed(&[0xff, b'a', 0xc3]);
        emulator.feed(&[0xa9, 0xe6, 0xbc]);
        assert_eq!(emulator.screen()[0], "\u{fffd}aé");
        emulator.feed(b"x");
        assert_eq!(emulator.screen()[0], "\u{fffd}aé\u{fffd}x");
    }
}
