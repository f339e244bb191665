//! The audit log: who did what, on what, from where, when and with which outcome.

use crate::action::Action;
use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::ActId;
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and did not work.
    Failure,
    /// It was refused: not signed in, not allowed.
    Denied,
    /// It was begun; how it ended is not recorded (the server was stopped in the middle).
    Unknown,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Denied, Self::Unknown];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// What every Systems Manager call of the embedded endpoint is called in the log begins with this; the operation
/// follows, as in `ssm.SendCommand`.
pub const API_PREFIX: &str = "ssm.";

/// The same for calls of its key management service, as in `kms.Decrypt`.
pub const KMS_PREFIX: &str = "kms.";
/// Calls that scripts make to EC2.
pub const EC2_PREFIX: &str = "ec2.";
/// Calls of the notification service beside it.
pub const SNS_PREFIX: &str = "sns.";
/// Calls of resource groups beside it.
pub const GROUPS_PREFIX: &str = "resource-groups.";

/// Whether an act changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActKind {
    /// Something is different afterwards.
    Changes,
    /// It only looked.
    Reads,
}

impl ActKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Changes, Self::Reads];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Reads => "reads",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What an act is about to do. Details never hold a secret.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Which kind of act.
    pub action: Action,
    /// What the log calls it when more is known than the kind of act: `ssm.SendCommand`.
    pub name: Option<String>,
    /// On what: `node:mi-…`, `command:…`, `user:alice`, or empty.
    pub resource: String,
    /// Its parameters, by name.
    pub detail: BTreeMap<String, serde_json::Value>,
}

impl Intent {
    /// An act on `resource` without further detail.
    pub fn new(action: Action, resource: impl Into<String>) -> Self {
        Self {
            action,
            name: None,
            resource: resource.into(),
            detail: BTreeMap::new(),
        }
    }

    /// The same under a name of its own in the log.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The word for it in the log.
    #[must_use]
    pub fn logged_as(&self) -> &str {
        self.name.as_deref().unwrap_or(self.action.as_str())
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// One act, its intent and its outcome read together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntryView {
    /// The row's place in the log.
    pub sequence: i64,
    /// Ties intent and outcome.
    pub act_id: ActId,
    /// When it began.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What: an action's name, or `ssm.` and an operation of the embedded endpoint.
    pub action: String,
    /// On what.
    pub resource: String,
    /// From which address.
    pub address: String,
    /// `browser`, `cli`, `api` or `server`.
    pub via: String,
    /// With which program.
    pub user_agent: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The row that recorded the outcome, when it is another one.
    pub outcome_sequence: Option<i64>,
    /// Why not, when it did not work.
    pub message: String,
    /// Parameters and results, as JSON.
    pub detail: String,
    /// The row's hash, hexadecimal.
    pub hash: String,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Exactly this actor.
    pub actor: Option<String>,
    /// This action, or all of a feature when it ends with `.`.
    pub action: Option<String>,
    /// Resources that begin with this.
    pub resource: Option<String>,
    /// This outcome.
    pub outcome: Option<Outcome>,
    /// Only acts that change something, or only those that do not.
    pub kind: Option<ActKind>,
    /// From this address.
    pub address: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// What checking the log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Rows read.
    pub rows: u64,
    /// Signed checkpoints checked.
    pub checkpoints: u64,
    /// Everything that is wrong, in order; empty means intact.
    pub findings: Vec<Finding>,
    /// The hash of the last row, hexadecimal.
    pub head: String,
    /// When it was checked.
    pub checked_at: Timestamp,
}

/// One thing that is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The row that it concerns.
    pub sequence: i64,
    /// What is wrong, as a sentence that names the row.
    pub message: String,
}

/// Where acts are written down before and after they are done. The service behind it is the
/// only writer of the log; when `begin` fails, the act must not be done.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Writes that `actor` is about to do `intent`, durably, and gives the act's id.
    async fn begin(&self, actor: &Actor, intent: &Intent) -> Result<ActId, PortalError>;
    /// Writes how the act ended. `result` holds ids and counts, never secrets.
    async fn complete(
        &self,
        actor: &Actor,
        intent: &Intent,
        act: &ActId,
        outcome: Outcome,
        message: &str,
        result: BTreeMap<String, serde_json::Value>,
    ) -> Result<(), PortalError>;
    /// Writes an act and its outcome in one row: for reads, refusals and events.
    async fn record(
        &self,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError>;
    /// The same for an event that has an id of its own: when a row of that id is there already, nothing is added. So it
    /// can be tried again until it is known to be written, over a restart, too.
    async fn record_once(
        &self,
        act: &ActId,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError>;
}

/// What can be done with the audit log. Every call passes the door, and is itself recorded.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Acts that match, newest first.
    async fn list(&self, actor: &Actor, query: AuditQuery) -> Result<Page<AuditEntryView>, PortalError>;
    /// What was wrong with the log when the server started, for those who may read it; nothing for others. Not
    /// recorded: it is part of every page's frame.
    fn warning(&self, actor: &Actor) -> Option<Finding>;
    /// Checks the whole log.
    async fn verify(&self, actor: &Actor) -> Result<VerifyReport, PortalError>;
}
