//! Reads events in order across chunks and tails, and goes on where it stopped when a recording has grown.

use crate::event::{Event, TimedEvent};
use crate::frame::decode_all;
use crate::manifest::ChunkEntry;
use crate::storage::blocking;
use crate::{Chunk, Recording, RecordingError};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{Read as _, Seek as _, SeekFrom};

/// At most this much of a tail is read at a time.
const PIECE: u64 = 1024 * 1024;

/// Gives a recording's events in order.
pub struct EventReader {
    recording: Recording,
    /// Sealed chunks as of the last look.
    index: Vec<ChunkEntry>,
    /// The chunk that is read now, sealed or not.
    number: u64,
    /// Bytes of its events that were read.
    used: u64,
    /// Output offset after them.
    output_end: u64,
    ready: VecDeque<TimedEvent>,
}

impl EventReader {
    /// From the chunk on in which byte `offset` of the output is; without one, from the beginning.
    pub(crate) async fn at(recording: Recording, offset: Option<u64>) -> Result<Self, RecordingError> {
        let index = recording.index().await?;
        let mut reader = Self {
            recording,
            index,
            number: 0,
            used: 0,
            output_end: 0,
            ready: VecDeque::new(),
        };
        if let Some(offset) = offset {
            // The last chunk that begins before that byte. Chunks without output may share an offset with the next, and
            // what happened in them comes before that byte.
            let number = reader.index.partition_point(|entry| entry.output_offset < offset);
            let number = number.saturating_sub(1);
            if let Some(entry) = reader.index.get(number) {
                reader.number = entry.index;
                reader.output_end = entry.output_offset;
            }
        }
        Ok(reader)
    }

    /// From the beginning of a chunk that was read already.
    pub(crate) fn with(recording: Recording, index: Vec<ChunkEntry>, chunk: Chunk) -> Self {
        Self {
            recording,
            index,
            number: chunk.index + 1,
            used: 0,
            output_end: chunk.header.output_offset + chunk.header.output_bytes,
            ready: chunk.events.into(),
        }
    }

    /// The next event; `None` at the end. Of a growing recording that is the end so far: a later call gives what came
    /// since. Dropping the future loses nothing.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn next(&mut self) -> Result<Option<TimedEvent>, RecordingError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Reads on. `false` when there is nothing more.
    async fn fill(&mut self) -> Result<bool, RecordingError> {
        if let Some(entry) = self.sealed() {
            return self.fill_from_chunk(&entry.clone()).await.map(|()| true);
        }
        if !self.recording.is_live() {
            return Ok(false);
        }
        match self.read_tail().await? {
            Tail::More(bytes) => {
                let decoded = decode_all(&bytes, self.output_end);
                let grown = decoded.used > 0;
                self.used += decoded.used as u64;
                self.output_end = decoded.output_end;
                self.ready = decoded.events.into();
                Ok(grown)
            }
            Tail::Closed => {
                self.number += 1;
                self.used = 0;
                Ok(true)
            }
            Tail::Gone => {
                // It was sealed: the index has it by now, because a tail is removed only after that.
                self.index = self.recording.index().await?;
                Ok(self.sealed().is_some())
            }
        }
    }

    fn sealed(&self) -> Option<&ChunkEntry> {
        self.index.get(usize::try_from(self.number).ok()?)
    }

    async fn fill_from_chunk(&mut self, entry: &ChunkEntry) -> Result<(), RecordingError> {
        let chunk = self.recording.storage.chunk(&self.recording.id, entry).await?;
        // A chunk holds the bytes of its tail: what was read of the tail is left out by counting the same bytes.
        let mut events = chunk.events;
        if self.used > 0 {
            let end = self.output_end;
            let skip = skipped(&events, self.used);
            events.drain(..skip);
            debug_assert!(events.first().is_none_or(|event| event.output_offset == end));
        }
        self.ready = events.into();
        self.number += 1;
        self.used = 0;
        self.output_end = entry.output_offset + entry.output_bytes;
        Ok(())
    }

    async fn read_tail(&self) -> Result<Tail, RecordingError> {
        let storage = &self.recording.storage;
        let path = storage.tail_path(&self.recording.id, self.number);
        let next = storage.tail_path(&self.recording.id, self.number + 1);
        let from = self.used;
        blocking(move || {
            // In this order: when the next file is there, nothing is added to this one any more.
            let closed = next.exists();
            let wrong = || RecordingError::io(format!("cannot read {}", path.display()));
            let mut file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Tail::Gone),
                Err(error) => return Err(wrong()(error)),
            };
            file.seek(SeekFrom::Start(from)).map_err(wrong())?;
            let mut bytes = Vec::new();
            file.take(PIECE).read_to_end(&mut bytes).map_err(wrong())?;
            if bytes.is_empty() && closed {
                return Ok(Tail::Closed);
            }
            Ok(Tail::More(bytes.into()))
        })
        .await
    }
}

enum Tail {
    More(Bytes),
    /// Read to its end, and there is another.
    Closed,
    Gone,
}

/// How many events take the first `bytes` bytes.
fn skipped(events: &[TimedEvent], bytes: u64) -> usize {
    let mut frame = Vec::new();
    let mut passed = 0;
    events
        .iter()
        .take_while(|timed| {
            frame.clear();
            crate::frame::encode(timed.at_us, &timed.event, &mut frame);
            passed += frame.len() as u64;
            passed <= bytes
        })
        .count()
}

/// Gives a recording's output in order, from a byte on.
pub struct OutputReader {
    events: EventReader,
    next: u64,
}

impl OutputReader {
    pub(crate) fn new(events: EventReader, next: u64) -> Self {
        Self { events, next }
    }

    /// The next bytes and the offset of the first of them: no gap, nothing twice. `None` at the end; of a growing recording
    /// that is the end so far, and a later call gives what came since.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn next(&mut self) -> Result<Option<(u64, Bytes)>, RecordingError> {
        while let Some(timed) = self.events.next().await? {
            let Event::Output(bytes) = timed.event else {
                continue;
            };
            let end = timed.output_offset + bytes.len() as u64;
            if end <= self.next {
                continue;
            }
            let skip = usize::try_from(self.next - timed.output_offset.min(self.next)).unwrap_or(bytes.len());
            let offset = self.next.max(timed.output_offset);
            self.next = end;
            return Ok(Some((offset, bytes.slice(skip..))));
        }
        Ok(None)
    }
}
