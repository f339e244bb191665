//! Output of commands as files: one per node, step and stream, appended by offset. What is asked for by
//! others' names is checked before it becomes a path.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Which stream of which step of which invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputKey {
    command_id: String,
    node_id: String,
    step: String,
    stream: &'static str,
}

/// Whether `text` is a plain name: no separators, no way up, nothing hidden.
pub(crate) fn is_component(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

impl OutputKey {
    /// `None` when a part is no plain name, or the stream is neither `stdout` nor `stderr`.
    pub(crate) fn new(command_id: &str, node_id: &str, step: &str, stream: &str) -> Option<Self> {
        let stream = match stream {
            "stdout" => "stdout",
            "stderr" => "stderr",
            _ => return None,
        };
        [command_id, node_id, step]
            .into_iter()
            .all(is_component)
            .then(|| Self {
                command_id: command_id.to_owned(),
                node_id: node_id.to_owned(),
                step: step.to_owned(),
                stream,
            })
    }
}

/// The folder of all output.
#[derive(Clone)]
pub(crate) struct OutputStore {
    root: Arc<PathBuf>,
    max_bytes: u64,
}

async fn blocking<T, F>(work: F) -> std::io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> std::io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn or_none<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl OutputStore {
    pub(crate) fn open(root: PathBuf, max_bytes: u64) -> std::io::Result<Self> {
        std::fs::create_dir_all(&root)?;
        Ok(Self {
            root: Arc::new(root),
            max_bytes,
        })
    }

    fn path(&self, key: &OutputKey) -> PathBuf {
        self.root
            .join(&key.command_id)
            .join(&key.node_id)
            .join(&key.step)
            .join(key.stream)
    }

    /// Keeps `bytes` that begin at `offset` of the stream, and answers up to where the stream is kept.
    /// What is kept already is not written again; a gap is not written at all. A file therefore always
    /// holds a true beginning of its stream, whenever the process was stopped.
    pub(crate) async fn append(&self, key: &OutputKey, offset: u64, bytes: Vec<u8>) -> std::io::Result<u64> {
        let (path, max_bytes) = (self.path(key), self.max_bytes);
        blocking(move || {
            let mut file = match OpenOptions::new().append(true).create(true).open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if let Some(folder) = path.parent() {
                        std::fs::create_dir_all(folder)?;
                    }
                    OpenOptions::new().append(true).create(true).open(&path)?
                }
                other => other?,
            };
            let kept = file.metadata()?.len();
            let end = offset.saturating_add(bytes.len() as u64);
            if kept >= max_bytes {
                // Cut off: the agent must still be able to go on.
                return Ok(end.max(kept));
            }
            let Some(skip) = kept.checked_sub(offset) else {
                return Ok(kept);
            };
            let new = bytes
                .get(usize::try_from(skip).unwrap_or(usize::MAX)..)
                .unwrap_or_default();
            let room = usize::try_from(max_bytes - kept).unwrap_or(usize::MAX);
            file.write_all(new.get(..room.min(new.len())).unwrap_or_default())?;
            Ok(end.max(kept))
        })
        .await
    }

    /// Makes an invocation's output survive a power cut.
    pub(crate) async fn sync(&self, command_id: &str, node_id: &str) -> std::io::Result<()> {
        if !is_component(command_id) || !is_component(node_id) {
            return Ok(());
        }
        let folder = self.root.join(command_id).join(node_id);
        blocking(move || {
            let Some(steps) = or_none(std::fs::read_dir(&folder))? else {
                return Ok(());
            };
            for step in steps {
                for stream in std::fs::read_dir(step?.path())? {
                    File::open(stream?.path())?.sync_all()?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Bytes kept of a stream; `None` when there is none.
    pub(crate) async fn length(&self, key: &OutputKey) -> std::io::Result<Option<u64>> {
        let path = self.path(key);
        blocking(move || Ok(or_none(std::fs::metadata(path))?.map(|data| data.len()))).await
    }

    /// At most `most` bytes from `offset`.
    pub(crate) async fn read(
        &self,
        key: &OutputKey,
        offset: u64,
        most: u64,
    ) -> std::io::Result<Option<Vec<u8>>> {
        let path = self.path(key);
        blocking(move || {
            let Some(mut file) = or_none(File::open(path))? else {
                return Ok(None);
            };
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
        .await
    }

    /// The file itself, for streaming it out.
    pub(crate) async fn file(&self, key: &OutputKey) -> std::io::Result<Option<File>> {
        let path = self.path(key);
        blocking(move || or_none(File::open(path))).await
    }

    /// The beginning of a stream as text: a little more than `chars` characters, if there are so many.
    pub(crate) async fn head(&self, key: &OutputKey, chars: usize) -> std::io::Result<Option<String>> {
        let bytes = self.read(key, 0, (chars as u64 + 1) * 4).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> OutputKey {
        OutputKey::new("c", "mi-1", "step", "stdout").unwrap()
    }

    #[tokio::test]
    async fn chunks_are_kept_once_whatever_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let store = OutputStore::open(folder.path().join("o"), 1 << 20).unwrap();
        assert_eq!(store.append(&key(), 0, b"hello".to_vec()).await.unwrap(), 5);
        assert_eq!(store.append(&key(), 0, b"hello".to_vec()).await.unwrap(), 5);
        assert_eq!(store.append(&key(), 3, b"lo w".to_vec()).await.unwrap(), 7);
        assert_eq!(store.append(&key(), 50, b"gap".to_vec()).await.unwrap(), 7);
        assert_eq!(store.append(&key(), 7, b"\xff\0".to_vec()).await.unwrap(), 9);
        assert_eq!(
            store.read(&key(), 0, 99).await.unwrap().unwrap(),
            b"hello w\xff\0"
        );
        assert_eq!(store.read(&key(), 6, 1).await.unwrap().unwrap(), b"w");
        assert_eq!(store.length(&key()).await.unwrap(), Some(9));
        store.sync("c", "mi-1").await.unwrap();
        let none = OutputKey::new("c", "mi-2", "step", "stdout").unwrap();
        assert_eq!(store.length(&none).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_stream_that_is_too_long_is_cut_off_and_the_agent_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = OutputStore::open(folder.path().to_owned(), 4).unwrap();
        assert_eq!(store.append(&key(), 0, b"abcdef".to_vec()).await.unwrap(), 6);
        assert_eq!(store.append(&key(), 6, b"gh".to_vec()).await.unwrap(), 8);
        assert_eq!(store.length(&key()).await.unwrap(), Some(4));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "a\\b",
            "a\0b",
            ".hidden",
            &"x".repeat(129),
        ] {
            assert_eq!(OutputKey::new(bad, "n", "s", "stdout"), None, "{bad}");
            assert_eq!(OutputKey::new("c", bad, "s", "stdout"), None, "{bad}");
            assert_eq!(OutputKey::new("c", "n", bad, "stdout"), None, "{bad}");
            assert_eq!(OutputKey::new("c", "n", "s", bad), None, "{bad}");
        }
    }
}
