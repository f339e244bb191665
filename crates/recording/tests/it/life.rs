//! A recording's life: begun, written, read while it grows, finished, resumed, deleted.

use crate::fixtures::{Place, SIZE, begin, id, out, small_chunks, start_in};
use bytes::Bytes;
use muster_recording::{
    Case, Emulator, Event, InputPolicy, ListedState, Recording, RecordingError, Settings, Size, TimedEvent,
};

async fn all(recording: &Recording) -> Vec<TimedEvent> {
    let mut events = recording.events().await.unwrap();
    let mut found = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        found.push(event);
    }
    found
}

async fn output(recording: &Recording, from: u64) -> Vec<u8> {
    let mut reader = recording.output_from(from).await.unwrap();
    let (mut found, mut next) = (Vec::new(), from);
    while let Some((offset, bytes)) = reader.next().await.unwrap() {
        assert_eq!(offset, next, "no gap and nothing twice");
        next += bytes.len() as u64;
        found.extend_from_slice(&bytes);
    }
    found
}

#[tokio::test]
async fn what_is_recorded_is_read_back_whole_and_from_any_byte() {
    let place = Place::small();
    let mut recorder = place.begin("one", InputPolicy::Keep).await;
    let mut expected = Vec::new();
    let mut written = Vec::new();
    for number in 0..500_u64 {
        let bytes: Vec<u8> = (0..number % 37).map(|byte| (byte * 7 + number) as u8).collect();
        written.extend_from_slice(&bytes);
        let mut batch = vec![out(bytes)];
        match number % 50 {
            7 => batch.push(Event::Input(Bytes::from_static(b"ls\r"))),
            9 => batch.push(Event::Resize(Size { cols: 100, rows: 30 })),
            11 => batch.push(Event::Join {
                name: "ana".into(),
                role: "watcher".into(),
            }),
            13 => batch.push(Event::Leave { name: "ana".into() }),
            15 => batch.push(Event::Marker("here".into())),
            _ => {}
        }
        let position = recorder.record_at(number * 1000, batch.clone()).await.unwrap();
        assert_eq!(position.output_end, written.len() as u64);
        expected.extend(
            batch
                .into_iter()
                .filter(|event| *event != out(""))
                .map(|event| (number * 1000, event)),
        );
    }
    let finished = recorder.finish_at(500_000, "done").await.unwrap();
    expected.push((500_000, Event::End("done".into())));
    assert!(finished.totals.chunks > 5, "{finished:?}");

    let recording = Recording::open(&place.storage, &id("one")).await.unwrap();
    let found: Vec<_> = all(&recording)
        .await
        .into_iter()
        .map(|e| (e.at_us, e.event))
        .collect();
    assert_eq!(found, expected);
    for from in (0..=written.len()).step_by(61) {
        assert_eq!(output(&recording, from as u64).await, &written[from..]);
    }
    let info = recording.info().await.unwrap();
    assert_eq!(info.end_reason.as_deref(), Some("done"));
    assert_eq!(info.facts["node"], "mi-1");
    assert_eq!(info.totals, finished.totals);
    assert_eq!(info.manifest_sha256, Some(finished.manifest_sha256));
}

#[tokio::test]
async fn a_reader_follows_a_growing_recording_through_sealing_and_its_end() {
    let place = Place::small();
    let mut recorder = place.begin("live", InputPolicy::Drop).await;
    let recording = Recording::open(&place.storage, &id("live")).await.unwrap();
    let mut reader = recording.output_from(0).await.unwrap();
    let mut late = recording.output_from(0).await.unwrap();
    let (mut written, mut read) = (Vec::new(), Vec::new());
    for number in 0..600 {
        let text = format!("line {number}\r\n");
        written.extend_from_slice(text.as_bytes());
        recorder.record(out(text)).await.unwrap();
        if number % 3 == 0 {
            while let Some((offset, bytes)) = reader.next().await.unwrap() {
                assert_eq!(offset, read.len() as u64);
                read.extend_from_slice(&bytes);
            }
            assert_eq!(read, written, "everything acknowledged can be read at once");
        }
    }
    let growing = Recording::open(&place.storage, &id("live")).await.unwrap();
    let mut snapshot = growing.snapshot(3000).await.unwrap();
    let mut screen = Emulator::restore(&snapshot.keyframe);
    while let Some(timed) = snapshot.events.next().await.unwrap() {
        screen.apply(&timed.event);
    }
    assert_eq!(screen.screen()[22], "line 599");
    recorder.finish("over").await.unwrap();
    for reader in [&mut reader, &mut late] {
        while let Some((_, bytes)) = reader.next().await.unwrap() {
            read.extend_from_slice(&bytes);
        }
    }
    assert_eq!(read.len(), 2 * written.len());
    assert_eq!(
        output(&growing, 17).await,
        &written[17..],
        "opened before its end, read after it"
    );
}

#[tokio::test]
async fn dropped_input_leaves_only_its_length() {
    let place = Place::small();
    let mut recorder = place.begin("quiet", InputPolicy::Drop).await;
    recorder.record(out("Password: ")).await.unwrap();
    recorder
        .record(Event::Input(Bytes::from_static(b"hunter2-secret\r")))
        .await
        .unwrap();
    recorder.finish("x").await.unwrap();
    let recording = Recording::open(&place.storage, &id("quiet")).await.unwrap();
    assert_eq!(
        all(&recording).await[1].event,
        Event::InputDropped {
            bytes: 15,
            enter: true
        }
    );
    for entry in walk(place.folder.path()) {
        let bytes = std::fs::read(&entry).unwrap();
        let plain = zstd_plain(&bytes);
        assert!(!plain.windows(7).any(|window| window == b"hunter2"), "{entry:?}");
    }
}

fn zstd_plain(bytes: &[u8]) -> Vec<u8> {
    zstd::decode_all(bytes).unwrap_or_else(|_| bytes.to_vec())
}

fn walk(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn a_large_event_is_split_and_a_wild_size_is_bounded() {
    let place = Place::small();
    let mut recorder = place.begin("large", InputPolicy::Keep).await;
    let bytes = vec![b'x'; 200_000];
    recorder.record(out(bytes.clone())).await.unwrap();
    recorder
        .record(Event::Resize(Size {
            cols: 0,
            rows: u16::MAX,
        }))
        .await
        .unwrap();
    let too_long = recorder
        .record(Event::Marker("m".repeat(5000)))
        .await
        .unwrap_err();
    assert!(matches!(
        too_long,
        RecordingError::BadEvent { field: "marker", .. }
    ));
    recorder.finish("x").await.unwrap();
    let recording = Recording::open(&place.storage, &id("large")).await.unwrap();
    let events = all(&recording).await;
    assert_eq!(events.len(), 6);
    assert_eq!(events[4].event, Event::Resize(Size { cols: 1, rows: 1000 }));
    assert_eq!(output(&recording, 0).await, bytes);
}

#[tokio::test]
async fn a_recording_resumes_after_its_program_ended() {
    let place = Place::small();
    let mut recorder = place.begin("again", InputPolicy::Drop).await;
    for number in 0..200 {
        recorder
            .record_at(number * 1000, [out(format!("before {number}\r\n"))])
            .await
            .unwrap();
    }
    let end = recorder.position().output_end;
    assert!(matches!(
        place.recordings.resume(&id("again")).await,
        Err(RecordingError::InUse(_))
    ));
    // A program that has ended seals nothing any more; this one is still there, so it is let come to an end.
    while recorder.behind_bytes() > 0 {
        tokio::task::yield_now().await;
    }
    drop(recorder);

    let (storage, recordings, clock) = start_in(place.folder.path(), small_chunks());
    clock.advance(90_000);
    let left = recordings.unfinished().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].facts["node"], "mi-1");
    let mut recorder = recordings.resume(&id("again")).await.unwrap();
    assert_eq!(recorder.position().output_end, end);
    recorder.record(out("after\r\n")).await.unwrap();
    recorder.finish("done").await.unwrap();
    let recording = Recording::open(&storage, &id("again")).await.unwrap();
    let events = all(&recording).await;
    let gap = events
        .iter()
        .find(|event| matches!(event.event, Event::Gap { .. }))
        .unwrap();
    assert_eq!(
        gap.event,
        Event::Gap {
            from_ms: 1_795_000_000_199,
            to_ms: 1_795_000_090_000
        }
    );
    assert!(gap.at_us >= 90_000_000);
    let hits = recording.search("AFTER", Case::Ignored, 10).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(
        recording
            .search("before 199", Case::Matters, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(recordings.unfinished().await.unwrap().is_empty());
}

#[tokio::test]
async fn names_are_taken_once_and_deleting_frees_them() {
    let place = Place::small();
    let mut recorder = place.begin("name", InputPolicy::Drop).await;
    recorder.record(out("x")).await.unwrap();
    assert!(matches!(
        place.recordings.begin(id("name"), begin(InputPolicy::Drop)).await,
        Err(RecordingError::InUse(_))
    ));
    assert!(matches!(
        place.recordings.delete(&id("name")).await,
        Err(RecordingError::InUse(_))
    ));
    assert_eq!(place.storage.list().await.unwrap()[0].state, ListedState::Live);
    recorder.finish("x").await.unwrap();
    let listed = place.storage.list().await.unwrap();
    assert_eq!(listed[0].state, ListedState::Finished);
    assert!(listed[0].bytes > 100);
    assert!(matches!(
        place.recordings.begin(id("name"), begin(InputPolicy::Drop)).await,
        Err(RecordingError::Exists(_))
    ));
    place.recordings.delete(&id("name")).await.unwrap();
    assert!(place.storage.list().await.unwrap().is_empty());
    assert!(matches!(
        place.recordings.delete(&id("name")).await,
        Err(RecordingError::NotFound(_))
    ));
    place.begin("name", InputPolicy::Drop).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_tail_is_sealed_by_a_tick() {
    let place = Place::with(Settings::default());
    let mut recorder = place.begin("slow", InputPolicy::Drop).await;
    recorder.record(out("x\r\n")).await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(59)).await;
    recorder.tick().await.unwrap();
    let recording = Recording::open(&place.storage, &id("slow")).await.unwrap();
    assert!(recording.index().await.unwrap().is_empty());
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    recorder.tick().await.unwrap();
    let finished = recorder.finish("x").await.unwrap();
    assert_eq!(finished.totals.chunks, 2);
    assert_eq!(finished.totals.duration_us, 61_000_000);
}

#[tokio::test]
async fn an_export_is_a_valid_asciicast_whatever_the_bytes_are() {
    let place = Place::small();
    let mut recorder = place.begin("cast", InputPolicy::Keep).await;
    recorder.record_at(1_500_000, [out(*b"caf\xc3")]).await.unwrap();
    recorder
        .record_at(1_500_001, [out(*b"\xa9 \xff \"\x1b[0m\r\n")])
        .await
        .unwrap();
    recorder
        .record_at(
            2_000_000,
            [Event::Input(Bytes::from_static(b"q")), Event::Resize(SIZE)],
        )
        .await
        .unwrap();
    recorder.record_at(2_000_000, [out(*b"\xe6\xbc")]).await.unwrap();
    recorder.finish_at(3_000_000, "bye").await.unwrap();
    let recording = Recording::open(&place.storage, &id("cast")).await.unwrap();
    let mut cast = recording.asciicast().await.unwrap();
    let mut text = Vec::new();
    while let Some(piece) = cast.next().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines();
    let header: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!((&header["version"], &header["width"]), (&2.into(), &80.into()));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "[1.500000, \"o\", \"caf\"]",
            "[1.500001, \"o\", \"é \u{fffd} \\\"\\u001b[0m\\r\\n\"]",
            "[2.000000, \"i\", \"q\"]",
            "[2.000000, \"r\", \"80x24\"]",
            "[3.000000, \"m\", \"ended: bye\"]",
            "[3.000000, \"o\", \"\u{fffd}\"]",
        ]
    );
}
