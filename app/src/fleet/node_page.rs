//! One node in full: identity, tags, what ran on it lately.

use super::api::{RemoveTag, SetTag, get_node};
use super::node_facts::NodeFacts;
use super::tags_form::TagsForm;
use crate::components::{
    ErrorNotice, Glyph, Icon, Keeper, PageHead, Skeleton, StatusBadge, TableCard, TimeAgo, grouped,
};
use crate::error::set_page_status;
use crate::patching::NodePatchesCard;
use crate::sessions::{NodeTerminals, OpenTerminal};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::commands::CommandSummary;
use muster_domain::fleet::NodeDetail;

/// The page.
#[component]
pub(crate) fn NodePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("node_id").unwrap_or_default()));
    let keeper = Keeper::here();
    let set = ServerAction::<SetTag>::new();
    let remove = ServerAction::<RemoveTag>::new();
    let node = Resource::new(
        move || (id.get(), set.version().get(), remove.version().get()),
        |(id, ..)| get_node(id),
    );
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/fleet">"Fleet"</a>
            " / "
            <span class="mono">{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=10 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match node.await {
                        Ok(node) => keeper.view(move || view! { <Node node set remove /> }),
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Node not found" } else { "Node" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this node" />
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
fn Node(node: NodeDetail, set: ServerAction<SetTag>, remove: ServerAction<RemoveTag>) -> impl IntoView {
    let id = node.summary.node_id.to_string();
    let status = node.summary.ping_status;
    let tags = node.summary.tags.clone();
    let (may_edit, may_run) = (node.may_edit_tags, node.may_run);
    let recent = node.recent_commands.clone();
    let name = node.summary.name.clone();
    let more = format!("/commands?node={id}");
    let run = format!("/commands/new?nodes={id}");
    let (run_on, terminals_of, patches_of) = (id.clone(), id.clone(), id.clone());
    view! {
        <PageHead
            title=name.clone()
            subtitle=move || view! { <StatusBadge badge=status label=status.label() /> }
        >
            // Who may run commands on a node may open a terminal there.
            {may_run.then(|| view! { <OpenTerminal node=run_on /> })}
            {may_run
                .then(|| {
                    view! {
                        <a class="btn primary" href=run>
                            <Icon glyph=Glyph::Command />
                            "Run command"
                        </a>
                    }
                })}
        </PageHead>
        <div class="grid-main">
            <div class="stack">
                <section class="card">
                    <header>
                        <h2>"Recent commands"</h2>
                        <a class="aside" href=more>
                            "All →"
                        </a>
                    </header>
                    <RecentCommands recent />
                </section>
                <NodeTerminals node=terminals_of />
            </div>
            <div class="stack">
                <section class="card">
                    <header>
                        <h2>"Identity"</h2>
                    </header>
                    <div class="card-body">
                        <NodeFacts node />
                    </div>
                </section>
                <section class="card">
                    <header>
                        <h2>"Tags"</h2>
                    </header>
                    <div class="card-body">
                        <TagsForm node_id=id node_name=name tags may_edit set remove />
                    </div>
                </section>
                <NodePatchesCard node=patches_of />
            </div>
        </div>
    }
}

#[component]
fn RecentCommands(recent: Vec<CommandSummary>) -> impl IntoView {
    if recent.is_empty() {
        return view! { <p class="panel-none">"No command has run on this node yet."</p> }.into_any();
    }
    view! {
        <TableCard label="Recent commands">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Command"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"By"</th>
                        <th scope="col">"Nodes"</th>
                        <th scope="col">"Started"</th>
                    </tr>
                </thead>
                <tbody>
                    {recent
                        .into_iter()
                        .map(|command| {
                            view! {
                                <tr data-row="" tabindex="-1">
                                    <td>
                                        <div class="two-lines">
                                            <a
                                                class="strong"
                                                data-act="open"
                                                href=format!("/commands/{}", command.command_id)
                                            >
                                                {command.title().to_owned()}
                                            </a>
                                            <small>{(command.title() != command.document).then(|| command.document.clone())}</small>
                                        </div>
                                    </td>
                                    <td>
                                        <StatusBadge badge=command.status label=command.status.label() />
                                    </td>
                                    <td>{command.requested_by}</td>
                                    <td>{grouped(command.targets.into())}</td>
                                    <td class="muted nowrap">
                                        <TimeAgo at=command.requested_at />
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </TableCard>
    }
    .into_any()
}
