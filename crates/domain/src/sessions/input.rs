//! What is asked for: starting, ending and finding sessions, with the checks of each.

use crate::error::{FieldError, PortalError};
use crate::ids::{NodeId, NodeSessionId, RequestId};
use crate::paging::Cursor;
use crate::sessions::SessionStatus;
use crate::sessions::document::is_document_name;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Characters of a reason at most.
const MAX_REASON: usize = 256;
/// The largest terminal, in cells each way.
const MAX_CELLS: u16 = 1_000;

/// Input: start a session on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartSession {
    /// Where.
    pub node: NodeId,
    /// With which Session document; empty for the session preferences of the account and region.
    #[serde(default)]
    pub document: String,
    /// Who to be there; empty for what the document or the agent says.
    pub os_user: String,
    /// What for.
    pub reason: String,
    /// Columns of the terminal.
    pub cols: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// The approved request that this uses, where policy asks for one.
    #[serde(default)]
    pub request: Option<RequestId>,
}

/// Whether an operating system's user may have this name (POSIX's portable names, and a trailing `$`).
fn is_user_name(name: &str) -> bool {
    let mut rest = name.strip_suffix('$').unwrap_or(name).bytes();
    name.len() <= 32
        && rest.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && rest.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// Complaints about a reason.
fn check_reason(reason: &str, required: bool, fields: &mut Vec<FieldError>) {
    if required && reason.trim().is_empty() {
        fields.push(FieldError::new(
            "reason",
            "Say what for: policy asks for a reason.",
        ));
    }
    if reason.chars().count() > MAX_REASON {
        fields.push(FieldError::new("reason", "Use at most 256 characters."));
    }
    if reason.chars().any(char::is_control) {
        fields.push(FieldError::new("reason", "Use one line of plain text."));
    }
}

impl StartSession {
    /// Checks all that can be checked without knowing the node.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self, needs_reason: bool) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.node.as_str().trim().is_empty() {
            fields.push(FieldError::new("node", "Choose a node."));
        }
        if !self.os_user.is_empty() && !is_user_name(&self.os_user) {
            fields.push(FieldError::new(
                "os_user",
                "Write the name of a user on the node, such as ssm-user: letters, digits, “_”, “-” and “.”, at most 32.",
            ));
        }
        if !self.document.is_empty() && !is_document_name(&self.document) {
            fields.push(FieldError::new(
                "document",
                "Choose a Session document by its name: 3 to 128 letters, digits, “_”, “-” and “.”.",
            ));
        }
        check_reason(&self.reason, needs_reason, &mut fields);
        for (field, cells) in [("cols", self.cols), ("rows", self.rows)] {
            if !(2..=MAX_CELLS).contains(&cells) {
                fields.push(FieldError::new(
                    field,
                    "A terminal has 2 to 1,000 columns and rows.",
                ));
            }
        }
        PortalError::from_fields(fields)
    }
}

/// Input: open a tunnel to a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTunnel {
    /// Through which node.
    pub node: NodeId,
    /// To which port.
    pub port: u16,
    /// Of which host, as the node reaches it; empty for the node itself.
    #[serde(default)]
    pub host: String,
    /// What for.
    #[serde(default)]
    pub reason: String,
}

impl OpenTunnel {
    /// Checks all that can be checked without knowing the node.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self, needs_reason: bool) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.node.as_str().trim().is_empty() {
            fields.push(FieldError::new("node", "Choose a node."));
        }
        if self.port == 0 {
            fields.push(FieldError::new("port", "A port is a number from 1 to 65535."));
        }
        let is_host = |host: &str| {
            host.len() <= 253
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_'))
        };
        if !is_host(&self.host) {
            fields.push(FieldError::new("host", "Write a host's name or address."));
        }
        check_reason(&self.reason, needs_reason, &mut fields);
        PortalError::from_fields(fields)
    }
}

/// Input: end a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// Which.
    pub session: NodeSessionId,
    /// Why; needed for another's.
    pub reason: String,
}

impl EndSession {
    /// Checks what can be checked without knowing whose session it is.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        check_reason(&self.reason, false, &mut fields);
        PortalError::from_fields(fields)
    }
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionQuery {
    /// In the node's name or id, the owner's name, the reason or the id.
    pub text: String,
    /// Only on this node.
    pub node: Option<NodeId>,
    /// Only of this owner, by name.
    pub owner: String,
    /// Only of this status.
    pub status: Option<SessionStatus>,
    /// Begun then or later.
    pub from: Option<Timestamp>,
    /// The page after this.
    pub cursor: Option<Cursor>,
    /// Rows of a page.
    pub limit: Option<u32>,
}

/// Which of the sessions that go on to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveQuery {
    /// In the node's name or id, the owner's name, the reason or the id.
    pub text: String,
    /// Only on this node.
    pub node: Option<NodeId>,
    /// Only of this owner, by name.
    pub owner: String,
    /// The page after this.
    pub cursor: Option<Cursor>,
    /// Rows of a page.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> StartSession {
        StartSession {
            node: "mi-1".into(),
            document: String::new(),
            os_user: String::new(),
            reason: String::new(),
            cols: 80,
            rows: 24,
            request: None,
        }
    }

    #[test]
    fn what_policy_asks_for_is_asked_for_by_name() {
        assert_eq!(start().check(false), Ok(()));
        let error = start().check(true).unwrap_err();
        assert!(error.about("reason").is_some());
        let reason = StartSession {
            reason: "INC-7: disk full".into(),
            ..start()
        };
        assert_eq!(reason.check(true), Ok(()));
    }

    #[test]
    fn a_tunnel_leads_to_a_port_of_a_host() {
        let tunnel = |port, host: &str| OpenTunnel {
            node: "mi-1".into(),
            port,
            host: host.into(),
            reason: String::new(),
        };
        assert_eq!(tunnel(5432, "").check(false), Ok(()));
        assert_eq!(tunnel(5432, "db-1.internal").check(false), Ok(()));
        assert!(tunnel(0, "").check(false).unwrap_err().about("port").is_some());
        assert!(tunnel(1, "a b").check(true).unwrap_err().about("host").is_some());
    }

    #[test]
    fn every_field_is_bounded() {
        let bad = StartSession {
            node: " ".into(),
            document: "a b".into(),
            os_user: "root; id".into(),
            reason: "two\nlines".into(),
            cols: 1,
            rows: 1_001,
            request: None,
        };
        let error = bad.check(false).unwrap_err();
        for field in ["node", "document", "os_user", "reason", "cols", "rows"] {
            assert!(error.about(field).is_some(), "{field}");
        }
        for name in ["ssm-user", "_apt", "web.1", "host$"] {
            assert!(is_user_name(name), "{name}");
        }
        for name in ["", "-x", "a b", "$", "a/b", "é"] {
            assert!(!is_user_name(name), "{name}");
        }
    }
}
