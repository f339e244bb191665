//! The nodes of a command, failures first, and the output of the one chosen.

use super::compare_view::CompareView;
use super::detail_page::{Live, Nodes, Output};
use super::groups_view::GroupsView;
use super::output_view::OutputPanel;
use crate::components::time_ago::duration;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Keeper, Pager, SelectField, Skeleton, StaleNotice, StatusBadge,
    TableCard, TextField, any_or, grouped, plural,
};
use crate::live::clock::use_now;
use crate::url::problem_of;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::FieldError;
use muster_domain::commands::{CommandStatus, InvocationView, details_label};
use muster_domain::paging::Page;
use std::sync::Arc;

/// The part.
#[component]
pub(super) fn NodesTab(page: Live, nodes: Nodes, output: Output) -> impl IntoView {
    let asked = Memo::new(move |_| {
        page.url.with(|url| {
            (
                url.status,
                url.text.clone(),
                url.same.clone(),
                url.problems.clone(),
            )
        })
    });
    let chosen = Memo::new(move |_| page.url.with(|url| url.node.is_some() && url.with.is_none()));
    let compared = Memo::new(move |_| page.url.with(|url| url.node.is_some() && url.with.is_some()));
    let by_output = Memo::new(move |_| page.url.with(|url| url.grouped));
    view! {
        <Ways page />
        {move || {
            let (status, text, same, problems) = asked.get();
            (!by_output.get()).then(|| view! { <Filter page status text same problems /> })
        }}
        // Above the list, where one lands after choosing a node far down.
        {move || chosen.get().then(|| view! { <OutputPanel page output /> })}
        {move || compared.get().then(|| view! { <CompareView page /> })}
        {move || {
            // In elements of their own kind, so that one replaces the other at once: were they alike, the old one
            // would stay on show until the new one has its data, with its signals already gone.
            if by_output.get() {
                view! { <div><GroupsView page /></div> }.into_any()
            } else {
                view! { <section aria-label="Nodes"><List page nodes /></section> }.into_any()
            }
        }}
    }
}

/// One by one, or by what they wrote.
#[component]
fn Ways(page: Live) -> impl IntoView {
    let ways = move || {
        page.url.with(|url| {
            [
                ("One by one", url.nodes(None), !url.grouped),
                ("By output", url.groups(), url.grouped),
            ]
        })
    };
    view! {
        <nav class="row ways" aria-label="How to list nodes">
            {move || {
                ways()
                    .into_iter()
                    .map(|(label, href, here)| {
                        view! {
                            <a class="btn small" class:primary=here href=href aria-current=here.then_some("page")>
                                {label}
                            </a>
                        }
                    })
                    .collect_view()
            }}
        </nav>
    }
}

#[component]
fn List(page: Live, nodes: Nodes) -> impl IntoView {
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match nodes.await {
                        Ok(Fresh { value: rows, stale }) => {
                            let rows = Arc::unwrap_or_clone(rows);
                            keeper.view(move || view! { <StaleNotice stale /> <Rows page rows /> })
                        }
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the nodes of this command" />
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
fn Filter(
    page: Live,
    status: Option<CommandStatus>,
    text: String,
    same: Option<String>,
    problems: Vec<FieldError>,
) -> impl IntoView {
    let options = any_or(CommandStatus::ALL.iter().map(|one| (one.as_str(), one.label())));
    let (action, clear) = page
        .url
        .with_untracked(|url| (format!("/commands/{}", url.id), url.nodes(None)));
    let filtered = status.is_some() || !text.is_empty() || same.is_some() || !problems.is_empty();
    view! {
        <Form method="GET" action=action attr:class="command-filter" attr:role="search" attr:aria-label="Filter nodes">
            <input type="hidden" name="tab" value="nodes" />
            {same
                .map(|hash| {
                    view! {
                        <input type="hidden" name="same" value=hash />
                        <p class="small-text">"Only nodes that wrote the same as the group you came from."</p>
                    }
                })}
            <TextField name="text" label="Name or id" value=text />
            <SelectField
                name="status"
                label="Status"
                options
                selected=status.map(CommandStatus::as_str).unwrap_or_default()
                error=problem_of(&problems, "status")
            />
            <div class="row">
                <button type="submit" class="btn">
                    "Filter"
                </button>
                {filtered.then(|| view! { <a class="btn quiet" href=clear>"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(page: Live, rows: Page<InvocationView>) -> impl IntoView {
    let url = page.url.get_untracked();
    if rows.items.is_empty() {
        let filtered = url.status.is_some() || !url.text.is_empty() || url.same.is_some();
        let (kind, title) = if filtered {
            (Empty::NothingMatches, "No node matches")
        } else {
            (Empty::NothingExists, "Not yet sent to any node")
        };
        return view! {
            <section class="card">
                <EmptyState kind title>
                    {filtered.then(|| view! { <a class="btn" href=url.nodes(None)>"Clear the filter"</a> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} on this page, failures first",
        plural(rows.items.len() as u64, "node", "nodes")
    );
    let first = url.cursor.is_some().then(|| url.page(None));
    let next = rows.next.map(|cursor| url.page(Some(cursor.0)));
    view! {
        <TableCard label="Nodes of this command">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Details"</th>
                        <th scope="col" class="right">
                            "Exit code"
                        </th>
                        <th scope="col" class="right">
                            "Duration"
                        </th>
                        <th scope="col" class="right">
                            "Output"
                        </th>
                        <th scope="col" class="right">
                            "Errors"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.items.into_iter().map(|row| view! { <Row page row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        <Pager count first next />
    }
    .into_any()
}

/// `0`, `812 B`, `64 KiB`.
pub(super) fn size(bytes: i64) -> String {
    match u64::try_from(bytes).unwrap_or(0) {
        0 => "—".into(),
        bytes @ 1..=1_023 => format!("{bytes} B"),
        bytes @ 1_024..=1_048_575 => format!("{} KiB", bytes / 1_024),
        bytes => format!("{} MiB", grouped(bytes / 1_048_576)),
    }
}

#[component]
fn Row(page: Live, row: InvocationView) -> impl IntoView {
    let now = use_now();
    // Counted, not owned: the address changes these while the list may be on its way out.
    let id: Arc<str> = row.node_id.as_str().into();
    let name = if row.node_name.is_empty() {
        row.node_id.to_string()
    } else {
        row.node_name.clone()
    };
    // Events know it newer than the list.
    let view = ArcMemo::new(move |_| page.live.with(|live| live.newest(&row)));
    let here = {
        let id = Arc::clone(&id);
        ArcMemo::new(move |_| page.url.with(|url| url.node.as_deref() == Some(&*id)))
    };
    let href = {
        let id = Arc::clone(&id);
        move || page.url.with(|url| url.with_node(Some(id.to_string())))
    };
    // With one node's output open, any other can be held against it.
    let compare = {
        let id = Arc::clone(&id);
        move || {
            page.url.with(|url| {
                let open = url.node.as_deref()?;
                (open != &*id).then(|| url.comparing(open, &id))
            })
        }
    };
    let took = {
        let view = view.clone();
        move || {
            view.with(|view| {
                let end = view
                    .ended_at
                    .or_else(|| now.get().filter(|_| !view.status.is_final()));
                view.started_at
                    .zip(end)
                    .map_or_else(|| "—".into(), |(start, end)| duration(end.since_ms(start)))
            })
        }
    };
    let code = {
        let view = view.clone();
        move || {
            view.with(|view| match view.response_code {
                -1 => "—".to_owned(),
                code => code.to_string(),
            })
        }
    };
    let status = {
        let view = view.clone();
        move || view.with(|view| view.status)
    };
    let [details, written, complaints] = [
        (|view: &InvocationView| details_label(&view.status_details)) as fn(&InvocationView) -> String,
        |view| size(view.stdout_bytes),
        |view| size(view.stderr_bytes),
    ]
    .map(|say| {
        let view = view.clone();
        move || view.with(say)
    });
    let selected = {
        let here = here.clone();
        move || here.get()
    };
    view! {
        <tr data-row="" tabindex="-1" class:selected=selected>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=href aria-current=move || here.get().then_some("true")>
                        {name}
                    </a>
                    <small>
                        <span class="mono">{id.to_string()}</span>
                        {move || {
                            compare()
                                .map(|href| {
                                    view! {
                                        " "
                                        <a href=href data-noscroll="">
                                            "Compare"
                                        </a>
                                    }
                                })
                        }}
                    </small>
                </div>
            </td>
            <td>
                {move || {
                    let status = status();
                    view! { <StatusBadge badge=status label=status.label() /> }
                }}
            </td>
            <td class="muted">{details}</td>
            <td class="right mono">{code}</td>
            <td class="right nowrap">{took}</td>
            <td class="right nowrap">{written}</td>
            <td class="right nowrap">{complaints}</td>
        </tr>
    }
}
