//! Programs that are killed while they record, and disks that are full: nothing acknowledged is lost.

use crate::fixtures::{Place, id, out, start_in};
use muster_domain::Timestamp;
use muster_domain::system::ManualClock;
use muster_recording::{
    Event, InputPolicy, Problem, Recording, RecordingError, Recordings, Settings, SigningKey, Start, Storage,
    verify,
};
use object_store::memory::InMemory;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const FOLDER: &str = "MUSTER_TEST_RECORDING_FOLDER";

fn settings() -> Settings {
    Settings {
        chunk_bytes: 4000,
        sync_ms: 5,
        ..Settings::default()
    }
}

/// This very program again, running only the test `name`, with `before` in front of it in a shell.
fn child(name: &str, folder: &Path, before: &str) -> Child {
    let script = format!("{before} exec \"$0\" --exact {name} --nocapture --test-threads 1");
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn line(number: u64) -> String {
    format!("line {number} {}\r\n", "x".repeat((number % 90) as usize))
}

/// The program that is killed; without the variable, an ordinary test that records a little.
#[tokio::test(flavor = "multi_thread")]
async fn records_until_it_is_killed() {
    let own = tempfile::tempdir().unwrap();
    let (folder, last) = match std::env::var_os(FOLDER) {
        Some(folder) => (folder.into(), u64::MAX),
        None => (own.path().to_owned(), 100),
    };
    let (_, recordings, _) = start_in(&folder, settings());
    let start = crate::fixtures::begin(InputPolicy::Keep);
    let mut recorder = recordings.begin(id("killed"), start).await.unwrap();
    let mut acknowledged = std::io::stdout();
    for number in 0..last {
        let position = recorder.record(out(line(number))).await.unwrap();
        // Told to the test only after it was acknowledged, as a relay would send it on.
        writeln!(acknowledged, "acknowledged {number} {}", position.output_end).unwrap();
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_program_is_killed() {
    for after in [0, 1, 17, 400, 3000] {
        let folder = tempfile::tempdir().unwrap();
        let mut program = child("crash::records_until_it_is_killed", folder.path(), "");
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut acknowledged = None;
        let mut told = |line: &str| {
            let mut words = line
                .split(' ')
                .skip_while(|word| !word.ends_with("acknowledged"))
                .skip(1);
            if let (Some(Ok(number)), Some(Ok(end))) =
                (words.next().map(str::parse), words.next().map(str::parse))
            {
                acknowledged = Some::<(u64, u64)>((number, end));
            }
            acknowledged.is_some_and(|(number, _)| number >= after)
        };
        for line in lines.by_ref() {
            if told(&line.unwrap()) {
                break;
            }
        }
        program.kill().unwrap();
        program.wait().unwrap();
        // What was still in the pipe was acknowledged, too; the kill may have torn the last line.
        for line in lines.map_while(Result::ok) {
            told(&line);
        }
        let (number, end) = acknowledged.unwrap();

        let (storage, recordings, _) = start_in(folder.path(), settings());
        let left = recordings.unfinished().await.unwrap();
        assert_eq!(left.len(), 1, "after {after}");
        let finished = recordings.recover(&left[0].id).await.unwrap();
        let mut reader = Recording::open(&storage, &left[0].id)
            .await
            .unwrap()
            .output_from(0)
            .await
            .unwrap();
        let mut text = Vec::new();
        while let Some((_, bytes)) = reader.next().await.unwrap() {
            text.extend_from_slice(&bytes);
        }
        assert!(
            text.len() as u64 >= end,
            "{} of {end} acknowledged bytes are there",
            text.len()
        );
        // At most the one line that was being written when the program was killed comes on top.
        let expected: String = (0..=number + 2).map(line).collect();
        assert!(expected.as_bytes().starts_with(&text));
        assert_eq!(finished.totals.output_bytes, text.len() as u64);
        let report = verify(
            &storage,
            &left[0].id,
            recordings.public_key(),
            Some(&finished.manifest_sha256),
        )
        .await
        .unwrap();
        assert!(report.is_intact() && report.is_complete(), "{report:?}");
        assert_eq!(report.findings[0].problem, Problem::Recovered);
        assert!(recordings.unfinished().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_torn_write_is_cut_off_at_every_length() {
    for keep in 0..60 {
        let place = Place::small();
        let mut recorder = place.begin("torn", InputPolicy::Keep).await;
        recorder.record(out("whole")).await.unwrap();
        recorder.record(out("a second that is torn")).await.unwrap();
        drop(recorder);
        let tail = place.folder.path().join("live/torn/tail-00000000");
        let bytes = std::fs::read(&tail).unwrap();
        if keep >= bytes.len() {
            break;
        }
        std::fs::write(&tail, &bytes[..keep]).unwrap();
        let (storage, recordings, _) = start_in(place.folder.path(), settings());
        let finished = recordings.recover(&id("torn")).await.unwrap();
        assert_eq!(
            finished.totals.output_bytes,
            if keep < 22 { 0 } else { 5 },
            "{keep} bytes kept"
        );
        let recording = Recording::open(&storage, &id("torn")).await.unwrap();
        let cut = recording.info().await.unwrap().recovered.unwrap().cut_bytes;
        assert_eq!(cut, if keep < 22 { keep } else { keep - 22 } as u64);
    }
}

/// Records under a limit on the size of files; without the variable, in a folder of its own and without one.
#[tokio::test(flavor = "multi_thread")]
async fn records_until_the_disk_is_full() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let (_, recordings, _) = start_in(Path::new(&folder), Settings::default());
    let start = crate::fixtures::begin(InputPolicy::Keep);
    let mut recorder = recordings.begin(id("full"), start).await.unwrap();
    let mut number = 0;
    let error = loop {
        match recorder.record(out(line(number))).await {
            Ok(position) => println!("acknowledged {number} {}", position.output_end),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 10_000, "the limit was never reached");
    };
    assert!(error.is_full(), "{error}");
    // It sticks, also for what would still fit.
    assert!(recorder.record(out("x")).await.unwrap_err().is_full());
    assert!(recorder.tick().await.unwrap_err().is_full());
    assert!(recorder.finish("x").await.unwrap_err().is_full());
    println!("told as full");
}

#[tokio::test]
async fn a_full_disk_is_told_and_sticks_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // 64 blocks of 512 bytes; the signal that comes with it is ignored as a server does.
    let limit = "trap '' XFSZ; ulimit -f 64;";
    let program = child("crash::records_until_the_disk_is_full", folder.path(), limit);
    let done = program.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && text.contains("told as full"), "{text}");
    let end: u64 = text
        .lines()
        .filter_map(|line| {
            line.split("acknowledged ")
                .nth(1)?
                .split(' ')
                .nth(1)?
                .parse()
                .ok()
        })
        .max()
        .unwrap();
    let (_, recordings, _) = start_in(folder.path(), settings());
    let finished = recordings.recover(&id("full")).await.unwrap();
    assert_eq!(finished.totals.output_bytes, end);
}

fn with_store(
    folder: &Path,
    store: Arc<dyn object_store::ObjectStore>,
    settings: Settings,
) -> (Storage, Recordings) {
    let storage = Storage::with_objects(folder, store, "some/prefix").unwrap();
    let key = SigningKey::load_or_make(&folder.join("signing-key")).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(0)));
    let recordings = Recordings::start(storage.clone(), key, settings, clock);
    (storage, recordings)
}

fn start() -> Start {
    crate::fixtures::begin(InputPolicy::Drop)
}

#[tokio::test]
async fn an_object_store_serves_as_well_as_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, recordings) = with_store(folder.path(), Arc::new(InMemory::new()), settings());
    let mut recorder = recordings.begin(id("remote"), start()).await.unwrap();
    for number in 0..500 {
        recorder.record(out(line(number))).await.unwrap();
    }
    recorder.finish("x").await.unwrap();
    let listed = storage.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    let report = verify(&storage, &id("remote"), recordings.public_key(), None)
        .await
        .unwrap();
    assert_eq!(report.findings, []);
    recordings.delete(&id("remote")).await.unwrap();
    assert!(storage.list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_makes_recorders_wait_and_then_fail() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("away");
    std::fs::create_dir(&store).unwrap();
    let objects = object_store::local::LocalFileSystem::new_with_prefix(&store).unwrap();
    let few = Settings {
        max_behind_bytes: 20_000,
        ..settings()
    };
    let (_, recordings) = with_store(folder.path(), Arc::new(objects), few);
    let mut recorder = recordings.begin(id("away"), start()).await.unwrap();
    // A file where the recording's folder should be: every upload fails.
    std::fs::create_dir_all(store.join("some/prefix")).unwrap();
    std::fs::write(store.join("some/prefix/away"), b"").unwrap();
    let mut written = 0;
    let error = loop {
        match recorder.record(out(line(written))).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, RecordingError::Behind { behind_bytes, .. } if behind_bytes >= 20_000),
        "{error}"
    );
    assert!(matches!(
        recorder.record(Event::Marker("x".into())).await,
        Err(RecordingError::Behind { .. })
    ));
    let end = recorder.position().output_end;
    drop(recorder);
    drop(recordings);

    // The store is back: everything is sealed after all.
    let (_, recordings) = with_store(folder.path(), Arc::new(InMemory::new()), settings());
    let finished = recordings.recover(&id("away")).await.unwrap();
    assert_eq!(finished.totals.output_bytes, end);
}
