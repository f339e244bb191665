//! The server functions of requests: looking at them, deciding on them, and what else can be done with one.

use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{approvals::list_url::RequestsUrl, backend::call, url::Query};
use leptos::prelude::*;
use muster_domain::access::Password;
use muster_domain::approvals::{OneOfSeveral, RequestDetail, RequestSummary, WaitingCount};
use muster_domain::paging::Page;
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    approvals::{Decide, DecideTogether, Review, Verdict},
};

/// Requests that match. `query` is the part of the page's address after `?`.
#[server(prefix = "/api", endpoint = "approvals/list", output = Json)]
pub(crate) async fn list_requests(query: String) -> Result<Page<RequestSummary>, AppError> {
    call(|backend, actor| async move {
        let query = RequestsUrl::read(&Query::parse(&query)).readable()?.query();
        backend.approvals.list(&actor, query).await
    })
    .await
}

/// One request.
#[server(prefix = "/api", endpoint = "approvals/get", output = Json)]
pub(crate) async fn get_request(request_id: String) -> Result<RequestDetail, AppError> {
    call(|backend, actor| async move { backend.approvals.get(&actor, request_id.as_str().into()).await })
        .await
}

/// What waits for whoever asks.
#[server(prefix = "/api", endpoint = "approvals/waiting", output = Json)]
pub(crate) async fn get_waiting() -> Result<WaitingCount, AppError> {
    call(|backend, actor| async move { backend.approvals.waiting(&actor).await }).await
}

#[cfg(feature = "ssr")]
fn read_verdict(text: &str) -> Result<Verdict, PortalError> {
    match text {
        "approve" => Ok(Verdict::Approve),
        "reject" => Ok(Verdict::Reject),
        _ => Err(PortalError::invalid("verdict", "Choose Approve or Reject.")),
    }
}

/// Approves or rejects a request. The digest is that of what the page showed.
#[server(name = DecideRequest, prefix = "/api", endpoint = "approvals/decide", output = Json)]
pub(crate) async fn decide_request(
    request_id: String,
    digest: String,
    verdict: String,
    #[server(default)] comment: Option<String>,
    #[server(default)] on_behalf_of: Option<String>,
    password: Password,
) -> Result<RequestSummary, AppError> {
    call(|backend, actor| async move {
        let verdict = read_verdict(&verdict)?;
        let input = Decide {
            request: request_id.as_str().into(),
            digest: digest.trim().to_owned(),
            verdict,
            comment: comment.unwrap_or_default().trim().to_owned(),
            on_behalf_of: on_behalf_of.unwrap_or_default().trim().to_owned(),
            password,
        };
        backend.approvals.decide(&actor, input).await
    })
    .await
}

/// Approves or rejects several requests that ask for the same. Each is ticked as `CR-1042:` and the digest of what the page showed.
#[server(name = DecideTicked, prefix = "/api", endpoint = "approvals/decide_together", output = Json)]
pub(crate) async fn decide_ticked(
    #[server(default)] ticked: Option<Vec<String>>,
    verdict: String,
    #[server(default)] comment: Option<String>,
    #[server(default)] on_behalf_of: Option<String>,
    password: Password,
) -> Result<Vec<OneOfSeveral>, AppError> {
    call(|backend, actor| async move {
        let requests = ticked
            .unwrap_or_default()
            .iter()
            .map(|text| {
                let (id, digest) = text.split_once(':').unwrap_or((text, ""));
                (id.into(), digest.to_owned())
            })
            .collect();
        let input = DecideTogether {
            requests,
            verdict: read_verdict(&verdict)?,
            comment: comment.unwrap_or_default().trim().to_owned(),
            on_behalf_of: on_behalf_of.unwrap_or_default().trim().to_owned(),
            password,
        };
        backend.approvals.decide_together(&actor, input).await
    })
    .await
}

/// Takes back one's own request.
#[server(name = WithdrawRequest, prefix = "/api", endpoint = "approvals/withdraw", output = Json)]
pub(crate) async fn withdraw_request(request_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .approvals
            .withdraw(&actor, request_id.as_str().into())
            .await
    })
    .await
}

/// Tells those who can decide once more.
#[server(name = RemindDeciders, prefix = "/api", endpoint = "approvals/remind", output = Json)]
pub(crate) async fn remind_deciders(request_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.approvals.remind(&actor, request_id.as_str().into()).await })
        .await
}

/// Gives one's own waiting request its whole time again.
#[server(name = ExtendRequest, prefix = "/api", endpoint = "approvals/extend", output = Json)]
pub(crate) async fn extend_request(request_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.approvals.extend(&actor, request_id.as_str().into()).await })
        .await
}

/// Writes down what came of looking at an act for which the glass was broken. `was_right` is `yes` or `no`.
#[server(name = ReviewGlass, prefix = "/api", endpoint = "approvals/review", output = Json)]
pub(crate) async fn review_glass(
    request_id: String,
    #[server(default)] was_right: Option<String>,
    #[server(default)] comment: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let was_right = match was_right.as_deref() {
            Some("yes") => true,
            Some("no") => false,
            _ => return Err(PortalError::invalid("was_right", "Say whether it was right.")),
        };
        let input = Review {
            request: request_id.as_str().into(),
            was_right,
            comment: comment.unwrap_or_default().trim().to_owned(),
        };
        backend.approvals.review(&actor, input).await
    })
    .await
}
