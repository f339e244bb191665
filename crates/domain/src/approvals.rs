//! Approvals: which acts take a second pair of eyes, what exactly is asked for, who decided, and what became of it.

mod baseline_plan;
mod calendar;
mod delegation;
mod exception_plan;
mod hypothetical;
mod input;
mod machine;
#[cfg(test)]
mod machine_tests;
mod meeting;
mod parameter_plan;
mod plan;
#[cfg(test)]
mod plan_tests;
mod policy;
mod state;
mod views;
mod voter;
mod window_plan;

pub use baseline_plan::{BaselineAct, PlannedBaseline, PlannedState};
pub use calendar::{Calendar, CalendarEntry, CalendarPage, DAY_MS, EntryKind, Month, span};
pub use delegation::{Delegation, DelegationView, HandOver, StandsIn};
pub use exception_plan::PlannedException;
pub use hypothetical::Hypothetical;
pub use input::{
    Ask, Decide, DecideTogether, MAX_COMMENT, MAX_REASON, ProposedAct, RequestQuery, Review, Tab,
};
pub use machine::{Event, Standing, Track, TrackProgress, step};
pub use meeting::{Demand, Judgement, Meeting, Proposal, glob};
pub use parameter_plan::{PlannedContent, PlannedLabels, PlannedParameter, PlannedVersion};
pub use plan::{Plan, PlanNode, PlanSubject, canonical_json, differences};
pub use policy::{Act, Effect, Freeze, Hours, Level, Policies, Policy, Window};
pub use state::RequestState;
pub use views::{
    Alike, Blast, DecisionView, Happening, LevelView, OneOfSeveral, OutcomeLink, PastOutcome, PoliciesView,
    RequestDetail, RequestSummary, TrackView, WaitingCount,
};
pub use voter::{Decision, Party, Refused, Verdict, Voter};
pub use window_plan::{PlannedDocument, PlannedWindow};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::{DelegationId, RequestId};
use crate::paging::Page;
use async_trait::async_trait;

/// What can be done with approvals. Every call passes the door; a request about nodes outside the actor's scope is not
/// shown, unless it is the actor's own.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Asks for an act to be approved, or, by breaking the glass, does it at once and lets it be reviewed afterwards.
    async fn ask(&self, actor: &Actor, ask: Ask) -> Result<RequestId, PortalError>;
    /// Approves or rejects. The digest has to be the one that the request has now: what was looked at is what is decided.
    async fn decide(&self, actor: &Actor, input: Decide) -> Result<RequestSummary, PortalError>;
    /// Approves or rejects several requests that ask for the same, where the policies let that be. Each is a decision of its own: what
    /// came of it is answered for each.
    async fn decide_together(
        &self,
        actor: &Actor,
        input: DecideTogether,
    ) -> Result<Vec<OneOfSeveral>, PortalError>;
    /// Takes back one's own request.
    async fn withdraw(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError>;
    /// Tells those who can decide once more; at most once in a quarter of an hour.
    async fn remind(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError>;
    /// Gives one's own waiting request its whole time again, once.
    async fn extend(&self, actor: &Actor, request: RequestId) -> Result<(), PortalError>;
    /// Writes down what came of looking at an act for which the glass was broken.
    async fn review(&self, actor: &Actor, input: Review) -> Result<(), PortalError>;
    /// Requests that match: those that are open by what expires first, those that are not newest first.
    async fn list(&self, actor: &Actor, query: RequestQuery) -> Result<Page<RequestSummary>, PortalError>;
    /// One request.
    async fn get(&self, actor: &Actor, request: RequestId) -> Result<RequestDetail, PortalError>;
    /// How many requests wait for the actor, for the badge; and the first few of them.
    async fn waiting(&self, actor: &Actor) -> Result<WaitingCount, PortalError>;
    /// Who stands in for whom: what holds now, and what ended in the last month.
    async fn delegations(&self, actor: &Actor) -> Result<Vec<DelegationView>, PortalError>;
    /// Hands one's own part over to somebody else for a time.
    async fn hand_over(&self, actor: &Actor, input: HandOver) -> Result<DelegationId, PortalError>;
    /// Ends a delegation early: by who handed over, or by who stands in.
    async fn end_delegation(&self, actor: &Actor, delegation: DelegationId) -> Result<(), PortalError>;
    /// The policies that hold.
    async fn policies(&self, actor: &Actor) -> Result<PoliciesView, PortalError>;
    /// Which policies a hypothetical act would meet, and why.
    async fn test_policies(&self, actor: &Actor, act: Hypothetical) -> Result<Meeting, PortalError>;
    /// Replaces the policies by this text; where a policy says so, only on approval (see [`Approvals::ask`]).
    async fn change_policies(&self, actor: &Actor, text: String, was: String) -> Result<(), PortalError>;
}
