//! What is asked for, decided and looked for, and what can be said against it before anything is looked up.

use super::policy::Act;
use super::state::RequestState;
use super::voter::Verdict;
use crate::access::Password;
use crate::commands::RunCommand;
use crate::deployments::{DeployRelease, DeploymentKind};
use crate::error::{FieldError, PortalError};
use crate::ids::{ExecutionId, RequestId};
use crate::paging::Cursor;
use crate::parameters::{LabelVersion, PutParameter, UnlabelVersion};
use crate::patching::{BaselineChange, GrantException};
use crate::permission::{Role, Scope};
use crate::runbooks::StartRunbook;
use crate::sessions::StartSession;
use crate::time::Timestamp;
use crate::windows::{ChangeWindow, WindowChange};
use serde::{Deserialize, Serialize};

/// Characters of a reason at most.
pub const MAX_REASON: usize = 2_000;
/// Characters of a comment at most.
pub const MAX_COMMENT: usize = 1_000;
/// Characters of a ticket at most.
const MAX_TICKET: usize = 100;
/// Minutes of a terminal or a role that can be asked for at most: a week.
const MAX_MINUTES: u32 = 10_080;
/// Characters of the policies' text at most.
const MAX_POLICIES: usize = 256 * 1_024;

/// An act that somebody would like to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum ProposedAct {
    /// Run a command.
    Command {
        /// Which.
        command: RunCommand,
    },
    /// Open a terminal for a time.
    Terminal {
        /// Which.
        session: StartSession,
        /// For how many minutes.
        minutes: u32,
    },
    /// Start a runbook.
    Runbook {
        /// Which.
        runbook: StartRunbook,
    },
    /// Have a role for a time.
    Role {
        /// Which role.
        role: Role,
        /// Where, by tags; `*` is everywhere.
        scope: String,
        /// For how many minutes.
        minutes: u32,
    },
    /// See a secret parameter's value, once.
    RevealParameter {
        /// Of which parameter.
        name: String,
        /// Of which version; of the newest where none is named.
        version: Option<i64>,
    },
    /// Write a parameter.
    PutParameter {
        /// What. A secret is sealed before it is kept.
        parameter: PutParameter,
    },
    /// Set labels on a version of a parameter, which decides what is read by them: it counts as writing it.
    LabelParameter {
        /// Which.
        label: LabelVersion,
    },
    /// Take a label from a version of a parameter.
    UnlabelParameter {
        /// Which.
        label: UnlabelVersion,
    },
    /// Delete a parameter.
    DeleteParameter {
        /// Which.
        name: String,
        /// The version that was looked at.
        version: i64,
    },
    /// Make or change a patch baseline, or for what it holds.
    ChangeBaseline {
        /// What.
        change: BaselineChange,
    },
    /// Delete a patch baseline.
    DeleteBaseline {
        /// Which.
        baseline_id: String,
        /// The SHA-256 of what it said when it was looked at.
        seen: String,
    },
    /// Except a patch on a baseline for a time.
    GrantException {
        /// What.
        exception: GrantException,
    },
    /// Make, change or delete a maintenance window.
    Window {
        /// What.
        change: Box<ChangeWindow>,
    },
    /// Deploy a release of an application, or roll back to one.
    Deployment {
        /// Which.
        deployment: DeployRelease,
    },
    /// Let a runbook go on that waits for an approval. Nobody asks for this: the runbook does.
    Step {
        /// The execution.
        execution: ExecutionId,
        /// The step execution that waits.
        step: String,
    },
    /// Replace the policies.
    Policies {
        /// The text that would hold.
        text: String,
        /// The SHA-256 of the text that it was written against.
        was: String,
    },
}

impl ProposedAct {
    /// Which act.
    #[must_use]
    pub fn act(&self) -> Act {
        match self {
            Self::Command { .. } => Act::RunCommand,
            Self::Terminal { .. } => Act::OpenTerminal,
            Self::Runbook { .. } => Act::StartRunbook,
            Self::Role { .. } => Act::HoldRole,
            Self::RevealParameter { .. } => Act::RevealParameter,
            Self::PutParameter { .. } | Self::LabelParameter { .. } | Self::UnlabelParameter { .. } => {
                Act::PutParameter
            }
            Self::DeleteParameter { .. } => Act::DeleteParameter,
            Self::ChangeBaseline { .. } => Act::ChangeBaseline,
            Self::DeleteBaseline { .. } => Act::DeleteBaseline,
            Self::GrantException { .. } => Act::GrantException,
            Self::Window { change } => match change.change {
                WindowChange::Delete => Act::DeleteWindow,
                _ => Act::ChangeWindow,
            },
            Self::Deployment { deployment } => match deployment.kind {
                DeploymentKind::Deploy => Act::Deploy,
                DeploymentKind::RollBack => Act::RollBack,
            },
            Self::Step { .. } => Act::AnswerStep,
            Self::Policies { .. } => Act::ChangePolicies,
        }
    }
}

/// Input: ask for an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Which act.
    pub act: ProposedAct,
    /// Why.
    pub reason: String,
    /// The ticket that it belongs to.
    pub ticket: String,
    /// Not before this time.
    pub not_before: Option<Timestamp>,
    /// Do it at once, unapproved, and let it be reviewed: only for who may, and with a reason.
    pub break_glass: bool,
}

fn too_long(text: &str, limit: usize) -> bool {
    text.chars().count() > limit
}

impl Ask {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self, now: Timestamp) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.reason.contains('\0') {
            fields.push(FieldError::new("reason", "Use plain text."));
        }
        if too_long(&self.reason, MAX_REASON) {
            fields.push(FieldError::new("reason", "Use at most 2,000 characters."));
        }
        if self.break_glass && self.reason.trim().chars().count() < 10 {
            fields.push(FieldError::new(
                "reason",
                "Say in at least ten characters why this cannot wait: everybody who is passed over reads it.",
            ));
        }
        if too_long(&self.ticket, MAX_TICKET) || self.ticket.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "ticket",
                "Use at most 100 characters, on one line.",
            ));
        }
        if let Some(at) = self.not_before {
            if self.break_glass {
                fields.push(FieldError::new(
                    "not_before",
                    "What cannot wait for approval runs at once.",
                ));
            } else if at.0 < now.0 || at.since_ms(now) > 90 * 86_400_000 {
                fields.push(FieldError::new(
                    "not_before",
                    "Choose a time within the next 90 days.",
                ));
            }
        }
        let minutes = |minutes: u32, fields: &mut Vec<FieldError>| {
            if !(5..=MAX_MINUTES).contains(&minutes) {
                fields.push(FieldError::new("minutes", "Write 5 to 10,080 minutes (a week)."));
            }
        };
        match &self.act {
            ProposedAct::Command { command } => merge(&mut fields, command.check()),
            ProposedAct::Runbook { runbook } => merge(&mut fields, runbook.check()),
            ProposedAct::Terminal {
                session,
                minutes: wanted,
            } => {
                minutes(*wanted, &mut fields);
                merge(&mut fields, session.check(false));
            }
            ProposedAct::Role {
                scope,
                minutes: wanted,
                ..
            } => {
                minutes(*wanted, &mut fields);
                if let Err(why) = Scope::of_role(scope) {
                    fields.push(FieldError::new("scope", why));
                }
            }
            ProposedAct::Window { change } => merge(&mut fields, change.check()),
            ProposedAct::Deployment { deployment } => merge(&mut fields, deployment.check()),
            ProposedAct::PutParameter { parameter } => merge(&mut fields, parameter.check()),
            ProposedAct::LabelParameter { label } => merge(&mut fields, label.check()),
            ProposedAct::UnlabelParameter { label } => merge(&mut fields, label.check()),
            ProposedAct::RevealParameter { name, .. } | ProposedAct::DeleteParameter { name, .. } => {
                if name.trim().is_empty() {
                    fields.push(FieldError::new("name", "Say which parameter."));
                }
            }
            ProposedAct::ChangeBaseline { change } => merge(&mut fields, change.check()),
            ProposedAct::DeleteBaseline { baseline_id, .. } => {
                if baseline_id.trim().is_empty() {
                    fields.push(FieldError::new("baseline_id", "Say which baseline."));
                }
            }
            ProposedAct::GrantException { exception } => merge(&mut fields, exception.check(now)),
            ProposedAct::Step { .. } => fields.push(FieldError::new(
                "act",
                "A step of a runbook asks by itself; nobody asks for it.",
            )),
            ProposedAct::Policies { text, .. } => {
                if too_long(text, MAX_POLICIES) {
                    fields.push(FieldError::new("text", "Use at most 262,144 characters."));
                }
            }
        }
        PortalError::from_fields(fields)
    }
}

fn merge(fields: &mut Vec<FieldError>, checked: Result<(), PortalError>) {
    if let Err(PortalError::Invalid { fields: more }) = checked {
        fields.extend(more);
    }
}

/// Input: decide on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decide {
    /// Which.
    pub request: RequestId,
    /// The digest of what was looked at.
    pub digest: String,
    /// Yes or no.
    pub verdict: Verdict,
    /// Why; needed to say no.
    pub comment: String,
    /// For whom, by account, where one stands in for somebody; empty is for oneself.
    pub on_behalf_of: String,
    /// One's own password, again.
    pub password: Password,
}

impl Decide {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.comment.contains('\0') {
            fields.push(FieldError::new("comment", "Use plain text."));
        }
        if too_long(&self.comment, MAX_COMMENT) {
            fields.push(FieldError::new("comment", "Use at most 1,000 characters."));
        }
        if self.verdict == Verdict::Reject && self.comment.trim().is_empty() {
            fields.push(FieldError::new(
                "comment",
                "Say why: who asked is shown the reason.",
            ));
        }
        if self.password.0.is_empty() {
            fields.push(FieldError::new("password", "Type your password to decide."));
        }
        PortalError::from_fields(fields)
    }
}

/// Requests that are decided on together at most.
const MAX_TOGETHER: usize = 50;

/// Input: approve or reject several requests that ask for the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideTogether {
    /// Which, each with the digest of what was looked at.
    pub requests: Vec<(RequestId, String)>,
    /// Yes or no, for all of them.
    pub verdict: Verdict,
    /// Why, for all of them; needed to say no.
    pub comment: String,
    /// For whom, by account, where one stands in for somebody; empty is for oneself.
    pub on_behalf_of: String,
    /// One's own password, again.
    pub password: Password,
}

impl DecideTogether {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.requests.is_empty() {
            fields.push(FieldError::new("requests", "Tick the requests to decide on."));
        }
        if self.requests.len() > MAX_TOGETHER {
            fields.push(FieldError::new("requests", "Tick at most 50 requests."));
        }
        let ids: std::collections::BTreeSet<&RequestId> = self.requests.iter().map(|(id, _)| id).collect();
        if ids.len() < self.requests.len() {
            fields.push(FieldError::new("requests", "Each request can be ticked once."));
        }
        if too_long(&self.comment, MAX_COMMENT) || self.comment.contains('\0') {
            fields.push(FieldError::new(
                "comment",
                "Use at most 1,000 characters of plain text.",
            ));
        }
        if self.verdict == Verdict::Reject && self.comment.trim().is_empty() {
            fields.push(FieldError::new(
                "comment",
                "Say why: who asked is shown the reason.",
            ));
        }
        if self.password.0.is_empty() {
            fields.push(FieldError::new("password", "Type your password to decide."));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: what came of looking at an act for which the glass was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Which request.
    pub request: RequestId,
    /// Whether it was right to do.
    pub was_right: bool,
    /// What was found.
    pub comment: String,
}

impl Review {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let length = self.comment.trim().chars().count();
        if (1..=MAX_COMMENT).contains(&length) && !self.comment.contains('\0') {
            Ok(())
        } else {
            Err(PortalError::invalid(
                "comment",
                "Say what was found, in 1 to 1,000 characters.",
            ))
        }
    }
}

/// Which requests a list is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    /// Those that the actor can decide on now, or has to review.
    #[default]
    Waiting,
    /// The actor's own.
    Mine,
    /// All that are open.
    All,
    /// All that are over.
    History,
}

impl Tab {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Mine, Self::All, Self::History];

    /// The word in the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Mine => "mine",
            Self::All => "all",
            Self::History => "history",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for me",
            Self::Mine => "Mine",
            Self::All => "All open",
            Self::History => "History",
        }
    }

    /// Reads the word in the URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.as_str() == text)
    }
}

/// Which requests to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestQuery {
    /// Which list.
    pub tab: Tab,
    /// Only in this state.
    pub state: Option<RequestState>,
    /// Only of this act.
    pub act: Option<Act>,
    /// Title, reason, ticket, requester or number contains.
    pub text: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}
