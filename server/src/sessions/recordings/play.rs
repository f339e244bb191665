//! Recordings for those who play them: as a whole, in parts, as text, as a file; and whether they are intact.

use crate::sessions::recordings::{Store, id_of, shown, whole};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use muster_domain::PortalError;
use muster_domain::ids::NodeSessionId;
use muster_domain::sessions::{
    Hit, Participant, RecordedChunk, RecordedCommand, RecordedEvent, RecordingView, SessionSummary,
    TranscriptLine,
};
use muster_recording::{Activity, Case, Concern, Event, TimedEvent};

/// Parts of the bar under which activity is drawn.
const BARS: u64 = 240;
/// A span without output that counts as idle, in milliseconds.
const IDLE_MS: u64 = 5_000;
/// Lines of a transcript that are shown.
const MAX_LINES: usize = 20_000;
/// Commands that are listed.
const MAX_COMMANDS: usize = 2_000;
/// Hits that are listed.
const MAX_HITS: usize = 500;

fn ms(us: u64) -> u64 {
    us / 1_000
}

/// The first whole millisecond at which something had happened: who seeks there sees it.
fn ms_after(us: u64) -> u64 {
    us.div_ceil(1_000)
}

/// Milliseconds with fractions; recordings are far shorter than what a double counts exactly.
#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
fn exact_ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

/// Bytes of output in each of at most [`BARS`] equal parts.
fn bars(activity: &[Activity], duration_ms: u64) -> Vec<u64> {
    let parts = (duration_ms / 1_000 + 1).min(BARS);
    let mut bars = vec![0; usize::try_from(parts).unwrap_or(1)];
    for Activity(second, bytes) in activity {
        let at = (second * 1_000 * parts) / duration_ms.max(1);
        let last = bars.len() - 1;
        if let Some(bar) = bars.get_mut(usize::try_from(at).unwrap_or(last).min(last)) {
            *bar += bytes;
        }
    }
    bars
}

/// Spans of [`IDLE_MS`] or more without output, to the second.
fn idle(activity: &[Activity], duration_ms: u64) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    let mut quiet_since = 0;
    for begins in activity.iter().map(|activity| activity.0 * 1_000) {
        if begins >= quiet_since + IDLE_MS {
            spans.push((quiet_since, begins));
        }
        quiet_since = begins + 1_000;
    }
    if duration_ms >= quiet_since + IDLE_MS {
        spans.push((quiet_since, duration_ms));
    }
    spans
}

fn shown_event(timed: TimedEvent) -> Option<RecordedEvent> {
    let at = exact_ms(timed.at_us);
    Some(match timed.event {
        Event::Output(bytes) => match String::from_utf8(bytes.to_vec()) {
            Ok(text) => RecordedEvent::Output(at, text),
            Err(_) => RecordedEvent::Bytes(at, STANDARD.encode(&bytes)),
        },
        Event::Input(bytes) => RecordedEvent::Input(at, u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
        Event::InputDropped { bytes, .. } => RecordedEvent::Input(at, bytes),
        Event::Resize(size) => RecordedEvent::Resize(at, size.cols, size.rows),
        Event::Join { name, role } => RecordedEvent::Note(at, format!("{name} joined ({role})")),
        Event::Leave { name } => RecordedEvent::Note(at, format!("{name} left")),
        Event::Marker(text) => RecordedEvent::Note(at, text),
        Event::Gap { from_ms, to_ms } => {
            let seconds = to_ms.saturating_sub(from_ms) / 1_000;
            RecordedEvent::Note(at, format!("The portal was away for {seconds} s"))
        }
        Event::End(reason) => RecordedEvent::Note(at, reason),
    })
}

fn shown_command(command: muster_recording::Command) -> RecordedCommand {
    RecordedCommand {
        at_ms: ms_after(command.at_us),
        text: command.text,
    }
}

impl Store {
    /// A recording before its parts are fetched.
    pub(crate) async fn view(
        &self,
        session: SessionSummary,
        participants: Vec<Participant>,
    ) -> Result<RecordingView, PortalError> {
        let read = async {
            let recording = self.recording(&session.session_id).await?;
            let (info, index) = (recording.info().await?, recording.index().await?);
            let commands = recording.commands(MAX_COMMANDS).await?;
            let tail = recording.unsealed().await?;
            Ok::<_, muster_recording::RecordingError>((info, index, commands, tail))
        };
        let (info, index, commands, tail) = read.await.map_err(|error| shown(&error))?;
        let mut duration_us = info.totals.duration_us;
        let mut chunks: Vec<_> = index
            .iter()
            .map(|chunk| (ms(chunk.start_us), chunk.output_bytes))
            .collect();
        let mut activity: Vec<_> = index.iter().flat_map(|chunk| chunk.activity.clone()).collect();
        let mut unsealed_ms = None;
        if let Some(tail) = tail {
            let bytes = |timed: &TimedEvent| timed.event.output_len() as u64;
            duration_us = duration_us.max(tail.events.last().map_or(0, |timed| timed.at_us));
            unsealed_ms = Some(ms(tail.keyframe.at_us));
            chunks.push((ms(tail.keyframe.at_us), tail.events.iter().map(bytes).sum()));
            let written = tail.events.iter().filter(|timed| bytes(timed) > 0);
            activity.extend(written.map(|timed| Activity(timed.at_us / 1_000_000, bytes(timed))));
        }
        let duration_ms = ms_after(duration_us);
        Ok(RecordingView {
            session,
            duration_ms,
            chunks,
            activity: bars(&activity, duration_ms),
            idle: idle(&activity, duration_ms),
            unsealed_ms,
            commands: commands.into_iter().map(shown_command).collect(),
            participants,
            is_signed: info.manifest_sha256.is_some(),
            is_recovered: info.recovered.is_some(),
        })
    }

    /// What was typed, as far as the screen tells.
    pub(crate) async fn commands(
        &self,
        session: &NodeSessionId,
    ) -> Result<Vec<RecordedCommand>, PortalError> {
        let read = async { self.recording(session).await?.commands(MAX_COMMANDS).await };
        let commands = read.await.map_err(|error| shown(&error))?;
        Ok(commands.into_iter().map(shown_command).collect())
    }

    /// One part of a recording.
    pub(crate) async fn chunk(
        &self,
        session: &NodeSessionId,
        index: u32,
    ) -> Result<RecordedChunk, PortalError> {
        let read = async {
            let recording = self.recording(session).await?;
            let sealed = recording.index().await?.len() as u64;
            // Behind the sealed chunks is one more, as far as it was written.
            if u64::from(index) >= sealed
                && let Some(tail) = recording.unsealed().await?
            {
                return Ok((tail.keyframe, tail.events));
            }
            let chunk = recording.chunk(u64::from(index)).await?;
            Ok::<_, muster_recording::RecordingError>((chunk.keyframe, chunk.events))
        };
        let (keyframe, happened) = read.await.map_err(|error| shown(&error))?;
        let end = whole(&keyframe.bytes);
        let (text, torn) = keyframe.bytes.split_at_checked(end).unwrap_or_default();
        let mut events = Vec::new();
        if !torn.is_empty() {
            events.push(RecordedEvent::Bytes(
                exact_ms(keyframe.at_us),
                STANDARD.encode(torn),
            ));
        }
        events.extend(happened.into_iter().filter_map(shown_event));
        Ok(RecordedChunk {
            index,
            start_ms: ms(keyframe.at_us),
            cols: keyframe.size.cols,
            rows: keyframe.size.rows,
            keyframe: String::from_utf8_lossy(text).into_owned(),
            events,
        })
    }

    /// The recording as lines of text, at most [`MAX_LINES`].
    pub(crate) async fn transcript(
        &self,
        session: &NodeSessionId,
    ) -> Result<Vec<TranscriptLine>, PortalError> {
        let read = async {
            let mut reader = self.recording(session).await?.transcript().await?;
            let mut lines = Vec::new();
            while let Some(more) = reader.next().await? {
                lines.extend(more.into_iter().map(|line| TranscriptLine {
                    at_ms: ms_after(line.at_us),
                    text: line.text,
                }));
                if lines.len() >= MAX_LINES {
                    lines.truncate(MAX_LINES);
                    break;
                }
            }
            Ok::<_, muster_recording::RecordingError>(lines)
        };
        read.await.map_err(|error| shown(&error))
    }

    /// Where `text` stands in it.
    pub(crate) async fn search(&self, session: &NodeSessionId, text: &str) -> Result<Vec<Hit>, PortalError> {
        let read = async {
            self.recording(session)
                .await?
                .search(text, Case::Ignored, MAX_HITS)
                .await
        };
        let hits = read.await.map_err(|error| shown(&error))?;
        Ok(hits
            .into_iter()
            .map(|hit| Hit {
                at_ms: ms_after(hit.at_us),
                line: hit.line,
            })
            .collect())
    }

    /// The recording as an asciicast v2 file, piece by piece.
    pub(crate) async fn cast(&self, session: &NodeSessionId) -> Result<Body, PortalError> {
        let read = async { self.recording(session).await?.asciicast().await };
        let cast = read.await.map_err(|error| shown(&error))?;
        let pieces = futures::stream::unfold(cast, |mut cast| async move {
            match cast.next().await {
                Ok(Some(piece)) => Some((Ok(piece), cast)),
                Ok(None) => None,
                // A broken download is better than one that looks whole.
                Err(error) => Some((Err(error), cast)),
            }
        });
        // Fused: the layer that compresses asks once more after the end.
        Ok(Body::from_stream(pieces.fuse()))
    }

    /// What is wrong with a recording whose manifest the database knows by `sha256`; nothing when it is intact.
    pub(crate) async fn verify(
        &self,
        session: &NodeSessionId,
        sha256: &str,
    ) -> Result<Vec<String>, PortalError> {
        let storage = self.recordings.storage();
        let id = id_of(session).map_err(|error| shown(&error))?;
        let expected = Some(sha256).filter(|sha256| !sha256.is_empty());
        let report = muster_recording::verify(storage, &id, self.recordings.public_key(), expected).await;
        let report = report.map_err(|error| shown(&error))?;
        Ok(report
            .findings
            .into_iter()
            // That the recorder was away for a while is no damage; the recording itself says so.
            .filter(|finding| finding.problem.concern() != Concern::Note)
            .map(|finding| match finding.chunk {
                Some(chunk) => format!("Chunk {chunk}: {}", finding.message),
                None => finding.message,
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(activity: &[(u64, u64)]) -> Vec<Activity> {
        activity
            .iter()
            .map(|(second, bytes)| Activity(*second, *bytes))
            .collect()
    }

    #[test]
    fn quiet_spans_are_found_at_the_beginning_in_the_middle_and_at_the_end() {
        let index = seconds(&[(6, 10), (7, 10), (20, 1)]);
        assert_eq!(
            idle(&index, 30_000),
            [(0, 6_000), (8_000, 20_000), (21_000, 30_000)]
        );
        assert_eq!(idle(&index, 25_000), [(0, 6_000), (8_000, 20_000)]);
        assert_eq!(idle(&[], 4_000), []);
    }

    #[test]
    fn bars_hold_all_output_however_long_it_took() {
        let index = seconds(&[(0, 5), (3_599, 7)]);
        let bars = bars(&index, 3_600_000);
        assert_eq!((bars.len(), bars.iter().sum::<u64>()), (240, 12));
        assert_eq!((bars[0], bars[239]), (5, 7));
        assert_eq!(super::bars(&index[..1], 0).len(), 1);
    }
}
