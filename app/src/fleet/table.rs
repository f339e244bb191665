//! The table of nodes, with its selection.

use super::selection::{Selected, range, use_selection};
use super::url_state::{Column, FleetUrl};
use crate::components::{FixedRow, Glyph, SortHeader, TableCard, keep_ages, status_dot, tag_list, time_ago};
use crate::dom::elements;
use crate::sessions::open_terminal;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use muster_domain::fleet::{FleetPage, FleetSort, NodeSummary, PingStatus};
use std::sync::Arc;

/// The name of the rows' boxes in the form `run-form`.
const NODES: &str = "nodes";

/// `Debian GNU/Linux 12`.
pub(super) fn platform(node: &NodeSummary) -> String {
    [node.platform_name.as_str(), node.platform_version.as_str()]
        .join(" ")
        .trim()
        .to_owned()
}

/// The rows on show. Boxes belong to the form `run-form`, so that they work without script.
#[component]
pub(super) fn NodeTable(
    state: FleetUrl,
    /// The page; who may run commands may open terminals.
    rows: Arc<FleetPage>,
) -> impl IntoView {
    let selection = use_selection();
    let ids: Vec<String> = rows
        .page
        .items
        .iter()
        .map(|node| node.node_id.to_string())
        .collect();
    let columns = state.shown();
    let filter = StoredValue::new(state.filter.to_string());
    let has = move |selected: &Selected, id: &str| filter.with_value(|filter| selected.has(id, filter));
    let last_clicked = StoredValue::new(None::<String>);
    let all = {
        let ids = ids.clone();
        Memo::new(move |_| {
            selection
                .0
                .with(|selected| !ids.is_empty() && ids.iter().all(|id| has(selected, id)))
        })
    };
    let some = {
        let ids = ids.clone();
        Memo::new(move |_| {
            selection
                .0
                .with(|selected| ids.iter().any(|id| has(selected, id)))
        })
    };
    let toggle_all = {
        let ids = ids.clone();
        move |event: ev::Event| {
            let on = event_target_checked(&event);
            selection.change(|selected| filter.with_value(|filter| selected.set(&ids, on, filter)));
        }
    };
    // `click`, not `change`: only it knows about Shift. Rows are text, so their boxes are listened to here.
    let click = move |event: ev::MouseEvent| {
        let Some(input) = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
            .filter(|input| input.name() == NODES)
        else {
            return;
        };
        let id = input.value();
        let last = if event.shift_key() {
            last_clicked.get_value()
        } else {
            None
        };
        let rows = range(&ids, last.as_deref(), &id).to_vec();
        selection.change(|selected| filter.with_value(|filter| selected.set(&rows, input.checked(), filter)));
        last_clicked.set_value(Some(id));
    };
    // Also when rows were made anew: the server, and so their text, knows nothing of the selection. They come into the page
    // after this has run, in the place of others whose marks they would keep.
    let mark = move || {
        // Gone with the table by the next frame, when another page has come.
        if let Some(filter) = filter.try_get_value() {
            let _ = selection
                .0
                .try_with_untracked(|selected| mark_selected(|id| selected.has(id, &filter)));
        }
    };
    Effect::new(move |_| {
        selection.0.track();
        mark();
        request_animation_frame(mark);
    });
    keep_ages("table.nodes");
    let headers: Vec<AnyView> = columns
        .iter()
        .map(|column| match column.sort() {
            Some(sort) => sort_header(&state, column.label(), sort).into_any(),
            None => view! { <th scope="col">{column.label()}</th> }.into_any(),
        })
        .collect();
    let name_header = sort_header(&state, "Node", FleetSort::Name);
    let lines: Vec<_> = rows
        .page
        .items
        .iter()
        .map(|node| {
            let preview = state.with_node(Some(node.node_id.to_string())).address();
            let shown = state.node.as_deref() == Some(node.node_id.as_str());
            row(node, &columns, &preview, shown, rows.may_run)
        })
        .collect();
    view! {
        <TableCard label="Nodes">
            <table class="nodes">
                <thead>
                    <tr>
                        <th class="pick" scope="col">
                            <input
                                type="checkbox"
                                class="needs-script"
                                aria-label="Select all nodes on this page"
                                prop:checked=move || all.get()
                                prop:indeterminate=move || some.get() && !all.get()
                                on:change=toggle_all
                            />
                        </th>
                        {name_header}
                        {headers}
                        <th scope="col">
                            <span class="visually-hidden">"Acts"</span>
                        </th>
                    </tr>
                </thead>
                <tbody on:click=click>
                    {lines}
                </tbody>
            </table>
        </TableCard>
    }
}

fn sort_header(state: &FleetUrl, label: &'static str, sort: FleetSort) -> impl IntoView + use<> {
    let descending = (state.sort == sort).then_some(state.descending);
    let href = state.ordered(sort).address();
    view! { <SortHeader label href descending /> }
}

/// Ticks the boxes of what is selected.
fn mark_selected(has: impl Fn(&str) -> bool) {
    for input in elements::<web_sys::HtmlInputElement>("table.nodes [data-act=select]") {
        let has = has(&input.value());
        input.set_checked(has);
        if let Ok(Some(row)) = input.closest("tr") {
            let _ = row.class_list().toggle_with_force("selected", has);
        }
    }
}

fn row(
    node: &NodeSummary,
    columns: &[Column],
    preview: &str,
    shown: bool,
    may_open: bool,
) -> impl IntoView + use<> {
    let id = node.node_id.as_str();
    let row = FixedRow::new(if shown { "previewed" } else { "" })
        .cell("pick", |cell| {
            cell.inside("input", "", |input| {
                input
                    .attribute("type", "checkbox")
                    .attribute("name", NODES)
                    .attribute("value", id)
                    .attribute("form", "run-form")
                    .attribute("data-act", "select")
                    .attribute("aria-label", &format!("Select {}", node.name))
            })
        })
        .cell("", |cell| {
            cell.inside("div", "two-lines", |lines| {
                let lines = lines.inside("a", "strong", |link| {
                    link.attribute("href", &format!("/fleet/{id}"))
                        .attribute("data-act", "open")
                        .text(&node.name)
                });
                lines.inside("small", "mono", |line| line.text(id))
            })
        });
    let row = columns.iter().fold(row, |row, column| cell(row, *column, node));
    let row = row.cell("right nowrap", |cell| {
        let cell = if may_open && node.ping_status == PingStatus::Online {
            open_terminal(cell, id, &node.name)
        } else {
            cell
        };
        cell.inside("a", "btn quiet small", |link| {
            link.attribute("href", preview)
                .attribute("data-act", "preview")
                .attribute("data-noscroll", "")
                .attribute("aria-label", &format!("Preview {}", node.name))
                .attribute("title", "Preview (e)")
                .icon(Glyph::Right)
        })
    });
    row.view()
}

fn cell(row: FixedRow, column: Column, node: &NodeSummary) -> FixedRow {
    match column {
        Column::Status => row.cell("", |cell| {
            status_dot(cell, node.ping_status.into(), node.ping_status.label())
        }),
        Column::Platform => row.cell("nowrap", |cell| cell.text(&platform(node))),
        Column::Agent => row.cell("mono nowrap", |cell| cell.text(&node.agent_version)),
        Column::Address => row.cell("mono nowrap", |cell| cell.text(&node.ip_address)),
        Column::Tags => row.cell("", |cell| tag_list(cell, &node.tags, 2)),
        Column::LastPing => row.cell("muted nowrap", |cell| match node.last_ping_at {
            Some(at) => time_ago(cell, at),
            None => cell.text("never"),
        }),
    }
}
