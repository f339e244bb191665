//! Reads a recording, finished or still growing.

use crate::emulator::{Emulator, Keyframe};
use crate::event::{Event, InputPolicy, Size, TimedEvent};
use crate::events::{EventReader, OutputReader};
use crate::keys::sha256;
use crate::manifest::{ChunkEntry, Command, Manifest, Recovery, SignedManifest, Totals, TranscriptLine};
use crate::storage::{Head, Storage, blocking};
use crate::{Chunk, RecordingError, RecordingId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Events before a place are played into a new keyframe when there are more bytes of output among them than this: only a
/// growing recording whose sealing is far behind has as many.
const MAX_SEEK_BYTES: usize = 8 * 1024 * 1024;

pub(crate) enum State {
    Finished(Box<Manifest>),
    Live(Head),
}

/// A recording, opened for reading. Clones are cheap.
#[derive(Clone)]
pub struct Recording {
    pub(crate) storage: Storage,
    pub(crate) id: RecordingId,
    pub(crate) state: Arc<State>,
    manifest_sha256: Option<String>,
}

/// What is known of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Which.
    pub id: RecordingId,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// What the caller said of the session.
    pub facts: BTreeMap<String, String>,
    /// Whether keystrokes are in it.
    pub input: InputPolicy,
    /// The terminal's size at the beginning.
    pub size: Size,
    /// Sums; of a growing recording, what is sealed of it.
    pub totals: Totals,
    /// Why it ended; `None` while it grows.
    pub end_reason: Option<String>,
    /// Whether it was finished by recovery.
    pub recovered: Option<Recovery>,
    /// SHA-256 of the manifest's object, hexadecimal; `None` while it grows. Not checked: that is what
    /// [`crate::verify`] does.
    pub manifest_sha256: Option<String>,
}

/// Where a player stands after a jump: the screen of `keyframe`, with `events` played into it.
#[derive(Clone, Debug)]
pub struct Seek {
    /// The terminal at some time before.
    pub keyframe: Keyframe,
    /// What happened from there until the time asked for, which included.
    pub events: Vec<TimedEvent>,
}

/// A terminal at some time, and what happened from there on.
pub struct Snapshot {
    /// What to write first.
    pub keyframe: Keyframe,
    /// What to write after it, and sizes to take on.
    pub events: EventReader,
}

impl Recording {
    /// Opens a recording.
    ///
    /// # Errors
    /// [`RecordingError::NotFound`], or what disk and store say.
    pub async fn open(storage: &Storage, id: &RecordingId) -> Result<Self, RecordingError> {
        // Finishing stores the manifest before it removes the head: looked for in this order, one of them is there.
        let head = storage.head(id).await?;
        let bytes = storage.manifest(id).await?;
        let (state, manifest_sha256) = match (bytes, head) {
            (Some(bytes), _) => {
                let digest = sha256(&bytes);
                let signed: SignedManifest = parse(&bytes, id)?;
                let manifest: Manifest = parse(signed.body.as_bytes(), id)?;
                if manifest.format != Manifest::FORMAT {
                    let reason = format!("its format is {}, not {}", manifest.format, Manifest::FORMAT);
                    return Err(RecordingError::damaged(format!("the manifest of {id}"), reason));
                }
                (State::Finished(Box::new(manifest)), Some(digest))
            }
            (None, Some(head)) => (State::Live(head), None),
            (None, None) => return Err(RecordingError::NotFound(id.to_string())),
        };
        Ok(Self {
            storage: storage.clone(),
            id: id.clone(),
            state: Arc::new(state),
            manifest_sha256,
        })
    }

    /// Which recording this is.
    #[must_use]
    pub fn id(&self) -> &RecordingId {
        &self.id
    }

    /// Whether it was still growing when it was opened.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(*self.state, State::Live(_))
    }

    /// What is known of it.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn info(&self) -> Result<Info, RecordingError> {
        let totals = Totals::of(&self.index().await?);
        Ok(match &*self.state {
            State::Finished(manifest) => Info {
                id: self.id.clone(),
                started_at_ms: manifest.started_at_ms,
                facts: manifest.facts.clone(),
                input: manifest.input,
                size: manifest.size,
                totals,
                end_reason: Some(manifest.end_reason.clone()),
                recovered: manifest.recovered,
                manifest_sha256: self.manifest_sha256.clone(),
            },
            State::Live(head) => Info {
                id: self.id.clone(),
                started_at_ms: head.started_at_ms,
                facts: head.facts.clone(),
                input: head.input,
                size: head.size,
                totals,
                end_reason: None,
                recovered: None,
                manifest_sha256: None,
            },
        })
    }

    /// The chunks with their times, offsets and activity; of a growing recording, those that are sealed by now.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn index(&self) -> Result<Vec<ChunkEntry>, RecordingError> {
        match &*self.state {
            State::Finished(manifest) => Ok(manifest.chunks.clone()),
            State::Live(_) => {
                let (entries, _) = self.storage.live_index(&self.id).await?;
                if entries.is_empty() && self.storage.head(&self.id).await?.is_none() {
                    // It was finished meanwhile.
                    let now = Box::pin(Self::open(&self.storage, &self.id)).await?;
                    return match &*now.state {
                        State::Finished(manifest) => Ok(manifest.chunks.clone()),
                        State::Live(_) => Ok(entries),
                    };
                }
                Ok(entries)
            }
        }
    }

    /// Chunk `number`, counted from 0.
    ///
    /// # Errors
    /// [`RecordingError::Damaged`] when there is none, or it is not what it should be.
    pub async fn chunk(&self, number: u64) -> Result<Chunk, RecordingError> {
        let index = self.index().await?;
        let entry = index.iter().find(|entry| entry.index == number).ok_or_else(|| {
            RecordingError::damaged(self.id.to_string(), format!("it has no chunk {number}"))
        })?;
        self.storage.chunk(&self.id, entry).await
    }

    /// All events from the beginning.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn events(&self) -> Result<EventReader, RecordingError> {
        EventReader::at(self.clone(), None).await
    }

    /// Output from byte `offset` on, in pieces with their offsets. Works while the recording grows.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn output_from(&self, offset: u64) -> Result<OutputReader, RecordingError> {
        let events = EventReader::at(self.clone(), Some(offset)).await?;
        Ok(OutputReader::new(events, offset))
    }

    /// The terminal as it was at the beginning: nothing in it.
    pub(crate) fn beginning(&self) -> Keyframe {
        let size = match &*self.state {
            State::Finished(manifest) => manifest.size,
            State::Live(head) => head.size,
        };
        Emulator::new(size).keyframe(0, 0)
    }

    /// The latest keyframe with at least `min_bytes` of output after it, or else the first, and the events from there on:
    /// for a terminal that is attached again, which so has that much to scroll back to, and for one who watches.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn snapshot(&self, min_bytes: u64) -> Result<Snapshot, RecordingError> {
        let index = self.index().await?;
        let end = index
            .last()
            .map_or(0, |entry| entry.output_offset + entry.output_bytes);
        let latest = index
            .iter()
            .rposition(|entry| end - entry.output_offset >= min_bytes);
        self.after_chunk(index, latest).await
    }

    /// The keyframe of chunk `number`, or the beginning, and the events from there on.
    async fn after_chunk(
        &self,
        index: Vec<ChunkEntry>,
        number: Option<usize>,
    ) -> Result<Snapshot, RecordingError> {
        // The chunk's events come with its keyframe: it is fetched once.
        match number.and_then(|number| index.get(number)) {
            Some(entry) => {
                let chunk = self.storage.chunk(&self.id, entry).await?;
                Ok(Snapshot {
                    keyframe: chunk.keyframe.clone(),
                    events: EventReader::with(self.clone(), index, chunk),
                })
            }
            None => Ok(Snapshot {
                keyframe: self.beginning(),
                events: EventReader::at(self.clone(), None).await?,
            }),
        }
    }

    /// Where a player stands at `at_us`, in microseconds since the recording began: exactly as if it had played from the
    /// beginning.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn seek(&self, at_us: u64) -> Result<Seek, RecordingError> {
        let index = self.index().await?;
        let before = index.partition_point(|entry| entry.start_us <= at_us);
        let Snapshot {
            mut keyframe,
            events: mut reader,
        } = self.after_chunk(index, before.checked_sub(1)).await?;
        let mut events = Vec::new();
        let mut bytes = 0;
        while let Some(timed) = reader.next().await? {
            if timed.at_us > at_us {
                break;
            }
            bytes += timed.event.output_len();
            let end = (timed.at_us, timed.output_offset + timed.event.output_len() as u64);
            events.push(timed);
            if bytes > MAX_SEEK_BYTES {
                let played = std::mem::take(&mut events);
                let from = keyframe;
                keyframe = blocking(move || Ok(play(&from, &played, end))).await?;
                bytes = 0;
            }
        }
        Ok(Seek { keyframe, events })
    }

    /// What of a growing recording is not sealed yet: the terminal as it was where the sealed part ends, and what happened
    /// since, as far as it was written. `None` when nothing has, or the recording is finished. It is what is on the disk: no
    /// checksum covers it before it is sealed.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn unsealed(&self) -> Result<Option<Seek>, RecordingError> {
        if !self.is_live() {
            return Ok(None);
        }
        let index = self.index().await?;
        let (keyframe, mut reader) = match index.last() {
            Some(entry) => {
                let mut chunk = self.storage.chunk(&self.id, entry).await?;
                let played = std::mem::take(&mut chunk.events);
                let from = chunk.keyframe.clone();
                let end = (entry.end_us, entry.output_offset + entry.output_bytes);
                let keyframe = blocking(move || Ok(play(&from, &played, end))).await?;
                (keyframe, EventReader::with(self.clone(), index, chunk))
            }
            None => (self.beginning(), EventReader::at(self.clone(), None).await?),
        };
        let mut events = Vec::new();
        let mut bytes = 0;
        // More than this only waits when sealing is far behind: it comes with the next look.
        while bytes <= MAX_SEEK_BYTES
            && let Some(timed) = reader.next().await?
        {
            bytes += timed.event.output_len();
            events.push(timed);
        }
        Ok((!events.is_empty()).then_some(Seek { keyframe, events }))
    }

    /// Lines that scrolled out, chunk by chunk; of a finished recording also what stood on the screen at the end.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn transcript(&self) -> Result<TranscriptReader, RecordingError> {
        Ok(TranscriptReader {
            index: self.index().await?.into_iter(),
            recording: self.clone(),
        })
    }

    /// The commands typed, as far as the screen showed them; at most `max`.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn commands(&self, max: usize) -> Result<Vec<Command>, RecordingError> {
        let mut commands = Vec::new();
        for entry in self.index().await? {
            commands.extend(self.storage.chunk(&self.id, &entry).await?.commands);
            if commands.len() >= max {
                commands.truncate(max);
                break;
            }
        }
        Ok(commands)
    }
}

fn play(from: &Keyframe, events: &[TimedEvent], end: (u64, u64)) -> Keyframe {
    let mut emulator = Emulator::restore(from);
    for timed in events {
        emulator.apply(&timed.event);
    }
    emulator.keyframe(end.0, end.1)
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], id: &RecordingId) -> Result<T, RecordingError> {
    serde_json::from_slice(bytes)
        .map_err(|error| RecordingError::damaged(format!("the manifest of {id}"), error.to_string()))
}

impl Seek {
    /// The screen at that place, as an emulator shows it.
    #[must_use]
    pub fn emulator(&self) -> Emulator {
        let mut emulator = Emulator::restore(&self.keyframe);
        for timed in &self.events {
            emulator.apply(&timed.event);
        }
        emulator
    }

    /// The keyframe's bytes and the output after it, as long as the size stays the same: `None` when it changes.
    #[must_use]
    pub fn single_write(&self) -> Option<Vec<u8>> {
        let mut bytes = self.keyframe.bytes.clone();
        for timed in &self.events {
            match &timed.event {
                Event::Output(output) => bytes.extend_from_slice(output),
                Event::Resize(size) if *size != self.keyframe.size => return None,
                _ => {}
            }
        }
        Some(bytes)
    }
}

/// Gives a recording's transcript chunk by chunk, so that none has to be in memory whole.
pub struct TranscriptReader {
    recording: Recording,
    index: std::vec::IntoIter<ChunkEntry>,
}

impl TranscriptReader {
    /// The lines of the next chunk; `None` at the end. May be empty.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn next(&mut self) -> Result<Option<Vec<TranscriptLine>>, RecordingError> {
        match self.index.next() {
            Some(entry) => {
                let chunk = self.recording.storage.chunk(&self.recording.id, &entry).await?;
                Ok(Some(chunk.transcript))
            }
            None => Ok(None),
        }
    }
}
