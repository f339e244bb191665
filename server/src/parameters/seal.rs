//! Secrets that wait for approval: sealed with a key that lies beside the database, not in it, and tied to the parameter
//! that they are for. And references to secrets, by which two can be held against each other without either being there.

use crate::audit::keys::write_private;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_domain::PortalError;
use muster_domain::parameters::{Value, name_key};
use muster_domain::time::Random;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::path::Path;
use std::sync::Arc;

/// Bytes of the key.
const KEY: usize = 32;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Seal {
    /// The key, or why there is none.
    key: Arc<Result<[u8; KEY], String>>,
    random: Arc<dyn Random>,
}

fn load(path: &Path, random: &dyn Random) -> Result<[u8; KEY], String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    match std::fs::read(path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| wrong(&"it does not hold a key of 32 bytes")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0_u8; KEY];
            random.fill(&mut key);
            write_private(path, &key).map_err(|error| wrong(&error))?;
            Ok(key)
        }
        Err(error) => Err(wrong(&error)),
    }
}

fn damaged() -> PortalError {
    PortalError::Conflict {
        message: "The value that was asked for cannot be opened any more: the portal's key is another one than it was then. \
                  Ask again."
            .into(),
    }
}

impl Seal {
    /// The key in that file, made where there is none. Where it cannot be used, nothing is sealed, and the reason is said
    /// then.
    #[must_use]
    pub fn open_or_make(path: &Path, random: Arc<dyn Random>) -> Self {
        let key = load(path, random.as_ref());
        if let Err(why) = &key {
            tracing::error!(%why, "the key that seals parameters which wait for approval cannot be used");
        }
        Self {
            key: Arc::new(key),
            random,
        }
    }

    fn key(&self) -> Result<&[u8; KEY], PortalError> {
        self.key
            .as_ref()
            .as_ref()
            .map_err(|why| crate::error::internal("the key for parameters that wait for approval", why))
    }

    fn cipher(&self) -> Result<LessSafeKey, PortalError> {
        let key = UnboundKey::new(&AES_256_GCM, self.key()?).map_err(|_| damaged())?;
        Ok(LessSafeKey::new(key))
    }

    /// Seals the secret of a parameter.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn seal(&self, name: &str, value: &Value) -> Result<String, PortalError> {
        let mut nonce = [0_u8; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut sealed = value.0.clone().into_bytes();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name_key(name).as_bytes()),
                &mut sealed,
            )
            .map_err(|_| damaged())?;
        let mut bytes = nonce.to_vec();
        bytes.append(&mut sealed);
        Ok(STANDARD.encode(bytes))
    }

    /// Opens what was sealed for that parameter.
    ///
    /// # Errors
    /// When it was not sealed with this key, or for another parameter.
    pub fn open(&self, name: &str, sealed: &str) -> Result<Value, PortalError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| damaged())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut rest = rest.to_vec();
        let aad = Aad::from(name_key(name).as_bytes());
        let opened = self
            .cipher()?
            .open_in_place(nonce, aad, &mut rest)
            .map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec())
            .map(Value)
            .map_err(|_| damaged())
    }

    /// What stands for a secret where it must not stand itself: the same secret of the same parameter has the same
    /// reference, and without the key nobody can try out which secret that is.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn reference(&self, name: &str, value: &Value) -> Result<String, PortalError> {
        let apart = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, self.key()?),
            b"muster: references to secrets",
        );
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, apart.as_ref()));
        context.update(name_key(name).as_bytes());
        context.update(b"\0");
        context.update(value.0.as_bytes());
        Ok(hex::encode(context.sign().as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SeededRandom;

    #[test]
    fn a_secret_is_opened_with_its_key_and_for_its_parameter_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seal = |file: &str, seed| {
            Seal::open_or_make(&folder.path().join(file), Arc::new(SeededRandom::new(seed)))
        };
        let (one, secret) = (seal("key", 1), Value("hunter2".into()));
        let sealed = one.seal("/a", &secret).unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_ne!(sealed, one.seal("/a", &secret).unwrap());
        // The key is read again after a restart, and the slash is no part of the name.
        assert_eq!(seal("key", 9).open("a", &sealed).unwrap(), secret);
        assert!(one.open("/b", &sealed).is_err());
        assert!(seal("other", 2).open("/a", &sealed).is_err());
        assert!(one.open("/a", "AAAA").is_err() && one.open("/a", "?").is_err());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(folder.path().join("key"))
                .unwrap()
                .permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_reference_is_the_same_for_the_same_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seal = |file: &str, seed| {
            Seal::open_or_make(&folder.path().join(file), Arc::new(SeededRandom::new(seed)))
        };
        let one = seal("key", 1);
        let of = |seal: &Seal, name, value: &str| seal.reference(name, &Value(value.into())).unwrap();
        assert_eq!(of(&one, "/a", "x"), of(&one, "a", "x"));
        assert_ne!(of(&one, "/a", "x"), of(&one, "/a", "y"));
        assert_ne!(of(&one, "/a", "x"), of(&one, "/b", "x"));
        assert_ne!(of(&one, "/a", "x"), of(&seal("other", 2), "/a", "x"));
    }
}
