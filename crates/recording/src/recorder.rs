//! Writes one session. What it has acknowledged is in a file; what seals it works elsewhere.

use crate::event::{Event, InputPolicy, MAX_EVENT_BYTES, Position};
use crate::frame::encode;
use crate::live::{Finished, Job, Live};
use crate::recordings::Shared;
use crate::{RecordingError, RecordingId};
use bytes::Bytes;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// The file that events go to now.
pub(crate) struct Tail {
    pub(crate) file: Arc<File>,
    pub(crate) index: u64,
    pub(crate) bytes: u64,
    /// When its first event was written.
    pub(crate) since: Option<Instant>,
}

/// Writes one session's recording; owned by one task. Dropping it without [`Recorder::finish`] leaves a recording that
/// [`crate::Recordings::recover`] or [`crate::Recordings::resume`] takes up: nothing acknowledged is lost.
pub struct Recorder {
    pub(crate) shared: Arc<Shared>,
    pub(crate) live: Arc<Live>,
    pub(crate) tail: Tail,
    pub(crate) position: Position,
    /// When `since_us` was.
    pub(crate) since: Instant,
    /// Microseconds since the recording began.
    pub(crate) since_us: u64,
    buffer: Vec<u8>,
    failure: Option<RecordingError>,
    ended: bool,
}

impl Recorder {
    pub(crate) fn new(
        shared: Arc<Shared>,
        live: Arc<Live>,
        index: u64,
        position: Position,
    ) -> Result<Self, RecordingError> {
        let now = Instant::now();
        let file = open_tail(&shared, &live, index)?;
        Ok(Self {
            shared,
            live,
            tail: Tail {
                file,
                index,
                bytes: 0,
                since: None,
            },
            position,
            since: now,
            since_us: position.at_us,
            buffer: Vec::new(),
            failure: None,
            ended: false,
        })
    }

    /// Which recording this is.
    #[must_use]
    pub fn id(&self) -> &RecordingId {
        self.live.id()
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Bytes that were recorded and are not sealed yet, apart from the tail that is being written.
    #[must_use]
    pub fn behind_bytes(&self) -> u64 {
        self.live.behind.load(Ordering::Acquire)
    }

    /// Writes an event down, at the time it is now. When this returns the event is in the file, and only then may it
    /// be sent on. Waits when sealing is too far behind. Dropping the future before it is done writes nothing.
    ///
    /// # Errors
    /// What the disk says, or [`RecordingError::Behind`]. Either sticks: every later call fails with it too, and whether
    /// the session goes on unrecorded is for the caller to decide. [`RecordingError::BadEvent`] does not stick.
    pub async fn record(&mut self, event: Event) -> Result<Position, RecordingError> {
        self.record_all([event]).await
    }

    /// The same for several events that happened together: one write for all.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn record_all(
        &mut self,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Position, RecordingError> {
        let elapsed = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.record_at(self.since_us.saturating_add(elapsed), events)
            .await
    }

    /// The same at a time that the caller gives, in microseconds since the recording began. A time before the last
    /// event's becomes that one.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn record_at(
        &mut self,
        at_us: u64,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Position, RecordingError> {
        self.usable()?;
        self.room().await?;
        let at_us = at_us.max(self.position.at_us);
        let mut output = 0;
        self.buffer.clear();
        for event in events {
            event.check()?;
            output += event.output_len() as u64;
            self.encode(at_us, event);
        }
        self.write(at_us, output)
    }

    fn usable(&mut self) -> Result<(), RecordingError> {
        if let Some(error) = self.failure.clone().or_else(|| self.live.failure()) {
            return Err(error);
        }
        if self.ended {
            return Err(RecordingError::Ended);
        }
        Ok(())
    }

    fn encode(&mut self, at_us: u64, event: Event) {
        let event = match event {
            Event::Input(bytes) if self.live.head.input == InputPolicy::Drop => Event::InputDropped {
                bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                enter: bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')),
            },
            Event::Resize(size) => Event::Resize(size.bounded()),
            event => event,
        };
        let (bytes, make): (_, fn(Bytes) -> Event) = match event {
            Event::Output(bytes) => (bytes, Event::Output),
            Event::Input(bytes) => (bytes, Event::Input),
            event => return encode(at_us, &event, &mut self.buffer),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(MAX_EVENT_BYTES));
            encode(at_us, &make(piece), &mut self.buffer);
        }
    }

    /// Writes the buffer, on the session's own task: into the page cache that takes microseconds, and handing it to a
    /// thread pool would take longer and let the bytes overtake their record.
    fn write(&mut self, at_us: u64, output: u64) -> Result<Position, RecordingError> {
        if self.buffer.is_empty() {
            return Ok(self.position);
        }
        if let Err(cause) = (&*self.tail.file).write_all(&self.buffer) {
            let what = format!("cannot write the recording {}", self.id());
            return Err(self.stick(RecordingError::io(what)(cause)));
        }
        self.live.wrote(&self.tail.file);
        self.tail.bytes += self.buffer.len() as u64;
        self.tail.since.get_or_insert_with(Instant::now);
        self.position = Position {
            at_us,
            output_end: self.position.output_end + output,
        };
        // A burst must not keep its memory for as long as the session lasts.
        if self.buffer.capacity() > 2 * MAX_EVENT_BYTES {
            self.buffer = Vec::new();
        }
        if self.tail.bytes >= self.shared.settings.chunk_bytes {
            self.rotate()?;
        }
        Ok(self.position)
    }

    fn stick(&mut self, error: RecordingError) -> RecordingError {
        self.failure = Some(error.clone());
        error
    }

    /// Waits until sealing is not too far behind.
    async fn room(&mut self) -> Result<(), RecordingError> {
        if self.has_room() {
            return Ok(());
        }
        let mut progress = self.live.progress.subscribe();
        let patience = Duration::from_millis(self.shared.settings.patience_ms);
        let mut since = Instant::now();
        while !self.has_room() {
            // Over all recordings, another one's progress makes room, too: look again now and then.
            let moved = tokio::time::timeout(Duration::from_millis(50), progress.changed()).await;
            if moved.is_ok() {
                since = Instant::now();
            } else if since.elapsed() >= patience {
                let behind_bytes = self.behind_bytes();
                return Err(self.stick(RecordingError::Behind {
                    behind_bytes,
                    waited_ms: self.shared.settings.patience_ms,
                }));
            }
            self.usable()?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let settings = &self.shared.settings;
        self.behind_bytes() < settings.max_behind_bytes
            && self.shared.sealing.behind.load(Ordering::Acquire) < settings.max_behind_bytes_total
    }

    /// Hands the tail over to be sealed, and begins the next.
    pub(crate) fn rotate(&mut self) -> Result<(), RecordingError> {
        if self.tail.bytes == 0 {
            return Ok(());
        }
        // The next file first: when there is no room for it, the tail stays what it is.
        let file = match open_tail(&self.shared, &self.live, self.tail.index + 1) {
            Ok(file) => file,
            Err(error) => return Err(self.stick(error)),
        };
        let job = Job {
            bytes: self.tail.bytes,
            last: false,
        };
        self.tail = Tail {
            file,
            index: self.tail.index + 1,
            bytes: 0,
            since: None,
        };
        self.live.rotated();
        self.shared.enqueue(&self.live, job);
        Ok(())
    }

    /// Seals the tail when it is old enough. Call it every second or so; it does next to nothing when there is nothing
    /// to do.
    ///
    /// # Errors
    /// As [`Recorder::record`]: what the disk said meanwhile when the file was synced is told here, too.
    pub async fn tick(&mut self) -> Result<(), RecordingError> {
        self.usable()?;
        let age = Duration::from_millis(self.shared.settings.chunk_ms);
        if self.tail.since.is_some_and(|since| since.elapsed() >= age) {
            self.rotate()?;
        }
        Ok(())
    }

    /// Ends the recording with `reason` and waits until it is sealed, signed and stored. When this future is dropped, or
    /// the store is away, the worker goes on by itself.
    ///
    /// # Errors
    /// As [`Recorder::record`], or why it can never be sealed.
    pub async fn finish(mut self, reason: impl Into<String>) -> Result<Finished, RecordingError> {
        self.record(Event::End(reason.into())).await?;
        self.close();
        outcome(&self.live).await
    }

    /// [`Recorder::finish`] for a caller that gives the time; see [`Recorder::record_at`].
    ///
    /// # Errors
    /// As [`Recorder::finish`].
    pub async fn finish_at(
        mut self,
        at_us: u64,
        reason: impl Into<String>,
    ) -> Result<Finished, RecordingError> {
        self.record_at(at_us, [Event::End(reason.into())]).await?;
        self.close();
        outcome(&self.live).await
    }

    fn close(&mut self) {
        self.ended = true;
        let job = Job {
            bytes: self.tail.bytes,
            last: true,
        };
        self.shared.enqueue(&self.live, job);
    }
}

/// Waits for the end of sealing.
pub(crate) async fn outcome(live: &Live) -> Result<Finished, RecordingError> {
    let mut progress = live.progress.subscribe();
    let done = progress
        .wait_for(|progress| progress.outcome.is_some())
        .await
        .map_err(|_| RecordingError::Stopped)?;
    done.outcome.clone().unwrap_or(Err(RecordingError::Stopped))
}

fn open_tail(shared: &Shared, live: &Live, index: u64) -> Result<Arc<File>, RecordingError> {
    let path = shared.sealing.storage.tail_path(live.id(), index);
    std::fs::OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map(Arc::new)
        .map_err(RecordingError::io(format!("cannot make {}", path.display())))
}
