//! What may be shown to a person when something does not work, and its HTTP status.
//! No variant ever holds a secret: errors travel in URLs and pages.

use serde::{Deserialize, Serialize};

/// One field of an input that cannot be accepted, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name as in the form.
    pub field: String,
    /// What is wrong and what would be right, as a sentence.
    pub message: String,
}

impl FieldError {
    /// A complaint about one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// What a policy asks for, before an act can be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalNeeds {
    /// The policies that ask, by name.
    pub policies: Vec<String>,
    /// Whom they ask, in words: `2 of group:sre`.
    pub asked: Vec<String>,
    /// Whether a reason has to be given.
    pub reason: bool,
    /// What a ticket has to look like, as regular expressions; none means that none is needed.
    pub tickets: Vec<String>,
    /// Whether the person may do it at once, unapproved, and have it reviewed.
    pub may_break_glass: bool,
    /// Whether the person may ask; not in a freeze.
    pub may_ask: bool,
}

/// Every way in which an act can end other than well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PortalError {
    /// Nobody is signed in.
    #[error("Sign in to go on.")]
    SignInRequired,
    /// The person may not do this, here.
    #[error("{message}")]
    Forbidden {
        /// Which permission is missing and on what.
        message: String,
    },
    /// The thing does not exist, or the person may not know that it does.
    #[error("{what} was not found.")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// Fields of the input cannot be accepted.
    #[error("{}", fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join(" "))]
    Invalid {
        /// All of them, not only the first.
        fields: Vec<FieldError>,
    },
    /// The act does not fit the state that the thing is in now.
    #[error("{message}")]
    Conflict {
        /// What stands in the way and what to do.
        message: String,
    },
    /// The act touches so much that somebody has to confirm it first, by its number of nodes.
    #[error("{}", confirmation(*nodes, *in_production, *confirmed))]
    ConfirmationNeeded {
        /// On how many nodes it would act.
        nodes: u64,
        /// How many of those are in production.
        in_production: u64,
        /// The number that was confirmed, when it is not the right one.
        confirmed: Option<u64>,
    },
    /// A policy asks for a second pair of eyes first.
    #[error("{message}")]
    ApprovalNeeded {
        /// Which policy, and what to do.
        message: String,
        /// What it asks for.
        needs: ApprovalNeeds,
    },
    /// Too many tries; wait.
    #[error("Too many tries. Wait {retry_after_seconds} s and try again.")]
    TooManyRequests {
        /// Seconds until the next try is looked at.
        retry_after_seconds: u32,
    },
    /// Something that the portal depends on does not answer or cannot take the act now.
    #[error("{message}")]
    Unavailable {
        /// What it is and what to do.
        message: String,
    },
    /// A fault of ours. The cause is in the server's log under the reference.
    #[error("Something went wrong on our side. Reference {reference}; the cause is in the server's log.")]
    Internal {
        /// Found in the server's log.
        reference: String,
    },
}

fn confirmation(nodes: u64, in_production: u64, confirmed: Option<u64>) -> String {
    let noun = if nodes == 1 { "node" } else { "nodes" };
    let production = match in_production {
        0 => String::new(),
        some => format!(", {some} of them in production"),
    };
    let changed = confirmed.map_or_else(String::new, |confirmed| format!("You confirmed {confirmed}. "));
    format!(
        "{changed}Nothing was started: it would act on {nodes} {noun}{production}. \
         Confirm that number (confirmed_nodes = {nodes})."
    )
}

impl PortalError {
    /// A complaint about a single field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            fields: vec![FieldError::new(field, message)],
        }
    }

    /// `Ok` when there is nothing to complain about.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] with all of `fields` when there are any.
    pub fn from_fields(fields: Vec<FieldError>) -> Result<(), Self> {
        if fields.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid { fields })
        }
    }

    /// The HTTP status that says the same.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::SignInRequired => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::Invalid { .. } => 422,
            Self::ConfirmationNeeded { .. } | Self::ApprovalNeeded { .. } => 428,
            Self::TooManyRequests { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable { .. } => 503,
        }
    }

    /// One word for logs, metrics and the audit log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignInRequired => "sign-in-required",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not-found",
            Self::Conflict { .. } => "conflict",
            Self::Invalid { .. } => "invalid",
            Self::ConfirmationNeeded { .. } => "confirmation-needed",
            Self::ApprovalNeeded { .. } => "approval-needed",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::Internal { .. } => "internal",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The complaint about `field`, if there is one.
    #[must_use]
    pub fn about(&self, field: &str) -> Option<&str> {
        match self {
            Self::Invalid { fields } => fields
                .iter()
                .find(|f| f.field == field)
                .map(|f| f.message.as_str()),
            _ => None,
        }
    }
}
