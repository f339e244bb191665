//! Roles, the scope in which a role holds, and which role may do which action. Deny by default.

use crate::action::Action;
use serde::{Deserialize, Serialize};

/// What a person is trusted with. A person may have several, each in its own scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees the fleet, commands and their output.
    Viewer,
    /// Reads the audit log and evidence, and everything a viewer sees.
    Auditor,
    /// Runs commands on nodes, and everything a viewer sees.
    Operator,
    /// Decides on requests, and everything a viewer sees.
    Approver,
    /// Manages users, roles and settings, and everything an operator does.
    Administrator,
}

impl Role {
    /// All roles, in order.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Auditor,
        Self::Operator,
        Self::Approver,
        Self::Administrator,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// One sentence on what it allows.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Viewer => {
                "Sees the fleet, commands and their output, runbooks, maintenance windows, patching, deployments, and parameters but for secrets."
            }
            Self::Auditor => "Reads the audit log and its evidence, and what a viewer sees.",
            Self::Operator => {
                "Runs and cancels commands, starts runbooks, deploys applications, changes parameters, maintenance windows and patch baselines, tags nodes, and sees what a viewer sees."
            }
            Self::Approver => {
                "Decides on requests and on steps of runbooks that wait for it, and sees what a viewer sees."
            }
            Self::Administrator => {
                "Manages users, roles and settings, and does what an operator and an auditor do."
            }
        }
    }

    /// Whether this role allows `action` (within the scope of the grant).
    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        action.roles().contains(&self)
    }
}

/// Names the connection in the scope of a role, among tags. No tag can be called so: tags of that beginning are ours.
pub const CONNECTION_KEY: &str = "muster:connection";

/// Where a role holds: everywhere, or on nodes that carry all of some tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everywhere.
    All,
    /// Nodes that carry every one of these tags. Where a role holds at one connection alone, that stands among them as
    /// [`CONNECTION_KEY`]; at that connection it is taken out ([`Scope::at_connection`]), and what is left may be none: then it is
    /// all of that connection.
    Tags(Vec<(String, String)>),
}

impl Scope {
    /// Reads `*` or `Environment=Staging` or `Environment=Staging,Team=web` (all must match).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Self::of_role(text)? {
            Self::Tags(tags) if tags.iter().any(|(key, _)| key == CONNECTION_KEY) => Err(format!(
                "“{CONNECTION_KEY}” can only be where a role holds, not here."
            )),
            scope => Ok(scope),
        }
    }

    /// Reads where a role holds: as [`Scope::parse`], and also `muster:connection=staging` for one connection of the server, alone
    /// or with tags.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn of_role(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "*" {
            return Ok(Self::All);
        }
        let mut tags = Vec::new();
        for part in text.split(',') {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!(
                    "“{}” is not a tag: write Key=Value, or * for everywhere.",
                    part.trim()
                ));
            };
            let (key, value) = (key.trim(), value.trim());
            if key.is_empty() || key.len() > 128 || value.len() > 256 {
                return Err("A tag key has 1 to 128 characters, a value at most 256.".into());
            }
            if key.starts_with("muster:") && (key != CONNECTION_KEY || value.is_empty()) {
                return Err(format!(
                    "Write {CONNECTION_KEY}=NAME for what belongs to one connection; tags do not begin with muster:."
                ));
            }
            tags.push((key.to_owned(), value.to_owned()));
        }
        Ok(Self::Tags(tags))
    }

    /// What a role's scope is at a connection; none where the role holds at another.
    #[must_use]
    pub fn at_connection(self, connection: &str) -> Option<Self> {
        match self {
            Self::All => Some(Self::All),
            Self::Tags(tags) => {
                let (named, rest): (Vec<_>, Vec<_>) =
                    tags.into_iter().partition(|(key, _)| key == CONNECTION_KEY);
                named
                    .iter()
                    .all(|(_, name)| name == connection)
                    .then_some(Self::Tags(rest))
            }
        }
    }

    /// Whether it is all of one connection.
    #[must_use]
    pub fn is_whole_connection(&self) -> bool {
        matches!(self, Self::Tags(tags) if tags.is_empty())
    }

    /// Whether a node with these tags is inside.
    pub fn covers<'a>(&self, tags: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> bool {
        match self {
            Self::All => true,
            Self::Tags(wanted) => wanted
                .iter()
                .all(|(key, value)| tags.clone().any(|(k, v)| k == key && v == value)),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            // Not to be read as everywhere by anybody.
            Self::Tags(tags) if tags.is_empty() => write!(f, "{CONNECTION_KEY}="),
            Self::Tags(tags) => {
                let text: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                f.write_str(&text.join(","))
            }
        }
    }
}

/// A role within a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_only_nodes_that_carry_all_its_tags() {
        let scope = Scope::parse("Environment=Staging, Team=web").unwrap();
        assert!(scope.covers([("Environment", "Staging"), ("Team", "web"), ("x", "y")].into_iter()));
        assert!(!scope.covers([("Environment", "Staging")].into_iter()));
        assert!(!scope.covers([("Environment", "Production"), ("Team", "web")].into_iter()));
        assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        assert!(Scope::parse("Environment").is_err());
        assert!(
            Scope::parse("muster:connection=lab").is_err(),
            "not where tags are meant"
        );
        assert_eq!(Scope::parse("*"), Ok(Scope::All));
    }

    #[test]
    fn what_is_not_about_nodes_takes_the_role_everywhere() {
        use crate::actor::{Actor, Origin};
        let mut actor = Actor::anonymous(Origin::default());
        let part = Scope::parse("Environment=Staging").unwrap();
        actor.grants = vec![Grant {
            role: Role::Administrator,
            scope: part.clone(),
        }];
        assert_eq!(actor.scopes_for(Action::CommandsRun), [part]);
        for action in Action::ALL {
            let by_role = matches!(action.who(), crate::action::Who::Roles(_));
            if by_role && !action.is_about_nodes() {
                assert!(!actor.may(*action), "{action:?}");
            }
        }
        actor.grants.push(Grant {
            role: Role::Auditor,
            scope: Scope::All,
        });
        assert!(actor.may(Action::AuditRead) && !actor.may(Action::UsersRead));
    }

    #[test]
    fn a_role_at_one_connection_is_none_at_others_and_never_one_for_the_server() {
        use crate::actor::{Actor, Origin};
        let whole = Scope::of_role("muster:connection=lab").unwrap();
        let part = Scope::of_role("muster:connection=lab, Team=web").unwrap();
        assert_eq!(Scope::of_role(&part.to_string()), Ok(part.clone()));
        for wrong in ["muster:connection=", "muster:other=x", "muster:connection"] {
            assert!(Scope::of_role(wrong).is_err(), "{wrong}");
        }
        assert_eq!(whole.clone().at_connection("default"), None);
        assert_eq!(part.clone().at_connection("default"), None);
        assert_eq!(part.at_connection("lab"), Scope::parse("Team=web").ok());
        let here = whole.at_connection("lab").unwrap();
        assert!(here.is_whole_connection() && here != Scope::All);
        assert!(
            Scope::of_role(&here.to_string()).is_err(),
            "it is never written down as everywhere"
        );
        let mut actor = Actor::anonymous(Origin::default());
        actor.grants = vec![Grant {
            role: Role::Administrator,
            scope: here,
        }];
        assert_eq!(
            actor.scopes_for(Action::CommandsRun),
            [Scope::All],
            "all there is there"
        );
        for action in [
            Action::ParametersPut,
            Action::WindowsChange,
            Action::FleetCreateActivation,
        ] {
            assert!(actor.may(action), "{action:?}");
        }
        for action in [
            Action::UsersCreate,
            Action::UsersGrantRole,
            Action::UsersRead,
            Action::AuditRead,
            Action::AuditExport,
            Action::ApprovalsChangePolicies,
            Action::TokensCreateFor,
        ] {
            assert!(!actor.may(action), "{action:?}");
        }
        // Where nobody has asked at which connection one is, such a role holds nowhere.
        actor.grants[0].scope = Scope::of_role("muster:connection=lab").unwrap();
        assert!(!actor.may(Action::ParametersPut) && !actor.may(Action::UsersCreate));
    }

    #[test]
    fn no_role_but_administrator_manages_users() {
        for role in Role::ALL {
            assert_eq!(
                role.allows(Action::UsersCreate),
                role == Role::Administrator,
                "{role:?}"
            );
        }
        assert!(!Role::Viewer.allows(Action::CommandsRun));
        assert!(!Role::Auditor.allows(Action::CommandsRun));
    }
}
