//! The nodes of a command, failures first, and the output of the one chosen.

use super::detail_page::{Live, Nodes, Output};
use super::output_view::OutputPanel;
use crate::components::time_ago::duration;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Pager, SelectField, Skeleton, StatusBadge, TableCard, TextField, grouped,
    plural,
};
use crate::live::clock::use_now;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::commands::{CommandStatus, InvocationView};
use muster_domain::paging::Page;

/// The part.
#[component]
pub(super) fn NodesTab(page: Live, nodes: Nodes, output: Output) -> impl IntoView {
    let asked = Memo::new(move |_| page.url.with(|url| (url.status, url.text.clone())));
    let chosen = Memo::new(move |_| page.url.with(|url| url.node.is_some()));
    view! {
        {move || {
            let (status, text) = asked.get();
            view! { <Filter page status text /> }
        }}
        // Above the list, where one lands after choosing a node far down.
        {move || chosen.get().then(|| view! { <OutputPanel page output /> })}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || Suspend::new(async move {
                match nodes.await {
                    Ok(rows) => view! { <Rows page rows /> }.into_any(),
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the nodes of this command" />
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
fn Filter(page: Live, status: Option<CommandStatus>, text: String) -> impl IntoView {
    let options = [(String::new(), "Any".to_owned())]
        .into_iter()
        .chain(
            CommandStatus::ALL
                .into_iter()
                .map(|one| (one.as_str().to_owned(), one.label().to_owned())),
        )
        .collect();
    let (action, clear) = page
        .url
        .with_untracked(|url| (format!("/commands/{}", url.id), url.nodes(None)));
    let filtered = status.is_some() || !text.is_empty();
    view! {
        <Form method="GET" action=action attr:class="command-filter" attr:role="search" attr:aria-label="Filter nodes">
            <input type="hidden" name="tab" value="nodes" />
            <TextField name="text" label="Name or id" value=text />
            <SelectField
                name="status"
                label="Status"
                options
                selected=status.map(CommandStatus::as_str).unwrap_or_default()
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
        let filtered = url.status.is_some() || !url.text.is_empty();
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
    let id = StoredValue::new(row.node_id.to_string());
    let name = if row.node_name.is_empty() {
        row.node_id.to_string()
    } else {
        row.node_name.clone()
    };
    // Events know it newer than the list.
    let view = Memo::new(move |_| page.live.with(|live| live.newest(&row)));
    let here = Memo::new(move |_| {
        page.url
            .with(|url| id.with_value(|id| url.node.as_deref() == Some(id.as_str())))
    });
    let href = move || page.url.with(|url| url.with_node(Some(id.get_value())));
    let took = move || {
        view.with(|view| {
            let end = view
                .ended_at
                .or_else(|| now.get().filter(|_| !view.status.is_final()));
            view.started_at
                .zip(end)
                .map_or_else(|| "—".into(), |(start, end)| duration(end.since_ms(start)))
        })
    };
    let code = move || {
        view.with(|view| match view.response_code {
            -1 => "—".to_owned(),
            code => code.to_string(),
        })
    };
    view! {
        <tr data-row="" tabindex="-1" class:selected=move || here.get()>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=href aria-current=move || here.get().then_some("true")>
                        {name}
                    </a>
                    <small class="mono">{id.get_value()}</small>
                </div>
            </td>
            <td>
                {move || {
                    let status = view.with(|view| view.status);
                    view! { <StatusBadge badge=status label=status.label() /> }
                }}
            </td>
            <td class="muted">{move || view.with(|view| view.status_details.clone())}</td>
            <td class="right mono">{code}</td>
            <td class="right nowrap">{took}</td>
            <td class="right nowrap">{move || view.with(|view| size(view.stdout_bytes))}</td>
            <td class="right nowrap">{move || view.with(|view| size(view.stderr_bytes))}</td>
        </tr>
    }
}
