//! Requests as rows, beside the one that is chosen.

use super::list_url::{PATH, RequestsUrl};
use super::together::{Tick, Ticks};
use super::words::{Countdown, standing, touches};
use crate::components::{Empty, EmptyState, Pager, StatusBadge, TimeAgo, plural};
use leptos::prelude::*;
use muster_domain::approvals::{Alike, RequestState, RequestSummary, Tab};
use muster_domain::paging::Page;

/// The rows of a page, or why there are none. `selected` is read as it changes: rows are not made anew for it.
#[component]
pub(super) fn Rows(
    url: RequestsUrl,
    page: Page<RequestSummary>,
    selected: Memo<Option<String>>,
    /// Whether the reader may ask for a role.
    may_ask: bool,
    /// What is ticked.
    ticks: Ticks,
) -> impl IntoView {
    if page.items.is_empty() {
        return view! {
            <section class="card">
                <Nothing url may_ask />
            </section>
        }
        .into_any();
    }
    let order = match url.tab {
        Tab::History => "newest first",
        _ => "what runs out first is first",
    };
    let count = format!(
        "{}, {order}",
        plural(page.items.len() as u64, "request", "requests")
    );
    let first = url.cursor.is_some().then(|| url.page(None).address());
    let next = page.next.map(|cursor| url.page(Some(cursor.0)).address());
    view! {
        <section class="card" aria-label="Requests">
            <ul class="list requests">
                {page
                    .items
                    .into_iter()
                    .map(|request| {
                        let href = url.with_selected(Some(request.request_id.to_string())).address();
                        let alike = request.alike.clone().filter(|_| url.tab == Tab::Waiting);
                        view! { <Row request href selected alike ticks /> }
                    })
                    .collect_view()}
            </ul>
        </section>
        <Pager count first next />
    }
    .into_any()
}

#[component]
fn Row(
    request: RequestSummary,
    href: String,
    selected: Memo<Option<String>>,
    alike: Option<Alike>,
    ticks: Ticks,
) -> impl IntoView {
    let id = request.request_id.to_string();
    // Counted, not owned: it must outlive the run that made it as long as it is on show.
    let is_chosen = {
        let id = id.clone();
        ArcMemo::new(move |_| selected.with(|selected| selected.as_deref() == Some(id.as_str())))
    };
    let current = {
        let is_chosen = is_chosen.clone();
        move || is_chosen.get().then_some("true")
    };
    let touches = touches(&request);
    let count = format!("{} of {}", request.given, request.needed);
    let waits = request.state == RequestState::Waiting;
    view! {
        <li data-row="" tabindex="-1" data-request=id.clone() class:chosen=move || is_chosen.get()>
            {alike.map(|alike| view! { <Tick request=id.clone() alike ticks /> })}
            <span class="two-lines grow">
                <a class="strong" data-act="open" data-noscroll="" href=href aria-current=current>
                    {format!("{id} · {}", request.title)}
                </a>
                <small>
                    {request.requester}
                    {request.is_own.then_some(" (you)")}
                    " · "
                    <TimeAgo at=request.asked_at />
                    {(!touches.is_empty()).then(|| format!(" · {touches}"))}
                </small>
            </span>
            <span class="request-marks">
                {request.glass_broken.then(|| view! { <span class="tag bad">"Glass broken"</span> })}
                {if waits {
                    view! {
                        <span class="tag warn" title="approvals">
                            {count}
                        </span>
                        <Countdown at=request.expires_at />
                    }
                        .into_any()
                } else {
                    view! { <StatusBadge badge=request.state label=request.state.label() /> }.into_any()
                }}
                {request
                    .review_due_at
                    .map(|at| view! { <Countdown at word="left to review" /> })}
            </span>
        </li>
    }
}

#[component]
fn Nothing(url: RequestsUrl, may_ask: bool) -> impl IntoView {
    if url.is_filtered() || url.cursor.is_some() {
        return view! {
            <EmptyState kind=Empty::NothingMatches title="No request matches">
                <p>"Nothing in this list fits all conditions."</p>
                <a class="btn" href=RequestsUrl::on(url.tab).address()>
                    "Clear the filter"
                </a>
            </EmptyState>
        }
        .into_any();
    }
    let (title, text) = match url.tab {
        Tab::Waiting => (
            "Nothing waits for you",
            "What policies want you to decide on will be listed here.",
        ),
        Tab::Mine => (
            "You have asked for nothing yet",
            "Where a policy asks for approval, the page on which you act offers to ask for it.",
        ),
        Tab::All => (
            "No request is open",
            "Requests that wait, or are approved and not done yet, will be listed here.",
        ),
        Tab::History => (
            "No request has ended yet",
            "What was done, rejected, withdrawn or not decided in time will be listed here.",
        ),
    };
    view! {
        <EmptyState kind=Empty::NothingExists title>
            <p>{text}</p>
            <div class="row">
                {(url.tab == Tab::Waiting)
                    .then(|| view! { <a class="btn" href=RequestsUrl::on(Tab::All).address()>"All open"</a> })}
                {(url.tab == Tab::Mine && may_ask)
                    .then(|| view! { <a class="btn" href=format!("{PATH}/role")>"Ask for a role"</a> })}
            </div>
        </EmptyState>
    }
    .into_any()
}

/// Where a request stands, as a badge.
#[component]
pub(super) fn StandingBadge(request: RequestSummary) -> impl IntoView {
    let label = standing(&request);
    view! { <StatusBadge badge=request.state label /> }
}
