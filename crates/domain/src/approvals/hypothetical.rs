//! An act that nobody wants to do, to see which policies it would meet.

use super::meeting::Proposal;
use super::policy::Act;
use crate::error::{FieldError, PortalError};
use crate::permission::Scope;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Input: an act that nobody wants to do, to see which policies it would meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hypothetical {
    /// Who would do it: an account; empty is oneself.
    pub requester: String,
    /// Which act, by name.
    pub act: String,
    /// With which document.
    pub document: String,
    /// As which user of the operating system.
    pub os_user: String,
    /// Of which parameter.
    #[serde(default)]
    pub parameter: String,
    /// Of which maintenance window.
    #[serde(default)]
    pub maintenance_window: String,
    /// Of which application.
    #[serde(default)]
    pub application: String,
    /// In which of its environments.
    #[serde(default)]
    pub environment: String,
    /// On how many nodes.
    pub nodes: u32,
    /// The tags of these nodes: `Environment=Production,Team=web`.
    pub tags: String,
    /// When; empty is now.
    pub at: Option<Timestamp>,
    /// The text of policies to try; empty is those that hold.
    pub text: String,
}

impl Hypothetical {
    /// As policies see it, without who the requester is.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn proposal(&self) -> Result<Proposal, PortalError> {
        let mut fields = Vec::new();
        let act = Act::parse(&self.act);
        if act.is_none() {
            fields.push(FieldError::new("act", "Choose an act."));
        }
        if self.nodes > 10_000 {
            fields.push(FieldError::new("nodes", "Write 0 to 10,000."));
        }
        let tags = match Scope::parse(&self.tags) {
            Ok(Scope::Tags(tags)) => tags,
            Ok(Scope::All) => Vec::new(),
            Err(why) => {
                fields.push(FieldError::new("tags", why));
                Vec::new()
            }
        };
        PortalError::from_fields(fields)?;
        Ok(Proposal {
            act,
            document: self.document.trim().to_owned(),
            os_user: self.os_user.trim().to_owned(),
            parameter: self.parameter.trim().to_owned(),
            maintenance_windows: match self.maintenance_window.trim() {
                "" => Vec::new(),
                name => vec![name.to_owned()],
            },
            application: self.application.trim().to_owned(),
            environment: self.environment.trim().to_owned(),
            connection: String::new(),
            nodes: vec![tags; self.nodes as usize],
            anywhere: false,
            requester: std::collections::BTreeSet::new(),
        })
    }
}
