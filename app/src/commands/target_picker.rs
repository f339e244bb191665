//! The targets of a run: how they are named, how to name others, and what that comes to now.

use super::run_page::Chosen;
use crate::components::{ErrorNotice, Glyph, Icon, StatusDot, TableCard, grouped, plural};
use crate::error::AppError;
use crate::fleet::{list_nodes, list_views};
use crate::url::Query;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::commands::is_production;
use muster_domain::fleet::{ExcludedNode, ResolvedTargets, TargetNode};
use std::sync::Arc;

/// Nodes offered for ticking when nothing is chosen.
const OFFERED: usize = 50;

/// The section; `resolved` is what the choice comes to.
#[component]
pub(crate) fn TargetPicker(chosen: Chosen, resolved: Result<ResolvedTargets, AppError>) -> impl IntoView {
    let nothing = chosen.is_nothing();
    view! {
        <section class="card" aria-labelledby="targets-title">
            <header>
                <h2 id="targets-title">"1. Targets"</h2>
                <span class="aside">{chosen.sentence()}</span>
            </header>
            <div class="card-body">
                <ChooseByFilter chosen=chosen.clone() />
                {nothing.then(|| view! { <ChooseByTicking chosen=chosen.clone() /> })}
                {(!nothing)
                    .then(|| match resolved {
                        Ok(resolved) => view! { <Resolved resolved /> }.into_any(),
                        Err(error) => view! { <ErrorNotice error what="the targets" /> }.into_any(),
                    })}
            </div>
        </section>
    }
}

#[component]
fn ChooseByFilter(chosen: Chosen) -> impl IntoView {
    let views = Resource::new(|| (), |()| list_views());
    let stored = StoredValue::new(chosen.clone());
    view! {
        <Form method="GET" action=chosen.page.clone() attr:class="form-inline">
            <Kept chosen=chosen.clone() />
            <div class="field">
                <label for="target-filter">"Choose by filter"</label>
                <input
                    id="target-filter"
                    name="filter"
                    value=chosen.filter.clone()
                    placeholder="tag:Environment=Staging;status=Online"
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <button type="submit" class="btn">
                "Use filter"
            </button>
            {(!chosen.is_nothing())
                .then(|| {
                    let href = chosen.address([]);
                    view! {
                        <a class="btn quiet" href=href>
                            "Choose other nodes"
                        </a>
                    }
                })}
        </Form>
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let views = views.await.unwrap_or_default();
                let links: Vec<(String, String)> = views
                    .into_iter()
                    .filter_map(|one| {
                        let filter = Query::parse(&one.query).text("filter")?;
                        Some((one.name, stored.with_value(|chosen| chosen.address([("filter", filter)]))))
                    })
                    .collect();
                (!links.is_empty())
                    .then(|| {
                        view! {
                            <p class="row small-text">
                                <span class="muted">"Saved views:"</span>
                                {links
                                    .into_iter()
                                    .map(|(name, href)| {
                                        view! {
                                            <a class="btn small" href=href>
                                                <Icon glyph=Glyph::Bookmark />
                                                {name}
                                            </a>
                                        }
                                    })
                                    .collect_view()}
                            </p>
                        }
                    })
            })}
        </Transition>
    }
}

/// What the page's address says beside the nodes.
#[component]
fn Kept(chosen: Chosen) -> impl IntoView {
    let kept: Vec<(String, String)> = chosen
        .kept()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    kept.into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
}

#[component]
fn ChooseByTicking(chosen: Chosen) -> impl IntoView {
    let offered = Resource::new(|| (), |()| list_nodes(String::new(), "name".into(), false, None));
    let chosen = StoredValue::new(chosen);
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let page = match offered.await {
                    Ok(page) => page,
                    Err(error) => return view! { <ErrorNotice error what="the nodes" /> }.into_any(),
                };
                if page.total == 0 {
                    return view! {
                        <p class="muted">"There is no node yet. " <a href="/fleet/add">"Add one first."</a></p>
                    }
                        .into_any();
                }
                let more = page.total.saturating_sub(u64::try_from(page.page.items.len()).unwrap_or(0));
                view! {
                    <Form method="GET" action=chosen.with_value(|chosen| chosen.page.clone()) attr:class="stack">
                        <Kept chosen=chosen.get_value() />
                        <fieldset>
                            <legend>"Or tick nodes"</legend>
                            <div class="tick-list">
                                {Arc::unwrap_or_clone(page.page)
                                    .items
                                    .into_iter()
                                    .take(OFFERED)
                                    .map(|node| {
                                        view! {
                                            <label class="row">
                                                <input type="checkbox" name="nodes" value=node.node_id.to_string() />
                                                <span class="grow">{node.name}</span>
                                                <StatusDot badge=node.ping_status label=node.ping_status.label() />
                                            </label>
                                        }
                                    })
                                    .collect_view()}
                            </div>
                        </fieldset>
                        <div class="row">
                            <button type="submit" class="btn primary">
                                "Use ticked nodes"
                            </button>
                            {(more > 0)
                                .then(|| {
                                    view! {
                                        <span class="muted small-text">
                                            {format!("{} more: ", plural(more, "node", "nodes"))}
                                            <a href="/fleet">"choose them on the Fleet page"</a>
                                        </span>
                                    }
                                })}
                        </div>
                    </Form>
                }
                    .into_any()
            })}
        </Transition>
    }
}

/// What the choice comes to: the count, by environment, the nodes, and who is left out and why.
#[component]
fn Resolved(resolved: ResolvedTargets) -> impl IntoView {
    let count = resolved.count;
    let hidden = count.saturating_sub(u64::try_from(resolved.nodes.len()).unwrap_or(0));
    let left_out = resolved.excluded_count;
    view! {
        <div class="row" data-targets=count.to_string()>
            <strong>{plural(count, "node will be acted on", "nodes will be acted on")}</strong>
            {resolved
                .by_environment
                .into_iter()
                .map(|(name, count)| {
                    let class = if is_production(&name) { "tag warn" } else { "tag" };
                    let name = if name.is_empty() { "no Environment tag".to_owned() } else { name };
                    view! { <span class=class>{format!("{name} {}", grouped(count))}</span> }
                })
                .collect_view()}
            {(left_out > 0).then(|| view! { <span class="tag bad">{format!("{} left out", grouped(left_out))}</span> })}
        </div>
        {(count == 0)
            .then(|| {
                view! {
                    <div class="notice warn">
                        <Icon glyph=Glyph::Warning />
                        <div>"No node is left to run on. Choose other nodes or another filter."</div>
                    </div>
                }
            })}
        {(count > 0)
            .then(|| {
                view! {
                    <details open=count <= 10>
                        <summary>"Nodes that will be acted on"</summary>
                        <TargetTable nodes=resolved.nodes />
                        {(hidden > 0).then(|| view! { <p class="muted small-text">{format!("and {} more", grouped(hidden))}</p> })}
                    </details>
                }
            })}
        {(left_out > 0).then(|| view! { <LeftOut excluded=resolved.excluded count=left_out /> })}
    }
}

#[component]
fn TargetTable(nodes: Vec<TargetNode>) -> impl IntoView {
    view! {
        <TableCard label="Nodes that will be acted on">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Platform"</th>
                        <th scope="col">"Environment"</th>
                    </tr>
                </thead>
                <tbody>
                    {nodes
                        .into_iter()
                        .map(|node| {
                            view! {
                                <tr>
                                    <td>
                                        <div class="two-lines">
                                            <a class="strong" href=format!("/fleet/{}", node.node_id)>
                                                {node.name}
                                            </a>
                                            <small class="mono">{node.node_id.to_string()}</small>
                                        </div>
                                    </td>
                                    <td>
                                        <StatusDot badge=node.ping_status label=node.ping_status.label() />
                                    </td>
                                    <td>{node.platform_type}</td>
                                    <td>{node.environment.unwrap_or_else(|| "—".into())}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
    }
}

#[component]
fn LeftOut(excluded: Vec<ExcludedNode>, count: u64) -> impl IntoView {
    view! {
        <details open=true>
            <summary>{format!("Left out ({})", grouped(count))}</summary>
            <ul class="list">
                {excluded
                    .into_iter()
                    .map(|node| {
                        let name = if node.name.is_empty() { node.node_id.to_string() } else { node.name };
                        view! {
                            <li>
                                <span class="strong">{name}</span>
                                <span class="muted">{node.reason}</span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </details>
    }
}
