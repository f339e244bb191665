//! The executions that were started, newest first.

use super::api::list_executions;
use super::executions_table::ExecutionsTable;
use super::history_url::HistoryUrl;
use crate::commands::Period;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, PageHead, Pager, SelectField, Skeleton, StaleNotice,
    TextField, any_or, plural, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::paging::Page;
use muster_domain::runbooks::{ExecutionStatus, ExecutionSummary};
use std::sync::Arc;
use std::time::Duration;

/// How often rows are asked for again while something is going on …
const WHILE_MOVING: Duration = Duration::from_secs(3);
/// … and while nothing is: others start some, too.
const WHILE_IDLE: Duration = Duration::from_secs(15);

/// Past and present executions.
#[component]
pub(crate) fn HistoryPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(HistoryUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            list_executions(
                state.status.map(|status| status.as_str().to_owned()),
                Some(state.document),
                Some(state.text),
                state.node,
                Some(state.period.word().to_owned()),
                state.cursor,
            )
            .await
        },
    );
    // In an effect: a resource is not read outside of a `Suspense` while the page is hydrated.
    let moving = RwSignal::new(false);
    Effect::new(move |_| {
        let now = rows.with(
            |rows| matches!(rows, Some(Ok(page)) if page.items.iter().any(|row| !row.status.is_final())),
        );
        if moving.get_untracked() != now {
            moving.set(now);
        }
    });
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            if moving.get() { WHILE_MOVING } else { WHILE_IDLE },
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    view! {
        <PageHead title="Executions" subtitle=|| "What runbooks were started, by whom, and what came of it.">
            <a class="btn primary" href="/runbooks">
                <Icon glyph=Glyph::Runbook />
                "Runbooks"
            </a>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! { <StaleNotice stale /> <Rows state=state.get_untracked() page /> }.into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the executions" clear=state.get_untracked().page(None) />
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
fn Filter(state: HistoryUrl) -> impl IntoView {
    let statuses = any_or(ExecutionStatus::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.is_filtered() || state.period != Period::default() || !state.problems.is_empty();
    let (status_problem, period_problem) = (
        problem_of(&state.problems, "status"),
        problem_of(&state.problems, "period"),
    );
    view! {
        <Form method="GET" action="/executions" attr:class="command-filter" attr:role="search" attr:aria-label="Filter executions">
            <div class="field">
                <label for="text">"Reason, id or person"</label>
                <input id="text" name="text" value=state.text autocomplete="off" data-filter="" />
            </div>
            <TextField name="document" label="Runbook" value=state.document />
            <SelectField
                name="status"
                label="Status"
                options=statuses
                selected=state.status.map(ExecutionStatus::as_str).unwrap_or_default()
                error=status_problem
            />
            <SelectField name="period" label="Period" options=Period::options() selected=state.period.word() error=period_problem />
            {state.node.map(|node| view! { <TextField name="node" label="Node" value=node /> })}
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/executions">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: HistoryUrl, page: Page<ExecutionSummary>) -> impl IntoView {
    if page.items.is_empty() {
        return view! {
            <section class="card">
                <Nothing state />
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page, newest first",
        plural(page.items.len() as u64, "execution", "executions")
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <ExecutionsTable label="Executions" rows=page.items />
        <Pager count first next />
    }
    .into_any()
}

#[component]
fn Nothing(state: HistoryUrl) -> impl IntoView {
    if state.is_filtered() {
        return view! {
            <EmptyState kind=Empty::NothingMatches title="No execution matches">
                <p>{format!("Nothing fits all conditions ({}).", state.period.label().to_lowercase())}</p>
                <div class="row">
                    <a class="btn" href="/executions">
                        "Clear the filter"
                    </a>
                    {(state.period != Period::All)
                        .then(|| view! { <a class="btn" href=state.over_all_time()>"Search all time"</a> })}
                </div>
            </EmptyState>
        }
        .into_any();
    }
    let is_all = state.period == Period::All;
    let title = if is_all {
        "No runbook has been started yet"
    } else {
        "No runbook was started in this period"
    };
    view! {
        <EmptyState kind=Empty::NothingExists title>
            <p>"Choose a runbook and start it; its steps and what they told will be kept here."</p>
            <div class="row">
                {(!is_all).then(|| view! { <a class="btn" href=state.over_all_time()>"Show all time"</a> })}
                <a class="btn primary" href="/runbooks">
                    "Runbooks"
                </a>
            </div>
        </EmptyState>
    }
    .into_any()
}
