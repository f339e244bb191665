//! The data directory: private, used by one server at a time, and where others find that server.

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A server's hold on its data directory; let go when dropped, or when the process ends in any way.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another server uses it.
    #[error(
        "the data directory {path} is in use by another Muster server (process {pid}). Stop that one first, or give this one another --data-dir"
    )]
    InUse {
        /// Which.
        path: PathBuf,
        /// By whom.
        pid: String,
    },
    /// The file system says no.
    #[error("the data directory {path} cannot be used: {cause}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// Makes the directory, for its owner only.
///
/// # Errors
/// When the file system says no.
pub fn make(path: &Path) -> Result<(), DataDirError> {
    let failed = |cause| DataDirError::Io {
        path: path.to_owned(),
        cause,
    };
    if !path.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)
}

/// Takes hold of the directory for a server.
///
/// # Errors
/// [`DataDirError::InUse`] when another server has it.
pub fn hold(path: &Path) -> Result<Hold, DataDirError> {
    make(path)?;
    let failed = |cause| DataDirError::Io {
        path: path.to_owned(),
        cause,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join("muster.lock"))
        .map_err(failed)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        let _ = file.read_to_string(&mut pid);
        return Err(DataDirError::InUse {
            path: path.to_owned(),
            pid: pid.trim().to_owned(),
        });
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Hold { _file: file })
}

/// Where a running server is, for commands that speak to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The portal.
    pub addr: SocketAddr,
    /// The embedded endpoint.
    pub ssm_addr: Option<SocketAddr>,
}

/// Tells where the server is.
///
/// # Errors
/// When the file cannot be written.
pub fn tell(path: &Path, whereabouts: &Whereabouts) -> std::io::Result<()> {
    let text = serde_json::to_string(whereabouts)?;
    std::fs::write(path.join("running.json"), text)
}

/// Where the server of this directory was told to be.
#[must_use]
pub fn find(path: &Path) -> Option<Whereabouts> {
    serde_json::from_str(&std::fs::read_to_string(path.join("running.json")).ok()?).ok()
}
