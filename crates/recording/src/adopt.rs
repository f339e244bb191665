//! Takes up what a program that was killed has left: finds where it stands, and cuts off what is no whole event.

use crate::derive::Carry;
use crate::event::{Event, Position};
use crate::frame::{decode_all, encode};
use crate::live::{Job, Live, SealState};
use crate::manifest::Recovery;
use crate::recordings::Recordings;
use crate::storage::{Storage, blocking};
use crate::{RecordingError, RecordingId};
use bytes::Bytes;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The tails that were found, in order, and where they end.
pub(crate) struct Left {
    id: RecordingId,
    /// Index and size of each that holds something.
    tails: Vec<(u64, u64)>,
    next_index: u64,
    position: Position,
    ended: bool,
    cut_bytes: u64,
    started_at_ms: i64,
    storage: Storage,
}

/// Where a recording goes on.
pub(crate) struct GoOn {
    /// The next tail.
    pub(crate) index: u64,
    pub(crate) position: Position,
    /// The last event's time, in milliseconds since the Unix epoch.
    pub(crate) from_ms: i64,
    pub(crate) cut_bytes: u64,
}

impl Left {
    /// Makes sure that the last event is an end. Otherwise there was none: the program was killed.
    pub(crate) fn end(&mut self) -> Result<(), RecordingError> {
        if self.ended {
            return Ok(());
        }
        let mut frame = Vec::new();
        let reason = "the recorder was killed".to_owned();
        encode(self.position.at_us, &Event::End(reason), &mut frame);
        let index = self.tails.last().map_or(self.next_index, |(index, _)| *index);
        let path = self.storage.tail_path(&self.id, index);
        let wrong = || RecordingError::io(format!("cannot write {}", path.display()));
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(wrong())?;
        file.write_all(&frame)
            .and_then(|()| file.sync_data())
            .map_err(wrong())?;
        match self.tails.last_mut() {
            Some((_, bytes)) => *bytes += frame.len() as u64,
            None => self.tails.push((index, frame.len() as u64)),
        }
        Ok(())
    }

    /// Where to go on.
    pub(crate) fn go_on(&mut self) -> Result<GoOn, RecordingError> {
        if self.ended {
            return Err(RecordingError::Ended);
        }
        let last_ms = i64::try_from(self.position.at_us / 1000).unwrap_or(i64::MAX);
        Ok(GoOn {
            index: self.tails.last().map_or(self.next_index, |(index, _)| index + 1),
            position: self.position,
            from_ms: self.started_at_ms.saturating_add(last_ms),
            cut_bytes: self.cut_bytes,
        })
    }
}

impl Recordings {
    /// Reads what is left of `id`, lets `then` decide, and hands all tails to the worker; with `finish`, the manifest
    /// follows.
    pub(crate) async fn adopt<T>(
        &self,
        id: &RecordingId,
        finish: bool,
        then: fn(&mut Left) -> Result<T, RecordingError>,
    ) -> Result<(Arc<Live>, T), RecordingError>
    where
        T: Send + 'static,
    {
        if self.shared.is_active(id) {
            return Err(RecordingError::InUse(id.to_string()));
        }
        let storage = self.storage().clone();
        let Some(head) = storage.head(id).await? else {
            return Err(RecordingError::NotFound(id.to_string()));
        };
        let (entries, index_bytes) = storage.live_index(id).await?;
        let mut left = Left {
            id: id.clone(),
            tails: Vec::new(),
            next_index: entries.len() as u64,
            position: Position::default(),
            ended: false,
            cut_bytes: 0,
            started_at_ms: head.started_at_ms,
            storage,
        };
        let mut state = SealState {
            next_index: left.next_index,
            previous: "0".repeat(64),
            keyframe: None,
            carry: Carry::default(),
            complete: false,
        };
        if let Some(last) = entries.last() {
            left.position = Position {
                at_us: last.end_us,
                output_end: last.output_offset + last.output_bytes,
            };
            state.previous.clone_from(&last.sha256);
            let chunk = left.storage.chunk(id, last).await?;
            left.ended = matches!(chunk.events.last().map(|last| &last.event), Some(Event::End(_)));
        }
        let (left, decided) = blocking(move || {
            left.trim_index(index_bytes)?;
            left.read_tails()?;
            let decided = then(&mut left)?;
            Ok((left, decided))
        })
        .await?;
        let recovered = finish.then(|| Recovery {
            at_ms: self.shared.sealing.clock.now().0,
            cut_bytes: left.cut_bytes,
        });
        let folder = self.storage().live_folder(id);
        let live = Arc::new(Live::new(head, folder, state, recovered));
        self.shared.claim(&live)?;
        let mut jobs: Vec<_> = left
            .tails
            .iter()
            .map(|(_, bytes)| Job {
                bytes: *bytes,
                last: false,
            })
            .collect();
        if finish {
            match jobs.last_mut() {
                Some(job) => job.last = true,
                None => jobs.push(Job { bytes: 0, last: true }),
            }
        }
        for job in jobs {
            self.shared.enqueue(&live, job);
        }
        Ok((live, decided))
    }
}

impl Left {
    /// Cuts off half a line that a crash left at the index's end.
    fn trim_index(&self, whole_bytes: u64) -> Result<(), RecordingError> {
        let path = self.storage.live_folder(&self.id).join("index.jsonl");
        let wrong = || RecordingError::io(format!("cannot cut {}", path.display()));
        match std::fs::OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.set_len(whole_bytes).map_err(wrong()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(wrong()(error)),
        }
    }

    /// Reads every tail up to the first that is no event, and removes what is empty or sealed already.
    fn read_tails(&mut self) -> Result<(), RecordingError> {
        let mut expected = self.next_index;
        for (index, path) in tails(&self.storage.live_folder(&self.id))? {
            let wrong = || RecordingError::io(format!("cannot take up {}", path.display()));
            let bytes = std::fs::read(&path).map_err(wrong())?;
            if index < self.next_index {
                std::fs::remove_file(&path).map_err(wrong())?;
                continue;
            }
            let size = bytes.len() as u64;
            let decoded = decode_all(&Bytes::from(bytes), self.position.output_end);
            let used = decoded.used as u64;
            if used > 0 && index != expected {
                let reason = format!("tail {expected} is missing before it");
                return Err(RecordingError::damaged(path.display().to_string(), reason));
            }
            self.cut_bytes += size - used;
            if let Some(last) = decoded.events.last() {
                self.position = Position {
                    at_us: last.at_us,
                    output_end: decoded.output_end,
                };
                self.ended = matches!(last.event, Event::End(_));
                self.tails.push((index, used));
                expected += 1;
            }
            if used == 0 {
                std::fs::remove_file(&path).map_err(wrong())?;
            } else if used < size {
                let file = std::fs::OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .map_err(wrong())?;
                file.set_len(used)
                    .and_then(|()| file.sync_data())
                    .map_err(wrong())?;
            }
        }
        Ok(())
    }
}

/// The tails in a folder, sorted by index.
fn tails(folder: &Path) -> Result<Vec<(u64, PathBuf)>, RecordingError> {
    let wrong = || RecordingError::io(format!("cannot list {}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong())? {
        let entry = entry.map_err(wrong())?;
        let name = entry.file_name();
        if let Some(index) = name
            .to_str()
            .and_then(|name| name.strip_prefix("tail-")?.parse().ok())
        {
            found.push((index, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
