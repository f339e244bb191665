//! How far a session's data channel has come, in a small file of its own: after a crash the portal goes on with
//! the session where the node believes it to be. Written in place, by a single write, before anything that it
//! says is acknowledged. How the session ended stands there, too, until audit log and database have it.

use crate::sessions::live::Ending;
use muster_session_channel::Position;
use muster_session_channel::body::Size;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// What is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The numbers of the data channel's messages.
    pub position: Position,
    /// Bytes of output that those messages brought. When the recording has more, the process was killed between
    /// recording and noting: what comes again then is skipped.
    pub output_bytes: u64,
    /// The terminal's size.
    pub size: Size,
}

/// The file of one session.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    last: Option<Noted>,
}

const LENGTH: usize = 48;
/// Where the end is noted: its length in four bytes, then JSON.
const END_AT: u64 = 64;
/// Bytes of the end at most.
const END_ROOM: usize = 4_096 - 64;
/// The whole file. All of it is written when it is made: noting the end takes no more space on a disk that is full
/// by then.
const FILE: usize = 4_096;
const SUFFIX: &str = ".position";
const VERSION: u64 = 1;

fn encode(noted: &Noted) -> [u8; LENGTH] {
    let mut bytes = [0_u8; LENGTH];
    let fields = [
        VERSION,
        noted.position.output,
        noted.position.input,
        noted.position.acknowledged,
        noted.output_bytes,
        u64::from(noted.size.cols) << 32 | u64::from(noted.size.rows),
    ];
    for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
        place.copy_from_slice(&field.to_be_bytes());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Noted> {
    let mut fields = bytes
        .chunks_exact(8)
        .filter_map(|field| Some(u64::from_be_bytes(field.try_into().ok()?)));
    (fields.next()? == VERSION).then_some(())?;
    Some(Noted {
        position: Position {
            output: fields.next()?,
            input: fields.next()?,
            acknowledged: fields.next()?,
        },
        output_bytes: fields.next()?,
        size: {
            let both = fields.next()?;
            Size {
                cols: u32::try_from(both >> 32).ok()?,
                rows: u32::try_from(both & u64::from(u32::MAX)).ok()?,
            }
        },
    })
}

impl Journal {
    /// Opens the file of a session in `folder`, or makes it, and answers what was noted last.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(folder: &Path, session: &str) -> io::Result<(Self, Option<Noted>)> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{session}{SUFFIX}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        let length = file.metadata()?.len();
        if length < FILE as u64 {
            let rest = vec![0_u8; FILE - usize::try_from(length).unwrap_or(FILE)];
            let made = file.write_all_at(&rest, length);
            // One that is there already is good without that room.
            if length == 0 {
                made?;
            }
        }
        let mut bytes = [0_u8; LENGTH];
        let noted = file
            .read_exact_at(&mut bytes, 0)
            .ok()
            .and_then(|()| decode(&bytes));
        let this = Self {
            file,
            path,
            last: noted,
        };
        Ok((this, noted))
    }

    /// Notes how far it has come. One small write into the system's cache: it survives the end of this process,
    /// however it ends.
    ///
    /// # Errors
    /// When it cannot be written: nothing may be acknowledged then.
    pub fn note(&mut self, noted: Noted) -> io::Result<()> {
        if self.last == Some(noted) {
            return Ok(());
        }
        self.file.write_all_at(&encode(&noted), 0)?;
        self.last = Some(noted);
        Ok(())
    }

    /// Notes how the session ended, in the same way. A message that is too long for the place is shortened.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_end(&self, ending: &Ending) -> io::Result<()> {
        let mut ending = ending.clone();
        loop {
            let text = serde_json::to_vec(&ending)?;
            if text.len() + 4 <= END_ROOM {
                let length = u32::try_from(text.len()).unwrap_or_default();
                let mut bytes = length.to_be_bytes().to_vec();
                bytes.extend_from_slice(&text);
                return self.file.write_all_at(&bytes, END_AT);
            }
            let half = ending.message.chars().count() / 2;
            if half == 0 {
                return Err(io::Error::other("the end is too long to be noted"));
            }
            ending.message = ending.message.chars().take(half).collect();
        }
    }

    /// How the session ended, if that was noted.
    #[must_use]
    pub fn end(&self) -> Option<Ending> {
        let mut length = [0_u8; 4];
        self.file.read_exact_at(&mut length, END_AT).ok()?;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        if length == 0 || length > END_ROOM {
            return None;
        }
        let mut text = vec![0_u8; length];
        self.file.read_exact_at(&mut text, END_AT + 4).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The sessions of which there is such a file in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(folder: &Path) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names
            .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned))
            .collect())
    }

    /// The session is over, and that is written down.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "a session's position was gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::Timestamp;
    use muster_domain::sessions::{EndReason, RecordingState};

    #[test]
    fn how_it_ended_is_found_again_beside_the_position_and_takes_no_more_space() {
        let folder = tempfile::tempdir().unwrap();
        let size = || std::fs::metadata(folder.path().join("s.position")).unwrap().len();
        let (mut journal, _) = Journal::open(folder.path(), "s").unwrap();
        let made = size();
        let noted = Noted {
            position: Position {
                output: 1,
                input: 2,
                acknowledged: 3,
            },
            output_bytes: 4,
            size: Size { cols: 80, rows: 24 },
        };
        journal.note(noted).unwrap();
        assert_eq!(journal.end(), None);
        let ending = Ending {
            reason: EndReason::EndedByOther,
            message: "“\"”".repeat(5_000),
            by: "ann".into(),
            at: Timestamp(7),
            bytes_in: 8,
            bytes_out: 9,
            recording: RecordingState::Signed,
            recording_sha256: "ab".repeat(32),
        };
        journal.note_end(&ending).unwrap();
        drop(journal);
        assert_eq!(size(), made);
        let (journal, found) = Journal::open(folder.path(), "s").unwrap();
        assert_eq!(found, Some(noted));
        let end = journal.end().unwrap();
        assert!(end.message.len() > 500 && ending.message.starts_with(&end.message));
        assert_eq!(
            Ending {
                message: String::new(),
                ..end
            },
            Ending {
                message: String::new(),
                ..ending
            }
        );
        assert_eq!(Journal::all(folder.path()).unwrap(), ["s"]);
        assert!(Journal::all(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn what_was_noted_last_is_found_again_and_rubbish_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let noted = Noted {
            position: Position {
                output: 7,
                input: 9,
                acknowledged: 8,
            },
            output_bytes: 1 << 40,
            size: Size { cols: 132, rows: 43 },
        };
        let (mut journal, before) = Journal::open(folder.path(), "s").unwrap();
        assert_eq!(before, None);
        journal
            .note(Noted {
                output_bytes: 1,
                ..noted
            })
            .unwrap();
        journal.note(noted).unwrap();
        drop(journal);
        let (journal, found) = Journal::open(folder.path(), "s").unwrap();
        assert_eq!(found, Some(noted));
        std::fs::write(&journal.path, b"short").unwrap();
        assert_eq!(Journal::open(folder.path(), "s").unwrap().1, None);
        journal.remove();
        assert!(!folder.path().join("s.position").exists());
    }
}
