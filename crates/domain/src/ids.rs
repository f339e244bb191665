//! Every id type: a string that cannot be mistaken for another kind of id.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps text that is already known to be such an id.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

ids! {
    /// A person or machine that signs in.
    UserId;
    /// A signed-in browser, by a public handle (never the secret in the cookie).
    SessionId;
    /// A managed node as Systems Manager names it: `mi-…` or `i-…`.
    NodeId;
    /// A command that the portal knows; one started elsewhere keeps Systems Manager's id.
    CommandId;
    /// An automation execution that the portal knows; one started elsewhere keeps Systems Manager's id.
    ExecutionId;
    /// A token with which a program acts as a user, by a public handle (never the secret).
    ApiTokenId;
    /// A session on a node (a terminal or a tunnel), by the portal's own id.
    NodeSessionId;
    /// A named filter on the fleet.
    SavedViewId;
    /// A list of nodes that somebody chose one by one, by a digest of what is in it.
    NodeListId;
    /// A maintenance window, as Systems Manager names it: `mw-…`.
    WindowId;
    /// A schedule on which a runbook is started.
    ScheduleId;
    /// A filled form that starts a runbook, kept under a name.
    TemplateId;
    /// An application that is deployed.
    ApplicationId;
    /// A release of an application.
    ReleaseId;
    /// A deployment of a release to an environment; the execution that it is has the same id.
    DeploymentId;
    /// An account and region that the portal speaks to.
    ConnectionId;
    /// One role given to one user within one scope.
    GrantId;
    /// A part in approvals that somebody handed over for a time.
    DelegationId;
    /// A request for approval: `CR-1042`.
    RequestId;
    /// An act in the audit log: ties its intent row to its outcome row.
    ActId;
}
