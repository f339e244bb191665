//! What a request is about, and where to look at what became of it.

use crate::approvals::rows::RequestRow;
use crate::approvals::service::ApprovalService;
use muster_domain::approvals::{
    Act, OutcomeLink, PlanSubject, PlannedBaseline, PlannedException, RequestState,
};
use muster_domain::patching::short_id;

/// The parameter that a request is about.
pub(super) fn parameter_of(row: &RequestRow) -> Option<&str> {
    match &row.plan.subject {
        PlanSubject::Parameter { parameter } => Some(&parameter.name),
        _ => None,
    }
}

/// The patch baseline that a request is about.
pub(super) fn baseline_of(row: &RequestRow) -> Option<&PlannedBaseline> {
    match &row.plan.subject {
        PlanSubject::Baseline { baseline } => Some(baseline.as_ref()),
        _ => None,
    }
}

/// The exception that a request is about.
pub(super) fn exception_of(row: &RequestRow) -> Option<&PlannedException> {
    match &row.plan.subject {
        PlanSubject::Exception { exception } => Some(exception),
        _ => None,
    }
}

/// The maintenance window that a request is about: its id, or its name where it is made.
pub(super) fn window_of(row: &RequestRow) -> Option<&str> {
    match &row.plan.subject {
        PlanSubject::Window { window } if window.id.is_empty() => Some(&window.name),
        PlanSubject::Window { window } => Some(&window.id),
        _ => None,
    }
}

/// What became of it, as a link.
pub(super) fn outcome(row: &RequestRow) -> Option<OutcomeLink> {
    if let Some(execution) = ApprovalService::execution_of(row) {
        return Some(OutcomeLink {
            label: "The execution".into(),
            href: format!("/executions/{execution}"),
        });
    }
    // Its id stands there as soon as it is taken: before it is done there is nothing yet to look at.
    if row.outcome_id.is_empty() || row.standing.state != RequestState::Done {
        return None;
    }
    let (label, href) = match row.act {
        Act::RunCommand => ("The command", format!("/commands/{}", row.outcome_id)),
        Act::OpenTerminal | Act::OpenTunnel => ("The session", format!("/terminals/{}", row.outcome_id)),
        Act::StartRunbook | Act::AnswerStep => ("The execution", format!("/executions/{}", row.outcome_id)),
        Act::HoldRole => ("The role is held", String::new()),
        Act::RevealParameter | Act::PutParameter => (
            "The parameter",
            parameter_of(row).map_or_else(String::new, |name| format!("/parameters/view?name={name}")),
        ),
        Act::DeleteParameter => ("The parameter is deleted", String::new()),
        Act::ChangeBaseline => (
            "The patch baseline",
            baseline_of(row).map_or_else(String::new, |baseline| match baseline.baseline_id.as_str() {
                "" => format!("/patching/baselines?text={}", baseline.name),
                id => format!("/patching/baselines/{}", short_id(id)),
            }),
        ),
        Act::GrantException => ("The register of exceptions", "/patching/exceptions".to_owned()),
        Act::DeleteBaseline => ("The patch baseline is deleted", String::new()),
        Act::ChangeWindow => (
            "The maintenance window",
            match &row.plan.subject {
                PlanSubject::Window { window } if window.id.is_empty() => {
                    format!("/windows?text={}", window.name)
                }
                PlanSubject::Window { window } => format!("/windows/{}", window.id),
                _ => String::new(),
            },
        ),
        Act::DeleteWindow => ("The maintenance window is deleted", String::new()),
        Act::Deploy | Act::RollBack => (
            "The deployment",
            match &row.plan.subject {
                PlanSubject::Deployment { deployment } => format!(
                    "/deployments/{}/runs/{}",
                    deployment.application_id, row.outcome_id
                ),
                _ => String::new(),
            },
        ),
        Act::ChangePolicies => ("The policies", "/approvals/policies".to_owned()),
    };
    Some(OutcomeLink {
        label: label.to_owned(),
        href,
    })
}
