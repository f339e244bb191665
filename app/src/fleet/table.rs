//! The table of nodes, with its selection.

use super::selection::{range, use_selection};
use super::url_state::{Column, FleetUrl};
use crate::components::{Fixed, Glyph, SortHeader, TableCard, TimeAgo, status_dot, tag_list};
use crate::sessions::open_terminal;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use muster_domain::fleet::{FleetSort, NodeSummary, PingStatus};

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
    nodes: Vec<NodeSummary>,
    /// Whether terminals may be opened.
    may_open: bool,
) -> impl IntoView {
    let selection = use_selection();
    let ids: Vec<String> = nodes.iter().map(|node| node.node_id.to_string()).collect();
    let columns = state.shown();
    let last_clicked = StoredValue::new(None::<String>);
    let all = {
        let ids = ids.clone();
        Memo::new(move |_| {
            selection
                .0
                .with(|selected| !ids.is_empty() && ids.iter().all(|id| selected.has(id)))
        })
    };
    let some = {
        let ids = ids.clone();
        Memo::new(move |_| selection.0.with(|selected| ids.iter().any(|id| selected.has(id))))
    };
    let toggle_all = {
        let ids = ids.clone();
        move |event: ev::Event| {
            let on = event_target_checked(&event);
            selection.change(|selected| selected.set(&ids, on));
        }
    };
    let toggle = Callback::new(move |(id, on, with_shift): (String, bool, bool)| {
        let last = if with_shift {
            last_clicked.get_value()
        } else {
            None
        };
        let rows = range(&ids, last.as_deref(), &id).to_vec();
        selection.change(|selected| selected.set(&rows, on));
        last_clicked.set_value(Some(id));
    });
    let headers: Vec<AnyView> = columns
        .iter()
        .map(|column| match column.sort() {
            Some(sort) => sort_header(&state, column.label(), sort).into_any(),
            None => view! { <th scope="col">{column.label()}</th> }.into_any(),
        })
        .collect();
    let name_header = sort_header(&state, "Node", FleetSort::Name);
    let previewed = state.node.clone();
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
                <tbody>
                    {nodes
                        .into_iter()
                        .map(|node| {
                            let preview = state.with_node(Some(node.node_id.to_string())).address();
                            let shown = previewed.as_deref() == Some(node.node_id.as_str());
                            view! { <Row node columns=columns.clone() toggle preview shown may_open /> }
                        })
                        .collect_view()}
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

#[component]
fn Row(
    node: NodeSummary,
    columns: Vec<Column>,
    toggle: Callback<(String, bool, bool)>,
    preview: String,
    shown: bool,
    may_open: bool,
) -> impl IntoView {
    let selection = use_selection();
    let id = node.node_id.to_string();
    let is_selected = {
        let id = id.clone();
        Memo::new(move |_| selection.0.with(|selected| selected.has(&id)))
    };
    let click = {
        let id = id.clone();
        // `click`, not `change`: only it knows about Shift.
        move |event: ev::MouseEvent| {
            let on = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
                .is_some_and(|input| input.checked());
            toggle.run((id.clone(), on, event.shift_key()));
        }
    };
    let select_label = format!("Select {}", node.name);
    let link = Fixed::new("a", "strong")
        .attribute("href", &format!("/fleet/{id}"))
        .attribute("data-act", "open");
    let lines = Fixed::new("div", "two-lines")
        .child(link.text(&node.name))
        .child(Fixed::new("small", "mono").text(&id));
    let name = Fixed::new("td", "").child(lines).view();
    let mut acts = Fixed::new("td", "right nowrap");
    if may_open && node.ping_status == PingStatus::Online {
        acts = acts.child(open_terminal(&id, &node.name));
    }
    let preview = Fixed::new("a", "btn quiet small")
        .attribute("href", &preview)
        .attribute("data-act", "preview")
        .attribute("data-noscroll", "")
        .attribute("aria-label", &format!("Preview {}", node.name))
        .attribute("title", "Preview (e)")
        .icon(Glyph::Right);
    let acts = acts.child(preview).view();
    view! {
        <tr data-row="" tabindex="-1" class:selected=move || is_selected.get() class:previewed=shown>
            <td class="pick">
                <input
                    type="checkbox"
                    name="nodes"
                    value=id.clone()
                    r#form="run-form"
                    data-act="select"
                    aria-label=select_label
                    prop:checked=move || is_selected.get()
                    on:click=click
                />
            </td>
            {name}
            {columns.into_iter().map(|column| cell(column, &node)).collect_view()}
            {acts}
        </tr>
    }
}

fn cell(column: Column, node: &NodeSummary) -> AnyView {
    match column {
        Column::Status => {
            let dot = status_dot(node.ping_status.into(), node.ping_status.label());
            Fixed::new("td", "").child(dot).view().into_any()
        }
        Column::Platform => Fixed::new("td", "nowrap").text(&platform(node)).view().into_any(),
        Column::Agent => mono(&node.agent_version),
        Column::Address => mono(&node.ip_address),
        Column::Tags => Fixed::new("td", "")
            .child(tag_list(&node.tags, 2))
            .view()
            .into_any(),
        Column::LastPing => view! {
            <td class="muted nowrap">
                {match node.last_ping_at {
                    Some(at) => view! { <TimeAgo at /> }.into_any(),
                    None => "never".into_any(),
                }}
            </td>
        }
        .into_any(),
    }
}

fn mono(text: &str) -> AnyView {
    Fixed::new("td", "mono nowrap").text(text).view().into_any()
}
