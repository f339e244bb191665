//! What is written but not sealed yet is read all the same, beside what is sealed.

use crate::fixtures::{Place, id, out};
use muster_recording::{Event, InputPolicy, Recording, Seek, Settings};

fn text(seek: &Seek) -> String {
    seek.events
        .iter()
        .filter_map(|timed| match &timed.event {
            Event::Output(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn what_was_written_last_is_there_before_it_is_sealed() {
    let place = Place::with(Settings::default());
    let mut recorder = place.begin("ops-1", InputPolicy::Drop).await;
    let recording = Recording::open(&place.storage, &id("ops-1")).await.unwrap();
    assert!(
        recording.unsealed().await.unwrap().is_none(),
        "nothing was written"
    );
    recorder.record(out("first\r\n")).await.unwrap();
    assert_eq!(recording.index().await.unwrap(), []);
    let tail = recording.unsealed().await.unwrap().unwrap();
    assert_eq!(text(&tail), "first\r\n");
    assert!(
        tail.emulator()
            .keyframe(0, 0)
            .bytes
            .windows(5)
            .any(|part| part == b"first")
    );
    recorder.record(out("second\r\n")).await.unwrap();
    assert_eq!(
        text(&recording.unsealed().await.unwrap().unwrap()),
        "first\r\nsecond\r\n"
    );
    recorder.finish("done").await.unwrap();
    let finished = Recording::open(&place.storage, &id("ops-1")).await.unwrap();
    assert!(finished.unsealed().await.unwrap().is_none());
}

#[tokio::test]
async fn it_begins_where_the_sealed_part_ends_with_the_screen_of_that_moment() {
    let place = Place::small();
    let mut recorder = place.begin("ops-1", InputPolicy::Drop).await;
    let mut all = String::new();
    for number in 0..400 {
        let line = format!("line {number}\r\n");
        all += &line;
        recorder.record(out(line)).await.unwrap();
    }
    let recording = Recording::open(&place.storage, &id("ops-1")).await.unwrap();
    // Until all that can be is sealed: the small chunks are, the last lines are not.
    let mut sealed = 0;
    let (index, tail) = loop {
        let index = recording.index().await.unwrap();
        let tail = recording.unsealed().await.unwrap();
        let ends = index
            .last()
            .map_or(0, |entry| entry.output_offset + entry.output_bytes);
        if let (true, Some(tail)) = (index.len() > 1 && sealed == index.len(), tail)
            && ends == tail.keyframe.output_offset
        {
            break (index, tail);
        }
        sealed = index.len();
        tokio::task::yield_now().await;
    };
    let from = usize::try_from(tail.keyframe.output_offset).unwrap();
    assert!(from > 0 && from < all.len() && !index.is_empty());
    assert_eq!(text(&tail), all[from..]);
    let jumped = recording.seek(u64::MAX).await.unwrap();
    assert_eq!(
        tail.emulator().keyframe(0, 0).bytes,
        jumped.emulator().keyframe(0, 0).bytes
    );
    recorder.finish("done").await.unwrap();
}
