//! What pages show of requests and policies.

use super::delegation::StandsIn;
use super::machine::TrackProgress;
use super::plan::Plan;
use super::policy::{Act, Effect, Freeze, Policy, Window};
use super::state::RequestState;
use super::voter::Verdict;
use crate::commands::CommandStatus;
use crate::ids::RequestId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A request, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// `CR-1042`.
    pub request_id: RequestId,
    /// Which act.
    pub act: Act,
    /// One line that says what it is.
    pub title: String,
    /// Who asked.
    pub requester: String,
    /// When.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// Until when it waits for decisions.
    pub expires_at: Timestamp,
    /// Until when the approval can be used.
    pub usable_until: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Approvals that were given.
    pub given: u32,
    /// Approvals that are needed.
    pub needed: u32,
    /// Nodes that it touches.
    pub nodes: u32,
    /// How many of them are in production.
    pub in_production: u32,
    /// Why, as the requester says.
    pub reason: String,
    /// The ticket.
    pub ticket: String,
    /// Whether the glass was broken.
    pub glass_broken: bool,
    /// Until when that has to be reviewed, while it is not.
    pub review_due_at: Option<Timestamp>,
    /// Whether the actor asked.
    pub is_own: bool,
    /// Whether the actor can decide on it now, or has to review it.
    pub waits_for_me: bool,
    /// By what it can be approved together with others, where it can.
    pub alike: Option<Alike>,
}

/// By what a request can be decided on together with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// The same for all that ask for the same.
    pub key: String,
    /// The digest of what is decided on.
    pub digest: String,
}

/// What came of one of several requests that were decided on together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneOfSeveral {
    /// Which.
    pub request: RequestId,
    /// Whether it was approved by this.
    pub is_done: bool,
    /// How it stands, or why it was not.
    pub said: String,
}

/// A decision, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// Who.
    pub account: String,
    /// For whom, by account; empty where for themselves.
    pub on_behalf_of: String,
    /// What.
    pub verdict: Verdict,
    /// Why.
    pub comment: String,
    /// When.
    pub at: Timestamp,
    /// Why it does not count any more; empty when it does.
    pub void_because: String,
}

/// A level of a policy, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelView {
    /// Who may decide, in the policy's words.
    pub of: Vec<String>,
    /// How far it is.
    pub progress: TrackProgress,
}

/// What a policy asks of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackView {
    /// The policy.
    pub policy: String,
    /// Its levels.
    pub levels: Vec<LevelView>,
}

/// Whom it would touch, as things are now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blast {
    /// Nodes by environment, most first; an empty name is none.
    pub by_environment: Vec<(String, u32)>,
    /// Nodes that report.
    pub online: u32,
    /// Nodes that do not.
    pub not_reporting: u32,
    /// Nodes on which somebody has a terminal open.
    pub with_terminals: u32,
    /// Nodes that wait for a reboot, where that is known.
    pub reboot_pending: Option<u32>,
}

/// How the same act ended before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastOutcome {
    /// What it is called: `command 3f…`.
    pub label: String,
    /// Where it is shown.
    pub href: String,
    /// When.
    pub at: Timestamp,
    /// On how many nodes.
    pub targets: u32,
    /// How many of them failed.
    pub errors: u32,
    /// How it stands.
    pub status: CommandStatus,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeLink {
    /// What it is called.
    pub label: String,
    /// Where it is shown; empty when it has no page.
    pub href: String,
}

/// Something that happened to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What, as a sentence.
    pub what: String,
}

/// A request, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDetail {
    /// The row.
    pub summary: RequestSummary,
    /// What will run where.
    pub plan: Plan,
    /// SHA-256 of the plan's canonical bytes, hexadecimal.
    pub digest: String,
    /// How often what would run has changed since it was asked for, and one.
    pub generation: u32,
    /// What changed the last time.
    pub changed: Vec<String>,
    /// What has to be known before deciding, beside all that; empty where there is nothing.
    pub caution: String,
    /// For a change of the policies: the text that holds and the one that would.
    pub texts: Option<(String, String)>,
    /// What the policies ask for.
    pub tracks: Vec<TrackView>,
    /// What was decided.
    pub decisions: Vec<DecisionView>,
    /// Whom it would touch.
    pub blast: Blast,
    /// How the same act ended before.
    pub past: Vec<PastOutcome>,
    /// What became of it.
    pub outcome: Option<OutcomeLink>,
    /// Why it failed; empty when it did not.
    pub problem: String,
    /// What happened to it.
    pub history: Vec<Happening>,
    /// Windows in which it may run, each policy's; empty means any time.
    pub windows: Vec<Vec<Window>>,
    /// When it runs, once approved, as far as that is known.
    pub runs_at: Option<Timestamp>,
    /// Why the actor cannot decide for themselves; empty when they can.
    pub why_not_decide: String,
    /// For whom the actor can decide now, standing in for them.
    pub stands_in: Vec<StandsIn>,
    /// Accounts that can decide on it now.
    pub deciders: Vec<String>,
    /// Whether the actor can take it back.
    pub may_withdraw: bool,
    /// Whether the actor can ask for more time.
    pub may_extend: bool,
    /// Whether the actor can remind.
    pub may_remind: bool,
    /// Whether the actor can use the approval now: open the terminal.
    pub may_use: bool,
    /// Whether the actor can review the broken glass.
    pub may_review: bool,
    /// Whether the actor can take the evidence away.
    pub may_export: bool,
    /// What came of the review: who, when, whether it was right, what was found.
    pub review: Option<(String, Timestamp, bool, String)>,
}

/// What waits for the actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingCount {
    /// How many; at most a hundred are counted.
    pub count: u32,
    /// The first of them.
    pub first: Vec<RequestSummary>,
}

/// The policies that hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliciesView {
    /// Their text, in TOML.
    pub text: String,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
    /// What holds for what no policy is about.
    pub default: Effect,
    /// The policies.
    pub policies: Vec<Policy>,
    /// The freezes.
    pub freezes: Vec<Freeze>,
    /// Groups: name and accounts.
    pub groups: Vec<(String, Vec<String>)>,
    /// The file that they are read from, when they are not changed here.
    pub file: Option<String>,
    /// What is wrong with the file, when its last version cannot be used: the version before holds.
    pub problem: String,
    /// Whether the actor may change them here.
    pub may_change: bool,
    /// Who changed them last.
    pub changed_by: String,
    /// When.
    pub changed_at: Option<Timestamp>,
}
