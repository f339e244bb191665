//! What pages show of applications, releases and deployments.

use super::application::{ApplicationSettings, Environment};
use super::input::DeploymentKind;
use super::release::Release;
use super::state::DeploymentState;
use crate::approvals::PlanNode;
use crate::ids::{ApplicationId, DeploymentId, ExecutionId, ReleaseId, RequestId};
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which applications to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationQuery {
    /// The name contains.
    pub text: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// Which releases to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseQuery {
    /// Of which application.
    pub application: ApplicationId,
    /// Version, notes or maker contain.
    pub text: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// Which deployments to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentQuery {
    /// Of which application.
    pub application: ApplicationId,
    /// Only to this environment; empty is all.
    pub environment: String,
    /// Only those that stand so.
    pub state: Option<DeploymentState>,
    /// Version, reason, ticket or requester contain.
    pub text: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// A release, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// Which.
    pub release_id: ReleaseId,
    /// Its number, from 1.
    pub number: i64,
    /// Its version.
    pub version: String,
    /// What is in it, and why.
    pub notes: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// The environments in which it runs now.
    pub runs_in: Vec<String>,
}

/// A deployment, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentSummary {
    /// Which.
    pub deployment_id: DeploymentId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// What that was called.
    pub application: String,
    /// To which environment.
    pub environment: String,
    /// Whether it went on, or back.
    pub kind: DeploymentKind,
    /// Which release.
    pub release_id: ReleaseId,
    /// Its number.
    pub number: i64,
    /// Its version.
    pub version: String,
    /// The version that ran before; empty where none did.
    pub replaces: String,
    /// What it was for.
    pub reason: String,
    /// The ticket.
    pub ticket: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: DeploymentState,
    /// How the step that goes back ended, in Systems Manager's word; empty where it did not run.
    pub rolled_back: String,
    /// On how many nodes.
    pub nodes: u32,
    /// The execution that it is.
    pub execution_id: ExecutionId,
    /// The request on which it was approved.
    pub request_id: Option<RequestId>,
}

/// A deployment that waits for approval, or for its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDeployment {
    /// The request.
    pub request_id: RequestId,
    /// What it is, in a line.
    pub title: String,
    /// Whether it is approved, and waits for its time.
    pub is_approved: bool,
}

/// What runs in an environment.
pub type Running = DeploymentSummary;

/// An environment, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentRow {
    /// What it is.
    pub environment: Environment,
    /// The filter that finds its nodes.
    pub filter: String,
    /// What runs there: the newest deployment that succeeded.
    pub current: Option<Running>,
    /// The newest deployment, where that is another one: it runs, or did not go well.
    pub last: Option<DeploymentSummary>,
    /// What waits.
    pub waiting: Vec<WaitingDeployment>,
    /// Whether there is a newer release than the one that runs.
    pub is_outdated: bool,
}

/// An application, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// Which.
    pub application_id: ApplicationId,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its newest release: which, and its version.
    pub newest: Option<(ReleaseId, String)>,
    /// Its environments, in their order.
    pub environments: Vec<EnvironmentRow>,
}

/// A page of applications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationPage {
    /// The rows.
    pub page: Page<ApplicationRow>,
    /// How many there are in all.
    pub total: u64,
    /// Whether the actor may make one.
    pub may_change: bool,
}

/// An application, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationDetail {
    /// Which.
    pub application_id: ApplicationId,
    /// What it is.
    pub settings: ApplicationSettings,
    /// Its environments, in their order, and how they stand.
    pub environments: Vec<EnvironmentRow>,
    /// Its newest release.
    pub newest: Option<(ReleaseId, String)>,
    /// How often it was changed, and one: what a form carries along.
    pub revision: i64,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Whether the actor may change it.
    pub may_change: bool,
    /// Whether the actor may delete it.
    pub may_delete: bool,
    /// Whether the actor may write down releases.
    pub may_release: bool,
    /// Whether the actor may deploy somewhere.
    pub may_deploy: bool,
    /// Whether the actor may roll back somewhere.
    pub may_roll_back: bool,
}

/// A release, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseDetail {
    /// The release.
    pub release: Release,
    /// What its application is called.
    pub application: String,
    /// Whether that was deleted.
    pub is_deleted: bool,
    /// The release before: which, its version, and what differs.
    pub before: Option<(ReleaseId, String, Vec<String>)>,
    /// Each environment where something else runs: its name, the version there, and what differs.
    pub against: Vec<(String, String, Vec<String>)>,
    /// The newest deployments of it.
    pub deployments: Vec<DeploymentSummary>,
    /// Whether the actor may deploy somewhere.
    pub may_deploy: bool,
    /// The application's environments.
    pub environments: Vec<String>,
}

/// A node that a deployment leaves out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedFrom {
    /// What it is called.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a deployment would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployPreview {
    /// The release.
    pub release: Release,
    /// What runs there now.
    pub replaces: Option<Running>,
    /// The nodes on which it would run now.
    pub nodes: Vec<PlanNode>,
    /// Those that are meant, and would be left out now.
    pub excluded: Vec<ExcludedFrom>,
    /// How many of the nodes are in production.
    pub in_production: u64,
    /// Whether their number has to be confirmed.
    pub must_confirm: bool,
    /// What is different from what runs there now, as sentences.
    pub changes: Vec<String>,
    /// What else has to be known, as sentences.
    pub notes: Vec<String>,
    /// The runbook's steps.
    pub steps: Vec<String>,
    /// Those of them that stop something.
    pub stops: Vec<String>,
    /// Everything that the runbook would be given.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// What is in the way: a deployment that runs there now.
    pub busy: Option<DeploymentSummary>,
}

/// A deployment, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentDetail {
    /// The row.
    pub summary: DeploymentSummary,
    /// What the release was, against what ran there before.
    pub changes: Vec<String>,
    /// Whether this is what runs there now.
    pub is_current: bool,
    /// Why the execution failed; empty when it did not.
    pub problem: String,
}
