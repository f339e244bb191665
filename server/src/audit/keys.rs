//! The key that signs heads and checkpoints: made at the first start, kept outside the database.

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    /// The first 16 digits of the public key's hexadecimal form.
    pub id: String,
}

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the audit log's signing key {path} cannot be used: {reason}")]
pub struct KeyError {
    path: PathBuf,
    reason: String,
}

/// Writes a file that only the owner may read, completely or not at all.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A name of its own for each try, so that two writers never share one.
    static TRIES: AtomicU64 = AtomicU64::new(0);
    let number = TRIES.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
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
    /// Reads the key, or makes it where there is none.
    ///
    /// # Errors
    /// When the file cannot be read, written or understood.
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        let wrong = |reason: String| KeyError {
            path: path.to_owned(),
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
        let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(|e| wrong(e.to_string()))?;
        let public = hex::encode(pair.public_key().as_ref());
        write_private(&path.with_extension("pub"), format!("{public}\n").as_bytes())
            .map_err(|e| wrong(e.to_string()))?;
        Ok(Self {
            pair,
            id: public.chars().take(16).collect(),
        })
    }

    /// The signature over `bytes`, hexadecimal.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.pair.sign(bytes))
    }

    /// The public key, hexadecimal.
    #[must_use]
    pub fn public(&self) -> String {
        hex::encode(self.pair.public_key().as_ref())
    }
}

/// Whether `signature` was made over `bytes` with the private key of `public`; both hexadecimal.
#[must_use]
pub fn is_signed(public: &str, bytes: &[u8], signature: &str) -> bool {
    let (Ok(public), Ok(signature)) = (hex::decode(public), hex::decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, public)
        .verify(bytes, &signature)
        .is_ok()
}
