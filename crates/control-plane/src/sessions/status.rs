//! How a session stands, in the service's words.

/// A session's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The node was asked and has not opened its data channel yet.
    Connecting,
    /// The node is there, and so is the client, or it was a moment ago.
    Connected,
    /// The client has been gone for a while. It may come back.
    Disconnected,
    /// The shell or command has ended; the node has not told its last word yet.
    Terminating,
    /// Over.
    Terminated,
    /// It never really began, or broke.
    Failed,
}

const ALL: [(Status, &str); 6] = [
    (Status::Connecting, "Connecting"),
    (Status::Connected, "Connected"),
    (Status::Disconnected, "Disconnected"),
    (Status::Terminating, "Terminating"),
    (Status::Terminated, "Terminated"),
    (Status::Failed, "Failed"),
];

impl Status {
    /// The name on the wire and in the database.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter()
            .find(|(status, _)| *status == self)
            .map_or("Failed", |(_, name)| name)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        ALL.iter()
            .find(|(_, known)| *known == name)
            .map(|(status, _)| *status)
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Terminated | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_status() {
        for (status, name) in ALL {
            assert_eq!((status.name(), Status::from_name(name)), (name, Some(status)));
        }
        assert_eq!(Status::from_name("connected"), None);
        assert!(Status::Failed.is_final() && !Status::Terminating.is_final());
    }
}
