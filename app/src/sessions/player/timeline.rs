//! Where a player is in a recording, what a moment needs to be shown, and which chunks are kept. Pure: no clock, no
//! network, no terminal.

use muster_domain::sessions::{RecordedChunk, RecordedEvent, RecordingView};
use std::collections::VecDeque;
use std::rc::Rc;

/// How fast a recording can be played.
pub(super) const SPEEDS: [f64; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// So much of a span without events is still played at both of its ends, in milliseconds.
const LEAD: f64 = 400.0;
/// Chunks kept.
const KEPT: usize = 6;

/// When an event was, in milliseconds from the start.
pub(super) const fn at(event: &RecordedEvent) -> f64 {
    match event {
        RecordedEvent::Output(at, _)
        | RecordedEvent::Bytes(at, _)
        | RecordedEvent::Input(at, _)
        | RecordedEvent::Resize(at, _, _)
        | RecordedEvent::Note(at, _) => *at,
    }
}

/// How many of the events have happened at `when`.
pub(super) fn until(events: &[RecordedEvent], when: f64) -> usize {
    events.partition_point(|event| at(event) <= when)
}

/// The recording as a line of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    pub(super) duration: f64,
    starts: Vec<f64>,
    idle: Vec<(f64, f64)>,
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a session")]
fn ms(whole: u64) -> f64 {
    whole as f64
}

impl Timeline {
    pub(super) fn new(view: &RecordingView) -> Self {
        Self {
            duration: ms(view.duration_ms),
            starts: view.chunks.iter().map(|(start, _)| ms(*start)).collect(),
            idle: view
                .idle
                .iter()
                .map(|(from, to)| (ms(*from), ms(*to)))
                .filter(|(from, to)| to - from > 2.0 * LEAD)
                .collect(),
        }
    }

    /// The chunk that holds `when`; none in an empty recording.
    pub(super) fn chunk_at(&self, when: f64) -> Option<u32> {
        let after = self.starts.partition_point(|start| *start <= when).max(1);
        (!self.starts.is_empty())
            .then(|| u32::try_from(after - 1).ok())
            .flatten()
    }

    /// Whether there is a chunk of that number.
    pub(super) fn has(&self, chunk: u32) -> bool {
        usize::try_from(chunk).is_ok_and(|chunk| chunk < self.starts.len())
    }

    /// Within the recording.
    pub(super) fn clamp(&self, when: f64) -> f64 {
        if when.is_finite() {
            when.clamp(0.0, self.duration)
        } else {
            0.0
        }
    }

    /// Where a player is that was at `from` and has played for `wall` milliseconds.
    pub(super) fn advance(&self, from: f64, wall: f64, speed: f64, skip_idle: bool) -> f64 {
        let mut now = from;
        let mut left = wall.max(0.0) * speed;
        if skip_idle {
            for (begin, end) in &self.idle {
                let (begin, end) = (begin + LEAD, end - LEAD);
                if end <= now {
                    continue;
                }
                if now + left < begin {
                    break;
                }
                left -= (begin - now).max(0.0);
                now = end.max(now);
            }
        }
        self.clamp(now + left)
    }
}

/// The next speed up (1) or down (-1).
pub(super) fn other_speed(speed: f64, by: isize) -> f64 {
    let now = SPEEDS
        .iter()
        .position(|one| *one >= speed)
        .unwrap_or(SPEEDS.len() - 1);
    let next = now.saturating_add_signed(by).min(SPEEDS.len() - 1);
    SPEEDS.get(next).copied().unwrap_or(1.0)
}

/// What brings the terminal from where it is to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Only what happened since: events of the chunk on show, from this one on.
    On(usize),
    /// What is left of the chunk on show, from this event on; then the next chunk from its beginning.
    Over(usize),
    /// Empty the terminal, write the chunk's keyframe, then its events.
    Jump,
}

/// From `here` (chunk, events of it that were written, moment) to a moment in `chunk`.
pub(super) fn way(here: Option<(u32, usize, f64)>, chunk: u32, when: f64) -> Way {
    match here {
        Some((now, written, at)) if when >= at && now == chunk => Way::On(written),
        Some((now, written, at)) if when >= at && now.checked_add(1) == Some(chunk) => Way::Over(written),
        _ => Way::Jump,
    }
}

/// The chunks at hand; the one not used for longest goes first.
#[derive(Debug, Default)]
pub(super) struct Chunks(VecDeque<Rc<RecordedChunk>>);

impl Chunks {
    /// The chunk of that number, when it is at hand.
    pub(super) fn get(&mut self, index: u32) -> Option<Rc<RecordedChunk>> {
        let place = self.0.iter().position(|chunk| chunk.index == index)?;
        let chunk = self.0.remove(place)?;
        self.0.push_back(chunk.clone());
        Some(chunk)
    }

    /// Keeps a chunk.
    pub(super) fn keep(&mut self, chunk: Rc<RecordedChunk>) {
        self.0.retain(|one| one.index != chunk.index);
        self.0.push_back(chunk);
        while self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// Forgets a chunk that may have grown.
    pub(super) fn forget(&mut self, index: u32) {
        self.0.retain(|one| one.index != index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline {
            duration: 100_000.0,
            starts: vec![0.0, 30_000.0, 60_000.0],
            idle: vec![(10_000.0, 20_000.0), (70_000.0, 90_000.0)],
        }
    }

    fn chunk(index: u32) -> Rc<RecordedChunk> {
        Rc::new(RecordedChunk {
            index,
            start_ms: 0,
            cols: 80,
            rows: 24,
            keyframe: String::new(),
            events: Vec::new(),
        })
    }

    #[test]
    fn a_moment_belongs_to_the_chunk_that_began_last() {
        let line = timeline();
        for (when, chunk) in [(-5.0, 0), (0.0, 0), (29_999.9, 0), (30_000.0, 1), (1e9, 2)] {
            assert_eq!(line.chunk_at(when), Some(chunk), "{when}");
        }
        let empty = Timeline {
            starts: Vec::new(),
            ..timeline()
        };
        assert_eq!(empty.chunk_at(0.0), None);
        assert!(line.has(2) && !line.has(3));
        assert_eq!(
            (line.clamp(-1.0), line.clamp(f64::NAN), line.clamp(1e9)),
            (0.0, 0.0, 100_000.0)
        );
    }

    #[test]
    fn time_runs_at_its_speed_and_stops_at_the_end() {
        let line = timeline();
        assert_eq!(line.advance(0.0, 1_000.0, 1.0, false), 1_000.0);
        assert_eq!(line.advance(0.0, 1_000.0, 16.0, false), 16_000.0);
        assert_eq!(line.advance(99_000.0, 9_000.0, 0.5, false), 100_000.0);
        assert_eq!(
            line.advance(5_000.0, -3.0, 1.0, false),
            5_000.0,
            "clocks go back, players do not"
        );
    }

    #[test]
    fn idle_spans_are_jumped_but_for_their_ends() {
        let line = timeline();
        assert_eq!(line.advance(9_900.0, 100.0, 1.0, true), 10_000.0);
        assert_eq!(line.advance(10_000.0, 500.0, 1.0, true), 19_700.0);
        assert_eq!(
            line.advance(15_000.0, 100.0, 1.0, true),
            19_700.0,
            "begun in the middle"
        );
        assert_eq!(line.advance(15_000.0, 100.0, 1.0, false), 15_100.0);
        // Over both spans in one step: all but what is idle takes its time.
        let played = (10_400.0 - 0.0) + (70_400.0 - 19_600.0) + 1_000.0;
        assert_eq!(line.advance(0.0, played, 1.0, true), 90_600.0);
    }

    #[test]
    fn a_step_on_is_played_and_all_else_is_a_jump() {
        assert_eq!(way(None, 0, 0.0), Way::Jump);
        let here = Some((1, 7, 31_000.0));
        assert_eq!(way(here, 1, 31_000.0), Way::On(7));
        assert_eq!(way(here, 2, 60_000.0), Way::Over(7));
        assert_eq!(way(here, 1, 30_999.0), Way::Jump, "back");
        assert_eq!(way(here, 3, 90_000.0), Way::Jump, "a chunk is left out");
    }

    #[test]
    fn events_count_from_their_own_moment_on() {
        let events = [
            RecordedEvent::Output(1.5, "a".into()),
            RecordedEvent::Resize(1.5, 80, 24),
            RecordedEvent::Output(3.0, "b".into()),
        ];
        assert_eq!(until(&events, 1.0), 0);
        assert_eq!(until(&events, 1.5), 2);
        assert_eq!(until(&events, 9.0), 3);
    }

    #[test]
    fn few_chunks_are_kept_the_used_ones_longest() {
        let mut chunks = Chunks::default();
        for index in 0..6 {
            chunks.keep(chunk(index));
        }
        assert!(chunks.get(0).is_some());
        chunks.keep(chunk(6));
        assert!(chunks.get(1).is_none(), "not used for longest");
        assert!(chunks.get(0).is_some() && chunks.get(6).is_some());
        chunks.forget(6);
        assert!(chunks.get(6).is_none());
    }

    #[test]
    fn speeds_go_up_and_down_and_stay_in_their_bounds() {
        assert_eq!(other_speed(1.0, 1), 2.0);
        assert_eq!(other_speed(1.0, -1), 0.5);
        assert_eq!(other_speed(0.5, -1), 0.5);
        assert_eq!(other_speed(16.0, 1), 16.0);
    }
}
