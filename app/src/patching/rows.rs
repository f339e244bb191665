//! The figures above the list, its rows, and what can be run on those that are ticked.

use super::url::{ListUrl, OPERATION, run_on_all};
use crate::components::{
    Empty, EmptyState, Pager, StatCard, StatusBadge, TableCard, TagList, TimeAgo, grouped, plural,
};
use crate::dom::elements;
use leptos::prelude::*;
use muster_domain::patching::{NodePatches, PatchPage, PatchScan, PatchStanding, PatchTotals};

/// The form that runs something on the nodes that are ticked.
const RUN_ID: &str = "patch-run";

/// Whether a box of a row is ticked. Browser only.
pub(super) fn is_any_ticked() -> bool {
    let boxes = elements::<web_sys::HtmlInputElement>("table.patches input[name=nodes]");
    boxes.into_iter().any(|one| one.checked())
}

/// How many nodes stand how. Each figure is of all nodes that match, scanned or not.
#[component]
pub(super) fn Totals(state: ListUrl, totals: PatchTotals) -> impl IntoView {
    if totals.nodes == 0 {
        return ().into_any();
    }
    let card = |standing: PatchStanding, foot: &'static str| {
        view! {
            <StatCard
                label=standing.label()
                value=grouped(totals.of(standing))
                unit=format!("/ {}", grouped(totals.nodes))
                href=state.standing(Some(standing))
            >
                {foot}
            </StatCard>
        }
    };
    view! {
        <div class="stats patch-totals">
            {card(PatchStanding::Compliant, "of all nodes, scanned or not")}
            {card(PatchStanding::Missing, "approved, not installed")}
            {card(PatchStanding::Failed, "could not be installed")}
            {card(PatchStanding::Reboot, "installed, not in use yet")}
            {card(PatchStanding::Never, "nothing is known of them")}
        </div>
    }
    .into_any()
}

/// The rows, or why there are none.
#[component]
pub(super) fn Rows(state: ListUrl, page: PatchPage) -> impl IntoView {
    let PatchPage {
        page,
        totals,
        synced_at,
        may_run,
    } = page;
    if page.items.is_empty() {
        return view! { <Nothing state totals is_copied=synced_at.is_some() /> }.into_any();
    }
    let count = format!(
        "{} on this page; {} in all",
        plural(page.items.len() as u64, "node", "nodes"),
        plural(
            state.standing.map_or(totals.nodes, |one| totals.of(one)),
            "node",
            "nodes"
        )
    );
    let first = state.cursor.is_some().then(|| state.page(None));
    let next = page.next.map(|cursor| state.page(Some(cursor.0)));
    let may_pick = may_run && page.items.iter().any(|node| node.may_run);
    view! {
        {may_pick.then(|| view! { <RunBar state=state.clone() totals /> })}
        <TableCard label="Nodes and their patches">
            <table class="patches">
                <thead>
                    <tr>
                        {may_pick.then(|| view! { <th scope="col" class="pick"><span class="visually-hidden">"Choose"</span></th> })}
                        <th scope="col">"Node"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="right">"Missing"</th>
                        <th scope="col" class="right">"Failed"</th>
                        <th scope="col" class="right">"Pending reboot"</th>
                        <th scope="col" class="right">"Rejected"</th>
                        <th scope="col" class="right">"Critical"</th>
                        <th scope="col" class="right">"Security"</th>
                        <th scope="col" class="right">"Installed"</th>
                        <th scope="col">"Last scan"</th>
                        <th scope="col">"Tags"</th>
                    </tr>
                </thead>
                <tbody>
                    {page.items.into_iter().map(|node| view! { <Row node may_pick /> }).collect_view()}
                </tbody>
            </table>
        </TableCard>
        <Pager count first next />
        {synced_at
            .map(|at| {
                view! {
                    <p class="muted small-text">
                        "Copied from Systems Manager " <TimeAgo at />
                        ". Critical and Security count patches of those kinds that are not as they should be. Nodes that were deregistered are left out."
                    </p>
                }
            })}
    }
    .into_any()
}

/// What can be run. A form that only leads to the page that runs commands, so it works without script.
#[component]
fn RunBar(state: ListUrl, totals: PatchTotals) -> impl IntoView {
    // Of how nodes stand the page that runs commands knows nothing.
    let all = state.standing.is_none().then(|| {
        let nodes = plural(totals.nodes, "node", "nodes");
        view! {
            <a class="btn quiet" href=run_on_all(&state.filter, "Scan")>
                {if totals.nodes == 1 { "Scan this node".to_owned() } else { format!("Scan all {nodes}") }}
            </a>
        }
    });
    view! {
        <form id=RUN_ID method="get" action="/commands/new" class="card patch-run">
            <input type="hidden" name="document" value="AWS-RunPatchBaseline" />
            <div class="row">
                <button type="submit" class="btn" name=OPERATION value="Scan">
                    "Scan now"
                </button>
                <button type="submit" class="btn" name=OPERATION value="Install" aria-describedby="install-says">
                    "Install now"
                </button>
                {all}
            </div>
            <p class="muted small-text" id="install-says">
                "On the nodes that are ticked. Scan changes nothing there. Install puts what the baseline approves onto them and may restart them: the next page asks which nodes, and whether they may (RebootOption)."
            </p>
        </form>
    }
}

/// A count that deserves the eye when it is not zero; nothing where nobody has looked.
fn number(scan: Option<&PatchScan>, of: fn(&PatchScan) -> u32) -> AnyView {
    match scan.map(of) {
        None => view! { <td class="right muted">"—"</td> }.into_any(),
        Some(0) => view! { <td class="right mono muted">"0"</td> }.into_any(),
        Some(count) => view! { <td class="right mono strong">{grouped(count.into())}</td> }.into_any(),
    }
}

#[component]
fn Row(node: NodePatches, may_pick: bool) -> impl IntoView {
    let standing = node.standing();
    let scan = node.scan.as_ref();
    let id = node.node_id.to_string();
    let pick = may_pick.then(|| {
        let label = format!("Choose {}", node.name);
        view! {
            <td class="pick">
                {node
                    .may_run
                    .then(|| view! { <input type="checkbox" name="nodes" value=id.clone() form=RUN_ID aria-label=label data-act="select" /> })}
            </td>
        }
    });
    let last = match scan {
        Some(scan) => view! {
            <div class="two-lines">
                <TimeAgo at=scan.ended_at />
                <small>{scan.operation.clone()}</small>
            </div>
        }
        .into_any(),
        None => view! { <span class="muted">"never"</span> }.into_any(),
    };
    view! {
        <tr data-row="" data-node=id.clone() tabindex="-1">
            {pick}
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=format!("/fleet/{id}")>
                        {node.name.clone()}
                    </a>
                    <small>{node.platform.clone()}</small>
                </div>
            </td>
            <td class="nowrap">
                <StatusBadge badge=standing label=standing.label() />
            </td>
            {number(scan, |scan| scan.missing)}
            {number(scan, |scan| scan.failed)}
            {number(scan, |scan| scan.pending_reboot)}
            {number(scan, |scan| scan.rejected)}
            {number(scan, |scan| scan.critical)}
            {number(scan, |scan| scan.security)}
            {number(scan, |scan| scan.installed)}
            <td class="nowrap">{last}</td>
            <td>
                <TagList tags=node.tags most=2 />
            </td>
        </tr>
    }
}

#[component]
fn Nothing(state: ListUrl, totals: PatchTotals, is_copied: bool) -> impl IntoView {
    let body = if state.is_filtered() {
        view! {
            <EmptyState kind=Empty::NothingMatches title="No node matches">
                <p>
                    {match state.standing {
                        Some(standing) => {
                            format!(
                                "No node stands so ({}); with this tag and text there are {}.",
                                standing.label(),
                                plural(totals.nodes, "node", "nodes"),
                            )
                        }
                        None => "No node that you may see fits the tag and the text.".to_owned(),
                    }}
                </p>
                <a class="btn" href="/patching">
                    "Clear the filter"
                </a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState kind=Empty::NothingExists title="There is no node yet">
                <p>
                    {if is_copied {
                        "As soon as nodes are registered, they are here, scanned or not."
                    } else {
                        "Nodes are being copied from Systems Manager for the first time: look again in a few seconds."
                    }}
                </p>
                <a class="btn" href="/fleet">
                    "Fleet"
                </a>
            </EmptyState>
        }
        .into_any()
    };
    view! { <section class="card">{body}</section> }
}
