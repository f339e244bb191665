//! Who is asking: a signed-in person, nobody, or somebody at the server's own command line.

use crate::access::GrantView;
use crate::action::{Action, Who};
use crate::ids::{SessionId, UserId};
use crate::permission::{Grant, Role, Scope};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// From where an act comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The address of the caller, without port.
    pub address: String,
    /// What the caller says it is, cut to 256 characters.
    pub user_agent: String,
    /// `browser`, `cli`, `api` or `server`.
    pub via: String,
}

/// What else was read of an account when somebody was recognised, so that a page that shows who is signed in does not
/// ask for it once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Shown to others.
    pub display_name: String,
    /// All grants, also those that have ended.
    pub grants: Vec<GrantView>,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account, unless nobody is signed in.
    pub user_id: Option<UserId>,
    /// The name shown in the audit log.
    pub name: String,
    /// Roles and where they hold.
    pub grants: Vec<Grant>,
    /// The session the act comes through.
    pub session: Option<SessionId>,
    /// From where.
    pub origin: Origin,
    /// The account as it was when this request came. Nothing decides by it.
    #[serde(skip)]
    pub account: Option<Arc<Account>>,
}

impl Actor {
    /// Nobody: what a request without a valid session is.
    #[must_use]
    pub fn anonymous(origin: Origin) -> Self {
        Self {
            user_id: None,
            name: "anonymous".into(),
            grants: Vec::new(),
            session: None,
            origin,
            account: None,
        }
    }

    /// Somebody at the server's own command line, who owns the data directory.
    #[must_use]
    pub fn command_line(name: &str) -> Self {
        Self {
            user_id: None,
            name: format!("cli:{name}"),
            grants: vec![Grant {
                role: Role::Administrator,
                scope: Scope::All,
            }],
            session: None,
            origin: Origin {
                address: "local".into(),
                user_agent: String::new(),
                via: "cli".into(),
            },
            account: None,
        }
    }

    /// The server itself, for what it does unasked.
    #[must_use]
    pub fn server() -> Self {
        Self {
            user_id: None,
            name: "muster".into(),
            grants: vec![Grant {
                role: Role::Administrator,
                scope: Scope::All,
            }],
            session: None,
            origin: Origin {
                address: "local".into(),
                user_agent: String::new(),
                via: "server".into(),
            },
            account: None,
        }
    }

    /// Whether somebody is known to be there.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.user_id.is_some() || self.origin.via == "cli" || self.origin.via == "server"
    }

    /// The scopes in which this actor may do `action`. Empty means: nowhere.
    #[must_use]
    pub fn scopes_for(&self, action: Action) -> Vec<Scope> {
        match action.who() {
            Who::Anybody => vec![Scope::All],
            Who::SignedIn => {
                if self.is_known() {
                    vec![Scope::All]
                } else {
                    Vec::new()
                }
            }
            Who::Roles(_) => {
                let scopes: Vec<Scope> = self
                    .grants
                    .iter()
                    .filter(|grant| grant.role.allows(action))
                    // What is not about nodes has no part to hold in: half an audit log proves nothing, and who
                    // administers a part of the fleet could else make an administrator of the whole.
                    .filter(|grant| {
                        action.is_about_nodes()
                            || grant.scope == Scope::All
                            || (grant.scope.is_whole_connection() && action.is_of_connection())
                    })
                    .map(|grant| match &grant.scope {
                        // Services keep to what is of their connection: that is all there is there.
                        whole if whole.is_whole_connection() => Scope::All,
                        scope => scope.clone(),
                    })
                    .collect();
                if scopes.contains(&Scope::All) {
                    vec![Scope::All]
                } else {
                    scopes
                }
            }
        }
    }

    /// Whether this actor may do `action` at least somewhere.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        !self.scopes_for(action).is_empty()
    }
}
