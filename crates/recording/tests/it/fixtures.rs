//! What the tests share: a storage in a temporary folder, recordings with small chunks.

use bytes::Bytes;
use muster_domain::Timestamp;
use muster_domain::system::ManualClock;
use muster_recording::{
    Event, InputPolicy, Recorder, RecordingId, Recordings, Settings, SigningKey, Size, Start, Storage,
};
use std::path::Path;
use std::sync::Arc;

pub(crate) const SIZE: Size = Size { cols: 80, rows: 24 };

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) storage: Storage,
    pub(crate) recordings: Recordings,
}

pub(crate) fn small_chunks() -> Settings {
    Settings {
        chunk_bytes: 2000,
        sync_ms: 20,
        patience_ms: 300,
        ..Settings::default()
    }
}

pub(crate) fn start_in(path: &Path, settings: Settings) -> (Storage, Recordings, Arc<ManualClock>) {
    let storage = Storage::local(path).unwrap();
    let key = SigningKey::load_or_make(&path.join("signing-key")).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_795_000_000_000)));
    let recordings = Recordings::start(storage.clone(), key, settings, clock.clone());
    (storage, recordings, clock)
}

impl Place {
    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (storage, recordings, _) = start_in(folder.path(), settings);
        Self {
            folder,
            storage,
            recordings,
        }
    }

    pub(crate) fn small() -> Self {
        Self::with(small_chunks())
    }

    pub(crate) async fn begin(&self, name: &str, input: InputPolicy) -> Recorder {
        self.recordings.begin(id(name), begin(input)).await.unwrap()
    }
}

pub(crate) fn begin(input: InputPolicy) -> Start {
    Start {
        size: SIZE,
        input,
        facts: [("node".to_owned(), "mi-1".to_owned())].into(),
    }
}

pub(crate) fn id(name: &str) -> RecordingId {
    RecordingId::new(name).unwrap()
}

pub(crate) fn out(text: impl Into<Vec<u8>>) -> Event {
    Event::Output(Bytes::from(text.into()))
}
