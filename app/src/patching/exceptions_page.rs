//! The register of exceptions: which patches nodes need not have, why, what protects them instead, and until when.

use super::baseline_url::view_path;
use super::exception_api::list_exceptions;
use super::exception_end::EndCard;
use super::exception_url::ExceptionsUrl;
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, PageHead, Pager, SelectField, Skeleton,
    StaleNotice, StatusBadge, TableCard, TimeAgo, any_or, plural, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::patching::{ExceptionPage, ExceptionState, PatchException};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: exceptions end by themselves.
const EVERY: Duration = Duration::from_secs(20);

/// The page.
#[component]
pub(crate) fn ExceptionsPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(ExceptionsUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            let word = state.state.map(|state| state.as_str().to_owned());
            list_exceptions(word, None, None, state.cursor).await
        },
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/patching">"Patching"</a>
            " / Exceptions"
        </nav>
        <PageHead
            title="Exceptions"
            subtitle=|| "Patches that nodes need not have for a time. While one holds, its baseline rejects the patch."
        />
        {move || {
            state
                .with(|state| state.granted)
                .then(|| {
                    view! {
                        <div class="notice ok" role="status" data-granted="">
                            <Icon glyph=Glyph::Check />
                            <div>"Granted. It ends by itself on its day."</div>
                        </div>
                    }
                })
        }}
        {move || {
            state
                .with(|state| state.ended)
                .then(|| {
                    view! {
                        <div class="notice ok" role="status" data-ended="">
                            <Icon glyph=Glyph::Check />
                            <div>"Ended. The baseline says again what it said without it, or will in a moment."</div>
                        </div>
                    }
                })
        }}
        <EndCard id=Signal::derive(move || state.with(|state| state.end.clone())) />
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! {
                            <StaleNotice stale />
                            <Rows state=state.get_untracked() page />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the exceptions" clear="/patching/exceptions" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Filter(state: ExceptionsUrl) -> impl IntoView {
    let states = any_or(ExceptionState::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.state.is_some() || !state.problems.is_empty();
    view! {
        <Form
            method="GET"
            action="/patching/exceptions"
            attr:class="command-filter"
            attr:role="search"
            attr:aria-label="Filter exceptions"
        >
            <SelectField
                name="state"
                label="State"
                options=states
                selected=state.state.map(ExceptionState::as_str).unwrap_or_default()
                error=problem_of(&state.problems, "state")
            />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/patching/exceptions">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: ExceptionsUrl, page: ExceptionPage) -> impl IntoView {
    let ExceptionPage { page, may_end } = page;
    if page.items.is_empty() {
        let (kind, title, text) = if state.state.is_some() {
            (
                Empty::NothingMatches,
                "No exception stands so",
                "There may be others: clear the filter.",
            )
        } else {
            (
                Empty::NothingExists,
                "There is no exception",
                "A patch is excepted on the page of its baseline, with a reason, what protects nodes instead, and a day on which it ends.",
            )
        };
        return view! {
            <section class="card">
                <EmptyState kind title>
                    <p>{text}</p>
                    <a class="btn" href="/patching/baselines?owner=own">
                        "Our own baselines"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page",
        plural(page.items.len() as u64, "exception", "exceptions")
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <TableCard label="Exceptions">
            <table class="exceptions">
                <thead>
                    <tr>
                        <th scope="col">"Patch"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Why"</th>
                        <th scope="col">"Instead"</th>
                        <th scope="col">"Until"</th>
                        <th scope="col">"Granted"</th>
                        {may_end
                            .then(|| {
                                view! {
                                    <th scope="col">
                                        <span class="visually-hidden">"What can be done"</span>
                                    </th>
                                }
                            })}
                    </tr>
                </thead>
                <tbody>
                    {page
                        .items
                        .into_iter()
                        .map(|one| {
                            let end = may_end.then(|| state.end_page(&one.exception_id));
                            view! { <Row one end /> }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
        <Pager count first next />
    }
    .into_any()
}

const fn badge(state: ExceptionState) -> Badge {
    match state {
        ExceptionState::Granting | ExceptionState::Ending => Badge::Busy,
        ExceptionState::Holding => Badge::Warn,
        ExceptionState::Ended => Badge::Off,
        ExceptionState::Failed => Badge::Bad,
    }
}

#[component]
fn Row(
    one: PatchException,
    /// Where it is ended, for whoever may.
    end: Option<String>,
) -> impl IntoView {
    let over = (one.ended_at.is_some() || !one.ended_by.is_empty()).then(|| {
        let by = (!one.ended_by.is_empty()).then(|| format!(" by {}", one.ended_by));
        view! {
            <small data-over="">
                {one.ended_at.map(|at| view! { <TimeAgo at /> })} {by}
                {format!(": {}", one.ended_because)}
            </small>
        }
    });
    let label = format!("End the exception of {} on {}", one.patch, one.baseline_name);
    let can_end = one.state.can_end();
    view! {
        <tr data-row="" data-exception=one.patch.clone() tabindex="-1">
            <td>
                <div class="two-lines">
                    <span class="strong mono break-anywhere">{one.patch.clone()}</span>
                    <small>
                        "on "
                        <a data-act="open" href=view_path(&one.baseline_id)>
                            {one.baseline_name.clone()}
                        </a>
                    </small>
                </div>
            </td>
            <td>
                <div class="two-lines">
                    <span>
                        <StatusBadge badge=badge(one.state) label=one.state.label() />
                    </span>
                    {over}
                </div>
            </td>
            <td class="baseline-words">{one.because}</td>
            <td class="baseline-words">{one.control}</td>
            <td class="nowrap">{one.expires_at.readable()}</td>
            <td>
                <div class="two-lines">
                    <TimeAgo at=one.granted_at />
                    <small>
                        {one.granted_by}
                        {(!one.request_id.is_empty())
                            .then(|| {
                                view! {
                                    ", on "
                                    <a href=format!("/approvals/{}", one.request_id)>{one.request_id.clone()}</a>
                                }
                            })}
                    </small>
                </div>
            </td>
            {end.map(|href| {
                view! {
                    <td>
                        {can_end
                            .then(|| {
                                view! {
                                    <a class="btn small" href=href aria-label=label data-noscroll="">
                                        "End"
                                    </a>
                                }
                            })}
                    </td>
                }
            })}
        </tr>
    }
}
