//! Deployments: applications with their environments, releases that are never changed, and what runs where. A deployment is an
//! execution of the application's runbook.

mod application;
mod input;
mod plan;
mod release;
mod state;
mod views;

pub use application::{
    ApplicationChange, ApplicationSettings, ChangeApplication, Environment, MAX_ENVIRONMENTS, USUAL_RUNBOOK,
    parameter_lines, read_parameters,
};
pub use input::{CreateRelease, DeployRelease, DeploymentKind};
pub use plan::{PlannedDeployment, PlannedRelease, changes};
pub use release::{Release, ReleaseContent, parameters_of};
pub use state::{DeploymentState, ROLL_BACK_STEP, rolled_back_words};
pub use views::{
    ApplicationDetail, ApplicationPage, ApplicationQuery, ApplicationRow, DeployPreview, DeploymentDetail,
    DeploymentQuery, DeploymentSummary, EnvironmentRow, ExcludedFrom, ReleaseDetail, ReleaseQuery,
    ReleaseSummary, Running, WaitingDeployment,
};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::{ApplicationId, DeploymentId, ReleaseId};
use crate::paging::Page;
use async_trait::async_trait;

/// What can be done with deployments. Every call passes the door.
#[async_trait]
pub trait Deployments: Send + Sync {
    /// Applications that match, by name, with what runs in each of their environments.
    async fn list(&self, actor: &Actor, query: ApplicationQuery) -> Result<ApplicationPage, PortalError>;
    /// One application, also one that was deleted: its history stays.
    async fn application(
        &self,
        actor: &Actor,
        application: ApplicationId,
    ) -> Result<ApplicationDetail, PortalError>;
    /// Makes or changes an application, or deletes it. Refused when it was changed since it was looked at.
    async fn change(&self, actor: &Actor, input: ChangeApplication) -> Result<ApplicationId, PortalError>;
    /// Releases of an application, newest first.
    async fn releases(&self, actor: &Actor, query: ReleaseQuery)
    -> Result<Page<ReleaseSummary>, PortalError>;
    /// One release, with what differs from the one before and from what runs in each environment.
    async fn release(&self, actor: &Actor, release: ReleaseId) -> Result<ReleaseDetail, PortalError>;
    /// Writes a release down, for good.
    async fn create_release(&self, actor: &Actor, input: CreateRelease) -> Result<ReleaseId, PortalError>;
    /// Releases that an environment can be rolled back to: those that succeeded there, but for the one that runs.
    async fn earlier(
        &self,
        actor: &Actor,
        application: ApplicationId,
        environment: String,
    ) -> Result<Vec<ReleaseSummary>, PortalError>;
    /// What a deployment would do, now.
    async fn preview(&self, actor: &Actor, input: DeployRelease) -> Result<DeployPreview, PortalError>;
    /// Deploys a release, or rolls back to one: starts the runbook.
    async fn deploy(&self, actor: &Actor, input: DeployRelease) -> Result<DeploymentId, PortalError>;
    /// Deployments of an application, newest first.
    async fn history(
        &self,
        actor: &Actor,
        query: DeploymentQuery,
    ) -> Result<Page<DeploymentSummary>, PortalError>;
    /// One deployment.
    async fn deployment(
        &self,
        actor: &Actor,
        deployment: DeploymentId,
    ) -> Result<DeploymentDetail, PortalError>;
}
