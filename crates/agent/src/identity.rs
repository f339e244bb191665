//! Who this node is: its state directory, its key pair, its fingerprint and its registration on disk.

use crate::error::AgentError;
use crate::files;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::ids::NodeId;
use muster_domain::time::Random;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOCK: &str = "agent.lock";
const PENDING_KEY: &str = "pending-key.json";
const FINGERPRINT: &str = "fingerprint.json";
const IDENTITY: &str = "identity.json";

const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// What a registration left behind.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The node's id.
    pub(crate) node_id: NodeId,
    /// Goes into every signature.
    pub(crate) region: String,
    /// `http://127.0.0.1:4580`.
    pub(crate) endpoint: String,
    /// See [`Fingerprint`].
    pub(crate) fingerprint: String,
    /// The private key (base64 of PKCS#8). In the same file as the id: both change together or not at all.
    pub(crate) key: String,
    /// The only certificates (PEM) to believe, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("node_id", &self.node_id)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// The key pair.
    pub(crate) fn key_pair(&self) -> Result<Ed25519KeyPair, AgentError> {
        let bytes = STANDARD.decode(&self.key).ok();
        bytes
            .and_then(|bytes| Ed25519KeyPair::from_pkcs8(&bytes).ok())
            .ok_or_else(|| {
                AgentError::Identity(
                    "the node's key is damaged: register this node anew with `agent register --force`".into(),
                )
            })
    }
}

/// A key pair that is not kept anywhere yet.
pub(crate) struct NewKey {
    /// To use.
    pub(crate) pair: Ed25519KeyPair,
    /// To keep: see [`Identity::key`].
    pub(crate) document: String,
}

/// A text that stays the same for this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fingerprint {
    fingerprint: String,
    /// Digest of the machine's id, when it has one: a copied directory is noticed by it.
    machine: Option<String>,
}

/// A state directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    /// Held as long as this value lives.
    _lock: File,
}

impl StateDir {
    /// [`StateDir::open`], with some patience: a lock may outlive its holder for a moment, in a process
    /// that was just being started, or in an agent that is about to stop.
    pub(crate) async fn open_patiently(path: &Path) -> Result<Self, AgentError> {
        let mut tries = 0;
        loop {
            match Self::open(path) {
                Err(AgentError::InUse { .. }) if tries < LOCK_TRIES => {
                    tries += 1;
                    tokio::time::sleep(LOCK_WAIT).await;
                }
                other => return other,
            }
        }
    }

    /// Opens and locks it; makes it when it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Self, AgentError> {
        files::private_directory(path).map_err(AgentError::file("making", path))?;
        let lock_path = path.join(LOCK);
        let lock = files::lock(&lock_path).map_err(AgentError::file("locking", &lock_path))?;
        let Some(mut lock) = lock else {
            let holder = std::fs::read_to_string(&lock_path).unwrap_or_default();
            let holder = holder.trim();
            return Err(AgentError::InUse {
                path: path.to_owned(),
                holder: if holder.is_empty() {
                    String::new()
                } else {
                    format!(" (process {holder})")
                },
            });
        };
        // Only for the message above; failing to write it is no reason to stop.
        let _ = lock
            .set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()));
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The registration, if there is one.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, AgentError> {
        let path = self.path.join(IDENTITY);
        files::read_json(&path).map_err(AgentError::file("reading", &path))
    }

    /// Keeps a registration.
    pub(crate) fn save_identity(&self, identity: &Identity) -> Result<(), AgentError> {
        let path = self.path.join(IDENTITY);
        files::write_json(&path, identity).map_err(AgentError::file("writing", &path))
    }

    /// The fingerprint, made at its first use. An error when this directory came from another machine.
    pub(crate) fn fingerprint(&self, random: &dyn Random) -> Result<String, AgentError> {
        self.fingerprint_on(machine_id().as_deref(), random)
    }

    fn fingerprint_on(&self, machine: Option<&str>, random: &dyn Random) -> Result<String, AgentError> {
        let path = self.path.join(FINGERPRINT);
        let machine = machine.map(|id| sha256_hex(format!("muster-agent {id}").as_bytes()));
        let stored: Option<Fingerprint> =
            files::read_json(&path).map_err(AgentError::file("reading", &path))?;
        if let Some(stored) = stored {
            return match (&stored.machine, &machine) {
                (Some(was), Some(is)) if was != is => Err(AgentError::Identity(format!(
                    "{} was made on another machine (its machine id differs): remove it here and register \
                     this machine with an activation of its own",
                    self.path.display()
                ))),
                _ => Ok(stored.fingerprint),
            };
        }
        let made = Fingerprint {
            fingerprint: random.uuid(),
            machine,
        };
        files::write_json(&path, &made).map_err(AgentError::file("writing", &path))?;
        Ok(made.fingerprint)
    }

    /// The key pair to register with: made once and kept until a registration has succeeded. When only
    /// its answer got lost, the next try is recognised by it and uses up no second registration.
    pub(crate) fn pending_key(&self) -> Result<NewKey, AgentError> {
        let path = self.path.join(PENDING_KEY);
        let stored: Option<String> = files::read_json(&path).ok().flatten();
        let stored = stored.and_then(|document| {
            let bytes = STANDARD.decode(&document).ok()?;
            let pair = Ed25519KeyPair::from_pkcs8(&bytes).ok()?;
            Some(NewKey { pair, document })
        });
        if let Some(stored) = stored {
            return Ok(stored);
        }
        let made = Self::new_key()?;
        files::write_json(&path, &made.document).map_err(AgentError::file("writing", &path))?;
        Ok(made)
    }

    /// A registration has succeeded with the pending key.
    pub(crate) fn forget_pending_key(&self) {
        let _ = std::fs::remove_file(self.path.join(PENDING_KEY));
    }

    /// Makes a new key pair.
    pub(crate) fn new_key() -> Result<NewKey, AgentError> {
        let made = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new())
            .ok()
            .and_then(|document| {
                let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).ok()?;
                Some(NewKey {
                    pair,
                    document: STANDARD.encode(document.as_ref()),
                })
            });
        made.ok_or_else(|| AgentError::Identity("no key could be made: the system gave no randomness".into()))
    }
}

/// The public half, as registration wants it.
pub(crate) fn public_key_text(key: &Ed25519KeyPair) -> String {
    STANDARD.encode(key.public_key())
}

fn machine_id() -> Option<String> {
    let text = std::fs::read_to_string("/etc/machine-id").ok()?;
    let text = text.trim();
    // Images are shipped with an empty file or this word in it.
    (!text.is_empty() && text != "uninitialized").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SeededRandom;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_second_agent_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let first = StateDir::open(directory.path()).unwrap();
        let error = StateDir::open(directory.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        StateDir::open(directory.path()).unwrap();
    }

    #[test]
    fn the_key_is_private_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::open(&directory.path().join("state")).unwrap();
        let made = StateDir::new_key().unwrap();
        let identity = Identity {
            node_id: "mi-0".into(),
            region: "r".into(),
            endpoint: "e".into(),
            fingerprint: "f".into(),
            key: made.document.clone(),
            ca: None,
        };
        state.save_identity(&identity).unwrap();
        let read = state.identity().unwrap().unwrap();
        assert_eq!(
            public_key_text(&read.key_pair().unwrap()),
            public_key_text(&made.pair)
        );
        assert!(!format!("{read:?}").contains(&made.document));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state.path().join(IDENTITY)), 0o600);
        assert_eq!(mode(state.path()), 0o700);
    }

    #[test]
    fn a_copied_directory_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::open(directory.path()).unwrap();
        let random = SeededRandom::new(1);
        let made = state.fingerprint_on(Some("one"), &random).unwrap();
        assert_eq!(state.fingerprint_on(Some("one"), &random).unwrap(), made);
        assert_eq!(state.fingerprint_on(None, &random).unwrap(), made);
        let error = state.fingerprint_on(Some("two"), &random).unwrap_err();
        assert!(error.to_string().contains("another machine"));
    }
}
