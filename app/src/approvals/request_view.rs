//! One request, with everything that it takes to decide well. Used beside the list and on the request's own page. What
//! changes while it is on show is put in place; a form that somebody is filling in stays.

use super::acts::Acts;
use super::api::get_request;
use super::blast::BlastCard;
use super::decide_form::DecideForm;
use super::decisions::Decisions;
use super::happenings::{History, Past};
use super::review_form::ReviewPart;
use super::rows::StandingBadge;
use super::text_diff::TextDiff;
use super::waiting::use_heard;
use super::will_run::WillRun;
use super::words::{Countdown, request_address, touches};
use crate::components::{CopyButton, Glyph, Icon, TimeAgo};
use crate::layout::initials;
use leptos::prelude::*;
use leptos::task::spawn_local;
use muster_domain::approvals::{RequestDetail, RequestState};
use std::time::Duration;

/// How often it is looked whether the nodes still stand as shown.
const RENEWED_EVERY: Duration = Duration::from_secs(20);
/// Characters of a digest that are enough to tell two apart.
const SHORT: usize = 12;

/// What the parts of the view share.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) detail: RwSignal<RequestDetail>,
    /// Counts the changes.
    pub(super) renewed: RwSignal<u32>,
    acted: Callback<()>,
}

impl Shown {
    /// Its number.
    pub(super) fn id(self) -> String {
        self.detail
            .with_untracked(|detail| detail.summary.request_id.to_string())
    }

    /// Asks anew.
    pub(super) fn renew(self) {
        let Some(id) = self
            .detail
            .try_with_untracked(|detail| detail.summary.request_id.to_string())
        else {
            return;
        };
        spawn_local(async move {
            let Ok(detail) = get_request(id).await else { return };
            if self.detail.try_with_untracked(|now| *now == detail) == Some(false) {
                let _ = self.detail.try_set(detail);
                let _ = self.renewed.try_update(|renewed| *renewed += 1);
            }
        });
    }

    /// Something was done with it here.
    pub(super) fn acted(self) {
        self.renew();
        let _ = self.acted.try_run(());
    }
}

/// The first characters of a digest.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(SHORT).collect()
}

/// The request.
#[component]
pub(super) fn RequestView(
    detail: RequestDetail,
    /// Told when something was done with it here.
    acted: Callback<()>,
    /// The address without it, where it stands beside a list.
    #[prop(optional, into)]
    close: Option<Signal<String>>,
    /// Told how often it changed.
    #[prop(optional)]
    renewed: Option<RwSignal<u32>>,
) -> impl IntoView {
    let shown = Shown {
        detail: RwSignal::new(detail),
        renewed: renewed.unwrap_or_else(|| RwSignal::new(0)),
        acted,
    };
    let heard = use_heard();
    Effect::new(move |before: Option<u32>| {
        let now = heard.get();
        // Made once more from what came with the page, which has changed since.
        let is_old = before.is_none() && shown.renewed.get_untracked() > 0;
        if is_old || before.is_some_and(|before| before != now) {
            shown.renew();
        }
        now
    });
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                let open = shown
                    .detail
                    .try_with_untracked(|detail| detail.summary.state.is_open());
                if open == Some(true) && !document().hidden() {
                    shown.renew();
                }
            },
            RENEWED_EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let title = shown
        .detail
        .with_untracked(|detail| format!("{} · {}", detail.summary.request_id, detail.summary.title));
    let own_page = request_address(&shown.id());
    view! {
        <article class="card request" data-shown=shown.id() aria-labelledby="request-title">
            <header>
                <h2 id="request-title">{title}</h2>
                {move || view! { <StandingBadge request=shown.detail.with(|detail| detail.summary.clone()) /> }}
                {close
                    .map(|close| {
                        view! {
                            <span class="aside row">
                                <a class="btn quiet small" href=own_page>
                                    "Own page"
                                </a>
                                <a class="btn quiet small" href=move || close.get() data-escape="" data-noscroll="">
                                    <Icon glyph=Glyph::Cross />
                                    "Close"
                                </a>
                            </span>
                        }
                    })}
            </header>
            <div class="card-body">
                {move || view! { <Head detail=shown.detail.get() /> }}
                {move || view! { <Notices detail=shown.detail.get() /> }}
                <Acts shown />
                <div class="request-grid">
                    {move || view! { <WillRun detail=shown.detail.get() /> }}
                    {move || view! { <BlastCard detail=shown.detail.get() /> }}
                </div>
                {move || view! { <Texts detail=shown.detail.get() /> }}
                {move || view! { <Decisions detail=shown.detail.get() /> }}
                <DecideForm shown />
                <ReviewPart shown />
                {move || view! { <Past detail=shown.detail.get() /> }}
                {move || view! { <History detail=shown.detail.get() /> }}
                {move || {
                    let (digest, evidence) = shown
                        .detail
                        .with(|detail| {
                            let file = format!("/export/requests/{}", detail.summary.request_id);
                            (detail.digest.clone(), detail.may_export.then_some(file))
                        });
                    view! { <Digest digest evidence /> }
                }}
            </div>
        </article>
    }
}

/// Who asked, when, why, and for how long it holds.
#[component]
fn Head(detail: RequestDetail) -> impl IntoView {
    let request = detail.summary;
    let touches = touches(&request);
    let times = match (request.state, request.usable_until) {
        (RequestState::Waiting, _) => view! { " · " <Countdown at=request.expires_at /> }.into_any(),
        (RequestState::Approved, Some(until)) => {
            view! { " · " <Countdown at=until word="left to use it" /> }.into_any()
        }
        _ => request
            .ended_at
            .map(|at| view! { " · ended " <TimeAgo at /> })
            .into_any(),
    };
    view! {
        <div class="request-head">
            <span class="avatar" aria-hidden="true">
                {initials(&request.requester)}
            </span>
            <div>
                <p>
                    <strong>{request.requester.clone()}</strong>
                    {request.is_own.then_some(" (you)")}
                    <span class="muted">
                        {if request.glass_broken { " broke the glass " } else { " asked " }} <TimeAgo at=request.asked_at />
                        {times} {(!touches.is_empty()).then(|| format!(" · {touches}"))}
                    </span>
                </p>
                {if request.reason.is_empty() {
                    view! { <p class="muted">"No reason was given."</p> }.into_any()
                } else {
                    view! { <p class="request-reason">{request.reason.clone()}</p> }.into_any()
                }}
                {(!request.ticket.is_empty())
                    .then(|| {
                        view! {
                            <p class="small-text">
                                "Ticket " <span class="tag accent" data-ticket="">{request.ticket.clone()}</span>
                            </p>
                        }
                    })}
            </div>
        </div>
    }
}

/// What is out of the ordinary.
#[component]
fn Notices(detail: RequestDetail) -> impl IntoView {
    let request = detail.summary;
    let runs_again = request.state.is_open() && !detail.changed.is_empty();
    view! {
        {request
            .glass_broken
            .then(|| {
                view! {
                    <div class="notice bad" data-glass="">
                        <Icon glyph=Glyph::Warning />
                        <div>
                            <strong>"The glass was broken: this ran without approval."</strong>
                            {match request.review_due_at {
                                Some(at) => view! { " It has to be reviewed: " <Countdown at word="left" /> }.into_any(),
                                None => ().into_any(),
                            }}
                        </div>
                    </div>
                }
            })}
        {(!detail.caution.is_empty())
            .then(|| {
                view! {
                    <div class="notice warn" data-caution="">
                        <Icon glyph=Glyph::Warning />
                        <div>{detail.caution.clone()}</div>
                    </div>
                }
            })}
        {runs_again
            .then(|| {
                view! {
                    <div class="notice warn" data-changed="">
                        <Icon glyph=Glyph::Warning />
                        <div>
                            <strong>"What would run has changed, so what was approved before does not count."</strong>
                            <ul>{detail.changed.iter().map(|text| view! { <li>{text.clone()}</li> }).collect_view()}</ul>
                        </div>
                    </div>
                }
            })}
        {(!detail.problem.is_empty())
            .then(|| {
                view! {
                    <div class="notice bad" data-problem="">
                        <Icon glyph=Glyph::Warning />
                        <div>
                            <strong>"It was tried, and refused. "</strong>
                            {detail.problem.clone()}
                        </div>
                    </div>
                }
            })}
        {detail
            .outcome
            .map(|outcome| {
                view! {
                    <div class="notice ok" data-outcome="">
                        <Icon glyph=Glyph::Check />
                        <div>
                            "What became of it: "
                            {if outcome.href.is_empty() {
                                outcome.label.into_any()
                            } else {
                                view! { <a href=outcome.href>{outcome.label}</a> }.into_any()
                            }}
                        </div>
                    </div>
                }
            })}
    }
}

/// For a change of the policies: what would be different.
#[component]
fn Texts(detail: RequestDetail) -> impl IntoView {
    detail.texts.map(|(old, new)| {
        view! {
            <section class="card">
                <header>
                    <h3>"What would change"</h3>
                </header>
                <div class="card-body">
                    <TextDiff old new label="Differences of the policies" />
                </div>
            </section>
        }
    })
}

#[component]
fn Digest(
    digest: String,
    /// Where the evidence is, for those who may take it away.
    evidence: Option<String>,
) -> impl IntoView {
    view! {
        <p class="request-digest small-text muted">
            "Digest of what is decided on: " <code title=digest.clone()>{short(&digest)}</code>
            <CopyButton text=digest label="Copy the digest" />
            {evidence
                .map(|file| {
                    view! {
                        " · "
                        <a href=file rel="external" download="" data-evidence="">
                            "Evidence, as a signed file"
                        </a>
                    }
                })}
        </p>
    }
}
