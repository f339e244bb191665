//! Export as asciicast v2: a header line, then one JSON array a line (docs.asciinema.org/manual/asciicast/v2).

use crate::event::{Event, TimedEvent};
use crate::events::EventReader;
use crate::{Recording, RecordingError};
use bytes::Bytes;
use serde_json::json;

/// Lines are gathered into pieces of about this size.
const PIECE: usize = 32 * 1024;

/// Gives an asciicast in pieces.
pub struct Asciicast {
    events: EventReader,
    header: Option<String>,
    output: Utf8,
    input: Utf8,
    last_us: u64,
    done: bool,
}

impl Recording {
    /// The recording as an asciicast v2 file. Bytes that are no UTF-8 become U+FFFD there, as the format demands text.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn asciicast(&self) -> Result<Asciicast, RecordingError> {
        let info = self.info().await?;
        let header = json!({
            "version": 2,
            "width": info.size.cols,
            "height": info.size.rows,
            "timestamp": info.started_at_ms.div_euclid(1000),
            "title": self.id().as_str(),
            "env": { "TERM": "xterm-256color" },
        });
        Ok(Asciicast {
            events: self.events().await?,
            header: Some(format!("{header}\n")),
            output: Utf8::default(),
            input: Utf8::default(),
            last_us: 0,
            done: false,
        })
    }
}

impl Asciicast {
    /// The next piece of the file; `None` at its end.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn next(&mut self) -> Result<Option<Bytes>, RecordingError> {
        let mut piece = self.header.take().unwrap_or_default();
        while piece.len() < PIECE && !self.done {
            match self.events.next().await? {
                Some(timed) => self.line(timed, &mut piece),
                None => {
                    self.done = true;
                    // A character that was never completed.
                    for (code, rest) in [("o", self.output.rest()), ("i", self.input.rest())] {
                        write(self.last_us, code, &rest, &mut piece);
                    }
                }
            }
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn line(&mut self, timed: TimedEvent, piece: &mut String) {
        self.last_us = timed.at_us;
        let (code, data) = match timed.event {
            Event::Output(bytes) => ("o", self.output.take(&bytes)),
            Event::Input(bytes) => ("i", self.input.take(&bytes)),
            Event::Resize(size) => ("r", format!("{}x{}", size.cols, size.rows)),
            Event::Join { name, role } => ("m", format!("{name} joined ({role})")),
            Event::Leave { name } => ("m", format!("{name} left")),
            Event::Marker(text) => ("m", text),
            Event::Gap { from_ms, to_ms } => {
                let seconds = to_ms.saturating_sub(from_ms) / 1000;
                ("m", format!("the recorder was away for {seconds} s"))
            }
            Event::End(reason) => ("m", format!("ended: {reason}")),
            Event::InputDropped { .. } => return,
        };
        write(timed.at_us, code, &data, piece);
    }
}

fn write(at_us: u64, code: &str, data: &str, piece: &mut String) {
    if data.is_empty() {
        return;
    }
    // Written digit by digit: a float would lose microseconds in long recordings.
    let (seconds, micros) = (at_us / 1_000_000, at_us % 1_000_000);
    let data = serde_json::Value::from(data);
    piece.push_str(&format!("[{seconds}.{micros:06}, \"{code}\", {data}]\n"));
}

/// Makes text of bytes that come in pieces: a character cut by a piece's end goes to the next one.
#[derive(Default)]
struct Utf8 {
    unfinished: Vec<u8>,
}

impl Utf8 {
    fn take(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.unfinished);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(good) => {
                    text.push_str(good);
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(good).unwrap_or_default());
                    let Some(length) = error.error_len() else {
                        self.unfinished = bad.to_vec();
                        break;
                    };
                    text.push('\u{fffd}');
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
        text
    }

    fn rest(&mut self) -> String {
        if std::mem::take(&mut self.unfinished).is_empty() {
            String::new()
        } else {
            "\u{fffd}".into()
        }
    }
}
