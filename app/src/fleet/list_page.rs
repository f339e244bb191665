//! The Fleet page. Its address says everything but the selection.

use super::api::{get_facets, keep_nodes, list_nodes};
use super::filter_bar::FilterBar;
use super::preview_panel::{PreviewPanel, TableSkeleton};
use super::saved_views::SavedViews;
use super::selection::{Selected, use_selection};
use super::table::NodeTable;
use super::url_state::{Column, FleetUrl};
use crate::commands::LIST;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, Keeper, PageHead, Pager, Renewed, StaleNotice,
    TimeAgo, grouped, once, plural, renewed, use_toaster,
};
use crate::url::{address, use_query};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Form;
use leptos_router::hooks::{use_location, use_navigate};
use muster_domain::PortalError;
use muster_domain::fleet::FleetPage as Rows;
use std::sync::Arc;
use std::time::Duration;

const RENEWED_EVERY: Duration = Duration::from_secs(15);

/// All nodes, filtered.
#[component]
pub(crate) fn FleetPage() -> impl IntoView {
    let query = use_query();
    let keeper = Keeper::here();
    let (kept_counts, kept_table) = (keeper.clone(), keeper);
    let state = Memo::new(move |_| query.with(FleetUrl::read));
    // The panel is no part of this: opening it must not load the table again.
    let asked = Memo::new(move |_| {
        state.with(|state| {
            (
                (state.filter.to_string(), state.unreadable.clone()),
                state.sort.as_str().to_owned(),
                state.descending,
                state.cursor.clone(),
            )
        })
    });
    let rows = renewed(
        move || asked.get(),
        |((filter, unreadable), sort, descending, cursor)| async move {
            if let Some(problem) = unreadable {
                return Err(PortalError::invalid("filter", problem).into());
            }
            list_nodes(filter, sort, descending, cursor).await
        },
    );
    let facets = Resource::new(|| (), |()| get_facets());
    let previewed = Memo::new(move |_| state.with(|state| state.node.clone()));
    let close = Signal::derive(move || state.with(|state| state.with_node(None).address()));
    let navigate = use_navigate();
    let path = use_location().pathname;
    Effect::new(move |_| {
        // An address made by the filter form is replaced by the plain one that says the same. On the way to another
        // page the query is that page's already, and none of ours.
        let state = state.get();
        if state.untidy && state.problems.is_empty() && path.get_untracked() == "/fleet" {
            navigate(
                &state.address(),
                NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                },
            );
        }
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
    let subtitle = move || {
        let keeper = kept_counts.clone();
        view! {
            <Transition fallback=|| "Managed nodes">
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        rows.await.ok().map(|rows| keeper.view(move || view! { <Counts rows=rows.value /> }))
                    })
                }}
            </Transition>
        }
    };
    view! {
        <PageHead title="Fleet" subtitle=subtitle>
            <SavedViews state />
            <ColumnMenu state />
            {move || state.with(|state| state.unreadable.is_none()).then(|| view! { <ExportMenu state /> })}
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    let may_add = rows.await.is_ok_and(|rows| rows.may_add);
                    may_add
                        .then(|| {
                            view! {
                                <a class="btn" href="/fleet/add">
                                    <Icon glyph=Glyph::Plus />
                                    "Add node"
                                </a>
                            }
                        })
                })}
            </Transition>
            <RunButton rows />
        </PageHead>
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let facets = facets.await.unwrap_or_default();
                once(move || view! { <FilterBar state facets /> })
            })}
        </Transition>
        <div class="split" class:open=move || previewed.get().is_some()>
            <div class="split-main">
                <Transition fallback=TableSkeleton>
                    {move || {
                        let now = state.get();
                        let keeper = kept_table.clone();
                        Suspend::new(async move {
                            match rows.await {
                                Ok(Fresh { value: rows, stale }) => {
                                    keeper.view(move || view! { <StaleNotice stale /> <Table now rows /> })
                                }
                                Err(error) => {
                                    view! {
                                        <div class="card card-body">
                                            <ErrorNotice error what="the fleet" clear=state.get_untracked().address() />
                                        </div>
                                    }
                                        .into_any()
                                }
                            }
                        })
                    }}
                </Transition>
            </div>
            <PreviewPanel node=previewed close />
        </div>
    }
}

#[component]
fn Counts(rows: Arc<Rows>) -> impl IntoView {
    view! {
        <span>
            {plural(rows.total, "managed node", "managed nodes")} " · "
            {format!("{} not reporting", grouped(rows.not_reporting))} " · "
            {match rows.synced_at {
                Some(at) => view! { "synced " <TimeAgo at /> }.into_any(),
                None => "not synced yet".into_any(),
            }}
        </span>
    }
}

/// Runs a command on the selection. Without script it sends the ticked boxes of the table.
#[component]
fn RunButton(rows: Renewed<Rows>) -> impl IntoView {
    let selection = use_selection();
    let navigate = use_navigate();
    let toaster = use_toaster();
    let submit = StoredValue::new(move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (target, many) = selection
            .0
            .with_untracked(|selected| (selected.run_address(), selected.too_many()));
        let Some(nodes) = many else {
            navigate(&target, NavigateOptions::default());
            return;
        };
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            match keep_nodes(nodes).await {
                Ok(list) => navigate(
                    &address("/commands/new", [("nodes", format!("{LIST}{list}"))]),
                    NavigateOptions::default(),
                ),
                Err(error) => toaster.complain(error.to_string()),
            }
        });
    });
    let text = move || match selection.0.with(Selected::count) {
        0 => "Run command".to_owned(),
        count => format!("Run command on {}", grouped(count)),
    };
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                rows.await
                    .is_ok_and(|rows| rows.may_run)
                    .then(|| {
                        view! {
                            <form
                                id="run-form"
                                method="get"
                                action="/commands/new"
                                on:submit=move |event| submit.with_value(|submit| submit(event))
                            >
                                <button type="submit" class="btn primary">
                                    <Icon glyph=Glyph::Command />
                                    <span>{text}</span>
                                </button>
                            </form>
                        }
                    })
            })}
        </Transition>
    }
}

#[component]
fn ColumnMenu(state: Memo<FleetUrl>) -> impl IntoView {
    view! {
        <details class="menu">
            <summary class="btn">
                <Icon glyph=Glyph::Columns />
                "Columns"
            </summary>
            <div class="menu-body">
                <Form method="GET" action="/fleet" attr:class="menu-form">
                    // Says that columns were chosen, even when none is ticked.
                    <input type="hidden" name="cols" value="node" />
                    {move || {
                        state
                            .get()
                            .hidden(&["cols"])
                            .into_iter()
                            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
                            .collect_view()
                    }}
                    <fieldset>
                        <legend>"Columns to show"</legend>
                        {Column::ALL
                            .into_iter()
                            .map(|column| {
                                let shown = state.get_untracked().shown().contains(&column);
                                view! {
                                    <label class="row">
                                        <input type="checkbox" name="cols" value=column.word() checked=shown />
                                        {column.label()}
                                    </label>
                                }
                            })
                            .collect_view()}
                    </fieldset>
                    <button type="submit" class="btn primary">
                        "Apply"
                    </button>
                </Form>
            </div>
        </details>
    }
}

#[component]
fn ExportMenu(state: Memo<FleetUrl>) -> impl IntoView {
    view! {
        <details class="menu">
            <summary class="btn">
                <Icon glyph=Glyph::Download />
                "Export"
            </summary>
            <div class="menu-body">
                <h2>"All nodes that match the filter"</h2>
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
fn Table(now: FleetUrl, rows: Arc<Rows>) -> impl IntoView {
    if rows.total == 0 {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="No node has joined yet">
                    <p>"A node appears here as soon as its agent reports for the first time."</p>
                    {rows
                        .may_add
                        .then(|| {
                            view! {
                                <a class="btn primary" href="/fleet/add">
                                    "Add node"
                                </a>
                            }
                        })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    if rows.page.items.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingMatches title="No node matches">
                    <p>{format!("None of your {} fits all conditions.", plural(rows.total, "node", "nodes"))}</p>
                    <a class="btn" href=now.without_filter().address()>
                        "Clear the filter"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} of {} · {} on this page",
        grouped(rows.matching),
        plural(rows.total, "node", "nodes"),
        rows.page.items.len()
    );
    let first = now.cursor.is_some().then(|| now.first_page().address());
    let next = rows.page.next.clone().map(|cursor| now.page(cursor.0).address());
    let ids: Vec<String> = rows
        .page
        .items
        .iter()
        .map(|node| node.node_id.to_string())
        .collect();
    view! {
        <SelectionBar ids matching=rows.matching filter=now.filter.to_string() />
        // Who may run commands may open terminals.
        <NodeTable state=now rows />
        <Pager count first next />
    }
    .into_any()
}

/// What is selected, and how to select more or nothing. Stays while one pages through the list.
#[component]
fn SelectionBar(ids: Vec<String>, matching: u64, filter: String) -> impl IntoView {
    let selection = use_selection();
    let here = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let shown = filter.clone();
    let all_here = Memo::new(move |_| {
        selection
            .0
            .with(|selected| ids.iter().all(|id| selected.has(id, &shown)))
    });
    let count = Memo::new(move |_| selection.0.with(Selected::count));
    let by_filter = Memo::new(move |_| selection.0.with(|selected| selected.matching.is_some()));
    let shown = filter.clone();
    // Which filter it was, where the list shows something else by now.
    let what = move || {
        selection.0.with(|selected| match &selected.matching {
            Some((of, _)) if *of == shown => "everything that matches, also what joins later".to_owned(),
            Some((of, _)) if of.is_empty() => "the whole fleet, also what joins later".to_owned(),
            Some((of, _)) => format!("everything that matches {of}, also what joins later"),
            None => String::new(),
        })
    };
    let select_all = move |_| {
        let filter = filter.clone();
        selection.change(|selected| *selected = Selected::all_of(filter, matching));
    };
    let select_all = StoredValue::new(select_all);
    view! {
        <div class="action-bar" class:on=move || { count.get() > 0 } role="status">
            <strong>{move || format!("{} selected", plural(count.get(), "node", "nodes"))}</strong>
            <span class="muted">{what}</span>
            {move || {
                (all_here.get() && !by_filter.get() && matching > here)
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="link-button"
                                on:click=move |event| select_all.with_value(|select| select(event))
                            >
                                {format!("Select all {} that match the filter", grouped(matching))}
                            </button>
                        }
                    })
            }}
            <button
                type="button"
                class="link-button"
                on:click=move |_| selection.change(|selected| *selected = Selected::default())
            >
                "Clear selection"
            </button>
        </div>
    }
}
