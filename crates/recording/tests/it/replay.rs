//! Seeking equals a straight replay, over what real programs sent to a real terminal (`tests/sessions/make.py`).

use crate::fixtures::{Place, id, out};
use muster_recording::{
    Emulator, Event, InputPolicy, Recording, RecordingId, Settings, Size, Start, TimedEvent,
};

const SESSIONS: [(&str, &str); 6] = [
    ("shell", include_str!("../sessions/shell.session")),
    ("vim", include_str!("../sessions/vim.session")),
    ("less", include_str!("../sessions/less.session")),
    ("colours", include_str!("../sessions/colours.session")),
    ("top", include_str!("../sessions/top.session")),
    ("tmux", include_str!("../sessions/tmux.session")),
];

/// What a session's file says, with output in pieces of at most `piece` bytes.
fn read(text: &str, piece: usize) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let at_us: u64 = words.next().unwrap().parse().unwrap();
        match words.next().unwrap() {
            "r" => {
                let (cols, rows) = words.next().unwrap().split_once('x').unwrap();
                let size = Size {
                    cols: cols.parse().unwrap(),
                    rows: rows.parse().unwrap(),
                };
                events.push((at_us, Event::Resize(size)));
            }
            _ => {
                let bytes = hex::decode(words.next().unwrap()).unwrap();
                for (number, bytes) in bytes.chunks(piece).enumerate() {
                    events.push((at_us + number as u64, out(bytes)));
                }
            }
        }
    }
    events
}

async fn record(place: &Place, name: &str, events: &[(u64, Event)]) -> Recording {
    let id: RecordingId = id(name);
    let start = Start {
        size: Size { cols: 80, rows: 24 },
        input: InputPolicy::Drop,
        facts: [].into(),
    };
    let mut recorder = place.recordings.begin(id.clone(), start).await.unwrap();
    for (at_us, event) in events {
        recorder.record_at(*at_us, [event.clone()]).await.unwrap();
    }
    recorder.finish_at(u64::MAX / 2, "over").await.unwrap();
    Recording::open(&place.storage, &id).await.unwrap()
}

/// Everything that a terminal shows and every mode it is in.
fn state(emulator: &Emulator) -> (Vec<String>, String) {
    let bytes = emulator.keyframe(0, 0).bytes;
    (emulator.screen(), String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_jump_shows_exactly_what_playing_from_the_beginning_shows() {
    for (name, text) in SESSIONS {
        let place = Place::with(Settings {
            chunk_bytes: 1500,
            ..Settings::default()
        });
        let events = read(text, 333);
        let recording = record(&place, name, &events).await;
        let chunks = recording.index().await.unwrap().len();
        assert!(chunks > 3, "{name} has {chunks} chunks");

        let mut straight = Emulator::new(Size { cols: 80, rows: 24 });
        let mut played = 0;
        let mut jumps = 0;
        for (number, (at_us, event)) in events.iter().enumerate() {
            straight.apply(event);
            played += 1;
            let next_us = events.get(number + 1).map_or(u64::MAX, |next| next.0);
            // Several events may have one time: a jump to it stands after the last of them.
            if next_us.max(*at_us) == *at_us || played % 3 != 0 {
                continue;
            }
            let at_us = events[..=number].iter().map(|event| event.0).max().unwrap();
            let seek = recording.seek(at_us).await.unwrap();
            assert_eq!(state(&seek.emulator()), state(&straight), "{name} at {at_us} µs");
            jumps += 1;
        }
        assert!(jumps > 10, "{name}: {jumps} jumps");
    }
}

#[tokio::test]
async fn every_chunk_may_begin_at_any_byte() {
    // One byte a record, one record a chunk: keyframes follow from keyframes thousands of times.
    for (name, text) in SESSIONS {
        let events = read(text, usize::MAX);
        let mut straight = Emulator::new(Size { cols: 80, rows: 24 });
        let mut restored = Emulator::new(Size { cols: 80, rows: 24 });
        let mut bytes = 0_usize;
        for (_, event) in &events {
            match event {
                Event::Output(output) => {
                    for byte in output.chunks(1) {
                        straight.feed(byte);
                        restored.feed(byte);
                        bytes += 1;
                        if bytes.is_multiple_of(7) {
                            restored = Emulator::restore(&restored.keyframe(0, 0));
                        }
                    }
                }
                event => {
                    straight.apply(event);
                    restored.apply(event);
                }
            }
            assert_eq!(state(&restored), state(&straight), "{name} after {bytes} bytes");
        }
    }
}

#[tokio::test]
async fn transcripts_hold_what_scrolled_by_and_search_finds_when() {
    let place = Place::small();
    let (name, text) = SESSIONS[0];
    let recording = record(&place, name, &read(text, usize::MAX)).await;
    let hits = recording
        .search("grüße aus köln", Default::default(), 10_000)
        .await
        .unwrap();
    assert_eq!(hits.len(), 400, "every line of the file that was shown");
    assert!(hits.is_sorted_by_key(|hit| hit.at_us));
    assert_eq!(hits[0].column, 5);
    let seek = recording.seek(hits[399].at_us).await.unwrap();
    assert!(
        seek.emulator()
            .screen()
            .iter()
            .any(|line| line.contains("0399 Grüße"))
    );
    let lines = recording
        .search("because it does not fit", Default::default(), 10)
        .await
        .unwrap();
    assert!(
        lines[0].line.contains("a long line that is wrapped because"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn activity_adds_up_to_the_output() {
    let place = Place::small();
    let (name, text) = SESSIONS[1];
    let recording = record(&place, name, &read(text, usize::MAX)).await;
    let info = recording.info().await.unwrap();
    let index = recording.index().await.unwrap();
    let sum: u64 = index
        .iter()
        .flat_map(|entry| &entry.activity)
        .map(|activity| activity.1)
        .sum();
    assert_eq!(sum, info.totals.output_bytes);
    let timed: Vec<TimedEvent> = recording.chunk(1).await.unwrap().events;
    assert_eq!(timed[0].output_offset, index[1].output_offset);
}
