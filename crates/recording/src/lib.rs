//! Recordings of terminal sessions: written before they are sent on, sealed in chunks, signed, seekable, verifiable.
//!
//! The crate knows nothing of the portal, of axum or of SQL. The format is written down in `docs/RECORDINGS.md`.
//!
//! - [`Recordings`] is the one per process: it holds the [`Storage`], the signing key and the sealing worker.
//! - [`Recorder`] is the one per session, owned by one task. What it has acknowledged survives `kill -9`.
//! - [`Recording`] reads one, finished or still growing.
//! - [`verify`] checks one, and needs only the storage and a public key.
//!
//! ```no_run
//! # async fn example(
//! #     clock: std::sync::Arc<dyn muster_domain::time::Clock>, bytes: bytes::Bytes, id: muster_recording::RecordingId,
//! # ) -> Result<(), muster_recording::RecordingError> {
//! use muster_recording::*;
//! # let data = std::path::Path::new("data");
//! let root = data.join("recordings");
//! let storage = Storage::local(&root)?;
//! let key = SigningKey::load_or_make(&root.join("signing-key"))?;
//! let recordings = Recordings::start(storage.clone(), key, Settings::default(), clock);
//! for left in recordings.unfinished().await? {
//!     recordings.recover(&left.id).await?; // or `resume`, when the session survived
//! }
//!
//! let size = Size { cols: 80, rows: 24 };
//! let start = Start { size, input: InputPolicy::Drop, facts: [("node".into(), "mi-1".into())].into() };
//! let mut recorder = recordings.begin(id.clone(), start).await?;
//! let position = recorder.record(Event::Output(bytes)).await?; // written: now it may be sent on
//! recorder.tick().await?; // every second or so: seals a tail that is old
//! let finished = recorder.finish("ended by its owner").await?; // its `manifest_sha256` goes to the audit log
//!
//! let recording = Recording::open(&storage, &id).await?; // finished, or still growing
//! let mut snapshot = recording.snapshot(64 * 1024).await?; // write `snapshot.keyframe.bytes`, then …
//! while let Some(timed) = snapshot.events.next().await? { /* … output and sizes; `None`: the end so far */ }
//! let mut output = recording.output_from(position.output_end).await?;
//! while let Some((offset, bytes)) = output.next().await? { /* spliced by offset */ }
//! # Ok(()) }
//! ```

mod adopt;
mod asciicast;
mod chunk;
mod derive;
mod emulator;
mod error;
mod event;
mod events;
mod frame;
mod id;
mod keys;
mod live;
mod manifest;
#[cfg(feature = "measure")]
pub mod measure;
mod modes;
mod processor;
mod reader;
mod recorder;
mod recordings;
mod report;
mod s3;
mod search;
mod storage;
mod survive;
mod verify;
mod worker;

pub use asciicast::Asciicast;
pub use chunk::Chunk;
pub use emulator::{Emulator, Keyframe};
pub use error::RecordingError;
pub use event::{
    Event, InputPolicy, MAX_EVENT_BYTES, MAX_NAME_BYTES, MAX_SIDE, MAX_TEXT_BYTES, Position, Size, TimedEvent,
};
pub use events::{EventReader, OutputReader};
pub use id::RecordingId;
pub use keys::SigningKey;
pub use live::Finished;
pub use manifest::{
    Activity, ChunkEntry, Command, Manifest, Recovery, SignedManifest, Totals, TranscriptLine,
};
pub use reader::{Info, Recording, Seek, Snapshot, TranscriptReader};
pub use recorder::Recorder;
pub use recordings::{Recordings, Settings, Start, Unfinished};
pub use report::{Concern, Finding, MAX_FINDINGS, Problem, Report};
pub use s3::{S3Credentials, S3Key, S3Settings, s3_objects};
pub use search::{Case, Hit};
pub use storage::{Listed, ListedState, Storage};
pub use verify::verify;
