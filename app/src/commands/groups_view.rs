//! The nodes of a command by what they wrote: what differs is seen at once, on three nodes or three thousand.

use super::api::list_output_groups;
use super::detail_page::Live;
use crate::components::{
    Empty, EmptyState, ErrorNotice, Fresh, Keeper, Skeleton, StaleNotice, StatusBadge, TableCard, plural,
    renewed,
};
use leptos::prelude::*;
use muster_domain::commands::OutputGroup;
use std::sync::Arc;

/// All groups.
#[component]
pub(super) fn GroupsView(page: Live) -> impl IntoView {
    let id = Memo::new(move |_| page.url.with(|url| url.id.clone()));
    let groups = renewed(move || id.get(), list_output_groups);
    let keeper = Keeper::here();
    Effect::new(move |before: Option<u32>| {
        let now = page.renewed.get();
        if before.is_some_and(|before| before != now) {
            groups.refetch();
        }
        now
    });
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match groups.await {
                        Ok(Fresh { value, stale }) => {
                            let value = Arc::unwrap_or_clone(value);
                            keeper.view(move || view! { <StaleNotice stale /> <Groups page groups=value /> })
                        }
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="what the nodes wrote" />
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
fn Groups(page: Live, groups: Vec<OutputGroup>) -> impl IntoView {
    if groups.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="Not yet sent to any node">
                    <p>"Nodes appear here as soon as the command reaches them."</p>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    // What most nodes wrote is what the others are compared with.
    let usual = groups
        .iter()
        .filter(|group| !group.output_hash.is_empty())
        .max_by_key(|group| group.nodes)
        .and_then(|group| Some((group.output_hash.clone(), group.some.first()?.0.to_string())));
    view! {
        <TableCard label="Nodes by output">
            <table class="output-groups">
                <thead>
                    <tr>
                        <th scope="col">"Nodes"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="right">
                            "Exit code"
                        </th>
                        <th scope="col">"Output begins with"</th>
                    </tr>
                </thead>
                <tbody>
                    {groups
                        .into_iter()
                        .map(|group| {
                            let usual = usual.clone();
                            view! { <Group page group usual /> }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
    }
    .into_any()
}

#[component]
fn Group(page: Live, group: OutputGroup, usual: Option<(String, String)>) -> impl IntoView {
    let url = page.url.get_untracked();
    let hidden = group
        .nodes
        .saturating_sub(u32::try_from(group.some.len()).unwrap_or(u32::MAX));
    let href = if group.output_hash.is_empty() {
        url.nodes(Some(group.status))
    } else {
        url.same(group.status, &group.output_hash)
    };
    let compare = usual
        .filter(|(hash, _)| !group.output_hash.is_empty() && *hash != group.output_hash)
        .and_then(|(_, usual)| Some(url.comparing(&usual, group.some.first()?.0.as_str())));
    let code = match group.response_code {
        -1 => "—".to_owned(),
        code => code.to_string(),
    };
    let nodes = group.some;
    view! {
        <tr data-row="" tabindex="-1" data-group=group.output_hash.clone()>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=href>
                        {plural(group.nodes.into(), "node", "nodes")}
                    </a>
                    <small>
                        {nodes
                            .into_iter()
                            .enumerate()
                            .map(|(at, (id, name))| {
                                let name = if name.is_empty() { id.to_string() } else { name };
                                let href = url.with_node(Some(id.to_string()));
                                let glue = if at == 0 { "" } else { ", " };
                                view! { {glue} <a href=href title=id.to_string()>{name}</a> }
                            })
                            .collect_view()}
                        {(hidden > 0).then(|| format!(" and {hidden} more"))}
                    </small>
                </div>
            </td>
            <td>
                <StatusBadge badge=group.status label=group.status.label() />
            </td>
            <td class="right mono">{code}</td>
            <td>
                {if group.beginning.is_empty() {
                    view! { <span class="muted">"Nothing written"</span> }.into_any()
                } else {
                    view! { <pre class="beginning">{group.beginning}</pre> }.into_any()
                }}
                {compare
                    .map(|href| {
                        view! {
                            <a class="small-text" href=href>
                                "Compare with what most nodes wrote"
                            </a>
                        }
                    })}
            </td>
        </tr>
    }
}
