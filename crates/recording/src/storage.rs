//! Where recordings are: a folder for those being written, an object store for what is sealed.

use crate::manifest::ChunkEntry;
use crate::{InputPolicy, RecordingError, RecordingId, Size};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No manifest is larger: a year of chunks, one a minute, fits.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 512 * 1024 * 1024;
/// No chunk is larger as stored.
pub(crate) const MAX_STORED_BYTES: u64 = crate::chunk::MAX_PLAIN_BYTES + 1024 * 1024;

/// A folder for what is being written (`live/`), and an object store for what is sealed.
#[derive(Clone, Debug)]
pub struct Storage {
    live: PathBuf,
    objects: Arc<dyn ObjectStore>,
    prefix: Key,
}

/// What is known of a recording from its place alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: RecordingId,
    /// How far it has come.
    pub state: ListedState,
    /// Bytes that it takes, sealed and not.
    pub bytes: u64,
}

/// How far a recording has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedState {
    /// It has a manifest.
    Finished,
    /// It is being written, or was when the program ended.
    Live,
    /// There are chunks without a manifest, and nobody writes: something was removed.
    Remains,
}

/// The first file of a recording that is being written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) format: u32,
    pub(crate) recording: RecordingId,
    pub(crate) started_at_ms: i64,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) input: InputPolicy,
    pub(crate) size: Size,
}

impl Storage {
    /// Everything in the folder `root`: `root/live` and `root/store`. Makes them where they are missing, for their owner
    /// only.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn local(root: &Path) -> Result<Self, RecordingError> {
        let store = root.join("store");
        folder(root)?;
        folder(&store)?;
        let objects = LocalFileSystem::new_with_prefix(&store)
            .map_err(RecordingError::store(format!("cannot use {}", store.display())))?
            .with_fsync(true);
        Self::with_objects(root, Arc::new(objects), "")
    }

    /// What is being written in `root/live`, sealed chunks in `objects` under `prefix`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn with_objects(
        root: &Path,
        objects: Arc<dyn ObjectStore>,
        prefix: &str,
    ) -> Result<Self, RecordingError> {
        let live = root.join("live");
        folder(root)?;
        folder(&live)?;
        Ok(Self {
            live,
            objects,
            prefix: Key::from(prefix),
        })
    }

    pub(crate) fn live_folder(&self, id: &RecordingId) -> PathBuf {
        self.live.join(id.as_str())
    }

    fn key(&self, id: &RecordingId, name: &str) -> Key {
        self.prefix.clone().join(id.as_str()).join(name)
    }

    /// The name of chunk `index`'s object within its recording.
    #[must_use]
    pub fn chunk_name(index: u64) -> String {
        format!("chunk-{index:08}")
    }

    /// The name of the manifest's object within its recording.
    pub const MANIFEST: &str = "manifest.json";

    pub(crate) async fn put(&self, id: &RecordingId, name: &str, bytes: Bytes) -> Result<(), RecordingError> {
        self.objects
            .put(&self.key(id, name), PutPayload::from_bytes(bytes))
            .await
            .map(|_| ())
            .map_err(RecordingError::store(format!("cannot store {name} of {id}")))
    }

    /// An object, or `None` where there is none. One larger than `max` is refused before it takes memory.
    pub(crate) async fn get(
        &self,
        id: &RecordingId,
        name: &str,
        max: u64,
    ) -> Result<Option<Bytes>, RecordingError> {
        let wrong = || RecordingError::store(format!("cannot read {name} of {id}"));
        let found = match self.objects.get(&self.key(id, name)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(wrong()(error)),
        };
        let too_large = || RecordingError::damaged(format!("{name} of {id}"), "it is larger than it may be");
        if found.meta.size > max {
            return Err(too_large());
        }
        let mut bytes = BytesMut::new();
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(wrong())? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > max {
                return Err(too_large());
            }
        }
        Ok(Some(bytes.freeze()))
    }

    pub(crate) async fn chunk(
        &self,
        id: &RecordingId,
        entry: &ChunkEntry,
    ) -> Result<crate::Chunk, RecordingError> {
        let name = Self::chunk_name(entry.index);
        let place = format!("{name} of {id}");
        match self.get(id, &name, MAX_STORED_BYTES).await? {
            Some(object) => {
                let plain = entry.plain_bytes;
                blocking(move || crate::chunk::open(&object, plain, &place)).await
            }
            None => Err(RecordingError::damaged(place, "it is missing")),
        }
    }

    pub(crate) async fn manifest(&self, id: &RecordingId) -> Result<Option<Bytes>, RecordingError> {
        self.get(id, Self::MANIFEST, MAX_MANIFEST_BYTES).await
    }

    pub(crate) async fn manifest_exists(&self, id: &RecordingId) -> Result<bool, RecordingError> {
        match self.objects.head(&self.key(id, Self::MANIFEST)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(RecordingError::store(format!("cannot look for {id}"))(error)),
        }
    }

    /// Names and sizes of a recording's objects.
    pub(crate) async fn objects_of(&self, id: &RecordingId) -> Result<Vec<(String, u64)>, RecordingError> {
        let folder = self.prefix.clone().join(id.as_str());
        self.objects
            .list(Some(&folder))
            .map_ok(|meta| {
                let name = meta.location.filename().unwrap_or_default().to_owned();
                (name, meta.size)
            })
            .try_collect()
            .await
            .map_err(RecordingError::store(format!("cannot list {id}")))
    }

    /// All recordings, by name.
    ///
    /// # Errors
    /// What file system and store say.
    pub async fn list(&self) -> Result<Vec<Listed>, RecordingError> {
        let mut found: BTreeMap<RecordingId, Listed> = BTreeMap::new();
        let depth = self.prefix.parts().count();
        let wrong = || RecordingError::store("cannot list recordings");
        let mut objects = self.objects.list(Some(&self.prefix));
        while let Some(meta) = objects.try_next().await.map_err(wrong())? {
            let Some(Ok(id)) = meta
                .location
                .parts()
                .nth(depth)
                .map(|part| RecordingId::new(part.as_ref()))
            else {
                continue;
            };
            let entry = found.entry(id.clone()).or_insert(Listed {
                id,
                state: ListedState::Remains,
                bytes: 0,
            });
            entry.bytes += meta.size;
            if meta.location.filename() == Some(Self::MANIFEST) {
                entry.state = ListedState::Finished;
            }
        }
        drop(objects);
        for (id, bytes) in self.live_folders().await? {
            let entry = found.entry(id.clone()).or_insert(Listed {
                id,
                state: ListedState::Live,
                bytes: 0,
            });
            if entry.state == ListedState::Remains {
                entry.state = ListedState::Live;
            }
            entry.bytes += bytes;
        }
        Ok(found.into_values().collect())
    }

    /// The recordings that have a folder in `live/`, with the bytes in it.
    pub(crate) async fn live_folders(&self) -> Result<Vec<(RecordingId, u64)>, RecordingError> {
        let live = self.live.clone();
        blocking(move || {
            let wrong = || RecordingError::io(format!("cannot list {}", live.display()));
            let mut found = Vec::new();
            for entry in std::fs::read_dir(&live).map_err(wrong())? {
                let entry = entry.map_err(wrong())?;
                let Some(Ok(id)) = entry.file_name().to_str().map(RecordingId::new) else {
                    continue;
                };
                // A file that goes while it is counted counts nothing.
                let files = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
                let bytes = files
                    .filter_map(|file| file.metadata().ok())
                    .map(|meta| meta.len())
                    .sum();
                found.push((id, bytes));
            }
            found.sort();
            Ok(found)
        })
        .await
    }

    pub(crate) async fn head(&self, id: &RecordingId) -> Result<Option<Head>, RecordingError> {
        let path = self.live_folder(id).join("head.json");
        match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| RecordingError::damaged(path.display().to_string(), error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RecordingError::io(format!("cannot read {}", path.display()))(
                error,
            )),
        }
    }

    /// The whole lines of a growing recording's index, and how many bytes they take.
    pub(crate) async fn live_index(
        &self,
        id: &RecordingId,
    ) -> Result<(Vec<ChunkEntry>, u64), RecordingError> {
        let path = self.live_folder(id).join("index.jsonl");
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(RecordingError::io(format!("cannot read {}", path.display()))(
                    error,
                ));
            }
        };
        let mut entries = Vec::new();
        let mut used = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.last() != Some(&b'\n') {
                break;
            }
            let entry = serde_json::from_slice(line)
                .map_err(|error| RecordingError::damaged(path.display().to_string(), error.to_string()))?;
            entries.push(entry);
            used += line.len() as u64;
        }
        Ok((entries, used))
    }

    /// The file of a tail.
    pub(crate) fn tail_path(&self, id: &RecordingId, index: u64) -> PathBuf {
        self.live_folder(id).join(format!("tail-{index:08}"))
    }

    /// Removes a recording: its chunks, then its manifest, then what was not sealed. Asks nobody; a recorder that still
    /// writes it fails. Through [`crate::Recordings::delete`] that is refused.
    ///
    /// # Errors
    /// [`RecordingError::NotFound`], or what file system and store say.
    pub async fn delete(&self, id: &RecordingId) -> Result<(), RecordingError> {
        let mut objects = self.objects_of(id).await?;
        // The manifest goes last: what is left after a failure is still listed, and deleting again finishes it.
        objects.sort_by_key(|(name, _)| name == Self::MANIFEST);
        let mut found = !objects.is_empty();
        for (name, _) in objects {
            match self.objects.delete(&self.key(id, &name)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => {
                    return Err(RecordingError::store(format!("cannot delete {name} of {id}"))(
                        error,
                    ));
                }
            }
        }
        let folder = self.live_folder(id);
        match tokio::fs::remove_dir_all(&folder).await {
            Ok(()) => found = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(RecordingError::io(format!("cannot delete {}", folder.display()))(
                    error,
                ));
            }
        }
        if found {
            Ok(())
        } else {
            Err(RecordingError::NotFound(id.to_string()))
        }
    }
}

/// Runs work that takes the processor or the disk, away from the tasks of sessions.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
) -> Result<T, RecordingError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(RecordingError::Stopped))
}

pub(crate) fn folder(path: &Path) -> Result<(), RecordingError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(RecordingError::io(format!("cannot make {}", path.display())))
}
