//! How a deployment stands, as a dot and words, and how it is shown in a row.

use super::url::run_path;
use crate::components::TimeAgo;
use leptos::prelude::*;
use muster_domain::deployments::{
    DeploymentKind, DeploymentState, DeploymentSummary, WaitingDeployment, rolled_back_words,
};

/// How it stands.
#[component]
pub(super) fn State(state: DeploymentState, #[prop(into)] rolled_back: String) -> impl IntoView {
    let dot = match state {
        DeploymentState::Running => "info",
        DeploymentState::Succeeded => "ok",
        DeploymentState::Failed => "bad",
        DeploymentState::Stopped => "off",
    };
    let back = rolled_back_words(&rolled_back).map(|words| format!(", {words}"));
    view! {
        <span class="status-dot" data-state=state.as_str()>
            <span class=format!("dot {dot}") aria-hidden="true"></span>
            {state.label()}
            {back}
        </span>
    }
}

/// A rollback says that it is one.
#[component]
pub(super) fn Kind(kind: DeploymentKind) -> impl IntoView {
    (kind == DeploymentKind::RollBack).then(|| {
        view! {
            <span class="tag" data-kind="roll_back">
                "Rollback"
            </span>
        }
    })
}

/// What waits for approval or for its time.
#[component]
pub(super) fn Waits(waiting: Vec<WaitingDeployment>) -> impl IntoView {
    waiting
        .into_iter()
        .map(|one| {
            let word = if one.is_approved {
                "Approved: "
            } else {
                "Waits for approval: "
            };
            view! {
                <small data-waiting=one.request_id.to_string()>
                    {word} <a href=format!("/approvals/{}", one.request_id)>{one.request_id.to_string()}</a>
                </small>
            }
        })
        .collect_view()
}

/// A deployment in a cell: its version, how it stands, when, and by whom.
#[component]
pub(super) fn Brief(deployment: DeploymentSummary) -> impl IntoView {
    let href = run_path(
        deployment.application_id.as_str(),
        deployment.deployment_id.as_str(),
    );
    let at = deployment.ended_at.unwrap_or(deployment.requested_at);
    view! {
        <span class="row">
            <a class="strong break-anywhere" href=href>
                {deployment.version}
            </a>
            <Kind kind=deployment.kind />
        </span>
        <State state=deployment.state rolled_back=deployment.rolled_back />
        <small>
            <TimeAgo at />
            {format!(" by {}", deployment.requested_by)}
        </small>
    }
}
