//! What is left of a chunk's derived parts when the emulator fails over its events.

use crate::derive::Derived;
use crate::emulator::{Emulator, Keyframe};
use crate::event::{Event, TimedEvent};
use crate::manifest::Activity;

/// Plays, or says what is known without a terminal when that fails.
pub(crate) fn survive(
    from: &Keyframe,
    events: &[TimedEvent],
    play: impl FnOnce() -> (Derived, Keyframe),
) -> (Derived, Keyframe) {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)).unwrap_or_else(|_| {
        tracing::error!("the terminal emulator failed over a recording");
        let mut derived = Derived {
            cut: true,
            ..Derived::default()
        };
        let (mut size, mut end) = (from.size, (from.at_us, from.output_offset));
        for timed in events {
            let bytes = timed.event.output_len() as u64;
            end = (timed.at_us, end.1 + bytes);
            if bytes > 0 {
                active(&mut derived.activity, timed.at_us, bytes);
            }
            if let Event::Resize(to) = timed.event {
                size = to;
            }
        }
        (derived, Emulator::new(size).keyframe(end.0, end.1))
    })
}

/// Adds output to its second.
pub(crate) fn active(activity: &mut Vec<Activity>, at_us: u64, bytes: u64) {
    let second = at_us / 1_000_000;
    match activity.last_mut() {
        Some(Activity(last, sum)) if *last == second => *sum += bytes,
        _ => activity.push(Activity(second, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Size;

    fn timed(at_us: u64, event: Event) -> TimedEvent {
        TimedEvent {
            at_us,
            output_offset: 0,
            event,
        }
    }

    #[test]
    fn an_emulator_that_fails_costs_the_text_and_nothing_else() {
        let from = Emulator::new(Size { cols: 80, rows: 24 }).keyframe(0, 0);
        let size = Size { cols: 90, rows: 30 };
        let events = [
            timed(1_000_000, Event::Output("some output".into())),
            timed(1_000_001, Event::Resize(size)),
        ];
        let (derived, next) = survive(&from, &events, || panic!("the emulator failed"));
        assert!(derived.cut && derived.transcript.is_empty());
        assert_eq!(derived.activity, [Activity(1, 11)]);
        assert_eq!((next.output_offset, next.size), (11, size));
    }
}
