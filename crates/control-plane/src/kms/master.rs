//! The master key, under which all other keys lie in the database. It is a file of its own in the data directory:
//! a copy of the database alone opens no secret.

use crate::errors::{ApiError, ApiResult};
use crate::keys::{KeysError, read_or_make};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_domain::time::Random;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
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

/// Reads the file, or makes it at the first start.
pub(crate) fn load_or_make(folder: &Path, random: &dyn Random) -> Result<SealingKey, KeysError> {
    let path = folder.join(FILE);
    let text = read_or_make(&path, || {
        let mut key = [0_u8; KEY_BYTES];
        random.fill(&mut key);
        format!("{}\n", STANDARD.encode(key)).into_bytes()
    })?;
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| STANDARD.decode(text.trim()).ok())
        .and_then(|key| SealingKey::of(&key))
        .ok_or_else(|| KeysError::Content {
            path,
            message: "it is not 32 bytes of base64".to_owned(),
        })
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

    #[test]
    fn the_file_is_made_once_and_a_damaged_one_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut sealed = Vec::new();
        load_or_make(folder.path(), &SystemRandom)
            .unwrap()
            .seal(b"x", b"", &SystemRandom, &mut sealed)
            .unwrap();
        let again = load_or_make(folder.path(), &SystemRandom).unwrap();
        assert_eq!(again.open(&sealed, b"").as_deref(), Some(&b"x"[..]));
        std::fs::write(folder.path().join(FILE), "c2hvcnQ=").unwrap();
        let error = load_or_make(folder.path(), &SystemRandom)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(FILE) && !error.contains("c2hvcnQ"), "{error}");
    }
}
