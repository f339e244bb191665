//! What is read out of a chunk's events while it is sealed: transcript, commands typed, activity, the next keyframe.

use crate::emulator::{Emulator, Keyframe};
use crate::event::{Event, TimedEvent};
use crate::manifest::{Activity, Command, TranscriptLine};
use crate::survive::{active, survive};
use avt::parser::Function;
use avt::{Anchor, Line, Observation, Observer, Operation, ScreenKind};
use std::collections::VecDeque;

/// A chunk's transcript and commands together are cut off after this many bytes of text.
const MAX_DERIVED_BYTES: usize = 4 * 1024 * 1024;
/// A logical line is cut off after this many bytes.
const MAX_LINE_BYTES: usize = 16 * 1024;
/// A command is cut off after this many bytes.
const MAX_COMMAND_BYTES: usize = 4096;

/// What goes on from one chunk to the next, apart from the terminal itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carry {
    /// The beginning of a line that was wrapped and has partly scrolled out.
    line: String,
    /// When each row of the primary screen was last written to.
    rows: VecDeque<u64>,
    typed: Typed,
}

/// Where somebody began to type, until the command is read.
#[derive(Clone, Debug, Default)]
enum Typed {
    #[default]
    Nothing,
    /// Typing began at this column, this many rows up from wherever the cursor is when the chunk ends.
    At { column: usize, row: usize },
}

/// What a chunk yields.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    pub(crate) transcript: Vec<TranscriptLine>,
    pub(crate) commands: Vec<Command>,
    pub(crate) activity: Vec<Activity>,
    /// Whether some text was left out because there was too much.
    pub(crate) cut: bool,
}

struct Reading {
    now_us: u64,
    line: String,
    rows: VecDeque<u64>,
    /// Where the line began that somebody types on.
    start: Option<(Anchor, (usize, usize))>,
    /// When Enter was pressed, while its echo is still to come.
    entered: Option<u64>,
    text_bytes: usize,
    derived: Derived,
}

/// Plays a chunk's events from its keyframe on. Gives what it yields, and the keyframe of the next chunk.
///
/// A terminal is a large machine, and a node sends what it likes: should the emulator fail over it, the recording itself goes
/// on. The chunk has no text then, and the next keyframe is an empty screen.
pub(crate) fn derive(from: &Keyframe, events: &[TimedEvent], carry: &mut Carry) -> (Derived, Keyframe) {
    let mut kept = carry.clone();
    let played = survive(from, events, || play(from, events, &mut kept));
    *carry = kept;
    played
}

fn play(from: &Keyframe, events: &[TimedEvent], carry: &mut Carry) -> (Derived, Keyframe) {
    let mut emulator = Emulator::restore(from);
    let start = match std::mem::take(&mut carry.typed) {
        Typed::At { column, row } => place(&mut emulator, column, row),
        Typed::Nothing => None,
    };
    let mut reading = Reading {
        now_us: from.at_us,
        line: std::mem::take(&mut carry.line),
        rows: std::mem::take(&mut carry.rows),
        start,
        entered: None,
        text_bytes: 0,
        derived: Derived::default(),
    };
    reading.fit(usize::from(from.size.rows));
    let mut output_end = from.output_offset;
    for timed in events {
        reading.now_us = timed.at_us;
        match &timed.event {
            Event::Output(bytes) => {
                output_end += bytes.len() as u64;
                active(&mut reading.derived.activity, timed.at_us, bytes.len() as u64);
                emulator.feed_with(bytes, &mut reading);
            }
            Event::Resize(size) => {
                emulator.resize_with(*size, &mut reading);
                reading.fit(usize::from(size.bounded().rows));
            }
            Event::Input(bytes) => {
                let enter = bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
                reading.typed(&mut emulator, enter);
            }
            Event::InputDropped { enter, .. } => reading.typed(&mut emulator, *enter),
            Event::End(_) => reading.finish(&emulator),
            _ => {}
        }
    }
    carry.line = reading.line;
    carry.rows = reading.rows;
    if reading.entered.is_none()
        && let Some((anchor, _)) = &reading.start
        && let Some(place) = emulator.terminal().resolve(anchor)
        && let Ok(row) = usize::try_from(place.row)
    {
        carry.typed = Typed::At {
            column: place.col,
            row,
        };
    }
    let at_us = events.last().map_or(from.at_us, |timed| timed.at_us);
    (reading.derived, emulator.keyframe(at_us, output_end))
}

fn place(emulator: &mut Emulator, column: usize, row: usize) -> Option<(Anchor, (usize, usize))> {
    let anchor = emulator.terminal_mut().anchor_at(avt::Position {
        screen: ScreenKind::Primary,
        col: column,
        row: isize::try_from(row).ok()?,
    })?;
    Some((anchor, (column, row)))
}

impl Reading {
    fn fit(&mut self, rows: usize) {
        // When rows go, those at the top do: the screen scrolls under a cursor at the bottom.
        while self.rows.len() > rows {
            self.rows.pop_front();
        }
        self.rows.resize(rows, self.now_us);
    }

    /// Somebody typed: remember where, and when Enter came.
    fn typed(&mut self, emulator: &mut Emulator, enter: bool) {
        if self.entered.is_some() {
            // Typed ahead, before the echo of the last Enter: that command is as complete as it will be.
            self.read_command(emulator.terminal());
        }
        if emulator.terminal().active_screen_kind() != ScreenKind::Primary {
            self.start = None;
            return;
        }
        if self.start.is_none() {
            let cursor = emulator.terminal().cursor_position();
            let row = usize::try_from(cursor.row).unwrap_or_default();
            self.start = Some((emulator.terminal_mut().anchor_at_cursor(), (cursor.col, row)));
        }
        if enter {
            self.entered = Some(self.now_us);
        }
    }

    /// Reads the command off the screen: from where typing began to the end of that logical line.
    fn read_command(&mut self, terminal: &avt::Terminal) {
        let (Some(at_us), Some((anchor, fallback))) = (self.entered.take(), self.start.take()) else {
            return;
        };
        // Where the line was redrawn the anchor is gone; the place itself is the best that is known then.
        let (column, row) = match terminal.resolve(&anchor) {
            Some(place) if place.screen == ScreenKind::Primary && place.row >= 0 => {
                (place.col, usize::try_from(place.row).unwrap_or_default())
            }
            Some(_) => return,
            None => fallback,
        };
        let mut text = String::new();
        for (number, line) in terminal.primary_screen().visible_lines().enumerate().skip(row) {
            let skipped = if number == row { column } else { 0 };
            let cells = line.cells().iter().skip(skipped).filter(|cell| cell.width() > 0);
            text.extend(cells.map(avt::Cell::char));
            if !line.is_wrapped() || text.len() > MAX_COMMAND_BYTES {
                break;
            }
        }
        let text = cut(text.trim(), MAX_COMMAND_BYTES);
        if !text.is_empty() && self.room(text.len()) {
            self.derived.commands.push(Command {
                at_us,
                text: text.to_owned(),
            });
        }
    }

    fn room(&mut self, bytes: usize) -> bool {
        // Each entry also counts for itself: ten million empty lines are text, too.
        self.text_bytes += bytes + 32;
        let room = self.text_bytes <= MAX_DERIVED_BYTES;
        self.derived.cut |= !room;
        room
    }

    fn line(&mut self, line: &Line, at_us: u64) {
        if self.line.len() < MAX_LINE_BYTES {
            self.line.extend(line.chars());
        }
        if !line.is_wrapped() {
            let text = std::mem::take(&mut self.line);
            let text = cut(text.trim_end(), MAX_LINE_BYTES);
            if self.room(text.len()) {
                self.derived.transcript.push(TranscriptLine {
                    at_us,
                    text: text.to_owned(),
                });
            }
        }
    }

    /// What stands on the primary screen goes to the transcript, too: at the end, and before a reset.
    fn finish(&mut self, emulator: &Emulator) {
        self.screen(emulator.terminal());
        if self.entered.is_some() {
            self.read_command(emulator.terminal());
        }
    }

    fn screen(&mut self, terminal: &avt::Terminal) {
        let before = self.derived.transcript.len();
        for (number, line) in terminal.primary_screen().visible_lines().enumerate() {
            let at_us = self.rows.get(number).copied().unwrap_or(self.now_us);
            self.line(line, at_us);
        }
        let blank = |line: &TranscriptLine| line.text.is_empty();
        while self.derived.transcript.len() > before && self.derived.transcript.last().is_some_and(blank) {
            self.derived.transcript.pop();
        }
    }
}

impl Observer for Reading {
    type Output = ();

    fn before(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        match operation {
            // The line feed that a shell echoes for Enter: all of the command's echo is on the screen now.
            Operation::Function(Function::Lf) if self.entered.is_some() => {
                self.read_command(context.terminal());
            }
            Operation::Function(Function::Ris) => self.screen(context.terminal()),
            _ => {}
        }
    }

    fn after(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        if matches!(operation, Operation::Function(Function::Print(_)))
            && context.terminal().active_screen_kind() == ScreenKind::Primary
            && let Some(row) = self.rows.get_mut(context.terminal().cursor().row)
        {
            *row = self.now_us;
        }
    }

    fn evicted(&mut self, _: &mut Observation<'_>, line: &Line) {
        let at_us = self.rows.pop_front().unwrap_or(self.now_us);
        self.rows.push_back(self.now_us);
        self.line(line, at_us);
    }

    fn end(&mut self, _: &mut Observation<'_>) {}
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Size;
    use bytes::Bytes;

    fn fresh(cols: u16, rows: u16) -> Keyframe {
        Emulator::new(Size { cols, rows }).keyframe(0, 0)
    }

    fn timed(at_us: u64, event: Event) -> TimedEvent {
        TimedEvent {
            at_us,
            output_offset: 0,
            event,
        }
    }

    fn out(at_us: u64, text: &str) -> TimedEvent {
        timed(at_us, Event::Output(Bytes::from(text.to_owned())))
    }

    fn key(at_us: u64, enter: bool) -> TimedEvent {
        timed(at_us, Event::InputDropped { bytes: 1, enter })
    }

    #[test]
    fn lines_have_the_time_when_they_were_last_written_to() {
        let events = [
            out(1, "one\r\ntwo and more text"),
            out(2, "\r\nthree\r\n"),
            out(3, "four\r\n"),
            timed(9, Event::End("over".into())),
        ];
        let (derived, next) = derive(&fresh(8, 3), &events, &mut Carry::default());
        let lines: Vec<_> = derived
            .transcript
            .iter()
            .map(|l| (l.at_us, l.text.as_str()))
            .collect();
        assert_eq!(
            lines,
            [(1, "one"), (1, "two and more text"), (2, "three"), (3, "four")]
        );
        assert_eq!(next.output_offset, 37);
        assert_eq!(derived.activity, [Activity(0, 37)]);
    }

    #[test]
    fn commands_are_read_from_the_echo_and_secrets_are_not() {
        let events = [
            out(1, "$ "),
            key(2, false),
            out(3, "l"),
            key(4, false),
            out(5, "s -l"),
            key(6, true),
            out(7, " /tmp\r\nfile\r\n[sudo] password for me: "),
            key(8, false),
            key(9, true),
            out(10, "\r\n$ "),
            key(11, false),
            out(12, "exit"),
            key(13, true),
            timed(14, Event::End(String::new())),
        ];
        let (derived, _) = derive(&fresh(80, 24), &events, &mut Carry::default());
        let commands: Vec<_> = derived
            .commands
            .iter()
            .map(|c| (c.at_us, c.text.as_str()))
            .collect();
        assert_eq!(commands, [(6, "ls -l /tmp"), (13, "exit")]);
    }

    #[test]
    fn a_command_and_a_wrapped_line_may_cross_from_one_chunk_to_the_next() {
        let mut carry = Carry::default();
        let first = [out(1, "a\r\nb\r\n$ "), key(2, false), out(3, "ec")];
        let (_, middle) = derive(&fresh(10, 2), &first, &mut carry);
        let second = [out(4, "ho a b c d"), key(5, true), out(6, "\r\n1\r\n2\r\n3\r\n")];
        let (derived, _) = derive(&middle, &second, &mut carry);
        assert_eq!(derived.commands[0].text, "echo a b c d");
        assert_eq!(derived.transcript[1].text, "$ echo a b c d");
    }
}
