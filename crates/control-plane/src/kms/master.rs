//! The master key, under which all other keys lie in the database. It is a file of its own in the data directory: a copy of
//! the database alone opens no secret. With a key management service somewhere else that file holds it sealed, and a copy of
//! the whole directory opens nothing without that service.

use crate::errors::{ApiError, ApiResult};
use crate::keys::{KeysError, read_or_make, write_private};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_domain::time::Random;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of the file inside the data directory.
pub(crate) const FILE: &str = "kms-master.key";

/// Bytes of every key.
pub(crate) const KEY_BYTES: usize = 32;

/// An AES-256-GCM key. Every sealing takes a fresh random nonce, which goes before the ciphertext.
pub(crate) struct SealingKey(LessSafeKey);

impl SealingKey {
    /// From exactly [`KEY_BYTES`] bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?)))
    }

    /// Appends nonce, ciphertext and tag of `plain` to `out`.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        aad: &[u8],
        random: &dyn Random,
        out: &mut Vec<u8>,
    ) -> ApiResult<()> {
        let mut nonce = [0_u8; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .map_err(|_| ApiError::internal("a value could not be sealed"))?;
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(())
    }

    /// What was sealed, when key, additional data and every byte are the same.
    pub(crate) fn open(&self, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = sealed.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(aad), &mut bytes)
            .ok()?
            .len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// The name of the file that holds the key sealed.
pub(crate) const SEALED_FILE: &str = "kms-master.sealed";

/// Something sealed, or opened, and the key of the service that did it, as the service calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BySeal {
    /// What came out.
    pub bytes: Vec<u8>,
    /// Its ARN; an alias may mean another key later.
    pub key: String,
}

/// A key of a key management service somewhere else, which seals the master key.
#[async_trait]
pub trait MasterSeal: std::fmt::Debug + Send + Sync {
    /// Which one, for people: `aws-kms://alias/muster`.
    fn uri(&self) -> &str;

    /// In which region the service is asked.
    fn region(&self) -> &str;

    /// Seals a key.
    ///
    /// # Errors
    /// What the service says.
    async fn seal(&self, key: &[u8]) -> Result<BySeal, String>;

    /// Opens what was sealed in that region, with whichever key of the service that was.
    ///
    /// # Errors
    /// What the service says.
    async fn open(&self, sealed: &[u8], region: &str) -> Result<BySeal, String>;
}

/// What [`SEALED_FILE`] holds.
#[derive(Serialize, Deserialize)]
struct Sealed {
    uri: String,
    region: String,
    key: String,
}

fn decoded(path: &Path, text: &[u8]) -> Result<Vec<u8>, KeysError> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| STANDARD.decode(text.trim()).ok())
        .filter(|key| key.len() == KEY_BYTES)
        .ok_or_else(|| KeysError::Content {
            path: path.to_owned(),
            message: "it is not 32 bytes of base64".to_owned(),
        })
}

fn new_key(random: &dyn Random) -> [u8; KEY_BYTES] {
    let mut key = [0_u8; KEY_BYTES];
    random.fill(&mut key);
    key
}

fn sealed_in(path: &Path) -> Result<Option<Sealed>, KeysError> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| KeysError::Content {
                path: path.to_owned(),
                message: error.to_string(),
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(KeysError::File {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// Reads the key, or makes it at the first start. One that lies there open is sealed, once there is a service that seals.
/// Where the database has keys already (`is_in_use`), no other one is made in the place of theirs.
pub(crate) async fn load_or_make(
    folder: &Path,
    random: &dyn Random,
    seal: Option<&dyn MasterSeal>,
    is_in_use: bool,
) -> Result<SealingKey, KeysError> {
    let (path, sealed_path) = (folder.join(FILE), folder.join(SEALED_FILE));
    let open = open_in(&path)?;
    let sealed = sealed_in(&sealed_path)?;
    if is_in_use && open.is_none() && sealed.is_none() {
        return Err(KeysError::Missing {
            folder: folder.to_owned(),
        });
    }
    let bytes = match (seal, sealed) {
        (None, None) => match open {
            Some(key) => key,
            None => {
                let text = read_or_make(&path, || {
                    format!("{}\n", STANDARD.encode(new_key(random))).into_bytes()
                })?;
                decoded(&path, &text)?
            }
        },
        (None, Some(sealed)) => {
            return Err(KeysError::Sealed {
                why: format!(
                    "it is sealed, and kms_master_key is not set: set it to {} as it was",
                    sealed.uri
                ),
                uri: sealed.uri,
            });
        }
        (Some(seal), Some(sealed)) => {
            let key = unsealed(&sealed_path, seal, &sealed).await?;
            match open {
                // What was left by a stop between sealing and this.
                Some(same) if same == key => remove(&path)?,
                Some(_) => {
                    return Err(KeysError::Content {
                        message: format!(
                            "it is another master key than the one in {}: move the one away that the database does not \
                             belong to",
                            sealed_path.display()
                        ),
                        path,
                    });
                }
                None => {}
            }
            key
        }
        (Some(seal), None) => {
            let key = open.unwrap_or_else(|| new_key(random).to_vec());
            let blob = checked(seal, &key).await?;
            keep_sealed(&sealed_path, seal, blob)?;
            remove(&path)?;
            key
        }
    };
    SealingKey::of(&bytes).ok_or(KeysError::Content {
        path: sealed_path,
        message: "what it holds is no key of 32 bytes".to_owned(),
    })
}

/// The key that lies there open.
fn open_in(path: &Path) -> Result<Option<Vec<u8>>, KeysError> {
    match std::fs::read(path) {
        Ok(text) => decoded(path, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(KeysError::File {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// Opens the key, and seals it anew when the setting means another key of the service now: an alias may have been moved,
/// and the key that it meant before may go.
async fn unsealed(path: &Path, seal: &dyn MasterSeal, sealed: &Sealed) -> Result<Vec<u8>, KeysError> {
    let failed = |why: String| KeysError::Sealed {
        uri: sealed.uri.clone(),
        why,
    };
    let blob = STANDARD
        .decode(&sealed.key)
        .map_err(|_| failed(format!("{} does not hold base64", path.display())))?;
    let opened = seal.open(&blob, &sealed.region).await.map_err(failed)?;
    let is_same = sealed.uri == seal.uri();
    match checked(seal, &opened.bytes).await {
        Ok(again) if !is_same || again.key != opened.key => {
            keep_sealed(path, seal, again)?;
            tracing::info!(uri = seal.uri(), "the master key was sealed anew");
        }
        Ok(_) => {}
        // It opens, and that is all that has to be.
        Err(error) if is_same => {
            tracing::warn!(%error, "the master key opens, but could not be sealed again");
        }
        Err(error) => return Err(error),
    }
    Ok(opened.bytes)
}

/// Seals a key; what was sealed has to open again.
async fn checked(seal: &dyn MasterSeal, key: &[u8]) -> Result<BySeal, KeysError> {
    let failed = |why: String| KeysError::Sealed {
        uri: seal.uri().to_owned(),
        why,
    };
    let blob = seal.seal(key).await.map_err(failed)?;
    let again = seal.open(&blob.bytes, seal.region()).await.map_err(failed)?;
    if again.bytes == key {
        Ok(blob)
    } else {
        Err(failed("what it sealed opens to something else".to_owned()))
    }
}

/// Keeps what was sealed. Durable when it returns: what lies open is removed after that.
fn keep_sealed(path: &Path, seal: &dyn MasterSeal, blob: BySeal) -> Result<(), KeysError> {
    let sealed = Sealed {
        uri: seal.uri().to_owned(),
        region: seal.region().to_owned(),
        key: STANDARD.encode(blob.bytes),
    };
    let file_error = |cause| KeysError::File {
        path: path.to_owned(),
        cause,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(file_error)?;
    let text = serde_json::to_vec_pretty(&sealed).map_err(|error| file_error(error.into()))?;
    write_private(path, &text)
        .and_then(|()| std::fs::File::open(folder)?.sync_all())
        .map_err(file_error)
}

fn remove(path: &Path) -> Result<(), KeysError> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(KeysError::File {
            path: path.to_owned(),
            cause,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SystemRandom;

    #[test]
    fn what_is_sealed_opens_only_unchanged() {
        let key = SealingKey::of(&[7; KEY_BYTES]).unwrap();
        let mut sealed = Vec::new();
        key.seal(b"secret", b"for", &SystemRandom, &mut sealed).unwrap();
        assert_eq!(key.open(&sealed, b"for").as_deref(), Some(&b"secret"[..]));
        assert_eq!(key.open(&sealed, b"other"), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed, b"for"), None, "{at}");
        }
        for short in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..short], b"for"), None);
        }
        assert!(SealingKey::of(&[7; 31]).is_none());
    }

    /// A service of its own, which seals under one key and opens what any of its keys has sealed.
    #[derive(Debug)]
    struct Service {
        uri: &'static str,
        key: u8,
        is_away: bool,
    }

    #[async_trait]
    impl MasterSeal for Service {
        fn uri(&self) -> &str {
            self.uri
        }

        fn region(&self) -> &str {
            "eu-west-1"
        }

        async fn seal(&self, key: &[u8]) -> Result<BySeal, String> {
            if self.is_away {
                return Err("nobody answers".to_owned());
            }
            let mut bytes = vec![self.key];
            bytes.extend(key.iter().rev().map(|byte| byte ^ self.key));
            Ok(BySeal {
                bytes,
                key: self.key.to_string(),
            })
        }

        async fn open(&self, sealed: &[u8], region: &str) -> Result<BySeal, String> {
            let (key, rest) = sealed.split_first().ok_or("nothing is sealed")?;
            if self.is_away || region != "eu-west-1" {
                return Err("nobody answers".to_owned());
            }
            Ok(BySeal {
                bytes: rest.iter().rev().map(|byte| byte ^ key).collect(),
                key: key.to_string(),
            })
        }
    }

    const SERVICE: Service = Service {
        uri: "aws-kms://alias/a",
        key: 0x5a,
        is_away: false,
    };

    fn opens(key: &SealingKey, sealed: &[u8]) -> bool {
        key.open(sealed, b"").as_deref() == Some(&b"x"[..])
    }

    #[tokio::test]
    async fn the_file_is_made_once_and_a_damaged_one_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let load = |is_in_use| load_or_make(folder.path(), &SystemRandom, None, is_in_use);
        let missing = load(true).await.err().unwrap().to_string();
        assert!(
            missing.contains("kms-master.sealed") && missing.contains("backup"),
            "{missing}"
        );
        assert!(
            !folder.path().join(FILE).exists(),
            "no other key is made in its place"
        );
        let mut sealed = Vec::new();
        load(false)
            .await
            .unwrap()
            .seal(b"x", b"", &SystemRandom, &mut sealed)
            .unwrap();
        assert!(opens(&load(true).await.unwrap(), &sealed));
        std::fs::write(folder.path().join(FILE), "c2hvcnQ=").unwrap();
        let error = load(true).await.err().unwrap().to_string();
        assert!(error.contains(FILE) && !error.contains("c2hvcnQ"), "{error}");
    }

    #[tokio::test]
    async fn a_service_seals_what_lay_there_open_and_without_it_nothing_opens() {
        let folder = tempfile::tempdir().unwrap();
        let load = async |seal: Option<&dyn MasterSeal>| {
            load_or_make(folder.path(), &SystemRandom, seal, false).await
        };
        let kept = || std::fs::read_to_string(folder.path().join(SEALED_FILE)).unwrap();
        let mut sealed = Vec::new();
        load(None)
            .await
            .unwrap()
            .seal(b"x", b"", &SystemRandom, &mut sealed)
            .unwrap();
        let away = Service {
            is_away: true,
            ..SERVICE
        };
        assert!(load(Some(&away)).await.is_err());
        let open = std::fs::read(folder.path().join(FILE)).unwrap();
        assert!(opens(&load(Some(&SERVICE)).await.unwrap(), &sealed));
        assert!(!folder.path().join(FILE).exists());
        let first = kept();
        assert!(first.contains("aws-kms://alias/a"), "{first}");
        assert!(opens(&load(Some(&SERVICE)).await.unwrap(), &sealed));
        assert_eq!(kept(), first);
        // The alias means another key, then there is another alias.
        let moved = Service { key: 0x33, ..SERVICE };
        assert!(opens(&load(Some(&moved)).await.unwrap(), &sealed));
        assert_ne!(kept(), first);
        let other = Service {
            uri: "aws-kms://alias/b",
            ..SERVICE
        };
        assert!(opens(&load(Some(&other)).await.unwrap(), &sealed));
        assert!(kept().contains("aws-kms://alias/b"), "{}", kept());
        let error = load(Some(&away)).await.err().unwrap().to_string();
        assert!(error.contains("nobody answers"), "{error}");
        let error = load(None).await.err().unwrap().to_string();
        assert!(error.contains("set it to aws-kms://alias/b"), "{error}");
        assert!(
            !folder.path().join(FILE).exists(),
            "no other key is made in its place"
        );
        // The same key beside it is left over; another one is somebody's only copy, perhaps.
        std::fs::write(folder.path().join(FILE), &open).unwrap();
        assert!(opens(&load(Some(&other)).await.unwrap(), &sealed));
        assert!(!folder.path().join(FILE).exists());
        std::fs::write(folder.path().join(FILE), STANDARD.encode([7; KEY_BYTES])).unwrap();
        let error = load(Some(&other)).await.err().unwrap().to_string();
        assert!(error.contains("another master key"), "{error}");
        assert!(folder.path().join(FILE).exists());
        std::fs::write(folder.path().join(SEALED_FILE), "{}").unwrap();
        assert!(load(Some(&SERVICE)).await.is_err());
    }

    #[tokio::test]
    async fn a_service_from_the_first_start_leaves_no_open_key() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        load_or_make(&data, &SystemRandom, Some(&SERVICE), false)
            .await
            .unwrap();
        let names: Vec<_> = std::fs::read_dir(&data)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, [SEALED_FILE]);
    }
}
