//! How far a session's data channel has come, in a small file of its own: after a crash the portal goes on with
//! the session where the node believes it to be. Written in place, by a single write, before anything that it
//! says is acknowledged.

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
        let path = folder.join(format!("{session}.position"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
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

    /// The session is over.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "a session's position was gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
