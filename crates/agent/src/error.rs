//! Everything that can stop the agent, in words that say what to do. No secret is ever part of them.

use std::io;
use std::path::{Path, PathBuf};

/// Why the agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file or directory could not be used.
    #[error("{action} {path}: {source}", path = path.display())]
    File {
        /// What was tried: `writing`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A second agent on one state directory.
    #[error(
        "another agent{holder} already uses {path}: stop it first, or give this one its own --state-dir",
        path = path.display()
    )]
    InUse {
        /// The state directory.
        path: PathBuf,
        /// ` (process 12)` or empty.
        holder: String,
    },
    /// `run` before `register`.
    #[error(
        "{path} holds no registration: create an activation in Muster and run `agent register` with it first",
        path = path.display()
    )]
    NotRegistered {
        /// The state directory.
        path: PathBuf,
    },
    /// `register` twice.
    #[error(
        "{path} is registered already, as {node}: start it with `agent run`, or add --force to register it \
         as a new node",
        path = path.display()
    )]
    AlreadyRegistered {
        /// The state directory.
        path: PathBuf,
        /// The node.
        node: String,
    },
    /// What is stored does not fit this machine or cannot be read.
    #[error("{0}")]
    Identity(String),
    /// A flag or setting.
    #[error("{field}: {reason}")]
    Setting {
        /// Which one.
        field: &'static str,
        /// What is wrong, and what is right.
        reason: String,
    },
    /// The control plane answered with an error.
    #[error("{operation} was refused with {code}{}{hint}", separated(message))]
    Refused {
        /// The call.
        operation: String,
        /// The answer's status.
        status: u16,
        /// The error's code.
        code: String,
        /// The error's own words.
        message: String,
        /// What to do; begins with `: ` or is empty.
        hint: &'static str,
    },
    /// No answer at all.
    #[error("{endpoint} cannot be reached ({reason}): is the address right, and is Muster running there?")]
    Unreachable {
        /// The address.
        endpoint: String,
        /// What the network said.
        reason: String,
    },
    /// An answer that makes no sense.
    #[error("{endpoint} answered what no control plane answers: {reason}")]
    Protocol {
        /// The address.
        endpoint: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The worker process itself failed.
    #[error("the worker of a command failed: {0}")]
    Worker(String),
    /// A step asks for the machine to be started anew. Never leaves the worker.
    #[error("a step asks for a reboot")]
    Reboot,
}

fn separated(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" ({message})")
    }
}

impl AgentError {
    /// Wraps an error of the file system.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// Whether the same call would be refused again, whatever is waited for: what is wrong is the call.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status, code, .. } if (400..500).contains(status) && *status != 429
            && !["LimitExceeded", "RequestExpired", "ThrottlingException", "Throttling"].contains(&code.as_str()))
            && !self.is_about_credentials()
    }

    /// Whether the keys that were used are not (or no longer) accepted.
    pub(crate) fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if [
            "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId",
            "InvalidSignatureException", "AccessDeniedException", "401", "403",
        ].contains(&code.as_str()))
    }
}
