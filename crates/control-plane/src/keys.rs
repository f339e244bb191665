//! The secrets of this control plane: two access keys, one master key, and the temporary keys of nodes
//! that are derived from it. Checking a request's signature is not done here.

use crate::base32;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use muster_agent_protocol::signing::Credentials;
use muster_domain::Timestamp;
use muster_domain::system::SystemRandom;
use muster_domain::time::Random;
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The name of the file inside the data directory.
pub(crate) const FILE: &str = "ssm-keys.json";

#[derive(Clone, Serialize, Deserialize)]
struct AccessKey {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(Serialize, Deserialize)]
struct KeysFile {
    operator: AccessKey,
    portal: AccessKey,
    node_token_key: String,
}

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("the access keys in {path} cannot be used: {cause}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what was written there.
    #[error(
        "the access keys in {path} cannot be read: {message}. Restore the file from the backup of the data directory"
    )]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong; never a secret.
        message: String,
    },
    /// The database has keys, and what opens them is gone.
    #[error(
        "the database holds keys, and there is no master key for them in {folder}: restore kms-master.key, or \
         kms-master.sealed, from the backup of the data directory that the database belongs to"
    )]
    Missing {
        /// Where it should be.
        folder: PathBuf,
    },
    /// The key management service that seals the master key does not open it.
    #[error("the master key cannot be had from {uri}: {why}")]
    Sealed {
        /// Which key of which service.
        uri: String,
        /// What it said.
        why: String,
    },
}

/// All of them.
pub(crate) struct Keys {
    operator: AccessKey,
    portal: AccessKey,
    master: Vec<u8>,
}

/// Who holds an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Operator,
    Portal,
}

/// What a node's session token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeToken {
    pub(crate) node_id: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) expires_at: Timestamp,
}

impl Keys {
    /// Reads the file, or makes it at the first start.
    pub(crate) fn load_or_make(folder: &Path, random: &dyn Random) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        let text = read_or_make(&path, || {
            serde_json::to_vec_pretty(&new_file(random)).unwrap_or_default()
        })?;
        let content = |message: &str| KeysError::Content {
            path: path.clone(),
            message: message.to_owned(),
        };
        // The JSON error may quote the text around it, and that text is a secret.
        let file: KeysFile = serde_json::from_slice(&text)
            .map_err(|_| content("it is not the JSON that was written there"))?;
        let master = STANDARD
            .decode(&file.node_token_key)
            .ok()
            .filter(|key| key.len() == 32)
            .ok_or_else(|| content("node_token_key is not 32 bytes of base64"))?;
        Ok(Self {
            operator: file.operator,
            portal: file.portal,
            master,
        })
    }

    pub(crate) fn credentials(&self, holder: Holder) -> Credentials {
        let key = match holder {
            Holder::Operator => &self.operator,
            Holder::Portal => &self.portal,
        };
        Credentials {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            session_token: None,
        }
    }

    /// Whose access key this is, and its secret.
    pub(crate) fn find(&self, access_key_id: &str) -> Option<(Holder, &str)> {
        [(Holder::Operator, &self.operator), (Holder::Portal, &self.portal)]
            .into_iter()
            .find(|(_, key)| key.access_key_id == access_key_id)
            .map(|(holder, key)| (holder, key.secret_access_key.as_str()))
    }

    pub(crate) fn master(&self) -> &[u8] {
        &self.master
    }

    fn mac(&self, purpose: &str, text: &str) -> hmac::Tag {
        let key = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &self.master),
            purpose.as_bytes(),
        );
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text.as_bytes())
    }

    fn node_secret(&self, payload: &str) -> String {
        let secret = STANDARD.encode(self.mac("node secret", payload));
        secret.get(..40).unwrap_or_default().to_owned()
    }

    /// Temporary keys for a node. Nothing is stored: the token itself says whose they are and until when.
    pub(crate) fn issue(
        &self,
        node_id: &str,
        region: &str,
        expires_at: Timestamp,
        random: &dyn Random,
    ) -> Credentials {
        let access_key_id = format!("ASIA{}", base32::upper(random, 16));
        let payload = format!("{node_id}|{region}|{access_key_id}|{}", expires_at.0);
        let tag = URL_SAFE_NO_PAD.encode(self.mac("node token", &payload));
        Credentials {
            access_key_id,
            secret_access_key: self.node_secret(&payload),
            session_token: Some(format!("{}.{tag}", URL_SAFE_NO_PAD.encode(&payload))),
        }
    }

    /// What a session token says, when it is one of ours. Whether it has expired is for the caller to see.
    pub(crate) fn open_token(&self, token: &str) -> Option<NodeToken> {
        let (payload, tag) = token.split_once('.')?;
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            tag.as_slice(),
            self.mac("node token", &payload).as_ref(),
        )) {
            return None;
        }
        let mut parts = payload.split('|');
        Some(NodeToken {
            node_id: parts.next()?.to_owned(),
            region: parts.next()?.to_owned(),
            access_key_id: parts.next()?.to_owned(),
            expires_at: Timestamp(parts.next()?.parse().ok()?),
            secret_access_key: self.node_secret(&payload),
        })
    }
}

/// The operator's key in a data directory, without opening the control plane; `None` before its first start.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn operator_credentials_in(data_dir: &Path) -> Result<Option<Credentials>, KeysError> {
    if !data_dir.join(FILE).exists() {
        return Ok(None);
    }
    let keys = Keys::load_or_make(data_dir, &SystemRandom)?;
    Ok(Some(keys.credentials(Holder::Operator)))
}

fn new_file(random: &dyn Random) -> KeysFile {
    let access_key = || AccessKey {
        access_key_id: format!("AKIA{}", base32::upper(random, 16)),
        secret_access_key: base32::mixed(random, 40),
    };
    let mut master = [0_u8; 32];
    random.fill(&mut master);
    KeysFile {
        operator: access_key(),
        portal: access_key(),
        node_token_key: STANDARD.encode(master),
    }
}

/// Reads a file of secrets, or makes it, and its folder, at the first start. Only its owner may read it.
pub(crate) fn read_or_make(path: &Path, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, KeysError> {
    let file_error = |cause| KeysError::File {
        path: path.to_owned(),
        cause,
    };
    match std::fs::read(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(file_error)?;
            }
            let text = make();
            write_private(path, &text).map_err(file_error)?;
            Ok(text)
        }
        Err(error) => Err(file_error(error)),
    }
}

/// Written beside and renamed: after a crash the file is whole or not there.
pub(crate) fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_the_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let made = Keys::load_or_make(folder.path(), &SystemRandom).unwrap();
        let read = Keys::load_or_make(folder.path(), &SystemRandom).unwrap();
        let operator = made.credentials(Holder::Operator);
        assert_eq!(
            operator.access_key_id,
            read.credentials(Holder::Operator).access_key_id
        );
        assert_eq!(
            (operator.access_key_id.len(), operator.secret_access_key.len()),
            (20, 40)
        );
        assert_ne!(
            operator.access_key_id,
            made.credentials(Holder::Portal).access_key_id
        );
        assert_eq!(
            read.find(&operator.access_key_id).map(|found| found.0),
            Some(Holder::Operator)
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(folder.path().join(FILE)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        let shown = operator_credentials_in(folder.path()).unwrap().unwrap();
        assert_eq!(shown.secret_access_key, operator.secret_access_key);
        let empty = tempfile::tempdir().unwrap();
        assert!(operator_credentials_in(empty.path()).unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_stops_the_start_without_telling_its_content() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{\"operator\": \"topsecret\"").unwrap();
        let error = Keys::load_or_make(folder.path(), &SystemRandom)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(FILE) && !error.contains("topsecret"), "{error}");
    }

    #[test]
    fn a_nodes_token_says_whose_it_is_and_cannot_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path(), &SystemRandom).unwrap();
        let issued = keys.issue("mi-1", "eu-west-1", Timestamp(7), &SystemRandom);
        let token = issued.session_token.clone().unwrap();
        let opened = keys.open_token(&token).unwrap();
        assert_eq!(
            (opened.node_id.as_str(), opened.expires_at),
            ("mi-1", Timestamp(7))
        );
        assert_eq!(opened.secret_access_key, issued.secret_access_key);
        assert_eq!(issued.secret_access_key.len(), 40);
        let forged = token.replacen(token.get(..4).unwrap(), "AAAA", 1);
        assert_eq!(keys.open_token(&forged), None);
        for rubbish in ["", ".", "a.b", "é.é"] {
            assert_eq!(keys.open_token(rubbish), None);
        }
    }
}
