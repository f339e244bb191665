//! Hashing and checking passwords with argon2id, a few at a time, never on the threads that serve.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use muster_domain::PortalError;
use muster_domain::access::Password;
use muster_domain::time::Random;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Hashes at the same time at most: each takes 19 MiB and all of a core.
const AT_ONCE: usize = 4;

/// Hashes and checks.
#[derive(Clone)]
pub struct Passwords {
    gate: Arc<Semaphore>,
    random: Arc<dyn Random>,
    dummy: Arc<OnceLock<String>>,
}

/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
fn argon2() -> Result<Argon2<'static>, String> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| error.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &Password, salt: &[u8]) -> Result<String, String> {
    let salt = SaltString::encode_b64(salt).map_err(|error| error.to_string())?;
    let hash = argon2()?
        .hash_password(password.0.as_bytes(), &salt)
        .map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

fn check_now(password: &Password, hash: &str) -> bool {
    let (Ok(argon2), Ok(parsed)) = (argon2(), PasswordHash::new(hash)) else {
        return false;
    };
    argon2.verify_password(password.0.as_bytes(), &parsed).is_ok()
}

impl Passwords {
    /// A hasher with this source of salts.
    #[must_use]
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self {
            gate: Arc::new(Semaphore::new(AT_ONCE)),
            random,
            dummy: Arc::default(),
        }
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PortalError> {
        let _permit = self
            .gate
            .acquire()
            .await
            .map_err(|error| crate::error::internal("passwords", &error))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| crate::error::internal("passwords", &error))
    }

    /// The hash to store.
    ///
    /// # Errors
    /// [`PortalError::Internal`] when hashing is not possible.
    pub async fn hash(&self, password: Password) -> Result<String, PortalError> {
        let mut salt = [0_u8; 16];
        self.random.fill(&mut salt);
        self.apart(move || hash_now(&password, &salt))
            .await?
            .map_err(|reason| crate::error::internal("passwords", &reason))
    }

    /// Whether `password` is the one behind `hash`. Without a hash it takes as long, and is not.
    ///
    /// # Errors
    /// [`PortalError::Internal`] when checking is not possible.
    pub async fn check(&self, password: Password, hash: Option<String>) -> Result<bool, PortalError> {
        let known = hash.is_some();
        let hash = match hash {
            Some(hash) => hash,
            None => match self.dummy.get() {
                Some(dummy) => dummy.clone(),
                None => {
                    let made = self.hash(Password(self.random.hex(16))).await?;
                    self.dummy.get_or_init(|| made).clone()
                }
            },
        };
        Ok(self.apart(move || check_now(&password, &hash)).await? && known)
    }
}
