//! Policies: which acts on which resources need whose approval, as they are written.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An act that policies may speak about, by the name that it has in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Act {
    /// Run a command.
    #[serde(rename = "commands.run")]
    RunCommand,
    /// Open a terminal.
    #[serde(rename = "sessions.start")]
    OpenTerminal,
    /// Open a tunnel.
    #[serde(rename = "sessions.tunnel")]
    OpenTunnel,
    /// Start a runbook.
    #[serde(rename = "runbooks.start")]
    StartRunbook,
    /// Have a role for a time.
    #[serde(rename = "access.hold_role")]
    HoldRole,
    /// See a secret parameter's value.
    #[serde(rename = "parameters.reveal")]
    RevealParameter,
    /// Make a parameter or a new version of one, also by restoring an old one.
    #[serde(rename = "parameters.put")]
    PutParameter,
    /// Delete a parameter.
    #[serde(rename = "parameters.delete")]
    DeleteParameter,
    /// Make or change a patch baseline, or for what it holds.
    #[serde(rename = "baselines.change")]
    ChangeBaseline,
    /// Delete a patch baseline.
    #[serde(rename = "baselines.delete")]
    DeleteBaseline,
    /// Except a patch on a baseline for a time.
    #[serde(rename = "exceptions.grant")]
    GrantException,
    /// Make or change a maintenance window, with its targets and tasks.
    #[serde(rename = "windows.change")]
    ChangeWindow,
    /// Delete a maintenance window.
    #[serde(rename = "windows.delete")]
    DeleteWindow,
    /// Deploy a release of an application to an environment.
    #[serde(rename = "deployments.deploy")]
    Deploy,
    /// Roll an environment back to a release that ran there before.
    #[serde(rename = "deployments.roll_back")]
    RollBack,
    /// Change the policies themselves.
    #[serde(rename = "approvals.change_policies")]
    ChangePolicies,
    /// Go on with a step of a runbook that waits for an approval. Never met by a policy: the runbook itself asks.
    #[serde(rename = "runbooks.signal")]
    AnswerStep,
}

impl Act {
    /// All that policies may name.
    pub const ALL: [Self; 16] = [
        Self::RunCommand,
        Self::OpenTerminal,
        Self::OpenTunnel,
        Self::StartRunbook,
        Self::HoldRole,
        Self::RevealParameter,
        Self::PutParameter,
        Self::DeleteParameter,
        Self::ChangeBaseline,
        Self::DeleteBaseline,
        Self::GrantException,
        Self::ChangeWindow,
        Self::DeleteWindow,
        Self::Deploy,
        Self::RollBack,
        Self::ChangePolicies,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunCommand => "commands.run",
            Self::OpenTerminal => "sessions.start",
            Self::OpenTunnel => "sessions.tunnel",
            Self::StartRunbook => "runbooks.start",
            Self::HoldRole => "access.hold_role",
            Self::RevealParameter => "parameters.reveal",
            Self::PutParameter => "parameters.put",
            Self::DeleteParameter => "parameters.delete",
            Self::ChangeBaseline => "baselines.change",
            Self::DeleteBaseline => "baselines.delete",
            Self::GrantException => "exceptions.grant",
            Self::ChangeWindow => "windows.change",
            Self::DeleteWindow => "windows.delete",
            Self::Deploy => "deployments.deploy",
            Self::RollBack => "deployments.roll_back",
            Self::ChangePolicies => "approvals.change_policies",
            Self::AnswerStep => "runbooks.signal",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RunCommand => "Run a command",
            Self::OpenTerminal => "Open a terminal",
            Self::OpenTunnel => "Open a tunnel",
            Self::StartRunbook => "Start a runbook",
            Self::HoldRole => "Hold a role for a time",
            Self::RevealParameter => "Reveal a parameter",
            Self::PutParameter => "Write a parameter",
            Self::DeleteParameter => "Delete a parameter",
            Self::ChangeBaseline => "Change a patch baseline",
            Self::DeleteBaseline => "Delete a patch baseline",
            Self::GrantException => "Except a patch",
            Self::ChangeWindow => "Change a maintenance window",
            Self::DeleteWindow => "Delete a maintenance window",
            Self::Deploy => "Deploy an application",
            Self::RollBack => "Roll an application back",
            Self::ChangePolicies => "Change the policies",
            Self::AnswerStep => "Go on with a runbook",
        }
    }

    /// The act of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::AnswerStep])
            .find(|act| act.as_str() == text)
    }
}

/// What a policy makes of an act that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It may be done at once.
    Allow,
    /// It needs approval.
    #[default]
    Approve,
    /// It may not be done at all.
    Deny,
}

/// One level of approval: so many of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// How many different people have to approve.
    #[serde(default = "one")]
    pub approvals: u32,
    /// Who may: `role:approver`, `group:sre`, `user:alice`.
    pub of: Vec<String>,
    /// After so many minutes without a decision …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_minutes: Option<u32>,
    /// … these may as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<String>,
}

const fn one() -> u32 {
    1
}

/// Hours of the week in which a policy holds, or outside of which it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// `Mon-Fri 08:00-18:00`.
    pub hours: String,
    /// The time zone's name.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Whether the policy holds outside these hours instead.
    #[serde(default)]
    pub outside: bool,
}

fn utc() -> String {
    "UTC".into()
}

/// A window of time in which what was approved may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens: a cron or rate expression as in maintenance windows.
    pub schedule: String,
    /// For how many hours.
    pub hours: u32,
    /// The time zone's name.
    #[serde(default = "utc")]
    pub time_zone: String,
}

/// A time in which acts are stopped, also those that were approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// What it is called.
    pub name: String,
    /// From when, UTC: `2026-12-20T00:00Z`.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Which acts; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<String>,
    /// Which nodes, by tags: `Environment=Production`; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nodes: String,
    /// Who may break the glass all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<String>,
}

/// One policy. An act matches when everything holds that the policy says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What it is called: shown to everybody who meets it.
    pub name: String,
    /// Which acts, by name; `*` stands for any text.
    pub acts: Vec<String>,
    /// Only these documents; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// Only at these connections, by name; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// Only where a node carries these tags (`Environment=Production`), or `*`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nodes: String,
    /// Only above so many nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than_nodes: Option<u64>,
    /// Only terminals as these users of the operating system; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os_users: Vec<String>,
    /// Only these parameters, by path: `/prod/*`; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// Only these maintenance windows, by name: `prod-*`; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance_windows: Vec<String>,
    /// Only these applications, by name: `web-*`; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// Only these environments of applications, by name; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Only for these people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requesters: Vec<String>,
    /// Only at these times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Hours>,
    /// What follows.
    #[serde(default)]
    pub effect: Effect,
    /// Who has to approve, one level after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Whether a reason has to be given.
    #[serde(default)]
    pub reason: bool,
    /// What a ticket has to look like (a regular expression); one has to be given then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Minutes after which a request that nobody decided on is over.
    #[serde(default = "four_hours")]
    pub expires_minutes: u32,
    /// Minutes for which an approval can be used.
    #[serde(default = "four_hours")]
    pub usable_minutes: u32,
    /// Windows in which what was approved may run; any time when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Who may break the glass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<String>,
    /// Hours within which that has to be reviewed.
    #[serde(default = "a_day")]
    pub review_hours: u32,
    /// Whether requests that ask for the same, on other nodes or by other people, can be approved together.
    #[serde(default)]
    pub bulk: bool,
}

pub(super) const fn four_hours() -> u32 {
    240
}

pub(super) const fn a_day() -> u32 {
    24
}

/// All policies, with the words that they use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// What holds for an act that no policy matches.
    #[serde(default = "allow")]
    pub default: Effect,
    /// Groups, by name: account names.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
    /// People who have several accounts, by name: account names.
    #[serde(default)]
    pub people: BTreeMap<String, Vec<String>>,
    /// Times in which nothing is done.
    #[serde(default, rename = "freeze", skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
    /// The policies, in the order in which they are written.
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
}

const fn allow() -> Effect {
    Effect::Allow
}
