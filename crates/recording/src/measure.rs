//! What benchmarks share: a long recording that looks like work, jumps within it, and writing as fast as it goes.

use crate::{
    Event, Finished, InputPolicy, Position, Recording, RecordingError, RecordingId, Recordings, Size, Start,
};
use bytes::Bytes;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Repeatable numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

fn start() -> Start {
    Start {
        size: Size { cols: 120, rows: 40 },
        input: InputPolicy::Drop,
        facts: [("node".to_owned(), "a measurement".to_owned())].into(),
    }
}

/// A screen full of a program like top, drawn over the last one.
fn screen(numbers: &mut Numbers) -> String {
    let mut text = String::from("\x1b[H");
    for row in 1..40 {
        let (pid, load) = (numbers.below(99_999), numbers.below(1000));
        let _ = write!(
            text,
            "\x1b[{row};1H\x1b[3{}m{pid:>6} root      20   0 {:>8} {:>6} S  {load:>4} some-program\x1b[0m\x1b[K",
            row % 8,
            pid * 7,
            pid * 3
        );
    }
    text
}

/// Records `hours` of work at a terminal, faster than it would take: commands and their output, coloured lists, a program
/// that redraws the screen every two seconds, and pauses.
///
/// # Errors
/// As [`crate::Recorder::record`].
pub async fn record_hours(
    recordings: &Recordings,
    id: RecordingId,
    hours: u64,
) -> Result<Finished, RecordingError> {
    let mut recorder = recordings.begin(id, start()).await?;
    let mut numbers = Numbers(8);
    let (mut at_us, end_us) = (0, hours * 3_600_000_000);
    let mut minute = 0;
    while at_us < end_us {
        match numbers.below(4) {
            0 => {
                let mut event = Event::Output(Bytes::from_static(b"\x1b[?1049h\x1b[2J"));
                for _ in 0..30 {
                    recorder.record_at(at_us, [event]).await?;
                    event = Event::Output(screen(&mut numbers).into());
                    at_us += 2_000_000;
                }
                recorder
                    .record_at(at_us, [Event::Output(Bytes::from_static(b"\x1b[?1049l"))])
                    .await?;
            }
            1 => at_us += numbers.below(180) * 1_000_000,
            _ => {
                for letter in *b"ls -l\r" {
                    at_us += 120_000;
                    let typed = Event::Input(Bytes::copy_from_slice(&[letter]));
                    let echo = if letter == b'\r' {
                        b"\r\n".to_vec()
                    } else {
                        vec![letter]
                    };
                    recorder
                        .record_at(at_us, [typed, Event::Output(echo.into())])
                        .await?;
                }
                for line in 0..numbers.below(200) {
                    at_us += 2_000;
                    let text = format!(
                        "-rw-r--r-- 1 root root {:>9} Nov 25 10:00 \x1b[1;3{}mfile-{line}\x1b[0m\r\n",
                        numbers.below(9_999_999),
                        line % 8
                    );
                    recorder.record_at(at_us, [Event::Output(text.into())]).await?;
                }
                recorder
                    .record_at(at_us, [Event::Output(Bytes::from_static(b"$ "))])
                    .await?;
                at_us += numbers.below(20) * 1_000_000;
            }
        }
        // The clock of this recording runs ahead of the real one, so a minute is cut here rather than by a tick.
        if at_us / 60_000_000 > minute {
            minute = at_us / 60_000_000;
            recorder.rotate()?;
        }
    }
    recorder.finish_at(end_us, "measured").await
}

/// How long `count` jumps to places all over the recording take, each until keyframe and events are there; sorted.
///
/// # Errors
/// As [`Recording::seek`].
pub async fn jumps(recording: &Recording, count: usize) -> Result<Vec<Duration>, RecordingError> {
    let end_us = recording.info().await?.totals.duration_us;
    let mut numbers = Numbers(count as u64);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let at_us = numbers.below(end_us);
        let began = Instant::now();
        let seek = recording.seek(at_us).await?;
        times.push(began.elapsed());
        drop(seek);
    }
    times.sort();
    Ok(times)
}

/// How fast output is written.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// Bytes that were recorded.
    pub bytes: u64,
    /// Until all of it was acknowledged.
    pub acknowledged: Duration,
    /// Until all of it was sealed and signed.
    pub sealed: Duration,
}

/// Records `bytes` of output in pieces of `piece` bytes, as fast as it goes.
///
/// # Errors
/// As [`crate::Recorder::record`].
pub async fn write(
    recordings: &Recordings,
    id: RecordingId,
    bytes: u64,
    piece: usize,
) -> Result<Throughput, RecordingError> {
    let mut recorder = recordings.begin(id, start()).await?;
    let mut text = String::new();
    let mut numbers = Numbers(1);
    while text.len() < piece {
        let _ = write!(
            text,
            "{:x} a line of a build's log, as long as such lines are, {}\r\n",
            numbers.below(u64::MAX),
            numbers.below(1000)
        );
    }
    let output = Bytes::from(text).slice(..piece);
    let began = Instant::now();
    let mut position = Position::default();
    while position.output_end < bytes {
        position = recorder.record(Event::Output(output.clone())).await?;
    }
    let acknowledged = began.elapsed();
    recorder.finish("measured").await?;
    Ok(Throughput {
        bytes: position.output_end,
        acknowledged,
        sealed: began.elapsed(),
    })
}
