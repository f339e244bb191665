//! The page of requests: the lists, and one request beside its list. Its address says all of it.

use super::api::{get_request, list_requests};
use super::list_url::{PATH, RequestsUrl};
use super::request_view::RequestView;
use super::rows::Rows;
use super::together::{Ticks, Together};
use super::waiting::{ApprovalsBadge, use_heard};
use crate::components::{
    ErrorNotice, Fresh, Glyph, Icon, Keeper, PageHead, SelectField, Skeleton, StaleNotice, any_or, renewed,
};
use crate::layout::use_frame;
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Form;
use leptos_router::hooks::{use_location, use_navigate};
use muster_domain::PortalError;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, RequestState, Tab};
use std::sync::Arc;
use std::time::Duration;

const RENEWED_EVERY: Duration = Duration::from_secs(15);

/// The page.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    let query = use_query();
    let frame = use_frame();
    let url = Memo::new(move |_| query.with(RequestsUrl::read));
    // The chosen request is no part of this: choosing another must not load the list again.
    let asked = Memo::new(move |_| url.with(|url| url.clone().readable().map(|url| url.rows())));
    let selected = Memo::new(move |_| url.with(|url| url.selected.clone()));
    let filter = Memo::new(move |_| url.with(|url| url.with_selected(None)));
    let rows = renewed(
        move || asked.get(),
        |asked| async move { list_requests(asked?).await },
    );
    let heard = use_heard();
    Effect::new(move |before: Option<u32>| {
        let now = heard.get();
        if before.is_some_and(|before| before != now) {
            rows.refetch();
        }
        now
    });
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
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
    let navigate = use_navigate();
    let path = use_location().pathname;
    Effect::new(move |_| {
        // An address made by the filter form is replaced by the plain one that says the same. On the way to another
        // page the query is that page's already, and none of ours.
        let url = url.get();
        if url.untidy && url.problems.is_empty() && path.get_untracked() == PATH {
            navigate(
                &url.address(),
                NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                },
            );
        }
    });
    let acted = Callback::new(move |()| rows.refetch());
    let ticks = Ticks::new();
    let first = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        if let Some(Ok(page)) = rows.get() {
            ticks.keep_of(&page.value.items);
            first.set_value(
                page.value
                    .items
                    .first()
                    .map(|request| request.request_id.to_string()),
            );
        }
    });
    let is_waiting = Memo::new(move |_| url.with(|url| url.tab == Tab::Waiting));
    let keeper = Keeper::here();
    view! {
        <PageHead title="Approvals" subtitle=|| "Changes that wait for a second pair of eyes">
            <a class="btn" href=format!("{PATH}/role")>
                "Ask for a role"
            </a>
            <a class="btn" href=format!("{PATH}/delegations")>
                "Delegations"
            </a>
            <a class="btn" href=format!("{PATH}/calendar")>
                <Icon glyph=Glyph::Calendar />
                "Calendar"
            </a>
            <a class="btn" href=format!("{PATH}/policies")>
                <Icon glyph=Glyph::Shield />
                "Policies"
            </a>
        </PageHead>
        <div class="approvals" class:chosen=move || selected.with(Option::is_some)>
            <div class="approvals-filter">
                <Lists url />
                {move || view! { <Filter url=filter.get() /> }}
            </div>
            <div class="approvals-list">
                <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
                    {move || {
                        let keeper = keeper.clone();
                        Suspend::new(async move {
                            let may_ask = frame.await.is_ok_and(|frame| frame.may(Action::ApprovalsAsk));
                            match rows.await {
                                Ok(Fresh { value: page, stale }) => {
                                    let page = Arc::unwrap_or_clone(page);
                                    keeper
                                        .view(move || {
                                            view! {
                                                <StaleNotice stale />
                                                <Rows url=url.get_untracked() page selected may_ask ticks />
                                            }
                                        })
                                }
                                Err(error) => {
                                    let clear = url.with_untracked(|url| RequestsUrl::on(url.tab).address());
                                    view! {
                                        <div class="card card-body">
                                            <ErrorNotice error what="the requests" clear />
                                        </div>
                                    }
                                        .into_any()
                                }
                            }
                        })
                    }}
                </Transition>
                {move || is_waiting.get().then(|| view! { <Together ticks acted /> })}
            </div>
            <Beside url first acted />
        </div>
    }
}

/// The lists, as chips.
#[component]
fn Lists(url: Memo<RequestsUrl>) -> impl IntoView {
    view! {
        <nav class="tab-chips" aria-label="Lists of requests">
            {Tab::ALL
                .into_iter()
                .map(|tab| {
                    view! {
                        <a
                            class="tab-chip"
                            href=RequestsUrl::on(tab).address()
                            aria-current=move || url.with(|url| url.tab == tab).then_some("page")
                        >
                            {tab.label()}
                            {(tab == Tab::Waiting).then(|| view! { <ApprovalsBadge /> })}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}

#[component]
fn Filter(url: RequestsUrl) -> impl IntoView {
    let states = any_or(
        RequestState::ALL
            .iter()
            .filter(|state| state.is_open() != (url.tab == Tab::History))
            .map(|state| (state.as_str(), state.label())),
    );
    let acts = any_or(
        Act::ALL
            .iter()
            .chain([&Act::AnswerStep])
            .map(|act| (act.as_str(), act.label())),
    );
    let (state_problem, act_problem) = (
        problem_of(&url.problems, "state"),
        problem_of(&url.problems, "act"),
    );
    let narrowed = url.is_filtered() || !url.problems.is_empty();
    let clear = RequestsUrl::on(url.tab).address();
    view! {
        <Form method="GET" action=PATH attr:class="command-filter" attr:role="search" attr:aria-label="Filter requests">
            <input type="hidden" name="tab" value=url.tab.as_str() />
            <div class="field">
                <label for="q">"Title, reason, ticket, person or number"</label>
                <input id="q" name="q" value=url.text autocomplete="off" data-filter="" />
            </div>
            <SelectField
                name="state"
                label="State"
                options=states
                selected=url.state.map(RequestState::as_str).unwrap_or_default()
                error=state_problem
            />
            <SelectField
                name="act"
                label="Act"
                options=acts
                selected=url.act.map(Act::as_str).unwrap_or_default()
                error=act_problem
            />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href=clear>"Clear"</a> })}
            </div>
        </Form>
    }
}

/// What stands beside the list.
#[derive(Clone, PartialEq)]
enum Asked {
    /// The request of that number.
    Chosen(String),
    /// The first of these rows.
    First(Result<String, PortalError>),
}

/// The request that the address names; where it names none, the first of the list (on wide screens only).
#[component]
fn Beside(
    url: Memo<RequestsUrl>,
    /// The first request of the list, once there is one.
    first: StoredValue<Option<String>>,
    acted: Callback<()>,
) -> impl IntoView {
    // What is on show. Choosing that very request, or leaving it where it is the first, loads nothing anew: somebody may be
    // typing in its form.
    let on_show = StoredValue::new(None::<String>);
    let asked = Memo::new(move |before: Option<&Asked>| {
        let now = url.with(|url| match &url.selected {
            Some(id) => Asked::Chosen(id.clone()),
            None => Asked::First(url.clone().readable().map(|url| url.rows())),
        });
        match (before, &now) {
            (Some(unchosen @ Asked::First(_)), Asked::Chosen(id))
                if on_show.with_value(|on_show| on_show.as_ref() == Some(id)) =>
            {
                unchosen.clone()
            }
            (Some(chosen @ Asked::Chosen(id)), Asked::First(_))
                if first.with_value(|first| first.as_ref() == Some(id))
                    && on_show.with_value(|on_show| on_show.as_ref() == Some(id)) =>
            {
                chosen.clone()
            }
            _ => now,
        }
    });
    let detail = Resource::new(
        move || asked.get(),
        |asked| async move {
            let id = match asked {
                Asked::Chosen(id) => id,
                Asked::First(rows) => match list_requests(rows?).await?.items.into_iter().next() {
                    Some(request) => request.request_id.to_string(),
                    None => return Ok(None),
                },
            };
            get_request(id).await.map(Some)
        },
    );
    let close = Signal::derive(move || url.with(|url| url.with_selected(None).address()));
    let keeper = Keeper::here();
    view! {
        <div class="approvals-beside">
            <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match detail.await {
                            Ok(Some(detail)) => {
                                on_show.set_value(Some(detail.summary.request_id.to_string()));
                                keeper.view(move || view! { <RequestView detail acted close /> })
                            }
                            Ok(None) => ().into_any(),
                            // The list says it already when nothing was chosen.
                            Err(_) if url.with_untracked(|url| url.selected.is_none()) => ().into_any(),
                            Err(error) => {
                                view! {
                                    <div class="card card-body">
                                        <ErrorNotice error what="this request" />
                                        <a class="btn" href=move || close.get() data-escape="">
                                            "Back to the list"
                                        </a>
                                    </div>
                                }
                                    .into_any()
                            }
                        }
                    })
                }}
            </Transition>
        </div>
    }
}
