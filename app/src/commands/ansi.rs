//! Terminal output as text with classes: colours and weights (SGR) become class names, every
//! other control sequence is dropped. Pure, and safe to feed in pieces.

use crate::components::text_parts;

/// A stretch of text that looks alike, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Class names, parted by spaces; empty for plain text.
    pub(super) class: String,
    pub(super) text: String,
}

const COLOURS: [&str; 8] = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
];
/// A sequence that has not ended after so many characters never will.
const LONGEST_SEQUENCE: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
    ink: Option<(usize, bool)>,
    ground: Option<(usize, bool)>,
}

impl Look {
    fn class(&self) -> String {
        let mut out = Vec::new();
        for (on, name) in [
            (self.bold, "sgr-bold"),
            (self.dim, "sgr-dim"),
            (self.italic, "sgr-italic"),
            (self.underline, "sgr-underline"),
            (self.inverse, "sgr-inverse"),
        ] {
            if on {
                out.push(name.to_owned());
            }
        }
        for (colour, kind) in [(self.ink, "fg"), (self.ground, "bg")] {
            if let Some((name, bright)) = colour.and_then(|(at, bright)| Some((COLOURS.get(at)?, bright))) {
                out.push(format!("sgr-{kind}-{name}"));
                if bright && kind == "fg" {
                    out.push("sgr-bright".to_owned());
                }
            }
        }
        out.join(" ")
    }

    fn apply(&mut self, sequence: &str) {
        let mut codes = sequence.split([';', ':']).map(|code| {
            if code.is_empty() {
                Some(0)
            } else {
                code.parse().ok()
            }
        });
        while let Some(code) = codes.next() {
            let Some(code) = code else { continue };
            let code: usize = code;
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                7 => self.inverse = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                30..=37 => self.ink = Some((code - 30, false)),
                90..=97 => self.ink = Some((code - 90, true)),
                39 => self.ink = None,
                40..=47 => self.ground = Some((code - 40, false)),
                100..=107 => self.ground = Some((code - 100, true)),
                49 => self.ground = None,
                38 | 48 => {
                    // Of 256 colours only the 16 named ones have a class; the rest stays plain.
                    let colour = match codes.next().flatten() {
                        Some(5) => codes
                            .next()
                            .flatten()
                            .filter(|at| *at < 16)
                            .map(|at| (at % 8, at > 7)),
                        Some(2) => {
                            let _ = codes.by_ref().take(3).count();
                            None
                        }
                        _ => None,
                    };
                    if code == 38 {
                        self.ink = colour
                    } else {
                        self.ground = colour
                    }
                }
                _ => {}
            }
        }
    }
}

/// Reads output in pieces; what looks and what sequence is open carries over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parser {
    look: Look,
    /// A control sequence whose end has not come yet, or a carriage return.
    open: String,
}

impl Parser {
    /// The spans of the next piece.
    pub(super) fn feed(&mut self, piece: &str) -> Vec<Span> {
        let text = std::mem::take(&mut self.open) + piece;
        let mut spans = Vec::new();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match c {
                '\u{1b}' => {
                    let Some(length) = sequence_length(rest) else {
                        if rest.len() < LONGEST_SEQUENCE {
                            rest.clone_into(&mut self.open);
                            break;
                        }
                        rest = after;
                        continue;
                    };
                    if let Some(codes) = rest[..length]
                        .strip_prefix("\u{1b}[")
                        .and_then(|s| s.strip_suffix('m'))
                    {
                        self.flush(&mut plain, &mut spans);
                        self.look.apply(codes);
                    }
                    rest = &rest[length..];
                    continue;
                }
                '\r' if after.is_empty() => {
                    self.open.push('\r');
                    break;
                }
                // A line that is written over (progress bars) is shown line by line.
                '\r' if !after.starts_with(['\n', '\r']) => plain.push('\n'),
                '\n' | '\t' => plain.push(c),
                c if c.is_control() => {}
                c => plain.push(c),
            }
            rest = after;
        }
        self.flush(&mut plain, &mut spans);
        spans
    }

    fn flush(&self, plain: &mut String, spans: &mut Vec<Span>) {
        if !plain.is_empty() {
            let class = self.look.class();
            spans.extend(text_parts(std::mem::take(plain)).into_iter().map(|text| Span {
                class: class.clone(),
                text,
            }));
        }
    }
}

/// Bytes of the control sequence at the beginning of `text`; `None` when it has not ended yet.
fn sequence_length(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, kind) = chars.next()?;
    match kind {
        '[' => chars
            .find(|(_, c)| matches!(c, '\u{40}'..='\u{7e}'))
            .map(|(at, c)| at + c.len_utf8()),
        // Titles and links end with BEL or ESC \.
        ']' | 'P' | '_' | '^' => {
            let mut before = '\0';
            for (at, c) in chars {
                if c == '\u{7}' || (before == '\u{1b}' && c == '\\') {
                    return Some(at + c.len_utf8());
                }
                before = c;
            }
            None
        }
        '(' | ')' => chars.next().map(|(at, c)| at + c.len_utf8()),
        other => Some(1 + other.len_utf8()),
    }
}

/// The text alone.
pub(super) fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(class: &str, text: &str) -> Span {
        Span {
            class: class.into(),
            text: text.into(),
        }
    }

    #[test]
    fn colours_become_classes_and_end_again() {
        let mut parser = Parser::default();
        assert_eq!(
            parser.feed("a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[92md\u{1b}[39m"),
            [
                span("", "a"),
                span("sgr-bold sgr-fg-red", "b"),
                span("", "c"),
                span("sgr-fg-green sgr-bright", "d")
            ]
        );
        assert_eq!(
            parser.feed("\u{1b}[38;5;9mx\u{1b}[38;2;1;2;3my"),
            [span("sgr-fg-red sgr-bright", "x"), span("", "y")]
        );
    }

    #[test]
    fn long_text_comes_in_parts() {
        let spans = Parser::default().feed(&"0123456789\n".repeat(6_000));
        assert!(spans.len() > 1 && spans.iter().all(|span| span.text.len() < 65_536));
        assert_eq!(plain(&spans).len(), 66_000);
    }

    #[test]
    fn a_sequence_may_be_cut_anywhere() {
        let whole = "one\u{1b}[32mtwo\u{1b}]0;title\u{7}three\r\nfour";
        let at_once = plain(&Parser::default().feed(whole));
        for cut in 0..=whole.len() {
            let mut parser = Parser::default();
            let mut spans = parser.feed(&whole[..cut]);
            spans.extend(parser.feed(&whole[cut..]));
            assert_eq!(plain(&spans), at_once, "{cut}");
            assert_eq!(spans.last().unwrap().class, "sgr-fg-green");
        }
        assert_eq!(at_once, "onetwothree\nfour");
    }

    #[test]
    fn other_controls_vanish_and_lines_written_over_become_lines() {
        let mut parser = Parser::default();
        assert_eq!(
            plain(&parser.feed("\u{1b}[2J\u{1b}[1;1Hx\u{0}\u{8}y\u{1b}(B")),
            "xy"
        );
        assert_eq!(plain(&parser.feed("10%\r20%\r\n")), "10%\n20%\n");
        assert_eq!(plain(&parser.feed("<b>&")), "<b>&");
    }

    #[test]
    fn a_sequence_that_never_ends_is_given_up() {
        let mut parser = Parser::default();
        let text = format!("\u{1b}]{}", "x".repeat(1_000));
        assert!(plain(&parser.feed(&text)).len() >= 1_000);
    }
}
