//! The terminal state that the emulator does not keep: title, mouse, focus, paste, keypad, and the cursor's shape.
//!
//! Sequences as xterm's "Control Sequences" names them; what a soft reset takes back, as xterm.js does it.

use std::fmt::Write as _;

/// A title, or a sequence's parameters, longer than this are cut.
const MAX_COLLECTED: usize = 1024;
/// xterm.js keeps as many titles.
const MAX_TITLES: usize = 10;
/// Private modes that are simply on or off. 2026 (synchronised output) is left out: restoring it would freeze the page.
const FLAGS: [u16; 7] = [5, 12, 45, 1004, 1007, 2004, 2031];
/// Mouse protocols exclude each other, and so do the encodings of what they report.
const MOUSE: [u16; 4] = [9, 1000, 1002, 1003];
const MOUSE_ENCODINGS: [u16; 4] = [1005, 1006, 1015, 1016];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// An escape sequence with intermediates, which says nothing here.
    Intermediate,
    Csi,
    Osc,
    /// Within DCS, SOS, PM or APC: ends with ST.
    Text,
}

/// Follows output and remembers what is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modes {
    state: State,
    collected: String,
    flags: [bool; FLAGS.len()],
    mouse: Option<u16>,
    mouse_encoding: Option<u16>,
    keypad: bool,
    cursor_shape: u16,
    title: String,
    titles: Vec<String>,
}

impl Modes {
    /// Reads on.
    pub(crate) fn feed(&mut self, text: &str) {
        // Nothing begins outside an escape: skip to the next one, which is most of most output.
        let mut rest = text;
        while !rest.is_empty() {
            if self.state == State::Ground {
                let starts = |letter: char| matches!(letter, '\u{1b}' | '\u{90}'..='\u{9f}');
                match rest.find(starts) {
                    Some(at) => rest = rest.get(at..).unwrap_or_default(),
                    None => return,
                }
            }
            let mut letters = rest.chars();
            if let Some(letter) = letters.next() {
                self.take(letter);
            }
            rest = letters.as_str();
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.collected.clear();
    }

    fn take(&mut self, letter: char) {
        // These hold in every state, as in the state machine of the VT500 series.
        match letter {
            '\u{1b}' => {
                if self.state == State::Osc {
                    self.osc();
                }
                return self.enter(State::Escape);
            }
            '\u{18}' | '\u{1a}' => return self.enter(State::Ground),
            '\u{9b}' => return self.enter(State::Csi),
            '\u{9d}' => return self.enter(State::Osc),
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => return self.enter(State::Text),
            '\u{9c}' => {
                if self.state == State::Osc {
                    self.osc();
                }
                return self.enter(State::Ground);
            }
            _ => {}
        }
        match self.state {
            State::Ground | State::Text => {}
            State::Escape => match letter {
                '[' => self.enter(State::Csi),
                ']' => self.enter(State::Osc),
                'P' | 'X' | '^' | '_' => self.enter(State::Text),
                '=' => self.keypad_is(true),
                '>' => self.keypad_is(false),
                'c' => *self = Self::default(),
                ' '..='/' => self.state = State::Intermediate,
                '\0'..='\u{1f}' => {}
                _ => self.state = State::Ground,
            },
            State::Intermediate => {
                if letter >= '0' {
                    self.state = State::Ground;
                }
            }
            State::Csi => match letter {
                '@'..='~' => {
                    self.csi(letter);
                    self.enter(State::Ground);
                }
                ' '..='?' if self.collected.len() < MAX_COLLECTED => self.collected.push(letter),
                _ => {}
            },
            State::Osc => match letter {
                '\u{7}' => {
                    self.osc();
                    self.enter(State::Ground);
                }
                letter if letter >= ' ' && self.collected.len() < MAX_COLLECTED => {
                    self.collected.push(letter)
                }
                _ => {}
            },
        }
    }

    fn keypad_is(&mut self, application: bool) {
        self.keypad = application;
        self.state = State::Ground;
    }

    fn csi(&mut self, last: char) {
        let collected = std::mem::take(&mut self.collected);
        match last {
            'h' | 'l' => {
                if let Some(list) = collected.strip_prefix('?') {
                    for mode in list.split(';').filter_map(|number| number.parse().ok()) {
                        self.mode(mode, last == 'h');
                    }
                }
            }
            'q' => {
                if let Some(shape) = collected.strip_suffix(' ') {
                    self.cursor_shape = shape.parse().unwrap_or(0).min(6);
                }
            }
            'p' if collected == "!" => {
                self.keypad = false;
                self.mode(1004, false);
                self.mode(2004, false);
            }
            't' => match collected.as_str() {
                "22" | "22;0" | "22;2" if self.titles.len() < MAX_TITLES => {
                    self.titles.push(self.title.clone())
                }
                "23" | "23;0" | "23;2" => {
                    if let Some(title) = self.titles.pop() {
                        self.title = title;
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn mode(&mut self, mode: u16, on: bool) {
        if let Some(at) = FLAGS.iter().position(|flag| *flag == mode) {
            if let Some(flag) = self.flags.get_mut(at) {
                *flag = on;
            }
        } else if MOUSE.contains(&mode) {
            self.mouse = on.then_some(mode);
        } else if MOUSE_ENCODINGS.contains(&mode) {
            self.mouse_encoding = on.then_some(mode);
        } else if mode == 66 {
            self.keypad = on;
        }
    }

    fn osc(&mut self) {
        let text = self.collected.as_str();
        if let Some(title) = text.strip_prefix("0;").or_else(|| text.strip_prefix("2;")) {
            self.title = title.to_owned();
        }
    }

    /// The window's title.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// What sets all this in a fresh terminal.
    pub(crate) fn dump(&self) -> String {
        let mut text = String::new();
        for title in &self.titles {
            let _ = write!(text, "\x1b]2;{title}\x07\x1b[22;2t");
        }
        if !self.title.is_empty() || !self.titles.is_empty() {
            let _ = write!(text, "\x1b]2;{}\x07", self.title);
        }
        let set = FLAGS
            .iter()
            .zip(self.flags)
            .filter_map(|(mode, on)| on.then_some(*mode));
        for mode in set.chain(self.mouse).chain(self.mouse_encoding) {
            let _ = write!(text, "\x1b[?{mode}h");
        }
        if self.keypad {
            text.push_str("\x1b=");
        }
        if self.cursor_shape != 0 {
            let _ = write!(text, "\x1b[{} q", self.cursor_shape);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_set_again_in_a_fresh_terminal() {
        let mut modes = Modes::default();
        modes.feed("\x1b]0;shell\x07text\x1b[22;2t\x1b]2;vim – é\x1b\\\x1b[?1000;1006h\x1b[?1002h\x1b[?2004h\x1b[?1004h");
        modes.feed("\x1b=\x1b[4 q\x1b[?2026h\x1b[?25l\x1b[1;31m");
        assert_eq!(
            modes.dump(),
            "\x1b]2;shell\x07\x1b[22;2t\x1b]2;vim – é\x07\x1b[?1004h\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b=\x1b[4 q"
        );
        let mut again = Modes::default();
        again.feed(&modes.dump());
        assert_eq!(again.dump(), modes.dump());
        again.feed("\x1b[23;2t");
        assert_eq!(again.title(), "shell");
        again.feed("\x1b[?1000l\x1b[!p");
        assert_eq!(again.dump(), "\x1b]2;shell\x07\x1b[?1006h\x1b[4 q");
        again.feed("\x1bc");
        assert_eq!(again.dump(), "");
    }

    #[test]
    fn sequences_may_be_split_anywhere_and_strings_hide_nothing() {
        let text =
            "\x1bP+q\x1b[?9h\x1b\\\x1b_x\x07\x1b\\\u{9b}?2004h\x1b]2;a\x18b\x07\x1b]2;é!\u{9c}\x1b(0\x1b=";
        let mut whole = Modes::default();
        whole.feed(text);
        let mut pieces = Modes::default();
        for letter in text.chars() {
            pieces.feed(letter.encode_utf8(&mut [0; 4]));
        }
        assert_eq!(whole.dump(), pieces.dump());
        assert_eq!(whole.title(), "é!");
    }

    #[test]
    fn a_hostile_title_stays_small() {
        let mut modes = Modes::default();
        modes.feed("\x1b]2;");
        for _ in 0..1000 {
            modes.feed(&"x".repeat(1000));
        }
        modes.feed("\x07");
        for _ in 0..100 {
            modes.feed("\x1b[22t");
        }
        assert!(modes.dump().len() < 20_000);
    }
}
