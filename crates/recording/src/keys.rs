//! The key that signs manifests: made at first use, readable by its owner only.

use crate::RecordingError;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Signs manifests.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

/// Writes a file that only its owner may read, completely or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

impl SigningKey {
    /// Reads the key (Ed25519, PKCS#8), or makes it where there is none. Its public half is put beside it, hexadecimal,
    /// in a file that ends in `.pub`.
    ///
    /// # Errors
    /// [`RecordingError::Key`] when the file cannot be read, written or understood.
    pub fn load_or_make(path: &Path) -> Result<Self, RecordingError> {
        let wrong = |reason: String| RecordingError::Key {
            path: path.display().to_string(),
            reason,
        };
        let document = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let made =
                    Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|e| wrong(e.to_string()))?;
                write_private(path, made.as_ref()).map_err(|e| wrong(e.to_string()))?;
                made.as_ref().to_vec()
            }
            Err(error) => return Err(wrong(error.to_string())),
        };
        let key = Self::from_pkcs8(&document).map_err(wrong)?;
        let public_path = path.with_extension("pub");
        let line = format!("{}\n", key.public);
        if std::fs::read(&public_path).ok().as_deref() != Some(line.as_bytes()) {
            write_private(&public_path, line.as_bytes()).map_err(|e| wrong(e.to_string()))?;
        }
        Ok(key)
    }

    fn from_pkcs8(document: &[u8]) -> Result<Self, String> {
        let pair = Ed25519KeyPair::from_pkcs8(document).map_err(|e| e.to_string())?;
        let public = hex::encode(pair.public_key().as_ref());
        Ok(Self { pair, public })
    }

    /// The first 16 digits of the public key's hexadecimal form.
    #[must_use]
    pub fn id(&self) -> &str {
        self.public.get(..16).unwrap_or_default()
    }

    /// The public key, hexadecimal.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.pair.sign(bytes))
    }
}

/// Whether `signature` was made over `bytes` with the private half of `public`; both hexadecimal.
pub(crate) fn is_signed(public: &str, bytes: &[u8], signature: &str) -> bool {
    let (Ok(public), Ok(signature)) = (hex::decode(public), hex::decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, public)
        .verify(bytes, &signature)
        .is_ok()
}

/// SHA-256, hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}
