//! The audit page: filter, rows, export, check.

use super::api::{VerifyLog, list_acts};
use super::entry::Entry;
use super::url_state::{AuditUrl, field_time};
use super::verify::{VerifyButton, VerifyResult};
use crate::components::{
    Empty, EmptyState, ErrorNotice, Glyph, Icon, Keeper, PageHead, Pager, SelectField, Skeleton, TextField,
    any_or,
};
use crate::layout::AuditWarning;
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Form;
use leptos_router::hooks::{use_location, use_navigate};
use muster_domain::action::Action;
use muster_domain::audit::{ActKind, AuditEntryView, Outcome};
use muster_domain::paging::Page;

/// Who did what.
#[component]
pub(crate) fn AuditPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(AuditUrl::read));
    let rows = Resource::new(
        move || state.get(),
        |state| async move { list_acts(state.readable()?.query_text()).await },
    );
    let keeper = Keeper::here();
    let navigate = use_navigate();
    let path = use_location().pathname;
    Effect::new(move |_| {
        // An address made by the filter form is replaced by the plain one that says the same. On the way to another
        // page the query is that page's already, and none of ours.
        let state = state.get();
        if state.untidy && state.problems.is_empty() && path.get_untracked() == "/audit" {
            navigate(
                &state.page_address(),
                NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                },
            );
        }
    });
    let verify = ServerAction::<VerifyLog>::new();
    view! {
        <PageHead title="Audit log" subtitle=|| "Who did what, on what, from where, when, and how it ended. All times UTC.">
            // What cannot be read is not exported as if it had not been asked for.
            {move || state.with(|state| state.problems.is_empty()).then(|| view! { <ExportMenu state /> })}
            <VerifyButton action=verify />
        </PageHead>
        <AuditWarning />
        <VerifyResult action=verify />
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match rows.await {
                        Ok(page) => keeper.view(move || view! { <Rows state=state.get_untracked() page /> }),
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the audit log" clear=state.get_untracked().page_address() />
                                </div>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn ExportMenu(state: Memo<AuditUrl>) -> impl IntoView {
    view! {
        <details class="menu">
            <summary class="btn">
                <Icon glyph=Glyph::Download />
                "Export"
            </summary>
            <div class="menu-body">
                <h2>"All acts that match the filter"</h2>
                <a href=move || state.get().export("csv") download="">
                    "CSV"
                </a>
                <a href=move || state.get().export("json") download="">
                    "JSON"
                </a>
            </div>
        </details>
    }
}

#[component]
fn Filter(state: AuditUrl) -> impl IntoView {
    let problem = |field| problem_of(&state.problems, field);
    let (outcome_problem, kind_problem) = (problem("outcome"), problem("kind"));
    let (since_problem, until_problem) = (problem("since"), problem("until"));
    let outcomes = any_or(Outcome::ALL.iter().map(|one| (one.as_str(), one.as_str())));
    let kinds = any_or(ActKind::ALL.iter().map(|one| (one.as_str(), one.as_str())));
    let filtered = state.is_filtered() || !state.problems.is_empty();
    let (since, until) = (field_time(state.since), field_time(state.until));
    view! {
        <Form method="GET" action="/audit" attr:class="audit-filter" attr:role="search" attr:aria-label="Filter acts">
            <div class="field">
                <label for="actor">"Actor"</label>
                <input
                    id="actor"
                    name="actor"
                    value=state.actor.unwrap_or_default()
                    autocomplete="off"
                    data-filter=""
                />
            </div>
            <TextField name="action" label="Action" value=state.action.unwrap_or_default() list="actions" />
            <TextField name="resource" label="Resource begins with" value=state.resource.unwrap_or_default() placeholder="node:mi-…" />
            <SelectField
                name="outcome"
                label="Outcome"
                options=outcomes
                selected=state.outcome.map(Outcome::as_str).unwrap_or_default()
                error=outcome_problem
            />
            <SelectField
                name="kind"
                label="Kind"
                options=kinds
                selected=state.kind.map(ActKind::as_str).unwrap_or_default()
                error=kind_problem
            />
            <TextField name="address" label="Address" value=state.address.unwrap_or_default() />
            <TextField name="since" label="From (UTC)" kind="datetime-local" value=since error=since_problem />
            <TextField name="until" label="Before (UTC)" kind="datetime-local" value=until error=until_problem />
            <datalist id="actions">
                {Action::ALL
                    .iter()
                    .filter(|action| !matches!(action, Action::ApiCall | Action::ApiReveal))
                    .map(|action| view! { <option value=action.as_str()></option> })
                    .collect_view()}
                // Calls of the embedded endpoint go by their operation.
                <option value=muster_domain::audit::API_PREFIX label="every call of the embedded endpoint"></option>
                <option value=muster_domain::audit::KMS_PREFIX label="every call of its key management"></option>
                <option value=muster_domain::audit::EC2_PREFIX label="every call of EC2 beside it"></option>
                <option value=muster_domain::audit::SNS_PREFIX label="every call of its notification service"></option>
                <option value=muster_domain::audit::GROUPS_PREFIX label="every call of its resource groups"></option>
            </datalist>
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {filtered.then(|| view! { <a class="btn quiet" href="/audit">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: AuditUrl, page: Page<AuditEntryView>) -> impl IntoView {
    if page.items.is_empty() {
        let (kind, title, text) = if state.is_filtered() {
            (
                Empty::NothingMatches,
                "No act matches",
                "Nothing in the log fits all conditions.",
            )
        } else {
            (
                Empty::NothingExists,
                "Nothing has been done yet",
                "Every act in the portal will be listed here.",
            )
        };
        return view! {
            <section class="card">
                <EmptyState kind title>
                    <p>{text}</p>
                    {(kind == Empty::NothingMatches).then(|| view! { <a class="btn" href="/audit">"Clear the filter"</a> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!("{} acts on this page, newest first", page.items.len());
    let first = state.cursor.is_some().then(|| state.page(None).page_address());
    let next = page.next.map(|cursor| state.page(Some(cursor.0)).page_address());
    view! {
        <section class="card acts" aria-label="Acts">
            <div class="act-row act-head" aria-hidden="true">
                <span class="act-time">"Time"</span>
                <span class="act-actor">"Actor"</span>
                <span class="act-action">"Action"</span>
                <span class="act-resource">"Resource"</span>
                <span class="act-outcome">"Outcome"</span>
                <span class="act-address">"Address"</span>
            </div>
            {page.items.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}
        </section>
        <Pager count first next />
    }
    .into_any()
}
