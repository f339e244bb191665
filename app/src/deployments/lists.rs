//! The releases and the history of an application, as the address filters them.

use super::api::{list_deployments, list_releases};
use super::url::{ApplicationUrl, Shown, application_path, release_path, run_path};
use super::words::{Kind, State};
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Pager, SelectField, Skeleton, StaleNotice, TableCard, TimeAgo,
    any_or, plural, renewed,
};
use crate::url::problem_of;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::deployments::{DeploymentState, DeploymentSummary, ReleaseSummary};
use muster_domain::paging::Page;
use std::sync::Arc;
use std::time::Duration;

/// How often rows are asked for again: others deploy, too.
const EVERY: Duration = Duration::from_secs(5);

/// What stands where rows would be.
#[component]
fn Nothing(url: ApplicationUrl, what: &'static str, why: &'static str) -> impl IntoView {
    let is_narrowed = url.is_filtered() || url.cursor.is_some();
    view! {
        <section class="card">
            {if is_narrowed {
                view! {
                    <EmptyState kind=Empty::NothingMatches title=format!("No {what} matches")>
                        <a class="btn" href=url.tab(url.shown)>
                            "Clear the filter"
                        </a>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! {
                    <EmptyState kind=Empty::NothingExists title=format!("There is no {what} yet")>
                        <p>{why}</p>
                    </EmptyState>
                }
                    .into_any()
            }}
        </section>
    }
}

#[component]
fn Filter(url: ApplicationUrl, label: &'static str, environments: Option<Vec<String>>) -> impl IntoView {
    let narrowed = url.is_filtered() || !url.problems.is_empty();
    let clear = url.tab(url.shown);
    let (state, environment) = (url.state_word(), url.environment.clone());
    let problem = problem_of(&url.problems, "state");
    view! {
        <Form
            method="GET"
            action=application_path(&url.id)
            attr:class="command-filter"
            attr:role="search"
            attr:aria-label="Filter"
        >
            <input type="hidden" name="tab" value=url.shown.word() />
            <div class="field">
                <label for="text">{label}</label>
                <input id="text" name="text" value=url.text autocomplete="off" data-filter="" />
            </div>
            {environments
                .map(|names| {
                    let names = any_or(names.iter().map(|name| (name.as_str(), name.as_str())));
                    let states = any_or(DeploymentState::ALL.iter().map(|one| (one.as_str(), one.label())));
                    view! {
                        <SelectField name="environment" label="Environment" options=names selected=environment />
                        <SelectField name="state" label="State" options=states selected=state error=problem />
                    }
                })}
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href=clear>"Clear"</a> })}
            </div>
        </Form>
    }
}

/// The releases.
#[component]
pub(super) fn ReleasesTab(url: Memo<ApplicationUrl>, may_release: bool) -> impl IntoView {
    let rows = Resource::new(
        move || url.get(),
        |url| async move {
            if url.shown != Shown::Releases {
                return Ok(Page::default());
            }
            let url = url.readable()?;
            list_releases(url.id, Some(url.text), url.cursor).await
        },
    );
    view! {
        {move || view! { <Filter url=url.get() label="Version, notes or person" environments=None /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || Suspend::new(async move {
                let url = url.get_untracked();
                match rows.await {
                    Ok(page) => view! { <Releases url page may_release /> }.into_any(),
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the releases" clear=url.tab(Shown::Releases) />
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
fn Releases(url: ApplicationUrl, page: Page<ReleaseSummary>, may_release: bool) -> impl IntoView {
    if page.items.is_empty() {
        let why = if may_release {
            "A release says what exactly a version is, and is never changed: choose “New release”."
        } else {
            "A release says what exactly a version is, and is never changed."
        };
        return view! { <Nothing url what="release" why /> }.into_any();
    }
    let count = format!(
        "{} on this page, newest first",
        plural(page.items.len() as u64, "release", "releases")
    );
    let first = url.cursor.is_some().then(|| url.page(None));
    let next = page.next.map(|cursor| url.page(Some(cursor.0)));
    let id = url.id;
    view! {
        <TableCard label="Releases">
            <table class="deployments-list">
                <thead>
                    <tr>
                        <th scope="col">"Release"</th>
                        <th scope="col">"What is in it"</th>
                        <th scope="col">"Runs in"</th>
                        <th scope="col">"Made"</th>
                    </tr>
                </thead>
                <tbody>
                    {page
                        .items
                        .into_iter()
                        .map(|row| {
                            let version = row.version.clone();
                            view! {
                                <tr data-row="" data-release=version tabindex="-1">
                                    <td>
                                        <div class="two-lines">
                                            <a
                                                class="strong break-anywhere"
                                                data-act="open"
                                                href=release_path(&id, row.release_id.as_str())
                                            >
                                                {row.version}
                                            </a>
                                            <small>{format!("number {}", row.number)}</small>
                                        </div>
                                    </td>
                                    <td class="wraps">{row.notes}</td>
                                    <td>{row.runs_in.join(", ")}</td>
                                    <td>
                                        <div class="two-lines">
                                            <TimeAgo at=row.created_at />
                                            <small>{format!("by {}", row.created_by)}</small>
                                        </div>
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
        <Pager count first next />
    }
    .into_any()
}

/// The history.
#[component]
pub(super) fn HistoryTab(url: Memo<ApplicationUrl>, environments: Vec<String>) -> impl IntoView {
    let rows = renewed(
        move || url.get(),
        |url| async move {
            if url.shown != Shown::History {
                return Ok(Page::default());
            }
            let url = url.readable()?;
            let state = url.state_word();
            list_deployments(
                url.id,
                Some(url.environment),
                Some(state),
                Some(url.text),
                url.cursor,
            )
            .await
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
        {move || {
            view! { <Filter url=url.get() label="Version, reason, ticket or person" environments=Some(environments.clone()) /> }
        }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || Suspend::new(async move {
                let url = url.get_untracked();
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! { <StaleNotice stale /> <History url page /> }.into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the history" clear=url.tab(Shown::History) />
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
fn History(url: ApplicationUrl, page: Page<DeploymentSummary>) -> impl IntoView {
    if page.items.is_empty() {
        let why = "Deployments and rollbacks are kept here, with who asked for them and what came of them.";
        return view! { <Nothing url what="deployment" why /> }.into_any();
    }
    let count = format!(
        "{} on this page, newest first",
        plural(page.items.len() as u64, "deployment", "deployments")
    );
    let first = url.cursor.is_some().then(|| url.page(None));
    let next = page.next.map(|cursor| url.page(Some(cursor.0)));
    view! {
        <DeploymentTable label="History" rows=page.items />
        <Pager count first next />
    }
    .into_any()
}

/// Deployments as rows.
#[component]
pub(super) fn DeploymentTable(label: &'static str, rows: Vec<DeploymentSummary>) -> impl IntoView {
    view! {
        <TableCard label>
            <table class="deployments-list">
                <thead>
                    <tr>
                        <th scope="col">"Deployment"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"What for"</th>
                        <th scope="col">"Asked"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
    }
}

#[component]
fn Row(row: DeploymentSummary) -> impl IntoView {
    let href = run_path(row.application_id.as_str(), row.deployment_id.as_str());
    let replaces = match row.replaces.as_str() {
        "" => "the first there".to_owned(),
        version => format!("instead of {version}"),
    };
    let version = row.version.clone();
    view! {
        <tr data-row="" data-deployment=version tabindex="-1">
            <td>
                <div class="two-lines">
                    <span class="row">
                        <a class="strong break-anywhere" data-act="open" href=href>
                            {format!("{} to {}", row.version, row.environment)}
                        </a>
                        <Kind kind=row.kind />
                    </span>
                    <small>{replaces}</small>
                </div>
            </td>
            <td>
                <State state=row.state rolled_back=row.rolled_back />
            </td>
            <td class="wraps">
                <div class="two-lines">
                    <span class="wraps">{row.reason}</span>
                    <small>{row.ticket}</small>
                </div>
            </td>
            <td>
                <div class="two-lines">
                    <TimeAgo at=row.requested_at />
                    <small>{format!("by {}", row.requested_by)}</small>
                </div>
            </td>
        </tr>
    }
}
