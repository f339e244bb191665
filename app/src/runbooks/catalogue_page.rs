//! The runbooks that there are, by name.

use super::api::list_runbooks;
use super::catalogue_url::{CatalogueUrl, runbook_path};
use super::template_list::Templates;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, PageHead, Pager, SelectField, Skeleton, StaleNotice, TableCard,
    TimeAgo, any_or, grouped, plural, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::runbooks::{RunbookOwner, RunbookPage, RunbookSummary};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: others make runbooks, too.
const EVERY: Duration = Duration::from_secs(20);

/// What can be started.
#[component]
pub(crate) fn CataloguePage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(CatalogueUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            list_runbooks(
                Some(state.text),
                state.owner.map(|owner| owner.as_str().to_owned()),
                Some(state.category),
                state.cursor,
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
    // Apart from the rows, which renew themselves: what is being typed stays.
    let categories = Resource::new(
        || (),
        |()| async {
            list_runbooks(None, None, None, None)
                .await
                .map(|page| page.categories)
        },
    );
    view! {
        <PageHead title="Runbooks" subtitle=|| "Work of several steps, written down once and started when it is needed.">
            <a class="btn" href="/schedules">
                "Schedules"
            </a>
            <a class="btn" href="/executions">
                "Executions"
            </a>
        </PageHead>
        <Transition fallback=|| ()>
            {move || {
                let state = state.get();
                Suspend::new(async move {
                    let categories = categories.await.unwrap_or_default();
                    view! { <Filter state categories /> }
                })
            }}
        </Transition>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
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
                                <ErrorNotice error what="the runbooks" clear="/runbooks" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
        <Templates document=String::new() />
    }
}

#[component]
fn Filter(state: CatalogueUrl, categories: Vec<(String, u64)>) -> impl IntoView {
    let owners = any_or(RunbookOwner::ALL.iter().map(|one| (one.as_str(), one.label())));
    let owner_problem = problem_of(&state.problems, "owner");
    let narrowed = state.is_filtered() || !state.problems.is_empty();
    let mut categories: Vec<(String, String)> = std::iter::once((String::new(), "Any".to_owned()))
        .chain(
            categories
                .into_iter()
                .map(|(name, count)| (name.clone(), format!("{name} ({})", grouped(count)))),
        )
        .collect();
    if !state.category.is_empty() && categories.iter().all(|(name, _)| *name != state.category) {
        categories.push((state.category.clone(), state.category.clone()));
    }
    view! {
        <Form method="GET" action="/runbooks" attr:class="command-filter" attr:role="search" attr:aria-label="Filter runbooks">
            <div class="field">
                <label for="text">"Name or description"</label>
                <input id="text" name="text" value=state.text autocomplete="off" data-filter="" />
            </div>
            <SelectField
                name="owner"
                label="Owner"
                options=owners
                selected=state.owner.map(RunbookOwner::as_str).unwrap_or_default()
                error=owner_problem
            />
            <SelectField name="category" label="Category" options=categories selected=state.category />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/runbooks">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: CatalogueUrl, page: RunbookPage) -> impl IntoView {
    let RunbookPage {
        page,
        total,
        synced_at,
        ..
    } = page;
    if page.items.is_empty() {
        let (kind, title) = if state.is_filtered() {
            (Empty::NothingMatches, "No runbook matches")
        } else {
            (Empty::NothingExists, "There is no runbook yet")
        };
        return view! {
            <section class="card">
                <EmptyState kind title>
                    {if state.is_filtered() {
                        view! {
                            <p>{format!("Nothing fits all conditions; there are {}.", plural(total, "runbook", "runbooks"))}</p>
                            <a class="btn" href="/runbooks">
                                "Clear the filter"
                            </a>
                        }
                            .into_any()
                    } else {
                        view! {
                            <p>
                                "Runbooks are documents of the type Automation at Systems Manager: make one there (CreateDocument), and it is here within a minute."
                            </p>
                        }
                            .into_any()
                    }}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page, of {}",
        plural(page.items.len() as u64, "runbook", "runbooks"),
        grouped(total)
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    view! {
        <TableCard label="Runbooks">
            <table class="runbooks">
                <thead>
                    <tr>
                        <th scope="col">"Runbook"</th>
                        <th scope="col">"Category"</th>
                        <th scope="col">"Owner"</th>
                        <th scope="col" class="right">
                            "Version"
                        </th>
                    </tr>
                </thead>
                <tbody>{page.items.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        <Pager count first next />
        {synced_at
            .map(|at| {
                view! {
                    <p class="muted small-text">
                        "Copied from Systems Manager " <TimeAgo at />
                    </p>
                }
            })}
    }
    .into_any()
}

#[component]
fn Row(row: RunbookSummary) -> impl IntoView {
    let description = row.description.lines().next().unwrap_or_default().to_owned();
    let owner = match row.owner {
        RunbookOwner::Shared => format!("{} ({})", row.owner.label(), row.owner_name),
        owner => owner.label().to_owned(),
    };
    view! {
        <tr data-row="" tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=runbook_path(&row.name)>
                        {row.name.clone()}
                    </a>
                    <small>{description}</small>
                </div>
            </td>
            <td>{if row.category.is_empty() { "—".to_owned() } else { row.category }}</td>
            <td>{owner}</td>
            <td class="right mono">{row.default_version}</td>
        </tr>
    }
}
